/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Speed of exact integer evaluation beside oneDNN on the same layers, all in one run: `make bench` reads its lines
 * of JSON.
 *
 *   bench_exact                          LeNet and the first layers of SqueezeNet, weights and formats by chance
 *   bench_exact NET.onnx Q.json NAME     a network with its formats; NAME is the end of the figures' names
 *
 * Ours is everything from raw pixels' codes to raw class codes: layout, sums, recombination, pools,
 * requantization. The float peer is oneDNN's forward of the same net, layouts kept between layers. The int8 peer
 * is oneDNN's bare convolutions and inner products, u8 * s8 to s32: no pool, no requantization, nothing between
 * layers. Every contestant has one object to a core, runs batches of 1, 8 and 32 and keeps its fastest run of 15
 * rounds, taken in turns, so that a machine's moods hit all alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/require.h"
#include "fast/dnnl.h"
#include "fast/one_thread.h"
#include "io/net_read.h"
#include "io/quant_json.h"
#include "net/exact.h"
#include "net/float.h"
#include "net/lower.h"
#include "random_net.h"

enum { LAYERS_MAX = 256, ROUNDS = 15 };
static const double round_s = 0.02;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *need(void *pointer)
{
	MCH_REQUIRE(pointer, "memory for a benchmark");
	return pointer;
}

/* One contestant: an engine compiled for a batch, and its buffers. */
struct engine {
	const struct mch_net *net;
	const struct mch_qnet *q;
	int batch;
	struct mch_exact *exact;
	struct mch_float *f32;
	int n_dots;
	struct mch_dnnl_dot *dot[LAYERS_MAX];
	void *x, *y;
};

struct contestant {
	void (*open)(struct engine *e);
	void (*run)(struct engine *e);
};

static size_t largest_edge(const struct mch_net *net)
{
	size_t largest = 0;
	for (int i = 0; i < net->n_edges; i++)
		if (mch_shape_elems(net->edges[i].shape) > largest)
			largest = mch_shape_elems(net->edges[i].shape);
	return largest;
}

static void open_exact(struct engine *e)
{
	struct mch_err err = {""};
	e->exact = mch_exact_new(e->q, e->batch, &err);
	MCH_REQUIRE(e->exact, err.text);
}

static void run_exact(struct engine *e)
{
	struct mch_err err = {""};
	MCH_REQUIRE(mch_exact_run(e->exact, e->batch, e->x, e->y, &err) == 0, err.text);
}

static void open_f32(struct engine *e)
{
	struct mch_err err = {""};
	e->f32 = mch_float_new(e->net, e->batch, &err);
	MCH_REQUIRE(e->f32, err.text);
}

static void run_f32(struct engine *e)
{
	struct mch_err err = {""};
	MCH_REQUIRE(mch_float_run(e->f32, e->batch, e->x, e->y, &err) == 0, err.text);
}

static void open_int8(struct engine *e)
{
	struct mch_err err = {""};
	for (int i = 0; i < e->net->n_layers; i++) {
		struct mch_conv g = e->net->layers[i].conv;
		if (!e->net->layers[i].weights)
			continue;
		g.n = e->batch;
		int8_t *w = need(malloc(e->net->layers[i].n_weights));
		memset(w, 3, e->net->layers[i].n_weights);
		MCH_REQUIRE(e->n_dots < LAYERS_MAX, "few layers");
		e->dot[e->n_dots] = mch_dnnl_dot_new(&g, w, &err);
		MCH_REQUIRE(e->dot[e->n_dots], err.text);
		e->n_dots++;
		free(w);
	}
}

static void run_int8(struct engine *e)
{
	struct mch_err err = {""};
	for (int i = 0; i < e->n_dots; i++)
		MCH_REQUIRE(mch_dnnl_dot_run(e->dot[i], e->x, e->y, &err) == 0, err.text);
}

static void close_engine(struct engine *e)
{
	mch_exact_free(e->exact);
	mch_float_free(e->f32);
	for (int i = 0; i < e->n_dots; i++)
		mch_dnnl_dot_free(e->dot[i]);
	free(e->x);
	free(e->y);
}

static const struct contestant exact = {open_exact, run_exact};
static const struct contestant f32 = {open_f32, run_f32};
static const struct contestant int8 = {open_int8, run_int8};

/* Images per second on all cores, by each one's fastest run of a round. */
static double one_round(const struct contestant *c, const struct mch_net *net, const struct mch_qnet *q, int batch)
{
	double images_per_s = 0;
#pragma omp parallel reduction(+ : images_per_s)
	{
		struct engine e = {.net = net, .q = q, .batch = batch};
		/* 0 is a code of every format and a float. */
		e.x = need(calloc((size_t)batch * largest_edge(net), sizeof(int32_t)));
		e.y = need(calloc((size_t)batch * largest_edge(net), sizeof(int32_t)));
		mch_one_thread();
		c->open(&e);
		c->run(&e);
#pragma omp barrier
		const double begin = now_s();
		double fastest = 1e9, end = begin;
		while (end - begin < round_s) {
			const double start = end;
			c->run(&e);
			end = now_s();
			fastest = end - start < fastest ? end - start : fastest;
		}
		images_per_s = batch / fastest;
		close_engine(&e);
	}
	return images_per_s;
}

