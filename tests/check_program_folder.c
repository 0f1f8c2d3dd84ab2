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
#include "random_graph.h"

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

static int n_hosts; /* steps of the host in all runs */

/* The parts on the cycle model; what the host's steps make is taken out of the golden memory. */
static void run_parts(const struct mch_program_folder *f, uint8_t *mem, size_t room, const uint8_t *golden)
{
	struct mch_top_mark *mark = calloc((size_t)f->n_descriptors + 1, sizeof(*mark));
	for (int i = 0; i < f->n_parts; i++) {
		const struct mch_folder_part *part = &f->part[i];
		struct mch_top top;
		n_hosts += part->is_host;
		if (part->is_host) {
			mch_program_folder_copy(f, part->tensor, golden, mem);
			continue;
		}
		const size_t beat = (size_t)f->cfg.mem_bits / 8;
		ck_assert_int_eq(mch_top_init(&top, &f->cfg, true, &err), 0);
		ck_assert_msg(mch_top_run(&top, part->list, mem, room / beat * beat, 1000000, mark + part->first,
					  part->n, &err) > 0, "%s", err.text);
		mch_top_free(&top);
		for (int j = part->first; j < part->first + part->n; j++)
			ck_assert_uint_eq(f->descriptor[j].cycles,
					  mark[j].count[0] - (j > part->first ? mark[j - 1].count[0] : 0));
	}
	free(mark);
}

static void run(const struct mch_program_folder *f, int image)
{
	const size_t n_bytes = (size_t)f->n_words * f->word_bytes, room = n_bytes + 64;
	uint8_t *mem = calloc(1, room), *golden = malloc(n_bytes);
	struct mch_folder_difference at;
	memcpy(mem, f->memory, n_bytes);
	ck_assert_msg(mch_program_folder_input(f, image, mem, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_program_folder_golden(f, image, golden, &err) == 0, "%s", err.text);
	if (mch_program_folder_differs(f, golden, mem, &at)) /* before the run */
		ck_assert_int_ne(at.tensor, f->input);
	run_parts(f, mem, room, golden);
	ck_assert(!mch_program_folder_differs(f, golden, mem, &at));
	ck_assert_int_eq(memcmp(golden, mem, n_bytes), 0);
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
	FILE *stream = fopen(path, "w");
	ck_assert_int_eq(json_dumpf(root, stream, JSON_INDENT(MCH_PROGRAM_JSON_INDENT) | JSON_ENSURE_ASCII), 0);
	fputc('\n', stream);
	fclose(stream);
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

/* Any network: with steps of the host, and with weights that are powers of two. */
static int run_random(uint64_t seed)
{
	static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct mch_rng rng = mch_rng_seed(seed);
	const bool is_shift = seed % 3 == 0;
	const struct random_format format = {.in_bits_max = 8, .weight_bits_max = 8};
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_program_folder f;
	char dir[128];
	if (is_shift) {
		random_net(&rng, &net);
		random_quant(&rng, &format, &net, &quant);
	} else {
		random_graph(&rng, &net);
		random_graph_quant(&rng, &format, &net, &quant);
	}
	for (int i = 0; is_shift && i < net.n_layers; i++) {
		quant.layer[i].weights.number = MCH_POW2;
		quant.layer[i].weights.bits = 2 + (int)mch_rng_below(&rng, 3);
		quant.layer[i].acc.bits = 0;
	}
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	const size_t n_in = mch_shape_elems(net.edges[q.input].shape);
	int32_t *codes = malloc(n_in * sizeof(*codes));
	for (size_t i = 0; i < n_in; i++)
		codes[i] = random_code(&rng, q.input_format);
	struct mch_program_export e = {
		.q = &q, .cfg = {.rows = 8, .cols = 8, .mem_bits = 64 << mch_rng_below(&rng, 3), .x_words = 2048,
				 .w_words = 2048, .mult = is_shift ? MCH_MULT_SHIFT : MCH_MULT_INTEGER,
				 .round = q.steps[0].requant.round},
		.n_images = 1, .codes = codes, .net_file = "net", .quant_file = "quant", .net_hash = hash,
		.quant_hash = hash};
	mch_program_widths(&q, &e.cfg);
	snprintf(dir, sizeof(dir), "%s/random", fixture.folder);
	const int status = mch_program_export(&e, dir, false, &summary, &err);
	if (status == 0) {
		ck_assert_msg(mch_program_folder_read(&f, dir, &err) == 0, "%s", err.text);
		ck_assert_int_eq(f.cfg.mult, e.cfg.mult);
		ck_assert_int_eq(f.label[0], -1);
		run(&f, 0);
		mch_program_folder_free(&f);
	} else { /* no strip fits: nothing else may go wrong */
		ck_assert_msg(strstr(err.text, "; build a larger buffer") != NULL, "seed %llu: %s",
			      (unsigned long long)seed, err.text);
	}
	free(codes);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
	return status == 0;
}

START_TEST(networks)
{
	int n = 0;
	export();
	for (uint64_t seed = 1; seed <= 60; seed++)
		n += run_random(seed);
	ck_assert_int_gt(n, 40);
	ck_assert_int_gt(n_hosts, 10);
	fixture_free(&fixture);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {images, damage, values, networks};
	return CHECK_SUITE("program_folder", tests);
}

int main(void)
{
	return check_main(suite);
}
