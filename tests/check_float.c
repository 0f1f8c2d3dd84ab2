/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The float engine agrees with the plain float forward: on every edge of random nets where every edge is wanted, and
 * on the output where layers are fused and memory is used again. It scores the same on any number of threads. */
#ifdef _OPENMP
#include <omp.h>
#endif

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "fast/one_thread.h"
#include "net/float.h"
#include "net/score.h"
#include "random_kinds.h"
#include "random_net.h"

static float *random_images(struct mch_rng *rng, size_t elems)
{
	float *x = malloc(elems * sizeof(*x));
	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < elems; i++)
		x[i] = (float)(2 * mch_rng_real(rng) - 1);
	return x;
}

/* Rounding differs by the order of sums, and the library's functions are approximations: some units in the 20th
 * bit of the edge's largest value, and 3e-6 of its logarithm of 1. */
static void compare(const float *want, const float *got, size_t elems, uint64_t seed, const char *what)
{
	double largest = 0;
	for (size_t i = 0; i < elems; i++)
		largest = fmax(largest, fabs((double)want[i]));
	for (size_t i = 0; i < elems; i++)
		ck_assert_msg(fabs((double)want[i] - (double)got[i]) <= 1e-4 * largest + 2e-5,
			      "seed %llu, %s, value %zu: want %g, got %g", (unsigned long long)seed, what, i,
			      (double)want[i], (double)got[i]);
}

/* A net, some images, and what the plain operators make of them. */
struct expected {
	const struct mch_net *net;
	uint64_t seed;
	int n;
	float *x, **edge;
};

static size_t elems_of(const struct expected *e, int edge)
{
	return (size_t)e->n * mch_shape_elems(e->net->edges[edge].shape);
}

static struct expected expect(struct mch_rng *rng, const struct mch_net *net, int n, uint64_t seed)
{
	const size_t input_elems = (size_t)n * mch_shape_elems(net->edges[net->input].shape);
	struct expected e = {net, seed, n, random_images(rng, input_elems),
			     calloc((size_t)net->n_edges, sizeof(*e.edge))};
	struct mch_err err = {""};
	ck_assert_ptr_nonnull(e.edge);
	for (int i = 0; i < net->n_edges; i++) {
		e.edge[i] = malloc(elems_of(&e, i) * sizeof(float));
		ck_assert_ptr_nonnull(e.edge[i]);
	}
	ck_assert_int_eq(mch_net_run_f32(net, n, e.x, e.edge, &err), 0);
	return e;
}

static void free_expected(struct expected *e)
{
	for (int i = 0; i < e->net->n_edges; i++)
		free(e->edge[i]);
	free(e->edge);
	free(e->x);
}

/* The output of a run, and the edges first .. last where they are tapped. */
static void check_engine(const struct expected *e, struct mch_float *f, int first, int last)
{
	struct mch_err err = {""};
	float *out = malloc(elems_of(e, e->net->output) * sizeof(*out));
	ck_assert_ptr_nonnull(out);
	ck_assert_msg(mch_float_run(f, e->n, e->x, out, &err) == 0, "%s", err.text);
	compare(e->edge[e->net->output], out, elems_of(e, e->net->output), e->seed, "output");
	for (int i = first; i <= last; i++) {
		float *got = malloc(elems_of(e, i) * sizeof(*got));
		ck_assert_ptr_nonnull(got);
		ck_assert_msg(mch_float_tap(f, i, e->n, got, &err) == 0, "%s", err.text);
		compare(e->edge[i], got, elems_of(e, i), e->seed, e->net->edges[i].name);
		free(got);
	}
	free(out);
}

