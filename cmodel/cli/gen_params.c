/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Options of an operator; see gen_params.h. */
#include "cli/gen_params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"

enum { KEY_FIRST = 256, SIDE_MAX = 4096 };
#define KEY(bit) (KEY_FIRST + __builtin_ctz(bit))

static const struct argp_option options[] = {
	{"in", KEY(MCH_GEN_IN), "FORMAT", 0, "Of the input, or of each: s8.4 or s8.4,u8.5 (default s8.4)", 1},
	{"weights", KEY(MCH_GEN_WEIGHTS), "FORMAT", 0, "Of the weights (default s8.7)", 1},
	{"out", KEY(MCH_GEN_OUT), "FORMAT", 0, "Of the output; without it dot products end in accumulators", 1},
	{"round", KEY(MCH_GEN_ROUND), "MODE", 0,
	 "floor, half_up, half_away, half_even or stochastic (default half_even)", 1},
	{"acc-bits", KEY(MCH_GEN_ACC), "N", 0, "Accumulator: 24, 24:wrap or 24:saturate (default: none overflows)", 1},
	{"shift", KEY(MCH_GEN_SHIFT), "N", 0, "Shift of every case, or LOW:HIGH", 1},
	{"relu", KEY(MCH_GEN_RELU), NULL, 0, "A ReLU before the rounding", 1},
	{"clip", KEY(MCH_GEN_CLIP), "LOW:HIGH", 0, "Bounds behind the rounding, as codes of the output", 1},
	{"wrap", KEY(MCH_GEN_WRAP), NULL, 0, "Outputs wrap instead of saturating", 1},
	{"no-bias", KEY(MCH_GEN_NO_BIAS), NULL, 0, "No column of biases", 1},
	{"no-flags", KEY(MCH_GEN_NO_FLAGS), NULL, 0, "No column that tells overflows", 1},
	{"shape", KEY(MCH_GEN_SHAPE), "CxHxW", 0, "Of the input (default 4x6x6), or of each: 2x4x4,3x4x4", 2},
	{"terms", KEY(MCH_GEN_TERMS), "N", 0, "Products of a sum (default 16)", 2},
	{"array", KEY(MCH_GEN_ARRAY), "RxC", 0, "Rows and columns of the MAC array (default 4x4)", 2},
	{"outputs", KEY(MCH_GEN_OUTPUTS), "N", 0, "Output channels (default 4)", 2},
	{"kernel", KEY(MCH_GEN_KERNEL), "RxS", 0, "Of a convolution (default 3x3) or a window (default 2x2)", 2},
	{"stride", KEY(MCH_GEN_STRIDE), "N", 0, "Or RxS (default 1)", 2},
	{"pad", KEY(MCH_GEN_PAD), "N", 0, "Or TOP,LEFT,BOTTOM,RIGHT (default 0)", 2},
	{"dilation", KEY(MCH_GEN_DILATION), "N", 0, "Or RxS (default 1)", 2},
	{"groups", KEY(MCH_GEN_GROUPS), "N", 0, "Of a convolution (default 1)", 2},
	{"ceil", KEY(MCH_GEN_CEIL), NULL, 0, "Windows may stand out over the end, as in Caffe", 2},
	{"count-pad", KEY(MCH_GEN_COUNT_PAD), NULL, 0, "Padding counts in a mean", 2},
	{"order", KEY(MCH_GEN_ORDER), "AXES", 0, "Axes of the input in the order of the output's (default hwc)", 2},
	{"scale", KEY(MCH_GEN_SCALE), "N", 0, "Repeats of a row and column (default 2)", 2},
	{"seed", KEY(MCH_GEN_SEED), "N", 0, "Other cases (default 1)", 3},
	{"cases", KEY(MCH_GEN_N_CASES), "N", 0, "Number of cases", 3},
	{"case", KEY(MCH_GEN_CASE), "N", 0, "This case alone, counted from 0", 3},
	{"level", KEY(MCH_GEN_LEVEL), "1|2", 0,
	 "2: first all combinations of codes, or corners of wide columns (default 1)", 3},
	{0},
};

struct mch_gen_params mch_gen_usual(void)
{
	const struct mch_format x = {8, 4, true, MCH_FIXED, 0}, w = {8, 7, true, MCH_FIXED, 0};
	return (struct mch_gen_params){.n_in = 1,
				       .n_shapes = 1,
				       .in = {x, x, x, x},
				       .weights = w,
				       .shape = {{1, 4, 6, 6}, {1, 4, 6, 6}, {1, 4, 6, 6}, {1, 4, 6, 6}},
				       .round = MCH_ROUND_HALF_EVEN,
				       .terms = 16,
				       .rows = 4,
				       .cols = 4,
				       .outputs = 4,
				       .groups = 1,
				       .scale = 2,
				       .kernel = {3, 3},
				       .stride = {1, 1},
				       .dilation = {1, 1},
				       .order = {1, 2, 0},
				       .seed = 1,
				       .n_cases = MCH_GEN_CASES,
				       .level = 1};
}

