/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The exported folder: two headers of one table, images that give the parameters back, and a check that finds every
 * changed byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accel_fixture.h"
#include "check_main.h"
#include "io/accel_manifest.h"
#include "io/accel_read.h"

static struct mch_err err;

static char *slurp(const char *dir, const char *name, size_t *n)
{
	enum { ROOM = 1 << 20 };
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *stream = fopen(path, "rb");
	ck_assert_ptr_nonnull(stream);
	char *text = malloc(ROOM);
	const size_t n_bytes = fread(text, 1, ROOM - 1, stream);
	text[n_bytes] = '\0';
	fclose(stream);
	if (n)
		*n = n_bytes;
	return text;
}

static void spill(const char *dir, const char *name, const char *bytes, size_t n)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *stream = fopen(path, "wb");
	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, n, stream), n);
	ck_assert_int_eq(fclose(stream), 0);
}

/* The next "DEFINE MCH_name value" of a header: 1, or 0 at the end. Numbers lose what is the language's own. */
static int next_define(char **text, const char *define, char name[160], char value[160])
{
	char *line = strstr(*text, define);
	if (!line || sscanf(line + strlen(define), " MCH_%159s", name) != 1)
		return 0;
	char *from = strstr(line, name) + strlen(name), *end = strchr(from, '\n');
	from += strspn(from, " ");
	size_t n = *from == '"' ? strcspn(from + 1, "\"") + 2 : strcspn(from, " \n");
	if (strncmp(from, "64'", 3) == 0 || strncmp(from, "0x", 2) == 0)
		from += from[0] == '0' ? 2 : 4, n -= line[0] == '`' ? 4 : 2;
	while (n > 0 && *define == '#' && *from != '"' && strchr("UL", from[n - 1]))
		n--;
	snprintf(value, 160, "%.*s", (int)n, from);
	*text = end;
	return 1;
}

START_TEST(both_headers_have_the_same_table)
{
	struct fixture f;
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	fixture_export(&f);
	char *h = slurp(f.dir, "macchiato_config.h", NULL), *vh = slurp(f.dir, "macchiato_config.vh", NULL);
	char *h_at = strstr(h, "#define MCH_CONFIG_HASH \""), *vh_at = strstr(vh, "`define MCH_CONFIG_HASH \"");
	char name[2][160], value[2][160];
	int n = 0;
	ck_assert(h_at && vh_at);
	while (next_define(&h_at, "#define", name[0], value[0])) {
		ck_assert_int_eq(next_define(&vh_at, "`define", name[1], value[1]), 1);
		ck_assert_str_eq(name[0], name[1]);
		ck_assert_str_eq(value[0], value[1]);
		n++;
	}
	ck_assert_int_eq(next_define(&vh_at, "`define", name[1], value[1]), 0);
	ck_assert_int_gt(n, 5 + 30 + 4 * 40);
	free(h);
	free(vh);
	fixture_free(&f);
}
END_TEST

START_TEST(layers_keep_apart_whatever_their_names)
{
	struct fixture f;
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	fixture_export(&f);
	char *h = slurp(f.dir, "macchiato_config.h", NULL);
	ck_assert_ptr_nonnull(strstr(h, "MCH_CONV_1_K "));
	ck_assert_ptr_nonnull(strstr(h, "MCH_CONV_1_2_K "));
	ck_assert_ptr_nonnull(strstr(h, "\"conv_1_2.weights.mem\""));
	ck_assert_ptr_nonnull(strstr(h, "\"the _last_ _/ one\""));
	free(h);
	fixture_free(&f);
}
END_TEST

