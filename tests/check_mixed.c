/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Mixed precision, on scorers made of formulas: needs that are met, steps that are undone, limits, and a search that
 * is stopped anywhere and started anew. */
#include "quant/mixed.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"

enum { N = 9, WIDTHS = MCH_MIXED_WIDTHS };

/* A made-up network: a knob below its need loses answers, and all together may lose more. */
struct fake {
	int8_t needs[N];
	int joint_needs; /* of the sum of widths */
	int n_calls, fail_at;
	int n_memory;
	struct {
		int8_t setting[N];
		struct mch_right right;
	} memory[2000];
};

static double noise[N * WIDTHS];
static const double price[N] = {100, 1000, 10, 5, 400, 60, 7, 90, 20};
static struct mch_candidates all;
static struct fake fake;

static int score(void *ctx, const int8_t *setting, int need, struct mch_right *right, struct mch_err *err)
{
	struct fake *f = ctx;
	int n = 900, sum = 0;
	if (++f->n_calls == f->fail_at)
		return mch_err_set(err, "scorer", "pulled the plug; plug it in");
	for (int k = 0; k < N; k++) {
		n -= setting[k] < f->needs[k] ? 20 * (f->needs[k] - setting[k]) : 0;
		sum += setting[k];
	}
	n -= sum < f->joint_needs ? 6 * (f->joint_needs - sum) : 0;
	n = n < 0 ? 0 : n;
	*right = n < need ? (struct mch_right){need - 1, 1000 - n, true} : (struct mch_right){n, 1000, false};
	return 0;
}

static bool lookup(void *ctx, const int8_t *setting, struct mch_right *right)
{
	const struct fake *f = ctx;
	bool is_found = false;
	for (int i = 0; i < f->n_memory; i++)
		if (memcmp(f->memory[i].setting, setting, N) == 0) {
			*right = f->memory[i].right;
			is_found = true;
		}
	return is_found;
}

static int store(void *ctx, const int8_t *setting, const struct mch_right *right, struct mch_err *err)
{
	struct fake *f = ctx;
	(void)err;
	memcpy(f->memory[f->n_memory].setting, setting, N);
	f->memory[f->n_memory++].right = *right;
	return 0;
}

static double cost(void *ctx, const int8_t *setting)
{
	double sum = 0;
	(void)ctx;
	for (int k = 0; k < N; k++)
		sum += price[k] * setting[k];
	return sum;
}

/* Sensitivity of a knob that needs `needs` bits: right about the order, or by chance. */
static void set_noise(bool is_true)
{
	struct mch_rng rng = mch_rng_seed(5);
	for (int k = 0; k < N; k++)
		for (int bits = 1; bits < WIDTHS; bits++)
			noise[k * WIDTHS + bits] = is_true ? pow(4, fake.needs[k] - bits) : mch_rng_real(&rng);
}

static struct mch_mixed_config config_for(int need)
{
	mch_candidates_free(&all);
	all = (struct mch_candidates){.n_knobs = N,
				      .n_images = 1000,
				      .score = score,
				      .lookup = lookup,
				      .store = store,
				      .ctx = &fake};
	return (struct mch_mixed_config){.candidates = &all,
					 .need = need,
					 .noise = noise,
					 .cost = cost,
					 .scores_max = 500};
}

static const struct fake usual = {.needs = {5, 4, 7, 8, 2, 1, 16, 6, 3}};

/* What is taken passes, each a step from the last taken; the result is the last. */
static void check_steps(const struct mch_mixed *m, int need)
{
	long last = -1;
	for (size_t i = 0; i < m->n_steps; i++) {
		const struct mch_right *right = &all.list[m->steps[i].candidate].right;
		ck_assert_int_eq(m->steps[i].is_taken, right->n_correct >= need);
		if (m->steps[i].is_taken) {
			ck_assert(!right->is_bound);
			last = m->steps[i].candidate;
		}
	}
	ck_assert_int_eq(last, m->candidate);
}

/* Whatever the ranking says: each knob ends at what it needs. A bad one only costs more scores. */
START_TEST(every_need_is_met)
{
	for (int is_true = 0; is_true <= 1; is_true++) {
		struct mch_mixed m;
		fake = usual;
		set_noise(is_true);
		const struct mch_mixed_config c = config_for(900);
		ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 0);
		ck_assert_mem_eq(all.list[m.candidate].setting, usual.needs, N);
		ck_assert(!m.is_cut_short);
		check_steps(&m, 900);
		mch_mixed_free(&m);
	}
}
END_TEST

/* Alone every knob passes where its needs end, together they must keep 20 bits more: what is tried and fails is
 * undone. */
