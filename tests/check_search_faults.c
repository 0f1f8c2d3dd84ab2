/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Faults of Ristretto's published search that this one does not have, one test each; docs/quantize.md lists them. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "quant/ranges.h"
#include "quant/search.h"

static struct mch_candidates all;
static struct mch_search s;
static int (*formula)(const int8_t *width);

static int score(void *ctx, const int8_t *width, int need, struct mch_right *right, struct mch_err *err)
{
	(void)ctx, (void)need, (void)err;
	*right = (struct mch_right){formula(width), 1000, false};
	return 0;
}

static void copy(void *ctx, const int *width, int8_t *setting)
{
	(void)ctx;
	for (int p = 0; p < MCH_N_PARTS; p++)
		setting[p] = (int8_t)width[p];
}

static void search(int (*f)(const int8_t *width))
{
	formula = f;
	mch_candidates_free(&all);
	all = (struct mch_candidates){.n_knobs = MCH_N_PARTS, .n_images = 1000, .score = score};
	const struct mch_search_config config = {.n_images = 1000,
						 .n_float_correct = 900,
						 .error_margin = 1,
						 .has_part = {true, true, true},
						 .weight_of = {1, 1, 1},
						 .candidates = &all,
						 .spread = copy};
	ck_assert_int_eq(mch_search_run(&s, &config, NULL), 0);
}

/* Alone each part may have 4 bits; together the losses add up. */
static int adds_up(const int8_t *width)
{
	return 900 - 3 * ((16 - width[0]) + (16 - width[1]) + (16 - width[2])) / 4;
}

/* "Parts are scored alone, the combined net may miss the tolerance, and nothing steps back." */
START_TEST(combined_is_scored_and_steps_back)
{
	search(adds_up);
	ck_assert_int_eq(s.tries[0].why, MCH_SEARCH_COMBINED);
	ck_assert_int_lt(all.list[s.tries[0].candidate].right.n_correct, 890);
	int n_back = 0;
	for (int i = 0; i < s.n_tries; i++)
		n_back += s.tries[i].why == MCH_SEARCH_STEP_BACK && s.tries[i].is_taken;
	ck_assert_int_gt(n_back, 0);
	/* The result is a combination that was scored as a whole, and keeps the margin. */
	const int8_t width[] = {(int8_t)s.width[0], (int8_t)s.width[1], (int8_t)s.width[2]};
	ck_assert_int_eq(mch_candidates_find(&all, width), s.candidate);
	ck_assert_int_ge(all.list[s.candidate].right.n_correct, 890);
	ck_assert(!all.list[s.candidate].right.is_bound);
}
END_TEST

static int least[MCH_N_PARTS];

static int needs_least(const int8_t *width)
{
	int n = 900;
	for (int p = 0; p < MCH_N_PARTS; p++)
		n -= width[p] < least[p] ? 20 : 0;
	return n;
}

/* "Widths 16, 8, 4, 2 and 1 only." */
START_TEST(every_width_is_found)
{
	for (int bits = 1; bits <= 16; bits++) {
		least[0] = bits, least[1] = 17 - bits, least[2] = (bits + 7) % 16 + 1;
		search(needs_least);
		for (int p = 0; p < MCH_N_PARTS; p++)
			ck_assert_int_eq(s.width[p], least[p]);
	}
}
END_TEST

/* "10 calibration batches, hard-wired": the range of a tensor is that of as many images as are asked for, to the
 * last. */
START_TEST(every_image_counts)
{
	enum { N_IMAGES = 1200, IN = 3 };
	struct mch_net net;
	struct mch_err err;
	struct mch_dataset data = {.n_images = N_IMAGES, .n_classes = 2, .shape = {1, IN, 1, 1}};
	mch_net_init(&net);
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, IN, 1, 1}, &err);
	ck_assert_int_ge(mch_net_add_layer(&net, "relu", MCH_RELU, net.input, NULL, &err), 0);
	ck_assert_int_eq(mch_net_infer(&net, &err), 0);
	data.pixels = calloc(N_IMAGES, IN);
	data.labels = calloc(N_IMAGES, sizeof(*data.labels));
	ck_assert(data.pixels && data.labels);
	const int places[] = {0, 9, 10, 319, 320, 640, N_IMAGES - 1};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		data.pixels[places[i] * IN + 1] = (uint8_t)(100 + i);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		for (int more = 0; more <= 1; more++) {
			struct mch_ranges ranges;
			const int n = places[i] + more;
			if (n == 0)
				continue;
			ck_assert_int_eq(mch_ranges_measure(&ranges, &net, &data, n, NULL, NULL, &err), 0);
			ck_assert_double_eq(ranges.edge[net.output].max, more ? 100.0 + (double)i : 99.0 + (double)i);
			mch_ranges_free(&ranges);
		}
	mch_dataset_free(&data);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {combined_is_scored_and_steps_back, every_width_is_found, every_image_counts};
	return CHECK_SUITE("search faults", tests);
}

int main(void)
{
	return check_main(suite);
}
