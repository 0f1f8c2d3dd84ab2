/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of conv; see slow_conv.h. */
#include "oracle/slow_conv.h"

#include <stdlib.h>

#include "oracle/slow_fxp.h"

int slow_conv_size(int size, int pad_begin, int pad_end, int kernel, int dilation, int stride)
{
	const int padded = pad_begin + size + pad_end;
	int n = 0;
	/* The last tap of window n stands on position n * stride + (kernel - 1) * dilation. */
	while (n * stride + (kernel - 1) * dilation < padded)
		n++;
	return n;
}

/* A cube [depth][rows][cols] of zeros, or with planes taken from elsewhere. */
struct cube {
	int rows, cols;
	int32_t *v;
};

static struct cube zeros(int depth, int rows, int cols)
{
	struct cube made = {rows, cols, calloc((size_t)depth * (size_t)rows * (size_t)cols, sizeof(int32_t))};
	if (!made.v)
		abort();
	return made;
}

static int32_t *at(const struct cube *cube, int d, int row, int col)
{
	return &cube->v[((size_t)d * (size_t)cube->rows + (size_t)row) * (size_t)cube->cols + (size_t)col];
}

/* Image n as [c][pad_top + h + pad_bottom][pad_left + w + pad_right]. */
static struct cube padded_image(const struct mch_conv *g, int n, const int32_t *x)
{
	struct cube image = zeros(g->c, g->pad_top + g->h + g->pad_bottom, g->pad_left + g->w + g->pad_right);
	const int32_t *from = x + (size_t)n * (size_t)(g->c * g->h * g->w);
	for (int c = 0; c < g->c; c++)
		for (int row = 0; row < g->h; row++)
			for (int col = 0; col < g->w; col++)
				*at(&image, c, g->pad_top + row, g->pad_left + col) = *from++;
	return image;
}

/* Kernel k with all C channels (those of other groups are zeros) and zeros between the taps. */
static struct cube spread_kernel(const struct mch_conv *g, int k, const int32_t *w)
{
	struct cube kernel = zeros(g->c, (g->r - 1) * g->dilation_h + 1, (g->s - 1) * g->dilation_w + 1);
	const int group_c = g->c / g->groups, group_k = g->k / g->groups;
	const int32_t *from = w + (size_t)k * (size_t)(group_c * g->r * g->s);
	int group = 0;
	while (k >= (group + 1) * group_k)
		group++;
	for (int c = group * group_c; c < (group + 1) * group_c; c++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++)
				*at(&kernel, c, r * g->dilation_h, s * g->dilation_w) = *from++;
	return kernel;
}

static uint64_t window(const struct mch_conv *g, int bits, bool saturating, const struct cube *image,
		       const struct cube *kernel, int top, int left, int64_t *acc)
{
	slow_int sum = 0;
	uint64_t n_over = 0;
	for (int c = 0; c < g->c; c++)
		for (int row = 0; row < kernel->rows; row++)
			for (int col = 0; col < kernel->cols; col++) {
				bool over;
				sum = slow_mac(bits, saturating, sum, *at(image, c, top + row, left + col),
					       *at(kernel, c, row, col), &over);
				n_over += over;
			}
	*acc = (int64_t)sum;
	return n_over;
}

uint64_t slow_conv(const struct mch_conv *g, int acc_bits, bool saturating, const int32_t *x, const int32_t *w,
		   int64_t *acc)
{
	const int n_p = slow_conv_size(g->h, g->pad_top, g->pad_bottom, g->r, g->dilation_h, g->stride_h);
	const int n_q = slow_conv_size(g->w, g->pad_left, g->pad_right, g->s, g->dilation_w, g->stride_w);
	uint64_t n_over = 0;
	for (int n = 0; n < g->n; n++) {
		struct cube image = padded_image(g, n, x);
		for (int k = 0; k < g->k; k++) {
			struct cube kernel = spread_kernel(g, k, w);
			for (int p = 0; p < n_p; p++)
				for (int q = 0; q < n_q; q++)
					n_over += window(g, acc_bits, saturating, &image, &kernel, p * g->stride_h,
							 q * g->stride_w, acc++);
			free(kernel.v);
		}
		free(image.v);
	}
	return n_over;
}
