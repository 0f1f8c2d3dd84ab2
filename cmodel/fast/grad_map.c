/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What goes element by element, with its gradient; see grad.h. */
#include "fast/clones.h"
#include "fast/grad.h"

MCH_CLONES
void mch_grad_relu_forward(size_t n_elems, const float *x, float *y)
{
	for (size_t i = 0; i < n_elems; i++)
		y[i] = x[i] > 0 ? x[i] : 0;
}

MCH_CLONES
void mch_grad_relu_backward(size_t n_elems, const float *x, const float *dy, float *dx)
{
	for (size_t i = 0; i < n_elems; i++)
		dx[i] = x[i] > 0 ? dy[i] : 0;
}

MCH_CLONES
void mch_grad_clip_forward(size_t n_elems, float low, float high, const float *x, float *y)
{
	for (size_t i = 0; i < n_elems; i++)
		y[i] = x[i] < low ? low : x[i] > high ? high : x[i];
}

MCH_CLONES
void mch_grad_clip_backward(size_t n_elems, float low, float high, const float *x, const float *dy, float *dx)
{
	for (size_t i = 0; i < n_elems; i++)
		dx[i] = x[i] > low && x[i] < high ? dy[i] : 0;
}

MCH_CLONES
void mch_grad_sigmoid_backward(size_t n_elems, const float *y, const float *dy, float *dx)
{
	for (size_t i = 0; i < n_elems; i++)
		dx[i] = dy[i] * (y[i] * (1 - y[i]));
}

MCH_CLONES
void mch_grad_tanh_backward(size_t n_elems, const float *y, const float *dy, float *dx)
{
	for (size_t i = 0; i < n_elems; i++)
		dx[i] = dy[i] * (1 - y[i] * y[i]);
}

MCH_CLONES
void mch_grad_multiply(size_t n_elems, const float *x, const float *factor, float *y)
{
	for (size_t i = 0; i < n_elems; i++)
		y[i] = x[i] * factor[i];
}

MCH_CLONES
void mch_grad_scaled(size_t n_elems, float a, const float *x, float *y)
{
	for (size_t i = 0; i < n_elems; i++)
		y[i] = a * x[i];
}

MCH_CLONES
void mch_grad_add_scaled(size_t n_elems, float a, const float *x, float *y)
{
	for (size_t i = 0; i < n_elems; i++)
		y[i] += a * x[i];
}
