/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What `macchiato eval` tells; see eval_report.h. */
#include "cli/eval_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/outfile.h"
#include "cli/host_layers.h"
#include "io/file.h"
#include "io/hash.h"
#include "net/interval.h"

enum { PRINTED_CLASSES_MAX = 20, NAMES_BYTES_MAX = 1 << 24 };

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "eval", "out of memory; use a machine with more");
}

int mch_eval_count(struct mch_eval_report *r, struct mch_err *err)
{
	const size_t n_outputs = (size_t)r->answers.n_outputs;
	r->confusion = calloc((size_t)r->data->n_classes * n_outputs, sizeof(*r->confusion));
	if (!r->confusion)
		return no_memory(err);
	for (int i = 0; i < r->n_images; i++)
		r->confusion[(size_t)r->data->labels[i] * n_outputs + (size_t)r->answers.prediction[i]]++;
	return 0;
}

void mch_eval_free_names(char **names, int n)
{
	for (int i = 0; names && i < n; i++)
		free(names[i]);
	free(names);
}

/* "n01440764 tench, Tinca tinca" -> "tench, Tinca tinca" */
static const char *skip_wordnet(const char *line)
{
	const size_t n = line[0] == 'n' ? strspn(line + 1, "0123456789") : 0;
	return n == 8 && line[9] == ' ' ? line + 10 : line;
}

char **mch_eval_read_names(const char *path, int n, struct mch_err *err)
{
	char *text, **names = calloc((size_t)n, sizeof(*names));
	size_t n_bytes;
	int n_found = 0;
	if (!names) {
		no_memory(err);
		return NULL;
	}
	if (mch_file_read(path, NAMES_BYTES_MAX, &text, &n_bytes, err) != 0) {
		free(names);
		return NULL;
	}
	for (char *line = text, *next; line && *line && n_found < n; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		names[n_found] = strdup(skip_wordnet(line));
		if (!names[n_found++])
			break;
	}
	free(text);
	if (n_found == n && names[n - 1])
		return names;
	mch_err_set(err, path, "names %d classes, the network has %d outputs; give a line for each", n_found, n);
	mch_eval_free_names(names, n_found);
	return NULL;
}

/* Images of a class, those that were right. */
struct tally {
	int n, n_right;
};

static struct tally tally_of(const struct mch_eval_report *r, int label)
{
	const int *row = r->confusion + (size_t)label * (size_t)r->answers.n_outputs;
	struct tally t = {0, label < r->answers.n_outputs ? row[label] : 0};
	for (int i = 0; i < r->answers.n_outputs; i++)
		t.n += row[i];
	return t;
}

static const char *name_of(const struct mch_eval_report *r, int label, char text[16])
{
	if (r->names)
		return r->names[label];
	snprintf(text, 16, "%d", label);
	return text;
}

static void print_share(const char *what, int n_right, int n)
{
	const struct mch_interval i = mch_interval_95(n_right, n);
	printf("%-11s %.2f %% (%d right), 95 %% interval %.2f to %.2f %%\n", what, 100.0 * n_right / n, n_right, i.low, i.high);
}

static void print_classes(const struct mch_eval_report *r)
{
	char text[16];
	printf("\n%6s  %7s  %7s  %9s  %s\n", "class", "images", "right", "accuracy", r->names ? "name" : "");
	for (int c = 0; c < r->data->n_classes; c++) {
		const struct tally t = tally_of(r, c);
		if (t.n > 0)
			printf("%6d  %7d  %7d  %7.2f %%  %s\n", c, t.n, t.n_right, 100.0 * t.n_right / t.n,
			       r->names ? name_of(r, c, text) : "");
	}
}

static void print_confusion(const struct mch_eval_report *r)
{
	char text[16];
	printf("\nlabel   taken for\n      ");
	for (int p = 0; p < r->answers.n_outputs; p++)
		printf(" %6d", p);
	putchar('\n');
	for (int c = 0; c < r->data->n_classes; c++) {
		printf("%6d", c);
		for (int p = 0; p < r->answers.n_outputs; p++)
			printf(" %6d", r->confusion[(size_t)c * (size_t)r->answers.n_outputs + (size_t)p]);
		printf("%s%s\n", r->names ? "  " : "", r->names ? name_of(r, c, text) : "");
	}
}

static void print_text(const struct mch_eval_report *r)
{
	const struct mch_difference *d = &r->difference;
	printf("network     %s\n", r->args->net.path);
	if (r->formats)
		printf("formats     %s\n", r->formats);
	printf("arithmetic  %s, %s operators\n", r->formats ? "exact integers" : "float",
	       r->args->plain ? "plain" : "fast");
	printf("images      %s, %d of %d\n", r->data->name, r->n_images, r->data->n_images);
	if (r->has_answers) {
		print_share("accuracy", r->answers.n_top1, r->n_images);
		if (r->answers.n_outputs > 5)
			print_share("top-5", r->answers.n_top5, r->n_images);
		if (r->n_narrow)
			printf("overflows   %" PRIu64 " steps (%.1f an image), in %d layer%s whose accumulator is narrower than "
			       "its certificate\n",
			       r->answers.n_overflows, (double)r->answers.n_overflows / r->n_images, r->n_narrow,
			       r->n_narrow > 1 ? "s" : "");
		printf("rate        %.0f images/s\n", r->n_images / r->seconds);
	}
	if (r->formats)
		mch_host_layers_print(r->net);
	if (r->has_difference) {
		printf("reference   %s, largest value %.6g\n", r->args->reference.path, d->max_reference);
		printf("max error   %.6g\n", d->max_error);
		printf("RMS error   %.6g\n", d->rms_error);
		printf("SQNR        %.2f dB\n", d->sqnr_db);
	}
	if (r->has_answers && r->args->per_class)
		print_classes(r);
	if (r->has_answers && r->args->confusion && r->answers.n_outputs <= PRINTED_CLASSES_MAX)
		print_confusion(r);
}

