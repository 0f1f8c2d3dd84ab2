/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of eltwise; see slow_eltwise.h. */
#include "oracle/slow_eltwise.h"

static int32_t code_at(const struct slow_eltwise_in *in, struct mch_shape out, int n, int at)
{
	const int w = at % out.w, h = at / out.w % out.h, c = at / out.w / out.h;
	const int in_w = w % in->shape.w, in_h = h % in->shape.h, in_c = c % in->shape.c; /* a side of 1 repeats */
	return in->x[((n * in->shape.c + in_c) * in->shape.h + in_h) * in->shape.w + in_w];
}

slow_int slow_eltwise(int kind, int n_in, const struct slow_eltwise_in *in, struct mch_shape out, int n, int at,
		      int *frac)
{
	slow_int result = 0;
	int finest = -1000, all = 0;
	for (int i = 0; i < n_in; i++) {
		const int own = in[i].frac - in[i].exponent;
		finest = own > finest ? own : finest;
		all += own;
	}
	for (int i = 0; i < n_in; i++) {
		slow_int v = in[i].sign * (slow_int)code_at(&in[i], out, n, at);
		for (int f = in[i].frac - in[i].exponent; kind != 1 && f < finest; f++)
			v += v;
		if (i == 0)
			result = v;
		else if (kind == 0)
			result += v;
		else if (kind == 1)
			result *= v;
		else if (v > result)
			result = v;
	}
	*frac = kind == 1 ? all : finest;
	return result;
}
