/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Inputs worth trying: the ends of every range, powers of two, sums that lie on a tie; see gen.h. (Of 2,000,000 uniform cases
 * none told ties-up from ties-to-even in a requantizer of 32 bits; of such as these, one in 980 does.) */
#include "cli/gen.h"

#include "base/rng.h"
#include "fxp/wide.h"

enum { LISTED_BITS = 8 }; /* a column of at most so many is listed code by code */

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

/* What a column may hold: its codes, and of a shift those that were asked for. */
static void ends(const struct mch_gen *g, int field, int64_t *low, int64_t *high)
{
	const struct mch_format f = g->header.field[field].format;
	*low = field == g->shift_at ? g->p.shift_low : mch_format_min(f);
	*high = field == g->shift_at ? g->p.shift_high : mch_format_max(f);
}

static int64_t uniform(struct mch_rng *rng, int64_t low, int64_t high)
{
	return low + (int64_t)(mch_rng_next(rng) % ((uint64_t)(high - low) + 1)); /* 49 bits: hardly a bias */
}

/* An end, zero, a power of two, each or a neighbour; any magnitude; any code. */
static int64_t corner(struct mch_rng *rng, int64_t low, int64_t high)
{
	const uint64_t bits = mch_rng_next(rng);
	const int64_t near = (int64_t)(bits % 3), sign = bits & 4 ? -1 : 1;
	const int place = (int)(bits >> 8) & 63;
	switch (bits >> 32 & 7) {
	case 0:
		return clamp(low + near, low, high);
	case 1:
		return clamp(high - near, low, high);
	case 2:
		return clamp(sign * near, low, high);
	case 3:
		return clamp(sign * ((INT64_C(1) << place % 49) + near - 1), low, high);
	case 4:
		return uniform(rng, low, high) / (INT64_C(1) << place % 49);
	default:
		return uniform(rng, low, high);
	}
}

/* A word: each element on its own, or all at the ends, all the same, or mostly zeros. */
static void draw_word(struct mch_gen *g, struct mch_rng *rng, int field)
{
	const int count = g->header.field[field].count;
	int64_t low, high, *v = g->values[field];
	ends(g, field, &low, &high);
	const uint32_t style = count > 1 ? mch_rng_below(rng, 8) : 7;
	const int64_t same = corner(rng, low, high);
	for (int e = 0; e < count; e++) {
		if (style == 0)
			v[e] = mch_rng_next(rng) & 1 ? low : high;
		else if (style == 1)
			v[e] = same;
		else if (style == 2)
			v[e] = clamp(mch_rng_below(rng, 8) ? 0 : corner(rng, low, high), low, high);
		else
			v[e] = e == 0 ? same : corner(rng, low, high);
	}
}

/* A sum that becomes a code, or lies half way to the next, or beside one of the two. |integers| < 2^49, shifts below 73: 122
 * bits. */
static int64_t tie(const struct mch_gen *g, struct mch_rng *rng, int shift, int64_t low, int64_t high)
{
	const int64_t code = corner(rng, mch_format_min(g->aim), mch_format_max(g->aim));
	const int64_t next = code < mch_format_max(g->aim) ? code + 1 : code;
	const mch_int128 a = mch_format_integer(g->aim, code), one = 1;
	const mch_int128 b = next > code ? mch_format_integer(g->aim, next) : g->aim.number == MCH_FIXED ? a + 1 : a;
	const mch_int128 twice = mch_rng_below(rng, 4) ? a + b : 2 * a;
	const mch_int128 v = (shift > 0 ? twice * (one << shift) / 2 : twice / (one << (1 - shift))) +
			     (int)mch_rng_below(rng, 3) - 1;
	return v < low ? low : v > high ? high : (int64_t)v;
}

/* Moves sums onto ties: by the sum itself, where it is a column, or by the bias of their channel. */
static void aim(struct mch_gen *g, struct mch_rng *rng)
{
	const int field = g->has_sum ? 0 : g->bias_at;
	int64_t low, high;
	if (field < 0 || mch_rng_below(rng, 4) == 0)
		return;
	ends(g, field, &low, &high);
	if (g->has_sum) {
		const int shift = g->shift_at < 0 ? 0 : (int)g->values[g->shift_at][0];
		const int64_t bias = g->bias_at < 0 ? 0 : g->values[g->bias_at][0];
		g->values[0][0] = clamp(tie(g, rng, shift, low, high) - bias, low, high);
		return;
	}
	g->op->compute(g);
	for (size_t k = 0; k < g->n_channels; k++) {
		const struct mch_gen_element *e = &g->element[mch_rng_below(rng, (uint32_t)g->n_elements)];
		g->values[field][e->channel] = clamp(tie(g, rng, e->shift, low * 2, high * 2) - e->acc, low, high);
	}
}

/* How many codes of a column level 2 combines. */
static uint64_t listed(const struct mch_gen *g, int field)
{
	int64_t low, high;
	ends(g, field, &low, &high);
	if (high - low < 1 << LISTED_BITS)
		return (uint64_t)(high - low) + 1;
	return 11 + 6 * (uint64_t)(g->header.field[field].format.bits - 2);
}

static int64_t listed_code(const struct mch_gen *g, int field, int64_t i)
{
	int64_t low, high;
	ends(g, field, &low, &high);
	if (high - low < 1 << LISTED_BITS)
		return low + i;
	if (i < 3)
		return low + i;
	if (i < 6)
		return high - (i - 3);
	if (i < 11)
		return clamp(i - 8, low, high);
	const int64_t beside = (i - 11) % 3 - 1, sign = (i - 11) / 3 % 2 ? -1 : 1;
	return clamp(sign * ((INT64_C(1) << ((i - 11) / 6 + 1)) + beside), low, high);
}

uint64_t mch_gen_combinations(const struct mch_gen *g)
{
	const uint64_t most = UINT64_C(1) << 40;
	uint64_t n = 1;
	for (int i = 0; i < g->header.n_in; i++)
		n = n * listed(g, i) < most ? n * listed(g, i) : most; /* below 2^40 * 2^9 */
	return n;
}

/* Each element of a word is the same code. */
static void combine(struct mch_gen *g, uint64_t number)
{
	for (int i = g->header.n_in - 1; i >= 0; i--) {
		const int64_t code = listed_code(g, i, (int64_t)(number % listed(g, i)));
		number /= listed(g, i);
		for (int e = 0; e < g->header.field[i].count; e++)
			g->values[i][e] = code;
	}
}

void mch_gen_draw(struct mch_gen *g, uint64_t number)
{
	struct mch_rng rng = mch_rng_stream(g->p.seed, number, 0);
	if (g->p.level == 2 && number < mch_gen_combinations(g)) {
		combine(g, number);
		return;
	}
	for (int i = 0; i < g->header.n_in; i++)
		draw_word(g, &rng, i);
	aim(g, &rng);
}
