/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Speed of the float engine on a network of the user's: scripts/bench-onnxruntime reads its one number.
 *
 *   bench_float NET WEIGHTS|- images THREADS BATCH SECONDS    images/s, each thread with images of its own
 *   bench_float NET WEIGHTS|- latency THREADS SECONDS         ms for one image, all threads on it
 *
 * Inputs are noise. After a warm-up it keeps the best round: what else the machine does can only slow it down. */
#ifdef _OPENMP
#include <omp.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/require.h"
#include "base/rng.h"
#include "fast/one_thread.h"
#include "io/net_read.h"
#include "net/float.h"

static const double round_s = 0.25;

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

int main(int argc, char **argv)
{
	struct mch_net net;
	struct mch_err err = {""};
	const int is_latency = argc == 6 && strcmp(argv[3], "latency") == 0;
	if (!is_latency && !(argc == 7 && strcmp(argv[3], "images") == 0)) {
		fputs("usage: bench_float NET WEIGHTS|- images THREADS BATCH SECONDS\n"
		      "       bench_float NET WEIGHTS|- latency THREADS SECONDS\n", stderr);
		return 2;
	}
	if (mch_net_read(argv[1], strcmp(argv[2], "-") ? argv[2] : NULL, &net, NULL, &err) != 0) {
		fprintf(stderr, "bench_float: %s\n", err.text);
		return 2;
	}
#ifdef _OPENMP
	omp_set_num_threads(atoi(argv[4]));
#endif
	if (is_latency)
		printf("%.3f\n", latency_ms(&net, atof(argv[5])));
	else
		printf("%.1f\n", images_per_s(&net, atoi(argv[5]), atof(argv[6])));
	mch_net_free(&net);
	return 0;
}
