/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Codes moved, plain: the reference. See gather.h. */
#include "op/gather.h"

static size_t index_of(struct mch_shape s, int n, const int at[3])
{
	return (((size_t)n * (size_t)s.c + (size_t)at[0]) * (size_t)s.h + (size_t)at[1]) * (size_t)s.w +
	       (size_t)at[2];
}

void mch_gather(const struct mch_gather *g, struct mch_shape in, int32_t fill, const int32_t *x, int32_t *y)
{
	const int *at_c = g->at, *at_h = at_c + g->n_c, *at_w = at_h + g->n_h;
	for (int n = 0; n < in.n; n++)
		for (int c = 0; c < g->n_c; c++)
			for (int h = 0; h < g->n_h; h++)
				for (int w = 0; w < g->n_w; w++) {
					const int at[3] = {at_c[c], at_h[h], at_w[w]};
					const bool is_inside = at[0] >= 0 && at[1] >= 0 && at[2] >= 0;
					*y++ = is_inside ? x[index_of(in, n, at)] : fill;
				}
}

void mch_transpose(const int order[3], struct mch_shape in, const int32_t *x, int32_t *y)
{
	const int size[3] = {in.c, in.h, in.w};
	for (int n = 0; n < in.n; n++)
		for (int c = 0; c < size[order[0]]; c++)
			for (int h = 0; h < size[order[1]]; h++)
				for (int w = 0; w < size[order[2]]; w++) {
					int at[3];
					at[order[0]] = c, at[order[1]] = h, at[order[2]] = w;
					*y++ = x[index_of(in, n, at)];
				}
}
