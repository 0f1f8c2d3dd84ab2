/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Values, memory and steps of a float graph; see dnnl_graph.h and dnnl_value.h. Every value is seen as
 * [n][c][h][w] in whatever layout its producer chose; an operator that wants another one gets a reorder in front. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/dnnl_value.h"

int mch_dnnl_no_memory(struct mch_err *err)
{
	return mch_err_set(err, "oneDNN", "out of memory; use smaller batches or a machine with more");
}

dnnl_memory_desc_t mch_dnnl_plain_desc(struct mch_shape s)
{
	return mch_dnnl_desc4(s.n, s.c, s.h, s.w, dnnl_f32, dnnl_nchw);
}

dnnl_memory_desc_t mch_dnnl_any_desc(struct mch_shape s)
{
	return mch_dnnl_desc4(s.n, s.c, s.h, s.w, dnnl_f32, dnnl_format_tag_any);
}

/* Room for `more` further items of a list; the list is doubled, so that its owner need not remember its room. */
static int reserve(void *list, int n, int more, size_t item_bytes, struct mch_err *err)
{
	void **at = list;
	int room = 16, need = n + more;
	while (room < n)
		room *= 2;
	if (*at && need <= room)
		return 0;
	while (room < need)
		room *= 2;
	void *moved = realloc(*at, (size_t)room * item_bytes);
	if (!moved)
		return mch_dnnl_no_memory(err);
	*at = moved;
	return 0;
}

struct mch_dnnl_graph *mch_dnnl_graph_new(int batch, enum mch_dnnl_kernels kernels, struct mch_err *err)
{
	struct mch_dnnl_graph *graph = calloc(1, sizeof(*graph));
	if (!graph) {
		mch_dnnl_no_memory(err);
		return NULL;
	}
	graph->batch = batch;
	graph->kernels = kernels;
	if (mch_dnnl_open(&graph->lib, err) != 0) {
		free(graph);
		return NULL;
	}
	return graph;
}

void mch_dnnl_graph_free(struct mch_dnnl_graph *graph)
{
	if (!graph)
		return;
	for (int i = 0; i < graph->n_steps; i++)
		if (graph->steps[i].primitive)
			dnnl_primitive_destroy(graph->steps[i].primitive);
	for (int i = 0; i < graph->n_memories; i++)
		if (graph->memories[i].constant)
			dnnl_memory_destroy(graph->memories[i].constant);
	mch_dnnl_close(&graph->lib);
	free(graph->values);
	free(graph->memories);
	free(graph->places);
	free(graph->uses);
	free(graph->steps);
	free(graph);
}

static int add_memory(struct mch_dnnl_graph *graph, const dnnl_memory_desc_t *desc, int place, dnnl_memory_t constant,
		      struct mch_err *err)
{
	if (reserve(&graph->memories, graph->n_memories, 1, sizeof(*graph->memories), err) != 0)
		return -1;
	graph->memories[graph->n_memories] = (struct mch_dnnl_memory){*desc, place, constant};
	return graph->n_memories++;
}

int mch_dnnl_add_memory(struct mch_dnnl_graph *graph, const dnnl_memory_desc_t *desc, struct mch_err *err)
{
	if (reserve(&graph->places, graph->n_places, 1, sizeof(*graph->places), err) != 0)
		return -1;
	const int memory = add_memory(graph, desc, graph->n_places, NULL, err);
	if (memory < 0)
		return -1;
	graph->places[graph->n_places++] = (struct mch_place){.bytes = dnnl_memory_desc_get_size(desc), .parent = -1,
							      .born = INT_MAX, .dies = -1};
	return memory;
}

int mch_dnnl_add_view(struct mch_dnnl_graph *graph, int memory, const dnnl_memory_desc_t *desc, struct mch_err *err)
{
	dnnl_memory_t constant = NULL;
	void *data = NULL;
	if (graph->memories[memory].constant) {
		dnnl_memory_get_data_handle(graph->memories[memory].constant, &data);
		if (mch_dnnl_memory(&graph->lib, desc, data, &constant, err) != 0)
			return -1;
	}
	const int view = add_memory(graph, desc, graph->memories[memory].place, constant, err);
	if (view < 0 && constant)
		dnnl_memory_destroy(constant);
	return view;
}

