/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Columns and right outputs of an operator; see gen.h. */
#include "cli/gen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "cli/cmd.h"
#include "fxp/wide.h"
#include "op/wide.h"

static int add_column(struct mch_gen *g, const char *name, struct mch_format format, size_t count)
{
	struct mch_vec_header *h = &g->header;
	MCH_REQUIRE(h->n_fields < MCH_VEC_FIELDS_MAX, "an operator has at most 16 columns");
	if (count > (size_t)(MCH_VEC_WORD_BITS_MAX / format.bits))
		mch_cmd_fail(g->op->name, "\"%s\" would be a word of %zu bits, %d is the widest; make it smaller", name,
			     count * (size_t)format.bits, MCH_VEC_WORD_BITS_MAX);
	struct mch_vec_field *f = &h->field[h->n_fields];
	snprintf(f->name, sizeof(f->name), "%s", name);
	f->format = format;
	f->count = (int)count;
	return h->n_fields++;
}

int mch_gen_in(struct mch_gen *g, const char *name, struct mch_format format, size_t count)
{
	MCH_REQUIRE(g->header.n_in == g->header.n_fields, "inputs come first");
	g->header.n_in++;
	return add_column(g, name, format, count);
}

int mch_gen_out(struct mch_gen *g, const char *name, struct mch_format format, size_t count)
{
	return add_column(g, name, format, count);
}

int64_t mch_gen_largest(struct mch_format format)
{
	const int64_t low = mch_format_integer(format, mch_format_min(format));
	const int64_t high = mch_format_integer(format, mch_format_max(format));
	return -low > high ? -low : high;
}

void mch_gen_need_operand(const char *option, struct mch_format format, int bits)
{
	char text[24];
	if (!mch_format_is_operand(format))
		mch_cmd_fail(option, "%s is no format of an operand, which has 1 to 16 bits; give another",
			     mch_format_text(format, text));
	if (mch_gen_largest(format) > INT64_C(1) << bits)
		mch_cmd_fail(option, "integers of %s have more than %d bits, which this operator has no room for; give another",
			     mch_format_text(format, text), bits);
}

/* The accumulator: that which is asked for, or the narrowest that holds every sum. */
static struct mch_acc choose_acc(const struct mch_gen *g, const struct mch_gen_tail *tail)
{
	if (g->p.acc.bits)
		return g->p.acc;
	const int bits = mch_wide_bits(tail->low, tail->high);
	if (bits > MCH_ACC_BITS_MAX)
		mch_cmd_fail("--acc-bits", "sums of these formats need %d bits, an accumulator has at most %d; say what is to "
			     "happen, as in --acc-bits=48:wrap", bits, MCH_ACC_BITS_MAX);
	return (struct mch_acc){bits, MCH_WRAP};
}

static void set_requant(struct mch_gen *g)
{
	const struct mch_gen_params *p = &g->p;
	mch_gen_need_operand("--out", p->out, 46);
	if (p->out.number == MCH_POW2 || p->out.number == MCH_POW2_NO_ZERO)
		mch_cmd_fail("--out", "no output is a power of two; give fixed point or a minifloat");
	g->requant = (struct mch_requant){.out_bits = p->out.bits,
					  .out_signed = p->out.is_signed,
					  .relu = p->given & MCH_GEN_RELU,
					  .round = p->round,
					  .is_clipped = p->given & MCH_GEN_CLIP,
					  .clip_low = p->clip_low,
					  .clip_high = p->clip_high,
					  .wraps = p->given & MCH_GEN_WRAP,
					  .number = p->out.number,
					  .exp_bits = p->out.exp_bits};
	g->is_wide = g->is_wide || p->out.number != MCH_FIXED;
	if (g->is_wide && g->requant.wraps)
		mch_cmd_fail("--wrap", "only fixed point wraps; leave it out");
	if (g->requant.is_clipped && (p->clip_low < mch_format_min(p->out) || p->clip_high > mch_format_max(p->out)))
		mch_cmd_fail("--clip", "%d:%d is outside the codes of the output; give codes of --out", p->clip_low,
			     p->clip_high);
}

