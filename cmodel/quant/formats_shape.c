/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What is chosen for all tensors, or all weights, together: exponents of minifloats, the fraction of static fixed point. See
 * formats.h. */
#include <math.h>

#include "quant/exponent.h"
#include "quant/formats.h"

/* All tensors that are read, of which group e has bits[e] bits, or `all` when that is NULL. */
static int list_tensors(const struct mch_formats *f, const int8_t *bits, int all, struct mch_static_item *items)
{
	const struct mch_format_policy_part *part = &f->policy.activations;
	int n = 0;
	for (int e = 0; e < f->net->n_edges; e++) {
		const bool is_signed = f->policy.is_static || f->is_signed[f->group[e]];
		if (f->is_read[e])
			items[n++] = (struct mch_static_item){
				mch_format_policy_shape(part, bits ? bits[e] : all, is_signed), part->rule, part->percentile,
				&f->ranges->edge[e]};
	}
	return n;
}

/* The same of all layers' weights. */
static int list_weights(const struct mch_formats *f, const int8_t *bits, int all, struct mch_static_item *items)
{
	const struct mch_format_policy_part *part = &f->policy.weights;
	int n = 0;
	for (int i = 0; i < f->net->n_layers; i++)
		if (mch_formats_part(&f->net->layers[i]) >= 0)
			items[n++] = (struct mch_static_item){mch_format_policy_shape(part, bits ? bits[i] : all, true),
							      part->rule, part->percentile, &f->ranges->layer[i]};
	return n;
}

int mch_formats_static_frac(const struct mch_formats *f, const struct mch_widths *widths)
{
	const int n = list_tensors(f, widths->edge, 0, f->items);
	return mch_static_choose(f->items, n + list_weights(f, widths->weights, 0, f->items + n));
}

static int choose_exponent(const struct mch_formats *f, bool is_weights, int rule, int bits)
{
	double largest = 0;
	const int n = is_weights ? list_weights(f, NULL, bits, f->items) : list_tensors(f, NULL, bits, f->items);
	if (rule == MCH_EXP_BITS_AUTO)
		return mch_exponent_choose(f->items, n);
	for (int i = 0; i < n; i++)
		largest = fmax(largest, fmax(fabs(f->items[i].range->min), fabs(f->items[i].range->max)));
	return mch_exponent_of_range(largest);
}

struct mch_format mch_formats_shape(struct mch_formats *f, bool is_weights, int bits, bool is_signed)
{
	struct mch_format_policy_part part = is_weights ? f->policy.weights : f->policy.activations;
	int8_t *known = &f->exp_bits[is_weights][bits];
	if (mch_number_is_minifloat(part.number) && part.exp_bits < 1) {
		if (*known == 0)
			*known = (int8_t)choose_exponent(f, is_weights, part.exp_bits, bits);
		part.exp_bits = *known;
	}
	return mch_format_policy_shape(&part, bits, is_signed);
}
