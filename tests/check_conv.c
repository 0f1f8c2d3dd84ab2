/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* conv against sums over a padded copy, over a grid of geometries, with full and with narrow accumulators. */
#include "op/conv.h"

#include <stdlib.h>

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_conv.h"

static struct mch_rng rng;

static int32_t *operands(size_t n, int32_t lo, int32_t hi)
{
	int32_t *v = malloc((n + 1) * sizeof(*v));
	ck_assert_ptr_nonnull(v);
	for (size_t i = 0; i < n; i++)
		v[i] = (int32_t)corner_value(&rng, lo, hi, 4);
	return v;
}

/* Runs one geometry; returns how many steps overflowed. */
static uint64_t compare(const struct mch_conv *g, struct mch_acc cfg, int32_t x_lo, int32_t x_hi)
{
	const int n_p = slow_conv_size(g->h, g->pad_top, g->pad_bottom, g->r, g->dilation_h, g->stride_h);
	const int n_q = slow_conv_size(g->w, g->pad_left, g->pad_right, g->s, g->dilation_w, g->stride_w);
	const size_t n_acc = (size_t)(g->n * g->k * n_p * n_q);
	int32_t *x = operands((size_t)(g->n * g->c * g->h * g->w), x_lo, x_hi);
	int32_t *w = operands((size_t)(g->k * (g->c / g->groups) * g->r * g->s), -32768, 32767);
	int64_t *got = calloc(n_acc + 1, sizeof(*got)), *want = calloc(n_acc + 1, sizeof(*want));
	struct mch_events events = {0};
	ck_assert(got && want);
	ck_assert_int_eq(mch_conv_p(g), n_p);
	ck_assert_int_eq(mch_conv_q(g), n_q);
	ck_assert_uint_eq(mch_conv_terms(g), (size_t)(g->c / g->groups * g->r * g->s));
	got[n_acc] = want[n_acc] = 0x5a5a; /* nothing is written behind the end */
	mch_conv(g, cfg, x, w, got, &events);
	const uint64_t n_over = slow_conv(g, cfg.bits, cfg.overflow == MCH_SATURATE, x, w, want);
	for (size_t i = 0; i <= n_acc; i++)
		ck_assert_msg(
			got[i] == want[i],
			"%dx%dx%dx%d k%d %dx%d stride %d,%d pad %d,%d,%d,%d dilation %d,%d groups %d: acc %zu: want "
			"%lld, got %lld",
			g->n, g->c, g->h, g->w, g->k, g->r, g->s, g->stride_h, g->stride_w, g->pad_top, g->pad_left,
			g->pad_bottom, g->pad_right, g->dilation_h, g->dilation_w, g->groups, i, (long long)want[i],
			(long long)got[i]);
	ck_assert_uint_eq(events.n_acc_over, n_over);
	mch_conv(g, cfg, x, w, got, NULL);
	free(x);
	free(w);
	free(got);
	free(want);
	return n_over;
}

static const struct mch_acc wide = {48, MCH_WRAP};

START_TEST(grid)
{
	static const int pads[][4] = {{0, 0, 0, 0}, {1, 1, 1, 1}, {2, 0, 1, 3}, {0, 2, 0, 0}, {0, 0, 0, 2}};
	static const int channels[][3] = {{1, 1, 1}, {2, 3, 1}, {4, 2, 2}, {3, 3, 3}, {2, 6, 2}}; /* c, k, groups */
	rng = mch_rng_seed(8);
	for (int kernel = 0; kernel < 9; kernel++)
		for (int stride = 0; stride < 4; stride++)
			for (int dilation = 0; dilation < 4; dilation++)
				for (int pad = 0; pad < 5; pad++)
					for (int ch = 0; ch < 5; ch++) {
						const struct mch_conv g = {
							.n = 1 + (ch == 1), .c = channels[ch][0], .h = 7, .w = 6,
							.k = channels[ch][1],
							.r = 1 + kernel % 3, .s = 1 + kernel / 3,
							.stride_h = 1 + stride % 2, .stride_w = 1 + stride / 2 * 2,
							.pad_top = pads[pad][0], .pad_left = pads[pad][1],
							.pad_bottom = pads[pad][2], .pad_right = pads[pad][3],
							.dilation_h = 1 + dilation % 2,
							.dilation_w = 1 + dilation / 2,
							.groups = channels[ch][2]};
						compare(&g, wide, ch & 1 ? -32768 : 0, ch & 1 ? 32767 : 65535);
					}
}
END_TEST

