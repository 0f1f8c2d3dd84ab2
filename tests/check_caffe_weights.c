/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Binary caffemodels: every form that Caffe has written, and the exact text of what does not fit. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "io/net_read.h"
#include "io/wire.h"
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

/* A message under construction. */
struct message {
	char *bytes;
	size_t n_bytes;
	FILE *stream;
};

static void message_begin(struct message *m)
{
	m->stream = open_memstream(&m->bytes, &m->n_bytes);
	ck_assert_ptr_nonnull(m->stream);
}

/* Ends m, and makes it field `number` of outer. */
static void message_put(struct message *m, struct message *outer, uint32_t number)
{
	ck_assert_int_eq(fclose(m->stream), 0);
	mch_wire_put_len(outer->stream, number, m->n_bytes);
	fwrite(m->bytes, 1, m->n_bytes, outer->stream);
	free(m->bytes);
}

enum form { PACKED, SINGLE, DOUBLE, LEGACY };

/* n values first, first + 1, ... as a blob of those dims. */
static void put_blob(struct message *layer, uint32_t number, enum form form, float first, int n_axes, const int *dim)
{
	struct message blob, shape;
	size_t n = 1;
	for (int i = 0; i < n_axes; i++)
		n *= (size_t)dim[i];
	message_begin(&blob);
	for (int i = 0; form == LEGACY && i < 4; i++)
		mch_wire_put_uint(blob.stream, (uint32_t)i + 1, (uint64_t)(i < 4 - n_axes ? 1 : dim[i - 4 + n_axes]));
	if (form == PACKED || form == LEGACY)
		mch_wire_put_len(blob.stream, 5, 4 * n);
	if (form == DOUBLE)
		mch_wire_put_len(blob.stream, 8, 8 * n);
	for (size_t i = 0; i < n; i++) {
		const float value = first + (float)i;
		const double wide = (double)value;
		uint64_t bits;
		memcpy(&bits, &wide, sizeof(bits));
		if (form == SINGLE)
			mch_wire_put_float(blob.stream, 5, value);
		else if (form != DOUBLE)
			mch_wire_put_floats(blob.stream, &value, 1);
		for (int b = 0; form == DOUBLE && b < 8; b++)
			putc((int)(bits >> (8 * b) & 0xff), blob.stream);
	}
	if (form != LEGACY) { /* Caffe writes the shape behind the data */
		message_begin(&shape);
		for (int i = 0; i < n_axes; i++)
			mch_wire_put_uint(shape.stream, 1, (uint64_t)dim[i]);
		message_put(&shape, &blob, 7);
	}
	message_put(&blob, layer, number);
}

#define DIMS(...) (int)(sizeof((const int[]){__VA_ARGS__}) / sizeof(int)), (const int[]){__VA_ARGS__}

static const char definition[] =
	"input: 'x' input_shape { dim: [1, 4, 3, 3] }\n"
	"layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' convolution_param { num_output: 2 kernel_h: 3 "
	"kernel_w: 1 group: 2 } }\n"
	"layer { name: 'r' type: 'ReLU' bottom: 'c' top: 'c' }\n"
	"layer { name: 'i' type: 'InnerProduct' bottom: 'c' top: 'i' inner_product_param { num_output: 2 } }\n";

static void net_begin(struct message *net)
{
	message_begin(net);
	mch_wire_put_text(net->stream, 1, "name");
}

/* Both layers, whose values the tests know: V2 or V1. */
static void put_layers(struct message *net, bool is_v1, enum form form)
{
	const uint32_t layers = is_v1 ? 2 : 100, name = is_v1 ? 4 : 1, blobs = is_v1 ? 6 : 7;
	struct message m;
	message_begin(&m);
	mch_wire_put_text(m.stream, name, "c");
	put_blob(&m, blobs, form, 1, DIMS(2, 2, 3, 1));
	put_blob(&m, blobs, form, 100, DIMS(2));
	message_put(&m, net, layers);
	message_begin(&m);
	mch_wire_put_text(m.stream, name, "data");
	message_put(&m, net, layers);
	message_begin(&m);
	put_blob(&m, blobs, form, 20, DIMS(2, 6));
	put_blob(&m, blobs, form, 200, DIMS(2));
	mch_wire_put_text(m.stream, name, "i"); /* behind its blobs: the format allows it */
	message_put(&m, net, layers);
}

static void net_write(struct message *net, const char *name)
{
	ck_assert_int_eq(fclose(net->stream), 0);
	temp_write(&temp, name, net->bytes, net->n_bytes);
	free(net->bytes);
}

static int load(const char *text, struct mch_net *net, struct mch_err *err)
{
	char weights[512];
	snprintf(weights, sizeof(weights), "%s", temp_path(&temp, "w.caffemodel"));
	temp_write(&temp, "n.prototxt", text, strlen(text));
	return mch_net_read(temp.path, weights, net, NULL, err);
}

