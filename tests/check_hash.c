/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* SHA-256 of texts, files and networks: known digests, and a change of anything that counts. */
#include "check_main.h"

#include <string.h>

#include "io/hash.h"
#include "small_net.h"
#include "temp.h"

/* From FIPS 180-4's examples. */
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

START_TEST(agrees_with_the_standard)
{
	struct mch_hash hash;
	char hex[MCH_HASH_HEX];
	mch_hash_begin(&hash);
	mch_hash_end(&hash, hex);
	ck_assert_str_eq(hex, of_nothing);
	mch_hash_begin(&hash);
	mch_hash_bytes(&hash, "a", 1);
	mch_hash_bytes(&hash, "bc", 2);
	mch_hash_end(&hash, hex);
	ck_assert_str_eq(hex, of_abc);
}
END_TEST

START_TEST(feeds_the_same_bytes_on_every_machine)
{
	struct mch_hash hash;
	char hex[MCH_HASH_HEX], want[MCH_HASH_HEX];
	float values[300];
	uint8_t bytes[8 + 4 * 300];
	const uint8_t number[8] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		      one_and_half[4] = {0, 0, 0xc0, 0x3f};
	for (int i = 0; i < 300; i++) {
		values[i] = 1.5f;
		memcpy(bytes + 8 + 4 * i, one_and_half, 4);
	}
	memcpy(bytes, number, 8);
	mch_hash_begin(&hash);
	mch_hash_int(&hash, -2);
	mch_hash_f32(&hash, values, 300);
	mch_hash_end(&hash, hex);
	mch_hash_begin(&hash);
	mch_hash_bytes(&hash, bytes, sizeof(bytes));
	mch_hash_end(&hash, want);
	ck_assert_str_eq(hex, want);
}
END_TEST

START_TEST(separates_texts)
{
	struct mch_hash hash;
	char one[MCH_HASH_HEX], two[MCH_HASH_HEX];
	mch_hash_begin(&hash);
	mch_hash_text(&hash, "ab");
	mch_hash_text(&hash, "c");
	mch_hash_end(&hash, one);
	mch_hash_begin(&hash);
	mch_hash_text(&hash, "a");
	mch_hash_text(&hash, "bc");
	mch_hash_end(&hash, two);
	ck_assert_str_ne(one, two);
}
END_TEST

