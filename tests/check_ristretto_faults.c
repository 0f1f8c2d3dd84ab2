/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Faults of Ristretto's published tool that this one does not have, one test each, named after the fault; docs/quantize.md
 * lists them. */
#include "check_main.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/rng.h"
#include "net/exact.h"
#include "net/lower.h"
#include "net/score.h"
#include "quant/formats.h"
#include "quant/ranges.h"
#include "quant/search.h"

static struct mch_candidates all;
static struct mch_search s;
static int (*formula)(const int8_t *width);

static int score(void *ctx, const int8_t *width, int need, struct mch_right *right, struct mch_err *err)
{
	(void)ctx, (void)need, (void)err;
	*right = (struct mch_right){formula(width), 1000, false};
	return 0;
}

static void copy(void *ctx, const int *width, int8_t *setting)
{
	(void)ctx;
	for (int p = 0; p < MCH_N_PARTS; p++)
		setting[p] = (int8_t)width[p];
}

static void search(int (*f)(const int8_t *width))
{
	formula = f;
	mch_candidates_free(&all);
	all = (struct mch_candidates){.n_knobs = MCH_N_PARTS, .n_images = 1000, .score = score};
	const struct mch_search_config config = {.n_images = 1000,
						 .n_float_correct = 900,
						 .error_margin = 1,
						 .has_part = {true, true, true},
						 .weight_of = {1, 1, 1},
						 .candidates = &all,
						 .spread = copy};
	ck_assert_int_eq(mch_search_run(&s, &config, NULL), 0);
}

/* Alone each part may have 4 bits; together the losses add up. */
static int adds_up(const int8_t *width)
{
	return 900 - 3 * ((16 - width[0]) + (16 - width[1]) + (16 - width[2])) / 4;
}

/* "Parts are scored alone, the combined net may miss the tolerance, and nothing steps back." */
START_TEST(parts_scored_alone_and_no_step_back)
{
	search(adds_up);
	ck_assert_int_eq(s.tries[0].why, MCH_SEARCH_COMBINED);
	ck_assert_int_lt(all.list[s.tries[0].candidate].right.n_correct, 890);
	int n_back = 0;
	for (int i = 0; i < s.n_tries; i++)
		n_back += s.tries[i].why == MCH_SEARCH_STEP_BACK && s.tries[i].is_taken;
	ck_assert_int_gt(n_back, 0);
	/* The result is a combination that was scored as a whole, and keeps the margin. */
	const int8_t width[] = {(int8_t)s.width[0], (int8_t)s.width[1], (int8_t)s.width[2]};
	ck_assert_int_eq(mch_candidates_find(&all, width), s.candidate);
	ck_assert_int_ge(all.list[s.candidate].right.n_correct, 890);
	ck_assert(!all.list[s.candidate].right.is_bound);
}
END_TEST

static int least[MCH_N_PARTS];

static int needs_least(const int8_t *width)
{
	int n = 900;
	for (int p = 0; p < MCH_N_PARTS; p++)
		n -= width[p] < least[p] ? 20 : 0;
	return n;
}

/* "Widths 16, 8, 4, 2 and 1 only." */
START_TEST(widths_16_8_4_2_1_only)
{
	for (int bits = 1; bits <= 16; bits++) {
		least[0] = bits, least[1] = 17 - bits, least[2] = (bits + 7) % 16 + 1;
		search(needs_least);
		for (int p = 0; p < MCH_N_PARTS; p++)
			ck_assert_int_eq(s.width[p], least[p]);
	}
}
END_TEST

/* "10 calibration batches, hard-wired": the range of a tensor is that of as many images as are asked for, to the
 * last. */