static void expect(const float *values, size_t n, size_t want, float first)
{
	ck_assert_uint_eq(n, want);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(values[i] == first + (float)i, "value %zu is %g", i, (double)values[i]);
}

START_TEST(every_form)
{
	struct message m;
	struct mch_net net;
	struct mch_err err = {""};
	net_begin(&m);
	put_layers(&m, _i % 2, (enum form)(_i / 2));
	net_write(&m, "w.caffemodel");
	ck_assert_msg(load(definition, &net, &err) == 0, "%s", err.text);
	const struct mch_layer *c = &net.layers[0], *i = &net.layers[2];
	expect(c->weights, c->n_weights, 12, 1);
	expect(c->bias, c->n_bias, 2, 100);
	expect(i->weights, i->n_weights, 12, 20);
	expect(i->bias, i->n_bias, 2, 200);
	mch_net_free(&net);
}
END_TEST

static const char other_kinds[] =
	"input: 'x' input_shape { dim: [1, 2, 1, 2] }\n"
	"layer { name: 'n' type: 'BatchNorm' bottom: 'x' top: 'n' }\n"
	"layer { name: 's' type: 'Scale' bottom: 'n' top: 'n' scale_param { bias_term: true } }\n"
	"layer { name: 'b' type: 'Bias' bottom: 'n' top: 'b' }\n"
	"layer { name: 'p' type: 'PReLU' bottom: 'b' top: 'p' prelu_param { channel_shared: true } }\n"
	"layer { name: 'i' type: 'InnerProduct' bottom: 'p' top: 'i' inner_product_param { num_output: 3 "
	"transpose: true "
	"bias_term: false } }\n";

static void put_layer(struct message *net, const char *name, int n_blobs, const float *first, int n_axes,
	const int *dim)
{
	struct message m;
	message_begin(&m);
	mch_wire_put_text(m.stream, 1, name);
	for (int i = 0; i < n_blobs; i++)
		if (strcmp(name, "n") == 0 && i == 2)
			put_blob(&m, 7, PACKED, first[i], DIMS(1));
		else
			put_blob(&m, 7, PACKED, first[i], n_axes, dim);
	message_put(&m, net, 100);
}

START_TEST(other_layers)
{
	struct message m;
	struct mch_net net;
	struct mch_err err = {""};
	net_begin(&m);
	put_layer(&m, "n", 3, (const float[]){6, 3, 4}, DIMS(2));
	put_layer(&m, "s", 2, (const float[]){5, 7}, DIMS(2));
	put_layer(&m, "b", 1, (const float[]){9}, DIMS(2));
	put_layer(&m, "p", 1, (const float[]){0.25F}, 0, NULL);
	put_layer(&m, "i", 1, (const float[]){0}, DIMS(4, 3));
	net_write(&m, "w.caffemodel");
	ck_assert_msg(load(other_kinds, &net, &err) == 0, "%s", err.text);
	const struct mch_layer *n = &net.layers[0], *s = &net.layers[1], *b = &net.layers[2], *p = &net.layers[3],
			       *i = &net.layers[4];
	/* Sums over 4 batches. */
	ck_assert(n->mean[0] == 1.5F && n->mean[1] == 1.75F && n->variance[0] == 0.75F && n->variance[1] == 1);
	ck_assert(n->weights[0] == 1 && n->weights[1] == 1 && n->norm.epsilon == 1e-5);
	ck_assert(s->weights[0] == 5 && s->bias[1] == 8);
	ck_assert(b->kind == MCH_SCALE && b->weights[1] == 1 && b->bias[0] == 9 && b->bias[1] == 10);
	ck_assert(p->n_weights == 1 && p->weights[0] == 0.25F);
	/* [c][k] of the file, [k][c] here. */
	for (int k = 0; k < 3; k++)
		for (int c = 0; c < 4; c++)
			ck_assert(i->weights[k * 4 + c] == (float)(c * 3 + k));
	mch_net_free(&net);
}
END_TEST

/* The message behind the folder's name must be exactly this. */
static void refuse(const char *text, const char *message)
{
	struct mch_net net;
	struct mch_err err = {""};
	ck_assert_int_eq(load(text, &net, &err), -1);
	ck_assert_ptr_null(net.layers);
	/* The prototxt's own name is in some of them. */
	char *at = strstr(err.text + 1, temp.dir);
	if (at)
		memmove(at, at + strlen(temp.dir) + 1, strlen(at + strlen(temp.dir) + 1) + 1);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, message);
}

#define MEND "the prototxt and the weights are from different releases, take both from one"

START_TEST(names_what_is_missing)
{
	struct message m;
	net_begin(&m);
	put_layer(&m, "other", 1, (const float[]){1}, DIMS(2));
	net_write(&m, "w.caffemodel");
	refuse(definition, "w.caffemodel: has no parameters for layers c, i of n.prototxt; " MEND);
}
END_TEST

