/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Depthwise convolution for training: what grad.c calls where each group has one input channel. Host only: no RTL
 * twin. */
#ifndef MCH_FAST_GRAD_DEPTHWISE_H
#define MCH_FAST_GRAD_DEPTHWISE_H

#include <stdbool.h>

#include "fast/grad.h"

enum { MCH_GRAD_DEPTHWISE_TAPS = 64 }; /* of the largest kernel that goes this way */

bool mch_grad_is_depthwise(const struct mch_conv *g);
size_t mch_grad_depthwise_scratch_elems(const struct mch_conv *g);

/* Without the bias. */
void mch_grad_depthwise_forward(const struct mch_conv *g, const float *x, const float *w, float *scratch, float *y);
/* dw and dx; each may be NULL. */
void mch_grad_depthwise_backward(const struct mch_conv *g, const struct mch_grad_conv *t);

#endif
