/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What is asked of formats; see policy.h. */
#include "quant/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/require.h"

enum { MINIFLOAT_BITS_MIN = 3, POW2_BITS_MIN = 2 };

struct mch_format_policy mch_format_policy_usual(void)
{
	const struct mch_format_policy_part part = {.number = MCH_FIXED, .rule = MCH_FRACTION_USUAL,
						    .percentile = MCH_FRACTION_PERCENTILE_USUAL};
	return (struct mch_format_policy){.activations = part, .weights = part, .has_unsigned = true,
					  .weight_round = MCH_ROUND_HALF_EVEN};
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

struct mch_format mch_format_policy_shape(const struct mch_format_policy_part *part, int bits, bool is_signed)
{
	switch (part->number) {
	case MCH_FIXED:
		return (struct mch_format){.bits = bits, .is_signed = is_signed};
	case MCH_POW2:
	case MCH_POW2_NO_ZERO:
		return (struct mch_format){.bits = clamp(bits, POW2_BITS_MIN, MCH_POW2_BITS_MAX), .is_signed = true,
					   .number = part->number};
	default:
		break;
	}
	/* Three bits have a sign, an exponent and one more: every kind of minifloat then has codes beside 0. */
	bits = clamp(bits, MINIFLOAT_BITS_MIN, MCH_OPERAND_BITS_MAX);
	return (struct mch_format){.bits = bits, .is_signed = is_signed, .number = part->number,
				   .exp_bits = clamp(part->exp_bits, 1, clamp(bits - is_signed, 1, MCH_EXP_BITS_MAX))};
}

int mch_format_policy_width(const struct mch_format_policy_part *part, int bits)
{
	return mch_format_policy_shape(part, bits, true).bits;
}

static const char *const numbers[MCH_N_NUMBERS] = {
	[MCH_FIXED] = "fixed",           [MCH_MINIFLOAT] = "minifloat",
	[MCH_MINIFLOAT_IEEE] = "ieee",   [MCH_MINIFLOAT_FN] = "fn",
	[MCH_MINIFLOAT_FLUSH] = "flush", [MCH_POW2] = "pow2",
	[MCH_POW2_NO_ZERO] = "pow2-no-zero",
};

const char *mch_number_name(enum mch_number number)
{
	return numbers[number];
}

int mch_number_parse(const char *name, enum mch_number *number)
{
	for (int i = 0; i < MCH_N_NUMBERS; i++) {
		if (strcmp(name, numbers[i]) == 0) {
			*number = (enum mch_number)i;
			return 0;
		}
	}
	return -1;
}

static int put_part(char *buf, size_t room, const char *name, const struct mch_format_policy_part *part)
{
	int n = snprintf(buf, room, "%s %s", name, numbers[part->number]);
	if (mch_number_is_minifloat(part->number) && part->exp_bits > 0)
		n += snprintf(buf + n, room - (size_t)n, " e%d", part->exp_bits);
	else if (mch_number_is_minifloat(part->number))
		n += snprintf(buf + n, room - (size_t)n, part->exp_bits == MCH_EXP_BITS_RANGE ? " e-range" : " e-auto");
	n += snprintf(buf + n, room - (size_t)n, " %s", mch_fraction_name(part->rule));
	if (part->rule == MCH_FRACTION_PERCENTILE)
		n += snprintf(buf + n, room - (size_t)n, " %.9g", part->percentile);
	return n;
}

const char *mch_format_policy_text(const struct mch_format_policy *policy, char *buf)
{
	const size_t room = MCH_FORMAT_POLICY_TEXT;
	int n = put_part(buf, room, "activations", &policy->activations);
	n += put_part(buf + n, room - (size_t)n, ", weights", &policy->weights);
	n += snprintf(buf + n, room - (size_t)n, " %s%s%s%s", mch_round_name(policy->weight_round),
		      policy->per_channel ? ", per channel" : "", policy->is_static ? ", static" : "",
		      policy->has_unsigned ? "" : ", signed");
	if (policy->acc.bits)
		n += snprintf(buf + n, room - (size_t)n, ", accumulator %d %s", policy->acc.bits,
			      policy->acc.overflow == MCH_SATURATE ? "saturate" : "wrap");
	MCH_REQUIRE(n < MCH_FORMAT_POLICY_TEXT, "the text has room");
	return buf;
}
