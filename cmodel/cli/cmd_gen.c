/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato gen: cases of an operator, for a simulator. In the manner of Berkeley TestFloat. */
#include <stdio.h>
#include <string.h>

#include "base/outfile.h"
#include "cli/cmd.h"
#include "cli/gen.h"

struct arguments {
	const char *op, *output;
	bool list, is_stimulus;
	struct mch_gen_params params;
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'o':
		args->output = text;
		return 0;
	case 'l':
		args->list = true;
		return 0;
	case 's':
		args->is_stimulus = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->params;
		return 0;
	case ARGP_KEY_ARG:
		if (args->op)
			mch_cmd_fail(text, "one operator is expected; give one");
		args->op = text;
		return 0;
	case ARGP_KEY_END:
		if (!args->op && !args->list)
			mch_cmd_fail("OP", "no operator given; `macchiato gen --list` lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* One line an operator, its options behind it. */
static void list(void)
{
	for (const struct mch_gen_op *op = mch_gen_ops; op->name; op++) {
		int column = 12;
		printf("%-11s %s\n%s", op->name, op->formula, op->takes ? "           " : "");
		for (unsigned bit = 1; bit < MCH_GEN_SEED; bit <<= 1) {
			if (!(op->takes & bit))
				continue;
			const char *option = mch_gen_option(bit);
			if (column + 1 + (int)strlen(option) > 79)
				column = printf("\n            ") - 1;
			column += printf(" %s", option);
		}
		if (op->takes)
			putchar('\n');
	}
}

/* Bare lines are the cases of a file, without what stands before and behind them. */
static int write_cases(struct mch_gen *g, bool is_stimulus, FILE *stream, struct mch_err *err)
{
	struct mch_vec_writer out = {.stream = stream, .header = g->header};
	const int64_t *const *values = (const int64_t *const *)g->values;
	int status = 0;
	if (is_stimulus)
		out.header.n_fields = out.header.n_in;
	else
		status = mch_vec_write_begin(&out, stream, &g->header, err);
	for (uint64_t i = 0; i < g->p.n_cases && status == 0; i++) {
		mch_gen_draw(g, g->p.first + i);
		if (!is_stimulus)
			mch_gen_compute(g);
		status = mch_vec_write_case(&out, values, err);
	}
	return status == 0 && !is_stimulus ? mch_vec_write_end(&out, err) : status;
}

static int run(const struct arguments *args, struct mch_err *err)
{
	struct mch_gen g;
	struct mch_outfile out;
	mch_gen_init(&g, args->op, &args->params);
	int status = mch_outfile_open(&out, args->output, err);
	if (status == 0) {
		status = write_cases(&g, args->is_stimulus, out.stream, err);
		if (status == 0)
			status = mch_outfile_commit(&out, err);
		mch_outfile_abandon(&out);
	}
	mch_gen_free(&g);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}

int mch_cmd_gen(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_option options[] = {
		{"output", 'o', "FILE", 0, "Write the cases to FILE instead of the standard output", 0},
		{"stimulus", 's', NULL, 0, "Inputs alone, no header: a line a case, for a pipe", 0},
		{"list", 'l', NULL, 0, "List the operators and what options each takes", 0},
		{0},
	};
	static const struct argp_child children[] = {{&mch_gen_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options,
					 parse_option,
					 "OP",
					 "Writes cases of an operator of docs/datapath.md: inputs from the corners of their "
					 "ranges, and the right outputs.\v"
					 "In a pipe: macchiato gen OP --stimulus | SIMULATOR | macchiato ver OP",
					 children,
					 NULL,
					 NULL};
	struct arguments args = {.output = "-", .params = mch_gen_usual()};
	mch_cmd_parse(&argp, argc, argv, &args);
	if (args.list) {
		list();
		return MCH_EXIT_OK;
	}
	return run(&args, err);
}
