/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* gather: codes moved, none computed: y[k][p][q] = x[at_c[k]][at_h[p]][at_w[q]], or a fill; and axes exchanged.
 * Twin: none yet; it comes with the accelerator's address generator, until then the host moves codes.
 * Spec: docs/datapath.md "gather". */
#ifndef MCH_OP_GATHER_H
#define MCH_OP_GATHER_H

#include <stdint.h>

#include "tensor/tensor.h"

/* y[k][p][q] = x[at_c[k]][at_h[p]][at_w[q]], or fill where one of the three is -1. One mechanism for slices, pads
 * and nearest upsampling; the kind of the layer tells what the user called it. */
struct mch_gather {
	int n_c, n_h, n_w; /* size of y */
	int *at;           /* at_c[n_c], at_h[n_h], at_w[n_w] one behind the other, owned */
	float fill;
};

/* in.n images; fill is the code for -1. */
void mch_gather(const struct mch_gather *g, struct mch_shape in, int32_t fill, const int32_t *x, int32_t *y);

/* Axis i of c, h, w of y is axis order[i] (0 c, 1 h, 2 w) of x. in.n images. */
void mch_transpose(const int order[3], struct mch_shape in, const int32_t *x, int32_t *y);

#endif