START_TEST(constants_are_those_of_the_network)
{
	struct fixture f;
	char stems[4][MCH_ACCEL_TEXT_MAX];
	struct mch_accel_table t;
	fixture_make(&f, MCH_ROUND_HALF_UP, 0);
	ck_assert_int_eq(f.q.n_steps, 4);
	ck_assert_msg(mch_accel_config(&f.q, &f.export.array, 6, &t, stems, &err) == 0, "%s", err.text);
	static const struct {
		const char *name;
		int64_t value;
	} want[] = {
		{"ROWS", 4}, {"COLS", 3}, {"X_BITS", 8}, {"W_BITS", 7}, {"OUT_BITS", 6}, {"ROUND", 1}, {"SEED", 3},
		{"N_LAYERS", 4}, {"N_IMAGES", 6}, {"N_CLASSES", 3}, {"INPUT_SIGNED", 0}, {"CONV_1_SOURCE", -1},
		{"CONV_1_C", 1}, {"CONV_1_K", 4}, {"CONV_1_PAD_TOP", 1}, {"CONV_1_P", 6}, {"CONV_1_TERMS", 9},
		{"CONV_1_RELU", 1}, {"CONV_1_SHIFT_MIN", 8}, {"CONV_1_ACC_FRAC", 11}, {"CONV_1_WEIGHTS_DEPTH", 36},
		/* 9 pixel tiles x 2 channel tiles; 9 terms > 4 rows + 1 */
		{"CONV_1_TILES", 18}, {"CONV_1_CYCLES", 162}, {"CONV_1_MACS", 4 * 36 * 9}, {"POOL1_SOURCE", 0},
		{"POOL1_TERMS", 0}, {"POOL1_P", 3}, {"CONV_1_2_SOURCE", 1}, {"CONV_1_2_TERMS", 8},
		/* 2 groups x 1 pixel tile x 1 channel tile */
		{"CONV_1_2_GROUPS", 2}, {"CONV_1_2_TILES", 2}, {"CONV_1_2_CYCLES", 16},
		{"THE_LAST_ONE_C", 24}, {"THE_LAST_ONE_KIND", MCH_DENSE}, {"OUTPUT_SOURCE", 3},
	};
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const struct mch_accel_row *row = mch_accel_table_find(&t, want[i].name);
		ck_assert_msg(row != NULL, "%s is missing", want[i].name);
		ck_assert_msg(row->value.number == want[i].value, "%s is %lld, not %lld", want[i].name,
			      (long long)row->value.number, (long long)want[i].value);
	}
	mch_accel_table_free(&t);
	fixture_free(&f);
}
END_TEST

START_TEST(one_array_has_one_accumulator)
{
	struct fixture f;
	struct mch_accel_summary summary;
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 9); /* may overflow, and the other layers need more */
	ck_assert_int_eq(mch_accel_export(&f.export, f.dir, false, &summary, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "conv_1: its accumulator of 9 bits can overflow"));
	ck_assert_int_eq(rmdir(f.folder), 0); /* nothing left behind */
	fixture_free(&f);
}
END_TEST

START_TEST(images_give_the_parameters_back)
{
	struct fixture f;
	struct mch_accel_params p;
	static const char *const stems[] = {"conv_1", NULL, "conv_1_2", "the_last_one"};
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	fixture_export(&f);
	for (int i = 0; i < f.q.n_steps; i++) {
		const struct mch_step *step = &f.q.steps[i];
		if (!stems[i])
			continue;
		ck_assert_msg(mch_accel_read_params(f.dir, stems[i], &p, &err) == 0, "%s", err.text);
		ck_assert_uint_eq(p.n_channels, (size_t)step->conv.k);
		ck_assert_uint_eq(p.n_weights, step->layer->n_weights);
		ck_assert_mem_eq(p.weights, step->weights, p.n_weights * sizeof(*p.weights));
		ck_assert_mem_eq(p.bias, step->bias, p.n_channels * sizeof(*p.bias));
		ck_assert_mem_eq(p.shift, step->shift, p.n_channels);
		mch_accel_params_free(&p);
	}
	ck_assert_int_eq(mch_accel_read_params(f.dir, "conv2", &p, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "/accel/conv2.weights.mem: is no memory image of this export"));
	fixture_free(&f);
}
END_TEST