int mch_dnnl_add_constant(struct mch_dnnl_graph *graph, const float *data, const dnnl_memory_desc_t *as,
			  const dnnl_memory_desc_t *want, struct mch_err *err)
{
	dnnl_memory_t from, to = NULL;
	/* The library only reads it. */
	if (mch_dnnl_memory(&graph->lib, as, (void *)(uintptr_t)data, &from, err) != 0)
		return -1;
	int memory = -1;
	if (mch_dnnl_memory(&graph->lib, want, NULL, &to, err) == 0 &&
	    mch_dnnl_reorder(&graph->lib, from, to, err) == 0)
		memory = add_memory(graph, want, -1, to, err);
	if (memory < 0 && to)
		dnnl_memory_destroy(to);
	dnnl_memory_destroy(from);
	return memory;
}

int mch_dnnl_add_value(struct mch_dnnl_graph *graph, struct mch_shape shape, int memory, struct mch_err *err)
{
	if (memory < 0 || reserve(&graph->values, graph->n_values, 1, sizeof(*graph->values), err) != 0)
		return -1;
	shape.n = graph->batch;
	graph->values[graph->n_values] = (struct mch_dnnl_value){shape, memory, false};
	return graph->n_values++;
}

/* Memory is alive from the first to the last step that names it. */
static void use(struct mch_dnnl_graph *graph, struct mch_dnnl_use used)
{
	const int place = graph->memories[used.memory].place;
	graph->uses[graph->n_uses++] = used;
	if (place < 0)
		return;
	if (graph->places[place].born > graph->n_steps)
		graph->places[place].born = graph->n_steps;
	graph->places[place].dies = graph->n_steps;
}

/* scratch: memory, or -1. */
static int add_step(struct mch_dnnl_graph *graph, struct mch_dnnl_step step, int n_uses,
		    const struct mch_dnnl_use *uses, int scratch, struct mch_err *err)
{
	if (reserve(&graph->steps, graph->n_steps, 1, sizeof(*graph->steps), err) != 0 ||
	    reserve(&graph->uses, graph->n_uses, n_uses + 1, sizeof(*graph->uses), err) != 0)
		return -1;
	step.over_from = step.over_to = -1;
	step.first_use = graph->n_uses;
	for (int i = 0; i < n_uses; i++)
		use(graph, uses[i]);
	if (scratch >= 0)
		use(graph, (struct mch_dnnl_use){DNNL_ARG_SCRATCHPAD, scratch});
	step.n_uses = graph->n_uses - step.first_use;
	graph->steps[graph->n_steps] = step;
	return graph->n_steps++;
}

int mch_dnnl_add_step(struct mch_dnnl_graph *graph, dnnl_primitive_desc_t pd, int n_uses,
		      const struct mch_dnnl_use *uses, struct mch_err *err)
{
	const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
	struct mch_dnnl_step step = {0};
	int status = mch_dnnl_status(dnnl_primitive_create(&step.primitive, pd), "compiling", err), memory = -1;
	if (status == 0 && scratch && dnnl_memory_desc_get_size(scratch) > 0) {
		memory = mch_dnnl_add_memory(graph, scratch, err);
		status = memory < 0 ? -1 : 0;
	}
	dnnl_primitive_desc_destroy(pd);
	const int index = status == 0 ? add_step(graph, step, n_uses, uses, memory, err) : -1;
	if (index < 0 && step.primitive)
		dnnl_primitive_destroy(step.primitive);
	return index;
}

void mch_dnnl_may_overwrite(struct mch_dnnl_graph *graph, int step, int from, int to)
{
	if (dnnl_memory_desc_equal(&graph->memories[from].desc, &graph->memories[to].desc)) {
		graph->steps[step].over_from = graph->memories[from].place;
		graph->steps[step].over_to = graph->memories[to].place;
	}
}

