/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float values to the nearest values that a format has: quantization that stays in float, for training. Host only:
 * no RTL twin. */
#ifndef MCH_FAST_SNAP_H
#define MCH_FAST_SNAP_H

#include <stddef.h>
#include <stdint.h>

#include "fxp/format.h"

/* Where a value lies, for the way back. */
enum mch_snap_place {
	MCH_SNAP_HELD,   /* a ReLU or clip holds it: no slope passes */
	MCH_SNAP_INSIDE, /* all do */
	MCH_SNAP_ABOVE,  /* it saturated: only slopes that lead back, down */
	MCH_SNAP_BELOW,  /* and up */
};

/* x[i] becomes mch_format_real(mch_format_raw(x[i], round)) of its operand format; place[i] tells where it lay,
 * unless it is MCH_SNAP_HELD before. Not for the stochastic mode. x and y may be the same. A NaN stays one, so
 * that a training that diverges shows. */
void mch_snap(struct mch_format format, enum mch_round round, size_t n_elems, const float *x, float *y, uint8_t *place);

/* The same by stochastic rounding: noise[i] is read for x[i]. */
void mch_snap_noisy(struct mch_format format, const uint16_t *noise, size_t n_elems, const float *x, float *y,
		    uint8_t *place);

/* Descent moves a value against its slope: a slope that would move it further out, or that nothing follows,
 * becomes 0. */
void mch_snap_backward(size_t n_elems, const uint8_t *place, float *slope);

#endif
