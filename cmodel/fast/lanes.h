/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float sums in a stated order: lane j adds the elements j, j + LANES, ..., then the lanes are added pairwise. So a
 * sum is a function of its terms alone, whatever vectors the CPU has. Host only: no RTL twin. */
#ifndef MCH_FAST_LANES_H
#define MCH_FAST_LANES_H

#include "fast/clones.h"

enum { MCH_LANES = 16 };

/* Overwrites lane. Constant trips: each line is one vector operation. */
MCH_INLINE float mch_lanes_sum(float lane[MCH_LANES])
{
	for (int j = 0; j < 8; j++)
		lane[j] += lane[j + 8];
	for (int j = 0; j < 4; j++)
		lane[j] += lane[j + 4];
	return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* Before a loop over the lanes, which then is one vector operation; the loop around it stays one. */
#define MCH_LANES_SIMD _Pragma("omp simd")

#endif
