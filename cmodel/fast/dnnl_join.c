/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Operators of the float graph that join values or only move them; see dnnl_graph.h. */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/dnnl_value.h"

int mch_dnnl_graph_constant(struct mch_dnnl_graph *graph, struct mch_shape shape, const float *data,
			    struct mch_err *err)
{
	const size_t elems = mch_shape_elems(shape);
	shape.n = graph->batch;
	const dnnl_memory_desc_t desc = mch_dnnl_plain_desc(shape);
	float *all = malloc((size_t)graph->batch * elems * sizeof(*all));
	if (!all)
		return mch_dnnl_no_memory(err);
	for (size_t i = 0; i < (size_t)graph->batch; i++)
		memcpy(all + i * elems, data, elems * sizeof(*all));
	const int memory = mch_dnnl_add_constant(graph, all, &desc, &desc, err);
	free(all);
	return mch_dnnl_add_value(graph, shape, memory, err);
}

static bool is_same_shape(struct mch_shape a, struct mch_shape b)
{
	return a.c == b.c && a.h == b.h && a.w == b.w;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static struct mch_shape widest(const struct mch_dnnl_graph *graph, int n, const int *x)
{
	struct mch_shape all = graph->values[x[0]].shape;
	for (int i = 1; i < n; i++) {
		const struct mch_shape s = graph->values[x[i]].shape;
		all = (struct mch_shape){s.n, larger(s.c, all.c), larger(s.h, all.h), larger(s.w, all.w)};
	}
	return all;
}

/* a * x0 + b * x1, of one layout; the memory of the result. */
static int append_sum(struct mch_dnnl_graph *graph, const int x[2], const float coefficients[2], struct mch_err *err)
{
	const dnnl_memory_desc_t descs[2] = {graph->memories[x[0]].desc, graph->memories[x[1]].desc};
	dnnl_primitive_attr_t attr;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_attr(NULL, &attr, err) != 0)
		return -1;
	const dnnl_status_t status =
		dnnl_sum_primitive_desc_create(&pd, &descs[0], 2, coefficients, descs, attr, graph->lib.engine);
	dnnl_primitive_attr_destroy(attr);
	if (mch_dnnl_status(status, "sum", err) != 0)
		return -1;
	const int to = mch_dnnl_add_memory(graph, &descs[0], err);
	const struct mch_dnnl_use uses[] = {{DNNL_ARG_MULTIPLE_SRC, x[0]}, {DNNL_ARG_MULTIPLE_SRC + 1, x[1]},
					    {DNNL_ARG_DST, to}};
	if (to < 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	return mch_dnnl_add_step(graph, pd, 3, uses, err) < 0 ? -1 : to;
}

/* x0 op x1, x1 repeated where it has a side of 1; the memory of the result. */
static int append_binary(struct mch_dnnl_graph *graph, dnnl_alg_kind_t alg, const int x[2], struct mch_err *err)
{
	const dnnl_memory_desc_t first = graph->memories[x[0]].desc, second = graph->memories[x[1]].desc;
	const struct mch_dnnl_use more = {DNNL_ARG_SRC_1, x[1]};
	dnnl_binary_desc_t op;
	dnnl_primitive_desc_t pd;
	if (mch_dnnl_status(dnnl_binary_desc_init(&op, alg, &first, &second, &first), "elementwise", err) != 0 ||
	    mch_dnnl_describe(&graph->lib, &op, NULL, "elementwise", &pd, err) != 0)
		return -1;
	const int to = mch_dnnl_add_simple(graph, x[0], pd, 1, &more, err);
	if (to >= 0)
		mch_dnnl_may_overwrite(graph, graph->n_steps - 1, x[0], to);
	return to;
}

int mch_dnnl_graph_join(struct mch_dnnl_graph *graph, enum mch_dnnl_join kind, int n, const int *x,
			const float *coefficients, struct mch_err *err)
{
	const dnnl_alg_kind_t alg = kind == MCH_JOIN_SUM ? dnnl_binary_add
				    : kind == MCH_JOIN_PROD ? dnnl_binary_mul
							    : dnnl_binary_max;
	const struct mch_shape shape = widest(graph, n, x);
	int begin = 0;
	while (begin < n && !is_same_shape(graph->values[x[begin]].shape, shape))
		begin++;
	MCH_REQUIRE(n >= 2 && begin < n, "one input has the result's shape");
	int pair[2] = {graph->values[x[begin]].memory, -1};
	float so_far = coefficients ? coefficients[begin] : 1;
	for (int i = 0; i < n; i++) {
		const struct mch_shape s = graph->values[x[i]].shape;
		const dnnl_memory_desc_t want =
			is_same_shape(s, shape) ? graph->memories[pair[0]].desc : mch_dnnl_plain_desc(s);
		if (i == begin)
			continue;
		MCH_REQUIRE(!coefficients || is_same_shape(s, shape), "terms with coefficients are not repeated");
		pair[1] = mch_dnnl_in_layout(graph, graph->values[x[i]].memory, &want, err);
		if (pair[1] < 0)
			return -1;
		const float both[2] = {so_far, coefficients ? coefficients[i] : 1};
		so_far = 1;
		pair[0] = coefficients ? append_sum(graph, pair, both, err) : append_binary(graph, alg, pair, err);
		if (pair[0] < 0)
			return -1;
	}
	return mch_dnnl_add_value(graph, shape, pair[0], err);
}

static const dnnl_memory_desc_t *desc_of(const struct mch_dnnl_graph *graph, int value)
{
	return &graph->memories[graph->values[value].memory].desc;
}

/* Channels of one image, `block` by `block`, lie one behind the other, and so do those of a concatenation: then
 * its parts can be made in their places. Each must have a place of its own, which is not the caller's. */
static bool fits_in_place(const struct mch_dnnl_graph *graph, int n, const int *x, dnnl_format_tag_t tag, int block)
{
	bool fits = graph->batch == 1;
	for (int i = 0; fits && i < n; i++) {
		const struct mch_shape s = graph->values[x[i]].shape;
		const dnnl_memory_desc_t want = mch_dnnl_desc4(s.n, s.c, s.h, s.w, dnnl_f32, tag);
		const int place = graph->memories[graph->values[x[i]].memory].place;
		fits = s.c % block == 0 && place > 0 && graph->places[place].parent < 0 &&
		       dnnl_memory_desc_equal(&want, desc_of(graph, x[i]));
		for (int j = 0; fits && j < i; j++)
			fits = graph->memories[graph->values[x[j]].memory].place != place;
	}
	return fits;
}

static int concat_in_place(struct mch_dnnl_graph *graph, int n, const int *x, struct mch_shape shape,
			   dnnl_format_tag_t tag, struct mch_err *err)
{
	const dnnl_memory_desc_t desc = mch_dnnl_desc4(1, shape.c, shape.h, shape.w, dnnl_f32, tag);
	const int memory = mch_dnnl_add_memory(graph, &desc, err);
	size_t offset = 0;
	if (memory < 0)
		return -1;
	for (int i = 0; i < n; i++) {
		struct mch_place *part = &graph->places[graph->memories[graph->values[x[i]].memory].place];
		part->parent = graph->memories[memory].place;
		part->offset = offset;
		offset += part->bytes;
	}
	return mch_dnnl_add_value(graph, shape, memory, err);
}

static int concat_copied(struct mch_dnnl_graph *graph, int n, const int *x, struct mch_shape shape, int axis,
			 struct mch_dnnl_use *uses, dnnl_memory_desc_t *descs, struct mch_err *err)
{
	dnnl_primitive_attr_t attr;
	dnnl_primitive_desc_t pd;
	for (int i = 0; i < n; i++) {
		uses[i] = (struct mch_dnnl_use){DNNL_ARG_MULTIPLE_SRC + i, graph->values[x[i]].memory};
		descs[i] = *desc_of(graph, x[i]);
	}
	if (mch_dnnl_attr(NULL, &attr, err) != 0)
		return -1;
	const dnnl_status_t status =
		dnnl_concat_primitive_desc_create(&pd, NULL, n, axis, descs, attr, graph->lib.engine);
	dnnl_primitive_attr_destroy(attr);
	if (mch_dnnl_status(status, "concatenation", err) != 0)
		return -1;
	const int to = mch_dnnl_add_memory(graph, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0), err);
	if (to < 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	uses[n] = (struct mch_dnnl_use){DNNL_ARG_DST, to};
	if (mch_dnnl_add_step(graph, pd, n + 1, uses, err) < 0)
		return -1;
	return mch_dnnl_add_value(graph, shape, to, err);
}

int mch_dnnl_graph_concat(struct mch_dnnl_graph *graph, int n, const int *x, int axis, struct mch_err *err)
{
	static const struct {
		dnnl_format_tag_t tag;
		int block;
	} layout[] = {{dnnl_nChw16c, 16}, {dnnl_nChw8c, 8}, {dnnl_nchw, 1}};
	struct mch_shape shape = graph->values[x[0]].shape;
	int *side = axis == 1 ? &shape.c : axis == 2 ? &shape.h : &shape.w;
	for (int i = 1; i < n; i++) {
		const struct mch_shape s = graph->values[x[i]].shape;
		*side += axis == 1 ? s.c : axis == 2 ? s.h : s.w;
	}
	for (size_t i = 0; axis == 1 && i < sizeof(layout) / sizeof(layout[0]); i++)
		if (fits_in_place(graph, n, x, layout[i].tag, layout[i].block))
			return concat_in_place(graph, n, x, shape, layout[i].tag, err);
	struct mch_dnnl_use *uses = malloc(((size_t)n + 1) * sizeof(*uses));
	dnnl_memory_desc_t *descs = malloc((size_t)n * sizeof(*descs));
	const int y = uses && descs ? concat_copied(graph, n, x, shape, axis, uses, descs, err)
				    : mch_dnnl_no_memory(err);
	free(uses);
	free(descs);
	return y;
}

int mch_dnnl_graph_reshape(struct mch_dnnl_graph *graph, int x, struct mch_shape shape, struct mch_err *err)
{
	shape.n = graph->batch;
	const dnnl_memory_desc_t ordered = mch_dnnl_plain_desc(graph->values[x].shape),
				 seen = mch_dnnl_plain_desc(shape);
	const int from = mch_dnnl_in_layout(graph, graph->values[x].memory, &ordered, err);
	return from < 0 ? -1 : mch_dnnl_add_value(graph, shape, mch_dnnl_add_view(graph, from, &seen, err), err);
}

int mch_dnnl_graph_transpose(struct mch_dnnl_graph *graph, int x, const int order[3], struct mch_err *err)
{
	const struct mch_shape s = graph->values[x].shape;
	const int size[3] = {s.c, s.h, s.w};
	const struct mch_shape shape = {s.n, size[order[0]], size[order[1]], size[order[2]]};
	const dnnl_memory_desc_t want = mch_dnnl_plain_desc(shape);
	dnnl_memory_desc_t seen;
	int moved_to[4] = {0};
	for (int i = 0; i < 3; i++)
		moved_to[order[i] + 1] = i + 1;
	const dnnl_status_t status = dnnl_memory_desc_permute_axes(&seen, desc_of(graph, x), moved_to);
	if (mch_dnnl_status(status, "transposing", err) != 0)
		return -1;
	const int view = mch_dnnl_add_view(graph, graph->values[x].memory, &seen, err);
	return view < 0 ? -1 : mch_dnnl_add_value(graph, shape, mch_dnnl_in_layout(graph, view, &want, err), err);
}
