/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Unit tests of quant/search, on scorers made of formulas and tables. */
#include "quant/search.h"

#include <math.h>
#include <string.h>

#include "check_main.h"

/* A made-up network: an answer lost for each bit below what a part needs, and more when several are short. */
struct fake {
	int needs[MCH_N_PARTS];
	int joint_needs; /* of the sum of widths; 0: no joint loss */
	int (*table)(const int *width);
	int n_calls, n_stores, fail_at; /* the scorer fails at this call; 0: never */
	int n_memory, n_bounds;
	struct {
		int8_t width[MCH_N_PARTS];
		struct mch_right right;
	} memory[300]; /* what store() has seen: the checkpoint */
};

static int fake_score(void *ctx, const int8_t *width, int need, struct mch_right *right, struct mch_err *err)
{
	struct fake *f = ctx;
	if (++f->n_calls == f->fail_at)
		return mch_err_set(err, "scorer", "pulled the plug; plug it in");
	int n_right = 900, sum = 0;
	for (int p = 0; p < MCH_N_PARTS; p++) {
		if (width[p] < f->needs[p])
			n_right -= 20 * (f->needs[p] - width[p]);
		sum += width[p];
	}
	if (sum < f->joint_needs)
		n_right -= 4 * (f->joint_needs - sum);
	const int all[] = {width[0], width[1], width[2]};
	n_right = f->table ? f->table(all) : n_right > 0 ? n_right : 0;
	*right = (struct mch_right){n_right, 1000, false};
	if (need > n_right) {
		*right = (struct mch_right){need - 1, 1000 - n_right, true};
		f->n_bounds++;
	}
	return 0;
}

static bool fake_lookup(void *ctx, const int8_t *width, struct mch_right *right)
{
	struct fake *f = ctx;
	bool is_found = false;
	for (int i = 0; i < f->n_memory; i++) {
		if (memcmp(f->memory[i].width, width, sizeof(f->memory[i].width)) == 0) {
			*right = f->memory[i].right;
			is_found = true;
		}
	}
	return is_found;
}

static int fake_store(void *ctx, const int8_t *width, const struct mch_right *right, struct mch_err *err)
{
	struct fake *f = ctx;
	(void)err;
	memcpy(f->memory[f->n_memory].width, width, sizeof(f->memory[0].width));
	f->memory[f->n_memory++].right = *right;
	f->n_stores++;
	return 0;
}

static void copy(void *ctx, const int *width, int8_t *setting)
{
	(void)ctx;
	for (int p = 0; p < MCH_N_PARTS; p++)
		setting[p] = (int8_t)width[p];
}

static struct mch_candidates all;
static struct mch_search s;

static struct mch_search_config config_for(struct fake *f, double margin)
{
	mch_candidates_free(&all);
	all = (struct mch_candidates){.n_knobs = MCH_N_PARTS,
				      .n_images = 1000,
				      .score = fake_score,
				      .lookup = fake_lookup,
				      .store = fake_store,
				      .ctx = f};
	return (struct mch_search_config){.n_images = 1000,
					  .n_float_correct = 900,
					  .error_margin = margin,
					  .has_part = {true, true, true},
					  .weight_of = {100, 1000, 10},
					  .has_curves = true,
					  .candidates = &all,
					  .spread = copy};
}

static int right_at(long candidate)
{
	ck_assert_int_ge(candidate, 0);
	return all.list[candidate].right.n_correct;
}

static void assert_width(const int *width, int conv, int fc, int act)
{
	ck_assert_msg(width[0] == conv && width[1] == fc && width[2] == act, "want %d %d %d, got %d %d %d", conv, fc,
		      act, width[0], width[1], width[2]);
}

/* Kinds of numbers that have not every width: none but theirs is scored. */
START_TEST(widths_that_there_are)
{
	struct fake f = {.needs = {1, 4, 7}};
	struct mch_search_config c = config_for(&f, 1);
	c.narrowest[0] = 3, c.widest[1] = 5;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 3, 4, 7);
	assert_width(s.width, 3, 4, 7);
	for (size_t i = 0; i < all.n; i++)
		ck_assert(all.list[i].setting[0] >= 3 && all.list[i].setting[1] <= 5);
	ck_assert_uint_eq(all.n_scored, 34); /* 1 + 13 + 4 + 15 + the combination */
}
END_TEST

START_TEST(parts_apart)
{
	struct fake f = {.needs = {5, 4, 7}};
	struct mch_search_config c = config_for(&f, 1);
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 5, 4, 7);
	assert_width(s.width, 5, 4, 7);
	ck_assert_int_eq(right_at(s.candidate), 900);
	ck_assert_int_eq(right_at(s.alone[0][5]), 900);
	ck_assert_int_eq(right_at(s.alone[0][4]), 880);
	ck_assert_int_eq(right_at(s.alone[2][1]), 780);
	ck_assert_uint_eq(all.n_scored, 47); /* 1 + 3 * 15 + the combination */
	ck_assert_int_eq(f.n_calls, 47);
	ck_assert_int_eq(f.n_stores, 47);
	ck_assert_int_eq(s.n_tries, 1);
}
END_TEST

