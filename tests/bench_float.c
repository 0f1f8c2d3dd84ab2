/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Speed of the float engine on a network of the user's, for scripts/bench-onnxruntime, and how far it is from the
 * plain operators.
 *
 *   bench_float NET WEIGHTS images THREADS BATCH SECONDS    images/s, each thread with images of its own
 *   bench_float NET WEIGHTS latency THREADS SECONDS         ms for one image, all threads on it
 *   bench_float NET WEIGHTS check                           largest difference by the largest value: edges, output
 *
 * WEIGHTS is a caffemodel, - (the net has them) or `noise`. Inputs are noise. After a warm-up it
 * keeps the best round: what else the machine does can only slow it down. */
#ifdef _OPENMP
#include <omp.h>
#endif

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/require.h"
#include "base/rng.h"
#include "fast/one_thread.h"
#include "io/net_read.h"
#include "net/float.h"

static const double round_s = 0.05;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *noise(size_t elems, uint64_t seed)
{
	struct mch_rng rng = mch_rng_seed(seed);
	float *x = malloc(elems * sizeof(*x));
	MCH_REQUIRE(x, "memory for a benchmark");
	for (size_t i = 0; i < elems; i++)
		x[i] = (float)(200 * mch_rng_real(&rng) - 100);
	return x;
}

/* Of a size that keeps sums about as large as what goes in. */
static void make_weights(struct mch_net *net)
{
	struct mch_rng rng = mch_rng_seed(3);
	struct mch_err err = {""};
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		const double most = mch_layer_is_mac(layer) ? sqrt(6.0 / (double)mch_conv_terms(&layer->conv)) : 1;
		if (!mch_layer_has_weights(layer) || layer->weights)
			continue;
		MCH_REQUIRE(mch_layer_alloc(layer, layer->n_bias > 0, &err) == 0, err.text);
		for (size_t w = 0; w < layer->n_weights; w++)
			layer->weights[w] = (float)((2 * mch_rng_real(&rng) - 1) * most);
	}
}

static void run(struct mch_float *f, int n, const float *x, float *y)
{
	struct mch_err err = {""};
	MCH_REQUIRE(mch_float_run(f, n, x, y, &err) == 0, err.text);
}

/* Images per second of this thread in one round. */
static double one_round(struct mch_float *f, int batch, const float *x, float *y)
{
	const double start = now_s();
	double end = start;
	int n = 0;
	for (; end - start < round_s; end = now_s(), n += batch)
		run(f, batch, x, y);
	return n / (end - start);
}

static double images_per_s(const struct mch_net *net, int batch, double seconds)
{
	const size_t in = (size_t)batch * mch_shape_elems(net->edges[net->input].shape),
		     out = (size_t)batch * mch_shape_elems(net->edges[net->output].shape);
	const int n_rounds = (int)(seconds / round_s) + 1;
	struct mch_err err = {""};
	struct mch_float *first = NULL;
	double best = 0, sum = 0;
#pragma omp parallel
	{
		struct mch_err why = {""};
		mch_one_thread();
#pragma omp single
		first = mch_float_new(net, batch, &err);
		MCH_REQUIRE(first, err.text);
		struct mch_float *f = mch_float_twin(first, &why);
		MCH_REQUIRE(f, why.text);
		float *x = noise(in, 1), *y = noise(out, 2);
		run(f, batch, x, y);
		for (int i = 0; i < n_rounds; i++) {
#pragma omp barrier
			const double rate = one_round(f, batch, x, y);
#pragma omp atomic
			sum += rate;
#pragma omp barrier
#pragma omp single
			{
				best = sum > best ? sum : best;
				sum = 0;
			}
		}
		free(x);
		free(y);
		mch_float_free(f);
	}
	mch_float_free(first);
	return best;
}