START_TEST(names_what_has_another_shape)
{
	struct message m;
	net_begin(&m);
	put_layer(&m, "c", 2, (const float[]){1, 1}, DIMS(2, 2, 3, 2));
	put_layer(&m, "i", 2, (const float[]){1, 1}, DIMS(2, 6));
	net_write(&m, "w.caffemodel");
	refuse(definition, "w.caffemodel: layer c: 12 weights expected (2x2x3x1), 24 found (2x2x3x2); " MEND);
	net_begin(&m);
	put_layer(&m, "c", 1, (const float[]){1}, DIMS(2, 2, 3, 1));
	put_layer(&m, "i", 2, (const float[]){1, 1}, DIMS(2, 6));
	net_write(&m, "w.caffemodel");
	refuse(definition, "w.caffemodel: layer c: 2 blobs expected (weights, biases), 1 found; " MEND);
	net_begin(&m);
	put_layer(&m, "n", 2, (const float[]){6, 3}, DIMS(2));
	net_write(&m, "w.caffemodel");
	refuse("input: 'x' input_shape { dim: [1, 2, 1, 2] } layer { name: 'n' type: 'BatchNorm' bottom: 'x' top: "
	 "'n' }",
	       "w.caffemodel: layer n: 3 blobs expected (means, variances, factor), 2 found; " MEND);
}
END_TEST

START_TEST(refuses_damaged_files)
{
	struct message m;
	net_begin(&m);
	put_layer(&m, "c", 2, (const float[]){NAN, 1}, DIMS(2));
	net_write(&m, "w.caffemodel");
	refuse("input: 'x' input_shape { dim: [1, 2, 1, 2] } layer { name: 'c' type: 'Scale' bottom: 'x' top: 'n' "
	 "scale_param { "
	       "bias_term: true } }",
	       "w.caffemodel: layer c: value 0 of the weights is no number; the file is damaged, take it anew");
	temp_write(&temp, "w.caffemodel", definition, strlen(definition));
	refuse(definition, "w.caffemodel: byte 10: field 4 has the wire type 7, which is not used; is it the "
	 "right file?");
	temp_write(&temp, "w.caffemodel", "", 0);
	refuse(definition, "w.caffemodel: has no layers; is it a .caffemodel? (a text definition is given before "
	 "it)");
	net_begin(&m);
	struct message layer, v0;
	message_begin(&layer);
	message_begin(&v0);
	mch_wire_put_text(v0.stream, 1, "c");
	message_put(&v0, &layer, 1);
	message_put(&layer, &m, 2);
	net_write(&m, "w.caffemodel");
	refuse(definition, "w.caffemodel: byte 13: the layers are of Caffe's first format (V0); convert the file "
	 "with Caffe's "
			   "upgrade_net_proto_binary");
}
END_TEST

/* Every prefix of a file is one message, every flipped bit an answer. */
START_TEST(survives_damage)
{
	struct message m;
	size_t n_bytes;
	net_begin(&m);
	put_layers(&m, _i, _i ? LEGACY : PACKED);
	net_write(&m, "w.caffemodel");
	char *bytes = temp_read(temp.path, &n_bytes);
	for (size_t i = 0; i < n_bytes * 8; i++) {
		struct mch_net net;
		struct mch_err err = {""};
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
		temp_write(&temp, "w.caffemodel", bytes, n_bytes);
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
		if (load(definition, &net, &err) == 0)
			mch_net_free(&net);
		else
			ck_assert_msg(strchr(err.text, ';') != NULL, "%s", err.text);
	}
	for (size_t n = 0; n < n_bytes; n++) {
		struct mch_net net;
		struct mch_err err = {""};
		temp_write(&temp, "w.caffemodel", bytes, n);
		ck_assert_int_eq(load(definition, &net, &err), -1);
	}
	free(bytes);
}
END_TEST

START_TEST(wants_the_definition_first)
{
	struct mch_net net;
	struct mch_err err = {""};
	ck_assert_int_eq(mch_net_read("a/w.caffemodel", NULL, &net, NULL, &err), -1);
	ck_assert_str_eq(err.text, "a/w.caffemodel: holds parameters alone; give the network's definition, a "
	 ".prototxt file, and "
				   "--weights=a/w.caffemodel");
	ck_assert_int_eq(mch_net_read("n.onnx", "w.caffemodel", &net, NULL, &err), -1);
	ck_assert_str_eq(err.text, "w.caffemodel: weights go with a .prototxt file, a .onnx file has its own; "
	 "give one or the "
				   "other");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caffe_weights");
	TCase *cases = tcase_create("caffe_weights");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_loop_test(cases, every_form, 0, 8);
	tcase_add_test(cases, other_layers);
	tcase_add_test(cases, names_what_is_missing);
	tcase_add_test(cases, names_what_has_another_shape);
	tcase_add_test(cases, refuses_damaged_files);
	tcase_add_loop_test(cases, survives_damage, 0, 2);
	tcase_add_test(cases, wants_the_definition_first);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
