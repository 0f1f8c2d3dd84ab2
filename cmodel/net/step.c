/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The steps that hardware has, with the plain operators: what a bench compares the RTL with. See qnet.h. */
#include "net/qnet.h"

static int output_pixels(const struct mch_step *step)
{
	return mch_conv_p(&step->conv) * mch_conv_q(&step->conv);
}

void mch_step_run(const struct mch_step *step, int n, const int32_t *x, int64_t *acc, int32_t *y,
		  struct mch_events *events)
{
	struct mch_pool pool = step->pool;
	struct mch_conv conv = step->conv;
	pool.n = conv.n = n;
	switch (step->layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
		mch_conv(&conv, step->acc, x, step->weights, acc, events);
		mch_requant(&step->requant, n, conv.k, output_pixels(step), acc, y, events);
		break;
	case MCH_POOL_MAX:
		mch_pool_max(&pool, x, y);
		break;
	case MCH_POOL_AVG:
		mch_pool_avg(&pool, &step->avg, x, y, events);
		break;
	case MCH_RELU:
	case MCH_CLIP: {
		const size_t elems = (size_t)n * (size_t)pool.c * (size_t)pool.h * (size_t)pool.w;
		for (size_t i = 0; i < elems; i++)
			acc[i] = x[i];
		mch_requant(&step->requant, n, pool.c, pool.h * pool.w, acc, y, events);
		break;
	}
	default:
		break; /* not of this list: mch_step_compute */
	}
}