START_TEST(random_geometries)
{
	rng = mch_rng_seed(9);
	int n_empty = 0;
	for (int i = 0; i < 1500; i++) {
		struct mch_conv g = {.groups = 1 + (int)mch_rng_below(&rng, 3)};
		int *const fields[] = {&g.n, &g.c,	  &g.h,	       &g.w,	      &g.k,	    &g.r,
				       &g.s, &g.stride_h, &g.stride_w, &g.dilation_h, &g.dilation_w};
		static const uint32_t limits[] = {2, 3, 8, 8, 3, 5, 5, 4, 4, 3, 3};
		for (size_t f = 0; f < sizeof(limits) / sizeof(limits[0]); f++)
			*fields[f] = 1 + (int)mch_rng_below(&rng, limits[f]);
		int *const pads[] = {&g.pad_top, &g.pad_left, &g.pad_bottom, &g.pad_right};
		for (int f = 0; f < 4; f++)
			*pads[f] = (int)mch_rng_below(&rng, 4);
		g.c *= g.groups;
		g.k *= g.groups;
		n_empty += mch_conv_p(&g) <= 0 || mch_conv_q(&g) <= 0;
		compare(&g, wide, -32768, 65535);
	}
	ck_assert_int_gt(n_empty, 10); /* kernels that do not fit were among them */
	ck_assert_int_lt(n_empty, 1000);
}
END_TEST

/* In a narrow accumulator the order of the steps shows. */
START_TEST(narrow_accumulators)
{
	rng = mch_rng_seed(10);
	for (int overflow = 0; overflow < 2; overflow++)
		for (int bits = 8; bits <= 34; bits++) {
			const struct mch_conv g = {1, 4, 5, 5, 2, 3, 3, 1, 2, 1, 1, 1, 1, 1, 1, 2};
			const uint64_t n_over =
				compare(&g, (struct mch_acc){bits, (enum mch_overflow)overflow}, -32768, 65535);
			ck_assert(n_over > 0 || bits > 30);
		}
}
END_TEST

START_TEST(dense_is_a_convolution)
{
	rng = mch_rng_seed(11);
	const struct mch_conv g = mch_dense_geometry(3, 50, 7);
	compare(&g, wide, -32768, 32767);
	int32_t *x = operands(150, -128, 127), *w = operands(350, -128, 127);
	int64_t acc[21];
	mch_conv(&g, wide, x, w, acc, NULL);
	for (int n = 0; n < 3; n++)
		for (int k = 0; k < 7; k++) {
			int64_t sum = 0;
			for (int c = 0; c < 50; c++)
				sum += x[n * 50 + c] * w[k * 50 + c];
			ck_assert_int_eq(acc[n * 7 + k], sum);
		}
	free(x);
	free(w);
}
END_TEST

/* The widest layer of the largest operands that 48 bits hold: 65535 * -32768 * 65536 = -2^47 + 2^31. */
START_TEST(forty_eight_bits)
{
	enum { N_TERMS = 65536 };
	const struct mch_conv g = mch_dense_geometry(1, N_TERMS, 1);
	int32_t *x = malloc(N_TERMS * sizeof(*x)), *w = malloc(N_TERMS * sizeof(*w));
	struct mch_events events = {0};
	int64_t acc;
	ck_assert(x && w);
	for (int i = 0; i < N_TERMS; i++) {
		x[i] = 65535;
		w[i] = -32768;
	}
	mch_conv(&g, wide, x, w, &acc, &events);
	ck_assert_int_eq(acc, -(INT64_C(1) << 47) + (INT64_C(1) << 31));
	ck_assert_uint_eq(events.n_acc_over, 0);
	mch_conv(&g, (struct mch_acc){47, MCH_SATURATE}, x, w, &acc, &events);
	ck_assert_int_eq(acc, -(INT64_C(1) << 46));
	ck_assert_uint_gt(events.n_acc_over, 0);
	free(x);
	free(w);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {grid, random_geometries, narrow_accumulators, dense_is_a_convolution,
				      forty_eight_bits};
	return CHECK_SUITE("conv", tests);
}

int main(void)
{
	return check_main(suite);
}
