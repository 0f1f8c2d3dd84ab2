/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cost of a small network, counted by hand, and the measured table's shape. */
#include "arch/cost.h"

#include "check_main.h"

static struct mch_net net;
static struct mch_err err;

static int add(const char *name, enum mch_kind kind)
{
	const int in = net.n_layers ? net.layers[net.n_layers - 1].out[0] : net.input;
	const int i = mch_net_add_layer(&net, name, kind, in, NULL, &err);
	ck_assert_msg(i >= 0, "%s", err.text);
	return i;
}

enum { CONV, RELU, POOL, FC, SOFTMAX, N_LAYERS };

/* 3x6x6 -> conv 3x3, 10 channels, pad 1: 10x6x6 -> ReLU -> max pool 2x2: 10x3x3 -> dense 7 -> softmax. */
static void setup(void)
{
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, 3, 6, 6}, &err);
	add("conv", MCH_CONV);
	net.layers[CONV].conv = (struct mch_conv){1, 0, 0, 0, 10, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	add("relu", MCH_RELU);
	add("pool", MCH_POOL_MAX);
	net.layers[POOL].pool = (struct mch_pool){.n = 1,
						  .r = 2,
						  .s = 2,
						  .stride_h = 2,
						  .stride_w = 2,
						  .dilation_h = 1,
						  .dilation_w = 1};
	add("fc", MCH_DENSE);
	net.layers[FC].conv.k = 7;
	add("prob", MCH_SOFTMAX);
	ck_assert_msg(mch_net_infer(&net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(mch_layer_alloc(&net.layers[CONV], 1, &err) | mch_layer_alloc(&net.layers[FC], 1, &err), 0);
}

static void teardown(void)
{
	mch_net_free(&net);
}

START_TEST(layers)
{
	struct mch_cost cost;
	ck_assert_int_eq(mch_cost_init(&cost, &net, &(struct mch_cost_config){8, 4, 64}, &err), 0);
	struct mch_layer_cost c = mch_cost_layer(&cost, CONV, 5, 8, 6);
	ck_assert(c.x_bits == 8 && c.w_bits == 5);
	ck_assert_uint_eq(c.macs, 36 * 10 * 27);
	ck_assert_uint_eq(c.weight_bits, 10 * 27 * 5);
	ck_assert_uint_eq(c.input_bits, 3 * 36 * 8);
	ck_assert_uint_eq(c.output_bits, 360 * 6);
	ck_assert_uint_eq(c.bit_ops, 36 * 10 * 27 * 40);
	ck_assert_uint_eq(c.array_cycles, 5 * 3 * 27); /* tiles of 8 pixels and 4 channels */
	ck_assert_uint_eq(c.traffic_bits, 1350 + 3 * 864 + 2160);
	ck_assert_uint_eq(c.cycles, 405); /* 96 of the bus */
	ck_assert_double_eq_tol(c.utilisation, 9720.0 / (32 * 405), 1e-12);
	ck_assert_double_eq(c.lut, 32.0 * mch_mac_cost(8, 5, false).lut);
	ck_assert_double_eq(c.dsp, 32.0 * mch_mac_cost(8, 5, true).dsp);
	c = mch_cost_layer(&cost, FC, 4, 6, 7);
	ck_assert_uint_eq(c.macs, 630);
	ck_assert_uint_eq(c.array_cycles, 2 * 90);
	ck_assert_uint_eq(c.traffic_bits, 630 * 4 + 2 * 90 * 6 + 7 * 7);
	c = mch_cost_layer(&cost, POOL, 8, 8, 8);
	ck_assert_uint_eq(c.macs, 0);
	mch_cost_free(&cost);
}
END_TEST

static double total(const struct mch_cost *cost, enum mch_cost_kind kind, int w, int x)
{
	int8_t weights[N_LAYERS], edges[N_LAYERS + 1];
	for (int i = 0; i <= N_LAYERS; i++)
		edges[i] = (int8_t)x;
	for (int i = 0; i < N_LAYERS; i++)
		weights[i] = (int8_t)w;
	return mch_cost_total(cost, kind, weights, edges);
}

START_TEST(totals)
{
	struct mch_cost cost;
	ck_assert_int_eq(mch_cost_init(&cost, &net, &(struct mch_cost_config){8, 4, 1}, &err), 0);
	/* stored: the input, what the pool hands to the dense layer, and its output; not what ReLU and pool read */
	ck_assert_double_eq(total(&cost, MCH_COST_BITS, 5, 8), (270 + 630) * 5 + (108 + 90 + 7) * 8);
	ck_assert_double_eq(total(&cost, MCH_COST_BITOPS, 5, 8), (9720 + 630) * 40);
	const double conv_bits = 1350 + 3 * 864 + 360 * 8, fc_bits = 630 * 5 + 2 * 720 + 56;
	ck_assert_double_eq(total(&cost, MCH_COST_TRAFFIC, 5, 8), conv_bits + fc_bits);
	ck_assert_double_eq(total(&cost, MCH_COST_CYCLES, 5, 8), conv_bits + fc_bits); /* a bus of one bit */
	ck_assert_double_eq(total(&cost, MCH_COST_LUT, 5, 8), 32.0 * mch_mac_cost(8, 5, false).lut);
	ck_assert_double_eq(total(&cost, MCH_COST_DSP, 16, 16), 32.0 * mch_mac_cost(16, 16, true).dsp);
	mch_cost_free(&cost);
	/* Layers of different widths share the lanes by their cycles. */
	ck_assert_int_eq(mch_cost_init(&cost, &net, &(struct mch_cost_config){8, 4, 64}, &err), 0);
	const int8_t weights[] = {2, 0, 0, 16, 0}, edges[] = {3, 8, 8, 12, 8, 8};
	const double want =
		32 * (405.0 * mch_mac_cost(3, 2, false).lut + 180.0 * mch_mac_cost(12, 16, false).lut) / 585;
	ck_assert_double_eq_tol(mch_cost_total(&cost, MCH_COST_LUT, weights, edges), want, 1e-9);
	mch_cost_free(&cost);
}
END_TEST

/* Every pair was measured; wide multipliers take more than narrow ones, and one DSP slice holds any of them. */
START_TEST(table)
{
	for (int x = 1; x <= 16; x++)
		for (int w = 1; w <= 16; w++) {
			const struct mch_mac_cost a = mch_mac_cost(x, w, false), b = mch_mac_cost(x, w, true);
			ck_assert(a.lut > 0 && a.ff > 0 && a.dsp == 0);
			ck_assert(b.dsp == 0 || (b.dsp == 1 && b.lut < a.lut));
			if (x > 4 && w > 4)
				ck_assert_int_gt(a.lut, mch_mac_cost(x - 4, w - 4, false).lut);
		}
	ck_assert_int_eq(mch_mac_cost(8, 8, true).dsp, 1);
	ck_assert_int_eq(mch_mac_cost(2, 2, true).dsp, 0);
}
END_TEST

/* Near what was measured of the usual build (docs/results.md), and larger with every size. */
START_TEST(accelerator)
{
	const struct mch_accel_config usual = {.rows = 16,
					       .cols = 16,
					       .x_bits = 8,
					       .w_bits = 8,
					       .out_bits = 8,
					       .acc_bits = 32,
					       .mem_bits = 128,
					       .x_words = 4096,
					       .w_words = 4096};
	const struct mch_accel_area a = mch_accel_area(&usual);
	ck_assert_double_eq_tol(a.lut, 22224, 22224 * a.lut_error / 100);
	ck_assert_double_eq_tol(a.ff, 21711, 21711 * a.ff_error / 100);
	ck_assert_int_eq(a.dsp, 256);
	ck_assert_double_eq(a.bram, 45);
	struct mch_accel_config more = usual;
	more.rows = 17;
	ck_assert_double_gt(mch_accel_area(&more).lut, a.lut);
	more = usual, more.cols = 32;
	ck_assert_double_gt(mch_accel_area(&more).lut, a.lut);
	ck_assert_double_eq(mch_accel_area(&more).bram, 3 * 29); /* 256 bits in blocks of 4096 x 9 */
	more = usual, more.acc_bits = 40;
	ck_assert_double_gt(mch_accel_area(&more).ff, a.ff);
	more = usual, more.cols = 4, more.x_words = more.w_words = 256; /* half a block each */
	ck_assert_double_eq(mch_accel_area(&more).bram, 1);
}
END_TEST

START_TEST(names)
{
	for (int i = 0; i < MCH_N_COSTS; i++) {
		enum mch_cost_kind kind = MCH_N_COSTS;
		ck_assert_int_eq(mch_cost_parse(mch_cost_name((enum mch_cost_kind)i), &kind), 0);
		ck_assert_int_eq((int)kind, i);
	}
	enum mch_cost_kind kind;
	ck_assert_int_eq(mch_cost_parse("area", &kind), -1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cost");
	TCase *cases = tcase_create("cost");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, layers);
	tcase_add_test(cases, totals);
	tcase_add_test(cases, table);
	tcase_add_test(cases, accelerator);
	tcase_add_test(cases, names);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
