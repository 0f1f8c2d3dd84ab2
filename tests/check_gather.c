/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Codes moved: slices, pads and repeats place by place, and axes exchanged against elements sent to their places. */
#include "op/gather.h"

#include <string.h>

#include "check_main.h"
#include "corners.h"
#include "oracle/slow_concat.h"

enum { N = 2, SIDE_MAX = 5, ELEMS_MAX = SIDE_MAX * SIDE_MAX * SIDE_MAX };

static struct mch_rng rng;

static int between(int low, int high)
{
	return (int)corner_uniform(&rng, low, high);
}

START_TEST(gathers)
{
	rng = mch_rng_seed(34);
	static int32_t x[N * ELEMS_MAX], y[N * ELEMS_MAX];
	int n_filled = 0;
	for (int number = 0; number < 2000; number++) {
		const struct mch_shape in = {N, between(1, SIDE_MAX), between(1, SIDE_MAX), between(1, SIDE_MAX)};
		int at[3 * SIDE_MAX];
		const struct mch_gather g = {between(1, SIDE_MAX), between(1, SIDE_MAX), between(1, SIDE_MAX), at, 0};
		const int fill = between(-9, 9);
		for (int i = 0; i < g.n_c + g.n_h + g.n_w; i++) {
			const int size = i < g.n_c ? in.c : i < g.n_c + g.n_h ? in.h : in.w;
			at[i] = between(-1, size - 1);
		}
		for (int i = 0; i < N * ELEMS_MAX; i++)
			x[i] = between(-32768, 65535);
		memset(y, 0, sizeof(y));
		mch_gather(&g, in, fill, x, y);
		for (int i = 0; i < N * g.n_c * g.n_h * g.n_w; i++) {
			const int w = at[g.n_c + g.n_h + i % g.n_w], h = at[g.n_c + i / g.n_w % g.n_h];
			const int c = at[i / g.n_w / g.n_h % g.n_c], n = i / g.n_w / g.n_h / g.n_c;
			const bool is_filled = c == -1 || h == -1 || w == -1;
			ck_assert_int_eq(y[i], is_filled ? fill : x[((n * in.c + c) * in.h + h) * in.w + w]);
			n_filled += is_filled;
		}
	}
	ck_assert_int_gt(n_filled, 1000);
}
END_TEST

START_TEST(transposes)
{
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static int32_t x[N * ELEMS_MAX], y[N * ELEMS_MAX], want[N * ELEMS_MAX];
	rng = mch_rng_seed(35);
	for (int number = 0; number < 600; number++) {
		const struct mch_shape in = {N, between(1, SIDE_MAX), between(1, SIDE_MAX), between(1, SIDE_MAX)};
		const int elems = in.c * in.h * in.w;
		for (int i = 0; i < N * elems; i++)
			x[i] = between(-32768, 65535);
		mch_transpose(orders[number % 6], in, x, y);
		for (int n = 0; n < N; n++)
			slow_transpose(orders[number % 6], in, x + n * elems, want + n * elems);
		ck_assert_mem_eq(y, want, (size_t)(N * elems) * sizeof(*y));
	}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {gathers, transposes};
	return CHECK_SUITE("gather", tests);
}

int main(void)
{
	return check_main(suite);
}
