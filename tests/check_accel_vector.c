/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exported golden vectors, computed again from docs/datapath.md alone, and that the telling cases are among them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "accel_fixture.h"
#include "check_main.h"
#include "io/accel_vector.h"
#include "tensor/vec.h"

static struct mch_err err;

/* What was met in one file. */
struct met {
	int n, n_tie_even, n_tie_odd, n_sat_high, n_sat_low, n_zero;
	int64_t acc_low, acc_high;
};

/* floor(v / d), d > 0. */
static int64_t slow_floor(int64_t v, int64_t d)
{
	return v >= 0 ? v / d : -((-v + d - 1) / d);
}

static int64_t slow_round(int64_t v, int shift, enum mch_round round, int64_t noise, struct met *met)
{
	int64_t d = 1;
	for (int i = 0; i < abs(shift); i++)
		d *= 2;
	if (shift <= 0)
		return v * d;
	const int64_t q = slow_floor(v, d), lost = v - q * d;
	const int is_odd = q % 2 != 0, is_tie = 2 * lost == d;
	met->n_tie_even += is_tie && !is_odd;
	met->n_tie_odd += is_tie && is_odd;
	switch (round) {
	case MCH_ROUND_FLOOR:
		return q;
	case MCH_ROUND_HALF_UP:
		return q + (2 * lost >= d);
	case MCH_ROUND_HALF_AWAY:
		return q + (2 * lost > d || (is_tie && v >= 0));
	case MCH_ROUND_HALF_EVEN:
		return q + (2 * lost > d || (is_tie && is_odd));
	case MCH_ROUND_STOCHASTIC:
		return q + (lost + (shift >= 16 ? noise * (d / 65536) : slow_floor(noise, 65536 / d)) >= d);
	}
	return 0;
}

static void check_case(const struct mch_step *step, enum mch_round round, int64_t *const *v, struct met *met)
{
	const size_t terms = mch_conv_terms(&step->conv);
	const int with_noise = round == MCH_ROUND_STOCHASTIC, out = 4 + with_noise;
	const int64_t limit = INT64_C(1) << (step->out_format.bits - step->out_format.is_signed);
	const int64_t high = limit - 1, low = step->out_format.is_signed ? -limit : 0;
	int64_t acc = 0;
	for (size_t t = 0; t < terms; t++)
		acc += v[0][t] * v[1][t];
	const int64_t sum = acc + v[2][0], kept = step->relu && sum < 0 ? 0 : sum;
	const int64_t y = slow_round(kept, (int)v[3][0], round, with_noise ? v[4][0] : 0, met);
	ck_assert_int_eq(v[out][0], acc);
	ck_assert_int_eq(v[out + 1][0], y > high ? high : y < low ? low : y);
	ck_assert_int_eq(v[out + 2][0], y > high || y < low);
	met->n++;
	met->n_sat_high += y > high;
	met->n_sat_low += y < low;
	met->n_zero += y == 0;
	met->acc_low = acc < met->acc_low ? acc : met->acc_low;
	met->acc_high = acc > met->acc_high ? acc : met->acc_high;
}

static struct met check_file(const struct fixture *f, const struct mch_step *step, const char *stem,
			     enum mch_round round, const char *said)
{
	static const char *const names[] = {"x", "w", "bias", "shift", "acc", "y", "sat"};
	char path[256];
	struct mch_vec_reader in;
	struct met met = {0};
	int64_t room[MCH_VEC_FIELDS_MAX][64], *values[MCH_VEC_FIELDS_MAX];
	snprintf(path, sizeof(path), "%s/%s.dot.vec", f->dir, stem);
	FILE *stream = fopen(path, "rb");
	ck_assert_ptr_nonnull(stream);
	ck_assert_msg(mch_vec_read_begin(&in, stream, path, &err) == 0, "%s", err.text);
	ck_assert_str_eq(in.header.op, "dot");
	ck_assert_ptr_nonnull(strstr(in.header.comment, said));
	ck_assert_uint_eq(mch_conv_terms(&step->conv), (size_t)in.header.field[0].count);
	for (int i = 0, name = 0; i < in.header.n_fields; i++) {
		values[i] = room[i];
		if (i == 4 && round == MCH_ROUND_STOCHASTIC)
			ck_assert_str_eq(in.header.field[i].name, "noise");
		else
			ck_assert_str_eq(in.header.field[i].name, names[name++]);
	}
	int got;
	while ((got = mch_vec_read_case(&in, values, &err)) == 1)
		check_case(step, round, values, &met);
	ck_assert_msg(got == 0, "%s", err.text);
	mch_vec_read_free(&in);
	fclose(stream);
	return met;
}

