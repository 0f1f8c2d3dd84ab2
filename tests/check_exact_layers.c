/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The exact engine is bit-equal to the plain operators in layers that random nets hardly meet: sums beyond what float counts,
 * response normalizations, branches; and it counts the images that are right, by one thread and two. */
#ifdef _OPENMP
#include <omp.h>
#endif

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "exact_compare.h"
#include "net/exact.h"
#include "net/score.h"
#include "random_graph.h"

/* One layer whose sums pass 2^24, the last integer that float counts to, by operands near their largest values;
 * the bias takes the sum back into 16 bits with nothing shifted out, so that an error of one shows. */
static void compare_large_sums(struct mch_layer like, struct mch_shape in, uint64_t seed)
{
	enum { N = 4 };
	struct mch_rng rng = mch_rng_seed(seed);
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", in, &err);
	append_layer(&net, &like, net.input, &rng);
	struct mch_layer *layer = &net.layers[0];
	const size_t n_terms = mch_conv_terms(&layer->conv), elems = mch_shape_elems(in);
	free(layer->bias);
	layer->n_bias = (size_t)layer->conv.k;
	layer->bias = calloc(layer->n_bias, sizeof(*layer->bias));
	ck_assert_ptr_nonnull(layer->bias);
	for (size_t i = 0; i < layer->n_weights; i++) {
		layer->weights[i] = (float)(127 - (int)mch_rng_below(&rng, 3));
		layer->bias[i / n_terms] -= 255 * layer->weights[i];
	}
	ck_assert(layer->bias[0] < -0x1p24f);
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	quant.edge[net.input] = (struct mch_format){8, 0, false};
	quant.edge[net.output] = (struct mch_format){16, 0, true};
	quant.layer[0].weights = (struct mch_format){8, 0, true};
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	int32_t *x = malloc(N * elems * sizeof(*x));
	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < N * elems; i++)
		x[i] = mch_rng_below(&rng, (uint32_t)elems) ? 255 : (int32_t)mch_rng_below(&rng, 256);
	compare_input(&q, N, N, x, seed);
	free(x);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

static void compare_all_large_sums(void)
{
	const struct mch_conv wide = {.k = 4, .r = 17, .s = 17, .stride_h = 1, .stride_w = 1, .dilation_h = 1,
				      .dilation_w = 1, .groups = 2};
	struct mch_conv deep = wide, full = wide;
	deep.r = deep.s = 3, deep.k = 6;
	full.groups = 1;
	compare_large_sums((struct mch_layer){.kind = MCH_DENSE, .conv = {.k = 40}},
			   (struct mch_shape){1, 3000, 1, 1}, 1);
	compare_large_sums((struct mch_layer){.kind = MCH_DENSE, .conv = {.k = 10}},
			   (struct mch_shape){1, 30, 10, 9}, 2);
	compare_large_sums((struct mch_layer){.kind = MCH_CONV, .conv = wide}, (struct mch_shape){1, 6, 18, 19}, 3);
	compare_large_sums((struct mch_layer){.kind = MCH_CONV, .conv = deep}, (struct mch_shape){1, 514, 4, 5}, 4);
	compare_large_sums((struct mch_layer){.kind = MCH_CONV, .conv = full}, (struct mch_shape){1, 3, 18, 19}, 5);
}

START_TEST(sums_beyond_float)
{
	compare_all_large_sums();
}
END_TEST

START_TEST(sums_beyond_float_without_byte_products)
{
	setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
	compare_all_large_sums();
}
END_TEST

START_TEST(sums_beyond_float_without_vnni)
{
	setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE", 1);
	compare_all_large_sums();
}
END_TEST

/* Bytes through a response normalization: estimated in float, and computed in double near the middle between two
 * codes. */