/* For speed, for one edge, for all edges; and a twin, run in between. Images fewer than, and as many as, a batch. */
static void compare_net(struct mch_rng *rng, const struct mch_net *net, uint64_t seed)
{
	struct mch_err err = {""};
	const int n = 1 + (int)mch_rng_below(rng, 3), batch = n + (int)mch_rng_below(rng, 2);
	const int edge = (int)mch_rng_below(rng, (uint32_t)net->n_edges);
	struct expected e = expect(rng, net, n, seed), other = expect(rng, net, 1, seed);
	struct mch_float *fused = mch_float_new(net, batch, &err);
	ck_assert_msg(fused != NULL, "seed %llu: %s", (unsigned long long)seed, err.text);
	struct mch_float *twin = mch_float_twin(fused, &err);
	struct mch_float *tapped = mch_float_new_tapped(net, batch, edge, &err);
	struct mch_float *kept = mch_float_new_tapped(net, batch, MCH_FLOAT_ALL, &err);
	ck_assert_msg(twin && tapped && kept, "seed %llu: %s", (unsigned long long)seed, err.text);
	check_engine(&e, fused, 0, -1);
	check_engine(&other, twin, 0, -1);
	check_engine(&e, fused, 0, -1);
	check_engine(&e, tapped, edge, edge);
	check_engine(&e, kept, 0, net->n_edges - 1);
	mch_float_free(twin);
	mch_float_free(fused);
	mch_float_free(tapped);
	mch_float_free(kept);
	free_expected(&e);
	free_expected(&other);
}

START_TEST(random_nets)
{
	mch_one_thread();
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		random_net(&rng, &net);
		compare_net(&rng, &net, seed);
		mch_net_free(&net);
	}
}
END_TEST

/* FIRST_SEED=N: others than every time. */
START_TEST(random_kinds_of_layers)
{
	const char *from = getenv("FIRST_SEED");
	const uint64_t first = from ? strtoull(from, NULL, 10) : 1;
	mch_one_thread();
	for (uint64_t seed = first; seed < first + 100; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		random_kinds(&rng, &net);
		compare_net(&rng, &net, seed);
		mch_net_free(&net);
	}
}
END_TEST

/* A 3x3 convolution of whole blocks of channels, as Winograd's kernels want it, and its ReLU. */
static int append_3x3(struct mch_rng *rng, struct mch_net *net, int k, int edge)
{
	const struct mch_layer like = {.kind = MCH_CONV,
				       .conv = {.k = k, .r = 3, .s = 3, .stride_h = 1, .stride_w = 1,
						.pad_top = 1, .pad_left = 1, .pad_bottom = 1, .pad_right = 1,
						.dilation_h = 1, .dilation_w = 1, .groups = 1}};
	const int y = append_layer(net, &like, edge, rng);
	struct mch_layer *layer = &net->layers[net->n_layers - 1];
	const double most = sqrt(3.0 / (double)mch_conv_terms(&layer->conv));
	for (size_t i = 0; i < layer->n_weights; i++)
		layer->weights[i] *= (float)most;
	return append_layer(net, &(struct mch_layer){.kind = MCH_RELU}, y, rng);
}

/* Branches that are concatenated, and a residual, all on such kernels: both sizes of tile that the library has. */
START_TEST(winograd)
{
	static const struct mch_shape inputs[] = {{1, 3, 14, 14}, {1, 5, 9, 20}, {1, 16, 28, 28}};
	static const int channels[][2] = {{16, 32}, {48, 64}, {96, 128}};
	mch_one_thread();
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		begin_kinds(&net, inputs[seed]);
		const int stem = append_3x3(&rng, &net, channels[seed][0], net.input);
		int both[] = {append_3x3(&rng, &net, channels[seed][1], stem), append_3x3(&rng, &net, 16, stem)};
		both[0] = random_layer(&rng, &net, MCH_CONCAT, 2, both);
		both[1] = append_3x3(&rng, &net, channels[seed][1] + 16, both[0]);
		both[0] = random_layer(&rng, &net, MCH_SUM, 2, both);
		append_3x3(&rng, &net, 32, both[0]);
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
	const TTest *const tests[] = {random_nets, random_kinds_of_layers, winograd, lenet_shape,
					     score_is_the_same_on_any_number_of_threads,
					     a_net_without_weights_is_refused};
	return CHECK_SUITE("float", tests);
}

int main(void)
{
	return check_main(float_suite);
}