/* The best of all rounds: what else runs on the machine can only slow one down. */
static void compete(const struct contestant *const *c, int n, const struct mch_net *net,
		    const struct mch_qnet *const *q, double *images_per_s)
{
	static const int batch[] = {1, 8, 32};
	memset(images_per_s, 0, (size_t)n * sizeof(*images_per_s));
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < n; i++)
			for (int b = 0; b < 3; b++) {
				const double rate = one_round(c[i], net, q[i], batch[b]);
				images_per_s[i] = rate > images_per_s[i] ? rate : images_per_s[i];
			}
}

static void print(const char *name, const char *of, double value, const char *unit, const char *peer)
{
	printf("{\"name\": \"%s%s\", \"value\": %.4g, \"unit\": \"%s\", ", name, of, value, unit);
	printf("\"peer\": \"%s\", \"command\": \"tests/bench_exact\"}\n", peer);
	fflush(stdout);
}

static double gmac_of(const struct mch_net *net)
{
	double gmac = 0;
	for (int i = 0; i < net->n_layers; i++)
		gmac += 1e-9 * (double)mch_layer_macs(&net->layers[i]);
	return gmac;
}

static void print_rates(const char *of, double gmac, const double *rate)
{
	char peer[160];
	snprintf(peer, sizeof(peer), "oneDNN int8 convolutions alone %.4g GMAC/s, oneDNN float net %.4g GMAC/s",
		 rate[2] * gmac, rate[1] * gmac);
	print("exact_gmac_per_s", of, rate[0] * gmac, "GMAC/s", peer);
	print("exact_images_per_s", of, rate[0], "images/s", "");
	print("exact_over_onednn_int8", of, rate[0] / rate[2], "ratio",
	      "oneDNN u8 * s8 to s32, convolutions and inner products alone");
	print("exact_over_onednn_f32", of, rate[0] / rate[1], "ratio", "oneDNN float, the same net");
}

static void quantize(struct mch_rng *rng, int bits, struct mch_net *net, struct mch_quant *quant, struct mch_qnet *q)
{
	const struct random_format f = {.exact_bits = bits};
	struct mch_err err = {""};
	random_quant(rng, &f, net, quant);
	quant->round = MCH_ROUND_HALF_EVEN;
	MCH_REQUIRE(mch_qnet_build(q, net, quant, &err) == 0, err.text);
}

/* `of` is the end of the names: "" for LeNet. */
static void bench(const char *of, struct mch_net *net, struct mch_rng *rng)
{
	const struct contestant *const contestants[] = {&exact, &f32, &int8, &exact};
	struct mch_quant quant8, quant16;
	struct mch_qnet q8, q16;
	const struct mch_qnet *const qnets[] = {&q8, NULL, NULL, &q16};
	double rate[4];
	quantize(rng, 8, net, &quant8, &q8);
	quantize(rng, 16, net, &quant16, &q16);
	compete(contestants, 4, net, qnets, rate);
	print_rates(of, gmac_of(net), rate);
	print("exact16_gmac_per_s", of, rate[3] * gmac_of(net), "GMAC/s", "the same net at 16 bits");
	print("exact16_over_onednn_f32", of, rate[3] / rate[1], "ratio", "oneDNN float, the same net");
	mch_qnet_free(&q8);
	mch_qnet_free(&q16);
	mch_quant_free(&quant8);
	mch_quant_free(&quant16);
}

static int bench_file(const char *path, const char *quant_path, const char *of)
{
	const struct contestant *const contestants[] = {&exact, &f32, &int8};
	struct mch_err err = {""};
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	const struct mch_qnet *const qnets[] = {&q, NULL, NULL};
	double rate[3];
	if (mch_net_read(path, NULL, &net, NULL, &err) != 0 || mch_net_lower(&net, &err) != 0 ||
	    mch_quant_json_read(quant_path, &net, &quant, NULL, &err) != 0 ||
	    mch_qnet_build(&q, &net, &quant, &err) != 0) {
		fprintf(stderr, "bench_exact: %s\n", err.text);
		return 2;
	}
	compete(contestants, 3, &net, qnets, rate);
	print_rates(of, gmac_of(&net), rate);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
	return 0;
}

int main(int argc, char **argv)
{
	struct mch_rng rng = mch_rng_seed(1);
	struct mch_net net;
	if (argc == 4)
		return bench_file(argv[1], argv[2], argv[3]);
	lenet_net(&rng, &net);
	bench("", &net, &rng);
	mch_net_free(&net);
	fire_net(&rng, &net);
	bench("_fire", &net, &rng);
	mch_net_free(&net);
	return 0;
}
