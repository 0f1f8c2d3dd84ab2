/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What `macchiato gen` calls right is what the oracles compute, which share no code with it; and its cases reach ties and ends. */
#include "cli/gen.h"

#include <string.h>

#include "check_main.h"
#include "oracle/slow_conv.h"
#include "oracle/slow_fxp.h"
#include "oracle/slow_pool.h"

enum { N_CASES = 400 };

static void give(struct mch_gen_params *p, unsigned bit, const char *text)
{
	char buf[64];
	struct argp_state state = {.input = p};
	strcpy(buf, text);
	ck_assert_int_eq(mch_gen_argp.parser(256 + __builtin_ctz(bit), buf, &state), 0);
}

static void draw(struct mch_gen *g, uint64_t number)
{
	mch_gen_draw(g, number);
	mch_gen_compute(g);
}

START_TEST(requantizers)
{
	static const char *const modes[] = {"floor", "half_up", "half_away", "half_even", "stochastic"};
	struct mch_gen_params p = mch_gen_usual();
	struct mch_gen g;
	int n_ties = 0, n_saturated = 0;
	give(&p, MCH_GEN_ROUND, modes[_i]);
	give(&p, MCH_GEN_SHIFT, "-3:20");
	mch_gen_init(&g, "requant", &p);
	const int out = g.header.n_in;
	for (uint64_t i = 0; i < N_CASES; i++) {
		bool saturated;
		draw(&g, i);
		const int64_t acc = g.values[0][0], bias = g.values[1][0];
		const int shift = (int)g.values[2][0];
		const uint32_t noise = out > 3 ? (uint32_t)g.values[3][0] : 0;
		ck_assert_int_eq(g.values[out][0],
				 (int64_t)slow_requant(8, true, false, _i, acc, bias, shift, noise, &saturated));
		ck_assert_int_eq(g.values[out + 1][0], saturated);
		n_saturated += saturated;
		n_ties += shift > 0 && !saturated &&
			  (uint64_t)((acc + bias + (INT64_C(1) << 40)) & ((INT64_C(1) << shift) - 1)) == UINT64_C(1) << (shift - 1);
	}
	ck_assert_int_gt(n_ties, N_CASES / 20);
	ck_assert_int_gt(n_saturated, N_CASES / 20);
	mch_gen_free(&g);
}
END_TEST

START_TEST(sums_of_a_layer)
{
	struct mch_gen_params p = mch_gen_usual();
	struct mch_gen g;
	static int32_t x[4 * 6 * 6], w[4 * 4 * 9];
	static int64_t acc[4 * 36];
	give(&p, MCH_GEN_PAD, "1");
	give(&p, MCH_GEN_GROUPS, "2");
	give(&p, MCH_GEN_ACC, _i ? "15:saturate" : "15:wrap");
	mch_gen_init(&g, "conv", &p);
	for (uint64_t i = 0; i < N_CASES; i++) {
		draw(&g, i);
		for (int k = 0; k < g.header.field[0].count; k++)
			x[k] = (int32_t)g.values[0][k];
		for (int k = 0; k < g.header.field[1].count; k++)
			w[k] = (int32_t)g.values[1][k];
		const uint64_t n_over = slow_conv(&g.conv, 15, _i, x, w, acc);
		ck_assert_mem_eq(g.values[2], acc, g.n_elements * sizeof(*acc));
		bool any = false;
		for (size_t k = 0; _i && k < g.n_elements; k++)
			any = any || g.values[3][k];
		ck_assert(!_i || any == (n_over > 0));
	}
	mch_gen_free(&g);
}
END_TEST

/* Beats: row i and column j of beat t. */
START_TEST(order_of_the_array)
{
	struct mch_gen_params p = mch_gen_usual();
	struct mch_gen g;
	give(&p, MCH_GEN_ARRAY, "3x2");
	give(&p, MCH_GEN_TERMS, "5");
	mch_gen_init(&g, "mac_array", &p);
	for (uint64_t i = 0; i < N_CASES; i++) {
		draw(&g, i);
		for (int cell = 0; cell < 6; cell++) {
			bool over;
			slow_int acc = 0;
			for (int t = 0; t < 5; t++)
				acc = slow_mac(48, false, acc, g.values[0][t * 3 + cell / 2], g.values[1][t * 2 + cell % 2], &over);
			ck_assert_int_eq(g.values[2][cell], (int64_t)acc);
		}
	}
	mch_gen_free(&g);
}
END_TEST

START_TEST(means)
{
	struct mch_gen_params p = mch_gen_usual();
	struct mch_gen g;
	static int32_t x[4 * 6 * 6], y[4 * 36];
	give(&p, MCH_GEN_KERNEL, "3");
	give(&p, MCH_GEN_PAD, "1");
	give(&p, MCH_GEN_STRIDE, "2");
	give(&p, MCH_GEN_CEIL, "");
	if (_i)
		give(&p, MCH_GEN_COUNT_PAD, "");
	give(&p, MCH_GEN_OUT, "s6.3");
	mch_gen_init(&g, "avg_pool", &p);
	const struct mch_pool_avg cfg = {6, true, MCH_ROUND_HALF_EVEN, 1};
	for (uint64_t i = 0; i < N_CASES; i++) {
		uint64_t n_sat[2] = {0, 0}, n_inexact = 0;
		draw(&g, i);
		for (int k = 0; k < g.header.field[0].count; k++)
			x[k] = (int32_t)g.values[0][k];
		slow_pool_avg(&g.pool, &cfg, x, y, n_sat, &n_inexact);
		for (size_t k = 0; k < g.n_elements; k++)
			ck_assert_int_eq(g.values[1][k], y[k]);
	}
	mch_gen_free(&g);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("gen");
	TCase *t = tcase_create("gen");
	tcase_add_loop_test(t, requantizers, 0, 5);
	tcase_add_loop_test(t, sums_of_a_layer, 0, 2);
	tcase_add_test(t, order_of_the_array);
	tcase_add_loop_test(t, means, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return check_main(suite);
}