START_TEST(images_and_answers_are_exported)
{
	struct fixture f;
	int64_t *codes, *labels, *logits;
	int32_t want[FIXTURE_IMAGES * FIXTURE_CLASSES];
	size_t n;
	fixture_make(&f, MCH_ROUND_STOCHASTIC, 0);
	fixture_export(&f);
	ck_assert_int_eq(mch_qnet_run(&f.q, FIXTURE_IMAGES, f.codes, want, NULL, NULL, &err), 0);
	ck_assert_msg(mch_accel_read_image(f.dir, "images.mem", &codes, &n, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(n, FIXTURE_IMAGES * FIXTURE_PIXELS);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(codes[i], f.codes[i]);
	ck_assert_int_eq(mch_accel_read_image(f.dir, "labels.mem", &labels, &n, &err), 0);
	ck_assert_uint_eq(n, FIXTURE_IMAGES);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(labels[i], f.labels[i]);
	ck_assert_int_eq(mch_accel_read_image(f.dir, "logits.mem", &logits, &n, &err), 0);
	ck_assert_uint_eq(n, FIXTURE_IMAGES * FIXTURE_CLASSES);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(logits[i], want[i]);
	free(codes);
	free(labels);
	free(logits);
	fixture_free(&f);
}
END_TEST

/* One byte of every file changes, then the file ends early, then it is gone: each time the check names it. */
START_TEST(every_change_is_found_and_named)
{
	struct fixture f;
	struct mch_accel_manifest m;
	char hash[65], want[512], path[256];
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	fixture_export(&f);
	ck_assert_msg(mch_accel_check_folder(f.dir, hash, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_accel_manifest_read(f.dir, &m, &err) == 0, "%s", err.text);
	ck_assert_int_eq(m.n_entries, 2 + 3 * 3 + 3 + 3);
	ck_assert_str_eq(hash, m.config_hash);
	for (int i = 0; i < m.n_entries; i++) {
		size_t n;
		char *bytes = slurp(f.dir, m.entries[i].name, &n);
		bytes[n / 2] ^= 1;
		spill(f.dir, m.entries[i].name, bytes, n);
		snprintf(want, sizeof(want), "%s/%s: SHA-256 differs from manifest.json; export again or restore the "
			 "file", f.dir, m.entries[i].name);
		ck_assert_int_eq(mch_accel_check_folder(f.dir, NULL, &err), -1);
		ck_assert_str_eq(err.text, want);
		bytes[n / 2] ^= 1;
		spill(f.dir, m.entries[i].name, bytes, n - 1);
		snprintf(want, sizeof(want), "%s/%s: has %zu bytes, %zu are in manifest.json; export again or "
			 "restore the file", f.dir, m.entries[i].name, n - 1, n);
		ck_assert_int_eq(mch_accel_check_folder(f.dir, NULL, &err), -1);
		ck_assert_str_eq(err.text, want);
		snprintf(path, sizeof(path), "%s/%s", f.dir, m.entries[i].name);
		unlink(path);
		ck_assert_int_eq(mch_accel_check_folder(f.dir, NULL, &err), -1);
		ck_assert_ptr_eq(strstr(err.text, path), err.text);
		spill(f.dir, m.entries[i].name, bytes, n);
		ck_assert_int_eq(mch_accel_check_folder(f.dir, NULL, &err), 0);
		free(bytes);
	}
	mch_accel_manifest_free(&m);
	fixture_free(&f);
}
END_TEST

START_TEST(every_change_of_the_manifest_is_found)
{
	struct fixture f;
	size_t n;
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	f.export.n_images = 0;
	fixture_export(&f);
	char *text = slurp(f.dir, "manifest.json", &n);
	for (size_t i = 0; i < n; i++) {
		const char was = text[i];
		text[i] = (char)(was == ' ' ? '\t' : was == '\n' ? ' ' : was ^ 1);
		spill(f.dir, "manifest.json", text, n);
		ck_assert_msg(mch_accel_check_folder(f.dir, NULL, &err) == -1, "byte %zu", i);
		ck_assert_msg(strstr(err.text, "/accel/manifest.json: ") != NULL, "%s", err.text);
		text[i] = was;
	}
	for (size_t i = 0; i < n; i++) {
		spill(f.dir, "manifest.json", text, i);
		ck_assert_int_eq(mch_accel_check_folder(f.dir, NULL, &err), -1);
	}
	free(text);
	fixture_free(&f);
}
END_TEST

START_TEST(a_header_of_another_export_is_refused)
{
	struct fixture f;
	char hash[65], other[65];
	struct mch_accel_summary summary;
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	fixture_export(&f);
	ck_assert_int_eq(mch_accel_check_folder(f.dir, hash, &err), 0);
	ck_assert_int_eq(mch_accel_check_skew(f.dir, hash, &err), 0);
	f.codes[5] ^= 1; /* one bit of one pixel is another export */
	ck_assert_int_eq(mch_accel_export(&f.export, f.dir, false, &summary, &err), 0);
	ck_assert_int_eq(mch_accel_check_folder(f.dir, other, &err), 0);
	ck_assert_str_eq(summary.config_hash, other);
	ck_assert_str_ne(hash, other);
	ck_assert_int_eq(mch_accel_check_skew(f.dir, hash, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "this program was built with the header of export"));
	fixture_free(&f);
}
END_TEST

START_TEST(the_same_arguments_give_the_same_bytes)
{
	struct fixture f, g;
	fixture_make(&f, MCH_ROUND_STOCHASTIC, 0);
	fixture_make(&g, MCH_ROUND_STOCHASTIC, 0);
	fixture_export(&f);
	fixture_export(&g);
	/* The manifest holds the hash of every other file. */
	char *first = slurp(f.dir, "manifest.json", NULL), *second = slurp(g.dir, "manifest.json", NULL);
	ck_assert_str_eq(first, second);
	free(first);
	free(second);
	fixture_free(&f);
	fixture_free(&g);
}
END_TEST

static void refused(struct fixture *f, bool force, const char *why)
{
	struct mch_accel_summary summary;
	ck_assert_int_eq(mch_accel_export(&f->export, f->dir, force, &summary, &err), -1);
	ck_assert_msg(strstr(err.text, why) != NULL, "%s", err.text);
}

START_TEST(only_an_export_is_replaced)
{
	struct fixture f;
	struct mch_accel_summary summary;
	char inner[128];
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	spill(f.folder, "accel", "x", 1);
	refused(&f, true, "accel: is a file, not a folder");
	ck_assert_int_eq(unlink(f.dir), 0);
	ck_assert_int_eq(mkdir(f.dir, 0777), 0);
	spill(f.dir, "thesis.mem", "x", 1);
	refused(&f, false, "accel: holds files and no manifest.json");
	ck_assert_int_eq(mch_accel_export(&f.export, f.dir, true, &summary, &err), 0);
	ck_assert_int_eq(mch_accel_export(&f.export, f.dir, false, &summary, &err), 0);
	spill(f.dir, "notes.txt", "x", 1);
	refused(&f, false, "accel: holds \"notes.txt\", which is no part of an export");
	snprintf(inner, sizeof(inner), "%s/notes.txt", f.dir);
	ck_assert_int_eq(unlink(inner), 0);
	ck_assert_int_eq(mkdir(inner, 0777), 0);
	refused(&f, true, "accel: holds the folder \"notes.txt\"");
	ck_assert_int_eq(rmdir(inner), 0);
	ck_assert_msg(mch_accel_check_folder(f.dir, NULL, &err) == 0, "%s", err.text); /* refusals touched nothing */
	fixture_free(&f);
}
END_TEST

static Suite *accel_suite(void)
{
	const TTest *const tests[] = {
		both_headers_have_the_same_table,
		layers_keep_apart_whatever_their_names,
		constants_are_those_of_the_network,
		one_array_has_one_accumulator,
		images_give_the_parameters_back,
		images_and_answers_are_exported,
		every_change_is_found_and_named,
		every_change_of_the_manifest_is_found,
		a_header_of_another_export_is_refused,
		the_same_arguments_give_the_same_bytes,
		only_an_export_is_replaced,
	};
	return CHECK_SUITE("accel", tests);
}

int main(void)
{
	return check_main(accel_suite);
}
