/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Placing the memory of a float graph, and running it; see dnnl_graph.h. */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/dnnl_value.h"

/* oneDNN wants to see its own alignment; an arena begins with room to reach it. */
enum { ARENA_ALIGN_BYTES = 4096 };

struct mch_dnnl_job {
	const struct mch_dnnl_graph *graph;
	dnnl_stream_t stream;
	char *raw, *arena;
	dnnl_memory_t *memory; /* [n_memories]; constants are the graph's */
	dnnl_exec_arg_t *args; /* [n_uses] */
	const float **plain_x; /* [n_uses] */
};

/* The step that touches anything inside this root last. */
static int last_touch(const struct mch_dnnl_graph *graph, int root)
{
	int last = -1;
	for (int i = 0; i < graph->n_places; i++) {
		size_t offset;
		if (graph->places[i].dies > last && mch_place_root(graph->places, i, &offset) == root)
			last = graph->places[i].dies;
	}
	return last;
}

/* What else a step reads inside `root` would be overwritten before its time: a part of it, repeated say. */
static bool reads_one_layout(const struct mch_dnnl_graph *graph, const struct mch_dnnl_step *step, int root)
{
	const dnnl_memory_desc_t *desc = NULL;
	for (int i = 0; i < step->n_uses; i++) {
		const struct mch_dnnl_memory *m = &graph->memories[graph->uses[step->first_use + i].memory];
		size_t offset;
		if (m->place < 0 || mch_place_root(graph->places, m->place, &offset) != root)
			continue;
		if (m->place != root || (desc && !dnnl_memory_desc_equal(desc, &m->desc)))
			return false;
		desc = &m->desc;
	}
	return true;
}

/* A step's result takes the place of its source when nothing reads the source, or what surrounds it, later. The
 * input is the caller's. */
static void overwrite(struct mch_dnnl_graph *graph, int index)
{
	const struct mch_dnnl_step *step = &graph->steps[index];
	const int from = step->over_from, to = step->over_to;
	size_t offset;
	if (from <= 0 || graph->places[from].parent >= 0 || last_touch(graph, from) != index ||
	    mch_place_root(graph->places, to, &offset) == from || !reads_one_layout(graph, step, from))
		return;
	graph->places[from].parent = to;
	graph->places[from].offset = 0;
}

int mch_dnnl_graph_compile(struct mch_dnnl_graph *graph, struct mch_err *err)
{
	int *order = malloc((size_t)graph->n_places * sizeof(*order));
	if (!order)
		return mch_dnnl_no_memory(err);
	for (int i = 0; i < graph->n_values; i++) {
		const int place = graph->memories[graph->values[i].memory].place;
		if (!graph->values[i].is_wanted || place < 0)
			continue;
		graph->places[place].dies = graph->n_steps;
		if (graph->places[place].born > graph->n_steps)
			graph->places[place].born = graph->n_steps;
	}
	graph->places[0].born = 0;
	for (int i = 0; i < graph->n_steps; i++)
		overwrite(graph, i);
	graph->borrows_input = graph->places[0].dies < graph->n_steps;
	if (graph->borrows_input)
		graph->places[0].bytes = 0;
	graph->arena_bytes = mch_place_all(graph->places, graph->n_places, order);
	free(order);
	return 0;
}

size_t mch_dnnl_graph_job_bytes(const struct mch_dnnl_graph *graph)
{
	return graph->arena_bytes;
}

size_t mch_dnnl_graph_weights_bytes(const struct mch_dnnl_graph *graph)
{
	size_t bytes = 0;
	for (int i = 0; i < graph->n_memories; i++)
		bytes += graph->memories[i].constant ? dnnl_memory_desc_get_size(&graph->memories[i].desc) : 0;
	return bytes;
}

/* The memory objects of a job, in its arena; those that read the caller's input get its address at each run. */
static int open_memories(struct mch_dnnl_job *job, struct mch_err *err)
{
	const struct mch_dnnl_graph *graph = job->graph;
	for (int i = 0; i < graph->n_memories; i++) {
		const struct mch_dnnl_memory *m = &graph->memories[i];
		size_t offset;
		if (m->constant) {
			job->memory[i] = m->constant;
			continue;
		}
		const int root = mch_place_root(graph->places, m->place, &offset);
		void *handle = root == 0 && graph->borrows_input ? DNNL_MEMORY_NONE
								 : job->arena + graph->places[root].offset + offset;
		const dnnl_status_t status =
			dnnl_memory_create(&job->memory[i], &m->desc, graph->lib.engine, handle);
		if (mch_dnnl_status(status, "memory", err) != 0)
			return -1;
	}
	for (int i = 0; i < graph->n_uses; i++)
		job->args[i] = (dnnl_exec_arg_t){graph->uses[i].arg, job->memory[graph->uses[i].memory]};
	return 0;
}

