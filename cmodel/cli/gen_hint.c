/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Likely causes of what `ver` finds, by op/hint.h and op/hint_conv.h; see gen.h. */
#include "cli/gen.h"

#include <stdio.h>
#include <stdlib.h>

#include "op/hint_conv.h"

enum { REGISTER_BITS_MAX = 31 }; /* an output that the hints can hold as a code */

/* Sums of products, in the geometry of g->conv. */
static bool is_dot(const struct mch_gen *g)
{
	return g->w != NULL;
}

/* The unit, its requantizer into *cfg. Rounding and saturation alone are requantizers without bias. */
static struct mch_hint_unit unit_of(const struct mch_gen *g, struct mch_requant *cfg)
{
	const int out = g->header.n_in;
	const struct mch_format y = g->header.field[out].format;
	*cfg = g->requant;
	if (g->end == MCH_GEN_OWN)
		*cfg = (struct mch_requant){.out_bits = y.bits, .out_signed = y.is_signed, .round = g->p.round,
					    .wraps = g->p.given & MCH_GEN_WRAP};
	if (g->seed_at >= 0)
		cfg->seed = (uint32_t)g->values[g->seed_at][0];
	return (struct mch_hint_unit){.acc = g->acc,
				      .x_bits = g->p.in[0].bits,
				      .w_bits = g->p.weights.bits,
				      .x_signed = g->p.in[0].is_signed,
				      .has_flag = out + 1 < g->header.n_fields,
				      .requant = g->end == MCH_GEN_SUMS ? NULL : cfg};
}

static struct mch_hint_seen seen_of(const struct mch_gen *g, int64_t *const *got, size_t i)
{
	const int out = g->header.n_in;
	struct mch_hint_seen seen = {.got = got[out][i]};
	if (out + 1 < g->header.n_fields)
		seen.flag = got[out + 1][i] != 0;
	if (g->end == MCH_GEN_OWN) {
		seen.acc = g->values[0][0];
		seen.shift = g->shift_at < 0 ? 0 : (int)g->values[g->shift_at][0];
		seen.noise = g->noise_at < 0 ? 0 : (uint32_t)g->values[g->noise_at][0];
	} else if (g->end == MCH_GEN_CODES) {
		const struct mch_gen_element *e = &g->element[i];
		seen.acc = e->acc, seen.bias = e->bias, seen.shift = e->shift, seen.noise = e->noise;
	}
	return seen;
}

/* Operands are integers of 16 bits, sums those of mch_mac, codes those of mch_requant, in an int32_t. */
static bool can_explain(const struct mch_gen *g)
{
	const int64_t most = INT64_C(1) << MCH_OPERAND_BITS_MAX;
	if (g->is_wide || (is_dot(g) && (g->p.in[0].number != MCH_FIXED || mch_gen_largest(g->p.weights) > most)))
		return false;
	if (g->end == MCH_GEN_SUMS)
		return is_dot(g);
	return g->header.field[g->header.n_in].format.bits <= REGISTER_BITS_MAX && (g->end == MCH_GEN_CODES || g->has_sum);
}

/* The terms of output i, from x and w of the geometry, into seen. */
static void add_terms(const struct mch_gen *g, size_t i, int32_t *x, int32_t *w, struct mch_hint_seen *seen)
{
	const struct mch_conv *c = &g->conv;
	const int n_q = mch_conv_q(c), n_pixels = mch_conv_p(c) * n_q, at = (int)i % n_pixels, n = (int)mch_conv_terms(c);
	const int k = (int)i / n_pixels % c->k, image = (int)i / n_pixels / c->k;
	for (int t = 0; t < n; t++) {
		const ptrdiff_t from = mch_conv_x_index(c, image, k, at / n_q, at % n_q, (size_t)t);
		x[t] = from < 0 ? 0 : (int32_t)g->x[from];
		w[t] = (int32_t)g->w[(size_t)k * (size_t)n + (size_t)t];
	}
	seen->n_terms = n, seen->x = x, seen->w = w;
	seen->acc = 0;
}

/* Every output of a dot product with its terms; all of them are evidence. */
static const char *of_terms(const struct mch_gen *g, int64_t *const *got, char *text)
{
	struct mch_requant cfg;
	const struct mch_hint_unit unit = unit_of(g, &cfg);
	const size_t n_terms = mch_conv_terms(&g->conv), n = g->n_elements;
	struct mch_hint_seen *seen = calloc(n, sizeof(*seen));
	int32_t *terms = calloc(n * 2 * n_terms, sizeof(*terms));
	for (size_t i = 0; seen && terms && i < n; i++) {
		seen[i] = seen_of(g, got, i);
		add_terms(g, i, terms + 2 * i * n_terms, terms + (2 * i + 1) * n_terms, &seen[i]);
	}
	const char *hint = seen && terms ? mch_hint(&unit, seen, (int)n, text) : NULL;
	free(seen);
	free(terms);
	return hint;
}

