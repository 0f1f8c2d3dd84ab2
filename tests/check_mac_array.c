/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The cycle-accurate array: its sums are those of op/conv.h, its timing that of docs/datapath.md "mac_array". */
#include "arch/mac_array.h"

#include "arch/gemm.h"
#include "base/rng.h"
#include "check_main.h"
#include "fxp/encode.h"

enum { N_MAX = 4096 };

static int32_t code(struct mch_rng *rng, int bits, bool is_signed)
{
	const int32_t v = (int32_t)(mch_rng_next(rng) >> (64 - bits));
	return is_signed ? v - (1 << (bits - 1)) : v;
}

/* Of a power of two, as docs/datapath.md "number" has it. */
static int32_t integer(enum mch_number kind, int32_t code)
{
	if (kind == MCH_FIXED || (kind == MCH_POW2 && code == 0))
		return code;
	const int32_t power = 1 << (code < 0 ? -1 - code : code - (kind == MCH_POW2));
	return code < 0 ? -power : power;
}

/* Streams all tiles of a convolution and gathers its sums; returns the cycles from the first beat to the last row. */
static uint64_t stream(struct mch_mac_array *a, const struct mch_conv *conv, const int32_t *x, const int32_t *w, int64_t *acc,
		       struct mch_rng *rng, uint32_t stalls)
{
	const struct mch_gemm g = mch_gemm_plan(conv, a->cfg.rows, a->cfg.cols);
	const size_t terms = mch_conv_terms(conv), rows = (size_t)a->cfg.rows, cols = (size_t)a->cfg.cols;
	static int32_t x_beats[N_MAX], w_beats[N_MAX];
	uint64_t tile_in = 0, tile_out = 0;
	size_t term = 0;
	int row = 0;
	ck_assert_uint_le(terms * rows, N_MAX);
	ck_assert_uint_le(terms * cols, N_MAX);
	const uint64_t start = a->cycle;
	while (tile_out < g.n_tiles) {
		if (term == 0 && tile_in < g.n_tiles)
			mch_gemm_operands(&g, tile_in, x, w, x_beats, w_beats);
		const bool valid = tile_in < g.n_tiles && mch_rng_below(rng, 100) >= stalls;
		const bool out_ready = mch_rng_below(rng, 100) >= stalls;
		const struct mch_mac_array_in in = {valid, term == 0, term + 1 == terms, &x_beats[term * rows],
						    &w_beats[term * cols], out_ready};
		const struct mch_tile tile = mch_gemm_tile(&g, tile_out);
		if (mch_mac_array_out_valid(a) && out_ready) {
			for (int j = 0; row < tile.n_pixels && j < tile.n_channels; j++)
				acc[mch_gemm_out_index(&g, tile, row, j)] = a->bank[j];
			tile_out += row + 1 == a->cfg.rows;
			row = (row + 1) % a->cfg.rows;
		}
		const bool taken = valid && mch_mac_array_in_ready(a);
		mch_mac_array_step(a, &in);
		term += taken;
		if (taken && term == terms) {
			term = 0;
			tile_in++;
		}
		ck_assert_uint_lt(a->cycle - start, 200000);
	}
	return a->cycle - start;
}