START_TEST(hashes_files)
{
	struct temp temp;
	struct mch_err err = {""};
	char hex[MCH_HASH_HEX];
	temp_open(&temp);
	ck_assert_int_eq(mch_hash_file(temp_write(&temp, "abc", "abc", 3), hex, &err), 0);
	ck_assert_str_eq(hex, of_abc);
	ck_assert_int_eq(mch_hash_file(temp_path(&temp, "none"), hex, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "none: cannot be read (No such file or directory)"));
	ck_assert_int_eq(mch_hash_file(temp.dir, hex, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot be read (Is a directory)"));
	temp_close(&temp);
}
END_TEST

/* Each changes one thing of the small network. The result says whether the hash must change. */
static bool change_weight(struct mch_net *net)
{
	net->layers[0].weights[3] += 1e-6f;
	return true;
}

static bool change_bias(struct mch_net *net)
{
	net->layers[0].bias[3] = 0;
	return true;
}

static bool drop_bias(struct mch_net *net)
{
	free(net->layers[0].bias);
	net->layers[0].bias = NULL;
	net->layers[0].n_bias = 0;
	return true;
}

static bool change_scale(struct mch_net *net)
{
	net->transform.scale = 0.5;
	return true;
}

static bool change_pad(struct mch_net *net)
{
	net->layers[0].conv.pad_left = 1;
	return true;
}

static bool change_ceil(struct mch_net *net)
{
	net->layers[2].pool.ceil_mode = false;
	return true;
}

static bool change_kind(struct mch_net *net)
{
	net->layers[1].kind = MCH_DROPOUT;
	return true;
}

static bool change_wire(struct mch_net *net)
{
	net->layers[3].in[0] = net->layers[1].out[0];
	return true;
}

static bool change_names(struct mch_net *net)
{
	strcpy(net->name, "other");
	strcpy(net->layers[0].name, "CONV1");
	strcpy(net->edges[0].name, "DATA");
	return false;
}

static bool (*const changes[])(struct mch_net *net) = {change_weight, change_bias, drop_bias,
						       change_scale,  change_pad,  change_ceil,
						       change_kind,   change_wire, change_names};

START_TEST(tells_networks_apart)
{
	struct mch_net net;
	char before[MCH_HASH_HEX], after[MCH_HASH_HEX];
	small_net(&net);
	mch_hash_net(&net, before);
	mch_hash_net(&net, after);
	ck_assert_str_eq(before, after);
	const bool differs = changes[_i](&net);
	mch_hash_net(&net, after);
	ck_assert_int_eq(strcmp(before, after) != 0, differs);
	mch_net_free(&net);
}
END_TEST

/* One layer of every kind that small_net() has not, with everything that can be told of it. */
static void all_kinds_net(struct mch_net *net)
{
	mch_net_init(net);
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 2, 4, 4}, NULL);
	const int second = mch_net_add_edge(net, "more", (struct mch_shape){1, 2, 4, 4}, NULL);
	static const enum mch_kind kinds[] = {MCH_DECONV, MCH_CLIP, MCH_LEAKY_RELU, MCH_PRELU, MCH_LRN,
					      MCH_BATCH_NORM, MCH_SCALE, MCH_TRANSPOSE, MCH_RESHAPE, MCH_PAD};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		small_net_add(net, "one", kinds[i]);
	net->layers[0].conv = (struct mch_conv){.k = 2, .r = 1, .s = 1, .stride_h = 2, .stride_w = 2, .dilation_h = 1,
						.dilation_w = 1, .groups = 1};
	net->layers[1].clip.high = 6;
	net->layers[2].slope = 0.5;
	net->layers[4].lrn = (struct mch_lrn){3, 1, 0.75, 2, false};
	net->layers[5].norm.epsilon = 1e-5;
	memcpy(net->layers[7].order, (const int[]){0, 2, 1}, sizeof(net->layers[7].order));
	net->layers[8].shape = (struct mch_shape){1, 1, 7, 14};
	ck_assert_int_eq(mch_gather_alloc(&net->layers[9].gather, 2, 4, 4, NULL), 0);
	memcpy(net->layers[9].gather.at, (const int[]){0, -1, 0, 1, 2, 3, 4, 5, 6, 7}, 10 * sizeof(int));
	const int in[3] = {net->layers[9].out[0], second, net->input};
	ck_assert_int_eq(mch_net_append(net, "sum", MCH_SUM, 3, in, NULL, NULL), 10);
	ck_assert_int_eq(mch_net_append(net, "concat", MCH_CONCAT, 2, in + 1, NULL, NULL), 11);
	net->layers[11].axis = 1;
	ck_assert_int_eq(mch_net_append(net, "constant", MCH_CONSTANT, 0, NULL, NULL, NULL), 12);
	net->layers[12].shape = (struct mch_shape){1, 1, 2, 1};
	net->layers[12].weights = calloc(2, sizeof(float));
	net->layers[12].n_weights = 2;
	net->layers[10].weights = calloc(3, sizeof(float));
	net->layers[10].n_weights = 3;
	struct mch_err err = {""};
	ck_assert_msg(mch_net_infer(net, &err) == 0, "%s", err.text);
	small_net_fill(net, 7);
}

/* A field of the network, and another value for it. */
struct field {
	enum { INT, REAL, FLOAT } type;
	void *at;
	double value;
};

enum { N_FIELDS_MAX = 64 };

static int fields_of_layers(struct mch_layer *l, struct field *fields)
{
	const struct field all[] = {
		{INT, &l[0].out_pad_h, 1},        {INT, &l[0].conv.stride_w, 3},  {FLOAT, &l[1].clip.low, -1},
		{FLOAT, &l[1].clip.high, 5},      {REAL, &l[2].slope, 0.25},      {FLOAT, &l[3].weights[1], 9},
		{INT, &l[4].lrn.size, 4},         {REAL, &l[4].lrn.alpha, 2},     {REAL, &l[4].lrn.beta, 2},
		{REAL, &l[4].lrn.k, 3},           {REAL, &l[5].norm.epsilon, 1},  {FLOAT, &l[5].weights[1], 4},
		{FLOAT, &l[5].mean[1], 4},        {FLOAT, &l[5].variance[0], 4},  {INT, &l[6].kind, MCH_PRELU},
		{INT, &l[7].order[1], 1},         {INT, &l[7].order[2], 2},       {INT, &l[8].shape.h, 14},
		{INT, &l[8].shape.w, 7},          {INT, &l[9].gather.at[7], -1},  {FLOAT, &l[9].gather.fill, 1},
		{INT, &l[9].kind, MCH_UPSAMPLE},  {FLOAT, &l[10].weights[2], 1},  {INT, &l[10].kind, MCH_PROD},
		{INT, &l[10].in[1], 0},           {INT, &l[11].axis, 2},          {FLOAT, &l[12].weights[1], 1},
		{INT, &l[12].shape.h, 1},         {INT, &l[12].shape.w, 2},
	};
	memcpy(fields, all, sizeof(all));
	return (int)(sizeof(all) / sizeof(all[0]));
}

