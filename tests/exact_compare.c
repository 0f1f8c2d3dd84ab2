/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
#include "exact_compare.h"

#include <stdlib.h>

#include "check_main.h"
#include "net/exact.h"
#include "net/layer.h"
#include "random_graph.h"

/* Images of one temper each: corners, all the lowest code, all the highest. */
static int32_t *random_input(struct mch_rng *rng, struct mch_format format, int n, size_t elems)
{
	int32_t *x = malloc((size_t)n * elems * sizeof(*x));
	ck_assert_ptr_nonnull(x);
	for (int i = 0; i < n; i++) {
		const uint32_t temper = mch_rng_below(rng, 4);
		for (size_t j = 0; j < elems; j++)
			x[(size_t)i * elems + j] = temper == 0   ? (int32_t)mch_format_min(format)
						   : temper == 1 ? (int32_t)mch_format_max(format)
								 : random_code(rng, format);
	}
	return x;
}

uint64_t n_overflows;

size_t compare_input(const struct mch_qnet *q, int batch, int n, const int32_t *x, uint64_t seed)
{
	struct mch_err err = {""};
	const size_t out = mch_shape_elems(q->net->edges[q->output].shape);
	int32_t *want = malloc((size_t)n * out * sizeof(*want)), *got = malloc((size_t)n * out * sizeof(*got));
	struct mch_exact *e = mch_exact_new(q, batch, &err);
	ck_assert_msg(e != NULL, "seed %llu: %s", (unsigned long long)seed, err.text);
	struct mch_events events = {0};
	ck_assert_msg(mch_qnet_run(q, n, x, want, NULL, &events, &err) == 0, "%s", err.text);
	n_overflows += events.n_acc_over;
	for (int twice = 0; twice < 2; twice++) { /* the second run finds used buffers */
		ck_assert_msg(mch_exact_run(e, n, x, got, &err) == 0, "%s", err.text);
		for (size_t i = 0; i < (size_t)n * out; i++)
			ck_assert_msg(want[i] == got[i],
				      "seed %llu, step %d (%s), image %zu, value %zu: want %d, got %d",
				      (unsigned long long)seed, q->n_steps - 1,
				      mch_layer_table[q->steps[q->n_steps - 1].layer->kind].name, i / out, i % out,
				      want[i], got[i]);
		ck_assert_msg(mch_exact_overflows(e) == (uint64_t)(twice + 1) * events.n_acc_over,
			      "seed %llu: %llu overflows in run %d, %llu in the plain one", (unsigned long long)seed,
			      (unsigned long long)mch_exact_overflows(e), twice, (unsigned long long)events.n_acc_over);
	}
	mch_exact_free(e);
	free(want);
	free(got);
	return (size_t)n * out;
}

size_t compare(struct mch_rng *rng, const struct mch_qnet *q, int batch, int n, uint64_t seed)
{
	int32_t *x = random_input(rng, q->input_format, n, mch_shape_elems(q->net->edges[q->input].shape));
	const size_t n_values = compare_input(q, batch, n, x, seed);
	free(x);
	return n_values;
}