static void compare(struct mch_mac_array_config cfg, struct mch_conv conv, uint32_t stalls)
{
	static int32_t x[N_MAX], w[N_MAX], x_integers[N_MAX], integers[N_MAX];
	static int64_t want[N_MAX], got[N_MAX];
	struct mch_rng rng = mch_rng_seed(11);
	struct mch_mac_array a;
	struct mch_err err;
	const size_t n_out = (size_t)(conv.n * conv.k * mch_conv_p(&conv) * mch_conv_q(&conv));
	ck_assert_uint_le((size_t)(conv.n * conv.c * conv.h * conv.w), N_MAX);
	ck_assert_uint_le((size_t)conv.k * mch_conv_terms(&conv), N_MAX);
	ck_assert_uint_le(n_out, N_MAX);
	for (size_t i = 0; i < N_MAX; i++) {
		x[i] = code(&rng, cfg.x_bits, i & 1);
		w[i] = code(&rng, cfg.w_bits, true);
	}
	ck_assert_int_eq(mch_mac_array_init(&a, &cfg, &err), 0);
	for (size_t i = 0; i < N_MAX; i++) {
		x_integers[i] = x[i];
		if (cfg.mult == MCH_MULT_MINIFLOAT) {
			const struct mch_format xf = {cfg.x_bits, 0, false, cfg.x_kind, cfg.x_exp};
			const struct mch_format wf = {cfg.w_bits, 0, true, cfg.w_kind, cfg.w_exp};
			/* The pins are the low bits. */
			x_integers[i] = (int32_t)mch_format_integer(xf, x[i] & ((1 << cfg.x_bits) - 1));
			integers[i] = (int32_t)mch_format_integer(wf, mch_minifloat_code(wf, (uint32_t)w[i] & ((1U << cfg.w_bits) - 1)));
		} else {
			integers[i] = integer(cfg.w_kind, w[i]);
		}
	}
	mch_conv(&conv, cfg.acc, x_integers, integers, want, NULL);
	const uint64_t cycles = stream(&a, &conv, x, w, got, &rng, stalls);
	for (size_t i = 0; i < n_out; i++)
		ck_assert_int_eq(got[i], want[i]);
	/* The plan's cycles, and the pipeline once: the last tile's rows come 3 edges after its last beat, one a cycle. */
	if (stalls == 0)
		ck_assert_uint_le(cycles, mch_gemm_plan(&conv, cfg.rows, cfg.cols).n_cycles + 3 + (uint64_t)cfg.rows);
	mch_mac_array_free(&a);
}

