/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The cycle-accurate datapath: its codes are those of op/requant.h, its timing that of docs/datapath.md "datapath". */
#include "arch/datapath.h"

#include "base/rng.h"
#include "check_main.h"
#include <string.h>

#include "fxp/lfsr.h"
#include "fxp/number.h"
#include "op/requant.h"

enum { ROWS = 3, COLS = 2, TERMS = 6, N_TILES = 7 };

static const int64_t bias[COLS] = {100, -7};
static const int8_t shift[COLS] = {4, -2};

/* Runs N_TILES tiles with random stalls; every row of codes against the operators. */
static void compare(enum mch_round round, bool relu, bool y_signed, uint32_t stalls)
{
	const struct mch_datapath_config cfg = {{ROWS, COLS, 8, 8, {32, MCH_WRAP}}, 8, round};
	const uint16_t noise[COLS] = {mch_lfsr_seed(5, 0), mch_lfsr_seed(5, 1)};
	struct mch_rng rng = mch_rng_seed(3);
	struct mch_datapath d;
	struct mch_err err;
	static int64_t acc[COLS][N_TILES * ROWS];
	static int32_t want[COLS][N_TILES * ROWS];
	ck_assert_int_eq(mch_datapath_init(&d, &cfg, &err), 0);
	d.layer = (struct mch_datapath_layer){relu, y_signed, 8};
	int32_t x[ROWS] = {0}, w[COLS] = {0};
	struct mch_datapath_in in = {.array = {false, false, false, x, w, true}, .out_ready = true, .load = true,
				     .bias = bias, .shift = shift, .noise = noise};
	mch_datapath_step(&d, &in);
	ck_assert(mch_datapath_idle(&d));
	in.load = false;
	const struct mch_requant r = {8, y_signed, relu, round, 5, bias, shift, false, 0, 0};
	int n_in = 0, n_out = 0;
	while (n_out < N_TILES * ROWS) {
		const int term = n_in % TERMS;
		in.array.valid = n_in < N_TILES * TERMS && mch_rng_below(&rng, 100) >= stalls;
		in.array.first = term == 0;
		in.array.last = term == TERMS - 1;
		in.out_ready = mch_rng_below(&rng, 100) >= stalls;
		for (int i = 0; i < ROWS; i++)
			x[i] = (int32_t)mch_rng_below(&rng, 256) - 128;
		for (int j = 0; j < COLS; j++)
			w[j] = (int32_t)mch_rng_below(&rng, 256) - 128;
		if (in.array.valid && mch_datapath_in_ready(&d)) {
			for (int i = 0; i < ROWS; i++)
				for (int j = 0; j < COLS; j++) {
					int64_t *sum = &acc[j][n_in / TERMS * ROWS + i];
					*sum = (term == 0 ? 0 : *sum) + (int64_t)x[i] * w[j];
				}
			n_in++;
		}
		if (mch_datapath_out_valid(&d) && in.out_ready) {
			/* The noise counts values: all up to here, as one image of one row. */
			for (int j = 0; j < COLS; j++) {
				uint16_t state = noise[j];
				for (int i = 0; i <= n_out; i++) {
					bool saturated;
					want[j][i] = mch_requant_value(&r, acc[j][i], bias[j], shift[j], state, &saturated);
					state = mch_lfsr_next(state);
					if (i == n_out)
						ck_assert_int_eq(d.lane[j].sat, saturated);
				}
				ck_assert_int_eq(d.lane[j].y, want[j][n_out]);
			}
			n_out++;
		}
		mch_datapath_step(&d, &in);
	}
	ck_assert(mch_datapath_idle(&d));
	mch_datapath_free(&d);
}

START_TEST(codes_are_those_of_requant)
{
	for (int round = 0; round < MCH_N_ROUNDS; round++)
		for (uint32_t stalls = 0; stalls <= 60; stalls += 30) {
			compare((enum mch_round)round, false, true, stalls);
			compare((enum mch_round)round, true, false, stalls);
		}
}
END_TEST

START_TEST(latency_is_six_edges)
{
	const struct mch_datapath_config cfg = {{ROWS, COLS, 8, 8, {32, MCH_WRAP}}, 8, MCH_ROUND_HALF_EVEN};
	const int32_t x[ROWS] = {1, 2, 3}, w[COLS] = {4, 5};
	const uint16_t noise[COLS] = {1, 1};
	struct mch_datapath d;
	struct mch_err err;
	ck_assert_int_eq(mch_datapath_init(&d, &cfg, &err), 0);
	struct mch_datapath_in in = {.array = {true, true, true, x, w, true}, .out_ready = true, .load = true,
				     .bias = bias, .shift = shift, .noise = noise};
	mch_datapath_step(&d, &in);
	in.array.valid = in.load = false;
	for (int edge = 1; edge <= 6; edge++) {
		ck_assert(!mch_datapath_out_valid(&d));
		mch_datapath_step(&d, &in);
	}
	ck_assert(mch_datapath_out_valid(&d));
	ck_assert_int_eq(d.lane[0].y, 6);  /* (4 + 100) / 16 = 6.5, even */
	ck_assert_int_eq(d.lane[1].y, -8); /* (5 - 7) * 4 */
	in.array.valid = true;
	mch_datapath_step(&d, &in);
	ck_assert(!mch_datapath_idle(&d));
	mch_datapath_reset(&d); /* what is in the array, too */
	ck_assert(mch_datapath_idle(&d));
	mch_datapath_free(&d);
}
END_TEST

