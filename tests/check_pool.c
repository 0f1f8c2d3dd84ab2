/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pooling against whole windows looked at position by position, over a grid of geometries and roundings. */
#include "op/pool.h"

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_pool.h"

enum { ELEMS_MAX = 2 * 2 * 12 * 12 };

static struct mch_rng rng;
static int32_t x[ELEMS_MAX], got[4 * ELEMS_MAX], want[4 * ELEMS_MAX];

static void fill(int bits, bool is_signed)
{
	const int64_t lo = is_signed ? -(1 << (bits - 1)) : 0, hi = (1 << (bits - is_signed)) - 1;
	for (int i = 0; i < ELEMS_MAX; i++)
		x[i] = (int32_t)corner_value(&rng, lo, hi, 3);
}

static void same(const struct mch_pool *g, size_t n, const char *what)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(
			got[i] == want[i],
			"%s of %dx%d: %dx%d stride %d,%d pad %d,%d,%d,%d dilation %d,%d ceil %d include %d: y %zu: want %d, got %d",
			what, g->h, g->w, g->r, g->s, g->stride_h, g->stride_w, g->pad_top, g->pad_left,
			g->pad_bottom, g->pad_right, g->dilation_h, g->dilation_w, g->ceil_mode, g->count_include_pad, i, want[i], got[i]);
}

static void compare(const struct mch_pool *g)
{
	const int n_p = slow_pool_size(g->h, g->pad_top, g->pad_bottom, g->r, g->stride_h, g->dilation_h,
				       g->ceil_mode);
	const int n_q = slow_pool_size(g->w, g->pad_left, g->pad_right, g->s, g->stride_w, g->dilation_w,
				       g->ceil_mode);
	const size_t n_y = (size_t)(g->n * g->c * n_p * n_q);
	ck_assert_int_eq(mch_pool_p(g), n_p);
	ck_assert_int_eq(mch_pool_q(g), n_q);
	ck_assert_uint_le(n_y, 4 * ELEMS_MAX);
	const int bits = 1 + (int)mch_rng_below(&rng, 16);
	fill(bits, mch_rng_next(&rng) & 1);
	mch_pool_max(g, x, got);
	slow_pool_max(g, x, want);
	same(g, n_y, "max");
	const struct mch_pool_avg cfg = {.out_bits = 1 + (int)mch_rng_below(&rng, 16),
					 .out_signed = mch_rng_next(&rng) & 1,
					 .round = (enum mch_round)mch_rng_below(&rng, 4),
					 .shift = mch_rng_next(&rng) & 1 ? 0 : (int)corner_uniform(&rng, -15, 16)};
	struct mch_events events = {0};
	uint64_t n_sat[2] = {0, 0}, n_inexact = 0;
	mch_pool_avg(g, &cfg, x, got, &events);
	slow_pool_avg(g, &cfg, x, want, n_sat, &n_inexact);
	same(g, n_y, "mean");
	ck_assert_uint_eq(events.n_out, n_y);
	ck_assert_uint_eq(events.n_sat_low, n_sat[0]);
	ck_assert_uint_eq(events.n_sat_high, n_sat[1]);
	ck_assert_uint_eq(events.n_inexact, n_inexact);
	mch_pool_avg(g, &cfg, x, got, NULL);
	same(g, n_y, "mean without events");
}

/* A window that saw padding alone would have no value. */
static bool has_empty_window(const struct mch_pool *g)
{
	for (int p = 0; p < mch_pool_p(g); p++)
		for (int q = 0; q < mch_pool_q(g); q++) {
			const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
			if (mch_window_positions(&rows) == 0 || mch_window_positions(&cols) == 0)
				return true;
		}
	return false;
}

/* Along one axis every size up to 12, kernel and stride up to 4, dilation up to 3, padding smaller than the kernel; the
 * other axis turns with it. */
START_TEST(grid)
{
	rng = mch_rng_seed(14);
	int n_cut = 0, n_empty = 0;
	for (int size = 1; size <= 12; size++)
		for (int kernel = 1; kernel <= 4; kernel++)
			for (int stride = 1; stride <= 4; stride++)
				for (int pad = 0; pad < kernel * kernel; pad++)
					for (int flags = 0; flags < 12; flags++) {
						const int other = 1 + (size + stride) % 12,
							  k2 = 1 + (kernel + size) % 4, dilation = 1 + flags / 4;
						const struct mch_pool g = {
							1 + flags % 2, 2,        size,         other,
							kernel,        k2,       stride,       1 + size % 3,
							pad % kernel,  pad % k2, pad / kernel, pad / kernel % k2,
							dilation,      1 + pad % 2, flags & 1,  flags & 2};
						if (has_empty_window(&g)) {
							n_empty++;
							continue;
						}
						compare(&g);
						n_cut += g.ceil_mode && (mch_pool_p(&g) - 1) * stride + (kernel - 1) * dilation + 1 >
										g.h + g.pad_top + g.pad_bottom;
					}
	ck_assert_int_gt(n_cut, 100); /* windows that stand out over the end were among them */
	ck_assert_int_gt(n_empty, 10);
}
END_TEST