struct mch_dnnl_job *mch_dnnl_job_new(const struct mch_dnnl_graph *graph, struct mch_err *err)
{
	struct mch_dnnl_job *job = calloc(1, sizeof(*job));
	if (!job) {
		mch_dnnl_no_memory(err);
		return NULL;
	}
	job->graph = graph;
	job->raw = calloc(1, graph->arena_bytes + ARENA_ALIGN_BYTES);
	job->memory = calloc((size_t)graph->n_memories, sizeof(*job->memory));
	job->args = calloc((size_t)graph->n_uses + 1, sizeof(*job->args));
	job->plain_x = calloc((size_t)graph->n_uses + 1, sizeof(*job->plain_x));
	int status = job->raw && job->memory && job->args && job->plain_x ? 0 : mch_dnnl_no_memory(err);
	if (status == 0) {
		job->arena = job->raw + ARENA_ALIGN_BYTES - (uintptr_t)job->raw % ARENA_ALIGN_BYTES;
		status = mch_dnnl_status(dnnl_stream_create(&job->stream, graph->lib.engine,
							    dnnl_stream_default_flags),
					 "stream", err);
	}
	if (status == 0)
		status = open_memories(job, err);
	if (status == 0)
		return job;
	mch_dnnl_job_free(job);
	return NULL;
}

void mch_dnnl_job_free(struct mch_dnnl_job *job)
{
	if (!job)
		return;
	for (int i = 0; job->memory && i < job->graph->n_memories; i++)
		if (job->memory[i] && !job->graph->memories[i].constant)
			dnnl_memory_destroy(job->memory[i]);
	if (job->stream)
		dnnl_stream_destroy(job->stream);
	free(job->raw);
	free(job->memory);
	free(job->args);
	free(job->plain_x);
	free(job);
}

static float *data_of(const struct mch_dnnl_job *job, int memory)
{
	void *data = NULL;
	dnnl_memory_get_data_handle(job->memory[memory], &data);
	return data;
}

static void take_input(struct mch_dnnl_job *job, const float *input)
{
	const struct mch_dnnl_graph *graph = job->graph;
	if (!graph->borrows_input) {
		memcpy(data_of(job, 0), input, mch_shape_elems(graph->values[0].shape) * sizeof(float));
		return;
	}
	for (int i = 0; i < graph->n_memories; i++)
		if (graph->memories[i].place == 0) /* The library only reads it. */
			dnnl_memory_set_data_handle(job->memory[i], (void *)(uintptr_t)input);
}

static int run_step(struct mch_dnnl_job *job, const struct mch_dnnl_step *step, struct mch_err *err)
{
	const struct mch_dnnl_use *uses = job->graph->uses + step->first_use;
	if (step->primitive)
		return mch_dnnl_status(dnnl_primitive_execute(step->primitive, job->stream, step->n_uses,
							      job->args + step->first_use),
				       "running", err);
	for (int i = 0; i + 1 < step->n_uses; i++)
		job->plain_x[i] = data_of(job, uses[i].memory);
	float *y = data_of(job, uses[step->n_uses - 1].memory);
	step->plain.run(step->plain.ctx, job->graph->batch, job->plain_x, y);
	return 0;
}

int mch_dnnl_job_run(struct mch_dnnl_job *job, const float *input, struct mch_err *err)
{
	take_input(job, input);
	for (int i = 0; i < job->graph->n_steps; i++)
		if (run_step(job, &job->graph->steps[i], err) != 0)
			return -1;
	return mch_dnnl_status(dnnl_stream_wait(job->stream), "running", err);
}

int mch_dnnl_job_read(struct mch_dnnl_job *job, int value, int n, float *out, struct mch_err *err)
{
	const struct mch_dnnl_graph *graph = job->graph;
	const struct mch_dnnl_value *v = &graph->values[value];
	const dnnl_dims_t dims = {n, v->shape.c, v->shape.h, v->shape.w}, offsets = {0};
	dnnl_memory_desc_t part;
	dnnl_memory_t from, to = NULL;
	MCH_REQUIRE(v->is_wanted, "its memory is used again otherwise");
	MCH_REQUIRE(n <= graph->batch, "no more images than the batch");
	if (n == 0)
		return 0;
	const dnnl_memory_desc_t plain = mch_dnnl_desc4(n, v->shape.c, v->shape.h, v->shape.w, dnnl_f32, dnnl_nchw);
	if (mch_dnnl_status(dnnl_memory_desc_init_submemory(&part, &graph->memories[v->memory].desc, dims, offsets),
			    "reading", err) != 0 ||
	    mch_dnnl_memory(&graph->lib, &part, data_of(job, v->memory), &from, err) != 0)
		return -1;
	int status = mch_dnnl_memory(&graph->lib, &plain, out, &to, err);
	if (status == 0)
		status = mch_dnnl_reorder(&graph->lib, from, to, err);
	if (to)
		dnnl_memory_destroy(to);
	dnnl_memory_destroy(from);
	return status;
}
