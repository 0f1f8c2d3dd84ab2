/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Windows of convolutions and pools, in one or two dimensions; see onnx_op.h. */
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

/* One value for each axis; with one axis, that is the width, the other keeps `fallback`. */
static int read_axes(const struct mch_onnx_op *op, const char *name, int n_axes, int low, int fallback, int value[2])
{
	value[0] = value[1] = fallback;
	return mch_onnx_ints(&op->node, name, n_axes, low, MCH_BUILD_SIDE_MAX, fallback, value + 2 - n_axes);
}

int mch_onnx_kernel(const struct mch_onnx_op *op, int n_axes, struct mch_onnx_window *w)
{
	if (read_axes(op, "kernel_shape", n_axes, 1, 0, w->kernel) != 0)
		return -1;
	if (n_axes == 1)
		w->kernel[0] = w->kernel[1] ? 1 : 0;
	return 0;
}

/* auto_pad SAME: the output has ceil(input / stride) positions; an odd pixel goes to the end, or to the beginning. */
static int pad_same(const struct mch_onnx_op *op, const int size[2], bool is_lower, struct mch_onnx_window *w)
{
	for (int axis = 0; axis < 2; axis++) {
		const long long stride = w->stride[axis];
		const long long span = (long long)w->dilation[axis] * (w->kernel[axis] - 1) + 1;
		long long total = ((size[axis] + stride - 1) / stride - 1) * stride + span - size[axis];
		total = total < 0 ? 0 : total;
		if (total > MCH_BUILD_SIDE_MAX)
			return mch_onnx_err(&op->node, "its padding is over %d; change the layer",
					    MCH_BUILD_SIDE_MAX);
		w->pad[axis] = (int)(is_lower ? (total + 1) / 2 : total / 2);
		w->pad[axis + 2] = (int)total - w->pad[axis];
	}
	return 0;
}

int mch_onnx_window(const struct mch_onnx_op *op, int n_axes, const int size[2], struct mch_onnx_window *w)
{
	char auto_pad[16];
	int pads[4];
	if (read_axes(op, "strides", n_axes, 1, 1, w->stride) != 0 ||
	    read_axes(op, "dilations", n_axes, 1, 1, w->dilation) != 0 ||
	    mch_onnx_ints(&op->node, "pads", 2 * n_axes, 0, MCH_BUILD_SIDE_MAX, 0, pads) != 0 ||
	    mch_onnx_text(&op->node, "auto_pad", "NOTSET", auto_pad, sizeof(auto_pad)) != 0)
		return -1;
	memset(w->pad, 0, sizeof(w->pad));
	for (int i = 0; i < n_axes; i++) {
		w->pad[2 - n_axes + i] = pads[i];
		w->pad[4 - n_axes + i] = pads[n_axes + i];
	}
	const bool is_upper = strcmp(auto_pad, "SAME_UPPER") == 0, is_lower = strcmp(auto_pad, "SAME_LOWER") == 0;
	if (is_upper || is_lower)
		return pad_same(op, size, is_lower, w);
	if (strcmp(auto_pad, "VALID") == 0)
		memset(w->pad, 0, sizeof(w->pad));
	else if (strcmp(auto_pad, "NOTSET") != 0)
		return mch_onnx_err(&op->node, "auto_pad \"%s\" is not known; export the model with pads", auto_pad);
	return 0;
}
