/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Programs of the accelerator against the integer network: the descriptors of random networks, interpreted by the
 * specification alone, make every tensor bit for bit, in memory that holds noise before. */
#include "arch/program.h"

#include <stdlib.h>
#include <string.h>

#include "arch/program_run.h"
#include "check_main.h"
#include "quant/policy.h"
#include "random_graph.h"

static struct mch_net net;
static struct mch_quant quant;
static struct mch_qnet q;
static struct mch_rng rng;
static struct mch_err err;
static enum mch_mult mult; /* of the accelerators */

static int between(int low, int high)
{
	return low + (int)mch_rng_below(&rng, (uint32_t)(high - low + 1));
}

/* What the programs of a test had in them. */
static struct {
	int n_programs, n_lists, n_tensors, n_strips, n_barriers, n_shared, n_bands, n_walks;
	int op[4], form[MCH_FORM_NONE + 1], layout[MCH_N_INPUT_LAYOUTS];
} seen;

static struct mch_accel_config random_config(void)
{
	static const int side[][2] = {{4, 4}, {16, 16}, {5, 8}, {1, 1}, {3, 2}, {2, 16}, {16, 4}};
	const int *s = side[between(0, 6)];
	struct mch_accel_config cfg = {
	    .rows = s[0], .cols = s[1], .mem_bits = 8 << between(0, 5), .x_words = 0, .w_words = 0};
	cfg.mult = mult;
	cfg.x_words = 16U << between(0, 10);
	cfg.w_words = 16U << between(0, 8);
	cfg.round = q.steps[0].requant.round;
	mch_program_widths(&q, &cfg);
	if (mult != MCH_MULT_MINIFLOAT && between(0, 3) == 0)
		cfg.out_bits = 16;
	if (between(0, 3) == 0)
		cfg.acc_bits = 48;
	return cfg;
}

static void run_parts(const struct mch_program *p, const struct mch_accel_memory *mem, uint64_t seed)
{
	struct mch_accel_counts counts = {0};
	uint64_t beats = 0;
	for (int i = 0; i < p->n_parts; i++) {
		const struct mch_program_part *part = &p->part[i];
		const int status = part->is_host ? mch_program_host_step(p, part->step, mem->bytes, &err)
						 : mch_program_run(&p->cfg, part->list, mem, &counts, &err);
		ck_assert_msg(status == 0, "seed %llu, part %d: %d: %s", (unsigned long long)seed, i, status,
			      err.text);
		seen.n_lists += !part->is_host;
	}
	for (int i = 0; i < p->n_descriptors; i++) {
		const struct mch_program_descriptor *item = &p->descriptor[i];
		beats += item->beats;
		seen.op[item->d.op & 3]++;
		seen.form[q.steps[item->step].form]++;
		seen.n_bands += item->d.pixels < p->tensor[q.steps[item->step].out].step;
		seen.n_walks += item->d.taps > 0;
		seen.n_barriers += item->d.barrier != 0;
		seen.n_shared += i > 0 && item->d.w_words && item->d.w_addr == p->descriptor[i - 1].d.w_addr;
		ck_assert_uint_le(item->macs, item->beats * (uint64_t)(p->cfg.rows * p->cfg.cols));
	}
	ck_assert_uint_eq(counts.beats, beats);
	seen.n_strips += (int)counts.strips;
}

static void compare(const struct mch_program *p, const uint8_t *mem, int32_t *const *want, uint64_t seed)
{
	for (int e = 0; e < net.n_edges; e++) {
		if (!p->tensor[e].is_used || e == q.input || (!p->options.keep && e != q.output))
			continue;
		const size_t n = mch_shape_elems(net.edges[e].shape);
		int32_t *got = malloc(n * sizeof(*got));
		mch_program_get(p, e, mem, got);
		for (size_t i = 0; i < n; i++)
			ck_assert_msg(got[i] == want[e][i],
				      "seed %llu: edge %s, element %zu of %d x %d x %d: %d, not %d",
				      (unsigned long long)seed, net.edges[e].name, i, net.edges[e].shape.c,
				      net.edges[e].shape.h, net.edges[e].shape.w, got[i], want[e][i]);
		free(got);
		seen.n_tensors++;
	}
}

