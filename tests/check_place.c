/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Places of values that live at the same time do not overlap, parts lie inside what they are parts of, and memory is
 * used again. */
#include "base/rng.h"
#include "check_main.h"
#include "fast/place.h"

static int overlap(const struct mch_place *places, int a, int b)
{
	size_t at_a, at_b;
	const int root_a = mch_place_root(places, a, &at_a), root_b = mch_place_root(places, b, &at_b);
	const size_t from_a = at_a + places[root_a].offset, from_b = at_b + places[root_b].offset;
	return from_a < from_b + places[b].bytes && from_b < from_a + places[a].bytes;
}

START_TEST(a_chain_needs_its_two_largest_neighbours)
{
	struct mch_place p[] = {{100, -1, 0, 0, 1}, {640, -1, 0, 1, 2}, {64, -1, 0, 2, 3}, {640, -1, 0, 3, 4}};
	int order[4];
	ck_assert_uint_eq(mch_place_all(p, 4, order), 640 + 128);
	for (int i = 0; i < 3; i++)
		ck_assert(!overlap(p, i, i + 1));
	ck_assert(overlap(p, 1, 3));
}
END_TEST

START_TEST(parts_keep_what_surrounds_them_alive)
{
	/* 1 and 2 lie in 0, which nothing touches before step 5; 3 lives in between. */
	struct mch_place p[] = {{256, -1, 0, 5, 6}, {128, 0, 0, 0, 0}, {128, 0, 128, 1, 1}, {64, -1, 0, 2, 2}};
	int order[4];
	ck_assert_uint_eq(mch_place_all(p, 4, order), 256 + 64);
	ck_assert_int_eq(p[0].born, 0);
	ck_assert(!overlap(p, 0, 3));
	size_t offset;
	ck_assert_int_eq(mch_place_root(p, 2, &offset), 0);
	ck_assert_uint_eq(offset, 128);
}
END_TEST

START_TEST(places_by_chance_do_not_overlap)
{
	enum { N = 40 };
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_place p[N];
		int order[N];
		size_t sum = 0;
		for (int i = 0; i < N; i++) {
			const int born = (int)mch_rng_below(&rng, 30);
			p[i] = (struct mch_place){1 + mch_rng_below(&rng, 1000), -1, 0, born,
						  born + (int)mch_rng_below(&rng, 8)};
			sum += p[i].bytes + MCH_PLACE_ALIGN_BYTES;
		}
		const size_t arena = mch_place_all(p, N, order);
		ck_assert_uint_lt(arena, sum * 2 / 3);
		for (int i = 0; i < N; i++) {
			ck_assert_uint_eq(p[i].offset % MCH_PLACE_ALIGN_BYTES, 0);
			ck_assert_uint_le(p[i].offset + p[i].bytes, arena);
			for (int j = 0; j < i; j++)
				if (p[i].born <= p[j].dies && p[j].born <= p[i].dies)
					ck_assert_msg(!overlap(p, i, j), "seed %llu: %d and %d",
						      (unsigned long long)seed, i, j);
		}
	}
}
END_TEST

static Suite *place_suite(void)
{
	const TTest *const tests[] = {a_chain_needs_its_two_largest_neighbours, parts_keep_what_surrounds_them_alive,
				      places_by_chance_do_not_overlap};
	return CHECK_SUITE("place", tests);
}

int main(void)
{
	return check_main(place_suite);
}