START_TEST(lrn_of_bytes)
{
	static const struct mch_shape in = {1, 70, 45, 47};
	for (uint64_t seed = 0; seed < 100; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		const bool is_signed = mch_rng_next(&rng) & 1, is_within = mch_rng_next(&rng) & 1;
		const int in_bits = 8 - (int)(seed % 4), frac = (int)mch_rng_below(&rng, 12) - 3;
		const double alpha = ldexp(1 + mch_rng_real(&rng), -(int)mch_rng_below(&rng, 15));
		const struct mch_layer lrn = {.kind = MCH_LRN,
					      .lrn = {1 + 2 * (int)mch_rng_below(&rng, 4), alpha,
						      seed % 8 ? 0.75 : 0.5, seed % 5 ? 1 + mch_rng_real(&rng) : 0,
						      is_within}};
		mch_net_init(&net);
		net.input = mch_net_add_edge(&net, "data", in, &err);
		append_graph_layer(&net, &lrn, 1, &net.input, &rng);
		ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
		quant.edge[net.input] = (struct mch_format){.bits = in_bits, .frac = frac, .is_signed = is_signed};
		quant.edge[net.output] = (struct mch_format){
			.bits = 8, .frac = frac + 7 + (int)(seed % 3) - in_bits, .is_signed = is_signed};
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		const size_t elems = mch_shape_elems(in);
		ck_assert_int_eq(q.output, net.output);
		const int32_t low = (int32_t)mch_format_min(q.input_format);
		int32_t *x = malloc(elems * sizeof(*x));
		ck_assert_ptr_nonnull(x);
		for (size_t i = 0; i < elems; i++)
			x[i] = low + (int32_t)mch_rng_below(&rng, 1u << in_bits);
		compare_input(&q, 1, 1, x, seed);
		free(x);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
}
END_TEST

/* Branches that a concatenation alone reads, in its own format: convolutions write into it. */
static void compare_branches(uint64_t seed)
{
	const int ks[] = {20, 7, 16, 33};
	struct mch_rng rng = mch_rng_seed(seed);
	const struct random_format f = {0, 0, seed % 2 ? 8 : 12, 0};
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	struct mch_err err = {""};
	const struct mch_layer concat = {.kind = MCH_CONCAT, .axis = 1};
	int ins[4];
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 5, 9, 8}, &err);
	for (int i = 0; i < 4; i++) {
		const int r = 1 + 2 * (i % 2);
		const struct mch_layer conv = {.kind = MCH_CONV,
					       .conv = {.k = ks[i], .r = r, .s = r, .stride_h = 1, .stride_w = 1,
							.dilation_h = 1, .dilation_w = 1, .groups = 1,
							.pad_top = r / 2, .pad_left = r / 2, .pad_bottom = r / 2,
							.pad_right = r / 2}};
		ins[i] = append_layer(&net, &conv, net.input, &rng);
	}
	const int whole = append_graph_layer(&net, &concat, 4, ins, &rng);
	append_layer(&net, &(struct mch_layer){.kind = MCH_DENSE, .conv = {.k = 10}}, whole, &rng);
	random_graph_quant(&rng, &f, &net, &quant);
	for (int i = 0; i < 3; i++) /* the last differs: it is requantized */
		quant.edge[ins[i]] = quant.edge[whole];
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	compare(&rng, &q, 3, 2, seed);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

START_TEST(branches)
{
	for (uint64_t seed = 0; seed < 40; seed++)
		compare_branches(seed);
}
END_TEST

START_TEST(lenet_shape)
{
	static const int width[] = {8, 16, 4};
	for (int i = 0; i < 3; i++) {
		struct mch_rng rng = mch_rng_seed((uint64_t)i);
		const struct random_format f = {0, 0, width[i], 0};
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		lenet_net(&rng, &net);
		random_quant(&rng, &f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		compare(&rng, &q, 3, 2, (uint64_t)i);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
}
END_TEST

static void random_dataset(struct mch_rng *rng, struct mch_shape shape, int n, struct mch_dataset *data)
{
	*data = (struct mch_dataset){.n_images = n, .n_classes = 10, .shape = shape};
	data->pixels = malloc((size_t)n * mch_shape_elems(shape));
	data->labels = malloc((size_t)n * sizeof(*data->labels));
	ck_assert(data->pixels && data->labels);
	for (size_t i = 0; i < (size_t)n * mch_shape_elems(shape); i++)
		data->pixels[i] = (uint8_t)mch_rng_below(rng, 256);
	for (int i = 0; i < n; i++)
		data->labels[i] = (int32_t)mch_rng_below(rng, 10);
}

/* The plain count and predictions, then the engine's with 1 and 2 threads. */
static void compare_score(const struct mch_qnet *q, const struct mch_dataset *data)
{
	enum { N = 37 };
	struct mch_err err = {""};
	const size_t in = mch_shape_elems(data->shape), out = mch_shape_elems(q->net->edges[q->output].shape);
	int32_t *x = malloc(N * in * sizeof(*x)), *y = malloc(N * out * sizeof(*y)), got[N], want[N];
	int right = 0;
	ck_assert(x && y);
	ck_assert_int_eq(mch_dataset_raw(data, 0, N, q->input_format, x, &err), 0);
	ck_assert_int_eq(mch_qnet_run(q, N, x, y, NULL, NULL, &err), 0);
	for (int i = 0; i < N; i++) {
		want[i] = mch_argmax_raw(y + (size_t)i * out, (int)out);
		right += want[i] == data->labels[i];
	}
	for (int threads = 1; threads <= 2; threads++) {
#ifdef _OPENMP
		omp_set_num_threads(threads);
#endif
		memset(got, 0xff, sizeof(got));
		ck_assert_int_eq(mch_exact_score(q, data, N, got, &err), right);
		ck_assert_int_eq(memcmp(got, want, sizeof(got)), 0);
	}
	ck_assert_int_eq(mch_exact_score(q, data, N, NULL, &err), right);
	ck_assert_int_eq(mch_exact_score(q, data, 0, NULL, &err), 0);
	free(x);
	free(y);
}

START_TEST(score)
{
	static const struct random_format f = {0, 0, 0, 15};
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_dataset data;
		struct mch_err err = {""};
		random_net(&rng, &net);
		net.transform.scale = 1 / 256.0;
		random_quant(&rng, &f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		random_dataset(&rng, net.edges[net.input].shape, 37, &data);
		data.transform = &net.transform;
		compare_score(&q, &data);
		mch_dataset_free(&data);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
}
END_TEST

static Suite *layers_suite(void)
{
	const TTest *const tests[] = {sums_beyond_float, sums_beyond_float_without_byte_products,
					     sums_beyond_float_without_vnni, lrn_of_bytes, branches, lenet_shape, score};
	return CHECK_SUITE("exact_layers", tests);
}

int main(void)
{
	return check_main(layers_suite);
}
