/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The float engine agrees with the plain float forward on every edge of random nets, and scores the same on any
 * number of threads. */
#ifdef _OPENMP
#include <omp.h>
#endif

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "net/float.h"
#include "net/score.h"
#include "random_net.h"

static float *random_images(struct mch_rng *rng, size_t elems)
{
	float *x = malloc(elems * sizeof(*x));
	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < elems; i++)
		x[i] = (float)(2 * mch_rng_real(rng) - 1);
	return x;
}

/* Rounding differs by the order of sums: a few units in the 22nd bit of the edge's largest value for each layer. */
static void compare_edge(const float *want, const float *got, size_t elems, uint64_t seed, const char *edge)
{
	double largest = 0;
	for (size_t i = 0; i < elems; i++)
		largest = fmax(largest, fabs((double)want[i]));
	for (size_t i = 0; i < elems; i++)
		ck_assert_msg(fabs((double)want[i] - (double)got[i]) <= 1e-5 * largest + 1e-12,
			      "seed %llu, edge %s, value %zu: want %g, got %g", (unsigned long long)seed, edge, i,
			      (double)want[i], (double)got[i]);
}

static void compare_net(struct mch_rng *rng, const struct mch_net *net, uint64_t seed)
{
	enum { BATCH = 3 };
	struct mch_err err = {""};
	const int n = 1 + (int)mch_rng_below(rng, BATCH);
	float **want = calloc((size_t)net->n_edges, sizeof(*want));
	float *x = random_images(rng, BATCH * mch_shape_elems(net->edges[net->input].shape));
	for (int e = 0; e < net->n_edges; e++) {
		want[e] = malloc((size_t)n * mch_shape_elems(net->edges[e].shape) * sizeof(float));
		ck_assert_ptr_nonnull(want[e]);
	}
	ck_assert_int_eq(mch_net_run_f32(net, n, x, want, &err), 0);
	struct mch_float *f = mch_float_new(net, BATCH, &err);
	ck_assert_msg(f != NULL, "seed %llu: %s", (unsigned long long)seed, err.text);
	for (int e = 0; e < net->n_edges; e++) {
		const size_t elems = (size_t)n * mch_shape_elems(net->edges[e].shape);
		float *got = malloc(elems * sizeof(*got));
		float *out = malloc((size_t)n * mch_shape_elems(net->edges[net->output].shape) * sizeof(*out));
		ck_assert_msg(mch_float_run(f, n, x, out, &err) == 0, "%s", err.text);
		ck_assert_msg(mch_float_tap(f, e, n, got, &err) == 0, "%s", err.text);
		compare_edge(want[e], e == net->output ? out : got, elems, seed, net->edges[e].name);
		compare_edge(want[e], got, elems, seed, net->edges[e].name);
		free(got);
		free(out);
	}
	mch_float_free(f);
	for (int e = 0; e < net->n_edges; e++)
		free(want[e]);
	free(want);
	free(x);
}

START_TEST(random_nets)
{
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		random_net(&rng, &net);
		compare_net(&rng, &net, seed);
		mch_net_free(&net);
	}
}
END_TEST

START_TEST(lenet_shape)
{
	struct mch_rng rng = mch_rng_seed(1);
	struct mch_net net;
	lenet_net(&rng, &net);
	compare_net(&rng, &net, 1);
	mch_net_free(&net);
}
END_TEST

START_TEST(score_is_the_same_on_any_number_of_threads)
{
	enum { N = 75 };
	struct mch_rng rng = mch_rng_seed(7);
	struct mch_net net;
	struct mch_err err = {""};
	lenet_net(&rng, &net);
	struct mch_dataset data = {.n_images = N, .n_classes = 10, .shape = net.edges[net.input].shape,
				   .transform = &net.transform};
	data.pixels = malloc(N * mch_shape_elems(data.shape));
	data.labels = calloc(N, sizeof(*data.labels));
	ck_assert(data.pixels && data.labels);
	for (size_t i = 0; i < N * mch_shape_elems(data.shape); i++)
		data.pixels[i] = (uint8_t)mch_rng_below(&rng, 256);
	int32_t predictions[2][N];
	/* The net's own answers as labels: all must be right. */
	ck_assert_int_ge(mch_float_score(&net, &data, N, data.labels, &err), 0);
	for (int threads = 1; threads <= 2; threads++) {
#ifdef _OPENMP
		omp_set_num_threads(threads);
#endif
		ck_assert_int_eq(mch_float_score(&net, &data, N, predictions[threads - 1], &err), N);
	}
	ck_assert_int_eq(memcmp(predictions[0], predictions[1], sizeof(predictions[0])), 0);
	mch_dataset_free(&data);
	mch_net_free(&net);
}
END_TEST

START_TEST(a_net_without_weights_is_refused)
{
	struct mch_rng rng = mch_rng_seed(3);
	struct mch_net net;
	struct mch_err err = {""};
	lenet_net(&rng, &net);
	free(net.layers[2].weights);
	net.layers[2].weights = NULL;
	ck_assert_ptr_null(mch_float_new(&net, 1, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "layer2 has no weights"));
	mch_net_free(&net);
}
END_TEST

static Suite *float_suite(void)
{
	const TTest *const tests[] = {random_nets, lenet_shape, score_is_the_same_on_any_number_of_threads,
					     a_net_without_weights_is_refused};
	return CHECK_SUITE("float", tests);
}

int main(void)
{
	return check_main(float_suite);
}