/* Ristretto's search: its ladder, each part until it fails, one combination, no step back. */
START_TEST(ladder)
{
	struct fake f = {.needs = {5, 2, 7}, .joint_needs = 19};
	struct mch_search_config c = config_for(&f, 0);
	c.is_ladder = true;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 1); /* 8 + 2 + 8 bits are one too few together */
	assert_width(s.alone_width, 8, 2, 8);
	assert_width(s.width, 8, 2, 8);
	ck_assert_int_eq(s.n_tries, 1);
	ck_assert_uint_eq(all.n_scored, 1 + 2 + 4 + 2 + 1); /* 16; 8, 4; 8, 4, 2, 1; 8, 4; together */
	ck_assert(s.alone[0][4] >= 0 && s.alone[0][2] < 0 && s.alone[0][7] < 0 && s.alone[1][1] >= 0);
	struct fake other = {.needs = {5, 2, 7}, .joint_needs = 18};
	c = config_for(&other, 0);
	c.is_ladder = true;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
}
END_TEST

START_TEST(margin_is_inclusive)
{
	struct fake f = {.needs = {5, 4, 7}};
	struct mch_search_config c = config_for(&f, 2); /* 20 answers of 1000 */
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 4, 3, 6);
	c.n_images = 10000;
	c.error_margin = 0.07; /* 7 answers; 0.07 has no exact binary form */
	ck_assert_int_eq(mch_search_need(&c), 893);
	c.error_margin = 0;
	ck_assert_int_eq(mch_search_need(&c), 900);
	c.error_margin = NAN;
	ck_assert_int_eq(mch_search_need(&c), 0);
	c.error_margin = 50; /* more than float has */
	ck_assert_int_eq(mch_search_need(&c), 0);
}
END_TEST

/* Alone every part passes at 5, 4, 7 (sum 16); together three bits more are needed. All neighbours are equally
 * accurate, so the bits go to the cheapest part. */
START_TEST(steps_back)
{
	struct fake f = {.needs = {5, 4, 7}, .joint_needs = 19};
	struct mch_search_config c = config_for(&f, 0);
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 5, 4, 7);
	assert_width(s.width, 5, 4, 10);
	ck_assert_int_eq(s.tries[0].why, MCH_SEARCH_COMBINED);
	ck_assert_int_eq(right_at(s.tries[0].candidate), 888);
	assert_width(s.tries[1].width, 6, 4, 7);
	assert_width(s.tries[2].width, 5, 5, 7);
	assert_width(s.tries[3].width, 5, 4, 8);
	ck_assert(!s.tries[1].is_taken && !s.tries[2].is_taken && s.tries[3].is_taken);
}
END_TEST

/* The most accurate neighbour is taken even when it is not the cheapest. */
static int prefers_fc(const int *width)
{
	if (width[0] + width[1] + width[2] > 30) /* one part alone */
		return 900;
	return width[1] >= 3 ? 900 : 800 + width[1] + (width[0] > 1) * 2;
}

START_TEST(steps_to_the_best)
{
	struct fake f = {.table = prefers_fc};
	struct mch_search_config c = config_for(&f, 1);
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 1, 1, 1);
	/* conv first (+2), then there is +1 for FC, then 900; at the end the conv bit is seen to be superfluous */
	assert_width(s.width, 1, 3, 1);
	ck_assert_int_eq(s.tries[s.n_tries - 1].why, MCH_SEARCH_TAKE_AWAY);
	int n_taken = 0;
	for (int i = 0; i < s.n_tries; i++)
		n_taken += s.tries[i].is_taken;
	ck_assert_int_eq(n_taken, 5); /* combined, conv, fc, fc, conv away */
}
END_TEST

/* 9 fails although 8 passes: a lucky narrow width is not trusted. */
static int bumpy(const int *width)
{
	return width[0] == 9 ? 880 : width[2] < 4 && width[2] != 2 ? 0 : 900;
}

START_TEST(not_monotonic)
{
	struct fake f = {.table = bumpy};
	struct mch_search_config c = config_for(&f, 1);
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 10, 1, 4);
	ck_assert_int_eq(right_at(s.alone[0][8]), 900);
	assert_width(s.width, 10, 1, 4);
}
END_TEST

static int hopeless(const int *width)
{
	return 800 + width[0];
}

START_TEST(unreachable)
{
	struct fake f = {.table = hopeless};
	struct mch_search_config c = config_for(&f, 1);
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 1);
	ck_assert_int_eq(f.n_calls, 1);
	ck_assert_int_eq(right_at(s.candidate), 816);
}
END_TEST

/* Together nothing passes but the very widest: the walk goes all the way, and does not loop. */
static int only_widest(const int *width)
{
	const int n_wide = (width[0] == 16) + (width[1] == 16) + (width[2] == 16);
	return n_wide >= 2 ? 900 : 0;
}

START_TEST(all_the_way)
{
	struct fake f = {.table = only_widest};
	struct mch_search_config c = config_for(&f, 0);
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.alone_width, 1, 1, 1);
	/* activations, then convolutions, are the cheapest to widen; FC weights, the dearest, stay at one bit */
	assert_width(s.width, 16, 1, 16);
	ck_assert_int_lt(s.n_tries, MCH_SEARCH_TRIES_MAX);
}
END_TEST

