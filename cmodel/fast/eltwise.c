/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Elementwise operators on stored codes; see eltwise.h. All arithmetic is that of op/: the clones and constants
 * here only let the compiler turn it into vectors. */
#include "fast/eltwise.h"

#include <string.h>

#include "base/require.h"
#include "fast/clones.h"

enum { BLOCK = 256 };

/* Terms of one input from stored codes `apart` (0 or 1) from each other, joined to acc. kind, bytes, apart and
 * whether it is the first are constants in every copy. */
MCH_INLINE void join(enum mch_eltwise_kind kind, int bytes, size_t apart, bool is_first,
		     const struct mch_eltwise_in *in, int32_t zero, size_t n, const void *x, int64_t *acc)
{
	const struct mch_eltwise_in plain = {.left = in->left, .is_taken_off = in->is_taken_off};
	for (size_t i = 0; i < n; i++) {
		const int32_t stored =
			bytes == 1 ? ((const uint8_t *)x)[i * apart] : ((const uint16_t *)x)[i * apart];
		const int64_t term = mch_eltwise_term(&plain, stored - zero);
		acc[i] = is_first ? term : mch_eltwise_join(kind, acc[i], term);
	}
}

MCH_INLINE void join_any(enum mch_eltwise_kind kind, bool is_first, const struct mch_eltwise_in *in,
			 struct mch_codes codes, size_t apart, size_t n, const void *x, int64_t *acc)
{
	if (codes.bytes == 1 && apart)
		join(kind, 1, 1, is_first, in, codes.zero, n, x, acc);
	else if (codes.bytes == 1)
		join(kind, 1, 0, is_first, in, codes.zero, n, x, acc);
	else if (apart)
		join(kind, 2, 1, is_first, in, codes.zero, n, x, acc);
	else
		join(kind, 2, 0, is_first, in, codes.zero, n, x, acc);
}

MCH_CLONES
static void add_input(enum mch_eltwise_kind kind, bool is_first, const struct mch_eltwise_in *in,
		      struct mch_codes codes, size_t apart, size_t n, const void *x, int64_t *acc)
{
	if (is_first)
		join_any(MCH_ELTWISE_SUM, true, in, codes, apart, n, x, acc);
	else if (kind == MCH_ELTWISE_SUM)
		join_any(MCH_ELTWISE_SUM, false, in, codes, apart, n, x, acc);
	else if (kind == MCH_ELTWISE_PROD)
		join_any(MCH_ELTWISE_PROD, false, in, codes, apart, n, x, acc);
	else
		join_any(MCH_ELTWISE_MAX, false, in, codes, apart, n, x, acc);
}

MCH_INLINE void round_as(const struct mch_fast_eltwise *e, enum mch_round round, size_t n, const int64_t *acc,
			 int32_t *code)
{
	struct mch_requant cfg = *e->requant;
	const int shift = e->shift;
	cfg.round = round;
	for (size_t i = 0; i < n; i++) {
		bool saturated;
		code[i] = e->y_codes.zero + mch_requant_value(&cfg, acc[i], 0, shift, 0, &saturated);
	}
}

MCH_CLONES
static void round_block(const struct mch_fast_eltwise *e, size_t n, const int64_t *acc, void *y)
{
	int32_t code[BLOCK];
	switch (e->requant->round) {
	case MCH_ROUND_FLOOR:
		round_as(e, MCH_ROUND_FLOOR, n, acc, code);
		break;
	case MCH_ROUND_HALF_UP:
		round_as(e, MCH_ROUND_HALF_UP, n, acc, code);
		break;
	case MCH_ROUND_HALF_AWAY:
		round_as(e, MCH_ROUND_HALF_AWAY, n, acc, code);
		break;
	default:
		round_as(e, MCH_ROUND_HALF_EVEN, n, acc, code);
		break;
	}
	if (e->y_codes.bytes == 1)
		for (size_t i = 0; i < n; i++)
			((uint8_t *)y)[i] = (uint8_t)code[i];
	else
		for (size_t i = 0; i < n; i++)
			((uint16_t *)y)[i] = (uint16_t)code[i];
}

/* A run of n elements that lie side by side in y; input i begins at at[i], its elements apart[i] from each other. */
struct line {
	size_t n, at[MCH_ELTWISE_INPUTS_MAX], apart[MCH_ELTWISE_INPUTS_MAX];
};

static uint8_t *run_line(const struct mch_fast_eltwise *e, const struct line *line, const void *const *x, uint8_t *y)
{
	int64_t acc[BLOCK];
	for (size_t done = 0; done < line->n; done += BLOCK) {
		const size_t n = line->n - done < BLOCK ? line->n - done : BLOCK;
		for (int i = 0; i < e->cfg->n_in; i++) {
			const size_t from = (line->at[i] + done * line->apart[i]) * (size_t)e->x_codes[i].bytes;
			add_input(e->cfg->kind, i == 0, &e->cfg->in[i], e->x_codes[i], line->apart[i], n,
				  (const uint8_t *)x[i] + from, acc);
		}
		round_block(e, n, acc, y + done * (size_t)e->y_codes.bytes);
	}
	return y + line->n * (size_t)e->y_codes.bytes;
}

static bool same_shapes(const struct mch_eltwise *cfg)
{
	for (int i = 0; i < cfg->n_in; i++)
		if (mch_shape_elems(cfg->in[i].shape) != mch_shape_elems(cfg->out))
			return false;
	return true;
}

void mch_fast_eltwise(const struct mch_fast_eltwise *e, int n, const void *const *x, void *y)
{
	const struct mch_shape out = e->cfg->out;
	struct line line = {.n = (size_t)n * mch_shape_elems(out)};
	uint8_t *to = y;
	MCH_REQUIRE(e->requant->round != MCH_ROUND_STOCHASTIC, "elements are not told apart here");
	MCH_REQUIRE(e->cfg->n_in <= MCH_ELTWISE_INPUTS_MAX, "the layer table allows no more");
	if (same_shapes(e->cfg)) { /* the order of the elements does not matter */
		for (int i = 0; i < e->cfg->n_in; i++)
			line.apart[i] = 1;
		run_line(e, &line, x, y);
		return;
	}
	line.n = (size_t)out.c;
	for (int image = 0; image < n; image++)
		for (int h = 0; h < out.h; h++)
			for (int w = 0; w < out.w; w++) {
				for (int i = 0; i < e->cfg->n_in; i++) {
					const struct mch_shape s = e->cfg->in[i].shape;
					const size_t row = (size_t)image * (size_t)s.h + (size_t)(s.h == 1 ? 0 : h);
					line.at[i] = (row * (size_t)s.w + (size_t)(s.w == 1 ? 0 : w)) * (size_t)s.c;
					line.apart[i] = s.c == out.c;
				}
				to = run_line(e, &line, x, to);
			}
}