/* What concerns a layer as a whole: padding, columns, what a tile leaves behind. Its codes alone. */
static const char *of_layer(const struct mch_gen *g, int64_t *const *got, char *text)
{
	struct mch_requant cfg;
	struct mch_hint_conv c = {.conv = g->conv, .unit = unit_of(g, &cfg), .rows = g->p.rows, .cols = g->p.cols};
	const size_t n_x = (size_t)g->header.field[0].count, n_w = (size_t)g->header.field[1].count, n = g->n_elements;
	const size_t n_k = (size_t)g->conv.k;
	int32_t *room = calloc(n_x + n_w + n + 2 * mch_conv_terms(&g->conv), sizeof(*room)), *next = room;
	int64_t *bias = calloc(n_k, sizeof(*bias));
	int8_t *shift = calloc(n_k, sizeof(*shift));
	const char *hint = NULL;
	if (room && bias && shift) {
		c.unit.has_flag = false;
		c.x = next;
		for (size_t i = 0; i < n_x; i++)
			*next++ = (int32_t)g->x[i];
		c.w = next;
		for (size_t i = 0; i < n_w; i++)
			*next++ = (int32_t)g->w[i];
		c.got = next;
		for (size_t i = 0; i < n; i++)
			*next++ = (int32_t)got[g->header.n_in][i];
		c.room = next;
		for (size_t i = 0; i < n; i++) {
			bias[g->element[i].channel] = g->element[i].bias;
			shift[g->element[i].channel] = (int8_t)g->element[i].shift;
		}
		cfg.bias = bias, cfg.shift = shift;
		hint = mch_conv_hint(&c, text);
	}
	free(room);
	free(bias);
	free(shift);
	return hint;
}

void mch_gen_remember(const struct mch_gen *g, int64_t *const *got, struct mch_gen_evidence *evidence)
{
	if (g->n_elements <= 1 && !is_dot(g) && can_explain(g))
		evidence->seen[evidence->n++ % MCH_GEN_REMEMBERED] = seen_of(g, got, 0);
}

/* The sums are right, what comes behind is not. The evidence: the cases before, or all elements of this one; where those have more
 * than one fault, the one that is reported beside those that agree. */
static const char *of_rounding(const struct mch_gen *g, int64_t *const *got, size_t element,
			       const struct mch_gen_evidence *evidence, char *text)
{
	struct mch_requant cfg;
	const struct mch_hint_unit unit = unit_of(g, &cfg);
	if (evidence->n > 0)
		return mch_hint(&unit, evidence->seen, evidence->n < MCH_GEN_REMEMBERED ? evidence->n : MCH_GEN_REMEMBERED, text);
	const char *hint = NULL;
	for (int only_one = 0; only_one < 2 && !hint; only_one++) {
		struct mch_hint_seen seen[MCH_GEN_REMEMBERED] = {seen_of(g, got, element)};
		int n = 1;
		for (size_t i = 0; i < g->n_elements && n < MCH_GEN_REMEMBERED; i++)
			if (!only_one || got[g->header.n_in][i] == g->values[g->header.n_in][i])
				seen[n++] = seen_of(g, got, i);
		hint = mch_hint(&unit, seen, n, text);
	}
	return hint;
}

const char *mch_gen_hint(const struct mch_gen *g, int64_t *const *got, size_t element,
			 const struct mch_gen_evidence *evidence, char *text)
{
	const struct mch_format y = g->header.field[g->header.n_in].format;
	if (mch_number_is_minifloat(y.number) && y.is_signed && got[g->header.n_in][element] == -(INT64_C(1) << (y.bits - 1))) {
		snprintf(text, MCH_HINT_BYTES, "this is minus zero; zero has no sign: docs/datapath.md \"encode\"");
		return text;
	}
	if (!can_explain(g))
		return NULL;
	const char *hint = g->end == MCH_GEN_SUMS ? NULL : of_rounding(g, got, element, evidence, text);
	if (!hint && is_dot(g))
		hint = of_terms(g, got, text);
	return !hint && is_dot(g) && g->end == MCH_GEN_CODES ? of_layer(g, got, text) : hint;
}