START_TEST(steps_are_undone)
{
	struct mch_mixed m;
	fake = usual;
	fake.joint_needs = 72;
	set_noise(true);
	const struct mch_mixed_config c = config_for(900);
	ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 0);
	check_steps(&m, 900);
	int sum = 0, n_undone = 0;
	for (int k = 0; k < N; k++)
		sum += all.list[m.candidate].setting[k];
	for (size_t i = 0; i < m.n_steps; i++)
		n_undone += !m.steps[i].is_taken;
	ck_assert_int_eq(sum, 72);
	ck_assert_int_gt(n_undone, 5);
	/* The bits go where they cost least: the dearest knobs have just what they need. */
	ck_assert_int_eq(all.list[m.candidate].setting[1], 4);
	ck_assert_int_eq(all.list[m.candidate].setting[4], 2);
	ck_assert_int_eq(all.list[m.candidate].setting[0], 5);
	mch_mixed_free(&m);
}
END_TEST

/* A setting that is known to pass and is cheaper than what the ranking finds is where the descent starts; one that
 * fails is not taken. */
START_TEST(starts_from_what_is_known)
{
	struct mch_mixed m;
	fake = usual;
	for (int k = 0; k < N * WIDTHS; k++)
		noise[k] = 1; /* says nothing */
	struct mch_mixed_config c = config_for(900);
	int8_t known[N];
	memcpy(known, usual.needs, N);
	known[3]++;
	c.known = known;
	ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 0);
	ck_assert_mem_eq(all.list[m.candidate].setting, usual.needs, N);
	mch_mixed_free(&m);
	known[6] = 1;
	c = config_for(900);
	c.known = known;
	ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 0);
	ck_assert_mem_eq(all.list[m.candidate].setting, usual.needs, N);
	check_steps(&m, 900);
	mch_mixed_free(&m);
}
END_TEST

START_TEST(margin_and_limits)
{
	struct mch_mixed m;
	fake = usual;
	fake.needs[2] = 17; /* even 16 bits lose 20 answers */
	set_noise(true);
	struct mch_mixed_config c = config_for(900);
	ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 1);
	ck_assert_uint_eq(m.n_steps, 1);
	mch_mixed_free(&m);
	for (int limit = 1; limit < 40; limit += 6) {
		fake = usual;
		c = config_for(900);
		c.scores_max = limit;
		ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 0);
		ck_assert_uint_le(m.n_steps, (size_t)limit);
		check_steps(&m, 900);
		mch_mixed_free(&m);
	}
	c = config_for(0); /* nothing is asked for */
	ck_assert_int_eq(mch_mixed_run(&m, &c, NULL), 0);
	for (int k = 0; k < N; k++)
		ck_assert_int_eq(all.list[m.candidate].setting[k], 1);
	mch_mixed_free(&m);
}
END_TEST

/* Stopped after any number of scores: the same steps and the same list, and nothing is scored twice. */
START_TEST(resumes)
{
	struct mch_mixed whole, m;
	fake = usual;
	fake.joint_needs = 66;
	set_noise(false);
	struct mch_mixed_config c = config_for(890);
	ck_assert_int_eq(mch_mixed_run(&whole, &c, NULL), 0);
	const int n_calls = fake.n_calls;
	struct mch_candidates wanted = all;
	all = (struct mch_candidates){0};
	for (int stop = 1; stop <= n_calls; stop++) {
		struct mch_err err;
		fake = usual;
		fake.joint_needs = 66;
		fake.fail_at = stop;
		c = config_for(890);
		ck_assert_int_eq(mch_mixed_run(&m, &c, &err), -1);
		mch_mixed_free(&m);
		fake.fail_at = 0;
		c = config_for(890);
		ck_assert_int_eq(mch_mixed_run(&m, &c, &err), 0);
		ck_assert_int_eq(fake.n_memory, n_calls);
		ck_assert_uint_eq(m.n_steps, whole.n_steps);
		ck_assert_int_eq(m.candidate, whole.candidate);
		ck_assert_uint_eq(all.n, wanted.n);
		for (size_t i = 0; i < all.n; i++) {
			ck_assert_mem_eq(all.list[i].setting, wanted.list[i].setting, N);
			ck_assert_int_eq(all.list[i].right.n_correct, wanted.list[i].right.n_correct);
		}
		mch_mixed_free(&m);
	}
	mch_candidates_free(&wanted);
	mch_mixed_free(&whole);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {every_need_is_met, steps_are_undone, starts_from_what_is_known,
				      margin_and_limits, resumes};
	return CHECK_SUITE("mixed", tests);
}

int main(void)
{
	return check_main(suite);
}