static void run_program(const struct mch_program *p, const int32_t *input, int32_t *const *want, uint64_t seed)
{
	const size_t bytes = (size_t)p->n_words * mch_accel_word_bytes(&p->cfg);
	struct mch_accel_memory mem = {malloc(bytes), p->n_words, calloc(p->n_words, 1)};
	for (size_t i = 0; i < bytes; i++)
		mem.bytes[i] = (uint8_t)mch_rng_next(&rng);
	mch_program_load(p, mem.bytes);
	mch_program_put_input(p, input, mem.bytes);
	run_parts(p, &mem, seed);
	compare(p, mem.bytes, want, seed);
	seen.n_programs++;
	seen.layout[p->layout]++;
	free(mem.bytes);
	free(mem.unsettled);
}

/* The network that was built, on several accelerators. fails: how often there was no program. */
static void run_network(uint64_t seed, int n_configs, bool allow_host, int *n_failed)
{
	int32_t **want = calloc((size_t)net.n_edges, sizeof(*want));
	const size_t n_in = mch_shape_elems(net.edges[q.input].shape);
	int32_t *input = malloc(n_in * sizeof(*input)),
		*output = malloc(mch_shape_elems(net.edges[q.output].shape) * sizeof(*output));
	for (int e = 0; e < net.n_edges; e++)
		want[e] = malloc(mch_shape_elems(net.edges[e].shape) * sizeof(**want));
	for (size_t i = 0; i < n_in; i++)
		input[i] = random_code(&rng, q.input_format);
	ck_assert_int_eq(mch_qnet_run(&q, 1, input, output, want, NULL, &err), 0);
	for (int i = 0; i < n_configs; i++) {
		const struct mch_accel_config cfg = random_config();
		const struct mch_program_options options = {
		    .allow_host = allow_host, .keep = i % 3 != 2, .layout = between(0, 3)};
		struct mch_program p;
		if (mch_program_build(&p, &q, &cfg, &options, &err) != 0) {
			++*n_failed;
			continue;
		}
		run_program(&p, input, want, seed);
		mch_program_free(&p);
	}
	for (int e = 0; e < net.n_edges; e++)
		free(want[e]);
	free(want);
	free(input);
	free(output);
}

static void end(void)
{
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

/* Some layers get a fraction for each channel. */
static void split_channels(void)
{
	for (int i = 0; i < net.n_layers; i++) {
		struct mch_layer_quant *lq = &quant.layer[i];
		const int k = net.layers[i].conv.k;
		if (!mch_layer_is_mac(&net.layers[i]) || between(0, 2))
			continue;
		ck_assert_int_eq(mch_layer_quant_split(lq, k, lq->weights.frac), 0);
		for (int j = 1; j < k; j++)
			lq->channel_frac[j] = (int8_t)(lq->weights.frac + between(0, 3));
		lq->acc.bits = 0;
	}
}

START_TEST(chains)
{
	int n_failed = 0;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		const int bits = seed % 3 ? 8 : 16;
		const struct random_format f = {.in_bits_max = bits, .weight_bits_max = bits};
		rng = mch_rng_seed(seed);
		random_net(&rng, &net);
		random_quant(&rng, &f, &net, &quant);
		split_channels();
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		run_network(seed, 6, true, &n_failed);
		end();
	}
	ck_assert_int_gt(seen.n_programs, 900);
	ck_assert_int_gt(seen.n_bands, 50);
	ck_assert_int_gt(seen.n_walks, 20);
	ck_assert_int_gt(seen.layout[MCH_INPUT_ROW], 30);
	ck_assert_int_gt(seen.layout[MCH_INPUT_WINDOW], 30);
	ck_assert_int_gt(seen.op[MCH_OP_MAX], 50);
	ck_assert_int_gt(seen.op[MCH_OP_MEAN], 50);
}
END_TEST

/* Weights that are powers of two, on multipliers of integers and on those that shift. */
START_TEST(powers_of_two)
{
	int n_failed = 0;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		const struct random_format f = {.in_bits_max = 8, .weight_bits_max = 8};
		rng = mch_rng_seed(seed);
		random_net(&rng, &net);
		random_quant(&rng, &f, &net, &quant);
		for (int i = 0; i < net.n_layers; i++) {
			quant.layer[i].weights.number = MCH_POW2;
			quant.layer[i].weights.bits = between(2, 4);
			quant.layer[i].acc.bits = 0;
		}
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		mult = seed % 4 ? MCH_MULT_SHIFT : MCH_MULT_INTEGER;
		run_network(seed, 4, true, &n_failed);
		end();
	}
	ck_assert_int_gt(seen.n_programs, 200);
	ck_assert_int_gt(seen.form[MCH_FORM_MAC], 200);
}
END_TEST

