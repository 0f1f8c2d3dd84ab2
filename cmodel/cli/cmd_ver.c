/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato ver: judges what a simulator made of the cases of `gen`. The right outputs are computed here: none is read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cli/cmd.h"
#include "cli/gen.h"
#include "tensor/report.h"

struct arguments {
	const char *op, *file;
	bool json;
	struct mch_gen_params params;
};

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->params;
		return 0;
	case ARGP_KEY_ARG:
		if (args->op && args->file)
			mch_cmd_fail(text, "an operator and one file are expected; give one file");
		*(args->op ? &args->file : &args->op) = text;
		return 0;
	case ARGP_KEY_END:
		if (!args->op)
			mch_cmd_fail("OP", "no operator given; `macchiato gen --list` lists them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* What was read, and how it compares. */
struct run {
	struct mch_gen gen;
	struct mch_vec_reader in;
	int64_t *values[MCH_VEC_FIELDS_MAX]; /* inputs are those of gen; [n_in] owns the outputs that were read */
	uint64_t n_cases, n_wrong, first_wrong, n_wrong_in[MCH_VEC_FIELDS_MAX];
	struct mch_gen_evidence evidence;
	char hint[MCH_HINT_BYTES];
	FILE *report;
};

/* ---- the header, when there is one ---- */

static error_t parse_redo(int key, char *text, struct argp_state *state)
{
	(void)text;
	if (key == ARGP_KEY_INIT)
		state->child_inputs[0] = state->input;
	return key == ARGP_KEY_INIT || key == ARGP_KEY_ARG ? 0 : ARGP_ERR_UNKNOWN;
}

/* The parameters that the line "# redo macchiato gen OP ..." tells. */
static int parse_command(const struct mch_vec_reader *in, struct mch_gen_params *params, struct mch_err *err)
{
	static const struct argp_option none[] = {{0}};
	static const struct argp_child children[] = {{&mch_gen_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {none, parse_redo, NULL, NULL, children, NULL, NULL};
	static char program[] = "macchiato gen", start[] = "macchiato gen ";
	char text[sizeof(in->header.redo)], *argv[sizeof(text) / 2] = {program}, *next;
	int argc = 1;
	if (strncmp(in->header.redo, start, strlen(start)) != 0)
		return mch_err_set(err, in->path, "its cases are not from `macchiato gen`; give what that wrote, or lines "
				   "without a header");
	strcpy(text, in->header.redo + strlen(start));
	for (char *word = strtok_r(text, " ", &next); word; word = strtok_r(NULL, " ", &next))
		argv[argc++] = word;
	*params = mch_gen_usual();
	mch_cmd_parse(&argp, argc, argv, params);
	return 0;
}

/* Whether each option of one command line is on the other. */
static bool has_words(const char *all, const char *words)
{
	char text[MCH_GEN_TEXT], padded[MCH_GEN_TEXT + 1], *next;
	snprintf(padded, sizeof(padded), "%s ", all);
	strcpy(text, words);
	for (char *word = strtok_r(text, " ", &next); word; word = strtok_r(NULL, " ", &next)) {
		char wanted[MCH_GEN_TEXT + 2];
		snprintf(wanted, sizeof(wanted), " %s ", word);
		if (!strstr(padded, wanted))
			return false;
	}
	return true;
}

/* Options that stand in the file need not be given again, but must not be others. */
static int take_header(const struct arguments *args, const struct mch_vec_reader *in, struct mch_gen_params *params,
		       struct mch_err *err)
{
	const struct mch_gen_params *given = &args->params;
	char where[512];
	if (strcmp(in->header.op, args->op) != 0) {
		snprintf(where, sizeof(where), "%s:2", in->path);
		return mch_err_set(err, where, "these are cases of \"%s\"; judge them by `macchiato ver %s`", in->header.op,
				   in->header.op);
	}
	if (parse_command(in, params, err) < 0)
		return -1;
	if (given->text[0] && (!has_words(given->text, params->text) || !has_words(params->text, given->text))) {
		snprintf(where, sizeof(where), "%s:4", in->path);
		return mch_err_set(err, where, "the cases were made with \"%s\", not with \"%s\"; leave the options out",
				   params->text[0] ? params->text + 1 : "", given->text + 1);
	}
	return 0;
}

static bool is_same_column(const struct mch_vec_field *a, const struct mch_vec_field *b)
{
	char a_format[24], b_format[24];
	return strcmp(a->name, b->name) == 0 && a->count == b->count &&
	       strcmp(mch_format_text(a->format, a_format), mch_format_text(b->format, b_format)) == 0;
}

static int check_columns(const struct mch_vec_header *is, const struct mch_vec_header *want, const char *path,
			 struct mch_err *err)
{
	char format[24];
	for (int i = 0; i < want->n_fields; i++) {
		const struct mch_vec_field *b = &want->field[i];
		if (i < is->n_fields && is_same_column(&is->field[i], b))
			continue;
		return mch_err_set(err, path, "its header lacks the line \"# %s %s %s %d\"; recreate the cases with: %s",
				   i < want->n_in ? "in" : "out", b->name, mch_format_text(b->format, format), b->count,
				   want->redo);
	}
	if (is->n_fields != want->n_fields || is->n_in != want->n_in)
		return mch_err_set(err, path, "its header has more columns than the operator; recreate the cases with: %s",
				   want->redo);
	return 0;
}

/* The operator that the header or the options describe, and the reader behind the header. */
static int begin(struct run *r, const struct arguments *args, FILE *stream, const char *path, struct mch_err *err)
{
	struct mch_gen_params params = args->params;
	bool has_header;
	if (mch_vec_results_begin(&r->in, stream, path, &has_header, err) < 0 ||
	    (has_header && take_header(args, &r->in, &params, err) < 0))
		return -1;
	mch_gen_init(&r->gen, args->op, &params);
	if (has_header && check_columns(&r->in.header, &r->gen.header, path, err) < 0)
		return -1;
	const uint64_t n_cases = args->params.given & MCH_GEN_N_CASES ? args->params.n_cases
				 : has_header                         ? r->in.header.n_cases
								      : 0;
	r->in.header = r->gen.header;
	r->in.header.n_cases = n_cases;
	size_t n = 0;
	for (int i = r->gen.header.n_in; i < r->gen.header.n_fields; i++)
		n += (size_t)r->gen.header.field[i].count;
	int64_t *block = calloc(n, sizeof(*block));
	if (!block)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	for (int i = 0; i < r->gen.header.n_fields; i++) {
		r->values[i] = i < r->gen.header.n_in ? r->gen.values[i] : block;
		block += i < r->gen.header.n_in ? 0 : r->gen.header.field[i].count;
	}
	return 0;
}

/* ---- the report ---- */

static bool shows_real(const struct mch_format *f, const char *name)
{
	return strcmp(name, "shift") != 0 && strcmp(name, "noise") != 0 && (f->frac != 0 || f->number != MCH_FIXED);
}

static struct mch_field shown(const struct mch_gen *g, int column, int64_t value)
{
	const struct mch_vec_field *f = &g->header.field[column];
	return (struct mch_field){f->name, value, f->format, shows_real(&f->format, f->name)};
}

/* Columns of one number; of an element of a tensor, what enters its requantizer. */
static int fill_inputs(const struct mch_gen *g, size_t element, struct mch_field *in)
{
	int n = 0;
	for (int i = 0; i < g->header.n_in; i++)
		if (g->header.field[i].count == 1)
			in[n++] = shown(g, i, g->values[i][0]);
	if (g->end == MCH_GEN_CODES && !g->has_sum)
		in[n++] = (struct mch_field){"acc", g->element[element].acc, g->sum, g->sum.frac != 0};
	if (g->bias_at >= 0 && g->header.field[g->bias_at].count > 1)
		in[n++] = shown(g, g->bias_at, g->element[element].bias);
	if (g->end == MCH_GEN_CODES && g->shift_at < 0)
		in[n++] = (struct mch_field){"shift", g->element[element].shift, {7, 0, true, MCH_FIXED, 0}, false};
	return n;
}

static const char *place_of(const struct mch_gen *g, size_t element, char *text, size_t room)
{
	const int i = (int)element;
	if (g->header.field[g->header.n_in].count == 1)
		return NULL;
	if (g->y.n == 0)
		snprintf(text, room, "y[%d]: row %d, column %d of the array", i, i / g->p.cols, i % g->p.cols);
	else
		snprintf(text, room, "y[%d]: channel %d, row %d, column %d", i, i / (g->y.h * g->y.w), i / g->y.w % g->y.h,
			 i % g->y.w);
	return text;
}

/* The command that repeats the case, if `gen` made it with these options. */
static const char *redo_of(struct run *r, char *text, size_t room)
{
	struct mch_gen *g = &r->gen;
	struct mch_gen again;
	const uint64_t number = g->p.first + r->n_cases;
	bool is_same = true;
	mch_gen_init(&again, g->op->name, &g->p);
	mch_gen_draw(&again, number);
	for (int i = 0; i < g->header.n_in; i++)
		is_same = is_same && memcmp(again.values[i], g->values[i],
					    (size_t)g->header.field[i].count * sizeof(*g->values[i])) == 0;
	mch_gen_free(&again);
	snprintf(text, room, "macchiato gen %s%s%s --seed=%" PRIu64 " --case=%" PRIu64, g->op->name, g->p.text,
		 g->p.level == 2 ? " --level=2" : "", g->p.seed, number);
	return is_same ? text : NULL;
}

static void print_first(struct run *r, size_t element)
{
	const struct mch_gen *g = &r->gen;
	const int out = g->header.n_in, n_out = g->header.n_fields - out;
	struct mch_field in[MCH_VEC_FIELDS_MAX + 2], want[MCH_VEC_FIELDS_MAX], got[MCH_VEC_FIELDS_MAX];
	char where[512], at[96], redo[512];
	snprintf(where, sizeof(where), "%s:%d", r->in.path, r->in.line);
	for (int i = 0; i < n_out; i++) {
		want[i] = shown(g, out + i, g->values[out + i][element]);
		got[i] = shown(g, out + i, r->values[out + i][element]);
	}
	const char *hint = mch_gen_hint(g, r->values, element, &r->evidence, r->hint);
	if (!hint)
		r->hint[0] = '\0';
	const struct mch_mismatch m = {.where = where,
				       .module = g->op->name,
				       .case_number = g->p.first + r->n_cases,
				       .seed = g->p.seed,
				       .in = in,
				       .want = want,
				       .got = got,
				       .n_in = fill_inputs(g, element, in),
				       .n_out = n_out,
				       .at = place_of(g, element, at, sizeof(at)),
				       .hint = hint,
				       .redo = redo_of(r, redo, sizeof(redo))};
	mch_mismatch_print(r->report, &m);
}

/* ---- the comparison ---- */

static void compare(struct run *r)
{
	const struct mch_gen *g = &r->gen;
	const int out = g->header.n_in;
	size_t first = SIZE_MAX;
	for (int i = out; i < g->header.n_fields; i++) {
		const size_t n = (size_t)g->header.field[i].count;
		if (memcmp(r->values[i], g->values[i], n * sizeof(*r->values[i])) == 0)
			continue;
		size_t e = 0;
		while (r->values[i][e] == g->values[i][e])
			e++;
		r->n_wrong_in[i]++;
		first = e < first ? e : first;
	}
	if (first == SIZE_MAX)
		return;
	if (r->n_wrong++ == 0) {
		r->first_wrong = g->p.first + r->n_cases;
		print_first(r, first);
	}
}

static int compare_all(struct run *r, struct mch_err *err)
{
	int got;
	while ((got = mch_vec_results_case(&r->in, r->values, err)) > 0) {
		mch_gen_compute(&r->gen);
		if (r->n_wrong == 0)
			mch_gen_remember(&r->gen, r->values, &r->evidence);
		compare(r);
		r->n_cases++;
	}
	if (got == 0 && r->n_cases == 0)
		return mch_err_set(err, r->in.path, "no case was compared; the simulator printed none, look at its messages");
	return got;
}

static void print_summary(const struct run *r)
{
	const struct mch_vec_header *h = &r->gen.header;
	if (r->n_wrong == 0) {
		printf("%s: %" PRIu64 " cases agree\n", h->op, r->n_cases);
		return;
	}
	printf("%s: %" PRIu64 " of %" PRIu64 " cases differ:", h->op, r->n_wrong, r->n_cases);
	for (int i = h->n_in; i < h->n_fields; i++)
		printf("%s %s in %" PRIu64, i > h->n_in ? "," : "", h->field[i].name, r->n_wrong_in[i]);
	putchar('\n');
}

static void print_json(const struct run *r)
{
	const struct mch_vec_header *h = &r->gen.header;
	json_t *columns = json_object();
	for (int i = h->n_in; i < h->n_fields; i++)
		json_object_set_new(columns, h->field[i].name, json_integer((json_int_t)r->n_wrong_in[i]));
	json_t *root = json_pack("{s:s, s:I, s:I, s:o}", "op", h->op, "cases", (json_int_t)r->n_cases, "mismatches",
				 (json_int_t)r->n_wrong, "columns", columns);
	if (r->n_wrong)
		json_object_set_new(root, "first", json_integer((json_int_t)r->first_wrong));
	if (r->hint[0])
		json_object_set_new(root, "hint", json_string(r->hint));
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

static int judge(const struct arguments *args, FILE *stream, const char *path, struct mch_err *err)
{
	struct run r = {.report = args->json ? stderr : stdout};
	const int status = begin(&r, args, stream, path, err) < 0 || compare_all(&r, err) < 0 ? -1 : 0;
	/* What was compared before a stream broke off is told, too: the report came first. */
	if (status == 0 && args->json)
		print_json(&r);
	else if (status == 0)
		print_summary(&r);
	const int n_in = r.gen.header.n_in;
	free(r.gen.op ? r.values[n_in] : NULL);
	if (r.gen.op)
		mch_gen_free(&r.gen);
	mch_vec_read_free(&r.in);
	return status < 0 ? MCH_EXIT_FAILED : r.n_wrong ? MCH_EXIT_MISMATCH : MCH_EXIT_OK;
}

int mch_cmd_ver(int argc, char **argv, struct mch_err *err)
{
	static const struct argp_option options[] = {
		{"json", 'j', NULL, 0, "Print JSON instead of text; the report goes to the standard error", 0},
		{0},
	};
	static const struct argp_child children[] = {{&mch_gen_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {options,
					 parse_option,
					 "OP [FILE]",
					 "Judges what a simulator made of the cases of `macchiato gen`: a line a case, the inputs, "
					 "\" : \" and the simulator's outputs.\v"
					 "FILE is the standard input unless it is given. Where the header of `gen` comes first, the "
					 "options are known; otherwise give those that `gen` had.",
					 children,
					 NULL,
					 NULL};
	struct arguments args = {.params = mch_gen_usual()};
	mch_cmd_parse(&argp, argc, argv, &args);
	const bool is_stdin = !args.file || strcmp(args.file, "-") == 0;
	FILE *stream = is_stdin ? stdin : fopen(args.file, "r");
	if (!stream) {
		mch_err_set(err, args.file, "cannot be read; check the name");
		return MCH_EXIT_FAILED;
	}
	const int status = judge(&args, stream, is_stdin ? "stdin" : args.file, err);
	if (!is_stdin)
		fclose(stream);
	return status;
}
