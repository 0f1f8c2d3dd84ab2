/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe's layers that only move values; see caffe_layer.h. */
#include <limits.h>
#include <string.h>

#include "io/build.h"
#include "io/caffe_layer.h"

/* axis, or the older name for it (concat_dim, slice_dim); 1 to 3. */
static int read_axis(const struct mch_caffe_layer *l, const char *old, int *axis)
{
	const struct mch_prototxt *field = mch_prototxt_find(l->param, "axis");
	if (field && mch_prototxt_find(l->param, old))
		return mch_caffe_complain(l, field, "axis and %s are both given; keep one", old);
	if (mch_caffe_axis(l, field ? "axis" : old, 1, axis) != 0)
		return -1;
	if (*axis == 0)
		return mch_caffe_complain(l, field ? field : mch_prototxt_find(l->param, old),
					  "axis 0 is the batch, and images are taken one by one; rewrite the layer");
	return 0;
}

int mch_caffe_read_concat(struct mch_caffe_layer *l)
{
	int axis;
	if (read_axis(l, "concat_dim", &axis) != 0)
		return -1;
	const int index = mch_caffe_add(l, MCH_CONCAT, l->n_in, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].axis = axis;
	return 0;
}

static int side(struct mch_shape s, int axis)
{
	return axis == 1 ? s.c : axis == 2 ? s.h : s.w;
}

/* A layer that picks size[a] positions from begin[a] on, of each axis c, h, w. */
static int add_window(struct mch_caffe_layer *l, int top, const int begin[3], const int size[3])
{
	const int index = mch_caffe_add(l, MCH_SLICE, 1, l->in, top);
	if (index < 0)
		return -1;
	struct mch_gather *g = &l->caffe->net->layers[index].gather;
	if (mch_gather_alloc(g, size[0], size[1], size[2], l->caffe->err) != 0)
		return -1;
	for (int a = 0, *at = g->at; a < 3; a++)
		for (int i = 0; i < size[a]; i++)
			*at++ = begin[a] + i;
	return 0;
}

/* Where top i of n begins along an axis of `length`: at slice_point, or in equal parts. ends[n - 1] is length. */
static int slice_ends(const struct mch_caffe_layer *l, int length, int *ends)
{
	const struct mch_prototxt *point = mch_prototxt_find(l->param, "slice_point");
	int n = 0;
	if (!point) {
		if (length % l->n_top)
			return mch_caffe_complain(l, NULL, "%d tops do not divide an axis of %d; give slice_point",
						  l->n_top, length);
		for (int i = 0; i < l->n_top; i++)
			ends[i] = length / l->n_top * (i + 1);
		return 0;
	}
	for (int last = 0; point; point = mch_prototxt_again(point), last = ends[n++]) {
		if (n == l->n_top - 1)
			return mch_caffe_complain(l, point,
						  "there are as many slice_point as tops; one less is expected");
		if (mch_prototxt_int(l->caffe->path, point, last + 1, length - 1, &ends[n], l->caffe->err) != 0)
			return -1;
	}
	if (n != l->n_top - 1)
		return mch_caffe_complain(l, NULL, "%d slice_point for %d tops; one less than tops is expected", n,
					  l->n_top);
	ends[n] = length;
	return 0;
}

int mch_caffe_read_slice(struct mch_caffe_layer *l)
{
	int axis, ends[MCH_CAFFE_TOPS_MAX];
	const struct mch_shape s = mch_caffe_in_shape(l, 0);
	if (read_axis(l, "slice_dim", &axis) != 0 || slice_ends(l, side(s, axis), ends) != 0)
		return -1;
	for (int i = 0; i < l->n_top; i++) {
		int begin[3] = {0, 0, 0}, size[3] = {s.c, s.h, s.w};
		begin[axis - 1] = i ? ends[i - 1] : 0;
		size[axis - 1] = ends[i] - begin[axis - 1];
		if (add_window(l, i, begin, size) != 0)
			return -1;
	}
	return 0;
}

