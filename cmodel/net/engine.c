/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One way to run a network; see engine.h. */
#include "net/engine.h"

#include <stdlib.h>

#include "base/require.h"
#include "net/exact.h"
#include "net/float.h"

struct mch_engine {
	const struct mch_model *model;
	int edge, batch;
	struct mch_format format; /* of the codes on the edge */
	struct mch_float *fast_float;
	struct mch_exact *fast_exact;
	float *x;          /* float: images of the input */
	float **edges;     /* plain float: where values go, [n_edges] */
	int32_t *raw_x, *raw_y; /* integers */
	struct mch_events events; /* plain integers */
};

int mch_engine_output(const struct mch_model *model)
{
	return model->q ? model->q->output : model->net->output;
}

int mch_engine_before_softmax(const struct mch_net *net)
{
	return mch_net_integer_end(net, NULL);
}

/* Few enough that a layer's sums stay in a core's own cache, enough to use a dense layer's weights more than once.
 * Measured, time for an image: LeNet at 8 bits varies by 5 % from 4 to 32 images, at 16 bits 4 is best and 32 takes
 * two thirds longer; the first layers of SqueezeNet are best alone. */
static int exact_batch(const struct mch_qnet *q)
{
	enum { CACHE_BYTES = 1 << 20, BATCH_MAX = 32, BATCH_MIN = 2 };
	size_t largest = 1;
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		const size_t planes = (size_t)((step->in_format.bits + 7) / 8 * ((step->weight_format.bits + 7) / 8));
		const size_t bytes = mch_step_out_elems(q, step) * planes * sizeof(int32_t);
		largest = bytes > largest ? bytes : largest;
	}
	const size_t fit = CACHE_BYTES / largest;
	return fit > BATCH_MAX ? BATCH_MAX : fit < BATCH_MIN ? BATCH_MIN : (int)fit;
}

int mch_engine_batch(const struct mch_model *model)
{
	enum { PLAIN_BATCH = 4, FLOAT_BATCH = 32 };
	return model->is_plain ? PLAIN_BATCH : model->q ? exact_batch(model->q) : FLOAT_BATCH;
}

static struct mch_format output_format(const struct mch_qnet *q)
{
	for (int i = q->n_steps - 1; i >= 0; i--)
		if (q->steps[i].out == q->output)
			return q->steps[i].out_format;
	return q->input_format;
}

static int open_float(struct mch_engine *e, const struct mch_engine *like, size_t in, struct mch_err *err)
{
	const struct mch_net *net = e->model->net;
	e->x = malloc((size_t)e->batch * in * sizeof(*e->x));
	e->edges = calloc((size_t)net->n_edges, sizeof(*e->edges));
	if (!e->x || !e->edges)
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	if (e->model->is_plain)
		return mch_net_require_weights(net, err);
	const int tapped = e->edge == net->output ? MCH_FLOAT_OUTPUT : e->edge;
	e->fast_float = like ? mch_float_twin(like->fast_float, err)
			     : mch_float_new_tapped(net, e->batch, tapped, err);
	return e->fast_float ? 0 : -1;
}

static int open_exact(struct mch_engine *e, size_t in, size_t out, struct mch_err *err)
{
	const struct mch_qnet *q = e->model->q;
	MCH_REQUIRE(e->edge == q->output, "integers are looked at where they end");
	e->format = output_format(q);
	e->raw_x = malloc((size_t)e->batch * in * sizeof(*e->raw_x));
	e->raw_y = malloc((size_t)e->batch * out * sizeof(*e->raw_y));
	if (!e->raw_x || !e->raw_y)
		return mch_err_set(err, q->net->name ? q->net->name : "network",
				   "out of memory; use a machine with more");
	if (e->model->is_plain)
		return 0;
	e->fast_exact = mch_exact_new(q, e->batch, err);
	return e->fast_exact ? 0 : -1;
}