START_TEST(sums_are_those_of_conv)
{
	const struct mch_conv plain = {2, 3, 7, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	const struct mch_conv padded = {1, 4, 7, 6, 6, 3, 2, 2, 1, 1, 1, 2, 0, 1, 2, 2};
	const struct mch_conv dense = {5, 40, 1, 1, 11, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	const struct mch_conv one_term = {3, 1, 5, 5, 3, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	const struct mch_conv *const convs[] = {&plain, &padded, &dense, &one_term};
	const struct mch_mac_array_config configs[] = {{4, 4, 8, 8, {32, MCH_WRAP}},
						       {5, 7, 16, 16, {40, MCH_WRAP}},
						       {8, 3, 8, 8, {14, MCH_SATURATE}},
						       {1, 1, 4, 3, {9, MCH_WRAP}},
						       {4, 4, 8, 4, {24, MCH_WRAP}, MCH_MULT_SHIFT, MCH_POW2},
						       {4, 3, 16, 5, {30, MCH_SATURATE}, MCH_MULT_SHIFT, MCH_POW2_NO_ZERO},
						       {3, 5, 8, 3, {24, MCH_WRAP}, MCH_MULT_SHIFT, MCH_POW2},
						       {4, 5, 8, 8, {24, MCH_WRAP}, MCH_MULT_INTEGER, MCH_FIXED, true},
						       {4, 4, 8, 8, {44, MCH_WRAP}, MCH_MULT_MINIFLOAT, MCH_MINIFLOAT_FN, false,
							MCH_MINIFLOAT_FN, 4, 4},
						       {3, 5, 6, 7, {20, MCH_SATURATE}, MCH_MULT_MINIFLOAT, MCH_MINIFLOAT_FLUSH,
							false, MCH_MINIFLOAT, 2, 3}};
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < sizeof(configs) / sizeof(configs[0]); j++)
			for (uint32_t stalls = 0; stalls <= 50; stalls += 25)
				compare(configs[j], *convs[i], stalls);
}
END_TEST

START_TEST(cycles_are_the_plan)
{
	/* 6 x 6 pixels and 8 channels on 4 x 4: 18 tiles. Terms 27 > ROWS: no tile waits; terms 3 <= ROWS: each waits. */
	const struct mch_conv longer = {1, 3, 8, 8, 8, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	const struct mch_conv shorter = {1, 3, 6, 6, 8, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	ck_assert_uint_eq(mch_gemm_plan(&longer, 4, 4).n_cycles, 18 * 27);
	ck_assert_uint_eq(mch_gemm_plan(&shorter, 4, 4).n_cycles, 18 * 5);
	compare((struct mch_mac_array_config){4, 4, 8, 8, {32, MCH_WRAP}}, longer, 0);
	compare((struct mch_mac_array_config){4, 4, 8, 8, {32, MCH_WRAP}}, shorter, 0);
}
END_TEST

START_TEST(latency_is_three_edges)
{
	const struct mch_mac_array_config cfg = {2, 2, 8, 8, {32, MCH_WRAP}};
	const int32_t x[] = {3, -5}, w[] = {7, 11};
	struct mch_mac_array a;
	struct mch_err err;
	ck_assert_int_eq(mch_mac_array_init(&a, &cfg, &err), 0);
	struct mch_mac_array_in in = {true, true, true, x, w, false};
	mch_mac_array_step(&a, &in);
	in.valid = false;
	for (int edge = 1; edge <= 3; edge++) {
		ck_assert(!mch_mac_array_out_valid(&a));
		mch_mac_array_step(&a, &in);
	}
	ck_assert(mch_mac_array_out_valid(&a));
	ck_assert_int_eq(a.bank[0], 21);
	ck_assert_int_eq(a.bank[1], 33);
	in.out_ready = true;
	mch_mac_array_step(&a, &in);
	ck_assert_int_eq(a.bank[0], -35);
	ck_assert_int_eq(a.bank[1], -55);
	mch_mac_array_step(&a, &in);
	ck_assert(!mch_mac_array_out_valid(&a));
	mch_mac_array_free(&a);
}
END_TEST

/* Rows and columns behind the last pixel and channel are given zeros, whatever was in their place. */
START_TEST(idle_rows_and_columns_are_zero)
{
	const struct mch_conv conv = {1, 3, 7, 6, 9, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1};
	const struct mch_gemm g = mch_gemm_plan(&conv, 8, 4);
	static int32_t x[N_MAX], w[N_MAX], x_beats[N_MAX], w_beats[N_MAX];
	int n = 0;
	for (size_t i = 0; i < N_MAX; i++)
		x[i] = w[i] = 1;
	for (uint64_t tile = 0; tile < g.n_tiles; tile++) {
		const struct mch_tile at = mch_gemm_tile(&g, tile);
		memset(x_beats, 0x55, sizeof(x_beats));
		memset(w_beats, 0x55, sizeof(w_beats));
		mch_gemm_operands(&g, tile, x, w, x_beats, w_beats);
		for (int t = 0; t < 27; t++) {
			for (int i = 0; i < 8; i++)
				ck_assert_int_eq(x_beats[t * 8 + i], i < at.n_pixels);
			for (int j = 0; j < 4; j++)
				ck_assert_int_eq(w_beats[t * 4 + j], j < at.n_channels);
		}
		n += at.n_pixels < 8 && at.n_channels < 4;
	}
	ck_assert_int_gt(n, 0);
}
END_TEST

/* A flag is of its tile: raised by one step it stays to the end, and the next tile begins without. */
START_TEST(flags_are_of_one_tile)
{
	const struct mch_mac_array_config cfg = {1, 1, 8, 8, {9, MCH_SATURATE}};
	static const int32_t xs[] = {100, 100, 1, 1, 2, 3}, w = 2;
	struct mch_mac_array a;
	struct mch_err err;
	int n = 0;
	ck_assert_int_eq(mch_mac_array_init(&a, &cfg, &err), 0);
	for (int i = 0; i < 12; i++) {
		const struct mch_mac_array_in in = {i < 6, i % 3 == 0, i % 3 == 2, &xs[i < 6 ? i : 0], &w, true};
		if (mch_mac_array_out_valid(&a)) {
			ck_assert_int_eq(a.bank[0], n == 0 ? 255 : 12);
			ck_assert_int_eq(a.bank_over[0], n == 0);
			n++;
		}
		mch_mac_array_step(&a, &in);
	}
	ck_assert_int_eq(n, 2);
	mch_mac_array_free(&a);
}
END_TEST

/* A signed code's register has a bit above the code, as the RTL has. */
START_TEST(signed_minifloats)
{
	const struct mch_mac_array_config cfg = {1, 1, 8, 8, {44, MCH_WRAP}, MCH_MULT_MINIFLOAT, MCH_MINIFLOAT_FN, false, MCH_MINIFLOAT_FN,
						 4, 4};
	const int32_t x = 0x88, w = 0x08; /* -8 and 8 */
	struct mch_mac_array a;
	struct mch_err err;
	ck_assert_int_eq(mch_mac_array_init(&a, &cfg, &err), 0);
	struct mch_mac_array_in in = {true, true, true, &x, &w, true, true};
	mch_mac_array_step(&a, &in);
	ck_assert_int_eq(a.x[0], 0x188);
	in.valid = false;
	for (int edge = 0; edge < 3; edge++)
		mch_mac_array_step(&a, &in);
	ck_assert(mch_mac_array_out_valid(&a));
	ck_assert_int_eq(a.bank[0], -64);
	mch_mac_array_free(&a);
}
END_TEST

START_TEST(takes_parameters)
{
	const struct mch_mac_array_config configs[] = {{64, 64, 16, 16, {48, MCH_WRAP}}, {1, 1, 1, 1, {2, MCH_WRAP}},
						       {1, 1, 8, 2, {48, MCH_WRAP}, MCH_MULT_SHIFT, MCH_POW2},
						       {1, 1, 8, 5, {48, MCH_WRAP}, MCH_MULT_SHIFT, MCH_POW2_NO_ZERO}};
	struct mch_mac_array a;
	struct mch_err err;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		ck_assert_msg(mch_mac_array_init(&a, &configs[i], &err) == 0, "%s", err.text);
		mch_mac_array_free(&a);
	}
}
END_TEST

static void refuse(struct mch_mac_array_config cfg, const char *text)
{
	struct mch_mac_array a;
	struct mch_err err;
	ck_assert_int_eq(mch_mac_array_init(&a, &cfg, &err), -1);
	ck_assert_str_eq(err.text, text);
}

START_TEST(refuses_parameters)
{
	refuse((struct mch_mac_array_config){0, 4, 8, 8, {32, MCH_WRAP}},
	       "array: 0x4 is out of range; ROWS and COLS are 1 to 64");
	refuse((struct mch_mac_array_config){4, 65, 8, 8, {32, MCH_WRAP}},
	       "array: 4x65 is out of range; ROWS and COLS are 1 to 64");
	refuse((struct mch_mac_array_config){4, 4, 17, 8, {32, MCH_WRAP}},
	       "array: operands of 17 and 8 bits are out of range; X_BITS and W_BITS are 1 to 16");
	refuse((struct mch_mac_array_config){4, 4, 8, 8, {49, MCH_WRAP}},
	       "array: an accumulator of 49 bits is out of range; ACC_BITS is 2 to 48");
	refuse((struct mch_mac_array_config){4, 4, 8, 8, {32, MCH_WRAP}, MCH_MULT_INTEGER, MCH_POW2},
	       "array: weights of kind 5 are no operands of MULT 0; W_KIND is 0");
	refuse((struct mch_mac_array_config){4, 4, 8, 6, {32, MCH_WRAP}, MCH_MULT_SHIFT, MCH_POW2},
	       "array: weights of kind 5 with 6 bits are no operands of MULT 1; W_KIND is 5 or 6, W_BITS 2 to 5");
	refuse((struct mch_mac_array_config){4, 4, 8, 4, {32, MCH_WRAP}, MCH_MULT_SHIFT, MCH_FIXED},
	       "array: weights of kind 0 with 4 bits are no operands of MULT 1; W_KIND is 5 or 6, W_BITS 2 to 5");
	refuse((struct mch_mac_array_config){4, 4, 8, 1, {32, MCH_WRAP}, MCH_MULT_SHIFT, MCH_POW2},
	       "array: weights of kind 5 with 1 bits are no operands of MULT 1; W_KIND is 5 or 6, W_BITS 2 to 5");
	refuse((struct mch_mac_array_config){4, 4, 9, 8, {32, MCH_WRAP}, MCH_MULT_INTEGER, MCH_FIXED, true},
	       "array: operands of 9 and 8 bits of MULT 0 cannot be packed; X_BITS + 2 * W_BITS is up to 24, MULT 0");
	refuse((struct mch_mac_array_config){4, 4, 8, 8, {48, MCH_WRAP}, MCH_MULT_MINIFLOAT, MCH_MINIFLOAT, false, MCH_MINIFLOAT, 5, 5},
	       "array: operands of kinds 1 and 1 are none of MULT 2; kinds are 1 to 4, exponents 1 to 5 bits, products 48");
	refuse((struct mch_mac_array_config){4, 4, 8, 8, {48, MCH_WRAP}, MCH_MULT_INTEGER, MCH_FIXED, false, MCH_MINIFLOAT, 4, 4},
	       "array: minifloats are operands of MULT 2 alone; X_KIND, X_EXP and W_EXP are 0");
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {sums_are_those_of_conv, cycles_are_the_plan, latency_is_three_edges,
				      idle_rows_and_columns_are_zero, flags_are_of_one_tile, signed_minifloats,
				      takes_parameters, refuses_parameters};
	return CHECK_SUITE("mac_array", tests);
}

int main(void)
{
	return check_main(suite);
}
