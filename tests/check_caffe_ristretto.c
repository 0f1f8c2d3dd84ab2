/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Ristretto's definitions: they arrive as a network and its formats, and these compute what Ristretto computes. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "io/caffe_write.h"
#include "io/net_read.h"
#include "net/qnet.h"
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

#define INPUT "name: 'q' input: 'x' input_shape { dim: [1, 2, 6, 6] }\n"
#define CONV "convolution_param { num_output: 3 kernel_size: 3 } "
#define Q(in, fl_in, out, fl_out, w, fl_w) \
	"quantization_param { bw_layer_in: " #in " fl_layer_in: " #fl_in " bw_layer_out: " #out \
	" fl_layer_out: " #fl_out " bw_params: " #w " fl_params: " #fl_w " } "
#define LAYER(name, type, bottom, top, more) \
	"layer { name: '" name "' type: '" type "' bottom: '" bottom "' top: '" top "' " more "}\n"

static const char definition[] =
	INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV Q(8, 6, 7, 4, 6, 5))
	LAYER("r", "ReLU", "c", "c", "")
	LAYER("p", "Pooling", "c", "p", "pooling_param { kernel_size: 2 stride: 2 } ")
	LAYER("d", "Dropout", "p", "p", "")
	LAYER("f", "FcRistretto", "p", "f",
	      "inner_product_param { num_output: 4 } quantization_param { precision: DYNAMIC_FIXED_POINT "
	      "rounding_scheme: "
	      "NEAREST bw_layer_in: 7 fl_layer_in: 4 bw_layer_out: 9 fl_layer_out: 3 bw_params: 8 fl_params: 7 } ")
	LAYER("s", "Softmax", "f", "s", "");

static void expect_format(const struct mch_net *net, const struct mch_quant *quant, const char *edge,
	const char *format)
{
	char text[16];
	const int e = mch_net_find_edge(net, edge);
	ck_assert_int_ge(e, 0);
	ck_assert_str_eq(mch_format_text(quant->edge[e], text), format);
}

/* Parameters that are not on Ristretto's grid, by way of a float twin of the definition. */
static void write_weights(const char *text)
{
	struct mch_net net;
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(5);
	char plain[2048], *at;
	snprintf(plain, sizeof(plain), "%s", text);
	for (const char *type = "ConvolutionRistretto"; (at = strstr(plain, type)) != NULL;)
		memmove(at + strlen("Convolution"), at + strlen(type), strlen(at + strlen(type)) + 1);
	while ((at = strstr(plain, "FcRistretto")) != NULL) {
		memmove(at + strlen("InnerProduct"), at + strlen("FcRistretto"),
			strlen(at + strlen("FcRistretto")) + 1);
		memcpy(at, "InnerProduct", strlen("InnerProduct"));
	}
	temp_write(&temp, "plain.prototxt", plain, strlen(plain));
	ck_assert_msg(mch_net_read(temp.path, NULL, &net, NULL, &err) == 0, "%s", err.text);
	for (int i = 0; i < net.n_layers; i++) {
		struct mch_layer *layer = &net.layers[i];
		ck_assert_int_eq(mch_layer_alloc(layer, layer->n_bias > 0, &err), 0);
		for (size_t k = 0; k < layer->n_weights; k++)
			layer->weights[k] = (float)(mch_rng_real(&rng) * 1.5 - 0.75);
		for (size_t k = 0; k < layer->n_bias; k++)
			layer->bias[k] = (float)(mch_rng_real(&rng) - 0.5);
	}
	ck_assert_msg(mch_caffe_write_weights(&net, temp_path(&temp, "w.caffemodel"), &err) == 0, "%s", err.text);
	mch_net_free(&net);
}

static int load(const char *text, const char *weights, struct mch_net *net, struct mch_quant *quant,
	struct mch_err *err)
{
	char path[512] = "";
	if (weights)
		snprintf(path, sizeof(path), "%s", temp_path(&temp, weights));
	temp_write(&temp, "n.prototxt", text, strlen(text));
	return mch_net_read(temp.path, weights ? path : NULL, net, quant, err);
}