START_TEST(absent_part)
{
	struct fake f = {.needs = {5, 0, 7}, .joint_needs = 30};
	struct mch_search_config c = config_for(&f, 1);
	c.has_part[1] = false;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.width, 5, 16, 7);
	ck_assert_int_eq(s.alone[1][8], -1);
	ck_assert_uint_eq(all.n_scored, 32);
}
END_TEST

/* Widths that are given are scored, beside 16 bits for comparison, and taken. */
START_TEST(fixed)
{
	struct fake f = {.needs = {5, 4, 7}};
	struct mch_search_config c = config_for(&f, 1);
	const int width[] = {3, 4, 7};
	c.fixed = width;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 1);
	f.n_calls = f.n_memory = 0;
	c = config_for(&f, NAN);
	c.fixed = width;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.width, 3, 4, 7);
	ck_assert_int_eq(right_at(s.candidate), 860);
	ck_assert_int_eq(f.n_calls, 2);
	ck_assert_int_eq(s.alone[0][8], -1);
}
END_TEST

/* One width for all parts. */
START_TEST(one_width)
{
	struct fake f = {.needs = {5, 4, 7}};
	struct mch_search_config c = config_for(&f, 1);
	c.is_net = true;
	ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
	assert_width(s.width, 7, 7, 7);
	ck_assert_uint_eq(all.n_scored, 16);
	ck_assert_int_eq(right_at(s.alone[0][6]), 880);
	ck_assert_int_eq(s.alone[1][6], -1);
}
END_TEST

/* Scores that stop early lead to the same result, by the same steps; what was cut short is a bound, never an
 * accuracy. */
START_TEST(bounds_decide_alike)
{
	for (int joint = 0; joint <= 24; joint += 3) {
		static struct mch_search full;
		struct fake a = {.needs = {5, 4, 7}, .joint_needs = joint}, b = a;
		struct mch_search_config c = config_for(&a, 1);
		ck_assert_int_eq(mch_search_run(&full, &c, NULL), 0);
		c = config_for(&b, 1);
		c.has_curves = false;
		ck_assert_int_eq(mch_search_run(&s, &c, NULL), 0);
		assert_width(s.width, full.width[0], full.width[1], full.width[2]);
		assert_width(s.alone_width, full.alone_width[0], full.alone_width[1], full.alone_width[2]);
		ck_assert_int_gt(b.n_bounds, 10);
		ck_assert(!all.list[s.candidate].right.is_bound);
		for (size_t i = 0; i < all.n; i++)
			ck_assert(!all.list[i].right.is_bound || all.list[i].right.n_correct == 889);
	}
}
END_TEST

static void assert_same_list(const struct mch_candidates *a, const struct mch_candidates *b)
{
	ck_assert_uint_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		ck_assert_mem_eq(a->list[i].setting, b->list[i].setting, MCH_N_PARTS);
		const struct mch_right *x = &a->list[i].right, *y = &b->list[i].right;
		ck_assert(x->n_correct == y->n_correct && x->n_seen == y->n_seen && x->is_bound == y->is_bound);
	}
}

/* Stopped after any number of scores and started anew: the same decisions, and no score is made twice. */
static void check_resumed(bool has_curves)
{
	struct fake whole = {.needs = {5, 4, 7}, .joint_needs = 22};
	struct mch_search_config c = config_for(&whole, 1);
	static struct mch_search first;
	c.has_curves = has_curves;
	ck_assert_int_eq(mch_search_run(&first, &c, NULL), 0);
	struct mch_candidates wanted = all;
	all = (struct mch_candidates){0};
	for (int stop = 1; stop <= whole.n_calls; stop++) {
		struct fake f = {.needs = {5, 4, 7}, .joint_needs = 22, .fail_at = stop};
		struct mch_err err;
		c = config_for(&f, 1);
		c.has_curves = has_curves;
		ck_assert_int_eq(mch_search_run(&s, &c, &err), -1);
		ck_assert_str_eq(err.text, "scorer: pulled the plug; plug it in");
		ck_assert_int_eq(f.n_stores, stop - 1);
		f.fail_at = 0;
		c = config_for(&f, 1);
		c.has_curves = has_curves;
		ck_assert_int_eq(mch_search_run(&s, &c, &err), 0);
		ck_assert_int_eq(f.n_stores, whole.n_stores);
		s.n_expected = first.n_expected;
		ck_assert_mem_eq(&s, &first, sizeof(s));
		assert_same_list(&all, &wanted);
	}
	mch_candidates_free(&wanted);
}

START_TEST(resumes)
{
	check_resumed(true);
	check_resumed(false);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {widths_that_there_are, parts_apart, ladder, margin_is_inclusive, steps_back,          steps_to_the_best,
				      not_monotonic, unreachable,         all_the_way,         absent_part,
				      fixed,         one_width,           bounds_decide_alike, resumes};
	return CHECK_SUITE("search", tests);
}

int main(void)
{
	return check_main(suite);
}