const char *mch_gen_option(unsigned bit)
{
	static char name[32];
	const struct argp_option *o = options;
	while (o->name && o->key != KEY(bit))
		o++;
	snprintf(name, sizeof(name), "--%s", o->name);
	return name;
}

/* Numbers set apart by `apart`: how many, or 0 when the text is something else, or more than `most`. */
static int numbers(const char *text, char apart, int low, int high, int most, int *into)
{
	for (int n = 0; n < most; text++) {
		char *end;
		const long value = strtol(text, &end, 10);
		if (end == text || value < low || value > high)
			return 0;
		into[n++] = (int)value;
		text = end;
		if (*text == '\0')
			return n;
		if (*text != apart)
			return 0;
	}
	return 0;
}

/* One number for both, or two. */
static void take_pair(const char *option, const char *text, int into[2])
{
	const int n = numbers(text, 'x', 1, SIDE_MAX, 2, into);
	if (n == 0)
		mch_cmd_fail(option, "\"%.60s\" is no size; give one as 3 or 3x5, rows first", text);
	if (n == 1)
		into[1] = into[0];
}

static void take_pad(const char *option, const char *text, int into[4])
{
	const int n = numbers(text, ',', 0, SIDE_MAX, 4, into);
	if (n != 1 && n != 4)
		mch_cmd_fail(option, "\"%.60s\" is no padding; give one as 1 or 1,1,2,2 (top, left, bottom, right)", text);
	for (int i = n; i < 4; i++)
		into[i] = into[0];
}

static void take_range(const char *option, const char *text, int low, int high, int *from, int *to)
{
	int into[2];
	const int n = numbers(text, ':', low, high, 2, into);
	if (n == 0 || (n == 2 && into[0] > into[1]))
		mch_cmd_fail(option, "\"%.60s\" is no range within %d:%d; give it as LOW:HIGH", text, low, high);
	*from = into[0];
	*to = into[n - 1];
}

static struct mch_format one_format(const char *option, const char *text)
{
	struct mch_format f = {0};
	if (mch_format_parse(text, &f) < 0)
		mch_cmd_fail(option, "\"%.60s\" is no format; give one as s8.4 (sign, bits, fraction bits), e4m3fn.9 or p4.7",
			     text);
	return f;
}

/* The next part of a list, in a buffer; NULL behind the last. */
static const char *next_part(const char *option, const char **list, int n_so_far)
{
	static char part[64];
	if (!*list)
		return NULL;
	const size_t n = strcspn(*list, ",");
	if (n >= sizeof(part) || n_so_far == MCH_GEN_INPUTS_MAX)
		mch_cmd_fail(option, "\"%.60s\" is more than %d inputs; give fewer", *list, MCH_GEN_INPUTS_MAX);
	memcpy(part, *list, n);
	part[n] = '\0';
	*list = (*list)[n] ? *list + n + 1 : NULL;
	return part;
}

static void take_formats(struct mch_gen_params *p, const char *option, const char *text)
{
	p->n_in = 0;
	for (const char *part; (part = next_part(option, &text, p->n_in));)
		p->in[p->n_in++] = one_format(option, part);
	for (int i = p->n_in; i < MCH_GEN_INPUTS_MAX; i++)
		p->in[i] = p->in[0];
}

static void take_shapes(struct mch_gen_params *p, const char *option, const char *text)
{
	p->n_shapes = 0;
	for (const char *part; (part = next_part(option, &text, p->n_shapes));) {
		int s[3] = {1, 1, 1};
		const int n = numbers(part, 'x', 1, SIDE_MAX, 3, s);
		if (n != 1 && n != 3)
			mch_cmd_fail(option, "\"%.60s\" is no shape; give one as 3x8x8 (channels, rows, columns) or 16", part);
		p->shape[p->n_shapes++] = (struct mch_shape){1, s[0], s[1], s[2]};
	}
	for (int i = p->n_shapes; i < MCH_GEN_INPUTS_MAX; i++)
		p->shape[i] = p->shape[0];
}

static void take_order(const char *option, const char *text, int into[3])
{
	static const char axes[] = "chw";
	unsigned seen = 0;
	for (int i = 0; i < 3 && strlen(text) == 3; i++) {
		const char *at = strchr(axes, text[i]);
		into[i] = at ? (int)(at - axes) : 3;
		seen |= 1u << into[i];
	}
	if (seen != 7)
		mch_cmd_fail(option, "\"%.60s\" is no order of the axes c, h and w; give one as hwc", text);
}

