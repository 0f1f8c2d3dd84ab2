/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Convolutions whose accumulators overflow; see ordered.h. */
#include "fast/ordered.h"

#include <stdlib.h>

#include "fast/clones.h"

/* Output channels at a time: two vectors, whose additions need not wait for each other. */
enum { LANES = 32 };

/* A term of one output whose activation is not 0: such a step neither changes a sum nor overflows. */
struct term {
	int32_t x;
	uint32_t t;
};

struct mch_fast_ordered {
	struct mch_conv conv;
	struct mch_acc acc;
	int k_group, n_blocks;  /* of a group: output channels, and blocks of LANES of them */
	int32_t *weights;       /* [groups][n_blocks][terms][LANES], zeros behind the last channel */
	struct term *terms;     /* room for those of one output */
};

int mch_fast_ordered_new(const struct mch_fast_ordered_spec *spec, struct mch_fast_ordered **out, struct mch_err *err)
{
	const struct mch_conv *g = &spec->conv;
	const size_t n_terms = mch_conv_terms(g);
	const int64_t low = mch_format_min(spec->in), high = mch_format_max(spec->in), x_max = high > -low ? high : -low;
	int64_t w_max = 0;
	*out = NULL;
	for (size_t i = 0; i < (size_t)g->k * n_terms; i++) {
		const int64_t w = spec->weights[i] < 0 ? -(int64_t)spec->weights[i] : spec->weights[i];
		w_max = w > w_max ? w : w_max;
	}
	/* A sum below 2^30 and a product of at most 2^30: 32 bits with the sign. */
	if (spec->acc.bits > 31 || x_max * w_max > INT64_C(1) << 30)
		return 0;
	struct mch_fast_ordered *f = calloc(1, sizeof(*f));
	if (!f)
		return mch_err_set(err, "convolution", "out of memory; use a machine with more");
	f->conv = *g;
	f->acc = spec->acc;
	f->k_group = g->k / g->groups;
	f->n_blocks = (f->k_group + LANES - 1) / LANES;
	f->weights = calloc((size_t)g->groups * (size_t)f->n_blocks * n_terms * LANES, sizeof(*f->weights));
	f->terms = malloc(n_terms * sizeof(*f->terms));
	if (!f->weights || !f->terms) {
		mch_fast_ordered_free(f);
		return mch_err_set(err, "convolution", "out of memory; use a machine with more");
	}
	for (size_t k = 0; k < (size_t)g->k; k++) {
		const size_t in_group = k % (size_t)f->k_group, block = k / (size_t)f->k_group * (size_t)f->n_blocks +
			     in_group / LANES;
		for (size_t t = 0; t < n_terms; t++)
			f->weights[(block * n_terms + t) * LANES + in_group % LANES] = spec->weights[k * n_terms + t];
	}
	*out = f;
	return 0;
}

void mch_fast_ordered_free(struct mch_fast_ordered *f)
{
	if (!f)
		return;
	free(f->weights);
	free(f->terms);
	free(f);
}

/* mch_acc_add in 32 bits; saturates is a constant in every copy. */
MCH_INLINE int32_t kept_of(bool saturates, int32_t sum, int32_t low, int32_t high)
{
	if (saturates)
		return sum < low ? low : sum > high ? high : sum;
	return (int32_t)(((uint32_t)sum - (uint32_t)low) & (uint32_t)(high - low)) + low; /* high - low = 2^bits - 1 */
}

MCH_INLINE uint64_t block_as(bool saturates, struct mch_acc acc, const struct term *terms, size_t n,
			     const int32_t *weights, int32_t sum[LANES])
{
	const int32_t low = -(INT32_C(1) << (acc.bits - 1)), high = -(low + 1);
	uint32_t n_over[LANES] = {0};
	uint64_t total = 0;
	for (int i = 0; i < LANES; i++)
		sum[i] = 0;
	for (size_t t = 0; t < n; t++) {
		const int32_t x = terms[t].x, *w = weights + (size_t)terms[t].t * LANES;
		for (int i = 0; i < LANES; i++) {
			const int32_t exact = sum[i] + x * w[i];
			sum[i] = kept_of(saturates, exact, low, high);
			n_over[i] += sum[i] != exact;
		}
	}
	for (int i = 0; i < LANES; i++)
		total += n_over[i];
	return total;
}

MCH_CLONES
static uint64_t run_block(struct mch_acc acc, const struct term *terms, size_t n, const int32_t *weights,
			  int32_t sum[LANES])
{
	return acc.overflow == MCH_SATURATE ? block_as(true, acc, terms, n, weights, sum)
					    : block_as(false, acc, terms, n, weights, sum);
}

/* The terms of output (p, q) of a group, in their order. */
static size_t gather(const struct mch_fast_ordered *f, int group, int p, int q, const int32_t *x)
{
	const struct mch_conv *g = &f->conv;
	const int n_c = g->c / g->groups;
	size_t n = 0;
	uint32_t t = 0;
	for (int c = group * n_c; c < (group + 1) * n_c; c++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++, t++) {
				const ptrdiff_t i = mch_conv_x_at(g, 0, c, r, s, p, q);
				if (i >= 0 && x[i] != 0)
					f->terms[n++] = (struct term){x[i], t};
			}
	return n;
}

uint64_t mch_fast_ordered_run(struct mch_fast_ordered *f, const int32_t *x, int64_t *acc)
{
	const struct mch_conv *g = &f->conv;
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g);
	const size_t n_pixels = (size_t)n_p * (size_t)n_q, block_elems = mch_conv_terms(g) * LANES;
	uint64_t n_over = 0;
	for (int group = 0; group < g->groups; group++)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++) {
				const size_t n = gather(f, group, p, q, x);
				for (int b = 0; b < f->n_blocks; b++) {
					int32_t sum[LANES];
					const size_t at = (size_t)(group * f->n_blocks + b);
					n_over += run_block(f->acc, f->terms, n, f->weights + at * block_elems, sum);
					for (int i = 0; i < LANES && b * LANES + i < f->k_group; i++)
						acc[(size_t)(group * f->k_group + b * LANES + i) * n_pixels +
						    (size_t)(p * n_q + q)] = sum[i];
				}
			}
	return n_over;
}