START_TEST(ten_calibration_batches)
{
	enum { N_IMAGES = 1200, IN = 3 };
	struct mch_net net;
	struct mch_err err;
	struct mch_dataset data = {.n_images = N_IMAGES, .n_classes = 2, .shape = {1, IN, 1, 1}};
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, IN, 1, 1}, &err);
	ck_assert_int_ge(mch_net_add_layer(&net, "relu", MCH_RELU, net.input, NULL, &err), 0);
	ck_assert_int_eq(mch_net_infer(&net, &err), 0);
	data.pixels = calloc(N_IMAGES, IN);
	data.labels = calloc(N_IMAGES, sizeof(*data.labels));
	ck_assert(data.pixels && data.labels);
	const int places[] = {0, 9, 10, 319, 320, 640, N_IMAGES - 1};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		data.pixels[places[i] * IN + 1] = (uint8_t)(100 + i);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		for (int more = 0; more <= 1; more++) {
			struct mch_ranges ranges;
			const int n = places[i] + more;
			if (n == 0)
				continue;
			ck_assert_int_eq(mch_ranges_measure(&ranges, &net, &data, n, NULL, NULL, &err), 0);
			ck_assert_double_eq(ranges.edge[net.output].max, more ? 100.0 + (double)i : 99.0 + (double)i);
			mch_ranges_free(&ranges);
		}
	mch_dataset_free(&data);
	mch_net_free(&net);
}
END_TEST

/* A network with one convolution of 1x1 after another, or what a test makes of it. */
static struct mch_net net;
static struct mch_quant quant;
static struct mch_qnet q;
static struct mch_err err;

static void begin(int c, int h, int w)
{
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, c, h, w}, &err);
	ck_assert_int_ge(net.input, 0);
}

