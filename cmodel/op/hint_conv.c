/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A layer replayed by other rules; see hint_conv.h. */
#include "op/hint_conv.h"

#include <stdio.h>

#include "op/hint_rules.h"

static int map_pixels(const struct mch_hint_conv *c)
{
	return mch_conv_p(&c->conv) * mch_conv_q(&c->conv);
}

/* Of all images, as tiles number them: docs/datapath.md "Tiles". */
static int n_pixels(const struct mch_hint_conv *c)
{
	return c->conv.n * map_pixels(c);
}

/* Output i of [n][k][p][q]: its channel and its pixel of all images. */
static void place_of(const struct mch_hint_conv *c, size_t i, int *k, int *pixel)
{
	const size_t map = (size_t)map_pixels(c), channels = (size_t)c->conv.k;
	*k = (int)(i / map % channels);
	*pixel = (int)(i / map / channels * map + i % map);
}

/* Channel k + by of the same block of columns, as a ring. */
static int around(const struct mch_hint_conv *c, int k, int by)
{
	const int per_group = c->conv.k / c->conv.groups, in_group = k % per_group;
	const int first = k - in_group % c->cols, left = per_group - (first - (k - in_group));
	const int n = left < c->cols ? left : c->cols;
	return first + ((k - first + by) % n + n) % n;
}

/* What position (r, s) reads; padding of other kinds is looked up in the map. */
static int32_t x_of(const struct mch_hint_conv *c, const struct mch_hint_trial *t, int channel, int r, int s, int pixel)
{
	const struct mch_conv *g = &t->conv;
	const int q_size = mch_conv_q(&c->conv), image = pixel / map_pixels(c), in_map = pixel % map_pixels(c);
	const int p = in_map / q_size, q = in_map % q_size;
	const ptrdiff_t at = mch_conv_x_at(g, image, channel, r, s, p, q);
	if (at >= 0 || t->pad == MCH_PAD_ZERO)
		return at < 0 ? 0 : c->x[at];
	int row = p * g->stride_h + r * g->dilation_h - g->pad_top, col = q * g->stride_w + s * g->dilation_w - g->pad_left;
	if (t->pad == MCH_PAD_EDGE) {
		row = row < 0 ? 0 : row >= g->h ? g->h - 1 : row;
		col = col < 0 ? 0 : col >= g->w ? g->w - 1 : col;
		return c->x[(((ptrdiff_t)image * g->c + channel) * g->h + row) * g->w + col];
	}
	const ptrdiff_t place = (ptrdiff_t)row * g->w + col;
	return place < 0 || place >= (ptrdiff_t)g->h * g->w ? 0 : c->x[((ptrdiff_t)image * g->c + channel) * g->h * g->w + place];
}

/* Term i of the sum: channel of the group, row and column of the kernel. */
static void term_of(const struct mch_hint_conv *c, int i, int *channel, int *r, int *s)
{
	const struct mch_conv *g = &c->conv;
	const int rs = g->r * g->s, per_group = g->c / g->groups;
	if (!c->by_words) {
		*s = i % g->s, *r = i / g->s % g->r, *channel = i / rs;
		return;
	}
	const int word = i / (c->cols * rs) * c->cols, n = per_group - word < c->cols ? per_group - word : c->cols;
	const int left = i - word * rs;
	*channel = word + left % n, *s = left / n % g->s, *r = left / n / g->s;
}

/* The operands of output (k, pixel). */
static void gather(const struct mch_hint_conv *c, const struct mch_hint_trial *t, int k, int pixel, struct mch_hint_seen *seen)
{
	const struct mch_conv *g = &c->conv;
	const int per_group = g->c / g->groups, n = (int)mch_conv_terms(g), from = around(c, k, t->weights_of);
	const int params = t->block_params ? k - k % (g->k / g->groups) % c->cols : around(c, k, t->params_of);
	const int first = k / (g->k / g->groups) * per_group;
	int32_t *const x = c->room, *const w = c->room + n;
	for (int i = 0; i < n; i++) {
		int channel, r, s;
		term_of(c, i, &channel, &r, &s);
		const int word = channel - channel % c->cols, in_word = per_group - word < c->cols ? per_group - word : c->cols;
		const int source = t->channels_reversed ? word + in_word - 1 - (channel - word) : channel;
		const int weight = t->transposed ? (channel * g->r + s) * g->s + r
				   : t->turned ? (channel * g->r + g->r - 1 - r) * g->s + g->s - 1 - s
					       : (channel * g->r + r) * g->s + s;
		x[i] = x_of(c, t, first + source, r, s, pixel);
		w[i] = c->w[(size_t)from * (size_t)n + (size_t)weight];
	}
	*seen = (struct mch_hint_seen){.n_terms = n, .x = x, .w = w, .bias = c->unit.requant->bias[params],
				       .shift = c->unit.requant->shift[params]};
}