START_TEST(brings_formats)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_err err = {""};
	ck_assert_msg(load(definition, NULL, &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_int_eq(quant.n_edges, net.n_edges);
	ck_assert_int_eq(quant.n_layers, net.n_layers);
	expect_format(&net, &quant, "x", "s8.6");
	expect_format(&net, &quant, "c", "s7.4");
	expect_format(&net, &quant, "r", "s7.4"); /* codes pass through ReLU, pool and dropout */
	expect_format(&net, &quant, "p", "s7.4");
	expect_format(&net, &quant, "f", "s9.3");
	ck_assert_int_eq(quant.edge[mch_net_find_edge(&net, "s")].bits, 0); /* the host's */
	char text[16];
	ck_assert_str_eq(mch_format_text(quant.layer[mch_net_find_layer(&net, "c")].weights, text), "s6.5");
	ck_assert_str_eq(mch_format_text(quant.layer[mch_net_find_layer(&net, "f")].weights, text), "s8.7");
	ck_assert_int_eq(quant.round, MCH_ROUND_HALF_EVEN);
	ck_assert(quant.width[MCH_PART_CONV_WEIGHTS] == 6 && quant.width[MCH_PART_FC_WEIGHTS] == 8 &&
		  quant.width[MCH_PART_ACTIVATIONS] == 9);
	ck_assert_int_eq(mch_net_find_layer(&net, "d"), -1); /* lowered */
	mch_net_free(&net);
	mch_quant_free(&quant);
}
END_TEST

/* Ristretto's arithmetic in floats, written for this test: trim, layer, trim. */
static double trim(double v, int bits, int frac)
{
	const double step = ldexp(1, -frac), high = ldexp(1, bits - 1) - 1, low = -ldexp(1, bits - 1);
	return fmax(fmin(nearbyint(v / step), high), low) * step;
}

static void ristretto(const struct mch_net *net, const double *x, double *f)
{
	const struct mch_layer *c = &net->layers[mch_net_find_layer(net, "c")];
	const struct mch_layer *fc = &net->layers[mch_net_find_layer(net, "f")];
	double y[3][4][4], pool[12];
	for (int k = 0; k < 3; k++)
		for (int p = 0; p < 4; p++)
			for (int q = 0; q < 4; q++) {
				double sum = trim((double)c->bias[k], 6, 5);
				for (int t = 0; t < 18; t++)
					sum += trim(x[t / 9 * 36 + (p + t / 3 % 3) * 6 + q + t % 3], 8, 6) *
					       trim((double)c->weights[k * 18 + t], 6, 5);
				y[k][p][q] = fmax(trim(sum, 7, 4), 0);
			}
	for (int i = 0; i < 12; i++) {
		const int k = i / 4, p = i / 2 % 2 * 2, q = i % 2 * 2;
		pool[i] = fmax(fmax(y[k][p][q], y[k][p][q + 1]), fmax(y[k][p + 1][q], y[k][p + 1][q + 1]));
	}
	for (int k = 0; k < 4; k++) {
		double sum = trim((double)fc->bias[k], 8, 7);
		for (int i = 0; i < 12; i++)
			sum += trim(pool[i], 7, 4) * trim((double)fc->weights[k * 12 + i], 8, 7);
		f[k] = trim(sum, 9, 3);
	}
}

START_TEST(computes_what_ristretto_does)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(6);
	write_weights(definition);
	ck_assert_msg(load(definition, "w.caffemodel", &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	for (int round = 0; round < 200; round++) {
		double x[72], want[4];
		int32_t raw[72], got[4];
		for (int i = 0; i < 72; i++) {
			x[i] = mch_rng_real(&rng) * 5 - 2.5; /* beyond the format too */
			raw[i] = (int32_t)mch_format_raw(q.input_format, x[i], MCH_ROUND_HALF_EVEN, NULL);
		}
		ck_assert_int_eq(mch_qnet_run(&q, 1, raw, got, NULL, NULL, &err), 0);
		ristretto(&net, x, want);
		for (int k = 0; k < 4; k++)
			ck_assert_msg(ldexp((double)got[k], -3) == want[k], "output %d: %g, %g", k,
				ldexp((double)got[k], -3),
				      want[k]);
	}
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}
END_TEST

/* A transposed convolution becomes a convolution behind its zeros, and keeps its formats. */
START_TEST(lowers_deconvolution)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_err err = {""};
	ck_assert_msg(load(INPUT LAYER("d", "DeconvolutionRistretto", "x", "d",
				       "convolution_param { num_output: 3 kernel_size: 4 stride: 2 pad: 1 } "
				       Q(8, 6, 7, 4, 6, 5)),
			   NULL, &net, &quant, &err) == 0, "%s", err.text);
	expect_format(&net, &quant, "x", "s8.6");
	expect_format(&net, &quant, "d", "s7.4");
	for (int e = 0; e < net.n_edges; e++)
		ck_assert_int_gt(quant.edge[e].bits, 0);
	mch_net_free(&net);
	mch_quant_free(&quant);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV "quantization_param { precision: MINIFLOAT "
	 "mant_bits: 3 }"),
	 "n.prototxt:2: precision MINIFLOAT is not supported, DYNAMIC_FIXED_POINT is; quantize the network anew"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c",
		     CONV "quantization_param { precision: INTEGER_POWER_OF_2_WEIGHTS exp_min: -8 }"),
	 "n.prototxt:2: precision INTEGER_POWER_OF_2_WEIGHTS is not supported, DYNAMIC_FIXED_POINT is; quantize "
	 "the network "
	 "anew"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV),
	 "n.prototxt:2: quantization_param is missing; add it, or use the layer's float type"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV "quantization_param { bw_layer_in: 8 }"),
	 "n.prototxt:2: bw_layer_out is 32, 1 to 16 bits are supported; choose a narrower format"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV "quantization_param { bw_layer: 8 }"),
	 "n.prototxt:2: bw_layer is no field of quantization_param; correct the name"},
	{INPUT LAYER("n", "LRNRistretto", "x", "n", "quantization_param { mant_bits: 3 }"),
	 "n.prototxt:2: LRNRistretto has minifloats alone, which are not supported; use a layer LRN, which runs "
	 "in float"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV Q(8, 6, 8, 4, 8, 7)) LAYER("r", "ReLU", "c", "c", "")
		 LAYER("e", "ConvolutionRistretto", "c", "e", CONV Q(8, 5, 8, 4, 8, 7)),
	 "n.prototxt:4: layer e has r as s8.5, layer c has it as s8.4; give both one format"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV Q(8, 6, 8, 4, 8, 7))
		 LAYER("e", "Convolution", "c", "e", CONV),
	 "n.prototxt: layer e has no formats while others have; make it one of Ristretto's too"},
};

START_TEST(refuses)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_err err = {""};
	ck_assert_int_eq(load(bad[_i].text, NULL, &net, &quant, &err), -1);
	ck_assert(!net.layers && !quant.edge);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, bad[_i].message);
}
END_TEST

START_TEST(is_no_float_network)
{
	struct mch_net net;
	struct mch_err err = {""};
	ck_assert_int_eq(load(definition, NULL, &net, NULL, &err), -1);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, "n.prototxt: is quantized already, by Ristretto; give "
	 "the float "
							  "network, or a command that takes both");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caffe_ristretto");
	TCase *cases = tcase_create("caffe_ristretto");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, brings_formats);
	tcase_add_test(cases, computes_what_ristretto_does);
	tcase_add_test(cases, lowers_deconvolution);
	tcase_add_loop_test(cases, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(cases, is_no_float_network);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