/* Columns behind the operator's own: bias, shift, noise. */
static void add_rounding(struct mch_gen *g, const struct mch_gen_tail *tail)
{
	const struct mch_gen_params *p = &g->p;
	const struct mch_format bias = {g->acc.bits, tail->frac, true, MCH_FIXED, 0};
	const int shift = tail->frac - p->out.frac + tail->more_shift;
	const int high = g->is_wide ? 72 : MCH_SHIFT_MAX;
	if (tail->has_bias && !(p->given & MCH_GEN_NO_BIAS))
		g->bias_at = mch_gen_in(g, "bias", bias, tail->n_channels);
	if (g->op->takes & MCH_GEN_SHIFT)
		g->shift_at = mch_gen_in(g, "shift", (struct mch_format){7, 0, true, MCH_FIXED, 0}, 1);
	else if (shift < MCH_SHIFT_MIN || shift > high)
		mch_cmd_fail("--out", "from a fraction of %d bits to one of %d is a shift of %d, outside %d to %d; give a nearer "
			     "format", tail->frac, p->out.frac, shift, MCH_SHIFT_MIN, high);
	if (!(p->given & MCH_GEN_SHIFT))
		g->p.shift_low = g->p.shift_high = shift;
	if (p->round == MCH_ROUND_STOCHASTIC && tail->n_elements == 1)
		g->noise_at = mch_gen_in(g, "noise", (struct mch_format){16, 0, false, MCH_FIXED, 0}, 1);
	else if (p->round == MCH_ROUND_STOCHASTIC)
		g->seed_at = mch_gen_in(g, "seed", (struct mch_format){32, 0, false, MCH_FIXED, 0}, 1);
}

void mch_gen_tail(struct mch_gen *g, const struct mch_gen_tail *tail)
{
	const struct mch_format flag = {1, 0, false, MCH_FIXED, 0};
	const bool has_flags = !(g->p.given & MCH_GEN_NO_FLAGS);
	g->n_elements = tail->n_elements;
	g->n_channels = tail->n_channels;
	if (!g->is_wide)
		g->acc = choose_acc(g, tail);
	g->sum = (struct mch_format){g->acc.bits > 2 ? g->acc.bits : MCH_ACC_BITS_MAX, tail->frac + tail->more_shift, true, MCH_FIXED,
				     0};
	if (tail->frac < -MCH_FRAC_LIMIT || tail->frac > MCH_FRAC_LIMIT)
		mch_cmd_fail("--in", "sums would have %d fraction bits, outside -64 to 64; give other formats", tail->frac);
	g->end = g->p.out.bits ? MCH_GEN_CODES : MCH_GEN_SUMS;
	g->element = calloc(g->n_elements, sizeof(*g->element));
	g->noise = calloc(g->n_channels, sizeof(*g->noise));
	if (!g->element || !g->noise)
		mch_cmd_fail(g->op->name, "out of memory; make it smaller");
	if (g->end == MCH_GEN_SUMS) {
		const struct mch_format sum = {g->acc.bits, tail->frac, true, MCH_FIXED, 0};
		g->aim = sum;
		mch_gen_out(g, "acc", sum, g->n_elements);
		if (has_flags && g->acc.overflow == MCH_SATURATE)
			mch_gen_out(g, "over", flag, g->n_elements);
		return;
	}
	set_requant(g);
	add_rounding(g, tail);
	g->aim = g->p.out;
	mch_gen_out(g, "y", g->p.out, g->n_elements);
	if (has_flags && (g->op->takes & MCH_GEN_NO_FLAGS))
		mch_gen_out(g, "sat", flag, g->n_elements);
	for (size_t e = 0; e < g->n_elements; e++)
		g->element[e].shift = g->p.shift_low;
}

static const struct mch_gen_op *find(const char *name)
{
	const struct mch_gen_op *op = mch_gen_ops;
	while (op->name && strcmp(op->name, name) != 0)
		op++;
	if (!op->name)
		mch_cmd_fail(name, "no such operator; `macchiato gen --list` lists them");
	return op;
}