/* The same values under several names. */
int mch_caffe_read_split(struct mch_caffe_layer *l)
{
	for (int i = 0; i < l->n_top; i++)
		if (mch_caffe_bind(l->caffe, l->top[i], l->in[0], l->n_axes) != 0)
			return -1;
	return 0;
}

/* The first bottom, cut from `axis` on to the size of the second. */
int mch_caffe_read_crop(struct mch_caffe_layer *l)
{
	const struct mch_shape from = mch_caffe_in_shape(l, 0), to = mch_caffe_in_shape(l, 1);
	const struct mch_prototxt *offset = mch_prototxt_find(l->param, "offset");
	int axis, begin[3] = {0, 0, 0}, size[3] = {from.c, from.h, from.w};
	if (mch_caffe_axis(l, "axis", 2, &axis) != 0)
		return -1;
	for (int a = axis; a < 4; a++) {
		const int have = a ? side(from, a) : 1, want = a ? side(to, a) : 1;
		int start = 0;
		if (offset && mch_prototxt_int(l->caffe->path, offset, 0, INT_MAX / 2, &start, l->caffe->err) != 0)
			return -1;
		const struct mch_prototxt *next = offset ? mch_prototxt_again(offset) : NULL;
		offset = next ? next : offset; /* one is for all axes */
		if (want > have || start > have - want)
			return mch_caffe_complain(l, NULL,
						  "%d from %d on is outside axis %d of %d; correct the definition",
						  want, start, a, have);
		if (a > 0)
			begin[a - 1] = start, size[a - 1] = want;
	}
	return add_window(l, 0, begin, size);
}

static int add_reshape(struct mch_caffe_layer *l, const long long dims[3])
{
	const int index = mch_caffe_add(l, MCH_RESHAPE, 1, l->in, 0);
	if (index < 0)
		return -1;
	l->caffe->net->layers[index].shape = (struct mch_shape){1, (int)dims[0], (int)dims[1], (int)dims[2]};
	return 0;
}

int mch_caffe_read_flatten(struct mch_caffe_layer *l)
{
	const struct mch_shape s = mch_caffe_in_shape(l, 0);
	int axis, end;
	if (mch_caffe_axis(l, "axis", 1, &axis) != 0 || mch_caffe_axis(l, "end_axis", l->n_axes - 1, &end) != 0)
		return -1;
	if (axis == 0 || end < axis)
		return mch_caffe_complain(
			l, l->param, "the axes %d to %d are none, or hold the batch; rewrite the layer", axis, end);
	if (axis == 1 && end == l->n_axes - 1) {
		l->n_axes = 2;
		return mch_caffe_add(l, MCH_FLATTEN, 1, l->in, 0) < 0 ? -1 : 0;
	}
	/* Axes before, the merged one, axes behind: at most three in all, as there were, less end - axis. */
	long long dims[3] = {1, 1, 1};
	for (int a = 1; a <= 3; a++)
		dims[a <= axis ? a - 1 : a <= end ? axis - 1 : a - 1 - (end - axis)] *= side(s, a);
	l->n_axes -= end - axis;
	return add_reshape(l, dims);
}

/* The dims of reshape_param.shape: 0 is the bottom's, -1 what is left. The batch stays. */
static int read_dims(struct mch_caffe_layer *l, long long dims[3])
{
	const struct mch_prototxt *shape = mch_prototxt_find(l->param, "shape"),
				  *dim = mch_prototxt_find(shape, "dim");
	const struct mch_shape s = mch_caffe_in_shape(l, 0);
	long long known = 1, elems = (long long)mch_shape_elems(s);
	int n = 0, rest = -1;
	for (; dim; dim = mch_prototxt_again(dim), n++) {
		int value;
		if (n == 4)
			return mch_caffe_complain(l, dim, "the shape has over 4 dimensions; rewrite the layer");
		if (mch_prototxt_int(l->caffe->path, dim, -1, INT_MAX, &value, l->caffe->err) != 0)
			return -1;
		if (n == 0 && value > 0 && value != l->caffe->batch && value != 1)
			return mch_caffe_complain(l, dim, "dim is %d: the batch is %d, and must stay; write 0",
						  value, l->caffe->batch);
		if (n == 0 || value > 0) {
			if (n > 0)
				dims[n - 1] = value;
			/* The batch, known or what is left of all: the others then tell everything. */
		} else if (value == 0 && n < l->n_axes) {
			dims[n - 1] = side(s, n);
		} else if (value == 0 || rest >= 0) {
			return mch_caffe_complain(l, dim, "%s; correct the definition",
						  value ? "-1 is given twice"
							: "0 stands for an axis that the bottom has not");
		} else {
			rest = n - 1;
			continue;
		}
		if (n > 0 && (known *= dims[n - 1]) > elems)
			return mch_caffe_complain(l, dim,
						  "the shape has more than the bottom's %lld elements; correct the "
						  "definition",
						  elems);
	}
	if (rest >= 0)
		dims[rest] = elems / known;
	l->n_axes = n;
	return n > 0 ? 0 : mch_caffe_complain(l, l->param, "shape is missing; add shape { dim: ... }");
}