/* 2^15 positions of 16 bits, the largest window that the contract allows. */
START_TEST(largest_window)
{
	enum { SIDE_H = 256, SIDE_W = 128 };
	static int32_t big[SIDE_H * SIDE_W];
	const struct mch_pool g = {1, 1, SIDE_H, SIDE_W, SIDE_H, SIDE_W, 1, 1, 0, 0, 0, 0, 1, 1, false, false};
	const struct mch_pool_avg cfg = {16, false, MCH_ROUND_HALF_EVEN, 0}, low = {16, true, MCH_ROUND_HALF_EVEN, 0};
	int32_t y;
	for (int i = 0; i < SIDE_H * SIDE_W; i++)
		big[i] = 65535;
	mch_pool_avg(&g, &cfg, big, &y, NULL);
	ck_assert_int_eq(y, 65535);
	for (int i = 0; i < SIDE_H * SIDE_W; i++)
		big[i] = -32768;
	mch_pool_avg(&g, &low, big, &y, NULL);
	ck_assert_int_eq(y, -32768);
}
END_TEST

/* Caffe's LeNet and two known shapes, by hand. */
START_TEST(worked_examples)
{
	const struct mch_pool lenet = {1, 1, 24, 24, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, true, true};
	ck_assert_int_eq(mch_pool_p(&lenet), 12);
	struct mch_pool three = {1, 1, 6, 6, 3, 3, 2, 2, 0, 0, 0, 0, 1, 1, true, false};
	ck_assert_int_eq(mch_pool_p(&three), 3);
	three.ceil_mode = false;
	ck_assert_int_eq(mch_pool_p(&three), 2);
	/* Larger than all there is: nothing fits, but rounding up makes one window, as Caffe, PyTorch and ONNX have it. */
	struct mch_pool larger = {1, 1, 2, 2, 3, 3, 2, 2, 0, 0, 0, 0, 1, 1, false, false};
	ck_assert_int_eq(mch_pool_p(&larger), 0);
	larger.ceil_mode = true;
	ck_assert_int_eq(mch_pool_p(&larger), 1);
	larger.stride_h = 1;
	ck_assert_int_eq(mch_pool_p(&larger), 0);
	/* Positions 0 and 3 of 5. */
	const struct mch_pool holes = {1, 1, 1, 5, 1, 2, 1, 1, 0, 0, 0, 0, 1, 3, false, false};
	const int32_t row[5] = {7, 9, 1, 4, 8};
	int32_t largest[2];
	ck_assert_int_eq(mch_pool_q(&holes), 2);
	mch_pool_max(&holes, row, largest);
	ck_assert_int_eq(largest[0], 7);
	ck_assert_int_eq(largest[1], 9);
	/* 1 + 2 + 3 + 4 = 10 over 4: 2.5, a tie; over 9 with the padding: 10 * 7282 / 2^16 = 1.11. */
	const int32_t v[4] = {1, 2, 3, 4};
	struct mch_pool padded = {1, 1, 2, 2, 3, 3, 1, 1, 1, 1, 0, 0, 1, 1, false, false};
	struct mch_pool_avg cfg = {8, true, MCH_ROUND_HALF_EVEN, 0};
	int32_t y;
	ck_assert_int_eq(mch_pool_p(&padded), 1);
	mch_pool_avg(&padded, &cfg, v, &y, NULL);
	ck_assert_int_eq(y, 2);
	cfg.round = MCH_ROUND_HALF_UP;
	mch_pool_avg(&padded, &cfg, v, &y, NULL);
	ck_assert_int_eq(y, 3);
	padded.count_include_pad = true;
	cfg.shift = -7;
	cfg.out_bits = 16;
	mch_pool_avg(&padded, &cfg, v, &y, NULL);
	ck_assert_int_eq(y, 142); /* 128 * 10/9 = 142.2 */
}
END_TEST

START_TEST(windows_count_their_positions)
{
	for (int begin = 0; begin < 4; begin++)
		for (int end = 0; end < 12; end++)
			for (int step = 1; step < 5; step++) {
				const struct mch_window window = {begin, end, step, 0};
				int n = 0;
				for (int i = begin; i < end; i += step)
					n++;
				ck_assert_int_eq(mch_window_positions(&window), n);
			}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {grid, largest_window, worked_examples, windows_count_their_positions};
	return CHECK_SUITE("pool", tests);
}

int main(void)
{
	return check_main(suite);
}