static int fields_of_inputs(struct mch_net *net, struct field *fields)
{
	struct mch_transform *t = &net->transform;
	const struct field all[] = {
		{INT, &t->n_mean, 1},  {FLOAT, &t->mean[0], 3}, {INT, &t->n_std, 1},
		{FLOAT, &t->std[0], 3}, {FLOAT, &t->mean_image[31], 3}, {INT, &net->edges[1].shape.w, 5},
	};
	memcpy(fields, all, sizeof(all));
	return (int)(sizeof(all) / sizeof(all[0]));
}

static void change(const struct field *field)
{
	const int whole = (int)field->value;
	const float single = (float)field->value;
	if (field->type == INT)
		memcpy(field->at, &whole, sizeof(whole));
	else if (field->type == FLOAT)
		memcpy(field->at, &single, sizeof(single));
	else
		memcpy(field->at, &field->value, sizeof(field->value));
}

/* Field after field changes, and every time the hash is one that was not seen before. */
START_TEST(tells_every_field)
{
	char seen[N_FIELDS_MAX + 4][MCH_HASH_HEX];
	struct field fields[N_FIELDS_MAX];
	struct mch_net net;
	all_kinds_net(&net);
	mch_hash_net(&net, seen[0]);
	net.transform.is_bgr = true;
	mch_hash_net(&net, seen[1]);
	net.layers[4].lrn.is_within = true;
	mch_hash_net(&net, seen[2]);
	net.layers[4].lrn.is_within = false;
	net.transform.mean_c = 2, net.transform.mean_h = 4, net.transform.mean_w = 4;
	net.transform.mean_image = calloc(32, sizeof(float));
	mch_hash_net(&net, seen[3]);
	int n_fields = fields_of_layers(net.layers, fields);
	n_fields += fields_of_inputs(&net, fields + n_fields);
	for (int f = 0; f < n_fields; f++) {
		change(&fields[f]);
		mch_hash_net(&net, seen[f + 4]);
		for (int i = 0; i < f + 4; i++)
			ck_assert_msg(strcmp(seen[i], seen[f + 4]) != 0, "change %d leaves the hash as it was", f);
	}
	mch_net_free(&net);
}
END_TEST

START_TEST(a_sum_of_ones_is_a_plain_sum)
{
	struct mch_net net;
	char plain[MCH_HASH_HEX], ones[MCH_HASH_HEX];
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 2, 4, 4}, NULL);
	ck_assert_int_eq(mch_net_append(&net, "sum", MCH_SUM, 2, (const int[]){0, 0}, NULL, NULL), 0);
	ck_assert_int_eq(mch_net_infer(&net, NULL), 0);
	mch_hash_net(&net, plain);
	net.layers[0].n_weights = 2;
	net.layers[0].weights = calloc(2, sizeof(float));
	net.layers[0].weights[0] = net.layers[0].weights[1] = 1;
	mch_hash_net(&net, ones);
	ck_assert_str_eq(plain, ones);
	net.layers[0].weights[1] = -1;
	mch_hash_net(&net, ones);
	ck_assert_str_ne(plain, ones);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("hash");
	TCase *cases = tcase_create("hash");
	tcase_add_test(cases, agrees_with_the_standard);
	tcase_add_test(cases, feeds_the_same_bytes_on_every_machine);
	tcase_add_test(cases, separates_texts);
	tcase_add_test(cases, hashes_files);
	tcase_add_loop_test(cases, tells_networks_apart, 0, sizeof(changes) / sizeof(changes[0]));
	tcase_add_test(cases, tells_every_field);
	tcase_add_test(cases, a_sum_of_ones_is_a_plain_sum);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
