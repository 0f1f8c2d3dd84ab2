/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The rules, one small function each; see hint_rules.h. */
#include "op/hint_rules.h"

#include <stdio.h>

#define RULE(name, ...)                                                  \
	static bool name(struct mch_hint_trial *t, int form)              \
	{                                                                 \
		(void)form;                                               \
		__VA_ARGS__;                                              \
		return true;                                              \
	}
RULE(floor_it, t->requant.round = MCH_ROUND_FLOOR)
RULE(half_up, t->requant.round = MCH_ROUND_HALF_UP)
RULE(half_away, t->requant.round = MCH_ROUND_HALF_AWAY)
RULE(half_even, t->requant.round = MCH_ROUND_HALF_EVEN)
RULE(wrap, t->wraps = true)
RULE(clamp, t->requant.wraps = false)
RULE(no_flag, t->no_flag = true)
RULE(no_relu, t->requant.relu = false)
RULE(add_relu, t->requant.relu = true)
RULE(early_relu, if (!t->requant.relu) return false; t->requant.relu = false, t->early_relu = true)
RULE(early_relu_all, if (!t->requant.relu) return false; t->requant.relu = false, t->early_relu = t->early_relu_all = true)
RULE(as_signed, t->requant.out_signed = true)
RULE(as_unsigned, t->requant.out_signed = false)
RULE(shift_more, t->more_shift = 1)
RULE(shift_less, t->more_shift = -1)
RULE(shift_none, t->no_shift = true)
RULE(shift_back, t->back_shift = true)
RULE(no_bias, t->no_bias = true)
RULE(minus_bias, t->minus_bias = true)
RULE(next_noise, t->next_noise = true)
RULE(acc_wraps, t->acc.overflow = MCH_WRAP)
RULE(acc_saturates, t->acc.overflow = MCH_SATURATE)
RULE(x_signed, t->x_read = MCH_READ_SIGNED)
RULE(x_unsigned, t->x_read = MCH_READ_UNSIGNED)
RULE(w_unsigned, t->w_read = MCH_READ_UNSIGNED)
RULE(swapped, t->x_read = MCH_READ_SIGNED, t->w_read = MCH_READ_UNSIGNED)
RULE(x_halves, t->x_read = MCH_READ_HALVES)
RULE(w_halves, t->w_read = MCH_READ_HALVES)
RULE(lost_last, t->lost_last = 1)
RULE(lost_first, t->lost_first = 1)
RULE(x_late, t->x_late = 1)
RULE(w_late, t->w_late = 1)
/* Of layers. */
RULE(no_pad_left, t->conv.pad_right += t->conv.pad_left, t->conv.pad_left = 0)
RULE(no_pad_top, t->conv.pad_bottom += t->conv.pad_top, t->conv.pad_top = 0)
RULE(pad_left_more, t->conv.pad_left++, t->conv.pad_right--)
RULE(pad_left_less, t->conv.pad_left--, t->conv.pad_right++)
RULE(pad_top_more, t->conv.pad_top++, t->conv.pad_bottom--)
RULE(pad_top_less, t->conv.pad_top--, t->conv.pad_bottom++)
RULE(pad_edge, t->pad = MCH_PAD_EDGE)
RULE(pad_memory, t->pad = MCH_PAD_MEMORY)
RULE(transposed, t->transposed = true)
RULE(turned, t->turned = true)
RULE(channels_reversed, t->channels_reversed = true)
RULE(block_params, t->block_params = true)
RULE(goes_on, t->goes_on = true)

static bool narrow(struct mch_hint_trial *t, int form)
{
	t->acc.bits -= 1 + form;
	return t->acc.bits >= 2;
}

static int bits_shown(const struct mch_hint_trial *t)
{
	return t->acc.bits;
}

/* In the width of the accumulator, or of its sum with the bias. */
static bool no_sign(struct mch_hint_trial *t, int form)
{
	t->unsigned_bits = t->acc.bits + 1 - form;
	return t->acc.bits >= 2;
}

/* +1, -1, +2, -2 */
static int step(int form)
{
	return (form / 2 + 1) * (form % 2 ? -1 : 1);
}

static bool other_weights(struct mch_hint_trial *t, int form)
{
	t->weights_of = step(form);
	return true;
}

static bool other_params(struct mch_hint_trial *t, int form)
{
	t->params_of = step(form);
	return true;
}

static bool other_column(struct mch_hint_trial *t, int form)
{
	t->weights_of = t->params_of = step(form);
	return true;
}

static int weights_shown(const struct mch_hint_trial *t)
{
	return t->weights_of;
}

static int params_shown(const struct mch_hint_trial *t)
{
	return t->params_of;
}

