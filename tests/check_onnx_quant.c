/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Quantized ONNX models: the float network that they are, its formats, and that the exact run of both gives the
 * codes that the model's own integer arithmetic gives. */
#include "check_main.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "io/onnx_read.h"
#include "net/qnet.h"
#include "onnx_text.h"

/* A model, its layers (onnx_text.h), and its formats: of tensors, of weights, the number of notes. */
static const struct {
	const char *model, *layers, *formats;
} cases[] = {
	/* The order of exporters: everything that is read goes through QuantizeLinear and DequantizeLinear. */
	{"in x Nx1x2x2; f sx - = 0.0625; t int8 zx - = 0; f sw - = 0.5; t int8 w 1x1x1x1 = 3; t int8 zw - = 0; t "
	 "int32 b 1 = 4;"
	 "f sb - = 0.03125; t int32 zb - = 0; f sy - = 0.125; t int8 zy - = 0;"
	 "QuantizeLinear x sx zx -> xq; DequantizeLinear xq sx zx -> xd; DequantizeLinear w sw zw -> wd;"
	 "DequantizeLinear b sb zb -> bd; Conv xd wd bd -> c; Relu c -> r; QuantizeLinear r sy zy -> rq;"
	 "DequantizeLinear rq sy zy -> y; out y",
	 "conv 1x2x2 k1x1 w=1.5 b=0.125 | relu 1x2x2", "x s8.4, c s8.3, r s8.3; c s8.1; 0"},
	/* Codes without a sign cut off what is below zero: the model has no ReLU, the network needs one. */
	{"in x Nx1x2x2; f sx - = 0.0625; t int8 z - = 0; f sw - = 0.5; t int8 w 1x1x1x1 = 3; f sy - = 0.125; t "
	 "uint8 zy - = 0;"
	 "QuantizeLinear x sx z -> xq; DequantizeLinear xq sx z -> xd; DequantizeLinear w sw z -> wd; Conv xd wd "
	 "-> c;"
	 "QuantizeLinear c sy zy -> cq; DequantizeLinear cq sy zy -> y; out y",
	 "conv 1x2x2 k1x1 w=1.5 | relu 1x2x2", "x s8.4, c u8.3, cq u8.3; c s8.1; 0"},
	/* The same by the zero point; and a scale that is no power of two cuts off the upper end. */
	{"in x Nx1x2x2; f sx - = 0.0625; t int8 z - = 0; f sw - = 0.5; t int8 w 1x1x1x1 = 3; f sy - = 0.1; t int8 "
	 "zy - = -128;"
	 "QuantizeLinear x sx z -> xq; DequantizeLinear xq sx z -> xd; DequantizeLinear w sw z -> wd; Conv xd wd "
	 "-> c;"
	 "QuantizeLinear c sy zy -> cq; DequantizeLinear cq sy zy -> y; out y",
	 "conv 1x2x2 k1x1 w=1.5 | clip 1x2x2 0..25.5", "x s8.4, c u8.3, cq u8.3; c s8.1; 1"},
	/* Weights with a zero point and a scale for each output channel; none of these is one format of eight
	 * bits. */
	{"in x Nx1x1x1; f sx - = 0.25; t uint8 zx - = 128; f sw 2 = 0.5 0.25; t uint8 zw 2 = 128 128; t uint8 w "
	 "2x1x1x1 = 130 120;"
	 "QuantizeLinear x sx zx -> xq; DequantizeLinear xq sx zx -> xd; DequantizeLinear w sw zw -> wd axis=0;"
	 "Conv xd wd -> y; out y",
	 "conv 2x1x1 k1x1 w=1,-2", "x s8.2, y s16.8; y s8.6; 1"},
	/* QLinearConv, its bias, and a ReLU by its output's codes. */
	{"in x Nx1x2x2; f sx - = 0.0625; t uint8 zx - = 0; f sw - = 0.5; t int8 zw - = 0; t int8 w 1x1x1x1 = -3; f "
	 "sy - = 0.125;"
	 "t uint8 zy - = 0; t int32 b 1 = 32; QuantizeLinear x sx zx -> xq;"
	 "QLinearConv xq sx zx w sw zw sy zy b -> yq strides=[2,2]; DequantizeLinear yq sy zy -> y; out y",
	 "conv 1x1x1 k1x1 s2x2 w=-1.5 b=1 | relu 1x1x1", "x u8.4, yq/sum u8.3, yq u8.3; yq/sum s8.1; 0"},
	{"in x Nx2; f sx - = 0.0625; t int8 zx - = 0; f sw - = 0.5; t int8 zw - = 0; t int8 w 2x1 = -3 4; f sy - = "
	 "0.125; t int8 zy - = 0;"
	 "QuantizeLinear x sx zx -> xq; QLinearMatMul xq sx zx w sw zw sy zy -> yq; DequantizeLinear yq sy zy -> "
	 "y; out y",
	 "dense 1x1x1 w=-1.5,2", "x s8.4, yq s8.3; yq s8.1; 0"},
	/* Sums of codes, which a Cast and a Mul make real numbers. */
	{"in x Nx1x2x2; f sx - = 0.0625; t uint8 zx - = 0; t int8 w 1x1x1x1 = 3; f s - = 0.03125; QuantizeLinear x "
	 "sx zx -> xq;"
	 "ConvInteger xq w zx -> i; Cast i -> f to=1; Mul f s -> y; out y",
	 "conv 1x2x2 k1x1 w=1.5", "x u8.4, y s16.10; y s8.1; 1"},
	{"in x Nx2; t int8 w 2x1 = -3 4; f sw - = 0.5; t int8 zw - = 0; DynamicQuantizeLinear x -> xq xs xz; Mul "
	 "xs sw -> s;"
	 "MatMulInteger xq w xz zw -> i; Cast i -> f to=1; Mul f s -> y; out y",
	 "dense 1x1x1 w=-1.5,2", "x float, y float; y s8.1; 0"},
	/* QONNX. */
	{"in x Nx1x1x1; f s - = 0.25; f z - = 0.0; f four - = 4.0; f sw - = 0.125; f w 1x1x1x1 = 0.3;"
	 "qonnx.custom_op.general:Quant x s z four -> xq signed=0 narrow=0 rounding_mode=FLOOR;"
	 "onnx.brevitas:Quant w sw z four -> wq signed=1 narrow=1 rounding_mode=ROUND; Conv xq wq -> y; out y",
	 "conv 1x1x1 k1x1 w=0.25", "x u4.2, y s16.15; y s4.3; 1"},
	/* ONNX Runtime's own. */
	{"in x Nx2x2x2; f s - = 0.25; t int8 z - = 0; f sy - = 0.5; QuantizeLinear x s z -> q;"
	 "com.microsoft:QLinearGlobalAveragePool q s z s z -> p channels_last=0; com.microsoft:QLinearAdd p s z p "
	 "s z sy z -> a;"
	 "com.microsoft:QLinearConcat sy z p s z a sy z -> c; DequantizeLinear c sy z -> y; out y",
	 "average pool 2x1x1 k2x2 | sum 2x1x1 | concat 4x1x1 on 1", "x s8.2, p s8.2, a s8.1, c s8.1; 0"},
};

