/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cross-layer equalization; see equalize.h. */
#include "quant/equalize.h"

#include <math.h>

#include "quant/readers.h"

/* Exponents of factors: far from the ends of float, so that a weight neither overflows nor becomes subnormal. */
enum { EXPONENT_MAX = 20, ROUNDS_MAX = 20 };

/* The factor that gives both sides the geometric mean of their ranges, as a power of two; its exponent is returned. */
static int equalize_channel(const struct mch_net *net, const struct mch_layer *layer, const struct mch_readers *r, int k)
{
	const double made = mch_scale_outputs(layer, k, 1), read = mch_scale_readers(net, r, k, 1);
	if (made <= 0 || read <= 0) /* a dead channel */
		return 0;
	const double exponent = rint(log2(read / made) / 2);
	const int e = (int)fmax(-EXPONENT_MAX, fmin(EXPONENT_MAX, exponent));
	if (e != 0) {
		mch_scale_outputs(layer, k, ldexpf(1, e));
		mch_scale_readers(net, r, k, ldexpf(1, -e));
	}
	return e;
}

int mch_equalize(struct mch_net *net, struct mch_equalized *result, struct mch_err *err)
{
	struct mch_readers r = {0};
	bool is_changed = true;
	*result = (struct mch_equalized){0};
	/* A layer's weights change with its neighbours on both sides: once more, until nothing does. */
	for (int round = 0; is_changed && round < ROUNDS_MAX && !r.is_no_memory; round++) {
		is_changed = false;
		for (int i = 0; i < net->n_layers; i++) {
			const struct mch_layer *layer = &net->layers[i];
			if (layer->kind != MCH_CONV && layer->kind != MCH_DENSE)
				continue;
			mch_readers_find(&r, net, i);
			if (!r.is_exact || r.n == 0 || r.is_no_memory)
				continue;
			long n_scaled = 0;
			for (int k = 0; k < layer->conv.k; k++)
				n_scaled += equalize_channel(net, layer, &r, k) != 0;
			result->n_layers += round == 0;
			result->n_scaled += round == 0 ? n_scaled : 0;
			is_changed = is_changed || n_scaled > 0;
		}
	}
	const bool is_no_memory = r.is_no_memory;
	mch_readers_free(&r);
	if (is_no_memory)
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	return 0;
}
