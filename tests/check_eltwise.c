/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Sums, products and maxima against exact integers, one place at a time: shapes that repeat, fractions apart,
 * coefficients; then their ranges, exhaustively. */
#include "op/eltwise.h"

#include "check_main.h"
#include "corners.h"
#include "op/requant.h"
#include "oracle/slow_eltwise.h"

enum { N = 2, IN_MAX = 4, ELEMS_MAX = N * 4 * 4 * 5 };

static struct mch_rng rng;
static int32_t x[IN_MAX][ELEMS_MAX], y[ELEMS_MAX];
static int64_t acc[ELEMS_MAX];

static int between(int low, int high)
{
	return (int)corner_uniform(&rng, low, high);
}

/* A case: inputs with formats, and what they are aligned by. */
struct trial {
	int kind, n_in;
	struct mch_shape out;
	struct mch_format format[IN_MAX];
	struct slow_eltwise_in slow[IN_MAX];
	struct mch_eltwise_in in[IN_MAX];
	const int32_t *x[IN_MAX];
};

static void draw_input(struct trial *t, int i)
{
	const int bits = between(1, 16);
	const bool is_signed = between(0, 1);
	t->format[i] = (struct mch_format){.bits = bits, .frac = between(-3, 9), .is_signed = is_signed};
	struct mch_shape s = t->out;
	if (i > 0) {
		s.c = between(0, 3) ? s.c : 1, s.h = between(0, 3) ? s.h : 1, s.w = between(0, 3) ? s.w : 1;
	}
	for (int j = 0; j < ELEMS_MAX; j++)
		x[i][j] = (int32_t)corner_value(&rng, mch_format_min(t->format[i]), mch_format_max(t->format[i]), 3);
	t->slow[i] = (struct slow_eltwise_in){s, t->format[i].frac, t->kind == 0 ? between(-2, 2) : 0,
					      t->kind == 0 && between(0, 2) == 0 ? -1 : 1, x[i]};
	t->x[i] = x[i];
}

static void draw(struct trial *t)
{
	int finest = -100;
	t->kind = between(0, 2);
	t->n_in = t->kind == 1 ? between(1, MCH_ELTWISE_FACTORS_MAX) : between(1, IN_MAX);
	t->out = (struct mch_shape){1, between(1, 4), between(1, 4), between(1, 5)};
	for (int i = 0; i < t->n_in; i++) {
		draw_input(t, i);
		const int frac = t->slow[i].frac - t->slow[i].exponent;
		finest = frac > finest ? frac : finest;
	}
	for (int i = 0; i < t->n_in; i++)
		t->in[i] = (struct mch_eltwise_in){
			t->slow[i].shape, t->kind == 1 ? 0 : finest - (t->slow[i].frac - t->slow[i].exponent),
			t->slow[i].sign < 0};
}

START_TEST(against_the_oracle)
{
	rng = mch_rng_seed(31);
	static const enum mch_eltwise_kind kinds[] = {MCH_ELTWISE_SUM, MCH_ELTWISE_PROD, MCH_ELTWISE_MAX};
	int n_low = 0, n_high = 0;
	for (int number = 0; number < 3000; number++) {
		struct trial t = {0};
		draw(&t);
		const struct mch_eltwise cfg = {kinds[t.kind], t.n_in, t.in, t.out};
		const int elems = t.out.c * t.out.h * t.out.w;
		int64_t low, high;
		mch_eltwise_range(&cfg, t.format, &low, &high);
		mch_eltwise(&cfg, N, t.x, acc);
		for (int i = 0; i < N * elems; i++) {
			int frac;
			const slow_int want =
				slow_eltwise(t.kind, t.n_in, t.slow, t.out, i / elems, i % elems, &frac);
			ck_assert_msg((slow_int)acc[i] == want, "case %d, kind %d, place %d: want %lld, got %lld",
				      number, t.kind, i, (long long)want, (long long)acc[i]);
			ck_assert(acc[i] >= low && acc[i] <= high);
			n_low += acc[i] == low, n_high += acc[i] == high;
		}
	}
	ck_assert_int_gt(n_low, 100); /* the ends are reached */
	ck_assert_int_gt(n_high, 100);
}
END_TEST

