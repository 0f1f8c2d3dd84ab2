/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float operators with their gradients, for training: y = f(x), and dx = dy * df/dx. Host only: no RTL twin. All
 * tensors are NCHW of g->n images. Every function is single-threaded and its result depends on its arguments alone
 * when it runs on one OpenMP thread (see one_thread.h), so the caller may run shards of a batch side by side. */
#ifndef MCH_FAST_GRAD_H
#define MCH_FAST_GRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "op/conv.h"
#include "op/pool.h"

/* Room for one image's columns (im2col), twice: forward uses one half. In floats; 0 when none is needed. */
size_t mch_grad_conv_scratch_elems(const struct mch_conv *g);

/* y = conv(x, w) + bias; bias may be NULL. Also dense, which is a convolution whose kernel is the whole input. */
void mch_grad_conv_forward(const struct mch_conv *g, const float *x, const float *w, const float *bias,
			   float *scratch, float *y);

struct mch_grad_conv {
	const float *x, *w, *dy;
	float *scratch;
	/* All overwritten; NULL: not wanted. */
	float *dx, *dw, *db;
};
void mch_grad_conv_backward(const struct mch_conv *g, const struct mch_grad_conv *t);

/* Transposed convolution: [n][g.c][g.h][g.w] to [n][g.k][p][q], weights [c][k / groups][r][s]. */
struct mch_grad_deconv {
	struct mch_conv g;
	int p, q;
};
size_t mch_grad_deconv_scratch_elems(const struct mch_grad_deconv *t);
void mch_grad_deconv_forward(const struct mch_grad_deconv *t, const float *x, const float *w, const float *bias,
			     float *scratch, float *y);
void mch_grad_deconv_backward(const struct mch_grad_deconv *t, const struct mch_grad_conv *b);

/* at[i] is the place of output i in its input plane, the first of equals; backward needs it. */
void mch_grad_pool_max_forward(const struct mch_pool *g, const float *x, float *y, int32_t *at);
void mch_grad_pool_max_backward(const struct mch_pool *g, const int32_t *at, const float *dy, float *dx);

void mch_grad_pool_avg_forward(const struct mch_pool *g, const float *x, float *y);
void mch_grad_pool_avg_backward(const struct mch_pool *g, const float *dy, float *dx);

void mch_grad_relu_forward(size_t n_elems, const float *x, float *y);
/* The slope at 0 is 0. */
void mch_grad_relu_backward(size_t n_elems, const float *x, const float *dy, float *dx);

/* min(max(x, low), high); the slope is 0 at both ends. */
void mch_grad_clip_forward(size_t n_elems, float low, float high, const float *x, float *y);
void mch_grad_clip_backward(size_t n_elems, float low, float high, const float *x, const float *dy, float *dx);

/* These two from y = f(x). */
void mch_grad_sigmoid_backward(size_t n_elems, const float *y, const float *dy, float *dx);
void mch_grad_tanh_backward(size_t n_elems, const float *y, const float *dy, float *dx);

/* dropout, either way: y = x * factor. */
void mch_grad_multiply(size_t n_elems, const float *x, const float *factor, float *y);
/* y = a * x, or y += a * x. */
void mch_grad_scaled(size_t n_elems, float a, const float *x, float *y);
void mch_grad_add_scaled(size_t n_elems, float a, const float *x, float *y);

/* n images of c channels, pixels each: what the functions below go over channel by channel. */
struct mch_grad_planes {
	int n, c, pixels;
};

/* leaky ReLU and PReLU: y = x < 0 ? a[i] * x : x, i = 0 when there is one a, else the channel. da may be NULL, dx
 * too. */
void mch_grad_prelu_forward(const struct mch_grad_planes *s, int n_a, const float *a, const float *x, float *y);
struct mch_grad_prelu {
	int n_a;
	const float *a, *x, *dy;
	float *dx, *da;
};
void mch_grad_prelu_backward(const struct mch_grad_planes *s, const struct mch_grad_prelu *t);

/* Mean and biased variance of each channel over images and pixels. */
void mch_grad_moments(const struct mch_grad_planes *s, const float *x, float *mean, float *variance);

/* y = w * (x - mean) * recip + b for each channel: batch norm with recip = 1 / sqrt(variance + epsilon); scale with
 * mean and recip NULL, which stand for 0 and 1. bias may be NULL. */
struct mch_grad_norm {
	const float *w, *bias, *mean, *recip; /* [c] */
	const float *x, *dy;
	float *dx, *dw, *db; /* NULL: not wanted */
	bool is_batch;       /* mean and recip are those of x: dx passes through them too */
};
void mch_grad_norm_forward(const struct mch_grad_planes *s, const struct mch_grad_norm *t, float *y);
void mch_grad_norm_backward(const struct mch_grad_planes *s, const struct mch_grad_norm *t);

/* Cross-entropy of softmax(x / temperature) with the labels, times temperature; x is [n][n_classes]: returns the
 * sum over images and writes its gradient times scale. */
double mch_grad_softmax_loss(int n, int n_classes, const float *x, const int32_t *labels, double temperature, float scale,
			     float *dx);

/* Kullback-Leibler divergence of softmax(x / temperature) from softmax(z / temperature), times temperature^2:
 * returns the sum over images, and adds its gradient by x times scale. */
double mch_grad_teacher_loss(int n, int n_classes, const float *x, const float *z, double temperature, float scale,
			     float *dx);

#endif
