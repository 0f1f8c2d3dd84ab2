/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Float forward of a network on the fast operators; see float.h. */
#include "net/float.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/float_layer.h"

enum { DENSE_ELEMS = 1 << 16 };

/* What all twins share, until the last of them is freed. */
struct program {
	atomic_int n_users;
	const struct mch_net *net;
	int batch;
	int step; /* images at a time through the graph */
	int tapped; /* edge, MCH_FLOAT_ALL or MCH_FLOAT_OUTPUT */
	struct mch_float_step *steps;
	struct mch_float_build build;
};

struct mch_float {
	struct program *program;
	struct mch_dnnl_job *job;
	float *input; /* room for a step's images */
};

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network",
			   "out of memory; use smaller batches or a machine with more memory");
}

static void free_program(struct program *p)
{
	if (!p)
		return;
	mch_dnnl_graph_free(p->build.graph);
	mch_float_calls_free(p->build.calls);
	free(p->build.value);
	free(p->steps);
	free(p);
}

/* The network to operators, in order. */
static int build(struct program *p, struct mch_err *err)
{
	const struct mch_net *net = p->net;
	struct mch_float_build *b = &p->build;
	b->value[net->input] = mch_dnnl_graph_input(b->graph, net->edges[net->input].shape, err);
	if (b->value[net->input] < 0)
		return -1;
	for (int i = 0; i < net->n_layers; i++)
		if (p->steps[i].into == i && mch_float_append(b, i, err) != 0)
			return -1;
	for (int e = 0; e < net->n_edges; e++)
		if (p->tapped == MCH_FLOAT_ALL || e == p->tapped || e == net->output)
			mch_dnnl_graph_want(b->graph, b->value[e]);
	return mch_dnnl_graph_compile(b->graph, err);
}

/* One image at a time stays in the cache, and lets concatenations be written in place; but a matrix that does not fit
 * there is better read once for many. */
static int step_of(const struct mch_net *net, int batch)
{
	size_t largest = 0;
	for (int i = 0; i < net->n_layers; i++)
		if (net->layers[i].kind == MCH_DENSE && net->layers[i].n_weights > largest)
			largest = net->layers[i].n_weights;
	return largest > DENSE_ELEMS ? batch : 1;
}

/* Winograd's kernels, and the layout that goes with them, where they do a good part of the work. Whoever looks at
 * every edge gets the plain sums. */
static enum mch_dnnl_kernels kernels_of(const struct mch_net *net, int tapped)
{
	double all = 1, filtered = 0;
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		all += (double)mch_layer_macs(layer);
		if (layer->kind == MCH_CONV && mch_dnnl_is_winograd(&layer->conv))
			filtered += (double)mch_layer_macs(layer);
	}
	return tapped != MCH_FLOAT_ALL && filtered > all / 4 ? MCH_KERNELS_WINOGRAD : MCH_KERNELS_DIRECT;
}

static struct program *new_program(const struct mch_net *net, int batch, int tapped, struct mch_err *err)
{
	struct program *p = calloc(1, sizeof(*p));
	if (!p) {
		no_memory(net, err);
		return NULL;
	}
	p->net = net;
	p->batch = batch;
	p->tapped = tapped;
	p->step = tapped == MCH_FLOAT_OUTPUT ? step_of(net, batch) : batch;
	p->steps = calloc((size_t)net->n_layers, sizeof(*p->steps));
	p->build = (struct mch_float_build){.net = net, .steps = p->steps};
	p->build.value = calloc((size_t)net->n_edges, sizeof(*p->build.value));
	if (!p->steps || !p->build.value) {
		no_memory(net, err);
	} else if (mch_float_plan(net, tapped == MCH_FLOAT_OUTPUT ? net->output : tapped, p->steps, err) == 0) {
		p->build.graph = mch_dnnl_graph_new(p->step, kernels_of(net, tapped), err);
		if (p->build.graph && build(p, err) == 0)
			return p;
	}
	free_program(p);
	return NULL;
}

