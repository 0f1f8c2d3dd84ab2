/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of concat and gather; see slow_concat.h. */
#include "oracle/slow_concat.h"

void slow_concat(struct mch_shape in, struct mch_shape out, int axis, int offset, int number, const int32_t *x,
		 int32_t *y, int *which)
{
	for (int i = 0; i < in.c * in.h * in.w; i++) {
		const int c = i / (in.h * in.w) + (axis == 0 ? offset : 0),
			  h = i / in.w % in.h + (axis == 1 ? offset : 0);
		const int w = i % in.w + (axis == 2 ? offset : 0), to = (c * out.h + h) * out.w + w;
		y[to] = x[i];
		which[to] = number;
	}
}

void slow_transpose(const int order[3], struct mch_shape in, const int32_t *x, int32_t *y)
{
	const int size[3] = {in.c, in.h, in.w};
	for (int i = 0; i < in.c * in.h * in.w; i++) {
		const int at[3] = {i / (in.h * in.w), i / in.w % in.h, i % in.w};
		int to = 0;
		for (int axis = 0; axis < 3; axis++)
			to = to * size[order[axis]] + at[order[axis]];
		y[to] = x[i];
	}
}
