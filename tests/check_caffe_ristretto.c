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

/* Ristretto's minifloat of a magnitude that does not saturate: the mantissa is rounded, ties away as a CPU does (an
 * even mantissa, which a GPU takes, is an odd code here). Below the smallest, 2^-bias, parameters become 0; of
 * activations the nearer of the two is taken here. */
static double trim_minifloat(double v, int mant_bits, int exp_bits, bool is_flushed)
{
	const int bias = (1 << (exp_bits - 1)) - 1;
	int e;
	const double m = frexp(fabs(v), &e) * 2; /* 1 <= m < 2, v = m * 2^(e - 1) */
	if (v == 0 || e - 1 < -bias)
		return !is_flushed && fabs(v) >= ldexp(1, -bias - 1) ? copysign(ldexp(1, -bias), v) : 0;
	return copysign((1 + ldexp(round(ldexp(m - 1, mant_bits)), -mant_bits)) * ldexp(1, e - 1), v);
}

#define MINIFLOAT "quantization_param { precision: MINIFLOAT mant_bits: 4 exp_bits: 4 } "
static const char minifloats[] =
	INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV MINIFLOAT) LAYER("r", "ReLU", "c", "r", "")
	LAYER("f", "FcRistretto", "r", "f", "inner_product_param { num_output: 4 } " MINIFLOAT);

START_TEST(computes_minifloats_as_ristretto)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(7);
	write_weights(minifloats);
	ck_assert_msg(load(minifloats, "w.caffemodel", &net, &quant, &err) == 0, "%s", err.text);
	expect_format(&net, &quant, "x", "e4m4flush.11");
	quant.round = quant.weight_round = MCH_ROUND_HALF_AWAY;
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	const struct mch_layer *c = &net.layers[0], *f = &net.layers[mch_net_find_layer(&net, "f")];
	for (int round = 0; round < 100; round++) {
		double x[72], y[48];
		int32_t raw[72], got[4];
		for (int i = 0; i < 72; i++) {
			x[i] = mch_rng_real(&rng) * 2 - 1;
			raw[i] = (int32_t)mch_format_raw(q.input_format, x[i], MCH_ROUND_HALF_AWAY, NULL);
			x[i] = trim_minifloat(x[i], 4, 4, false);
			ck_assert_double_eq(mch_format_real(q.input_format, raw[i]), x[i]);
		}
		ck_assert_int_eq(mch_qnet_run(&q, 1, raw, got, NULL, NULL, &err), 0);
		for (int i = 0; i < 48; i++) {
			double sum = trim_minifloat((double)c->bias[i / 16], 4, 4, true);
			for (int t = 0; t < 18; t++)
				sum += x[t / 9 * 36 + (i / 4 % 4 + t / 3 % 3) * 6 + i % 4 + t % 3] *
				       trim_minifloat((double)c->weights[i / 16 * 18 + t], 4, 4, true);
			y[i] = fmax(trim_minifloat(sum, 4, 4, false), 0);
		}
		for (int k = 0; k < 4; k++) {
			double sum = trim_minifloat((double)f->bias[k], 4, 4, true);
			for (int i = 0; i < 48; i++)
				sum += y[i] * trim_minifloat((double)f->weights[k * 48 + i], 4, 4, true);
			const double real = mch_format_real(quant.edge[net.output], got[k]);
			ck_assert_msg(real == trim_minifloat(sum, 4, 4, false), "output %d: %g, %g", k, real, trim_minifloat(sum, 4, 4, false));
		}
	}
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}
END_TEST

#define POWERS \
	"quantization_param { precision: INTEGER_POWER_OF_2_WEIGHTS exp_min: -8 exp_max: -1 bw_layer_in: 8 fl_layer_in: 6 " \
	"bw_layer_out: 8 fl_layer_out: 4 } "
static const char powers[] = INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV POWERS);

