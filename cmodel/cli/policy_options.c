/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Options of calibration; see policy_options.h. */
#include "cli/policy_options.h"

#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"

enum {
	OPT_CALIBRATION = 512,
	OPT_WEIGHT_CALIBRATION,
	OPT_PER_CHANNEL,
	OPT_STATIC,
	OPT_SIGNED,
	OPT_WEIGHT_ROUNDING,
	OPT_NUMBERS,
	OPT_ACTIVATION_NUMBERS,
	OPT_WEIGHT_NUMBERS,
};

/* "mse", "percentile:99.9". */
static void parse_rule(const char *option, const char *text, struct mch_format_policy_part *part)
{
	char name[16];
	const char *colon = strchr(text, ':');
	snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text);
	if (mch_fraction_parse(name, &part->rule) != 0 || (colon && part->rule != MCH_FRACTION_PERCENTILE))
		mch_cmd_fail(option, "\"%.60s\" is no rule; give max, mse, percentile, percentile:99.9, kl, il or il-1", text);
	if (colon)
		part->percentile = mch_cmd_real(option, colon + 1, 50, 100);
}

/* "minifloat", "fn:4", "ieee:range". */
static void parse_number(const char *option, const char *text, struct mch_format_policy_part *part)
{
	char name[16];
	const char *colon = strchr(text, ':');
	snprintf(name, sizeof(name), "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text);
	if (mch_number_parse(name, &part->number) != 0 || (colon && !mch_number_is_minifloat(part->number)))
		mch_cmd_fail(option, "\"%.60s\" is no kind of number; give fixed, minifloat, ieee, fn or flush, the last four also as "
			     "fn:4 or fn:range, or for weights pow2 or pow2-no-zero", text);
	part->exp_bits = MCH_EXP_BITS_AUTO;
	if (colon && strcmp(colon, ":range") == 0)
		part->exp_bits = MCH_EXP_BITS_RANGE;
	else if (colon && strcmp(colon, ":auto") != 0)
		part->exp_bits = (int)mch_cmd_integer(option, colon + 1, 1, MCH_EXP_BITS_MAX);
}

static void parse_tensor_number(const char *option, const char *text, struct mch_format_policy_part *part)
{
	parse_number(option, text, part);
	if (part->number == MCH_POW2 || part->number == MCH_POW2_NO_ZERO)
		mch_cmd_fail(option, "powers of two are for weights; give them with --weight-numbers");
}

/* The kinds of number; the others are parse_option's. */
static error_t parse_kind(int key, const char *text, struct mch_format_policy *policy)
{
	switch (key) {
	case OPT_NUMBERS:
		parse_tensor_number("--numbers", text, &policy->activations);
		parse_number("--numbers", text, &policy->weights);
		return 0;
	case OPT_ACTIVATION_NUMBERS:
		parse_tensor_number("--activation-numbers", text, &policy->activations);
		return 0;
	case OPT_WEIGHT_NUMBERS:
		parse_number("--weight-numbers", text, &policy->weights);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_format_policy *policy = state->input;
	switch (key) {
	case 'f':
		parse_rule("--fraction", text, &policy->activations);
		parse_rule("--fraction", text, &policy->weights);
		return 0;
	case OPT_CALIBRATION:
		parse_rule("--calibration", text, &policy->activations);
		return 0;
	case OPT_WEIGHT_CALIBRATION:
		parse_rule("--weight-calibration", text, &policy->weights);
		return 0;
	case OPT_PER_CHANNEL:
		policy->per_channel = true;
		return 0;
	case OPT_STATIC:
		policy->is_static = true;
		return 0;
	case OPT_SIGNED:
		policy->has_unsigned = false;
		return 0;
	case OPT_WEIGHT_ROUNDING:
		if (mch_round_parse(text, &policy->weight_round) != 0)
			mch_cmd_fail("--weight-rounding", "\"%.60s\" is no rounding mode; give floor, half_up, half_away, "
				     "half_even or stochastic", text);
		return 0;
	case ARGP_KEY_END:
		if (policy->is_static && policy->per_channel)
			mch_cmd_fail("--static", "has one fraction for the whole network; leave --per-channel out");
		return 0;
	default:
		return parse_kind(key, text, policy);
	}
}

static const struct argp_option options[] = {
	{"calibration", OPT_CALIBRATION, "RULE", 0, "How the ranges of tensors give fractions. max: nothing saturates; "
	 "percentile[:P]: P percent of the values do not (default 99.99); mse: least squared error; kl: least information "
	 "lost; il, il-1: Ristretto's integer lengths of weights and of activations (default " MCH_FRACTION_USUAL_TEXT ")", 3},
	{"weight-calibration", OPT_WEIGHT_CALIBRATION, "RULE", 0, "The same of weights", 3},
	{"fraction", 'f', "RULE", 0, "The same of both", 3},
	{"per-channel", OPT_PER_CHANNEL, NULL, 0, "A fraction for the weights of each output channel", 3},
	{"static", OPT_STATIC, NULL, 0, "One fraction for the whole network, for comparison", 3},
	{"signed", OPT_SIGNED, NULL, 0, "No unsigned formats", 3},
	{"numbers", OPT_NUMBERS, "KIND", 0, "What codes stand for. fixed: fixed point; minifloat, all codes numbers; ieee, with the last "
	 "exponent kept; fn, with the last code kept; flush, without subnormals. KIND:E has E exponent bits, 1 to 5; KIND:range as "
	 "many as the largest value asks for; else those of the least squared error (default fixed)", 3},
	{"activation-numbers", OPT_ACTIVATION_NUMBERS, "KIND", 0, "The same of tensors alone", 3},
	{"weight-numbers", OPT_WEIGHT_NUMBERS, "KIND", 0, "The same of weights alone, or pow2, powers of two and zero, or pow2-no-zero", 3},
	{"weight-rounding", OPT_WEIGHT_ROUNDING, "HOW", 0, "Of weights: floor, half_up, half_away, half_even or "
	 "stochastic (default half_even)", 3},
	{0},
};

const struct argp mch_policy_argp = {options, parse_option, NULL, NULL, NULL, NULL, NULL};