static void put_formats(const struct mch_net *net, const struct mch_quant *quant, char *text, size_t room)
{
	char word[16];
	size_t used = 0;
	text[0] = '\0';
	for (int e = 0; e < net->n_edges; e++)
		used += (size_t)snprintf(text + used, room - used, "%s%s %s", e ? ", " : "", net->edges[e].name,
					 quant->edge[e].bits ? mch_format_text(quant->edge[e], word) : "float");
	for (int i = 0; i < net->n_layers; i++)
		if (mch_layer_is_mac(&net->layers[i]))
			used += (size_t)snprintf(text + used, room - used, "; %s %s",
						 net->edges[net->layers[i].out[0]].name,
						 mch_format_text(quant->layer[i].weights, word));
	snprintf(text + used, room - used, "; %d", quant->n_notes);
}

static int read_text(const char *text, struct mch_net *net, struct mch_quant *quant, struct mch_err *err)
{
	size_t n;
	uint8_t *bytes = onnx_text_model(text, &n);
	const struct mch_onnx_options options = {.quant = quant};
	const int status = mch_onnx_parse_options("q.onnx", bytes, n, &options, net, err);
	free(bytes);
	return status;
}

START_TEST(reads)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_err err = {""};
	char text[1024];
	ck_assert_msg(read_text(cases[_i].model, &net, &quant, &err) == 0, "%s", err.text);
	onnx_text_of(&net, text, sizeof(text));
	ck_assert_str_eq(text, cases[_i].layers);
	put_formats(&net, &quant, text, sizeof(text));
	ck_assert_str_eq(text, cases[_i].formats);
	mch_net_free(&net);
	mch_quant_free(&quant);
}
END_TEST