/* More likely ones first: two are named. */
const struct mch_hint_rule mch_hint_rules[] = {
	{half_up, 1, NULL, "ties go up", "rounding mode", "round_shift"},
	{half_away, 1, NULL, "ties go away from zero", "rounding mode", "round_shift"},
	{half_even, 1, NULL, "ties go to even", "rounding mode", "round_shift"},
	{floor_it, 1, NULL, "the lost bits are dropped", "rounding mode", "round_shift"},
	{wrap, 1, NULL, "the code wraps", "no saturation", "sat"},
	{clamp, 1, NULL, "the code is clamped", "output that wraps", "sat"},
	{no_flag, 1, NULL, "the flag is never raised", "flag", "sat"},
	{no_relu, 1, NULL, "there is no ReLU", "ReLU", "requant"},
	{add_relu, 1, NULL, "there is a ReLU", "ReLU", "requant"},
	{early_relu, 1, NULL, "the ReLU comes before the bias", "ReLU", "requant"},
	{early_relu_all, 1, NULL, "the ReLU looks at the sum before the bias", "ReLU", "requant"},
	{as_signed, 1, NULL, "y is signed", "output format", "sat"},
	{as_unsigned, 1, NULL, "y is unsigned", "output format", "sat"},
	{shift_more, 1, NULL, "the shift is one more", "shift", "requant"},
	{shift_less, 1, NULL, "the shift is one less", "shift", "requant"},
	{shift_none, 1, NULL, "nothing is shifted", "shift", "requant"},
	{shift_back, 1, NULL, "the shift goes the other way", "shift", "requant"},
	{no_sign, 2, NULL, "zeros are shifted in, not the sign", "unsigned shift", "round_shift"},
	{no_bias, 1, NULL, "there is no bias", "bias", "requant"},
	{minus_bias, 1, NULL, "the bias is subtracted", "bias", "requant"},
	{next_noise, 1, NULL, "the noise is one step ahead", "noise", "lfsr"},
	{acc_wraps, 1, NULL, "the accumulator wraps", "accumulator", "mac"},
	{acc_saturates, 1, NULL, "the accumulator saturates", "accumulator", "mac"},
	{narrow, 46, bits_shown, "the accumulator has %d bits", "accumulator", "mac"},
	{x_signed, 1, NULL, "x is signed", "sign of an operand", "mac"},
	{x_unsigned, 1, NULL, "x is unsigned", "sign of an operand", "mac"},
	{w_unsigned, 1, NULL, "w is unsigned", "sign of an operand", "mac"},
	{swapped, 1, NULL, "x is signed and w is not", "swapped operands", "mac"},
	{x_halves, 1, NULL, "the halves of x are swapped", "order of bytes", "mac"},
	{w_halves, 1, NULL, "the halves of w are swapped", "order of bytes", "mac"},
	{lost_last, 1, NULL, "the last term is lost", "end of a sum", "mac_array"},
	{lost_first, 1, NULL, "the first term is lost", "start of a sum", "mac_array"},
	{x_late, 1, NULL, "x is that of the term before", "stale operand", "mac_array"},
	{w_late, 1, NULL, "w is that of the term before", "stale operand", "mac_array"},
	/* Of layers. */
	{pad_left_more, 1, NULL, "the map is one column further right", "padding", "conv"},
	{pad_left_less, 1, NULL, "the map is one column further left", "padding", "conv"},
	{pad_top_more, 1, NULL, "the map is one row further down", "padding", "conv"},
	{pad_top_less, 1, NULL, "the map is one row further up", "padding", "conv"},
	{no_pad_left, 1, NULL, "there is no padding on the left", "padding", "conv"},
	{no_pad_top, 1, NULL, "there is no padding on top", "padding", "conv"},
	{pad_edge, 1, NULL, "the padding repeats the edge", "padding", "conv"},
	{pad_memory, 1, NULL, "the padding is read from memory", "padding", "conv"},
	{transposed, 1, NULL, "rows of the kernel are its columns", "order of weights", "conv"},
	{turned, 1, NULL, "the kernel is turned by 180 degrees", "order of weights", "conv"},
	{channels_reversed, 1, NULL, "the channels of a word come last first", "order of elements", "conv"},
	{other_column, 4, params_shown, "a column gives the output %+d columns on", "column", "Tiles"},
	{other_weights, 4, weights_shown, "a column has the weights %+d columns on", "column of weights", "Tiles"},
	{other_params, 4, params_shown, "a column has the bias and shift %+d columns on", "column of parameters", "Tiles"},
	{block_params, 1, NULL, "every column has the bias and shift of the first", "column of parameters", "Tiles"},
	{goes_on, 1, NULL, "a sum starts from the one before it", "stale accumulator", "mac_array"},
};
enum { N_LAYER_RULES = 16 };
const int mch_hint_n_rules = sizeof(mch_hint_rules) / sizeof(mch_hint_rules[0]);
const int mch_hint_n_plain = sizeof(mch_hint_rules) / sizeof(mch_hint_rules[0]) - N_LAYER_RULES;

struct mch_hint_trial mch_hint_contract(const struct mch_hint_unit *unit)
{
	static const struct mch_requant none = {.out_bits = 16, .out_signed = true};
	struct mch_hint_trial t = {.requant = unit->requant ? *unit->requant : none, .acc = unit->acc};
	return t;
}

/* Two are at most 2 * 125 characters. */
const char *mch_hint_search(const struct mch_hint_trial *contract, int n_rules,
			    bool (*explains)(const void *context, const struct mch_hint_trial *t), const void *context,
			    char *text)
{
	enum { MOST_NAMED = 2, SAYS_BYTES = 64 };
	size_t used = 0;
	int n_named = 0;
	for (int i = 0; i < n_rules && n_named < MOST_NAMED; i++) {
		const struct mch_hint_rule *const rule = &mch_hint_rules[i];
		for (int form = 0; form < rule->n_forms && n_named < MOST_NAMED; form++) {
			struct mch_hint_trial t = *contract;
			char says[SAYS_BYTES];
			if (!rule->change(&t, form) || !explains(context, &t))
				continue;
			/* A rule's own format: it has one %d when `shown` is there. */
			if (rule->shown)
				snprintf(says, sizeof(says), rule->says, rule->shown(&t));
			else
				snprintf(says, sizeof(says), "%s", rule->says);
			used += (size_t)snprintf(text + used, MCH_HINT_BYTES - used, "%s if %s: %s, docs/datapath.md \"%s\"",
						 n_named++ ? "; or" : "agrees", says, rule->cause, rule->section);
			break; /* forms of one rule are alike: the first is the nearest */
		}
	}
	return n_named ? text : NULL;
}
