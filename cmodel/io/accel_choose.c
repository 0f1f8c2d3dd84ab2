/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Which outputs of a layer become golden vectors; see accel_vector.h. */
#include "io/accel_vector.h"

#include "base/rng.h"
#include "net/witness.h"

/* What makes an output of a real image worth a case. Uniform choice would miss most of these: a tie, for one, is one
 * output in 2^shift. */
enum corner {
	LARGEST, SMALLEST, ACC_ZERO, TIE_EVEN, TIE_ODD, TIE_EVEN_NEGATIVE, TIE_ODD_NEGATIVE, SAT_HIGH, SAT_LOW,
	Y_ZERO, Y_HIGHEST, Y_LOWEST, RELU_CUT, EDGE_FIRST, EDGE_LAST, N_CORNERS
};

/* One output per corner, chosen evenly among all that match, in one pass. */
struct finder {
	const struct mch_step *step;
	struct mch_rng rng;
	uint32_t n_seen[N_CORNERS];
	int64_t largest, smallest;
	struct mch_accel_case found[N_CORNERS];
};

static void take(struct finder *f, enum corner corner, const struct mch_accel_case *at)
{
	f->n_seen[corner] += f->n_seen[corner] < UINT32_MAX;
	if (mch_rng_below(&f->rng, f->n_seen[corner]) == 0)
		f->found[corner] = *at;
}

/* A tie is where rounding half up steps: v rounds up and v - 1 down. Its parity is that of the floor. */
static void look_at_tie(struct finder *f, int64_t kept, int shift, const struct mch_accel_case *at)
{
	if (shift <= 0 || mch_round_shift(kept, shift, MCH_ROUND_HALF_UP, 0) ==
				  mch_round_shift(kept - 1, shift, MCH_ROUND_HALF_UP, 0))
		return;
	const bool is_odd = mch_round_shift(kept, shift, MCH_ROUND_FLOOR, 0) & 1;
	if (kept < 0)
		take(f, is_odd ? TIE_ODD_NEGATIVE : TIE_EVEN_NEGATIVE, at);
	else
		take(f, is_odd ? TIE_ODD : TIE_EVEN, at);
}

static void look(struct finder *f, int64_t acc, int32_t y, const struct mch_accel_case *at)
{
	const struct mch_step *step = f->step;
	const int64_t sum = acc + step->bias[at->k], kept = step->requant.relu && sum < 0 ? 0 : sum;
	const int64_t y_max = mch_format_max(step->out_format), y_min = mch_format_min(step->out_format);
	if (f->n_seen[LARGEST] == 0 || acc > f->largest) {
		f->largest = acc;
		f->n_seen[LARGEST] = 0;
		take(f, LARGEST, at);
	}
	if (f->n_seen[SMALLEST] == 0 || acc < f->smallest) {
		f->smallest = acc;
		f->n_seen[SMALLEST] = 0;
		take(f, SMALLEST, at);
	}
	if (acc == 0)
		take(f, ACC_ZERO, at);
	if (sum < 0 && step->requant.relu)
		take(f, RELU_CUT, at);
	else if (y == 0)
		take(f, Y_ZERO, at);
	look_at_tie(f, kept, step->shift[at->k], at);
	if (y == y_max || y == y_min) {
		/* The noise matters to the stochastic mode alone, and there only to which of two corners this is. */
		bool saturated;
		mch_requant_value(&step->requant, acc, step->bias[at->k], step->shift[at->k], 0, &saturated);
		if (y == y_max)
			take(f, saturated ? SAT_HIGH : Y_HIGHEST, at);
		else
			take(f, saturated ? SAT_LOW : Y_LOWEST, at);
	}
}

static void look_at_images(struct finder *f, const struct mch_accel_run *run)
{
	const struct mch_conv *g = &f->step->conv;
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g);
	const bool is_padded = g->pad_top || g->pad_left || g->pad_bottom || g->pad_right;
	size_t i = 0;
	for (int n = 0; n < run->n; n++)
		for (int k = 0; k < g->k; k++)
			for (int p = 0; p < n_p; p++)
				for (int q = 0; q < n_q; q++, i++) {
					const struct mch_accel_case at = {MCH_ACCEL_IMAGE, n, k, p, q, 0};
					look(f, run->acc[i], run->y[i], &at);
					if (is_padded && p == 0 && q == 0)
						take(f, EDGE_FIRST, &at);
					if (is_padded && p == n_p - 1 && q == n_q - 1)
						take(f, EDGE_LAST, &at);
				}
}

void mch_accel_choose(const struct mch_step *step, const struct mch_accel_run *run, uint64_t seed, int n_cases,
		      struct mch_accel_case *cases)
{
	const struct mch_conv *g = &step->conv;
	struct finder f = {.step = step, .rng = mch_rng_seed(seed)};
	const struct mch_witness worst = mch_step_witness(step);
	const struct mch_bound *low = &worst.low, *high = &worst.high;
	struct mch_accel_case list[4 + N_CORNERS] = {
		{MCH_ACCEL_WITNESS_HIGH, 0, high->k, high->p, high->q, 0},
		{MCH_ACCEL_WITNESS_LOW, 0, low->k, low->p, low->q, 0},
		{MCH_ACCEL_ALL_MAX, 0, (int)mch_rng_below(&f.rng, (uint32_t)g->k), high->p, high->q, 0},
		{MCH_ACCEL_ALL_MIN, 0, (int)mch_rng_below(&f.rng, (uint32_t)g->k), low->p, low->q, 0},
	};
	int n_list = 4;
	look_at_images(&f, run);
	for (int i = 0; i < N_CORNERS; i++)
		if (f.n_seen[i] > 0)
			list[n_list++] = f.found[i];
	for (int i = 0; i < n_cases; i++) {
		if (i < n_list) {
			cases[i] = list[i];
			continue;
		}
		struct mch_accel_case *c = &cases[i];
		*c = (struct mch_accel_case){.origin = run->n > 0 ? MCH_ACCEL_IMAGE : MCH_ACCEL_RANDOM};
		c->k = (int)mch_rng_below(&f.rng, (uint32_t)g->k);
		if (run->n > 0) {
			c->n = (int)mch_rng_below(&f.rng, (uint32_t)run->n);
			c->p = (int)mch_rng_below(&f.rng, (uint32_t)mch_conv_p(g));
			c->q = (int)mch_rng_below(&f.rng, (uint32_t)mch_conv_q(g));
		} else {
			c->p = high->p;
			c->q = high->q;
			c->seed = mch_rng_next(&f.rng);
		}
	}
}