static void check_rounding(enum mch_round round, int with_images)
{
	static const char *const stems[] = {"conv_1", NULL, "conv_1_2", "the_last_one"};
	struct fixture f;
	struct met all = {0};
	fixture_make(&f, round, 0);
	f.export.n_images = with_images ? FIXTURE_IMAGES : 0;
	fixture_export(&f);
	for (int i = 0; i < f.q.n_steps; i++) {
		if (!stems[i])
			continue;
		const struct mch_certificate c = mch_step_certificate(&f.q.steps[i]);
		const struct met met = check_file(&f, &f.q.steps[i], stems[i], round,
						  with_images ? "real images" : "synthetic operands alone");
		ck_assert_int_eq(met.n, f.export.n_vectors);
		ck_assert(met.acc_high == c.high);
		ck_assert(met.acc_low == c.low);
		ck_assert_int_gt(met.n_sat_high, 0);
		all.n_tie_even += met.n_tie_even;
		all.n_tie_odd += met.n_tie_odd;
		all.n_sat_low += met.n_sat_low;
		all.n_zero += met.n_zero;
	}
	ck_assert_int_gt(all.n_sat_low, 0);
	if (with_images) {
		ck_assert_int_gt(all.n_tie_even, 0);
		ck_assert_int_gt(all.n_tie_odd, 0);
		ck_assert_int_gt(all.n_zero, 0);
	}
	fixture_free(&f);
}

START_TEST(vectors_of_images_hold)
{
	check_rounding((enum mch_round)_i, 1);
}
END_TEST

START_TEST(vectors_without_images_hold)
{
	check_rounding((enum mch_round)_i, 0);
}
END_TEST

/* Among the cases that name a pixel are the largest and the smallest accumulator of all. */
START_TEST(chosen_corners_are_the_extremes)
{
	struct fixture f;
	struct mch_accel_case cases[40];
	fixture_make(&f, MCH_ROUND_HALF_EVEN, 0);
	const struct mch_step *step = &f.q.steps[0];
	enum { PIXELS = 36, K = 4 };
	static int64_t acc[FIXTURE_IMAGES * K * PIXELS];
	static int32_t y[FIXTURE_IMAGES * K * PIXELS];
	mch_step_run(step, FIXTURE_IMAGES, f.codes, acc, y, NULL);
	const struct mch_accel_run run = {FIXTURE_IMAGES, f.codes, y, acc};
	mch_accel_choose(step, &run, 5, 40, cases);
	int64_t high = INT64_MIN, low = INT64_MAX, case_high = INT64_MIN, case_low = INT64_MAX;
	int n_first = 0, n_last = 0;
	for (int i = 0; i < FIXTURE_IMAGES * K * PIXELS; i++) {
		high = acc[i] > high ? acc[i] : high;
		low = acc[i] < low ? acc[i] : low;
	}
	ck_assert_int_eq(cases[0].origin, MCH_ACCEL_WITNESS_HIGH);
	ck_assert_int_eq(cases[1].origin, MCH_ACCEL_WITNESS_LOW);
	for (int i = 4; i < 20; i++) { /* before those at random */
		if (cases[i].origin != MCH_ACCEL_IMAGE)
			continue;
		const int64_t a = acc[((cases[i].n * K + cases[i].k) * 6 + cases[i].p) * 6 + cases[i].q];
		case_high = a > case_high ? a : case_high;
		case_low = a < case_low ? a : case_low;
		n_first += cases[i].p == 0 && cases[i].q == 0;
		n_last += cases[i].p == 5 && cases[i].q == 5;
	}
	ck_assert_int_eq(case_high, high);
	ck_assert_int_eq(case_low, low);
	ck_assert_int_gt(n_first, 0);
	ck_assert_int_gt(n_last, 0);
	fixture_free(&f);
}
END_TEST