int mch_caffe_read_reshape(struct mch_caffe_layer *l)
{
	long long dims[3] = {1, 1, 1};
	if (mch_caffe_only_int(l, "axis", 0) != 0 || mch_caffe_only_int(l, "num_axes", -1) != 0 ||
	    read_dims(l, dims) != 0)
		return -1;
	return add_reshape(l, dims);
}

int mch_caffe_read_permute(struct mch_caffe_layer *l)
{
	const struct mch_prototxt *field = mch_prototxt_find(l->param, "order");
	int order[4] = {0, 0, 0, 0}, n = 0;
	for (; field; field = mch_prototxt_again(field), n++) {
		if (n == l->n_axes)
			return mch_caffe_complain(l, field, "order has over %d axes; correct the definition",
						  l->n_axes);
		if (mch_prototxt_int(l->caffe->path, field, 0, l->n_axes - 1, &order[n], l->caffe->err) != 0)
			return -1;
		for (int i = 0; i < n; i++)
			if (order[i] == order[n])
				return mch_caffe_complain(
					l, field, "axis %d is in order twice; correct the definition", order[n]);
	}
	/* Caffe appends the axes that are not named. */
	for (int a = 0; a < 4; a++) {
		bool is_named = false;
		for (int i = 0; i < n; i++)
			is_named = is_named || order[i] == a;
		if (!is_named && n < 4)
			order[n++] = a;
	}
	if (order[0] != 0)
		return mch_caffe_complain(l, l->param,
					  "order moves the batch, which must stay first; rewrite the layer");
	const int index = mch_caffe_add(l, MCH_TRANSPOSE, 1, l->in, 0);
	if (index < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		l->caffe->net->layers[index].order[i] = order[i + 1] - 1;
	return 0;
}

/* Of several descendants of Caffe: upsample_param { scale: 2 }, nearest. */
int mch_caffe_read_upsample(struct mch_caffe_layer *l)
{
	const struct mch_shape s = mch_caffe_in_shape(l, 0);
	int factor;
	if (mch_caffe_int(l, "scale", 1, 64, 0, &factor) != 0)
		return -1;
	if (factor == 0)
		return mch_caffe_complain(l, l->param, "scale is missing; add it");
	if (s.h > INT_MAX / factor || s.w > INT_MAX / factor)
		return mch_caffe_complain(l, NULL, "the output has over 2^31 rows or columns; use a smaller layer");
	const int index = mch_caffe_add(l, MCH_UPSAMPLE, 1, l->in, 0);
	if (index < 0)
		return -1;
	struct mch_gather *g = &l->caffe->net->layers[index].gather;
	if (mch_gather_alloc(g, s.c, s.h * factor, s.w * factor, l->caffe->err) != 0)
		return -1;
	for (int c = 0; c < s.c; c++)
		g->at[c] = c;
	for (int h = 0; h < s.h * factor; h++)
		g->at[s.c + h] = h / factor;
	for (int w = 0; w < s.w * factor; w++)
		g->at[s.c + s.h * factor + w] = w / factor;
	return 0;
}
