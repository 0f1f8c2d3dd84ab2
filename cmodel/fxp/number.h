/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Rounding an exact sum into a number of any kind. Host only: no RTL twin. Spec: docs/datapath.md "number". */
#ifndef MCH_FXP_NUMBER_H
#define MCH_FXP_NUMBER_H

#include "fxp/format.h"
#include "fxp/wide.h"

enum { MCH_ENCODE_SHIFT_MAX = 72 }; /* 46 + 72 = 118 bits */

/* The code nearest to v * 2^-shift in units of 2^-frac, under a rounding rule: the code's lower neighbour, or the upper one,
 * as mch_round_shift would round the place between the two (ties to even: to the even code); clamped to the format's ends,
 * behind which the last step goes on. For fixed formats it is sat(round_shift(v, shift)). |v| < 2^110,
 * MCH_SHIFT_MIN <= shift <= MCH_ENCODE_SHIFT_MAX; noise as in mch_round_shift. */
int64_t mch_format_encode(struct mch_format f, mch_int128 v, int shift, enum mch_round round_mode, uint32_t noise,
			  bool *saturated);

#endif