/* 9000 terms of 8 bits are more than the 2^16 bits of one word: they go on in x1 and w1. */
START_TEST(wide_layers_are_split_into_fields)
{
	enum { TERMS = 9000, K = 2 };
	static int32_t weights[K * TERMS], x[TERMS];
	static int64_t x_read[TERMS], w_read[TERMS];
	int64_t bias[K] = {5, -5}, one[5];
	int8_t shift[K] = {12, 12};
	struct mch_layer layer = {.name = (char[]){"wide"}, .kind = MCH_DENSE};
	struct mch_step step = {
		.layer = &layer,
		.in_format = {8, 0, false}, .out_format = {8, 0, true}, .weight_format = {8, 0, true},
		.conv = mch_dense_geometry(1, TERMS, K), .acc = {40, MCH_WRAP}, .weights = weights, .bias = bias,
		.shift = shift, .requant = {8, true, false, MCH_ROUND_FLOOR, 0, bias, shift},
	};
	for (int i = 0; i < TERMS; i++) {
		x[i] = i % 251;
		weights[i] = i % 127 - 60;
		weights[TERMS + i] = 7;
	}
	ck_assert_uint_eq(mch_accel_terms_max(8, 8), 5 * 8192);
	const struct mch_accel_run run = {1, x, NULL, NULL};
	const struct mch_accel_case c = {MCH_ACCEL_IMAGE, 0, 0, 0, 0, 0};
	FILE *stream = tmpfile();
	ck_assert_msg(mch_accel_vector_write(stream, &step, &run, &c, 1, "hash", "redo", &err) == 0, "%s", err.text);
	rewind(stream);
	struct mch_vec_reader in;
	int64_t *values[] = {x_read,  x_read + 8192, w_read,  w_read + 8192, &one[0],
			     &one[1], &one[2],       &one[3], &one[4]};
	ck_assert_msg(mch_vec_read_begin(&in, stream, "wide.dot.vec", &err) == 0, "%s", err.text);
	ck_assert_int_eq(in.header.n_fields, 9);
	ck_assert_str_eq(in.header.field[1].name, "x1");
	ck_assert_int_eq(in.header.field[1].count, TERMS - 8192);
	ck_assert_msg(mch_vec_read_case(&in, values, &err) == 1, "%s", err.text);
	int64_t acc = 0;
	for (int i = 0; i < TERMS; i++) {
		ck_assert_int_eq(x_read[i], x[i]);
		ck_assert_int_eq(w_read[i], weights[i]);
		acc += x_read[i] * w_read[i];
	}
	ck_assert_int_eq(one[2], acc);
	mch_vec_read_free(&in);
	fclose(stream);
}
END_TEST

static Suite *accel_vector_suite(void)
{
	Suite *suite = suite_create("accel_vector");
	TCase *tcase = tcase_create("accel_vector");
	tcase_add_loop_test(tcase, vectors_of_images_hold, 0, MCH_N_ROUNDS);
	tcase_add_loop_test(tcase, vectors_without_images_hold, 0, MCH_N_ROUNDS);
	tcase_add_test(tcase, chosen_corners_are_the_extremes);
	tcase_add_test(tcase, wide_layers_are_split_into_fields);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return check_main(accel_vector_suite);
}