/* like: shares what it compiled to, or NULL. */
static struct mch_engine *open_engine(const struct mch_model *model, int edge, int batch,
				      const struct mch_engine *like, struct mch_err *err)
{
	const struct mch_net *net = model->net;
	const size_t in = mch_shape_elems(net->edges[net->input].shape);
	struct mch_engine *e = calloc(1, sizeof(*e));
	if (!e) {
		mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
		return NULL;
	}
	e->model = model;
	e->edge = edge;
	e->batch = batch;
	const int status = model->q ? open_exact(e, in, mch_shape_elems(net->edges[edge].shape), err)
				    : open_float(e, like, in, err);
	if (status == 0)
		return e;
	mch_engine_free(e);
	return NULL;
}

struct mch_engine *mch_engine_new(const struct mch_model *model, int edge, int batch, struct mch_err *err)
{
	return open_engine(model, edge, batch, NULL, err);
}

struct mch_engine *mch_engine_twin(const struct mch_engine *e, struct mch_err *err)
{
	return open_engine(e->model, e->edge, e->batch, e, err);
}

void mch_engine_free(struct mch_engine *e)
{
	if (!e)
		return;
	mch_float_free(e->fast_float);
	mch_exact_free(e->fast_exact);
	free(e->x);
	free(e->edges);
	free(e->raw_x);
	free(e->raw_y);
	free(e);
}

uint64_t mch_engine_overflows(const struct mch_engine *e)
{
	return e->fast_exact ? mch_exact_overflows(e->fast_exact) : e->events.n_acc_over;
}

static int run_float(struct mch_engine *e, const struct mch_dataset *data, int first, int n, float *out,
		     struct mch_err *err)
{
	if (mch_dataset_f32(data, first, n, e->x, err) != 0)
		return -1;
	if (e->model->is_plain) {
		e->edges[e->edge] = out;
		return mch_net_run_f32(e->model->net, n, e->x, e->edges, err);
	}
	if (e->edge == e->model->net->output)
		return mch_float_run(e->fast_float, n, e->x, out, err);
	/* What a softmax makes the output of has as many values, so out has room for either. */
	if (mch_float_run(e->fast_float, n, e->x, out, err) != 0)
		return -1;
	return mch_float_tap(e->fast_float, e->edge, n, out, err);
}

static int run_exact(struct mch_engine *e, const struct mch_dataset *data, int first, int n, float *out,
		     struct mch_err *err)
{
	const struct mch_qnet *q = e->model->q;
	const size_t elems = (size_t)n * mch_shape_elems(e->model->net->edges[e->edge].shape);
	struct mch_prefix *prefix = e->fast_exact ? e->model->prefix : NULL;
	struct mch_exact_span span = {.from = -1, .keep = -1};
	if (prefix)
		span = mch_prefix_span(prefix, first, n);
	if (span.from < 0 && mch_dataset_raw(data, first, n, q->input_format, e->raw_x, err) != 0)
		return -1;
	const int status = e->model->is_plain ? mch_qnet_run(q, n, e->raw_x, e->raw_y, NULL, &e->events, err)
					      : mch_exact_run_span(e->fast_exact, n, &span, e->raw_x, e->raw_y, err);
	if (status == 0 && prefix)
		mch_prefix_keep(prefix, first, n);
	/* Exact and in the same order: a code has at most 16 bits, a float 24, and its exponents reach further. */
	for (size_t i = 0; status == 0 && i < elems; i++)
		out[i] = (float)mch_format_real(e->format, e->raw_y[i]);
	return status;
}

int mch_engine_run(struct mch_engine *e, const struct mch_dataset *data, int first, int n, float *out,
		   struct mch_err *err)
{
	MCH_REQUIRE(n >= 0 && n <= e->batch, "no more images than the batch");
	return e->model->q ? run_exact(e, data, first, n, out, err) : run_float(e, data, first, n, out, err);
}