static const struct {
	const char *model, *message;
} refusals[] = {
	/* Codes as the result are for nobody who wants a network. */
	{"in x Nx1; f s - = 0.5; t int8 z - = 0; QuantizeLinear x s z -> y; out y",
	 "q.onnx: not supported: QuantizeLinear (y); replace these, or cut the network before them"},
	{"in x Nx1; in s -; QuantizeLinear x s -> q; DequantizeLinear q s -> y; out y",
	 "q.onnx: node q (QuantizeLinear): \"s\" is no constant; simplify the model"},
	{"in x Nx1; f s - = -0.5; t int8 z - = 0; QuantizeLinear x s z -> q; DequantizeLinear q s z -> y; out y",
	 "q.onnx: node q (QuantizeLinear): scale 0 is -0.5, a number above 0 is expected; quantize the model "
	 "again"},
	{"in x Nx1; f s 3 = 1 1 1; t int8 z 2 = 0 0; QuantizeLinear x s z -> q; DequantizeLinear q s z -> y; out y",
	 "q.onnx: node q (QuantizeLinear): 3 scales and 2 zero points; export the model again"},
	{"in x Nx1x1x1; f s 3 = 1 1 1; t int8 w 2x1x1x1 = 1 2; DequantizeLinear w s -> d axis=0; Conv x d -> y; "
	 "out y",
	 "q.onnx: node d (DequantizeLinear): 3 scales do not fit dimension 0 of \"w\"; quantize the model again"},
	{"in x Nx1x1x1; f s - = 1.0; t uint8 z - = 0; t int8 w 1x1x1x1 = 3; QuantizeLinear x s z -> q; ConvInteger "
	 "q w z -> i;"
	 "Cast i -> y to=1; out y",
	 "q.onnx: node i (ConvInteger): its sums become real numbers by no Cast and Mul with the scales of its "
	 "input and weights; "
	 "quantize the model with QuantizeLinear and DequantizeLinear"},
	{"in x Nx1; f s - = 1.0; f z - = 0.0; f b - = 8.0; finn.custom_op.general:Quant x s z b -> y "
	 "rounding_mode=CEIL; out y",
	 "q.onnx: node y (Quant): rounding_mode \"CEIL\" is not supported, ROUND and FLOOR are; quantize the model "
	 "again"},
	{"in x Nx1; f s - = 1.0; f z - = 0.0; f b - = 2.5; finn.custom_op.general:Quant x s z b -> y; out y",
	 "q.onnx: node y (Quant): a bit width of 2.5 is not supported, 1 to 32 is; quantize the model again"},
	{"in x Nx1x1x1; f s - = 1.0; t int8 z - = 0; QLinearConv x s z x s z s z -> q; DequantizeLinear q s z -> "
	 "y; out y",
	 "q.onnx: node q (QLinearConv): \"x\" is no constant; simplify the model"},
	{"in x Nx1; f s 3 = 1 1 1; t int8 z 2 = 0 0; com.microsoft:QLinearAdd x s z x s z s z -> q; "
	 "DequantizeLinear q s z -> y; out y",
	 "q.onnx: node q (QLinearAdd): 3 scales and 2 zero points; export the model again"},
	{"in x Nx1; f s - = 1.0; t int8 z - = 0; com.microsoft:QLinearAdd x s z x s z s z; DequantizeLinear x s z "
	 "-> y; out y",
	 "q.onnx: node  (QLinearAdd): 8 inputs and 0 outputs are not supported; export the model again"},
};

