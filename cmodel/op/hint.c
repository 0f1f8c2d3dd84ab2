/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Rules that differ from the contract in one point; see hint.h. */
#include "op/hint.h"

#include <stdio.h>

/* One run of the requantizer, in which one thing is not as the contract says. */
struct trial {
	struct mch_requant cfg;
	int64_t acc, bias;
	int shift;
	uint32_t noise;
	bool wraps;
};

static void floor_it(struct trial *t)
{
	t->cfg.round = MCH_ROUND_FLOOR;
}

static void half_up(struct trial *t)
{
	t->cfg.round = MCH_ROUND_HALF_UP;
}

static void half_away(struct trial *t)
{
	t->cfg.round = MCH_ROUND_HALF_AWAY;
}

static void half_even(struct trial *t)
{
	t->cfg.round = MCH_ROUND_HALF_EVEN;
}

static void wrap(struct trial *t)
{
	t->wraps = true;
}

static void clamp(struct trial *t)
{
	t->cfg.wraps = false;
}

static void no_relu(struct trial *t)
{
	t->cfg.relu = false;
}

static void add_relu(struct trial *t)
{
	t->cfg.relu = true;
}

static void as_signed(struct trial *t)
{
	t->cfg.out_signed = true;
}

static void as_unsigned(struct trial *t)
{
	t->cfg.out_signed = false;
}

static void shift_more(struct trial *t)
{
	t->shift++;
}

static void shift_less(struct trial *t)
{
	t->shift--;
}

static void shift_back(struct trial *t)
{
	t->shift = -t->shift;
}

static void shift_none(struct trial *t)
{
	t->shift = 0;
}

static void no_bias(struct trial *t)
{
	t->bias = 0;
}

static void minus_bias(struct trial *t)
{
	t->bias = -t->bias;
}

static void next_noise(struct trial *t)
{
	t->noise = mch_lfsr_next((uint16_t)t->noise);
}

static const struct rule {
	void (*change)(struct trial *t);
	const char *says;
	const char *cause;
	const char *section;
} rules[] = {
	{half_up, "ties go up", "rounding mode", "round_shift"},
	{half_away, "ties go away from zero", "rounding mode", "round_shift"},
	{half_even, "ties go to even", "rounding mode", "round_shift"},
	{floor_it, "the lost bits are dropped", "rounding mode", "round_shift"},
	{wrap, "the code wraps", "no saturation", "sat"},
	{clamp, "the code is clamped", "output that wraps", "sat"},
	{no_relu, "there is no ReLU", "ReLU", "requant"},
	{add_relu, "there is a ReLU", "ReLU", "requant"},
	{as_signed, "y is signed", "output format", "sat"},
	{as_unsigned, "y is unsigned", "output format", "sat"},
	{shift_more, "the shift is one more", "shift", "requant"},
	{shift_less, "the shift is one less", "shift", "requant"},
	{shift_none, "nothing is shifted", "shift", "requant"},
	{shift_back, "the shift goes the other way", "shift", "requant"},
	{no_bias, "there is no bias", "bias", "requant"},
	{minus_bias, "the bias is subtracted", "bias", "requant"},
	{next_noise, "the noise is one step ahead", "noise", "lfsr"},
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]), MOST_NAMED = 2 };

/* Codes are compared in their own bits: the sign in which they are read may be what is wrong. */
static bool explains(const struct trial *t, const struct mch_requant_seen *seen)
{
	const int bits = t->cfg.out_bits;
	bool saturated;
	const int64_t y = mch_requant_value(&t->cfg, t->acc, t->bias, t->shift, t->noise, &saturated);
	if (!t->wraps)
		return mch_wrap(y, bits) == mch_wrap(seen->y, bits) && saturated == seen->saturated;
	const int64_t rounded = mch_round_shift(mch_requant_sum(t->cfg.relu, t->acc, t->bias), t->shift, t->cfg.round,
						t->noise);
	return saturated && mch_wrap(rounded, bits) == mch_wrap(seen->y, bits);
}

static bool agrees(const struct mch_requant *cfg, const struct mch_requant_seen *seen)
{
	bool saturated;
	return mch_requant_value(cfg, seen->acc, seen->bias, seen->shift, seen->noise, &saturated) == seen->y &&
	       saturated == seen->saturated;
}

const char *mch_requant_hint(const struct mch_requant *cfg, const struct mch_requant_seen *seen, char *text)
{
	const struct trial as_specified = {*cfg, seen->acc, seen->bias, seen->shift, seen->noise, false};
	size_t used = 0;
	if (agrees(cfg, seen))
		return NULL;
	if (explains(&as_specified, seen)) {
		snprintf(text, MCH_HINT_BYTES,
			 "the code agrees; the bits above it do not extend it: docs/datapath.md \"sat\"");
		return text;
	}
	for (int i = 0, n_named = 0; i < N_RULES && n_named < MOST_NAMED; i++) {
		struct trial t = as_specified;
		rules[i].change(&t);
		if (t.shift < MCH_SHIFT_MIN || t.shift > MCH_SHIFT_MAX || !explains(&t, seen))
			continue;
		/* Two of these are at most 2 * 90 characters. */
		used += (size_t)snprintf(text + used, MCH_HINT_BYTES - used, "%s if %s: %s, docs/datapath.md \"%s\"",
					 n_named++ ? "; or" : "agrees", rules[i].says, rules[i].cause,
					 rules[i].section);
	}
	return used ? text : NULL;
}