static uint64_t take_count(const char *option, const char *text, long low)
{
	return (uint64_t)mch_cmd_integer(option, text, low, 1000000000000L);
}

static void take_arithmetic(struct mch_gen_params *p, const char *option, unsigned bit, const char *text)
{
	int low, high;
	switch (bit) {
	case MCH_GEN_IN:
		take_formats(p, option, text);
		break;
	case MCH_GEN_WEIGHTS:
		p->weights = one_format(option, text);
		break;
	case MCH_GEN_OUT:
		p->out = one_format(option, text);
		break;
	case MCH_GEN_ROUND:
		if (mch_round_parse(text, &p->round) < 0)
			mch_cmd_fail(option, "\"%.60s\" is no rounding mode; give floor, half_up, half_away, half_even or "
				     "stochastic", text);
		break;
	case MCH_GEN_ACC:
		p->acc = mch_cmd_acc(option, text);
		break;
	case MCH_GEN_SHIFT:
		take_range(option, text, MCH_SHIFT_MIN, MCH_SHIFT_MAX, &p->shift_low, &p->shift_high);
		break;
	case MCH_GEN_CLIP:
		take_range(option, text, -32768, 65535, &low, &high);
		p->clip_low = low, p->clip_high = high;
		break;
	default:
		break;
	}
}

static void take_geometry(struct mch_gen_params *p, const char *option, unsigned bit, const char *text)
{
	int pair[2];
	switch (bit) {
	case MCH_GEN_SHAPE:
		take_shapes(p, option, text);
		break;
	case MCH_GEN_TERMS:
		p->terms = (int)mch_cmd_integer(option, text, 1, 65536);
		break;
	case MCH_GEN_ARRAY:
		take_pair(option, text, pair);
		p->rows = pair[0], p->cols = pair[1];
		break;
	case MCH_GEN_OUTPUTS:
		p->outputs = (int)mch_cmd_integer(option, text, 1, SIDE_MAX);
		break;
	case MCH_GEN_KERNEL:
		take_pair(option, text, p->kernel);
		break;
	case MCH_GEN_STRIDE:
		take_pair(option, text, p->stride);
		break;
	case MCH_GEN_PAD:
		take_pad(option, text, p->pad);
		break;
	case MCH_GEN_DILATION:
		take_pair(option, text, p->dilation);
		break;
	case MCH_GEN_GROUPS:
		p->groups = (int)mch_cmd_integer(option, text, 1, SIDE_MAX);
		break;
	case MCH_GEN_ORDER:
		take_order(option, text, p->order);
		break;
	case MCH_GEN_SCALE:
		p->scale = (int)mch_cmd_integer(option, text, 1, 64);
		break;
	default:
		break;
	}
}

static void take_run(struct mch_gen_params *p, const char *option, unsigned bit, const char *text)
{
	if (bit == MCH_GEN_SEED)
		p->seed = take_count(option, text, 0);
	if (bit == MCH_GEN_N_CASES)
		p->n_cases = take_count(option, text, 1);
	if (bit == MCH_GEN_CASE)
		p->first = take_count(option, text, 0), p->n_cases = 1;
	if (bit == MCH_GEN_LEVEL)
		p->level = (int)mch_cmd_integer(option, text, 1, 2);
	if ((p->given & MCH_GEN_N_CASES) && (p->given & MCH_GEN_CASE))
		mch_cmd_fail("--case", "is one case, --cases is another number; give one of the two");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_gen_params *p = state->input;
	if (key < KEY_FIRST || key > KEY(MCH_GEN_LEVEL))
		return ARGP_ERR_UNKNOWN;
	const unsigned bit = 1u << (key - KEY_FIRST);
	const char *option = mch_gen_option(bit);
	if (p->given & bit)
		mch_cmd_fail(option, "is given twice; give it once");
	p->given |= bit;
	take_arithmetic(p, option, bit, text);
	take_geometry(p, option, bit, text);
	take_run(p, option, bit, text);
	if (bit & MCH_GEN_PARAMS) {
		const size_t used = strlen(p->text), room = sizeof(p->text) - used;
		const int n = snprintf(p->text + used, room, " %s%s%s", option, text ? "=" : "", text ? text : "");
		if ((size_t)n >= room)
			mch_cmd_fail(option, "the options are longer than a vector file's header has room for; leave some out");
	}
	return 0;
}

const struct argp mch_gen_argp = {options, parse_option, NULL, NULL, NULL, NULL, NULL};