int mch_dnnl_in_layout(struct mch_dnnl_graph *graph, int memory, const dnnl_memory_desc_t *want, struct mch_err *err)
{
	if (dnnl_memory_desc_equal(&graph->memories[memory].desc, want))
		return memory;
	dnnl_primitive_desc_t pd;
	const int to = mch_dnnl_add_memory(graph, want, err);
	if (to < 0 || mch_dnnl_describe_reorder(&graph->lib, &graph->memories[memory].desc, want, &pd, err) != 0)
		return -1;
	const struct mch_dnnl_use uses[] = {{DNNL_ARG_FROM, memory}, {DNNL_ARG_TO, to}};
	return mch_dnnl_add_step(graph, pd, 2, uses, err) < 0 ? -1 : to;
}

int mch_dnnl_add_simple(struct mch_dnnl_graph *graph, int from, dnnl_primitive_desc_t pd, int n_more,
			const struct mch_dnnl_use *more, struct mch_err *err)
{
	struct mch_dnnl_use uses[MCH_DNNL_ARGS_MAX];
	const dnnl_memory_desc_t *want = dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0),
				 *made = dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
	const int src = mch_dnnl_in_layout(graph, from, want, err);
	const int dst = src < 0 ? -1 : mch_dnnl_add_memory(graph, made, err);
	if (dst < 0) {
		dnnl_primitive_desc_destroy(pd);
		return -1;
	}
	uses[0] = (struct mch_dnnl_use){DNNL_ARG_SRC, src};
	uses[1] = (struct mch_dnnl_use){DNNL_ARG_DST, dst};
	MCH_REQUIRE(n_more + 2 <= MCH_DNNL_ARGS_MAX, "a simple step has few arguments");
	for (int i = 0; i < n_more; i++)
		uses[i + 2] = more[i];
	return mch_dnnl_add_step(graph, pd, n_more + 2, uses, err) < 0 ? -1 : dst;
}

int mch_dnnl_graph_input(struct mch_dnnl_graph *graph, struct mch_shape shape, struct mch_err *err)
{
	MCH_REQUIRE(graph->n_values == 0 && graph->n_memories == 0, "the input comes first");
	shape.n = graph->batch;
	const dnnl_memory_desc_t desc = mch_dnnl_plain_desc(shape);
	return mch_dnnl_add_value(graph, shape, mch_dnnl_add_memory(graph, &desc, err), err);
}

void mch_dnnl_graph_want(struct mch_dnnl_graph *graph, int value)
{
	graph->values[value].is_wanted = true;
}

int mch_dnnl_graph_call(struct mch_dnnl_graph *graph, int n, const int *x, struct mch_shape shape,
			struct mch_dnnl_plain plain, struct mch_err *err)
{
	shape.n = graph->batch;
	const dnnl_memory_desc_t desc = mch_dnnl_plain_desc(shape);
	struct mch_dnnl_use *uses = malloc(((size_t)n + 1) * sizeof(*uses));
	int status = uses ? 0 : mch_dnnl_no_memory(err), y = -1;
	for (int i = 0; status == 0 && i < n; i++) {
		const dnnl_memory_desc_t want = mch_dnnl_plain_desc(graph->values[x[i]].shape);
		uses[i].arg = 0;
		uses[i].memory = mch_dnnl_in_layout(graph, graph->values[x[i]].memory, &want, err);
		status = uses[i].memory < 0 ? -1 : 0;
	}
	if (status == 0)
		y = mch_dnnl_add_memory(graph, &desc, err);
	if (y >= 0) {
		uses[n] = (struct mch_dnnl_use){0, y};
		if (add_step(graph, (struct mch_dnnl_step){.plain = plain}, n + 1, uses, -1, err) < 0)
			y = -1;
	}
	free(uses);
	return mch_dnnl_add_value(graph, shape, y, err);
}