/* The sum that the processing element made before: of the tile before it, or of the block of channels before. */
static bool before(const struct mch_hint_conv *c, int *k, int *pixel)
{
	if (*pixel >= c->rows) {
		*pixel -= c->rows;
		return true;
	}
	const int tiles = (n_pixels(c) + c->rows - 1) / c->rows, row = *pixel + (tiles - 1) * c->rows;
	*k -= c->cols;
	*pixel = row;
	return *k >= 0 && row < n_pixels(c);
}

/* Sums that go on, from the first that the element made. */
static int64_t left(const struct mch_hint_conv *c, const struct mch_hint_trial *t, int k, int pixel)
{
	struct mch_hint_seen seen;
	int64_t sum = 0;
	bool over;
	int n = 0, at_k = k, at = pixel;
	while (before(c, &at_k, &at))
		n++;
	for (; n > 0; n--) {
		at_k = k, at = pixel;
		for (int i = 0; i < n; i++)
			before(c, &at_k, &at);
		gather(c, t, at_k, at, &seen);
		seen.acc = sum;
		sum = mch_hint_sum(&c->unit, t, &seen, &over);
	}
	return sum;
}

static bool explains_one(const struct mch_hint_conv *c, const struct mch_hint_trial *t, size_t i)
{
	struct mch_hint_seen seen;
	int k, pixel;
	place_of(c, i, &k, &pixel);
	const int64_t start = t->goes_on ? left(c, t, k, pixel) : 0;
	gather(c, t, k, pixel, &seen);
	seen.acc = start;
	seen.got = c->got[i];
	if (t->requant.round == MCH_ROUND_STOCHASTIC) {
		uint16_t noise = mch_lfsr_seed(t->requant.seed, k);
		for (int j = 0; j < pixel % map_pixels(c); j++)
			noise = mch_lfsr_next(noise);
		seen.noise = noise;
	}
	const int shift = (t->back_shift ? -seen.shift : seen.shift) + t->more_shift;
	return shift >= MCH_SHIFT_MIN && shift <= MCH_SHIFT_MAX && mch_hint_explains(&c->unit, t, &seen);
}

static struct mch_hint_trial contract_of(const struct mch_hint_conv *c)
{
	struct mch_hint_trial t = mch_hint_contract(&c->unit);
	t.conv = c->conv;
	return t;
}

int32_t mch_conv_want(const struct mch_hint_conv *c, size_t i)
{
	const struct mch_hint_trial t = contract_of(c);
	struct mch_hint_seen seen;
	int k, pixel;
	place_of(c, i, &k, &pixel);
	gather(c, &t, k, pixel, &seen);
	return (int32_t)mch_hint_want(&c->unit, &seen, NULL);
}

/* A few that differ throw most rules out. */
enum { MOST_TRIED_FIRST = 64 };
struct layer {
	const struct mch_hint_conv *c;
	size_t differing[MOST_TRIED_FIRST], n_differing, n;
};

static bool layer_explained(const void *context, const struct mch_hint_trial *t)
{
	const struct layer *l = context;
	if (t->transposed && l->c->conv.r != l->c->conv.s)
		return false;
	for (size_t i = 0; i < l->n_differing; i++)
		if (!explains_one(l->c, t, l->differing[i]))
			return false;
	for (size_t i = 0; i < l->n; i++)
		if (!explains_one(l->c, t, i))
			return false;
	return true;
}

const char *mch_conv_hint(const struct mch_hint_conv *c, char *text)
{
	const struct mch_hint_trial contract = contract_of(c);
	struct layer l = {.c = c, .n = (size_t)c->conv.k * (size_t)n_pixels(c)};
	for (size_t i = 0; i < l.n && l.n_differing < MOST_TRIED_FIRST; i++)
		if (!explains_one(c, &contract, i))
			l.differing[l.n_differing++] = i;
	return l.n_differing ? mch_hint_search(&contract, mch_hint_n_rules, layer_explained, &l, text) : NULL;
}
