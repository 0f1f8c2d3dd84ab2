/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pools and the normalization within a channel as ONNX; see onnx_emit.h. Programs differ in what they make of
 * ceil_mode: some drop a last window that starts in the padding, some do not, and the divisors of means differ
 * with them. What is written here has one meaning only. */
#include "io/onnx_emit.h"

/* One axis of a pool. */
struct axis {
	int size, reach, stride, begin, end;
	int n;          /* windows */
	int ends;       /* padding at the end that the windows touch, `end` or not */
	bool is_native; /* all programs count as many windows */
	bool overhangs; /* the last window goes past the padding: only in ceil mode */
};

static struct axis axis(int size, int kernel, int dilation, int stride, int begin, int end, int n, bool ceil_mode)
{
	struct axis a = {.size = size,
			 .reach = (kernel - 1) * dilation + 1,
			 .stride = stride,
			 .begin = begin,
			 .end = end,
			 .n = n};
	const int room = size + begin + end - a.reach;
	const int touched = (n - 1) * stride + a.reach - size - begin;
	a.ends = touched > 0 ? touched : 0;
	a.overhangs = touched > end;
	/* Without the rule that drops a window; and not larger than the whole input. */
	a.is_native = !ceil_mode || (room >= 0 && (room + stride - 1) / stride + 1 == n);
	return a;
}

static void put_pool(struct mch_emit *e, MchOnnx__NodeProto *node, const int pads[4], bool ceil_mode,
		     bool count_pad)
{
	const struct mch_pool *g = &e->layer->pool;
	const bool is_mean = e->layer->kind == MCH_POOL_AVG, has_holes = g->dilation_h != 1 || g->dilation_w != 1;
	mch_emit_int(e, node, "ceil_mode", ceil_mode);
	if (is_mean)
		mch_emit_int(e, node, "count_include_pad", count_pad);
	if (has_holes)
		mch_emit_ints(e, node, "dilations", 2, (const int[]){g->dilation_h, g->dilation_w});
	mch_emit_ints(e, node, "kernel_shape", 2, (const int[]){g->r, g->s});
	mch_emit_ints(e, node, "pads", 4, pads);
	mch_emit_ints(e, node, "strides", 2, (const int[]){g->stride_h, g->stride_w});
	if (is_mean && has_holes && e->opset < 19)
		e->opset = 19;
}

/* The padding as values of the input: they count in the mean of whoever leaves padding out. */
static const char *put_zeros(struct mch_emit *e)
{
	const struct mch_pool *g = &e->layer->pool;
	const int64_t pads[] = {0, 0, g->pad_top, g->pad_left, 0, 0, g->pad_bottom, g->pad_right};
	MchOnnx__NodeProto *node = mch_emit_node(e, "Pad", "pad");
	mch_emit_input(e, node, e->in[0]);
	mch_emit_longs(e, node, "pads", 8, pads);
	return mch_emit_output(node);
}

void mch_emit_pool(struct mch_emit *e)
{
	const struct mch_pool *g = &e->layer->pool;
	const bool is_mean = e->layer->kind == MCH_POOL_AVG;
	mch_emit_image(e, 0);
	e->rank[e->layer->out[0]] = 4;
	const struct axis h = axis(g->h, g->r, g->dilation_h, g->stride_h, g->pad_top, g->pad_bottom, mch_pool_p(g),
				   g->ceil_mode);
	const struct axis w = axis(g->w, g->s, g->dilation_w, g->stride_w, g->pad_left, g->pad_right, mch_pool_q(g),
				   g->ceil_mode);
	const bool counts_pad = is_mean && g->count_include_pad;
	const char *x = e->in[0];
	if (h.is_native && w.is_native && !(counts_pad && (h.overhangs || w.overhangs))) {
		MchOnnx__NodeProto *node = mch_emit_node(e, is_mean ? "AveragePool" : "MaxPool", NULL);
		mch_emit_input(e, node, x);
		put_pool(e, node, (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right}, g->ceil_mode,
			 counts_pad);
		return;
	}
	/* Explicit padding up to where the last window ends, and the mean over what is not padding. Of Caffe's
	 * means the padding up to `end` counts, what is beyond does not: the former becomes part of the input. */
	int pads[] = {g->pad_top, g->pad_left, h.ends, w.ends};
	if (counts_pad && (g->pad_top || g->pad_left || g->pad_bottom || g->pad_right)) {
		x = put_zeros(e);
		pads[0] = pads[1] = 0;
		pads[2] = h.overhangs ? h.ends - h.end : 0;
		pads[3] = w.overhangs ? w.ends - w.end : 0;
	}
	MchOnnx__NodeProto *node = mch_emit_node(e, is_mean ? "AveragePool" : "MaxPool", NULL);
	mch_emit_input(e, node, x);
	put_pool(e, node, pads, false, false);
	e->is_marked = true;
}

/* A step of a chain: OP(value, number). */
static const char *put_step(struct mch_emit *e, const char *op_type, const char *part, const char *value,
			    double number)
{
	MchOnnx__NodeProto *node = mch_emit_node(e, op_type, part);
	mch_emit_input(e, node, value);
	mch_emit_scalar(e, node, part, (float)number);
	return mch_emit_output(node);
}

/* x / (1 + alpha * mean of x^2)^beta, zeros beyond the edge: count_include_pad makes the mean the sum / size^2. */
void mch_emit_within_lrn(struct mch_emit *e)
{
	const struct mch_lrn *lrn = &e->layer->lrn;
	const int reach = lrn->size / 2;
	MchOnnx__NodeProto *square = mch_emit_node(e, "Mul", "square");
	mch_emit_input(e, square, e->in[0]);
	mch_emit_input(e, square, e->in[0]);
	MchOnnx__NodeProto *mean = mch_emit_node(e, "AveragePool", "mean");
	mch_emit_input(e, mean, mch_emit_output(square));
	mch_emit_int(e, mean, "count_include_pad", 1);
	mch_emit_ints(e, mean, "kernel_shape", 2, (const int[]){lrn->size, lrn->size});
	mch_emit_ints(e, mean, "pads", 4, (const int[]){reach, reach, reach, reach});
	mch_emit_ints(e, mean, "strides", 2, (const int[]){1, 1});
	const char *value = put_step(e, "Mul", "alpha", mch_emit_output(mean), lrn->alpha);
	value = put_step(e, "Add", "one", value, 1);
	value = put_step(e, "Pow", "beta", value, lrn->beta);
	MchOnnx__NodeProto *div = mch_emit_node(e, "Div", NULL);
	mch_emit_input(e, div, e->in[0]);
	mch_emit_input(e, div, value);
	e->rank[e->layer->out[0]] = 4;
	e->is_marked = true;
}