/* Weights all `weight`, biases `bias`. Its output edge. */
static int add_conv(const char *name, enum mch_kind kind, int in, int k, int kernel, float weight, float bias)
{
	const int i = mch_net_add_layer(&net, name, kind, in, NULL, &err);
	ck_assert_int_ge(i, 0);
	net.layers[i].conv = (struct mch_conv){.k = k, .r = kernel, .s = kernel, .stride_h = kernel, .stride_w = kernel,
					       .dilation_h = 1, .dilation_w = 1, .groups = 1};
	net.output = -1;
	ck_assert_msg(mch_net_infer(&net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(mch_layer_alloc(&net.layers[i], 1, &err), 0);
	for (size_t w = 0; w < net.layers[i].n_weights; w++)
		net.layers[i].weights[w] = weight;
	for (size_t w = 0; w < net.layers[i].n_bias; w++)
		net.layers[i].bias[w] = bias;
	return net.layers[i].out[0];
}

static const struct mch_format s8_4 = {.bits = 8, .frac = 4, .is_signed = true};

/* All tensors s8.4, all weights s8.weight_frac. */
static void quantize(int weight_frac)
{
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	for (int e = 0; e < net.n_edges; e++)
		quant.edge[e] = s8_4;
	for (int i = 0; i < net.n_layers; i++)
		if (mch_layer_is_mac(&net.layers[i]))
			quant.layer[i].weights = (struct mch_format){.bits = 8, .frac = weight_frac, .is_signed = true};
}

static void build(void)
{
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
}

static void end(void)
{
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

/* One image through the plain and the fast engine; they must agree. */
static void run(const int32_t *x, int32_t *y)
{
	const size_t n_out = mch_shape_elems(net.edges[q.output].shape);
	int32_t *fast = malloc(n_out * sizeof(*fast));
	struct mch_exact *e = mch_exact_new(&q, 1, &err);
	ck_assert(fast && e);
	ck_assert_int_eq(mch_qnet_run(&q, 1, x, y, NULL, NULL, &err), 0);
	ck_assert_int_eq(mch_exact_run(e, 1, x, fast, &err), 0);
	ck_assert_mem_eq(fast, y, n_out * sizeof(*y));
	mch_exact_free(e);
	free(fast);
}

/* "Half away on the CPU, half even on the GPU": one rounding, the one asked for, in every engine. */
START_TEST(half_away_on_cpu_half_even_on_gpu)
{
	static const int want[][4] = {
		[MCH_ROUND_FLOOR] = {-3, -2, 0, 1},    [MCH_ROUND_HALF_UP] = {-2, -1, 1, 2},
		[MCH_ROUND_HALF_AWAY] = {-3, -2, 1, 2}, [MCH_ROUND_HALF_EVEN] = {-2, -2, 0, 2},
	};
	for (int round = MCH_ROUND_FLOOR; round <= MCH_ROUND_HALF_EVEN; round++) {
		const int32_t x[4] = {-5, -3, 1, 3}; /* half of each is a tie */
		int32_t y[4];
		begin(1, 2, 2);
		add_conv("half", MCH_CONV, net.input, 1, 1, 0.5f, 0);
		quantize(6);
		quant.round = (enum mch_round)round;
		build();
		run(x, y);
		for (int i = 0; i < 4; i++)
			ck_assert_int_eq(y[i], want[round][i]);
		end();
	}
}
END_TEST

/* "The bias's range is ignored": Ristretto rounds it into the weights' format, where 3.7 would become 1.98. Here it has the
 * accumulator's, which is as wide as it needs, and what does not fit a narrower one is counted. */
START_TEST(bias_range_ignored)
{
	const int32_t x[1] = {16};
	int32_t y[1];
	begin(1, 1, 1);
	add_conv("c", MCH_CONV, net.input, 1, 1, 0.25f, 3.7f);
	quantize(6); /* weights to 1.98 */
	build();
	ck_assert_uint_eq(q.n_weights_saturated, 0);
	ck_assert_int_eq(q.steps[0].bias[0], (int64_t)nearbyint(3.7f * 1024)); /* at the accumulator's fraction, 4 + 6 */
	run(x, y);
	ck_assert_int_eq(y[0], (int)nearbyint((0.25 + (double)3.7f) * 16));
	mch_qnet_free(&q);
	quant.layer[0].acc = (struct mch_acc){12, MCH_SATURATE};
	build();
	ck_assert_uint_eq(q.n_weights_saturated, 1);
	ck_assert_int_eq(q.steps[0].bias[0], 2047);
	end();
}
END_TEST

/* "In-place trimming changes what a sibling branch reads": a tensor has one format, made where it is made; a reader changes
 * nothing of it. */
START_TEST(trimming_changes_what_a_sibling_reads)
{
	int32_t x[4] = {-128, 127, 5, -7}, before[4], tapped[4], y[4];
	begin(1, 2, 2);
	const int made = add_conv("made", MCH_CONV, net.input, 1, 1, 1, 0);
	add_conv("narrow", MCH_CONV, made, 1, 1, 1, 0);
	const int sibling = add_conv("sibling", MCH_CONV, made, 1, 1, 1, 0);
	net.output = sibling;
	quantize(6);
	quant.edge[net.layers[1].out[0]] = (struct mch_format){.bits = 2, .frac = 0, .is_signed = true};
	build();
	int32_t *taps[8] = {NULL};
	ck_assert_int_lt(net.n_edges, 8);
	taps[made] = tapped;
	ck_assert_int_eq(mch_qnet_run(&q, 1, x, y, taps, NULL, &err), 0);
	ck_assert_mem_eq(tapped, x, sizeof(x)); /* after all readers */
	ck_assert_mem_eq(y, x, sizeof(x));
	memcpy(before, y, sizeof(y));
	run(x, y); /* in the buffers that the fast engine shares out, too */
	ck_assert_mem_eq(before, y, sizeof(y));
	end();
}
END_TEST

/* "Sums in float of no stated width": 2^24 + 1 - 2^24 is 1, in whatever order, in an accumulator whose width is told. */
START_TEST(float_accumulation_without_width)
{
	enum { N = 1025 };
	static int32_t x[N];
	int32_t y[1];
	begin(N, 1, 1);
	add_conv("sum", MCH_DENSE, net.input, 1, 1, 1, 0);
	for (int i = 0; i < N; i++) {
		net.layers[0].weights[i] = i < N / 2 ? 128 : i == N / 2 ? 1 : -128;
		x[i] = i == N / 2 ? 1 : 256;
	}
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	quant.edge[0] = (struct mch_format){.bits = 10, .frac = 0, .is_signed = true};
	quant.edge[1] = s8_4;
	quant.edge[1].frac = 0;
	quant.layer[0].weights = (struct mch_format){.bits = 9, .frac = 0, .is_signed = true};
	build();
	float sum = 0;
	for (int i = 0; i < N; i++)
		sum += (float)x[i] * net.layers[0].weights[i];
	ck_assert(sum == 0); /* the 1 is lost */
	run(x, y);
	ck_assert_int_eq(y[0], 1);
	const struct mch_certificate *c = &quant.layer[0].certificate;
	ck_assert(c->high > INT64_C(1) << 24 && q.steps[0].acc.bits == c->bits);
	end();
}
END_TEST

/* Predictions of a network that rounds stochastically. */
static void predict(uint32_t seed, int n_threads, int32_t *prediction)
{
	enum { N = 64 };
	struct mch_dataset data = {.n_images = N, .n_classes = 10, .shape = {1, 16, 1, 1}};
	struct mch_rng rng = mch_rng_seed(3);
	begin(16, 1, 1);
	add_conv("fc", MCH_DENSE, net.input, 10, 1, 0, 0);
	for (size_t w = 0; w < net.layers[0].n_weights; w++)
		net.layers[0].weights[w] = (float)(2 * mch_rng_real(&rng) - 1);
	quantize(6);
	quant.edge[0] = (struct mch_format){.bits = 8, .frac = 0};
	quant.edge[1] = (struct mch_format){.bits = 3, .frac = -8, .is_signed = true}; /* sums of some hundreds */
	quant.round = MCH_ROUND_STOCHASTIC;
	quant.seed = seed;
	build();
	data.pixels = malloc(N * 16);
	data.labels = calloc(N, sizeof(*data.labels));
	ck_assert(data.pixels && data.labels);
	for (int i = 0; i < N * 16; i++)
		data.pixels[i] = (uint8_t)mch_rng_below(&rng, 256);
#ifdef _OPENMP
	omp_set_num_threads(n_threads);
#endif
	ck_assert_int_ge(mch_exact_score(&q, &data, N, prediction, &err), 0);
	mch_dataset_free(&data);
	end();
	(void)n_threads;
}

/* "Stochastic rounding from a generator that nobody seeds": the same seed, the same bits, for any number of threads. */
START_TEST(stochastic_rounding_unseeded)
{
	int32_t first[64], again[64], two[64], other[64];
	predict(1, 1, first);
	predict(1, 1, again);
	predict(1, 2, two);
	predict(40000, 1, other);
	ck_assert_mem_eq(first, again, sizeof(first));
	ck_assert_mem_eq(first, two, sizeof(first));
	ck_assert_mem_ne(first, other, sizeof(first));
}
END_TEST

/* "Transposed convolutions are never converted": they become convolutions, with weights in codes, and count as such. */
START_TEST(deconvolution_never_converted)
{
	const int32_t x[4] = {1, 2, 3, 4};
	int32_t y[16];
	begin(1, 2, 2);
	add_conv("up", MCH_DECONV, net.input, 1, 2, 0, 0);
	for (int i = 0; i < 4; i++)
		net.layers[0].weights[i] = (float)(i + 1);
	ck_assert_int_eq(mch_net_lower(&net, &err), 0);
	int n_parts = 0;
	for (int i = 0; i < net.n_layers; i++)
		n_parts += mch_formats_part(&net.layers[i]) == MCH_PART_CONV_WEIGHTS;
	ck_assert_int_eq(n_parts, 1);
	quantize(4);
	build();
	for (int i = 0; i < q.n_steps; i++)
		ck_assert(q.steps[i].form == MCH_FORM_MAC || q.steps[i].form == MCH_FORM_GATHER);
	run(x, y);
	for (int i = 0; i < 16; i++) /* each pixel times the kernel, side by side */
		ck_assert_int_eq(y[i], x[i / 8 * 2 + i % 4 / 2] * (i / 4 % 2 * 2 + i % 2 + 1));
	end();
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {
		half_away_on_cpu_half_even_on_gpu, bias_range_ignored, trimming_changes_what_a_sibling_reads,
		float_accumulation_without_width, stochastic_rounding_unseeded, deconvolution_never_converted,
		parts_scored_alone_and_no_step_back, widths_16_8_4_2_1_only, ten_calibration_batches,
	};
	return CHECK_SUITE("ristretto faults", tests);
}

int main(void)
{
	return check_main(suite);
}
