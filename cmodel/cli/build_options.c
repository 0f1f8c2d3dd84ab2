/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Options of a build of the accelerator; see build_options.h. */
#include "cli/build_options.h"

#include <stdlib.h>
#include <string.h>

#include "arch/program_refine.h"
#include "arch/top.h"
#include "cli/cmd.h"

enum { OPT_MEM_BITS = 0x3100, OPT_X_WORDS, OPT_W_WORDS, OPT_X_BITS,
       OPT_W_BITS, OPT_OUT_BITS, OPT_ACC_BITS, OPT_MULT, OPT_PACK, OPT_REFINE };

struct mch_build_options mch_build_options_usual(void)
{
	return (struct mch_build_options){.mem_bits = 128, .x_words = 4096, .w_words = 4096, .mult = -1};
}

static int power(const char *option, const char *text, long low, long high)
{
	const long value = mch_cmd_integer(option, text, low, high);
	if (value & (value - 1))
		mch_cmd_fail(option, "%ld is no power of two; give one from %ld to %ld", value, low, high);
	return (int)value;
}

static int mult_of(const char *text)
{
	if (strcmp(text, "integer") == 0)
		return MCH_MULT_INTEGER;
	if (strcmp(text, "shift") == 0)
		return MCH_MULT_SHIFT;
	if (strcmp(text, "minifloat") != 0)
		mch_cmd_fail("--mult", "\"%.60s\" is no multiplier; give integer, shift or minifloat", text);
	return MCH_MULT_MINIFLOAT;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct mch_build_options *o = state->input;
	switch (key) {
	case OPT_MEM_BITS:
		o->mem_bits = power("--mem-bits", text, 64, 512);
		break;
	case OPT_X_WORDS:
		o->x_words = (uint32_t)power("--x-words", text, 2, 32768);
		break;
	case OPT_W_WORDS:
		o->w_words = (uint32_t)power("--w-words", text, 2, 32768);
		break;
	case OPT_X_BITS:
		o->x_bits = (int)mch_cmd_integer("--x-bits", text, 1, 16);
		break;
	case OPT_W_BITS:
		o->w_bits = (int)mch_cmd_integer("--w-bits", text, 1, 16);
		break;
	case OPT_OUT_BITS:
		o->out_bits = (int)mch_cmd_integer("--out-bits", text, 1, 16);
		break;
	case OPT_ACC_BITS:
		o->acc_bits = (int)mch_cmd_integer("--acc-bits", text, 2, 48);
		break;
	case OPT_REFINE:
		o->refine = true;
		break;
	case OPT_PACK:
		o->pack = true;
		break;
	case OPT_MULT:
		o->mult = mult_of(text);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	o->is_given = true;
	return 0;
}

static const struct argp_option table[] = {
	{"mem-bits", OPT_MEM_BITS, "N", 0, "Accelerator: bits of a beat of memory, 64 to 512 (default 128)", 21},
	{"x-words", OPT_X_WORDS, "N", 0, "Accelerator: words of a half of the feature buffer (default 4096)", 21},
	{"w-words", OPT_W_WORDS, "N", 0, "Accelerator: words of the ring of weights (default 4096)", 21},
	{"x-bits", OPT_X_BITS, "N", 0, "Accelerator: width of activations (default: what the network needs)", 21},
	{"w-bits", OPT_W_BITS, "N", 0, "Accelerator: width of weights (default: what the network needs)", 21},
	{"out-bits", OPT_OUT_BITS, "N", 0, "Accelerator: width of results (default: what the network needs)", 21},
	{"acc-bits", OPT_ACC_BITS, "N", 0, "Accelerator: width of accumulators (default: what the network needs)", 21},
	{"mult", OPT_MULT, "KIND", 0,
	 "Accelerator: multipliers, integer, shift or minifloat (default: shift when all weights are powers of two, minifloat "
	 "when weights and tensors are minifloats)", 21},
	{"pack", OPT_PACK, NULL, 0, "Accelerator: two columns of integers in one multiplier", 21},
	{"refine", OPT_REFINE, NULL, 0, "Program: choose strips by the cycle model, not by an estimate", 21},
	{0},
};
const struct argp mch_build_argp = {table, parse, NULL, NULL, NULL, NULL, NULL};

static enum mch_mult mult_of_step(const struct mch_step *step)
{
	const enum mch_number w = step->weight_format.number;
	if (w == MCH_POW2 || w == MCH_POW2_NO_ZERO)
		return MCH_MULT_SHIFT;
	return mch_number_is_minifloat(w) && mch_number_is_minifloat(step->in_format.number) ? MCH_MULT_MINIFLOAT
											     : MCH_MULT_INTEGER;
}

/* What all layers with weights have in common; integers where they differ. */
static enum mch_mult common_mult(const struct mch_qnet *q)
{
	const struct mch_step *first = NULL;
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		if (step->form != MCH_FORM_MAC)
			continue;
		first = first ? first : step;
		if (mult_of_step(step) != mult_of_step(first))
			return MCH_MULT_INTEGER;
	}
	return first ? mult_of_step(first) : MCH_MULT_INTEGER;
}

int mch_build_config(const struct mch_build_options *options, int rows, int cols, const struct mch_qnet *q,
		     struct mch_accel_config *cfg, struct mch_err *err)
{
	struct mch_top top;
	*cfg = (struct mch_accel_config){.rows = rows,
					 .cols = cols,
					 .mem_bits = options->mem_bits,
					 .x_words = options->x_words,
					 .w_words = options->w_words,
					 .pack = options->pack};
	cfg->mult = options->mult >= 0 ? (enum mch_mult)options->mult : common_mult(q);
	if (cfg->mult == MCH_MULT_MINIFLOAT && common_mult(q) != MCH_MULT_MINIFLOAT)
		return mch_err_set(err, q->net->name ? q->net->name : "network",
				   "not all of its weights and tensors are minifloats, which these multipliers take; give "
				   "--mult=integer, or quantize with --numbers");
	mch_program_widths(q, cfg);
	cfg->x_bits = options->x_bits ? options->x_bits : cfg->x_bits;
	cfg->w_bits = options->w_bits ? options->w_bits : cfg->w_bits;
	cfg->out_bits = options->out_bits ? options->out_bits : cfg->out_bits;
	cfg->acc_bits = options->acc_bits ? options->acc_bits : cfg->acc_bits;
	if (mch_top_init(&top, cfg, false, err) != 0)
		return -1;
	mch_top_free(&top);
	return mch_program_check(q, cfg, err);
}

const char *mch_build_mult_name(const struct mch_accel_config *cfg)
{
	return cfg->mult == MCH_MULT_SHIFT       ? "shifters"
	       : cfg->mult == MCH_MULT_MINIFLOAT ? "multipliers of minifloats"
						 : "multipliers";
}

int mch_build_refine(const struct mch_qnet *q, const struct mch_accel_config *cfg, bool keep, int **tiles,
		     uint64_t *before, uint64_t *after, struct mch_err *err)
{
	const struct mch_program_options options = {.allow_host = true, .keep = keep};
	*tiles = calloc((size_t)q->n_steps + 1, sizeof(**tiles));
	if (!*tiles)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	return mch_program_refine(q, cfg, &options, *tiles, before, after, err);
}
