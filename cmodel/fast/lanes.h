/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float sums in a stated order: lane j adds the elements j, j + LANES, ..., then the lanes are added pairwise. So a sum is a
 * function of its terms alone, whatever vectors the CPU has. Host only: no RTL twin. */
#ifndef MCH_FAST_LANES_H
#define MCH_FAST_LANES_H

#include "fast/clones.h"

enum { MCH_LANES = 16 };

/* Overwrites lane. */
MCH_INLINE float mch_lanes_sum(float lane[MCH_LANES])
{
	for (int half = MCH_LANES / 2; half > 0; half /= 2)
		for (int j = 0; j < half; j++)
			lane[j] += lane[j + half];
	return lane[0];
}

#endif
