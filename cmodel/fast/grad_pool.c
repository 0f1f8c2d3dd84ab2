/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pooling and the softmax loss with their gradients; see grad.h. */
#include <math.h>
#include <string.h>

#include "fast/grad.h"

/* The windows of an image do not depend on the channel: channels are the inner loop, so each window is made once an
 * image. */
static void max_window(const struct mch_pool *g, const struct mch_window *rows, const struct mch_window *cols,
		       const float *x, int32_t *at)
{
	int32_t best = rows->begin * g->w + cols->begin;
	float top = x[best];
	for (int i = rows->begin; i < rows->end; i += rows->step)
		for (int j = cols->begin; j < cols->end; j += cols->step) {
			/* Selections, not branches: which value wins cannot be foretold. */
			const float v = x[i * g->w + j];
			best = v > top ? i * g->w + j : best;
			top = v > top ? v : top;
		}
	*at = best;
}

void mch_grad_pool_max_forward(const struct mch_pool *g, const float *x, float *y, int32_t *at)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const int in = g->h * g->w, out = n_p * n_q;
	for (int n = 0; n < g->n; n++)
		for (int i = 0; i < out; i++) {
			const struct mch_window rows = mch_pool_rows(g, i / n_q), cols = mch_pool_cols(g, i % n_q);
			for (int c = n * g->c; c < (n + 1) * g->c; c++) {
				const ptrdiff_t base = (ptrdiff_t)c * in, to = (ptrdiff_t)c * out + i;
				max_window(g, &rows, &cols, x + base, &at[to]);
				y[to] = x[base + at[to]];
			}
		}
}

void mch_grad_pool_max_backward(const struct mch_pool *g, const int32_t *at, const float *dy, float *dx)
{
	const int in = g->h * g->w, out = mch_pool_p(g) * mch_pool_q(g);
	memset(dx, 0, (size_t)g->n * (size_t)g->c * (size_t)in * sizeof(*dx));
	for (int plane = 0; plane < g->n * g->c; plane++, at += out, dy += out, dx += in)
		for (int i = 0; i < out; i++)
			dx[at[i]] += dy[i];
}

void mch_grad_pool_avg_forward(const struct mch_pool *g, const float *x, float *y)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const int in = g->h * g->w, out = n_p * n_q;
	for (int n = 0; n < g->n; n++)
		for (int i = 0; i < out; i++) {
			const struct mch_window rows = mch_pool_rows(g, i / n_q), cols = mch_pool_cols(g, i % n_q);
			const float recip = 1.0f / ((float)rows.extent * (float)cols.extent);
			for (int c = n * g->c; c < (n + 1) * g->c; c++) {
				const float *plane = x + (ptrdiff_t)c * in;
				float sum = 0;
				for (int h = rows.begin; h < rows.end; h += rows.step)
					for (int w = cols.begin; w < cols.end; w += cols.step)
						sum += plane[h * g->w + w];
				y[(ptrdiff_t)c * out + i] = sum * recip;
			}
		}
}

void mch_grad_pool_avg_backward(const struct mch_pool *g, const float *dy, float *dx)
{
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	const int in = g->h * g->w, out = n_p * n_q;
	memset(dx, 0, (size_t)g->n * (size_t)g->c * (size_t)in * sizeof(*dx));
	for (int n = 0; n < g->n; n++)
		for (int i = 0; i < out; i++) {
			const struct mch_window rows = mch_pool_rows(g, i / n_q), cols = mch_pool_cols(g, i % n_q);
			const float recip = 1.0f / ((float)rows.extent * (float)cols.extent);
			for (int c = n * g->c; c < (n + 1) * g->c; c++) {
				float *plane = dx + (ptrdiff_t)c * in;
				const float share = dy[(ptrdiff_t)c * out + i] * recip;
				for (int h = rows.begin; h < rows.end; h += rows.step)
					for (int w = cols.begin; w < cols.end; w += cols.step)
						plane[h * g->w + w] += share;
			}
		}
}

double mch_grad_softmax_loss(int n, int n_classes, const float *x, const int32_t *labels, double temperature, float scale,
			     float *dx)
{
	double loss = 0;
	for (int i = 0; i < n; i++, x += n_classes, dx += n_classes) {
		float top = x[0];
		for (int c = 1; c < n_classes; c++)
			top = x[c] > top ? x[c] : top;
		double sum = 0; /* 1 .. n_classes: the top is subtracted, so no exponential overflows */
		for (int c = 0; c < n_classes; c++)
			sum += exp((double)(x[c] - top) / temperature);
		for (int c = 0; c < n_classes; c++)
			dx[c] = scale * (float)(exp((double)(x[c] - top) / temperature) / sum - (c == labels[i] ? 1 : 0));
		loss += temperature * log(sum) - (double)(x[labels[i]] - top);
	}
	return loss;
}

/* log of the sum of exp(x / temperature), without an overflow. */
static double log_sum(int n_classes, const float *x, double temperature)
{
	double top = (double)x[0], sum = 0;
	for (int c = 1; c < n_classes; c++)
		top = (double)x[c] > top ? (double)x[c] : top;
	for (int c = 0; c < n_classes; c++)
		sum += exp(((double)x[c] - top) / temperature);
	return top / temperature + log(sum);
}

double mch_grad_teacher_loss(int n, int n_classes, const float *x, const float *z, double temperature, float scale,
			     float *dx)
{
	double loss = 0;
	for (int i = 0; i < n; i++, x += n_classes, z += n_classes, dx += n_classes) {
		const double of_x = log_sum(n_classes, x, temperature), of_z = log_sum(n_classes, z, temperature);
		for (int c = 0; c < n_classes; c++) {
			const double log_p = (double)x[c] / temperature - of_x, log_q = (double)z[c] / temperature - of_z;
			const double q = exp(log_q);
			loss += temperature * temperature * q * (log_q - log_p);
			dx[c] += scale * (float)(temperature * (exp(log_p) - q));
		}
	}
	return loss;
}
