/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe files that this program writes: read again they are the same network, to the last bit of its output. */
#include "check_main.h"

#include <string.h>

#include "base/rng.h"
#include "io/caffe_mean.h"
#include "io/caffe_read.h"
#include "io/caffe_write.h"
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

static void read_text(const char *text, struct mch_net *net)
{
	struct mch_err err = {""};
	temp_write(&temp, "a.prototxt", text, strlen(text));
	ck_assert_msg(mch_caffe_read(temp.path, NULL, net, &err) == 0, "%s", err.text);
}

static void fill(struct mch_rng *rng, float *values, size_t n, double low, double high)
{
	for (size_t i = 0; values && i < n; i++)
		values[i] = (float)(low + (high - low) * mch_rng_real(rng));
}

static void set_parameters(struct mch_net *net)
{
	struct mch_rng rng = mch_rng_seed(3);
	struct mch_err err = {""};
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		const size_t n_slopes = layer->n_weights;
		if (!mch_layer_has_weights(layer) || layer->weights)
			continue;
		ck_assert_int_eq(mch_layer_alloc(layer, layer->n_bias > 0, &err), 0);
		if (layer->kind == MCH_PRELU)
			layer->n_weights = n_slopes;
		fill(&rng, layer->weights, layer->n_weights, -0.5, 0.5);
		fill(&rng, layer->bias, layer->n_bias, -1, 1);
		fill(&rng, layer->mean, layer->n_weights, -1, 1);
		fill(&rng, layer->variance, layer->n_weights, 0.5, 2);
		/* Caffe's batch norm does not scale; one that does is written as two layers. */
		for (size_t k = 0; layer->kind == MCH_BATCH_NORM && k < layer->n_weights; k++)
			layer->weights[k] = 1;
	}
}

static float *run(const struct mch_net *net, size_t *n)
{
	struct mch_rng rng = mch_rng_seed(4);
	struct mch_err err = {""};
	const size_t n_in = mch_shape_elems(net->edges[net->input].shape);
	float *x = malloc(n_in * sizeof(*x)), **value = calloc((size_t)net->n_edges, sizeof(*value));
	ck_assert(x && value);
	fill(&rng, x, n_in, -2, 2);
	*n = mch_shape_elems(net->edges[net->output].shape);
	float *y = value[net->output] = malloc(*n * sizeof(*y));
	ck_assert_msg(mch_net_run_f32(net, 1, x, value, &err) == 0, "%s", err.text);
	free(x);
	free(value);
	return y;
}

