/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Layers that pick values (struct mch_gather) as ONNX: Slice, Pad and Resize where they are one, else a Pad that
 * brings the fill and a Gather for each axis. See onnx_emit.h. */
#include <string.h>

#include "io/onnx_emit.h"

/* The indexes of one axis, 0 c, 1 h, 2 w. */
struct picks {
	int n, limit; /* indexes; they are below limit, or -1 */
	const int *at;
};

static struct picks picks(const struct mch_emit *e, int axis)
{
	const struct mch_gather *g = &e->layer->gather;
	const struct mch_shape s = e->net->edges[e->layer->in[0]].shape;
	const int n[] = {g->n_c, g->n_h, g->n_w}, limit[] = {s.c, s.h, s.w},
		  before[] = {0, g->n_c, g->n_c + g->n_h};
	return (struct picks){n[axis], limit[axis], g->at + before[axis]};
}

static bool is_same(const struct picks *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->at[i] != i)
			return false;
	return p->n == p->limit;
}

/* A reader would leave such a layer out. */
static bool is_nothing(const struct mch_emit *e)
{
	for (int axis = 0; axis < 3; axis++) {
		const struct picks p = picks(e, axis);
		if (!is_same(&p))
			return false;
	}
	return true;
}

static bool has_fill(const struct picks *p)
{
	for (int i = 0; i < p->n; i++)
		if (p->at[i] < 0)
			return true;
	return false;
}

static void begin(struct mch_emit *e)
{
	mch_emit_image(e, 0);
	e->rank[e->layer->out[0]] = 4;
}

/* y[i] = x[at[i]], an axis after the other; -1 picks what a Pad has put behind the last. */
static void put_gathers(struct mch_emit *e)
{
	static const char *const part[] = {"channels", "rows", "columns"};
	int64_t pads[8] = {0};
	int n_left = 0;
	const char *x = e->in[0];
	for (int axis = 0; axis < 3; axis++) {
		const struct picks p = picks(e, axis);
		pads[5 + axis] = has_fill(&p);
		n_left += !is_same(&p);
	}
	if (pads[5] || pads[6] || pads[7]) {
		MchOnnx__NodeProto *node = mch_emit_node(e, "Pad", "pad");
		mch_emit_input(e, node, x);
		mch_emit_longs(e, node, "pads", 8, pads);
		mch_emit_scalar(e, node, "fill", e->layer->gather.fill);
		x = mch_emit_output(node);
	}
	if (n_left == 0) /* a layer that does nothing */
		mch_emit_input(e, mch_emit_node(e, "Identity", NULL), x);
	for (int axis = 0; axis < 3; axis++) {
		const struct picks p = picks(e, axis);
		int64_t *at = mch_emit_room(e, (size_t)p.n * sizeof(*at));
		if (is_same(&p) || !at)
			continue;
		for (int i = 0; i < p.n; i++)
			at[i] = p.at[i] < 0 ? p.limit : p.at[i];
		MchOnnx__NodeProto *node = mch_emit_node(e, "Gather", --n_left > 0 ? part[axis] : NULL);
		mch_emit_input(e, node, x);
		mch_emit_longs(e, node, part[axis], (size_t)p.n, at);
		mch_emit_int(e, node, "axis", axis + 1);
		x = mch_emit_output(node);
	}
	e->is_marked = true;
}

/* A constant step from the first to the last. */
static bool is_even(const struct picks *p, int *step)
{
	*step = p->n > 1 ? p->at[1] - p->at[0] : 1;
	for (int i = 0; i < p->n; i++)
		if (p->at[i] < 0 || p->at[i] != p->at[0] + i * *step)
			return false;
	return *step != 0;
}

void mch_emit_slice(struct mch_emit *e)
{
	int64_t start[3], end[3], axes[3], steps[3];
	size_t n = 0;
	begin(e);
	for (int axis = 0; axis < 3; axis++) {
		const struct picks p = picks(e, axis);
		int step;
		if (!is_even(&p, &step)) {
			put_gathers(e);
			return;
		}
		if (is_same(&p))
			continue;
		start[n] = p.at[0];
		end[n] = (int64_t)p.at[p.n - 1] + (step > 0 ? 1 : -1);
		if (end[n] < 0) /* -1 would be the last one, counted from behind */
			end[n] = -(int64_t)p.limit - 1;
		axes[n] = axis + 1;
		steps[n++] = step;
	}
	if (n == 0) {
		put_gathers(e);
		return;
	}
	MchOnnx__NodeProto *node = mch_emit_node(e, "Slice", NULL);
	mch_emit_input(e, node, e->in[0]);
	mch_emit_longs(e, node, "starts", n, start);
	mch_emit_longs(e, node, "ends", n, end);
	mch_emit_longs(e, node, "axes", n, axes);
	mch_emit_longs(e, node, "steps", n, steps);
}

/* Fill, all of the input in its order, fill. */
static bool is_framed(const struct picks *p, int64_t *before, int64_t *after)
{
	int i = 0;
	while (i < p->n && p->at[i] < 0)
		i++;
	*before = i;
	*after = (int64_t)p->n - i - p->limit;
	for (int j = 0; j < p->limit; j++, i++)
		if (i >= p->n || p->at[i] != j)
			return false;
	while (i < p->n && p->at[i] < 0)
		i++;
	return i == p->n;
}

void mch_emit_pad(struct mch_emit *e)
{
	int64_t pads[8] = {0};
	begin(e);
	if (is_nothing(e)) {
		put_gathers(e);
		return;
	}
	for (int axis = 0; axis < 3; axis++) {
		const struct picks p = picks(e, axis);
		if (!is_framed(&p, &pads[1 + axis], &pads[5 + axis])) {
			put_gathers(e);
			return;
		}
	}
	MchOnnx__NodeProto *node = mch_emit_node(e, "Pad", NULL);
	mch_emit_input(e, node, e->in[0]);
	mch_emit_longs(e, node, "pads", 8, pads);
	mch_emit_scalar(e, node, "fill", e->layer->gather.fill);
	mch_emit_text(e, node, "mode", "constant");
}

/* Each value `scale` times. */
static bool is_repeated(const struct picks *p, float *scale)
{
	const int times = p->n / p->limit;
	*scale = (float)times;
	for (int i = 0; i < p->n; i++)
		if (p->at[i] != i / (times ? times : 1))
			return false;
	return times > 0 && p->n % p->limit == 0;
}

void mch_emit_upsample(struct mch_emit *e)
{
	float *scale = mch_emit_room(e, 4 * sizeof(*scale));
	begin(e);
	if (!scale)
		return;
	if (is_nothing(e)) {
		put_gathers(e);
		return;
	}
	scale[0] = 1;
	for (int axis = 0; axis < 3; axis++) {
		const struct picks p = picks(e, axis);
		if (!is_repeated(&p, &scale[1 + axis])) {
			put_gathers(e);
			return;
		}
	}
	MchOnnx__NodeProto *node = mch_emit_node(e, "Resize", NULL);
	mch_emit_input(e, node, e->in[0]);
	mch_emit_input(e, node, ""); /* the region of interest, which this mode has not */
	mch_emit_floats(e, node, "scales", scale, 1, (const int[]){4});
	mch_emit_text(e, node, "coordinate_transformation_mode", "asymmetric");
	mch_emit_text(e, node, "mode", "nearest");
	mch_emit_text(e, node, "nearest_mode", "floor");
}