START_TEST(rounds_exponents_as_ristretto)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	char text[24];
	write_weights(powers);
	/* Weights before they are read. */
	struct mch_net plain;
	char path[512];
	snprintf(path, sizeof(path), "%s", temp_path(&temp, "w.caffemodel"));
	ck_assert_int_eq(mch_net_read(temp_path(&temp, "plain.prototxt"), path, &plain, NULL, &err), 0);
	ck_assert_msg(load(powers, "w.caffemodel", &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_str_eq(mch_format_text(quant.layer[0].weights, text), "p4nz.8");
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	int n_beyond = 0; /* 1.41 to 1.5: up by its exponent, down by its value */
	for (size_t i = 0; i < net.layers[0].n_weights; i++) {
		const double w = (double)plain.layers[0].weights[i];
		const double exponent = fmin(fmax(round(log2(fabs(w))), -8), -1), want = copysign(exp2(exponent), w);
		ck_assert_double_eq(ldexp((double)q.steps[0].weights[i], -8), want);
		n_beyond += fabs(w) < fabs(want) && fabs(w) < 0.75 * fabs(want);
	}
	ck_assert_int_gt(n_beyond, 0);
	for (size_t k = 0; k < net.layers[0].n_bias; k++) /* biases are left alone */
		ck_assert(net.layers[0].bias[k] == plain.layers[0].bias[k]);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
	mch_net_free(&plain);
}
END_TEST

static const char *const said[] = {definition, minifloats, powers,
	INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV "quantization_param { bw_layer_in: 8 fl_layer_in: 6 bw_layer_out: 7 "
		    "fl_layer_out: -2 bw_params: 1 fl_params: 3 rounding_scheme: STOCHASTIC } ")
	LAYER("m", "Pooling", "c", "m", "pooling_param { pool: AVE kernel_size: 2 } ")};

/* What Ristretto says is written as Ristretto says it, and read again: the same network, the same formats, and the same
 * file. */