static int add_answers(json_t *root, const struct mch_eval_report *r)
{
	const struct mch_answers *a = &r->answers;
	const struct mch_interval top1 = mch_interval_95(a->n_top1, r->n_images), top5 = mch_interval_95(a->n_top5, r->n_images);
	json_t *classes = json_array();
	int bad = 0;
	for (int c = 0; c < r->data->n_classes; c++) {
		const struct tally t = tally_of(r, c);
		json_t *row = json_pack("{s:i, s:s?, s:i, s:i}", "class", c, "name", r->names ? r->names[c] : NULL,
					"images", t.n, "right", t.n_right);
		bad |= t.n > 0 ? json_array_append_new(classes, row) : (json_decref(row), 0);
	}
	json_t *more = json_pack("{s:i, s:f, s:[f,f], s:i, s:f, s:[f,f], s:f, s:o}", "right", a->n_top1, "accuracy",
				 100.0 * a->n_top1 / r->n_images, "interval_95", top1.low, top1.high, "top5_right",
				 a->n_top5, "top5_accuracy", 100.0 * a->n_top5 / r->n_images, "top5_interval_95",
				 top5.low, top5.high, "images_per_s", r->n_images / r->seconds, "classes", classes);
	bad |= json_object_update(root, more);
	json_decref(more);
	if (r->n_narrow)
		bad |= json_object_set_new(root, "overflows",
					   json_pack("{s:i, s:I}", "layers", r->n_narrow, "steps", (json_int_t)a->n_overflows));
	if (r->data->n_classes <= PRINTED_CLASSES_MAX && a->n_outputs <= PRINTED_CLASSES_MAX) {
		json_t *matrix = json_array();
		for (int c = 0; c < r->data->n_classes; c++) {
			json_t *row = json_array();
			for (int p = 0; p < a->n_outputs; p++)
				bad |= json_array_append_new(row, json_integer(r->confusion[c * a->n_outputs + p]));
			bad |= json_array_append_new(matrix, row);
		}
		bad |= json_object_set_new(root, "confusion", matrix);
	}
	return bad;
}

/* JSON has no number for infinity or NaN. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static int add_difference(json_t *root, const struct mch_eval_report *r)
{
	const struct mch_difference *d = &r->difference;
	return json_object_set_new(root, "difference",
				   json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "reference", r->args->reference.path,
					     "values", (json_int_t)d->n_values, "max_error", number(d->max_error),
					     "max_reference", number(d->max_reference), "rms_error",
					     number(d->rms_error), "sqnr_db", number(d->sqnr_db)));
}

int mch_eval_print(const struct mch_eval_report *r, struct mch_err *err)
{
	char hash[MCH_HASH_HEX];
	if (!r->args->json) {
		print_text(r);
		return 0;
	}
	mch_hash_net(r->net, hash);
	json_t *root = json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:i}", "network", r->args->net.path, "hash", hash,
				 "quant", r->formats, "arithmetic", r->formats ? "exact" : "float", "operators",
				 r->args->plain ? "plain" : "fast", "data", r->data->name, "images", r->n_images);
	int bad = root && r->formats ? json_object_set_new(root, "host_layers", mch_host_layers_json(r->net)) : 0;
	if (!root || bad || (r->has_answers && add_answers(root, r) != 0) ||
	    (r->has_difference && add_difference(root, r) != 0)) {
		json_decref(root);
		return mch_err_set(err, r->args->net.path,
				   "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	}
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

/* A field of CSV, RFC 4180. */
static void put_field(FILE *stream, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, stream);
		return;
	}
	putc('"', stream);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', stream);
		putc(*text, stream);
	}
	putc('"', stream);
}

int mch_eval_write_confusion(const struct mch_eval_report *r, struct mch_err *err)
{
	struct mch_outfile out;
	char text[16];
	if (mch_outfile_open(&out, r->args->confusion, err) != 0)
		return -1;
	fputs("label", out.stream);
	for (int p = 0; p < r->answers.n_outputs; p++) {
		putc(',', out.stream);
		put_field(out.stream, name_of(r, p, text));
	}
	putc('\n', out.stream);
	for (int c = 0; c < r->data->n_classes; c++) {
		put_field(out.stream, name_of(r, c, text));
		for (int p = 0; p < r->answers.n_outputs; p++)
			fprintf(out.stream, ",%d",
				r->confusion[(size_t)c * (size_t)r->answers.n_outputs + (size_t)p]);
		putc('\n', out.stream);
	}
	return mch_outfile_commit(&out, err);
}