static void set_texts(struct mch_gen *g)
{
	struct mch_vec_header *h = &g->header;
	const struct mch_gen_params *p = &g->p;
	snprintf(h->op, sizeof(h->op), "%s", g->op->name);
	if (g->end == MCH_GEN_CODES || (g->op->takes & MCH_GEN_ROUND))
		snprintf(h->comment, sizeof(h->comment), "round %s, docs/datapath.md \"%s\"", mch_round_name(p->round),
			 g->op->section);
	else
		snprintf(h->comment, sizeof(h->comment), "docs/datapath.md \"%s\"", g->op->section);
	const int used = snprintf(h->redo, sizeof(h->redo), "macchiato gen %s%s%s --seed=%" PRIu64, g->op->name, p->text,
				  p->level == 2 ? " --level=2" : "", p->seed);
	snprintf(h->redo + used, sizeof(h->redo) - (size_t)used, p->given & MCH_GEN_CASE ? " --case=%" PRIu64 : " --cases=%" PRIu64,
		 p->given & MCH_GEN_CASE ? p->first : p->n_cases);
	h->n_cases = p->n_cases;
}

void mch_gen_init(struct mch_gen *g, const char *op, const struct mch_gen_params *p)
{
	*g = (struct mch_gen){.op = find(op), .p = *p, .bias_at = -1, .shift_at = -1, .noise_at = -1, .seed_at = -1};
	const unsigned useless = p->given & MCH_GEN_PARAMS & ~g->op->takes;
	if (useless)
		mch_cmd_fail(mch_gen_option(useless & -useless), "%s has no use for it; leave it out", op);
	g->end = MCH_GEN_OWN;
	g->op->setup(g);
	size_t n = 0;
	for (int i = 0; i < g->header.n_fields; i++)
		n += (size_t)g->header.field[i].count;
	int64_t *block = calloc(n, sizeof(*block));
	if (!block)
		mch_cmd_fail(op, "out of memory; make it smaller");
	for (int i = 0; i < g->header.n_fields; i++) {
		g->values[i] = block;
		block += g->header.field[i].count;
	}
	if (p->level == 2 && !(p->given & (MCH_GEN_N_CASES | MCH_GEN_CASE)))
		g->p.n_cases += mch_gen_combinations(g);
	set_texts(g);
}

void mch_gen_free(struct mch_gen *g)
{
	free(g->values[0]);
	free(g->element);
	free(g->noise);
	free(g->x);
	free(g->w);
	free(g->in);
	free(g->out);
	*g = (struct mch_gen){.op = NULL};
}

/* What comes to an element behind its sum. The noise of a channel goes from element to element. */
static void set_rounding(struct mch_gen *g)
{
	if (g->seed_at >= 0)
		for (size_t k = 0; k < g->n_channels; k++)
			g->noise[k] = mch_lfsr_seed((uint32_t)g->values[g->seed_at][0], (int)k);
	for (size_t i = 0; i < g->n_elements; i++) {
		struct mch_gen_element *e = &g->element[i];
		e->bias = g->bias_at < 0 ? 0 : g->values[g->bias_at][e->channel];
		if (g->shift_at >= 0)
			e->shift = (int)g->values[g->shift_at][0];
		if (g->noise_at >= 0)
			e->noise = (uint32_t)g->values[g->noise_at][0];
		if (g->seed_at >= 0) {
			e->noise = g->noise[e->channel];
			g->noise[e->channel] = mch_lfsr_next(g->noise[e->channel]);
		}
	}
}

static int32_t round_one(const struct mch_gen *g, const struct mch_gen_element *e, bool *saturated)
{
	if (!g->is_wide)
		return mch_requant_value(&g->requant, e->acc, e->bias, e->shift, e->noise, saturated);
	struct mch_events events = {0};
	const int32_t y = mch_wide_code(&g->requant, (mch_int128)e->acc + e->bias, e->shift, e->noise, &events);
	*saturated = events.n_sat_low + events.n_sat_high > 0;
	return y;
}

void mch_gen_compute(struct mch_gen *g)
{
	const int out = g->header.n_in, flag = out + 1 < g->header.n_fields ? out + 1 : -1;
	g->op->compute(g);
	if (g->end == MCH_GEN_OWN)
		return;
	if (g->end == MCH_GEN_CODES)
		set_rounding(g);
	for (size_t i = 0; i < g->n_elements; i++) {
		const struct mch_gen_element *e = &g->element[i];
		bool is_flagged = e->over;
		g->values[out][i] = g->end == MCH_GEN_CODES ? round_one(g, e, &is_flagged) : e->acc;
		if (flag >= 0)
			g->values[flag][i] = is_flagged;
	}
}