START_TEST(refuses)
{
	struct mch_net net;
	struct mch_quant quant;
	struct mch_err err = {""};
	ck_assert_int_eq(read_text(refusals[_i].model, &net, &quant, &err), -1);
	ck_assert_str_eq(err.text, refusals[_i].message);
}
END_TEST

/* round(v / 2^shift), a tie to even, in another way than fxp/ does it. */
static int64_t slow_round(int64_t v, int shift)
{
	const double exact = ldexp((double)v, -shift), low = floor(exact), above = exact - low;
	return (int64_t)low + (above > 0.5 || (above == 0.5 && (int64_t)low % 2 != 0));
}

/* QLinearConv of 3x3 codes as its specification has it: scales 2^-4, 2^-6 and 2^-3. */
START_TEST(runs_exactly)
{
	enum { SIDE = 5, OUT = 3, K = 2 };
	struct mch_rng rng = mch_rng_seed((uint64_t)_i + 1);
	int w[K * 9], b[K], used;
	int32_t x[SIDE * SIDE], y[K * OUT * OUT];
	char model[2048];
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	used = snprintf(model, sizeof(model),
			"in x Nx1x5x5; f sx - = 0.0625; t uint8 zx - = 0; f sw - = 0.015625; t int8 zw - = 0; f sy "
			"- = 0.125;"
			"t int8 zy - = 0; t int8 w 2x1x3x3 =");
	for (int i = 0; i < K * 9; i++) {
		w[i] = (int)mch_rng_below(&rng, 256) - 128;
		used += snprintf(model + used, sizeof(model) - (size_t)used, " %d", w[i]);
	}
	for (int k = 0; k < K; k++)
		b[k] = (int)mch_rng_below(&rng, 20001) - 10000;
	snprintf(model + used, sizeof(model) - (size_t)used,
		 "; t int32 b 2 = %d %d; QuantizeLinear x sx zx -> xq; QLinearConv xq sx zx w sw zw sy zy b -> yq;"
		 "DequantizeLinear yq sy zy -> y; out y",
		 b[0], b[1]);
	ck_assert_msg(read_text(model, &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_int_eq(quant.n_notes, 0);
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	for (int i = 0; i < SIDE * SIDE; i++)
		x[i] = (int32_t)mch_rng_below(&rng, 256);
	ck_assert_int_eq(mch_qnet_run(&q, 1, x, y, NULL, NULL, &err), 0);
	for (int k = 0; k < K; k++)
		for (int p = 0; p < OUT * OUT; p++) {
			int64_t sum = b[k];
			for (int t = 0; t < 9; t++)
				sum += (int64_t)x[(p / OUT + t / 3) * SIDE + p % OUT + t % 3] * w[k * 9 + t];
			const int64_t code = slow_round(sum, 4 + 6 - 3);
			ck_assert_int_eq(y[k * OUT * OUT + p], code < -128 ? -128 : code > 127 ? 127 : code);
		}
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("onnx_quant");
	TCase *tcase = tcase_create("onnx_quant");
	tcase_add_loop_test(tcase, reads, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(tcase, refuses, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_loop_test(tcase, runs_exactly, 0, 20);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return check_main(suite);
}
