/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The golden run behind an export; see accel_golden.h. */
#include "io/accel_golden.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "io/accel_config.h"

static int fail(const struct mch_qnet *q, int n, struct mch_err *err)
{
	return mch_err_set(err, q->net->name ? q->net->name : "network",
			   "out of memory for %d images; export with fewer --images", n);
}

/* Room for all images of edge e, once. */
static int32_t *room(const struct mch_qnet *q, struct mch_accel_golden *golden, int e)
{
	if (!golden->value[e])
		golden->value[e] = calloc((size_t)golden->n_images * mch_shape_elems(q->net->edges[e].shape),
					  sizeof(int32_t));
	return golden->value[e];
}

static int run_step(const struct mch_qnet *q, struct mch_accel_golden *golden, int i, uint64_t seed,
		    struct mch_err *err)
{
	const struct mch_step *step = &q->steps[i];
	const int n = golden->n_images;
	struct mch_accel_run run = {n, NULL, NULL, NULL};
	int64_t *acc = NULL;
	if (n > 0) {
		int32_t *x = room(q, golden, step->in), *y = room(q, golden, step->out);
		acc = malloc((size_t)n * mch_step_out_elems(q, step) * sizeof(*acc));
		if (!x || !y || !acc) {
			free(acc);
			return fail(q, n, err);
		}
		mch_step_run(step, n, x, acc, y, NULL);
		run = (struct mch_accel_run){n, x, y, acc};
	}
	if (mch_accel_on_array(step)) {
		golden->cases[i] = malloc((size_t)golden->n_cases * sizeof(**golden->cases));
		if (!golden->cases[i]) {
			free(acc);
			return fail(q, n, err);
		}
		mch_accel_choose(step, &run, seed, golden->n_cases, golden->cases[i]);
	}
	free(acc);
	return 0;
}

int mch_accel_golden_run(const struct mch_qnet *q, int n_images, const int32_t *codes, int n_cases, uint64_t seed,
			 struct mch_accel_golden *golden, struct mch_err *err)
{
	*golden = (struct mch_accel_golden){n_images, q->net->n_edges, q->n_steps, n_cases, NULL, NULL};
	golden->value = calloc((size_t)golden->n_edges, sizeof(*golden->value));
	golden->cases = calloc((size_t)golden->n_steps, sizeof(*golden->cases));
	int status = golden->value && golden->cases ? 0 : fail(q, n_images, err);
	if (status == 0 && n_images > 0) {
		int32_t *input = room(q, golden, q->input);
		if (input)
			memcpy(input, codes, (size_t)n_images * mch_shape_elems(q->net->edges[q->input].shape) *
						     sizeof(*input));
		else
			status = fail(q, n_images, err);
	}
	struct mch_rng rng = mch_rng_seed(seed);
	for (int i = 0; status == 0 && i < q->n_steps; i++)
		status = run_step(q, golden, i, mch_rng_next(&rng), err);
	if (status != 0)
		mch_accel_golden_free(golden);
	return status;
}

void mch_accel_golden_free(struct mch_accel_golden *golden)
{
	for (int e = 0; golden->value && e < golden->n_edges; e++)
		free(golden->value[e]);
	for (int i = 0; golden->cases && i < golden->n_steps; i++)
		free(golden->cases[i]);
	free(golden->value);
	free(golden->cases);
	memset(golden, 0, sizeof(*golden));
}
