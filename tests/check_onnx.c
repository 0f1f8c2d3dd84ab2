/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX: what is written reads back the same, bytes are the same each time, and no damage does more than an error. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "io/hash.h"
#include "io/onnx.pb-c.h"
#include "io/onnx_read.h"
#include "io/onnx_write.h"
#include "small_net.h"
#include "temp.h"

static struct temp temp;

static void setup(void)
{
	temp_open(&temp);
}

static void teardown(void)
{
	temp_close(&temp);
}

/* The bytes of the small network's file. */
static char *small_bytes(size_t *n_bytes)
{
	struct mch_net net;
	struct mch_err err = {""};
	small_net(&net);
	ck_assert_msg(mch_onnx_write(temp_path(&temp, "a.onnx"), &net, &err) == 0, "%s", err.text);
	mch_net_free(&net);
	return temp_read(temp.path, n_bytes);
}

static void expect_same(const struct mch_net *a, const struct mch_net *b)
{
	ck_assert_str_eq(a->name, b->name);
	ck_assert(a->transform.scale == b->transform.scale);
	ck_assert_int_eq(a->n_layers, b->n_layers);
	ck_assert_int_eq(a->n_edges, b->n_edges);
	ck_assert(a->input == b->input && a->output == b->output);
	for (int e = 0; e < a->n_edges; e++) {
		ck_assert_str_eq(a->edges[e].name, b->edges[e].name);
		ck_assert_mem_eq(&a->edges[e].shape, &b->edges[e].shape, sizeof(struct mch_shape));
		ck_assert_int_eq(a->edges[e].producer, b->edges[e].producer);
	}
	for (int i = 0; i < a->n_layers; i++) {
		const struct mch_layer *x = &a->layers[i], *y = &b->layers[i];
		ck_assert_str_eq(x->name, y->name);
		ck_assert_int_eq(x->kind, y->kind);
		ck_assert(x->in[0] == y->in[0] && x->out[0] == y->out[0]);
		ck_assert(x->n_weights == y->n_weights && x->n_bias == y->n_bias);
		if (x->kind == MCH_CONV || x->kind == MCH_DENSE)
			ck_assert_mem_eq(&x->conv, &y->conv, sizeof(x->conv));
		if (x->n_weights > 0)
			ck_assert_mem_eq(x->weights, y->weights, x->n_weights * sizeof(float));
		if (x->n_bias > 0)
			ck_assert_mem_eq(x->bias, y->bias, x->n_bias * sizeof(float));
	}
	char hash_a[MCH_HASH_HEX], hash_b[MCH_HASH_HEX];
	mch_hash_net(a, hash_a); /* pools too */
	mch_hash_net(b, hash_b);
	ck_assert_str_eq(hash_a, hash_b);
}

START_TEST(reads_back_the_same)
{
	struct mch_net net, back;
	struct mch_err err = {""};
	small_net(&net);
	ck_assert_msg(mch_onnx_write(temp_path(&temp, "a.onnx"), &net, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_onnx_read(temp.path, &back, &err) == 0, "%s", err.text);
	expect_same(&net, &back);
	mch_net_free(&net);
	mch_net_free(&back);
}
END_TEST

/* Too large for one file: the weights go into another. */
START_TEST(writes_two_files)
{
	struct mch_net net, back;
	struct mch_err err = {""};
	small_net(&net);
	const int wide = small_net_add(&net, "wide", MCH_DENSE);
	net.layers[wide].conv = mch_dense_geometry(1, 3, 500); /* 6000 bytes */
	net.output = -1;
	ck_assert_int_eq(mch_net_infer(&net, &err), 0);
	small_net_fill(&net, 2);
	ck_assert_msg(mch_onnx_write_limited(temp_path(&temp, "a.onnx"), &net, 5000, &err) == 0, "%s", err.text);
	ck_assert_int_eq(temp_count(&temp), 2);
	ck_assert_msg(mch_onnx_read(temp.path, &back, &err) == 0, "%s", err.text);
	expect_same(&net, &back);
	mch_net_free(&back);
	ck_assert_int_eq(mch_onnx_write_limited(temp.path, &net, 100, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "over 100 bytes without its weights"));
	mch_net_free(&net);
}
END_TEST

START_TEST(writes_the_same_bytes)
{
	size_t n_a, n_b;
	char *a = small_bytes(&n_a), *b = small_bytes(&n_b);
	ck_assert_uint_eq(n_a, n_b);
	ck_assert_mem_eq(a, b, n_a);
	free(a);
	free(b);
}
END_TEST

START_TEST(leaves_no_partial_file)
{
	struct mch_net net;
	struct mch_err err = {""};
	small_net(&net);
	free(net.layers[4].weights);
	net.layers[4].weights = NULL;
	ck_assert_int_eq(mch_onnx_write(temp_path(&temp, "a.onnx"), &net, &err), -1);
	ck_assert_str_eq(err.text, "small: layer conv2 has no weights; give a trained network (.onnx), or train this "
				   "one first");
	ck_assert_int_eq(temp_count(&temp), 0);
	mch_net_free(&net);
	small_net(&net);
	ck_assert_int_eq(mch_onnx_write(temp_path(&temp, "none/a.onnx"), &net, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "none/a.onnx: cannot be written (No such file or directory)"));
	mch_net_free(&net);
}
END_TEST

/* A net that was read is whole: finite weights, all shapes, an output; one that was not has left a message. */
static int try_parse(const void *bytes, size_t n_bytes)
{
	struct mch_net net;
	struct mch_err err = {""};
	if (mch_onnx_parse("a.onnx", bytes, n_bytes, &net, &err) != 0) {
		ck_assert(strncmp(err.text, "a.onnx: ", 8) == 0);
		ck_assert_ptr_null(net.layers);
		return 0;
	}
	ck_assert(net.output > 0 && net.output < net.n_edges && net.n_layers > 0);
	ck_assert_int_eq(mch_net_require_weights(&net, NULL), 0);
	for (int i = 0; i < net.n_layers; i++)
		for (size_t j = 0; net.layers[i].weights && j < net.layers[i].n_weights; j++)
			ck_assert(isfinite(net.layers[i].weights[j]));
	mch_net_free(&net);
	return 1;
}

START_TEST(survives_truncation)
{
	size_t n_bytes;
	char *bytes = small_bytes(&n_bytes);
	int n_read = 0;
	for (size_t n = 0; n < n_bytes; n++) {
		/* A copy of its own size: a sanitizer sees the first byte read behind it. */
		char *cut = malloc(n ? n : 1);
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, bytes, n);
		n_read += try_parse(cut, n);
		free(cut);
	}
	/* Only cuts behind the graph may give a net: those that lose nothing but the metadata. */
	ck_assert_int_le(n_read, 2);
	ck_assert_int_eq(try_parse(bytes, n_bytes), 1);
	free(bytes);
}
END_TEST

