/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato export: what hardware gets of a quantized network, in one folder. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/export_program.h"
#include "cli/load.h"
#include "io/accel_write.h"
#include "io/file.h"
#include "io/hash.h"
#include "io/quant_json.h"
#include "net/lower.h"
#include "tensor/mem_form.h"

enum { VECTORS_MAX = 1000000, IMAGES_DEFAULT = 20, IMAGES_MAX = 1000000 };

struct arguments {
	struct mch_net_options net;
	struct mch_data_options data;
	const char *quant, *out;
	struct mch_accel_array array;
	int n_vectors, n_images; /* n_images < 0: not given */
	uint32_t seed;
	struct mch_build_options build;
	bool force, json, is_program;
	unsigned forms; /* of memory images: 1 << enum mch_mem_form */
};

enum { KEY_ARRAY = 256, KEY_VECTORS, KEY_FORCE, KEY_PROGRAM, KEY_ALSO };

static struct mch_accel_array parse_array(const char *text)
{
	struct mch_accel_array array;
	int used = 0;
	/* Digits and one x: no sign, no space, no letter behind. */
	if (strspn(text, "0123456789x") != strlen(text) || strlen(text) > 7 ||
	    sscanf(text, "%dx%d%n", &array.rows, &array.cols, &used) != 2 || text[used] || array.rows < 1 ||
	    array.rows > MCH_ACCEL_SIDE_MAX || array.cols < 1 || array.cols > MCH_ACCEL_SIDE_MAX)
		mch_cmd_fail("--array", "\"%.60s\" is no size from 1x1 to %dx%d; give rows x columns, as in 16x16",
			     text, MCH_ACCEL_SIDE_MAX, MCH_ACCEL_SIDE_MAX);
	return array;
}

/* "hex,mif" */
static unsigned parse_forms(const char *text)
{
	unsigned forms = 0;
	for (const char *part = text; *part || part == text;) {
		const size_t n = strcspn(part, ",");
		int i = 0;
		while (i < MCH_MEM_N_FORMS && (strlen(mch_mem_form_name((enum mch_mem_form)i)) != n ||
					       strncmp(part, mch_mem_form_name((enum mch_mem_form)i), n) != 0))
			i++;
		if (i == MCH_MEM_N_FORMS)
			mch_cmd_fail("--also", "\"%.60s\" is no list of hex, coe, mif and bin; give those that your tools read", text);
		forms |= 1u << i;
		part += n + (part[n] == ',');
	}
	return forms;
}

static void take_file(struct arguments *args, const char *text)
{
	if (!args->net.path)
		args->net.path = text;
	else if (!args->quant)
		args->quant = text;
	else
		mch_cmd_fail(text, "a network and a quantization are expected; give no more");
}

