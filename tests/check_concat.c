/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Concatenations against inputs written to their places: all axes and roundings, shifts of both signs, noise and
 * counters. */
#include "op/concat.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_concat.h"
#include "oracle/slow_fxp.h"

enum { N = 2, IN_MAX = 4, PART_MAX = 4 * 4 * 4, ELEMS_MAX = IN_MAX * PART_MAX };

static struct mch_rng rng;
static int32_t x[IN_MAX][N * PART_MAX], got[N * ELEMS_MAX], placed[ELEMS_MAX];
static int which[ELEMS_MAX];

static int between(int low, int high)
{
	return (int)corner_uniform(&rng, low, high);
}

static int *side(struct mch_shape *s, int axis)
{
	return axis == 1 ? &s->c : axis == 2 ? &s->h : &s->w;
}

static void expect_image(const struct mch_concat *cfg, const struct mch_requant *requant, int image,
			 struct mch_events *events)
{
	int offset = 0;
	for (int i = 0; i < cfg->n_in; i++) {
		struct mch_shape s = cfg->in[i];
		slow_concat(s, cfg->out, cfg->axis - 1, offset, i, x[i] + image * s.c * s.h * s.w, placed, which);
		offset += *side(&s, cfg->axis);
	}
	const int pixels = cfg->out.h * cfg->out.w, elems = cfg->out.c * pixels;
	for (int j = 0; j < elems; j++) {
		uint32_t noise = slow_lfsr_seed(requant->seed, j / pixels);
		for (int step = 0; step < j % pixels; step++)
			noise = slow_lfsr_next(noise);
		bool saturated;
		const int shift = cfg->shift[which[j]];
		slow_int want = slow_requant(requant->out_bits, requant->out_signed, requant->relu,
					     (int)requant->round, placed[j], 0, shift, noise, &saturated);
		const slow_int kept = requant->relu && placed[j] < 0 ? 0 : placed[j];
		events->n_out++;
		events->n_sat_low += saturated && placed[j] < 0;
		events->n_sat_high += saturated && placed[j] >= 0;
		events->n_inexact +=
			shift > 0 && slow_round_shift(slow_round_shift(kept, shift, 0, 0), -shift, 0, 0) != kept;
		ck_assert_msg(got[image * elems + j] == want,
			      "axis %d, image %d, place %d, shift %d: want %lld, got %d", cfg->axis, image, j, shift,
			      (long long)want, got[image * elems + j]);
	}
}

START_TEST(against_the_oracle)
{
	rng = mch_rng_seed(32);
	uint64_t n_sat = 0;
	for (int number = 0; number < 2000; number++) {
		struct mch_shape in[IN_MAX], out = {1, between(1, 4), between(1, 4), between(1, 4)};
		int8_t shift[IN_MAX];
		const int32_t *inputs[IN_MAX];
		const int axis = between(1, 3), n_in = between(1, IN_MAX);
		int total = 0;
		for (int i = 0; i < n_in; i++) {
			in[i] = out;
			total += *side(&in[i], axis) = between(1, 4);
			shift[i] = (int8_t)(between(0, 1) ? between(-3, 6) : between(MCH_SHIFT_MIN, MCH_SHIFT_MAX));
			const int bits = between(1, 16), is_signed = between(0, 1);
			const int64_t low = is_signed ? -(INT64_C(1) << (bits - 1)) : 0,
				      high = (INT64_C(1) << (bits - is_signed)) - 1;
			for (int j = 0; j < N * PART_MAX; j++)
				x[i][j] = (int32_t)corner_value(&rng, low, high, shift[i]);
			inputs[i] = x[i];
		}
		*side(&out, axis) = total;
		const struct mch_concat cfg = {axis, n_in, in, shift, out};
		const struct mch_requant requant = {.out_bits = between(1, 16),
						    .out_signed = between(0, 1),
						    .relu = between(0, 3) == 0,
						    .round = (enum mch_round)between(0, MCH_N_ROUNDS - 1),
						    .seed = (uint32_t)mch_rng_next(&rng)};
		struct mch_events events = {0}, expected = {0};
		mch_concat(&cfg, &requant, N, inputs, got, &events);
		for (int image = 0; image < N; image++)
			expect_image(&cfg, &requant, image, &expected);
		ck_assert_mem_eq(&events, &expected, sizeof(events));
		mch_concat(&cfg, &requant, N, inputs, got, NULL);
		n_sat += events.n_sat_low + events.n_sat_high;
	}
	ck_assert_uint_gt(n_sat, 10000);
}
END_TEST

/* An input of the output's format passes unchanged, under every rule. */
START_TEST(same_format_is_identity)
{
	rng = mch_rng_seed(33);
	const struct mch_shape in[1] = {{1, 4, 4, 4}};
	const int8_t shift[1] = {0};
	const struct mch_concat cfg = {1, 1, in, shift, in[0]};
	for (int round = 0; round < MCH_N_ROUNDS; round++)
		for (int bits = 1; bits <= 16; bits++) {
			const struct mch_requant requant = {
				.out_bits = bits, .out_signed = true, .round = (enum mch_round)round};
			for (int j = 0; j < N * PART_MAX; j++)
				x[0][j] = (int32_t)corner_uniform(&rng, -(INT64_C(1) << (bits - 1)),
								  (INT64_C(1) << (bits - 1)) - 1);
			mch_concat(&cfg, &requant, N, (const int32_t *const[]){x[0]}, got, NULL);
			ck_assert_mem_eq(got, x[0], sizeof(x[0]));
		}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {against_the_oracle, same_format_is_identity};
	return CHECK_SUITE("concat", tests);
}

int main(void)
{
	return check_main(suite);
}
