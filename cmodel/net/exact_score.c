/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Top-1 of an integer network over a data set, on all cores; see exact.h. */
#include <stdlib.h>

#include "fast/one_thread.h"
#include "net/exact.h"

/* Images at a time: few enough that a layer's sums stay in a core's own cache, enough to use a dense layer's
 * weights more than once. Measured, time for an image: LeNet at 8 bits varies by 5 % from 4 to 32 images, at 16
 * bits 4 is best and 32 takes two thirds longer; the first layers of SqueezeNet are best alone. */
static int batch_size(const struct mch_qnet *q, int n)
{
	enum { CACHE_BYTES = 1 << 20, BATCH_MAX = 32, BATCH_MIN = 2 };
	size_t largest = 1;
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		const size_t planes = (size_t)((step->in_format.bits + 7) / 8 * ((step->weight_format.bits + 7) / 8));
		const size_t bytes = mch_step_out_elems(q, step) * planes * sizeof(int32_t);
		largest = bytes > largest ? bytes : largest;
	}
	const size_t fit = CACHE_BYTES / largest;
	const int batch = fit > BATCH_MAX ? BATCH_MAX : fit < BATCH_MIN ? BATCH_MIN : (int)fit;
	return n < batch ? (n > 0 ? n : 1) : batch;
}

/* Images first .. first + n - 1: right answers, or -1 with err. x and y are room for a batch. */
static int score_batch(struct mch_exact *e, const struct mch_qnet *q, const struct mch_dataset *data, int first,
		       int n, int32_t *x, int32_t *y, int32_t *predictions, struct mch_err *err)
{
	const size_t classes = mch_shape_elems(q->net->edges[q->output].shape);
	int right = 0;
	if (mch_dataset_raw(data, first, n, q->input_format, x, err) != 0 || mch_exact_run(e, n, x, y, err) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		const int answer = mch_argmax_raw(y + (size_t)i * classes, (int)classes);
		right += answer == data->labels[first + i];
		if (predictions)
			predictions[first + i] = answer;
	}
	return right;
}

int mch_exact_score(const struct mch_qnet *q, const struct mch_dataset *data, int n, int32_t *predictions,
		    struct mch_err *err)
{
	const int batch = batch_size(q, n), n_batches = (n + batch - 1) / batch;
	const size_t in_elems = mch_shape_elems(q->net->edges[q->input].shape);
	const size_t out_elems = mch_shape_elems(q->net->edges[q->output].shape);
	int right = 0, failures = 0;
#pragma omp parallel reduction(+ : right, failures)
	{
		struct mch_err why = {""};
		mch_one_thread();
		struct mch_exact *e = mch_exact_new(q, batch, &why);
		int32_t *x = malloc((size_t)batch * in_elems * sizeof(*x));
		int32_t *y = malloc((size_t)batch * out_elems * sizeof(*y));
		if (e && (!x || !y))
			mch_err_set(&why, q->net->name ? q->net->name : "network",
				    "out of memory; use a machine with more");
		int status = e && x && y ? 0 : -1;
#pragma omp for schedule(dynamic)
		for (int i = 0; i < n_batches; i++) {
			const int first = i * batch, rest = n - first;
			const int count = rest < batch ? rest : batch;
			if (status != 0)
				continue;
			const int got = score_batch(e, q, data, first, count, x, y, predictions, &why);
			status = got < 0 ? -1 : 0;
			right += got > 0 ? got : 0;
		}
		if (status != 0) {
			failures++;
#pragma omp critical(mch_exact_score_failed)
			if (err)
				*err = why;
		}
		free(x);
		free(y);
		mch_exact_free(e);
	}
	return failures ? -1 : right;
}