static void check_complete(const struct arguments *args)
{
	if (!args->quant)
		mch_cmd_fail("Q.json", "no quantization given; give the result of `macchiato quantize`");
	if (!args->out)
		mch_cmd_fail("--output", "no folder given; name the one to write, as in -o accel");
	if (args->n_images >= 0 && !args->data.path && !args->is_program)
		mch_cmd_fail("--images", "there are none without --data; give the folder or file of the images");
	if (args->build.is_given && !args->is_program)
		mch_cmd_fail("--program", "options of the accelerator say nothing without it; give it too");
	if (args->forms && args->is_program)
		mch_cmd_fail("--also", "a program has its memory in one form; leave it out");
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct arguments *args = state->input;
	switch (key) {
	case 'o':
		args->out = text;
		return 0;
	case 'n':
		args->n_images = (int)mch_cmd_integer("--images", text, 1, IMAGES_MAX);
		return 0;
	case KEY_ARRAY:
		args->array = parse_array(text);
		return 0;
	case KEY_VECTORS:
		args->n_vectors = (int)mch_cmd_integer("--vectors", text, 1, VECTORS_MAX);
		return 0;
	case 's':
		args->seed = (uint32_t)mch_cmd_integer("--seed", text, 0, UINT32_MAX);
		args->data.seed = args->seed;
		return 0;
	case KEY_PROGRAM:
		args->is_program = true;
		return 0;
	case KEY_ALSO:
		args->forms = parse_forms(text);
		return 0;
	case KEY_FORCE:
		args->force = true;
		return 0;
	case 'j':
		args->json = true;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &args->net;
		state->child_inputs[1] = &args->build;
		state->child_inputs[2] = &args->data;
		return 0;
	case ARGP_KEY_ARG:
		take_file(args, text);
		return 0;
	case ARGP_KEY_END:
		check_complete(args);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"output", 'o', "DIR", 0, "Folder to write; an earlier export there is replaced", 0},
	{"images", 'n', "N", 0, "Test images of --data that go along, and give the vectors (default 20, or all)", 0},
	{"array", KEY_ARRAY, "RxC", 0, "Rows and columns of the MAC array (default 16x16)", 0},
	{"vectors", KEY_VECTORS, "N", 0, "Golden vectors of each layer (default 64)", 0},
	{"seed", 's', "N", 0, "Of the choice of vectors, and of --shuffle (default 1)", 0},
	{"program", KEY_PROGRAM, NULL, 0, "Write a program of the accelerator mch_top instead, with its memory "
	 "before and after each image (default 1; noise without --data)", 0},
	{"also", KEY_ALSO, "FORMS", 0, "Memory images in these forms, too: hex, coe, mif, bin", 0},
	{"force", KEY_FORCE, NULL, 0, "Replace DIR though it is no export (never one that holds folders)", 0},
	{"json", 'j', NULL, 0, "Print JSON instead of text", 0},
	{0},
};
static const struct argp_child children[] = {{&mch_net_argp, 0, NULL, 0}, {&mch_build_argp, 0, NULL, 0},
					     {&mch_data_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {options, parse_option, "NET Q.json -o DIR",
				 "Writes what hardware gets of a quantized network: C and Verilog headers, memory "
				 "images, golden vectors, and a manifest that ties them together.",
				 children, NULL, NULL};

/* The first test images as codes of the network's input. */
struct test_images {
	struct mch_dataset data;
	int32_t *codes; /* [n][c][h][w] */
	int n;
};

static int load_images(const struct arguments *args, const struct mch_qnet *q, struct test_images *test,
		       struct mch_err *err)
{
	const struct mch_shape want = q->net->edges[q->net->input].shape;
	const int usual = args->is_program ? 1 : IMAGES_DEFAULT;
	const long n_wanted = args->n_images < 0 ? usual : args->n_images;
	if (mch_load_data(&args->data, args->data.path, "test", q->net, n_wanted, &test->data, err) != 0 ||
	    (!args->is_program && mch_load_require_labels(&test->data, q->net, err) != 0))
		return -1;
	test->n = args->n_images;
	if (test->n < 0) /* not asked for: a small data set goes along whole */
		test->n = test->data.n_images < usual ? test->data.n_images : usual;
	if (test->n > test->data.n_images)
		return mch_err_set(err, args->data.path, "has %d test images, --images asks for %d; ask for fewer",
				   test->data.n_images, test->n);
	test->codes = malloc((size_t)test->n * mch_shape_elems(want) * sizeof(*test->codes));
	if (!test->codes)
		return mch_err_set(err, args->data.path, "no memory for %d images; ask for fewer", test->n);
	return mch_dataset_raw(&test->data, 0, test->n, q->input_format, test->codes, err);
}

static void report(const struct arguments *args, int n_images, const struct mch_accel_summary *s)
{
	if (args->json) {
		printf("{\"config_hash\": \"%s\", \"array\": \"%dx%d\", \"layers\": %d, \"vectors\": %" PRIu64
		       ", \"images\": %d, \"right\": %d, \"files\": %d, \"bytes\": %" PRIu64 "}\n",
		       s->config_hash, args->array.rows, args->array.cols, s->n_layers, s->n_vectors, n_images,
		       s->n_right, s->n_files, s->n_bytes);
		return;
	}
	printf("folder      %s: %d files, %" PRIu64 " bytes\n", args->out, s->n_files, s->n_bytes);
	printf("config      %s\n", s->config_hash);
	printf("array       %dx%d, %d layers\n", args->array.rows, args->array.cols, s->n_layers);
	printf("vectors     %" PRIu64 ", %s\n", s->n_vectors,
	       n_images ? "from test images" : "synthetic operands alone: give --data for real ones");
	if (n_images)
		printf("images      %d, of which the exact model gets %d right\n", n_images, s->n_right);
}

static int export(const struct arguments *args, const struct mch_net *net, struct mch_quant *quant,
		  struct mch_err *err)
{
	struct mch_qnet q;
	struct test_images test = {.n = 0};
	struct mch_accel_summary summary;
	char net_hash[MCH_HASH_HEX], quant_hash[MCH_HASH_HEX];
	if (mch_qnet_build(&q, net, quant, err) != 0)
		return -1;
	mch_hash_net(net, net_hash);
	int status = mch_hash_file(args->quant, quant_hash, err);
	if (status == 0 && args->data.path)
		status = load_images(args, &q, &test, err);
	if (status == 0 && args->is_program) {
		struct mch_program_export e = {
			.q = &q, .n_images = test.codes ? test.n : args->n_images < 0 ? 1 : args->n_images,
			.codes = test.codes, .labels = test.data.labels,
			.net_file = mch_file_name(args->net.path), .quant_file = mch_file_name(args->quant),
			.net_hash = net_hash, .quant_hash = quant_hash,
		};
		const struct mch_export_program job = {
			.build = args->build, .rows = args->array.rows, .cols = args->array.cols, .out = args->out,
			.force = args->force, .json = args->json, .seed = args->seed,
		};
		status = mch_export_program(&job, &e, err);
	} else if (status == 0) {
		const struct mch_accel_export e = {
			.q = &q, .array = args->array, .n_vectors = args->n_vectors, .seed = args->seed, .forms = args->forms,
			.n_images = test.n, .codes = test.codes, .labels = test.data.labels,
			.net_file = mch_file_name(args->net.path), .quant_file = mch_file_name(args->quant),
			.net_hash = net_hash, .quant_hash = quant_hash,
		};
		status = mch_accel_export(&e, args->out, args->force, &summary, err);
	}
	if (status == 0 && !args->is_program)
		report(args, test.n, &summary);
	free(test.codes);
	mch_dataset_free(&test.data);
	mch_qnet_free(&q);
	return status;
}

int mch_cmd_export(int argc, char **argv, struct mch_err *err)
{
	struct arguments args = {
		.data = mch_data_options_usual(), .build = mch_build_options_usual(), .array = {16, 16},
		.n_vectors = 64, .n_images = -1, .seed = 1};
	struct mch_net net;
	struct mch_quant quant;
	mch_cmd_parse(&argp, argc, argv, &args);
	if (mch_load_net(&args.net, &args.data, &net, NULL, err) != 0)
		return MCH_EXIT_FAILED;
	int status = mch_net_lower(&net, err);
	if (status == 0)
		status = mch_quant_json_read(args.quant, &net, &quant, NULL, err);
	if (status == 0) {
		status = export(&args, &net, &quant, err);
		mch_quant_free(&quant);
	}
	mch_net_free(&net);
	return status == 0 ? MCH_EXIT_OK : MCH_EXIT_FAILED;
}
