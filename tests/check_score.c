/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The scoring loop: answers and ranks against a plain count, differences against their definition, the first failure,
 * and all of it the same for any number of threads. */
#include "check_main.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/rng.h"
#include "net/interval.h"
#include "net/loader.h"
#include "net/score.h"

/* 5 inputs, dense to 7 outputs whose weights are few values, so that outputs are often equal; then a softmax. */
enum { N = 150, IN = 5, OUT = 7 };

static struct mch_net net;
static struct mch_dataset data;
static struct mch_err err;

static void add(enum mch_kind kind, const char *name)
{
	const int in = net.n_layers ? net.layers[net.n_layers - 1].out[0] : net.input;
	ck_assert_int_ge(mch_net_add_layer(&net, name, kind, in, NULL, &err), 0);
}

static void setup(void)
{
	struct mch_rng rng = mch_rng_seed(4);
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, IN, 1, 1}, &err);
	add(MCH_DENSE, "fc");
	net.layers[0].conv.k = OUT;
	add(MCH_SOFTMAX, "prob");
	ck_assert_msg(mch_net_infer(&net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(mch_layer_alloc(&net.layers[0], 1, &err), 0);
	for (int i = 0; i < IN * OUT; i++)
		net.layers[0].weights[i] = (float)mch_rng_below(&rng, 3) - 1;
	data = (struct mch_dataset){.n_images = N, .n_classes = OUT, .shape = {1, IN, 1, 1}};
	data.pixels = malloc(N * IN);
	data.labels = malloc(N * sizeof(*data.labels));
	ck_assert(data.pixels && data.labels);
	for (int i = 0; i < N * IN; i++)
		data.pixels[i] = (uint8_t)mch_rng_below(&rng, 4);
	for (int i = 0; i < N; i++)
		data.labels[i] = (int32_t)mch_rng_below(&rng, OUT + 2) - 1; /* some are no output's */
}

static void teardown(void)
{
	mch_net_free(&net);
	mch_dataset_free(&data);
}

/* Outputs of the dense layer, counted here: integers, so exact in any arithmetic. */
static int logit(int image, int k)
{
	int sum = 0;
	for (int i = 0; i < IN; i++)
		sum += (int)net.layers[0].weights[k * IN + i] * data.pixels[image * IN + i];
	return sum;
}

static void use_threads(int n)
{
#ifdef _OPENMP
	omp_set_num_threads(n);
#endif
}

static void count_calls(void *ctx, int done, int total)
{
	int *last = ctx;
	ck_assert_int_gt(done, *last);
	ck_assert_int_eq(total, N);
	*last = done;
}

START_TEST(answers_and_ranks)
{
	for (int plain = 0; plain <= 1; plain++)
		for (int threads = 1; threads <= 3; threads++) {
			const struct mch_model model = {&net, NULL, plain};
			int last = 0, n_top1 = 0, n_top5 = 0, n_ties = 0;
			const struct mch_score_config config = {.data = &data,
								.n = N,
								.progress = count_calls,
								.ctx = &last};
			struct mch_answers answers;
			use_threads(threads);
			ck_assert_msg(mch_score_run(&model, &config, &answers, &err) == 0, "%s", err.text);
			ck_assert_int_eq(last, N);
			ck_assert(answers.n_images == N && answers.n_outputs == OUT);
			for (int i = 0; i < N; i++) {
				const int label = data.labels[i];
				int best = 0, rank = label >= 0 && label < OUT ? 0 : OUT;
				for (int k = 0; k < OUT; k++) {
					best = logit(i, k) > logit(i, best) ? k : best;
					if (label >= 0 && label < OUT && k != label) {
						n_ties += logit(i, k) == logit(i, label);
						rank += logit(i, k) > logit(i, label) ||
							(logit(i, k) == logit(i, label) && k < label);
					}
				}
				ck_assert_int_eq(answers.prediction[i], best);
				ck_assert_int_eq(answers.rank[i], rank);
				n_top1 += best == label;
				n_top5 += rank < 5;
			}
			ck_assert_int_gt(n_ties, 20);
			ck_assert_int_eq(answers.n_top1, n_top1);
			ck_assert_int_eq(answers.n_top5, n_top5);
			ck_assert_int_eq(mch_float_score(&net, &data, N, NULL, &err), n_top1);
			mch_answers_free(&answers);
		}
}
END_TEST

/* A part of the images has their answers, wherever it lies. */
START_TEST(a_part)
{
	const struct mch_model model = {.net = &net};
	struct mch_answers whole, part;
	ck_assert_int_eq(mch_score_run(&model, &(struct mch_score_config){.data = &data, .n = N}, &whole, &err), 0);
	for (int first = 0; first < N; first += 37) {
		const struct mch_score_config config = {.data = &data, .first = first, .n = N - first};
		ck_assert_int_eq(mch_score_run(&model, &config, &part, &err), 0);
		ck_assert_mem_eq(part.rank, whole.rank + first, sizeof(*part.rank) * (size_t)(N - first));
		ck_assert_mem_eq(part.prediction, whole.prediction + first, sizeof(*part.rank) * (size_t)(N - first));
		mch_answers_free(&part);
	}
	mch_answers_free(&whole);
}
END_TEST

/* For every number of right answers that may be asked for: the verdict of the whole run, at the first image that
 * decides it. */
START_TEST(stops_early)
{
	const struct mch_model fast = {.net = &net}, plain = {.net = &net, .is_plain = true};
	struct mch_answers whole, a;
	int n_early = 0;
	ck_assert_int_eq(mch_score_run(&fast, &(struct mch_score_config){.data = &data, .n = N}, &whole, &err), 0);
	for (int need = 0; need <= N; need++) {
		const struct mch_score_config config = {.data = &data, .n = N, .need = need};
		use_threads(1 + need % 3);
		ck_assert_int_eq(mch_score_run(need % 2 ? &fast : &plain, &config, &a, &err), 0);
		int n_wrong = 0, n_seen = 0, n_right = 0;
		while (n_seen < N && (need == 0 || n_wrong <= N - need)) {
			n_wrong += whole.rank[n_seen] > 0;
			n_right += whole.rank[n_seen++] == 0;
		}
		ck_assert_int_eq(a.n_images, n_seen);
		ck_assert_int_eq(a.n_top1, n_right);
		ck_assert_int_eq(a.n_top1 + (N - a.n_images) >= need, whole.n_top1 >= need);
		n_early += a.n_images < N;
		mch_answers_free(&a);
	}
	ck_assert_int_ge(n_early, N - whole.n_top1 - 1);
	ck_assert_int_ge(n_early, 50);
	mch_answers_free(&whole);
}
END_TEST

/* From the literature: 10 of 20, and the ends. */
START_TEST(intervals)
{
	const struct mch_interval half = mch_interval_95(10, 20), none = mch_interval_95(0, 10),
				  all = mch_interval_95(10, 10);
	ck_assert_double_eq_tol(half.low, 29.93, 0.005);
	ck_assert_double_eq_tol(half.high, 70.07, 0.005);
	ck_assert(none.low == 0 && all.high == 100);
	ck_assert_double_eq_tol(none.high, 27.75, 0.005);
	ck_assert_double_eq_tol(all.low, 72.25, 0.005);
	ck_assert(mch_interval_95(0, 0).low == 0 && mch_interval_95(0, 0).high == 100);
}
END_TEST

/* Another net whose outputs are off by known amounts. */
START_TEST(differences)
{
	struct mch_net other = net, bare = net;
	struct mch_layer layer = net.layers[0];
	float weights[IN * OUT];
	double error2 = 0, reference2 = 0, max_error = 0;
	other.layers = &layer, bare.layers = net.layers;
	other.n_layers = bare.n_layers = 1; /* without the softmax */
	other.output = bare.output = layer.out[0];
	memcpy(weights, layer.weights, sizeof(weights));
	layer.weights = weights;
	for (int i = 0; i < IN; i++)
		weights[2 * IN + i] += 0.25f;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < OUT; k++) {
			double error = 0;
			for (int j = 0; k == 2 && j < IN; j++)
				error += 0.25 * data.pixels[i * IN + j];
			error2 += error * error;
			max_error = fmax(max_error, error);
			reference2 += (double)logit(i, k) * logit(i, k);
		}
	const struct mch_score_config config = {.data = &data, .n = N};
	for (int threads = 1; threads <= 3; threads++) {
		struct mch_difference d;
		use_threads(threads);
		ck_assert_msg(mch_score_compare(&(struct mch_model){.net = &other}, &(struct mch_model){.net = &bare},
						&config, &d, &err) == 0,
			      "%s", err.text);
		ck_assert_uint_eq(d.n_values, N * OUT);
		ck_assert_double_eq(d.max_error, max_error);
		ck_assert_double_eq_tol(d.rms_error, sqrt(error2 / (N * OUT)), 1e-12);
		ck_assert_double_eq_tol(d.sqnr_db, 10 * log10(reference2 / error2), 1e-9);
		struct mch_difference again;
		float *logits = mch_score_logits(threads == 1 ? &net : &bare, &config, &err);
		ck_assert_ptr_nonnull(logits);
		ck_assert_int_eq(
			mch_score_compare_logits(&(struct mch_model){.net = &other}, logits, &config, &again, &err),
			0);
		ck_assert(again.sqnr_db == d.sqnr_db && again.max_error == d.max_error &&
			  again.n_values == d.n_values);
		free(logits);
		ck_assert_int_eq(mch_score_compare(&(struct mch_model){.net = &bare},
						   &(struct mch_model){.net = &bare}, &config, &d, &err),
				 0);
		ck_assert(d.max_error == 0 && d.rms_error == 0 && isinf(d.sqnr_db));
	}
	weights[3] = NAN;
	struct mch_difference d;
	ck_assert_int_eq(mch_score_compare(&(struct mch_model){.net = &other}, &(struct mch_model){.net = &bare},
					   &config, &d, &err),
			 0);
	ck_assert(isnan(d.max_error));
}
END_TEST