static void release_program(struct program *p)
{
	if (atomic_fetch_sub(&p->n_users, 1) == 1)
		free_program(p);
}

/* Takes over one use of p. */
static struct mch_float *open_float(struct program *p, struct mch_err *err)
{
	const struct mch_net *net = p->net;
	struct mch_float *f = calloc(1, sizeof(*f));
	if (!f) {
		no_memory(net, err);
		release_program(p);
		return NULL;
	}
	f->program = p;
	f->input = malloc((size_t)p->step * mch_shape_elems(net->edges[net->input].shape) * sizeof(float));
	f->job = f->input ? mch_dnnl_job_new(p->build.graph, err) : NULL;
	if (!f->input)
		no_memory(net, err);
	if (f->job)
		return f;
	mch_float_free(f);
	return NULL;
}

static struct mch_float *new_float(const struct mch_net *net, int batch, int tapped, struct mch_err *err)
{
	MCH_REQUIRE(batch >= 1, "a batch has images");
	if (mch_net_n_inputs(net) != 1) {
		mch_err_set(err, net->name ? net->name : "network",
			    "has %d inputs, and the fast engine takes one; give a network with one input",
			    mch_net_n_inputs(net));
		return NULL;
	}
	if (mch_net_require_weights(net, err) != 0)
		return NULL;
	struct program *p = new_program(net, batch, tapped, err);
	if (!p)
		return NULL;
	atomic_init(&p->n_users, 1);
	return open_float(p, err);
}

struct mch_float *mch_float_new(const struct mch_net *net, int batch, struct mch_err *err)
{
	return new_float(net, batch, MCH_FLOAT_OUTPUT, err);
}

struct mch_float *mch_float_new_tapped(const struct mch_net *net, int batch, int edge, struct mch_err *err)
{
	return new_float(net, batch, edge, err);
}

struct mch_float *mch_float_twin(const struct mch_float *f, struct mch_err *err)
{
	atomic_fetch_add(&f->program->n_users, 1);
	return open_float(f->program, err);
}

void mch_float_free(struct mch_float *f)
{
	if (!f)
		return;
	mch_dnnl_job_free(f->job);
	free(f->input);
	release_program(f->program);
	free(f);
}

int mch_float_tap(struct mch_float *f, int edge, int n, float *out, struct mch_err *err)
{
	const int tapped = f->program->tapped;
	MCH_REQUIRE(tapped == MCH_FLOAT_ALL || edge == tapped, "only an edge that was asked for is kept");
	MCH_REQUIRE(n >= 0 && n <= f->program->batch, "no more images than the batch");
	return mch_dnnl_job_read(f->job, f->program->build.value[edge], n, out, err);
}

/* At most one step. */
static int run_step(struct mch_float *f, int n, const float *input, float *output, struct mch_err *err)
{
	const struct program *p = f->program;
	const size_t elems = mch_shape_elems(p->net->edges[p->net->input].shape);
	if (n < p->step) { /* the rest runs on zeros */
		memcpy(f->input, input, (size_t)n * elems * sizeof(*input));
		memset(f->input + (size_t)n * elems, 0, (size_t)(p->step - n) * elems * sizeof(*input));
		input = f->input;
	}
	if (mch_dnnl_job_run(f->job, input, err) != 0)
		return -1;
	return mch_dnnl_job_read(f->job, p->build.value[p->net->output], n, output, err);
}

int mch_float_run(struct mch_float *f, int n, const float *input, float *output, struct mch_err *err)
{
	const struct program *p = f->program;
	const size_t in_elems = mch_shape_elems(p->net->edges[p->net->input].shape),
		     out_elems = mch_shape_elems(p->net->edges[p->net->output].shape);
	MCH_REQUIRE(n >= 0 && n <= p->batch, "no more images than the batch");
	for (int i = 0; i < n; i += p->step)
		if (run_step(f, n - i < p->step ? n - i : p->step, input + (size_t)i * in_elems,
			     output + (size_t)i * out_elems, err) != 0)
			return -1;
	return 0;
}