/* Sums straight into the requantizer, one an edge: codes and flags three edges later. */
static void compare_minifloats(struct mch_format y, enum mch_round round)
{
	const struct mch_datapath_config cfg = {.array = {ROWS, COLS, 8, 8, {32, MCH_WRAP}}, .out_bits = y.bits, .round = round,
						.out_kind = y.number, .out_exp = y.exp_bits};
	const uint16_t first[COLS] = {11, 12};
	uint16_t noise[COLS] = {11, 12};
	const int32_t x[ROWS] = {0}, w[COLS] = {0};
	int64_t sum[COLS];
	uint32_t want[COLS][100];
	bool flag[COLS][100];
	struct mch_rng rng = mch_rng_seed(8);
	struct mch_datapath d;
	struct mch_err err;
	ck_assert_msg(mch_datapath_init(&d, &cfg, &err) == 0, "%s", err.text);
	for (int j = 0; j < COLS; j++)
		ck_assert_int_eq(d.lane[j].shift, MCH_SHIFT_MIN); /* a register of 0 */
	d.layer = (struct mch_datapath_layer){false, true, y.bits};
	struct mch_datapath_in in = {.array = {false, false, false, x, w, true}, .out_ready = true, .load = true, .bias = bias,
				     .shift = shift, .noise = first, .sum = sum};
	mch_datapath_step(&d, &in);
	in.load = false;
	in.sum_valid = true;
	for (int i = 0; i < 100; i++) {
		for (int j = 0; i >= 3 && j < COLS; j++) {
			ck_assert_uint_eq((uint32_t)d.lane[j].y, want[j][i - 3]);
			ck_assert_int_eq(d.lane[j].sat, flag[j][i - 3]);
		}
		for (int j = 0; j < COLS; j++) {
			sum[j] = (int64_t)mch_rng_below(&rng, 1U << (1 + i % 20)) * (mch_rng_below(&rng, 2) ? 1 : -1);
			const int64_t code = mch_format_encode(y, sum[j] + bias[j], shift[j], round, noise[j], &flag[j][i]);
			want[j][i] = code < 0 ? (uint32_t)-code | 1U << (y.bits - 1) : (uint32_t)code;
			noise[j] = mch_lfsr_next(noise[j]);
		}
		mch_datapath_step(&d, &in);
	}
	mch_datapath_free(&d);
	ck_assert_ptr_null(d.lane);
}

START_TEST(minifloats_are_those_of_encode)
{
	for (int round = 0; round < MCH_N_ROUNDS; round++) {
		compare_minifloats((struct mch_format){8, 0, true, MCH_MINIFLOAT_FN, 4}, (enum mch_round)round);
		compare_minifloats((struct mch_format){8, 0, true, MCH_MINIFLOAT_FN, 5}, (enum mch_round)round);
		compare_minifloats((struct mch_format){7, 0, true, MCH_MINIFLOAT_IEEE, 5}, (enum mch_round)round);
	}
}
END_TEST

START_TEST(refuses_parameters)
{
	const struct mch_datapath_config cfg = {{ROWS, COLS, 8, 8, {32, MCH_WRAP}}, 17, MCH_ROUND_FLOOR};
	struct mch_datapath d;
	struct mch_err err;
	ck_assert_int_eq(mch_datapath_init(&d, &cfg, &err), -1);
	ck_assert_str_eq(err.text, "datapath: outputs of 17 bits are out of range; OUT_BITS is 1 to 16");
	struct mch_datapath_config other = cfg;
	for (other.out_bits = 1; other.out_bits <= 16; other.out_bits += 15) {
		ck_assert_int_eq(mch_datapath_init(&d, &other, &err), 0);
		mch_datapath_free(&d);
	}
	other = (struct mch_datapath_config){.array = cfg.array, .out_bits = 8, .out_kind = MCH_MINIFLOAT_FN, .out_exp = 4, .out_wraps = true};
	ck_assert_int_eq(mch_datapath_init(&d, &other, &err), -1);
	ck_assert_ptr_eq(strstr(err.text, "datapath: outputs of kind 3 with 8 bits, 4 of them exponent, are none"), err.text);
	other.out_wraps = false, other.out_bits = 7, other.out_exp = 5; /* one bit of mantissa: NaN would take half */
	ck_assert_int_eq(mch_datapath_init(&d, &other, &err), -1);
	other.out_kind = MCH_MINIFLOAT, other.out_bits = 6; /* no mantissa */
	ck_assert_int_eq(mch_datapath_init(&d, &other, &err), -1);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {codes_are_those_of_requant, latency_is_six_edges, minifloats_are_those_of_encode,
				      refuses_parameters};
	return CHECK_SUITE("datapath", tests);
}

int main(void)
{
	return check_main(suite);
}