static double latency_ms(const struct mch_net *net, double seconds)
{
	struct mch_err err = {""};
	struct mch_float *f = mch_float_new(net, 1, &err);
	MCH_REQUIRE(f, err.text);
	float *x = noise(mch_shape_elems(net->edges[net->input].shape), 1);
	float *y = noise(mch_shape_elems(net->edges[net->output].shape), 2);
	double best = 1e9;
	for (const double end = now_s() + seconds; now_s() < end;) {
		const double start = now_s();
		run(f, 1, x, y);
		best = now_s() - start < best ? now_s() - start : best;
	}
	free(x);
	free(y);
	mch_float_free(f);
	return 1e3 * best;
}

static double difference(const float *want, const float *got, size_t elems)
{
	double most = 0, largest = 1e-30;
	for (size_t i = 0; i < elems; i++) {
		const double d = fabs((double)want[i] - (double)got[i]);
		most = d > most ? d : most;
		largest = fmax(largest, fabs((double)want[i]));
	}
	return most / largest;
}

/* Every edge of the engine that keeps them all, and the output of the one that is for speed. */
static void check(const struct mch_net *net)
{
	struct mch_err err = {""};
	float **want = calloc((size_t)net->n_edges, sizeof(*want));
	float *x = noise(mch_shape_elems(net->edges[net->input].shape), 1);
	double worst = 0;
	int at = net->input;
	MCH_REQUIRE(want, "memory for a check");
	for (int e = 0; e < net->n_edges; e++)
		want[e] = noise(mch_shape_elems(net->edges[e].shape), 2);
	MCH_REQUIRE(mch_net_run_f32(net, 1, x, want, &err) == 0, err.text);
	struct mch_float *kept = mch_float_new_tapped(net, 1, MCH_FLOAT_ALL, &err);
	struct mch_float *fast = mch_float_new(net, 1, &err);
	MCH_REQUIRE(kept && fast, err.text);
	const size_t out_elems = mch_shape_elems(net->edges[net->output].shape);
	float *out = noise(out_elems, 2);
	run(kept, 1, x, out);
	for (int e = 0; e < net->n_edges; e++) {
		float *got = noise(mch_shape_elems(net->edges[e].shape), 3);
		MCH_REQUIRE(mch_float_tap(kept, e, 1, got, &err) == 0, err.text);
		const double d = difference(want[e], got, mch_shape_elems(net->edges[e].shape));
		at = d > worst ? e : at;
		worst = d > worst ? d : worst;
		free(got);
	}
	run(fast, 1, x, out);
	printf("%d edges, worst %s: %.1e; output: %.1e\n", net->n_edges, net->edges[at].name, worst,
	       difference(want[net->output], out, out_elems));
	for (int e = 0; e < net->n_edges; e++)
		free(want[e]);
	mch_float_free(kept);
	mch_float_free(fast);
	free(want);
	free(out);
	free(x);
}

int main(int argc, char **argv)
{
	struct mch_net net;
	struct mch_err err = {""};
	const int is_latency = argc == 6 && strcmp(argv[3], "latency") == 0;
	const int is_check = argc == 4 && strcmp(argv[3], "check") == 0;
	if (!is_latency && !is_check && !(argc == 7 && strcmp(argv[3], "images") == 0)) {
		fputs("usage: bench_float NET CAFFEMODEL|-|noise images THREADS BATCH SECONDS\n"
		      "       bench_float NET CAFFEMODEL|-|noise latency THREADS SECONDS\n"
		      "       bench_float NET CAFFEMODEL|-|noise check\n", stderr);
		return 2;
	}
	const int is_noise = strcmp(argv[2], "noise") == 0, is_inside = strcmp(argv[2], "-") == 0;
	if (mch_net_read(argv[1], is_noise || is_inside ? NULL : argv[2], &net, NULL, &err) != 0) {
		fprintf(stderr, "bench_float: %s\n", err.text);
		return 2;
	}
	if (is_noise)
		make_weights(&net);
#ifdef _OPENMP
	omp_set_num_threads(is_check ? 1 : atoi(argv[4]));
#endif
	if (is_check)
		check(&net);
	else if (is_latency)
		printf("%.3f\n", latency_ms(&net, atof(argv[5])));
	else
		printf("%.1f\n", images_per_s(&net, atoi(argv[5]), atof(argv[6])));
	mch_net_free(&net);
	return 0;
}
