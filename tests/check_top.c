/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator's cycle model against the interpreter of programs: on random networks and builds both leave the same memory, and
 * control alone takes the same cycles as control with data. */
#include "arch/top.h"

#include <stdlib.h>
#include <string.h>

#include "arch/program.h"
#include "arch/program_run.h"
#include "check_main.h"
#include "random_graph.h"

static struct mch_net net;
static struct mch_quant quant;
static struct mch_qnet q;
static struct mch_rng rng;
static struct mch_err err;
static int n_lists, n_programs;
static enum mch_mult mult; /* of the accelerators */

static int between(int low, int high)
{
	return low + (int)mch_rng_below(&rng, (uint32_t)(high - low + 1));
}

static struct mch_accel_config random_config(void)
{
	static const int side[][2] = {{4, 4}, {16, 16}, {5, 8}, {1, 4}, {8, 4}, {3, 16}, {2, 8}};
	const int *s = side[between(0, 6)];
	struct mch_accel_config cfg = {.rows = s[0], .cols = s[1], .mem_bits = 64 << between(0, 3)};
	cfg.x_words = 256U << between(0, 4);
	cfg.w_words = 1024U << between(0, 3);
	cfg.round = q.steps[0].requant.round;
	cfg.mult = mult;
	mch_program_widths(&q, &cfg);
	return cfg;
}

static void run_list(const struct mch_program *p, uint32_t list, uint8_t *memory, uint64_t seed)
{
	const uint64_t bytes = (uint64_t)p->n_words * mch_accel_word_bytes(&p->cfg);
	/* The model's memory has whole beats. */
	const uint64_t beat = (uint64_t)p->cfg.mem_bits / 8, room = (bytes + beat - 1) / beat * beat;
	uint8_t *mine = calloc(room, 1);
	memcpy(mine, memory, bytes);
	const struct mch_accel_memory mem = {memory, p->n_words, NULL};
	ck_assert_msg(mch_program_run(&p->cfg, list, &mem, NULL, &err) == 0, "%s", err.text);
	int64_t cycles[2];
	for (int with_data = 0; with_data < 2; with_data++) {
		struct mch_top top;
		ck_assert_msg(mch_top_init(&top, &p->cfg, with_data != 0, &err) == 0, "%s", err.text);
		uint8_t *scratch = malloc(room);
		memcpy(scratch, mine, room);
		cycles[with_data] = mch_top_run(&top, list, with_data ? mine : scratch, room, 5000000, NULL, 0, &err);
		ck_assert_msg(cycles[with_data] > 0, "seed %llu, list %u, data %d: %s", (unsigned long long)seed, list,
			      with_data, err.text);
		mch_top_free(&top);
		free(scratch);
	}
	ck_assert_int_eq(cycles[0], cycles[1]);
	for (uint64_t i = 0; i < bytes; i++)
		ck_assert_msg(mine[i] == memory[i], "seed %llu: byte %llu of memory: %d, not %d", (unsigned long long)seed,
			      (unsigned long long)i, mine[i], memory[i]);
	free(mine);
	n_lists++;
}

static void run_network(uint64_t seed)
{
	const size_t n_in = mch_shape_elems(net.edges[q.input].shape);
	int32_t *input = malloc(n_in * sizeof(*input));
	for (size_t i = 0; i < n_in; i++)
		input[i] = random_code(&rng, q.input_format);
	const struct mch_accel_config cfg = random_config();
	const struct mch_program_options options = {.allow_host = true, .layout = between(0, 3)};
	struct mch_program p;
	if (mch_program_build(&p, &q, &cfg, &options, &err) == 0) {
		uint8_t *memory = calloc(p.n_words, mch_accel_word_bytes(&cfg));
		mch_program_load(&p, memory);
		mch_program_put_input(&p, input, memory);
		for (int i = 0; i < p.n_parts; i++) {
			if (p.part[i].is_host)
				ck_assert_int_eq(mch_program_host_step(&p, p.part[i].step, memory, &err), 0);
			else
				run_list(&p, p.part[i].list, memory, seed);
		}
		n_programs++;
		free(memory);
		mch_program_free(&p);
	}
	free(input);
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

START_TEST(chains)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		const int bits = seed % 3 ? 8 : 16;
		const struct random_format f = {.in_bits_max = bits, .weight_bits_max = bits};
		rng = mch_rng_seed(seed);
		random_net(&rng, &net);
		random_quant(&rng, &f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		run_network(seed);
	}
	ck_assert_int_gt(n_programs, 60);
}
END_TEST

START_TEST(graphs)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		const int bits = seed % 3 ? 8 : 16;
		const struct random_format f = {.in_bits_max = bits, .weight_bits_max = bits};
		rng = mch_rng_seed(seed);
		random_graph(&rng, &net);
		random_graph_quant(&rng, &f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		run_network(seed);
	}
	ck_assert_int_gt(n_lists, n_programs / 2);
}
END_TEST

/* Powers of two on shifters, minifloats of all kinds. */
START_TEST(numbers)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		const enum mch_number kind = (enum mch_number)(MCH_MINIFLOAT + seed % 4);
		struct random_format f = {.in_bits_max = 8, .weights = {5, 0, true, MCH_POW2, 0}};
		mult = seed % 3 ? MCH_MULT_MINIFLOAT : MCH_MULT_SHIFT;
		if (mult == MCH_MULT_MINIFLOAT) {
			f.tensors = (struct mch_format){6 + (int)(seed % 4), 0, true, kind, 2 + (int)(seed % 2)};
			f.weights = (struct mch_format){8, 0, true, kind, 3};
		}
		rng = mch_rng_seed(seed);
		if (seed % 2) {
			random_net(&rng, &net);
			random_quant(&rng, &f, &net, &quant);
		} else {
			random_graph(&rng, &net);
			random_graph_quant(&rng, &f, &net, &quant);
		}
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		run_network(seed);
	}
	ck_assert_int_gt(n_programs, 60);
	ck_assert_int_gt(n_lists, n_programs);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {chains, graphs, numbers};
	return CHECK_SUITE("top", tests);
}

int main(void)
{
	return check_main(suite);
}