START_TEST(survives_flipped_bits)
{
	size_t n_bytes;
	char *bytes = small_bytes(&n_bytes), *bad = malloc(n_bytes);
	struct mch_rng rng = mch_rng_seed(7);
	int n_read = 0;
	ck_assert_ptr_nonnull(bad);
	for (int i = 0; i < 20000; i++) {
		memcpy(bad, bytes, n_bytes);
		for (uint32_t n = 1 + mch_rng_below(&rng, 4); n > 0; n--)
			bad[mch_rng_below(&rng, (uint32_t)n_bytes)] ^= (char)(1 << mch_rng_below(&rng, 8));
		n_read += try_parse(bad, n_bytes);
	}
	/* Both happen: flips in weights leave a net, flips in structure do not. */
	ck_assert(n_read > 1000 && n_read < 19000);
	free(bytes);
	free(bad);
}
END_TEST

/* The model is opened as messages, one thing is changed, and it is packed again. */
static void refuse(void (*change)(MchOnnx__ModelProto *model), const char *message)
{
	size_t n_bytes;
	char *bytes = small_bytes(&n_bytes);
	MchOnnx__ModelProto *model = mch_onnx__model_proto__unpack(NULL, n_bytes, (const uint8_t *)bytes);
	ck_assert_ptr_nonnull(model);
	change(model);
	uint8_t *packed = malloc(mch_onnx__model_proto__get_packed_size(model));
	ck_assert_ptr_nonnull(packed);
	const size_t n = mch_onnx__model_proto__pack(model, packed);
	struct mch_net net;
	struct mch_err err = {""};
	const int status = mch_onnx_parse("a.onnx", packed, n, &net, &err);
	if (message) {
		ck_assert_int_eq(status, -1);
		ck_assert_str_eq(err.text, message);
	} else {
		ck_assert_msg(status == 0, "%s", err.text);
		mch_net_free(&net);
	}
	free(packed);
	free(bytes);
	mch_onnx__model_proto__free_unpacked(model, NULL);
}

static void set_text(char **text, const char *to)
{
	if (*text != protobuf_c_empty_string)
		free(*text);
	*text = strdup(to);
}

static void two_unknown(MchOnnx__ModelProto *m)
{
	set_text(&m->graph->node[1]->op_type, "Loop");
	set_text(&m->graph->node[4]->op_type, "Loop");
	set_text(&m->graph->node[7]->domain, "com.acme");
}

static void old_opset(MchOnnx__ModelProto *m)
{
	m->opset_import[0]->version = 0;
}

static void open_height(MchOnnx__ModelProto *m)
{
	m->graph->input[0]->type->tensor_type->shape->dim[2]->dim_value = 0;
}

static void missing_weight(MchOnnx__ModelProto *m)
{
	m->graph->initializer[0]->raw_data.len -= 4;
}

static void not_finite(MchOnnx__ModelProto *m)
{
	const uint8_t nan_bytes[] = {0, 0, 0xc0, 0x7f};
	memcpy(m->graph->initializer[0]->raw_data.data + 8, nan_bytes, 4);
}

