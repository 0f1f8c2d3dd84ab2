/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX Pad, and Resize and Upsample to the nearest element; see onnx_op.h. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/onnx_op.h"

enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP };

/* The element of n that position i of the padding means, -1 for none. */
static int64_t pad_source(enum pad_mode mode, int64_t i, int64_t n)
{
	const int64_t period = 2 * (n - 1);
	if (i >= 0 && i < n)
		return i;
	switch (mode) {
	case PAD_REFLECT: /* the edge itself is not repeated */
		i = period ? (i % period + period) % period : 0;
		return i < n ? i : period - i;
	case PAD_EDGE:
		return i < 0 ? 0 : n - 1;
	case PAD_WRAP:
		return (i % n + n) % n;
	default:
		return -1;
	}
}

static int pad_axes(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_list *pads,
		    const struct mch_onnx_list *axes, enum pad_mode mode, struct mch_onnx_pick *pick)
{
	const int n = axes->is_given ? axes->n : x->rank;
	if (pads->n != 2 * n)
		return mch_onnx_err(&op->node,
				    "%d pads for %d dimensions, two for each are expected; export the model again",
				    pads->n, n);
	for (int i = 0; i < n; i++) {
		const int64_t before = pads->v[i], behind = pads->v[n + i];
		int at;
		if (mch_onnx_any_axis(op, axes->is_given ? axes->v[i] : i, x->rank, &at) != 0)
			return -1;
		if (before < -MCH_BUILD_CHANNELS_MAX || before > MCH_BUILD_CHANNELS_MAX ||
		    behind < -MCH_BUILD_CHANNELS_MAX || behind > MCH_BUILD_CHANNELS_MAX)
			return mch_onnx_err(&op->node,
					    "pads of %lld and %lld are out of range; export the model again",
					    (long long)before, (long long)behind);
		if (before == 0 && behind == 0)
			continue;
		if (at < op->g->n_batch)
			return mch_onnx_err(&op->node, "it pads the batch; change the model");
		const int d = at - op->g->n_batch;
		if (mch_onnx_pick_alloc(op, pick, d, x->dims[at] + before + behind) != 0)
			return -1;
		for (int64_t j = 0; j < pick->n[d]; j++)
			pick->at[d][j] = (int)pad_source(mode, j - before, x->dims[at]);
	}
	return 0;
}

static int read_pad_mode(const struct mch_onnx_op *op, enum pad_mode *mode)
{
	static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
	char text[16];
	int i = 0;
	if (mch_onnx_text(&op->node, "mode", "constant", text, sizeof(text)) != 0)
		return -1;
	while (i < 4 && strcmp(text, names[i]) != 0)
		i++;
	*mode = (enum pad_mode)i;
	return i < 4 ? 0 : mch_onnx_err(&op->node, "mode \"%s\" is not known; change the layer", text);
}

static int emit_pick(const struct mch_onnx_op *op, const struct mch_onnx_value *x, const struct mch_onnx_pick *pick)
{
	struct mch_onnx_dims dims = mch_onnx_inner(op, x);
	const int edge = mch_onnx_pick(op, x->edge, &dims, pick);
	return edge < 0 ? -1 : mch_onnx_emit(op, 0, edge, &dims, x->type);
}