/* Written and read: the same layers, and the same output. */
static void round_trip(struct mch_net *net)
{
	struct mch_net again;
	struct mch_err err = {""};
	struct temp other = temp;
	size_t n_y, n_z;
	temp_path(&temp, "b.prototxt");
	temp_path(&other, "b.caffemodel");
	ck_assert_msg(mch_caffe_write(net, NULL, temp.path, NULL, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_caffe_write_weights(net, other.path, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_caffe_load(temp.path, other.path, NULL, &again, NULL, &err) == 0, "%s", err.text);
	float *y = run(net, &n_y), *z = run(&again, &n_z);
	ck_assert_uint_eq(n_y, n_z);
	ck_assert_mem_eq(y, z, n_y * sizeof(*y));
	free(y);
	free(z);
	ck_assert_int_eq(again.n_layers, net->n_layers);
	for (int i = 0; i < net->n_layers; i++)
		ck_assert_int_eq(again.layers[i].kind, net->layers[i].kind);
	ck_assert_str_eq(again.name, net->name);
	ck_assert_mem_eq(&again.transform, &net->transform, sizeof(net->transform));
	mch_net_free(&again);
}

#define L(name, type, bottom, more) \
	"layer { name: '" name "' type: '" type "' bottom: '" bottom "' top: '" name "' " more " }\n"
#define J(name, type, first, second, more) L(name, type, first "' bottom: '" second, more)

static const char all[] =
	"name: 'all \"of\" them' "
	"layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 1 dim: 4 dim: 9 dim: 11 } } "
	"transform_param { scale: 0.25 mean_value: 1 mean_value: 2.5 mean_value: 3 mean_value: 4 } }\n"
	L("c", "Convolution", "x",
	  "convolution_param { num_output: 6 kernel_h: 3 kernel_w: 1 pad_h: 1 stride: 1 group: 2 dilation: 1 }")
	L("bn", "BatchNorm", "c", "batch_norm_param { eps: 0.001 }")
	L("sc", "Scale", "bn", "scale_param { bias_term: true }")
	L("bi", "Bias", "sc", "")
	L("pr", "PReLU", "bi", "")
	L("ps", "PReLU", "pr", "prelu_param { channel_shared: true }")
	L("lr", "ReLU", "ps", "relu_param { negative_slope: 0.125 }")
	L("n", "LRN", "lr", "lrn_param { local_size: 3 alpha: 0.1 k: 2 }")
	L("w", "LRN", "n", "lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }")
	L("pm", "Pooling", "w", "pooling_param { kernel_size: 3 stride: 2 }")
	L("pa", "Pooling", "pm", "pooling_param { pool: AVE kernel_size: 3 pad: 1 round_mode: FLOOR }")
	L("d", "Deconvolution", "pa",
	  "convolution_param { num_output: 4 kernel_size: 2 stride: 2 group: 2 bias_term: false }")
	L("sig", "Sigmoid", "d", "")
	L("tan", "TanH", "d", "")
	J("e", "Eltwise", "sig", "tan", "eltwise_param { coeff: 1 coeff: -0.5 }")
	J("m", "Eltwise", "sig", "tan", "eltwise_param { operation: MAX }")
	J("p", "Eltwise", "m", "tan", "eltwise_param { operation: PROD }")
	J("cc", "Concat", "e", "p", "")
	"layer { name: 's' type: 'Slice' bottom: 'cc' top: 's0' top: 's1' top: 's2' "
	"slice_param { slice_point: 1 slice_point: 5 } }\n"
	"layer { name: 'q' type: 'Silence' bottom: 's0' }\n"
	J("j", "Concat", "s1", "s2", "")
	L("g", "Pooling", "j", "pooling_param { pool: AVE global_pooling: true }")
	L("gf", "Flatten", "g", "")
	J("se", "Scale", "j", "gf", "scale_param { axis: 0 }")
	J("sb", "Bias", "se", "gf", "bias_param { axis: 0 }")
	L("up", "Upsample", "sb", "upsample_param { scale: 2 }")
	L("t", "Permute", "up", "permute_param { order: 0 order: 2 order: 3 order: 1 }")
	L("r", "Reshape", "t", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 1 } }")
	L("r6", "ReLU6", "r", "")
	L("cl", "Clip", "r6", "clip_param { min: 0.25 max: 3 }")
	L("pw", "Power", "cl", "power_param { scale: 0.5 shift: 1 }")
	L("f", "Flatten", "pw", "")
	L("do", "Dropout", "f", "dropout_param { dropout_ratio: 0.25 }")
	L("i", "InnerProduct", "do", "inner_product_param { num_output: 5 }")
	L("o", "Softmax", "i", "");

START_TEST(all_layers)
{
	struct mch_net net;
	read_text(all, &net);
	set_parameters(&net);
	round_trip(&net);
	mch_net_free(&net);
}
END_TEST

/* A batch norm with gamma and beta, as ONNX has it, is two of Caffe's layers. */
START_TEST(splits_batch_norm)
{
	struct mch_net net;
	read_text("input: 'x' input_shape { dim: [1, 3, 4, 4] }" L("b", "BatchNorm", "x", ""), &net);
	net.layers[0].n_bias = 3;
	set_parameters(&net);
	net.layers[0].weights[1] = 0.5F;
	struct mch_net again;
	struct mch_err err = {""};
	struct temp other = temp;
	size_t n;
	ck_assert_int_eq(mch_caffe_write(&net, NULL, temp_path(&temp, "b.prototxt"), NULL, &err), 0);
	ck_assert_int_eq(mch_caffe_write_weights(&net, temp_path(&other, "b.caffemodel"), &err), 0);
	ck_assert_msg(mch_caffe_load(temp.path, other.path, NULL, &again, NULL, &err) == 0, "%s", err.text);
	ck_assert_int_eq(again.n_layers, 2);
	ck_assert_str_eq(again.layers[1].name, "b/scale");
	float *y = run(&net, &n), *z = run(&again, &n);
	for (size_t i = 0; i < n; i++) /* one rounding to float more */
		ck_assert_float_eq_tol(y[i], z[i], 1e-6F);
	free(y);
	free(z);
	mch_net_free(&net);
	mch_net_free(&again);
}
END_TEST

START_TEST(lists_what_caffe_has_not)
{
	struct mch_net net;
	struct mch_err err = {""};
	read_text("input: 'x' input_shape { dim: [1, 3, 4, 4] }\n"
		  L("a", "Convolution", "x", "convolution_param { num_output: 2 kernel_size: 3 pad: 1 }")
		  L("b", "Pooling", "a", "pooling_param { kernel_size: 2 }")
		  L("o", "Softmax", "b", ""),
		  &net);
	set_parameters(&net);
	net.layers[0].conv.pad_top = 0;
	net.layers[1].pool.dilation_w = 2;
	net.layers[2].kind = MCH_LOG_SOFTMAX;
	ck_assert_int_eq(mch_caffe_write(&net, NULL, temp_path(&temp, "b.prototxt"), NULL, &err), -1);
	ck_assert_str_eq(err.text + strlen(temp.path), ": not supported: conv with uneven pads (a), max pool with "
	 "dilation (b), "
						       "log softmax (o); replace these, or cut the network before "
						       "them");
	ck_assert_int_eq(temp_count(&temp), 1); /* a.prototxt alone */
	mch_net_free(&net);
}
END_TEST

START_TEST(needs_parameters)
{
	struct mch_net net;
	struct mch_err err = {""};
	read_text("name: 'n' input: 'x' input_shape { dim: [1, 3, 4, 4] }" L("a", "Convolution", "x",
									     "convolution_param { num_output: 2 "
									     "kernel_size: 3 }"),
		  &net);
	ck_assert_int_eq(mch_caffe_write_weights(&net, temp_path(&temp, "b.caffemodel"), &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "layer a has no weights"));
	mch_net_free(&net);
}
END_TEST

START_TEST(mean_pictures)
{
	static const float values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	static const struct mch_shape shape = {1, 3, 2, 2}, other = {1, 3, 4, 4}, unknown = {0};
	struct mch_transform t = mch_transform_plain(), back = mch_transform_plain();
	struct mch_err err = {""};
	t.mean_image = malloc(sizeof(values));
	ck_assert_ptr_nonnull(t.mean_image);
	memcpy(t.mean_image, values, sizeof(values));
	t.mean_c = 3, t.mean_h = 2, t.mean_w = 2;
	ck_assert_int_eq(mch_caffe_write_mean(&t, temp_path(&temp, "m.binaryproto"), &err), 0);
	free(t.mean_image);
	back.n_mean = 1;
	ck_assert_msg(mch_caffe_mean_read(temp.path, unknown, &back, &err) == 0, "%s", err.text);
	ck_assert(back.n_mean == 0 && back.mean_c == 3 && back.mean_h == 2 && back.mean_w == 2);
	ck_assert_mem_eq(back.mean_image, values, sizeof(values));
	ck_assert_int_eq(mch_caffe_mean_read(temp.path, shape, &back, &err), 0);
	ck_assert_int_eq(mch_caffe_mean_read(temp.path, other, &back, &err), -1);
	ck_assert_str_eq(err.text + strlen(temp.path), ": the mean is 3x2x2, the network's input 3x4x4; give the "
						       "mean of the "
						       "data it was trained on");
	ck_assert_mem_eq(back.mean_image, values, sizeof(values)); /* as it was */
	temp_write(&temp, "m.bin", values, sizeof(values));
	ck_assert_msg(mch_caffe_mean_read(temp.path, shape, &back, &err) == 0, "%s", err.text);
	ck_assert_mem_eq(back.mean_image, values, sizeof(values));
	ck_assert_int_eq(mch_caffe_mean_read(temp.path, other, &back, &err), -1); /* raw, but of which shape? */
	free(back.mean_image);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caffe_write");
	TCase *cases = tcase_create("caffe_write");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, all_layers);
	tcase_add_test(cases, splits_batch_norm);
	tcase_add_test(cases, lists_what_caffe_has_not);
	tcase_add_test(cases, needs_parameters);
	tcase_add_test(cases, mean_pictures);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