/* All pairs of codes of up to 4 bits. */
START_TEST(ranges_are_tight)
{
	static const enum mch_eltwise_kind kinds[] = {MCH_ELTWISE_SUM, MCH_ELTWISE_PROD, MCH_ELTWISE_MAX};
	for (int i = 0; i < 3 * 8 * 8 * 2; i++) {
		const struct mch_format f[2] = {{.bits = 1 + i / 3 % 4, .is_signed = i / 12 % 2},
						{.bits = 1 + i / 24 % 4, .is_signed = i / 96 % 2}};
		const struct mch_shape one = {1, 1, 1, 1};
		const struct mch_eltwise_in in[2] = {{one, i % 3 == 1 ? 0 : 2, false},
						     {one, 0, i % 3 == 0 && i / 192}};
		const struct mch_eltwise cfg = {kinds[i % 3], 2, in, one};
		int64_t low, high, least = INT64_MAX, most = INT64_MIN;
		mch_eltwise_range(&cfg, f, &low, &high);
		for (int64_t a = mch_format_min(f[0]); a <= mch_format_max(f[0]); a++)
			for (int64_t b = mch_format_min(f[1]); b <= mch_format_max(f[1]); b++) {
				const int32_t code[2] = {(int32_t)a, (int32_t)b};
				int64_t got;
				mch_eltwise(&cfg, 1, (const int32_t *const[]){&code[0], &code[1]}, &got);
				least = got < least ? got : least;
				most = got > most ? got : most;
			}
		ck_assert_int_eq(low, least);
		ck_assert_int_eq(high, most);
	}
}
END_TEST

/* 1.5 - 0.375 * 2 = 0.75 from s8.1 and u4.3, to s8.2; and a gate of one value for each channel. */
START_TEST(worked_examples)
{
	const struct mch_shape shape = {1, 2, 1, 2}, gate = {1, 2, 1, 1};
	const struct mch_eltwise_in sum_in[2] = {{shape, 1, false}, {shape, 0, true}}; /* fractions 1 and 3 - 1 */
	const struct mch_eltwise sum = {MCH_ELTWISE_SUM, 2, sum_in, shape};
	const int32_t a[4] = {3, -128, 127, 0}, b[4] = {3, 15, 0, 15}, g[2] = {2, -3};
	mch_eltwise(&sum, 1, (const int32_t *const[]){a, b}, acc);
	ck_assert_int_eq(acc[0], 3); /* 0.75 in units of 2^-2 */
	ck_assert_int_eq(acc[1], -271);
	const int64_t bias[2] = {0, 0};
	const int8_t shift[2] = {1, 1};
	const struct mch_requant requant = {
		.out_bits = 8, .out_signed = true, .round = MCH_ROUND_HALF_EVEN, .bias = bias, .shift = shift};
	struct mch_events events = {0};
	mch_requant(&requant, 1, 2, 2, acc, y, &events);
	ck_assert_int_eq(y[0], 2); /* 1.5: a tie */
	ck_assert_int_eq(y[1], -128);
	ck_assert_uint_eq(events.n_sat_low, 1);
	ck_assert_uint_eq(events.n_out, 4);
	const struct mch_eltwise_in prod_in[2] = {{shape, 0, false}, {gate, 0, false}};
	const struct mch_eltwise prod = {MCH_ELTWISE_PROD, 2, prod_in, shape};
	mch_eltwise(&prod, 1, (const int32_t *const[]){a, g}, acc);
	ck_assert_int_eq(acc[1], -256);
	ck_assert_int_eq(acc[2], -381);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {against_the_oracle, ranges_are_tight, worked_examples};
	return CHECK_SUITE("eltwise", tests);
}

int main(void)
{
	return check_main(suite);
}