int mch_onnx_read_pad(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[4];
	struct mch_onnx_list pads, axes;
	struct mch_onnx_pick pick = {.kind = MCH_PAD};
	enum pad_mode mode;
	double fill;
	if (mch_onnx_inputs(op, 1, 4, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    read_pad_mode(op, &mode) != 0 || mch_onnx_real(&op->node, "value", 0, &fill) != 0 ||
	    mch_onnx_list(op, mch_onnx_find(&op->node, "paddings") ? "paddings" : "pads", &in[1], &pads) != 0 ||
	    mch_onnx_list(op, "axes", &in[3], &axes) != 0)
		return -1;
	pick.fill = (float)fill;
	if (in[2].name[0] && mode == PAD_CONSTANT && mch_onnx_scalar(op, &in[2], &pick.fill) != 0)
		return -1;
	const int status = pad_axes(op, &in[0], &pads, &axes, mode, &pick) != 0 ? -1 : emit_pick(op, &in[0], &pick);
	mch_onnx_pick_free(&pick);
	return status;
}

/* How positions of the output are those of the input (the standard's coordinate_transformation_mode), and how a
 * position between two elements is one of them (nearest_mode). */
struct resize {
	char coordinates[24], nearest[24];
};

/* Element of n_in that element i of n_out shows; scale: n_out / n_in, but for rounding. */
static int64_t nearest(const struct resize *r, int64_t i, int64_t n_in, int64_t n_out, double scale)
{
	double x = ((double)i + 0.5) / scale - 0.5, y;
	if (strcmp(r->coordinates, "asymmetric") == 0)
		x = (double)i / scale;
	else if (strcmp(r->coordinates, "align_corners") == 0)
		x = n_out > 1 ? (double)i * (double)(n_in - 1) / (double)(n_out - 1) : 0;
	else if (strcmp(r->coordinates, "pytorch_half_pixel") == 0)
		x = n_out > 1 ? x : 0;
	else if (strcmp(r->coordinates, "half_pixel_symmetric") == 0)
		x += (double)n_in / 2 * (1 - (double)n_out / (scale * (double)n_in));
	else if (strcmp(r->coordinates, "tf_half_pixel_for_nn") == 0)
		x = ((double)i + 0.5) / scale;
	if (strcmp(r->nearest, "floor") == 0)
		y = floor(x);
	else if (strcmp(r->nearest, "ceil") == 0)
		y = ceil(x);
	else if (strcmp(r->nearest, "round_prefer_ceil") == 0)
		y = floor(x + 0.5);
	else
		y = ceil(x - 0.5);
	return y < 0 ? 0 : y > (double)(n_in - 1) ? n_in - 1 : (int64_t)y;
}

static bool is_one_of(const char *text, const char *const *words)
{
	while (*words && strcmp(text, *words) != 0)
		words++;
	return *words != NULL;
}

/* Upsample, and Resize before operator set 11, took the element at or before i / scale. */
static int read_modes(const struct mch_onnx_op *op, struct resize *r)
{
	static const char *const coordinates[] = {"half_pixel",
						  "half_pixel_symmetric",
						  "pytorch_half_pixel",
						  "align_corners",
						  "asymmetric",
						  "tf_half_pixel_for_nn",
						  NULL};
	static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
	const bool is_old = op->g->opset < 11 || op->node.proto->op_type[0] == 'U';
	char mode[16], aspect[16];
	int antialias;
	if (mch_onnx_text(&op->node, "mode", "nearest", mode, sizeof(mode)) != 0 ||
	    mch_onnx_text(&op->node, "coordinate_transformation_mode", is_old ? "asymmetric" : "half_pixel",
			  r->coordinates, sizeof(r->coordinates)) != 0 ||
	    mch_onnx_text(&op->node, "nearest_mode", is_old ? "floor" : "round_prefer_floor", r->nearest,
			  sizeof(r->nearest)) != 0 ||
	    mch_onnx_text(&op->node, "keep_aspect_ratio_policy", "stretch", aspect, sizeof(aspect)) != 0 ||
	    mch_onnx_int(&op->node, "antialias", 0, 1, 0, &antialias) != 0)
		return -1;
	if (strcmp(mode, "nearest") != 0)
		return mch_onnx_err(&op->node, "mode \"%s\" is not supported, only \"nearest\" is; change the layer",
				    mode);
	if (!is_one_of(r->coordinates, coordinates) || !is_one_of(r->nearest, roundings) ||
	    strcmp(aspect, "stretch") != 0 || antialias)
		return mch_onnx_err(&op->node, "the form %s, %s, %s%s is not supported; change the layer",
				    r->coordinates, r->nearest, aspect, antialias ? ", antialias" : "");
	return 0;
}

/* The scale of each dimension, in out; NaN where sizes tell the output alone. An attribute (Upsample 7) or an input.
 */
static int read_scales(const struct mch_onnx_op *op, const struct mch_onnx_value *v, int n, double *out)
{
	const MchOnnx__AttributeProto *a = mch_onnx_find(&op->node, "scales");
	float *values = NULL;
	size_t n_found = a ? a->n_floats : 0;
	if (!a && mch_onnx_f32(op, v, &values, &n_found) != 0)
		return -1;
	int status = 0;
	if (n_found != (size_t)n)
		status = mch_onnx_err(&op->node, "%zu scales for %d dimensions; export the model again", n_found, n);
	for (int i = 0; status == 0 && i < n; i++) {
		out[i] = (double)(a ? a->floats[i] : values[i]);
		if (!(out[i] > 0) || out[i] > MCH_BUILD_SIDE_MAX)
			status = mch_onnx_err(&op->node, "a scale of %g is out of range; change the layer", out[i]);
	}
	free(values);
	return status;
}

static bool is_there(const struct mch_onnx_value *v)
{
	return v->name[0] && !(v->rank == 1 && v->dims[0] == 0);
}

static int resize_axes(const struct mch_onnx_op *op, const struct resize *r, const struct mch_onnx_value *in,
		       struct mch_onnx_pick *pick)
{
	const struct mch_onnx_value *x = &in[0];
	const bool has_sizes = is_there(&in[3]), has_roi = op->g->opset >= 11 && op->node.proto->op_type[0] == 'R';
	struct mch_onnx_list axes, sizes = {.is_given = false};
	double scale[MCH_ONNX_RANK_MAX];
	if (mch_onnx_list(op, "axes", NULL, &axes) != 0 ||
	    (has_sizes && mch_onnx_list(op, "sizes", &in[3], &sizes) != 0))
		return -1;
	const int n = axes.is_given ? axes.n : x->rank;
	if (n > MCH_ONNX_RANK_MAX || (has_sizes && sizes.n != n))
		return mch_onnx_err(&op->node, "%d sizes for %d dimensions; export the model again", sizes.n, n);
	if (!has_sizes && read_scales(op, &in[has_roi ? 2 : 1], n, scale) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		int at;
		if (mch_onnx_any_axis(op, axes.is_given ? axes.v[i] : i, x->rank, &at) != 0)
			return -1;
		if (at < op->g->n_batch) {
			if (has_sizes ? sizes.v[i] == x->dims[0] || sizes.v[i] == 1 : scale[i] == 1)
				continue;
			return mch_onnx_err(&op->node, "it resizes the batch; change the model");
		}
		const int d = at - op->g->n_batch;
		const int64_t n_in = x->dims[at];
		const int64_t n_out = has_sizes ? sizes.v[i] : (int64_t)floor((double)n_in * scale[i]);
		if (n_out == n_in && (has_sizes || scale[i] == 1))
			continue;
		if (mch_onnx_pick_alloc(op, pick, d, n_out) != 0)
			return -1;
		for (int64_t j = 0; j < n_out; j++)
			pick->at[d][j] =
				(int)nearest(r, j, n_in, n_out, has_sizes ? (double)n_out / (double)n_in : scale[i]);
	}
	return 0;
}

/* Inputs: x, scales (Upsample 9, Resize 10); x, roi, scales, sizes (Resize 11 and up). */
int mch_onnx_read_resize(const struct mch_onnx_op *op)
{
	struct mch_onnx_value in[4];
	struct mch_onnx_pick pick = {.kind = MCH_UPSAMPLE};
	struct resize r;
	if (mch_onnx_inputs(op, 1, 4, in) != 0 || mch_onnx_require_edge(op, &in[0], 0) != 0 ||
	    read_modes(op, &r) != 0)
		return -1;
	const int status = resize_axes(op, &r, in, &pick) != 0 ? -1 : emit_pick(op, &in[0], &pick);
	mch_onnx_pick_free(&pick);
	return status;
}
