/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Local response normalization on stored codes (fast/codes.h): bit-equal to the host step's plain form, because its
 * sums of squares are integers, which the plain form adds in double without a rounding. Host only: no RTL twin. */
#ifndef MCH_NET_HOST_LRN_H
#define MCH_NET_HOST_LRN_H

#include "fast/codes.h"
#include "net/qnet.h"

/* The sums stay below 2^53, where double still counts. */
bool mch_host_lrn_is_exact(const struct mch_step *step);

/* int64 values of scratch. */
size_t mch_host_lrn_scratch_elems(const struct mch_step *step);

/* n images, NHWC. */
void mch_host_lrn(const struct mch_step *step, int n, const void *x, void *y, int64_t *scratch);

#endif
