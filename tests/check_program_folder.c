/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A program's folder: what was exported runs on the cycle model without the network and gives the golden memory;
 * every changed byte is found, and every malformed program.json is one message. */
#include "io/program_read.h"

#include <stdio.h>
#include <string.h>

#include "accel_fixture.h"
#include "arch/program.h"
#include "arch/top.h"
#include "base/rng.h"
#include "check_main.h"
#include "io/program_json.h"

static struct fixture fixture;
static struct mch_err err;
static struct mch_program_summary summary;

static void export(void)
{
	fixture_make(&fixture, MCH_ROUND_HALF_UP, 0);
	const struct mch_accel_export *from = &fixture.export;
	struct mch_program_export e = {
		.q = from->q, .cfg = {.rows = 4, .cols = 4, .mem_bits = 64, .x_words = 256, .w_words = 256},
		.n_images = FIXTURE_IMAGES, .codes = from->codes, .labels = from->labels, .net_file = "fixture.onnx",
		.quant_file = "fixture.quant.json", .net_hash = from->net_hash, .quant_hash = from->quant_hash};
	mch_program_widths(e.q, &e.cfg);
	ck_assert_msg(mch_program_export(&e, fixture.dir, false, &summary, &err) == 0, "%s", err.text);
}

static void run(const struct mch_program_folder *f, int image)
{
	const size_t n_bytes = (size_t)f->n_words * f->word_bytes, room = n_bytes + 64;
	uint8_t *mem = calloc(1, room), *golden = malloc(n_bytes);
	struct mch_top_mark *mark = calloc((size_t)f->n_descriptors + 1, sizeof(*mark));
	struct mch_folder_difference at;
	memcpy(mem, f->memory, n_bytes);
	ck_assert_msg(mch_program_folder_input(f, image, mem, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_program_folder_golden(f, image, golden, &err) == 0, "%s", err.text);
	ck_assert(mch_program_folder_differs(f, golden, mem, &at));
	ck_assert_int_ne(at.tensor, f->input);
	for (int i = 0; i < f->n_parts; i++) {
		struct mch_top top;
		ck_assert(!f->part[i].is_host);
		ck_assert_int_eq(mch_top_init(&top, &f->cfg, true, &err), 0);
		ck_assert_msg(mch_top_run(&top, f->part[i].list, mem, room / 8 * 8, 1000000, mark, f->part[i].n,
					  &err) > 0, "%s", err.text);
		mch_top_free(&top);
	}
	ck_assert(!mch_program_folder_differs(f, golden, mem, &at));
	ck_assert_int_eq(memcmp(golden, mem, n_bytes), 0);
	for (int i = 0; i < f->n_descriptors; i++)
		ck_assert_uint_eq(f->descriptor[i].cycles,
				  mark[i].count[0] - (i ? mark[i - 1].count[0] : 0));
	free(mark);
	free(mem);
	free(golden);
}

START_TEST(images)
{
	struct mch_program_folder f;
	export();
	ck_assert_msg(mch_program_folder_read(&f, fixture.dir, &err) == 0, "%s", err.text);
	ck_assert_str_eq(f.config_hash, summary.config_hash);
	ck_assert_int_eq(f.n_descriptors, summary.n_descriptors);
	ck_assert_str_eq(f.descriptor[0].layer, "conv/1");
	ck_assert_str_eq(f.tensor[f.input].layer, "");
	ck_assert_int_eq(f.n_images, FIXTURE_IMAGES);
	for (int i = 0; i < f.n_images; i++) {
		ck_assert_int_eq(f.label[i], fixture.labels[i]);
		run(&f, i);
	}
	uint8_t *mem = malloc((size_t)f.n_words * f.word_bytes);
	ck_assert_int_eq(mch_program_folder_input(&f, FIXTURE_IMAGES, mem, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "has images 0 to 5, not 6; choose one of them, or export more"));
	memset(mem, 1, (size_t)f.n_words * f.word_bytes);
	mch_program_folder_copy(&f, f.output, f.memory, mem);
	ck_assert_int_eq(mem[f.tensor[f.output].addr * f.word_bytes], 0);
	free(mem);
	mch_program_folder_free(&f);
	fixture_free(&fixture);
}
END_TEST

static void path_of(char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s", fixture.dir, name);
}

static size_t load(const char *name, char **bytes)
{
	char path[256];
	path_of(path, name);
	FILE *stream = fopen(path, "rb");
	*bytes = malloc(1 << 20);
	const size_t n = fread(*bytes, 1, 1 << 20, stream);
	fclose(stream);
	return n;
}

static void store(const char *name, const char *bytes, size_t n)
{
	char path[256];
	path_of(path, name);
	FILE *stream = fopen(path, "wb");
	ck_assert_uint_eq(fwrite(bytes, 1, n, stream), n);
	fclose(stream);
}

static void refuse(const char *where)
{
	struct mch_program_folder f;
	memset(&err, 0, sizeof(err));
	ck_assert_msg(mch_program_folder_read(&f, fixture.dir, &err) == -1, "taken: %s", where);
	ck_assert_msg(strstr(err.text, "; ") && !strchr(err.text, '\n'), "%s: %s", where, err.text);
	ck_assert_ptr_null(f.dir);
}

/* One byte of a file, anywhere; and a file that ends early. */
START_TEST(damage)
{
	static const char *const names[] = {MCH_PROGRAM_JSON, MCH_PROGRAM_MEMORY};
	struct mch_rng rng = mch_rng_seed(5);
	export();
	for (int k = 0; k < 2; k++) {
		char *bytes;
		const size_t n = load(names[k], &bytes);
		for (int i = 0; i < 300; i++) {
			const size_t at = mch_rng_below(&rng, (uint32_t)n);
			const char was = bytes[at];
			if (k == 0 && (was == ' ' || was == '\n'))
				continue; /* what JSON does not look at */
			bytes[at] = (char)(was ^ 1 << mch_rng_below(&rng, 7));
			store(names[k], bytes, n);
			refuse(names[k]);
			bytes[at] = was;
		}
		store(names[k], bytes, n / 2);
		refuse(names[k]);
		store(names[k], bytes, n);
		free(bytes);
	}
	fixture_free(&fixture);
}
END_TEST

/* Values out of range behind a hash that is right: each member in turn becomes another number, or another type. */
static void set_and_refuse(json_t *root, json_t *object, const char *key, json_t *value)
{
	json_t *was = json_incref(json_object_get(object, key));
	char hash[MCH_HASH_HEX], path[256];
	struct mch_program_folder f;
	json_object_set_new(object, key, value);
	ck_assert_int_eq(mch_program_json_hash(root, hash), 0);
	json_object_set_new(root, "sha256", json_string(hash));
	path_of(path, MCH_PROGRAM_JSON);
	ck_assert_int_eq(json_dump_file(root, path, 0), 0);
	memset(&err, 0, sizeof(err));
	/* Some numbers say something legal. What is taken has all its sizes within the memory. */
	if (mch_program_folder_read(&f, fixture.dir, &err) == 0) {
		uint8_t *mem = calloc(f.n_words, f.word_bytes);
		struct mch_folder_difference at;
		mch_program_folder_differs(&f, f.memory, mem, &at);
		mch_program_folder_input(&f, 0, mem, &err);
		for (int i = 0; i < f.n_tensors; i++)
			mch_program_folder_copy(&f, i, f.memory, mem);
		free(mem);
		mch_program_folder_free(&f);
	} else {
		ck_assert_msg(strstr(err.text, "; ") && !strchr(err.text, '\n'), "%s: %s", key, err.text);
	}
	json_object_set_new(object, key, was);
}

static void try_all(json_t *root, json_t *object)
{
	static const json_int_t values[] = {-1, 0, 1, 3, 255, 65537, INT32_MAX, UINT32_MAX, INT64_MAX, INT64_MIN};
	const char *keys[32];
	size_t n = 0;
	for (void *it = json_object_iter(object); it && n < 32; it = json_object_iter_next(object, it))
		keys[n++] = json_object_iter_key(it);
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
			set_and_refuse(root, object, keys[k], json_integer(values[i]));
		set_and_refuse(root, object, keys[k], json_string("x"));
		set_and_refuse(root, object, keys[k], json_array());
		set_and_refuse(root, object, keys[k], json_null());
		json_t *inner = json_object_get(object, keys[k]);
		if (json_is_array(inner) && json_array_size(inner) > 0)
			inner = json_array_get(inner, json_array_size(inner) - 1);
		if (json_is_object(inner))
			try_all(root, inner);
	}
}

START_TEST(values)
{
	char path[256];
	export();
	path_of(path, MCH_PROGRAM_JSON);
	json_t *root = json_load_file(path, 0, NULL);
	ck_assert_ptr_nonnull(root);
	try_all(root, root);
	json_decref(root);
	fixture_free(&fixture);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {images, damage, values};
	return CHECK_SUITE("program_folder", tests);
}

int main(void)
{
	return check_main(suite);
}