static void external(MchOnnx__ModelProto *m)
{
	m->graph->initializer[0]->data_location = 1;
}

static void huge_dims(MchOnnx__ModelProto *m)
{
	m->graph->initializer[0]->dims[1] = INT64_C(1) << 62;
}

static void unknown_attribute(MchOnnx__ModelProto *m)
{
	set_text(&m->graph->node[0]->attribute[0]->name, "speed");
}

static void negative_pad(MchOnnx__ModelProto *m)
{
	m->graph->node[0]->attribute[3]->ints[0] = -1;
}

static void wrong_input(MchOnnx__ModelProto *m)
{
	set_text(&m->graph->node[1]->input[0], "nowhere");
}

static void same_output(MchOnnx__ModelProto *m)
{
	set_text(&m->graph->node[1]->output[0], "conv1");
}

static void wrong_output(MchOnnx__ModelProto *m)
{
	set_text(&m->graph->output[0]->name, "data");
}

static void wrong_scale(MchOnnx__ModelProto *m)
{
	set_text(&m->metadata_props[0]->value, "-1");
}

static void other_groups(MchOnnx__ModelProto *m)
{
	m->graph->node[0]->attribute[1]->i = 1;
}

static void softmax_axis(MchOnnx__ModelProto *m)
{
	m->graph->node[11]->attribute[0]->i = 0;
}

static void bias_of_two(MchOnnx__ModelProto *m)
{
	m->graph->initializer[1]->dims[0] = 2;
	m->graph->initializer[1]->raw_data.len = 8;
}

static void fixed_batch(MchOnnx__ModelProto *m)
{
	MchOnnx__TensorShapeProto__Dimension *n = m->graph->input[0]->type->tensor_type->shape->dim[0];
	free(n->dim_param);
	n->value_case = MCH_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
	n->dim_value = 64;
}

static void same_opset_name(MchOnnx__ModelProto *m)
{
	set_text(&m->opset_import[0]->domain, "ai.onnx");
}

static const struct {
	void (*change)(MchOnnx__ModelProto *model);
	const char *message; /* NULL: still a network */
} changes[] = {
	{two_unknown,
	 "a.onnx: not supported: Loop (relu1, pool2), com.acme.Gemm (fc1); replace these, or cut the network before "
	 "them"},
	{old_opset, "a.onnx: operator set 0, 1 or newer is expected; export the model again"},
	{open_height,
	 "a.onnx: input \"data\": dimension 2 is open or out of range, only the batch may be; export the model with "
	 "a fixed size"},
	{missing_weight,
	 "a.onnx: node conv1 (Conv): tensor \"conv1.weight\": 24 elements expected, 23 found; the file is "
	 "damaged, export it again"},
	{not_finite,
	 "a.onnx: node conv1 (Conv): tensor \"conv1.weight\": element 2 is infinite or no number; train the model "
	 "again"},
	{external,
	 "a.onnx: node conv1 (Conv): tensor \"conv1.weight\": its file \"\" is not below the model's "
	 "folder; put it there, and name it so"},
	{huge_dims, "a.onnx: node conv1 (Conv): its weights \"conv1.weight\" have a dimension of "
		    "4611686018427387904; change the "
		    "layer"},
	{unknown_attribute,
	 "a.onnx: node conv1 (Conv): attribute \"speed\" is not supported; export the model without it"},
	{negative_pad, "a.onnx: node conv1 (Conv): pads is -1, 0 to 65536 is supported; change the layer"},
	{wrong_input,
	 "a.onnx: node relu1 (Relu): input \"nowhere\" is computed by no earlier node; export the model again"},
	{same_output, "a.onnx: two values are named \"conv1\"; export the model again"},
	{wrong_output, "a.onnx: output \"data\" is computed by no node; export the model again"},
	{wrong_scale, "a.onnx: macchiato.input_scale is \"-1\", a number above 0 is expected; correct the metadata"},
	{other_groups,
	 "a.onnx: layer conv1: 48 weights expected, 24 found; the definition and the weights differ, take both "
	 "from one release"},
	{softmax_axis,
	 "a.onnx: node prob (Softmax): axis is 0, the batch: images do not mix; change the model"},
	{bias_of_two,
	 "a.onnx: node conv1 (Conv): its bias \"conv1.bias\" has not one value for each of 4 channels; change the "
	 "model"},
	{fixed_batch, NULL},
	{same_opset_name, NULL},
};

START_TEST(refuses)
{
	refuse(changes[_i].change, changes[_i].message);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("onnx");
	TCase *cases = tcase_create("onnx");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, reads_back_the_same);
	tcase_add_test(cases, writes_the_same_bytes);
	tcase_add_test(cases, writes_two_files);
	tcase_add_test(cases, leaves_no_partial_file);
	tcase_add_test(cases, survives_truncation);
	tcase_add_test(cases, survives_flipped_bits);
	tcase_add_loop_test(cases, refuses, 0, sizeof(changes) / sizeof(changes[0]));
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