START_TEST(is_written_as_it_is_read)
{
	struct mch_net net, again;
	struct mch_quant quant, back;
	struct mch_err err = {""};
	char first[512], weights[512];
	write_weights(said[_i]);
	ck_assert_msg(load(said[_i], "w.caffemodel", &net, &quant, &err) == 0, "%s", err.text);
	snprintf(first, sizeof(first), "%s", temp_path(&temp, "first.prototxt"));
	snprintf(weights, sizeof(weights), "%s", temp_path(&temp, "first.caffemodel"));
	ck_assert_msg(mch_caffe_write_files(&net, &quant, first, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_net_read(first, weights, &again, &back, &err) == 0, "%s", err.text);
	ck_assert_int_eq(back.n_edges, quant.n_edges);
	for (int e = 0; e < net.n_edges; e++) {
		char was[24], is[24];
		ck_assert_str_eq(mch_format_text(back.edge[mch_net_find_edge(&again, net.edges[e].name)], is),
				 mch_format_text(quant.edge[e], was));
	}
	for (int i = 0; i < net.n_layers; i++) {
		const struct mch_layer *a = &net.layers[i], *b = &again.layers[mch_net_find_layer(&again, a->name)];
		char was[24], is[24];
		ck_assert_str_eq(mch_format_text(back.layer[b - again.layers].weights, is),
				 mch_format_text(quant.layer[i].weights, was));
		if (a->weights)
			ck_assert_mem_eq(a->weights, b->weights, a->n_weights * sizeof(float));
		if (a->bias)
			ck_assert_mem_eq(a->bias, b->bias, a->n_bias * sizeof(float));
	}
	ck_assert(back.round == quant.round && back.weight_round == quant.weight_round);
	mch_quant_free(&back);
	mch_net_free(&again);
	mch_quant_free(&quant);
	mch_net_free(&net);
}
END_TEST

/* A change to the formats of `definition`, and what the writer says of it. */
static void unsigned_input(struct mch_quant *q)
{
	q->edge[0].is_signed = false;
}

static void wide_kind(struct mch_quant *q)
{
	q->layer[0].weights = (struct mch_format){.bits = 4, .frac = 3, .is_signed = true, .number = MCH_POW2};
}

static void channels(struct mch_quant *q)
{
	ck_assert_int_eq(mch_layer_quant_split(&q->layer[0], 3, 5), 0);
}

static void narrow(struct mch_quant *q)
{
	q->layer[0].acc.bits = 9, q->layer[0].certificate.bits = 12;
}

static void half_up(struct mch_quant *q)
{
	q->round = MCH_ROUND_HALF_UP;
}

static void two_roundings(struct mch_quant *q)
{
	q->round = MCH_ROUND_HALF_AWAY;
}

static void wraps(struct mch_quant *q)
{
	q->wraps = true;
}

static void pool_alone(struct mch_quant *q)
{
	q->edge[q->n_edges - 1].frac++;
}

static const struct {
	void (*change)(struct mch_quant *q);
	const char *message;
} unsaid[] = {
	{unsigned_input, "layer c: its input is u8.6, Ristretto's are signed; quantize with --signed"},
	{wide_kind, "layer c: its input s8.6, weights p4.3 and output s7.4 are not all fixed point, nor one of Ristretto's "
		    "minifloats for all, nor fixed point with weights that are powers of two without a zero; quantize it so"},
	{channels, "layer c: its channels have fractions of their own; quantize without --per-channel"},
	{narrow, "layer c: its accumulator of 9 bits can overflow, Ristretto's sums have no width; quantize without --acc-bits"},
	{half_up, "rounding half_up: it rounds to nearest (half_even on a GPU, half_away on a CPU) or stochastic; quantize with "
		  "--rounding of these"},
	{two_roundings, "weights rounded half_even beside activations rounded half_away: it has one rounding; quantize with "
			"--weight-rounding=half_away"},
	{wraps, "outputs that wrap: its own saturate; quantize with --overflow=saturate"},
	{pool_alone, "tensor p, s7.5: neither a convolution nor an FC layer has it as input or output, and it would be read as "
		     "s7.4; quantize both alike"},
};

START_TEST(says_what_cannot_be_said)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_err err = {""};
	const bool is_pool = unsaid[_i].change == pool_alone;
	ck_assert_msg(load(is_pool ? INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV Q(8, 6, 7, 4, 6, 5))
			   LAYER("p", "Pooling", "c", "p", "pooling_param { pool: AVE kernel_size: 2 } ") : definition,
			   NULL, &net, &quant, &err) == 0, "%s", err.text);
	unsaid[_i].change(&quant);
	ck_assert_int_eq(mch_caffe_write(&net, &quant, temp_path(&temp, "z.prototxt"), NULL, &err), -1);
	const char *begin = "z.prototxt: Ristretto cannot say ";
	ck_assert_msg(strncmp(err.text + strlen(temp.dir) + 1, begin, strlen(begin)) == 0, "%s", err.text);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1 + strlen(begin), unsaid[_i].message);
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
	 "n.prototxt:2: mant_bits 3 and exp_bits 8, at most 5 exponent bits and 16 bits with the sign are supported; choose a "
	 "narrower format"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c",
		     CONV "quantization_param { precision: INTEGER_POWER_OF_2_WEIGHTS exp_min: -6 }"),
	 "n.prototxt:2: exponents from -6 to -1, 2, 4, 8 or 16 of them are supported; choose another exp_min or exp_max"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c",
		     CONV "quantization_param { precision: INTEGER_POWER_OF_2_WEIGHTS }"),
	 "n.prototxt:2: it leaves activations in float here; give them formats: bw_layer_in, fl_layer_in, bw_layer_out, "
	 "fl_layer_out"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c",
		     CONV "quantization_param { precision: INTEGER_POWER_OF_2_WEIGHTS rounding_scheme: STOCHASTIC }"),
	 "n.prototxt:2: STOCHASTIC exponents are not supported; choose rounding_scheme NEAREST"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV),
	 "n.prototxt:2: quantization_param is missing; add it, or use the layer's float type"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV "quantization_param { bw_layer_in: 8 }"),
	 "n.prototxt:2: bw_layer_out is 32, 1 to 16 bits are supported; choose a narrower format"},
	{INPUT LAYER("c", "ConvolutionRistretto", "x", "c", CONV "quantization_param { bw_layer: 8 }"),
	 "n.prototxt:2: bw_layer is no field of quantization_param; correct the name"},
	{INPUT LAYER("n", "LRNRistretto", "x", "n", "quantization_param { mant_bits: 3 }"),
	 "n.prototxt:2: LRNRistretto rounds to minifloats within the layer, which is not supported; use a layer LRN, which "
	 "runs in float"},
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
	tcase_add_test(cases, computes_minifloats_as_ristretto);
	tcase_add_test(cases, rounds_exponents_as_ristretto);
	tcase_add_loop_test(cases, is_written_as_it_is_read, 0, sizeof(said) / sizeof(said[0]));
	tcase_add_loop_test(cases, says_what_cannot_be_said, 0, sizeof(unsaid) / sizeof(unsaid[0]));
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
