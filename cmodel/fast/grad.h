/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float operators with their gradients, for training: y = f(x), and dx = dy * df/dx. Host only: no RTL twin.
 * All tensors are NCHW of g->n images. Every function is single-threaded and its result depends on its arguments alone
 * when it runs on one OpenMP thread (see one_thread.h), so the caller may run shards of a batch side by side. */
#ifndef MCH_FAST_GRAD_H
#define MCH_FAST_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "op/conv.h"
#include "op/pool.h"

/* Room for one image's columns (im2col), twice: forward uses one half. In floats; 0 when none is needed. */
size_t mch_grad_conv_scratch_elems(const struct mch_conv *g);

/* y = conv(x, w) + bias; bias may be NULL. Also dense, which is a convolution whose kernel is the whole input. */
void mch_grad_conv_forward(const struct mch_conv *g, const float *x, const float *w, const float *bias, float *scratch,
			   float *y);

struct mch_grad_conv {
	const float *x, *w, *dy;
	float *scratch;
	float *dx; /* NULL: not wanted */
	float *dw; /* overwritten */
	float *db; /* overwritten; NULL: no bias */
};
void mch_grad_conv_backward(const struct mch_conv *g, const struct mch_grad_conv *t);

/* at[i] is the place of output i in its input plane, the first of equals; backward needs it. */
void mch_grad_pool_max_forward(const struct mch_pool *g, const float *x, float *y, int32_t *at);
void mch_grad_pool_max_backward(const struct mch_pool *g, const int32_t *at, const float *dy, float *dx);

void mch_grad_pool_avg_forward(const struct mch_pool *g, const float *x, float *y);
void mch_grad_pool_avg_backward(const struct mch_pool *g, const float *dy, float *dx);

void mch_grad_relu_forward(size_t n_elems, const float *x, float *y);
/* The slope at 0 is 0. */
void mch_grad_relu_backward(size_t n_elems, const float *x, const float *dy, float *dx);

/* Cross-entropy of softmax(x), x is [n][n_classes]: returns the sum over images of -log softmax(x)[label] and writes its
 * gradient times scale. */
double mch_grad_softmax_loss(int n, int n_classes, const float *x, const int32_t *labels, float scale, float *dx);

#endif
