/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The front of accuracy against cost, against its definition, and its plot. */
#include "quant/pareto.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"

enum { N = 300 };

START_TEST(front)
{
	struct mch_rng rng = mch_rng_seed(6);
	for (int round = 0; round < 30; round++) {
		static struct mch_pareto_point points[N];
		size_t order[N], n = 1 + mch_rng_below(&rng, N - 1), n_front = 0;
		for (size_t i = 0; i < n; i++)
			points[i] = (struct mch_pareto_point){mch_rng_below(&rng, 40), (int)mch_rng_below(&rng, 50),
							      mch_rng_below(&rng, 4) == 0, false};
		const size_t found = mch_pareto_mark(points, n, order);
		for (size_t i = 0; i < n; i++) {
			bool is_beaten = points[i].is_bound;
			for (size_t j = 0; j < n; j++) {
				const struct mch_pareto_point *p = &points[j], *q = &points[i];
				is_beaten |= !p->is_bound && p->cost <= q->cost && p->n_correct >= q->n_correct &&
					     (p->cost < q->cost || p->n_correct > q->n_correct || j < i);
			}
			ck_assert_int_eq(points[i].is_front, !is_beaten);
			n_front += points[i].is_front;
		}
		ck_assert_uint_eq(found, n_front);
		for (size_t i = 0; i < found; i++) {
			ck_assert(points[order[i]].is_front);
			ck_assert(i == 0 || points[order[i - 1]].cost < points[order[i]].cost);
			ck_assert(i == 0 || points[order[i - 1]].n_correct < points[order[i]].n_correct);
		}
	}
}
END_TEST

START_TEST(plot)
{
	struct mch_pareto_point points[] = {{100, 90, false, true},
					    {200, 95, false, true},
					    {200, 92, false, false},
					    {150, 91, true, false}};
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(to);
	mch_pareto_plot(to, points, 4, 100, "bits");
	fclose(to);
	int n[3] = {0};
	for (size_t i = 0; i < size; i++) {
		n[0] += text[i] == '#';
		n[1] += text[i] == 'o';
	}
	ck_assert_int_eq(n[0], 2);
	ck_assert_int_eq(n[1], 1);
	ck_assert_ptr_nonnull(strstr(text, " 95.00 % |"));
	ck_assert_ptr_nonnull(strstr(text, " 90.00 % |#\n"));
	ck_assert_ptr_nonnull(strstr(text, "          100"));
	ck_assert_ptr_nonnull(strstr(text, " 200 bits\n"));
	free(text);
	to = open_memstream(&text, &size);
	mch_pareto_plot(to, points + 3, 1, 100, "bits"); /* a bound alone: nothing to draw */
	fclose(to);
	ck_assert_uint_eq(size, 0);
	free(text);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {front, plot};
	return CHECK_SUITE("pareto", tests);
}

int main(void)
{
	return check_main(suite);
}