START_TEST(refuses_another_output)
{
	struct mch_net other = net;
	struct mch_layer layer = net.layers[0];
	struct mch_edge edges[4];
	struct mch_difference d;
	memcpy(edges, net.edges, (size_t)net.n_edges * sizeof(*edges));
	other.edges = edges, other.layers = &layer, other.n_layers = 1;
	other.output = layer.out[0];
	edges[other.output].shape.c = 9;
	const struct mch_score_config config = {.data = &data, .n = N};
	ck_assert_int_eq(mch_score_compare(&(struct mch_model){.net = &net}, &(struct mch_model){.net = &other},
					   &config, &d, &err),
			 -1);
	ck_assert_str_eq(err.text,
			 "reference: its output fc is 9x1x1, that of the network is 7x1x1; give a reference of the "
			 "same output");
}
END_TEST

static int read_some(void *ctx, int i, void *to, struct mch_err *why)
{
	(void)ctx;
	memset(to, i, IN);
	return i >= 70 ? mch_err_set(why, "image", "%d is damaged; get it again", i) : 0;
}

static void free_nothing(void *ctx)
{
	(void)ctx;
}

START_TEST(first_failure_is_told)
{
	const struct mch_loader_config loader = {{NULL, false, read_some, free_nothing}, 0, 2};
	free(data.pixels);
	data.pixels = NULL;
	ck_assert_int_eq(mch_dataset_load(&data, &loader, &err), 0);
	for (int repeat = 0; repeat < 20; repeat++) {
		const struct mch_model model = {&net, NULL, true};
		const struct mch_score_config config = {.data = &data, .n = N};
		struct mch_answers answers;
		use_threads(1 + repeat % 3);
		ck_assert_int_eq(mch_score_run(&model, &config, &answers, &err), -1);
		ck_assert_str_eq(err.text, "image: 70 is damaged; get it again");
		ck_assert_ptr_null(answers.prediction);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("score");
	TCase *cases = tcase_create("score");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, answers_and_ranks);
	tcase_add_test(cases, a_part);
	tcase_add_test(cases, stops_early);
	tcase_add_test(cases, intervals);
	tcase_add_test(cases, differences);
	tcase_add_test(cases, refuses_another_output);
	tcase_add_test(cases, first_failure_is_told);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
