/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What has parameters for each channel (batch norm, scale, PReLU), with gradients; see grad.h. Sums over a plane are
 * in float, in the lanes' order, sums of planes in double. Source: Ioffe, Szegedy, "Batch Normalization", 2015; He et
 * al., "Delving Deep into Rectifiers", 2015. */
#include "fast/grad.h"

#include "fast/lanes.h"

static const float *plane_of(const struct mch_grad_planes *s, const float *x, int n, int c)
{
	return x + ((ptrdiff_t)n * s->c + c) * s->pixels;
}

/* Sum of x, and of the squares of x - mean. */
MCH_CLONES
static float sum_of(int n, const float *x)
{
	float lane[MCH_LANES] = {0};
	int i = 0;
	for (; i + MCH_LANES <= n; i += MCH_LANES)
		MCH_LANES_SIMD
		for (int j = 0; j < MCH_LANES; j++)
			lane[j] += x[i + j];
	for (int j = 0; i + j < n; j++)
		lane[j] += x[i + j];
	return mch_lanes_sum(lane);
}

MCH_CLONES
static float squares_of(int n, const float *x, float mean)
{
	float lane[MCH_LANES] = {0};
	int i = 0;
	for (; i + MCH_LANES <= n; i += MCH_LANES)
		MCH_LANES_SIMD
		for (int j = 0; j < MCH_LANES; j++)
			lane[j] += (x[i + j] - mean) * (x[i + j] - mean);
	for (int j = 0; i + j < n; j++)
		lane[j] += (x[i + j] - mean) * (x[i + j] - mean);
	return mch_lanes_sum(lane);
}

void mch_grad_moments(const struct mch_grad_planes *s, const float *x, float *mean, float *variance)
{
	const double count = (double)s->n * s->pixels;
	for (int c = 0; c < s->c; c++) {
		double sum = 0, squares = 0;
		for (int n = 0; n < s->n; n++)
			sum += (double)sum_of(s->pixels, plane_of(s, x, n, c));
		mean[c] = (float)(sum / count);
		for (int n = 0; n < s->n; n++)
			squares += (double)squares_of(s->pixels, plane_of(s, x, n, c), mean[c]);
		variance[c] = (float)(squares / count);
	}
}

MCH_CLONES
static void affine(int n, const float *restrict x, float mean, float a, float b, float *restrict y)
{
	for (int i = 0; i < n; i++)
		y[i] = (x[i] - mean) * a + b;
}

void mch_grad_norm_forward(const struct mch_grad_planes *s, const struct mch_grad_norm *t, float *y)
{
	for (int n = 0; n < s->n; n++)
		for (int c = 0; c < s->c; c++, y += s->pixels)
			affine(s->pixels, plane_of(s, t->x, n, c), t->mean ? t->mean[c] : 0,
			       t->recip ? t->w[c] * t->recip[c] : t->w[c], t->bias ? t->bias[c] : 0, y);
}

struct sums {
	double dy, dy_x; /* of dy, and of dy * (x - mean) */
};

MCH_CLONES
static void add_sums(int n, const float *x, float mean, const float *dy, struct sums *sums)
{
	float lane[MCH_LANES] = {0}, lane_x[MCH_LANES] = {0};
	int i = 0;
	for (; i + MCH_LANES <= n; i += MCH_LANES)
		MCH_LANES_SIMD
		for (int j = 0; j < MCH_LANES; j++) {
			lane[j] += dy[i + j];
			lane_x[j] += dy[i + j] * (x[i + j] - mean);
		}
	for (int j = 0; i + j < n; j++) {
		lane[j] += dy[i + j];
		lane_x[j] += dy[i + j] * (x[i + j] - mean);
	}
	sums->dy += (double)mch_lanes_sum(lane);
	sums->dy_x += (double)mch_lanes_sum(lane_x);
}

/* dx = a * (dy - m - (x - mean) * k) */
MCH_CLONES
static void slope_of(int n, const float *restrict x, const float *restrict dy, float mean, float a, float m, float k,
		     float *restrict dx)
{
	for (int i = 0; i < n; i++)
		dx[i] = a * (dy[i] - m - (x[i] - mean) * k);
}

void mch_grad_norm_backward(const struct mch_grad_planes *s, const struct mch_grad_norm *t)
{
	const double count = (double)s->n * s->pixels;
	for (int c = 0; c < s->c; c++) {
		const float mean = t->mean ? t->mean[c] : 0, recip = t->recip ? t->recip[c] : 1;
		struct sums sums = {0, 0};
		for (int n = 0; n < s->n; n++)
			add_sums(s->pixels, plane_of(s, t->x, n, c), mean, plane_of(s, t->dy, n, c), &sums);
		if (t->dw)
			t->dw[c] = (float)(sums.dy_x * (double)recip);
		if (t->db)
			t->db[c] = (float)sums.dy;
		if (!t->dx)
			continue;
		/* dy less its parts along 1 and along x: the output's mean and variance do not move. */
		const float m = t->is_batch ? (float)(sums.dy / count) : 0;
		const float k = t->is_batch ? (float)(sums.dy_x / count * (double)recip * (double)recip) : 0;
		for (int n = 0; n < s->n; n++) {
			const ptrdiff_t at = ((ptrdiff_t)n * s->c + c) * s->pixels;
			slope_of(s->pixels, t->x + at, t->dy + at, mean, t->w[c] * recip, m, k, t->dx + at);
		}
	}
}

MCH_CLONES
static void rectify(int n, const float *restrict x, float a, float *restrict y)
{
	for (int i = 0; i < n; i++)
		y[i] = x[i] < 0 ? a * x[i] : x[i];
}

void mch_grad_prelu_forward(const struct mch_grad_planes *s, int n_a, const float *a, const float *x, float *y)
{
	for (int n = 0; n < s->n; n++)
		for (int c = 0; c < s->c; c++, x += s->pixels, y += s->pixels)
			rectify(s->pixels, x, a[n_a == 1 ? 0 : c], y);
}

MCH_CLONES
static float rectify_sum(int n, const float *x, const float *dy)
{
	float lane[MCH_LANES] = {0};
	int i = 0;
	for (; i + MCH_LANES <= n; i += MCH_LANES)
		MCH_LANES_SIMD
		for (int j = 0; j < MCH_LANES; j++)
			lane[j] += dy[i + j] * (x[i + j] < 0 ? x[i + j] : 0);
	for (int j = 0; i + j < n; j++)
		lane[j] += dy[i + j] * (x[i + j] < 0 ? x[i + j] : 0);
	return mch_lanes_sum(lane);
}

MCH_CLONES
static void rectify_slope(int n, const float *restrict x, const float *restrict dy, float a, float *restrict dx)
{
	for (int i = 0; i < n; i++)
		dx[i] = dy[i] * (x[i] < 0 ? a : 1);
}

void mch_grad_prelu_backward(const struct mch_grad_planes *s, const struct mch_grad_prelu *t)
{
	double all = 0;
	for (int c = 0; c < s->c; c++) {
		double sum = 0;
		for (int n = 0; n < s->n; n++) {
			const ptrdiff_t at = ((ptrdiff_t)n * s->c + c) * s->pixels;
			if (t->da)
				sum += (double)rectify_sum(s->pixels, t->x + at, t->dy + at);
			if (t->dx)
				rectify_slope(s->pixels, t->x + at, t->dy + at, t->a[t->n_a == 1 ? 0 : c],
					      t->dx + at);
		}
		all += sum;
		if (t->da)
			t->da[t->n_a == 1 ? 0 : c] = (float)(t->n_a == 1 ? all : sum);
	}
}