/* Minifloats of all kinds: max pools of codes with a sign, sums, concatenations, means whose counts are powers of two. */
START_TEST(minifloats)
{
	int n_failed = 0;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		const enum mch_number kind = (enum mch_number)(MCH_MINIFLOAT + seed % 4);
		const struct mch_format x = {6 + (int)(seed % 3), 0, true, kind, 2 + (int)(seed % 2)};
		const struct mch_format w = {5 + (int)(seed % 5), 0, true, seed % 7 ? MCH_MINIFLOAT : MCH_MINIFLOAT_FLUSH, 3};
		const struct random_format f = {.in_bits_max = 8, .tensors = x, .weights = w};
		rng = mch_rng_seed(seed);
		if (seed % 2) {
			random_net(&rng, &net);
			random_quant(&rng, &f, &net, &quant);
		} else {
			random_graph(&rng, &net);
			random_graph_quant(&rng, &f, &net, &quant);
		}
		split_channels();
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		mult = MCH_MULT_MINIFLOAT;
		run_network(seed, 4, true, &n_failed);
		end();
	}
	ck_assert_int_gt(seen.n_programs, 600);
	ck_assert_int_gt(seen.form[MCH_FORM_MAC], 300);
	ck_assert_int_gt(seen.form[MCH_FORM_POOL_MAX], 100);
	ck_assert_int_gt(seen.form[MCH_FORM_ELTWISE], 20);
	ck_assert_int_gt(seen.form[MCH_FORM_CONCAT], 20);
	ck_assert_int_gt(seen.form[MCH_FORM_REQUANT], 10);
	ck_assert_int_gt(seen.form[MCH_FORM_POOL_AVG], 20);
}
END_TEST

START_TEST(graphs)
{
	int n_failed = 0;
	for (uint64_t seed = 1; seed <= 600; seed++) {
		const int bits = seed % 3 ? 8 : 16;
		const struct random_format f = {.in_bits_max = bits, .weight_bits_max = bits};
		rng = mch_rng_seed(seed);
		random_graph(&rng, &net);
		random_graph_quant(&rng, &f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		run_network(seed, 4, true, &n_failed);
		end();
	}
	ck_assert_int_gt(seen.n_programs, 1000);
	ck_assert_int_gt(seen.n_lists, seen.n_programs);
	ck_assert_int_gt(seen.form[MCH_FORM_ELTWISE], 50);
	ck_assert_int_gt(seen.form[MCH_FORM_CONCAT], 50);
	ck_assert_int_gt(seen.form[MCH_FORM_REQUANT], 20);
	ck_assert_int_gt(seen.n_barriers, 100);
	ck_assert_int_gt(seen.n_shared, 10);
}
END_TEST

/* LeNet, without the host, in one list. */
START_TEST(lenet)
{
	const struct random_format f = {.exact_bits = 8};
	rng = mch_rng_seed(3);
	lenet_net(&rng, &net);
	random_quant(&rng, &f, &net, &quant);
	quant.round = MCH_ROUND_HALF_EVEN;
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	struct mch_accel_config cfg = {.rows = 16, .cols = 16, .mem_bits = 128, .x_words = 4096, .w_words = 1024};
	mch_program_widths(&q, &cfg);
	struct mch_program p;
	ck_assert_msg(mch_program_build(&p, &q, &cfg, NULL, &err) == 0, "%s", err.text);
	ck_assert_int_eq(p.n_parts, 1);
	ck_assert_int_eq(p.n_descriptors, 6);
	ck_assert_int_eq(p.layout, MCH_INPUT_WINDOW);
	ck_assert_uint_eq(p.descriptor[0].macs, 20 * 25 * 24 * 24);
	mch_program_free(&p);
	int n_failed = 0;
	run_network(3, 2, false, &n_failed);
	end();
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {chains, powers_of_two, minifloats, graphs, lenet};
	return CHECK_SUITE("program", tests);
}

int main(void)
{
	return check_main(suite);
}
