/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The exact engine is bit-equal to the plain operators: random nets and graphs, all widths and roundings, corner
 * operands, every kind of byte product. */
#include <stdlib.h>

#include "check_main.h"
#include "exact_compare.h"
#include "random_graph.h"

static const struct random_format any_width = {0, 0, 0, 15}, narrow = {8, 8, 0, 0},
				  overflowing = {0, 0, 0, 80};

/* Formats per channel: what a later quantizer may ask for. */
static void vary_shifts(struct mch_rng *rng, struct mch_qnet *q)
{
	for (int i = 0; i < q->n_steps; i++)
		if (q->steps[i].weights && mch_rng_below(rng, 4) == 0)
			for (int k = 0; k < q->steps[i].conv.k; k++) {
				const int shift = q->steps[i].shift[k] + (int)mch_rng_below(rng, 9) - 4;
				q->steps[i].shift[k] = (int8_t)(shift < MCH_SHIFT_MIN   ? MCH_SHIFT_MIN
								: shift > MCH_SHIFT_MAX ? MCH_SHIFT_MAX
											: shift);
			}
}

static void compare_nets(const struct random_format *f, uint64_t first, uint64_t n_seeds)
{
	size_t n_values = 0;
	for (uint64_t seed = first; seed < first + n_seeds; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		random_net(&rng, &net);
		random_quant(&rng, f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "seed %llu: %s", (unsigned long long)seed,
			      err.text);
		vary_shifts(&rng, &q);
		const int batch = 1 + (int)mch_rng_below(&rng, 4);
		n_values += compare(&rng, &q, batch, 1 + (int)mch_rng_below(&rng, (uint32_t)batch), seed);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
	ck_assert_uint_gt(n_values, n_seeds);
}

/* Up to every step in turn: each edge is the output once, in the buffers that the engine shares out. */
static size_t compare_every_edge(struct mch_rng *rng, const struct mch_qnet *q, uint64_t seed)
{
	struct mch_qnet part = *q;
	size_t n_values = 0;
	for (int i = 0; i < q->n_steps; i++) {
		part.n_steps = i + 1;
		part.output = q->steps[i].out;
		const int batch = 1 + (int)mch_rng_below(rng, 3);
		n_values += compare(rng, &part, batch, 1 + (int)mch_rng_below(rng, (uint32_t)batch), seed);
	}
	return n_values;
}

static void compare_graphs(const struct random_format *f, uint64_t first, uint64_t n_seeds)
{
	size_t n_values = 0, n_forms[MCH_FORM_NONE] = {0};
	for (uint64_t seed = first; seed < first + n_seeds; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		random_graph(&rng, &net);
		random_graph_quant(&rng, f, &net, &quant);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "seed %llu: %s", (unsigned long long)seed,
			      err.text);
		vary_shifts(&rng, &q);
		for (int i = 0; i < q.n_steps; i++)
			n_forms[q.steps[i].form]++;
		n_values += compare(&rng, &q, 2, 2, seed);
		n_values += compare_every_edge(&rng, &q, seed);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
	ck_assert_uint_gt(n_values, n_seeds);
	for (int form = 0; form < MCH_FORM_NONE; form++)
		ck_assert_msg(n_forms[form] > n_seeds / 50, "form %d was met %zu times", form, n_forms[form]);
}

START_TEST(random_graphs_any_width)
{
	compare_graphs(&any_width, 10000, 100);
}
END_TEST

START_TEST(random_graphs_up_to_8_bits)
{
	compare_graphs(&narrow, 11000, 60);
}
END_TEST

START_TEST(random_graphs_16_bits)
{
	const struct random_format wide = {0, 0, 16, 0};
	compare_graphs(&wide, 12000, 60);
}
END_TEST

START_TEST(random_nets_any_width)
{
	compare_nets(&any_width, 1, 300);
}
END_TEST

/* Outputs that wrap, behind accumulators of every kind. */
START_TEST(random_graphs_that_wrap)
{
	for (uint64_t seed = 8000; seed < 8040; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		random_graph(&rng, &net);
		random_graph_quant(&rng, &any_width, &net, &quant);
		quant.wraps = true;
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
		compare(&rng, &q, 2, 2, seed);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
}
END_TEST

/* Accumulators that wrap and saturate on the way. */
START_TEST(random_nets_that_overflow)
{
	compare_nets(&overflowing, 7000, 60);
	ck_assert_uint_gt(n_overflows, 50000);
}
END_TEST

/* Minifloats and powers of two, and fixed point among them. */
START_TEST(random_nets_of_numbers)
{
	const struct random_format numbers = {.n_narrow_percent = 10, .has_numbers = true};
	compare_nets(&numbers, 9000, 300);
}
END_TEST

START_TEST(random_graphs_of_numbers)
{
	const struct random_format numbers = {.n_narrow_percent = 10, .has_numbers = true};
	compare_graphs(&numbers, 13000, 100);
}
END_TEST

START_TEST(random_nets_up_to_8_bits)
{
	compare_nets(&narrow, 1000, 100);
}
END_TEST

/* Every net at exactly 16 bits: all planes, and sums near the limits. */
START_TEST(random_nets_16_bits)
{
	const struct random_format wide = {0, 0, 16, 0};
	compare_nets(&wide, 2000, 100);
}
END_TEST

/* Machines without exact byte products take the float path; the library is told to see such a machine. Every test
 * is a process of its own, so this reaches no other. */
START_TEST(random_nets_without_byte_products)
{
	setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
	compare_nets(&any_width, 3000, 150);
	compare_nets(&narrow, 4000, 50);
}
END_TEST

/* AVX-512 without VNNI: a third family of kernels. */
START_TEST(random_nets_without_vnni)
{
	setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE", 1);
	compare_nets(&any_width, 5000, 50);
}
END_TEST

static Suite *exact_suite(void)
{
	const TTest *const tests[] = {random_graphs_any_width, random_graphs_up_to_8_bits, random_graphs_16_bits,
					     random_nets_any_width, random_nets_that_overflow, random_graphs_that_wrap,
					     random_nets_up_to_8_bits, random_nets_of_numbers, random_graphs_of_numbers,
					     random_nets_16_bits, random_nets_without_byte_products,
					     random_nets_without_vnni};
	return CHECK_SUITE("exact", tests);
}

int main(void)
{
	return check_main(exact_suite);
}
