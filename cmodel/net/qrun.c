/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Running the integer steps with the plain operators: the golden model of a whole network. See qnet.h. */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "net/qnet.h"

size_t mch_step_in_elems(const struct mch_qnet *q, const struct mch_step *step)
{
	return mch_shape_elems(q->net->edges[step->in].shape);
}

size_t mch_step_out_elems(const struct mch_qnet *q, const struct mch_step *step)
{
	return mch_shape_elems(q->net->edges[step->out].shape);
}

static int output_pixels(const struct mch_step *step)
{
	return mch_conv_p(&step->conv) * mch_conv_q(&step->conv);
}

void mch_step_run(const struct mch_step *step, int n, const int32_t *x, int64_t *acc, int32_t *y,
		  struct mch_events *events)
{
	struct mch_pool pool = step->pool;
	struct mch_conv conv = step->conv;
	pool.n = conv.n = n;
	switch (step->layer->kind) {
	case MCH_CONV:
	case MCH_DENSE:
		mch_conv(&conv, step->acc, x, step->weights, acc, events);
		mch_requant(&step->requant, n, conv.k, output_pixels(step), acc, y, events);
		break;
	case MCH_POOL_MAX:
		mch_pool_max(&pool, x, y);
		break;
	case MCH_POOL_AVG:
		mch_pool_avg(&pool, &step->avg, x, y, events);
		break;
	case MCH_RELU: {
		const size_t elems = (size_t)n * (size_t)pool.c * (size_t)pool.h * (size_t)pool.w;
		for (size_t i = 0; i < elems; i++)
			acc[i] = x[i];
		mch_requant(&step->requant, n, pool.c, pool.h * pool.w, acc, y, events);
		break;
	}
	default:
		break; /* mch_qnet_build makes no step of the other kinds */
	}
}

int mch_qnet_run(const struct mch_qnet *q, int n, const int32_t *input, int32_t *output, int32_t *const *edge_values,
		 struct mch_events *events, struct mch_err *err)
{
	const struct mch_net *net = q->net;
	size_t largest = 0;
	MCH_REQUIRE(net->n_edges > 0, "a network has an input");
	for (int e = 0; e < net->n_edges; e++)
		if (mch_shape_elems(net->edges[e].shape) > largest)
			largest = mch_shape_elems(net->edges[e].shape);
	int64_t *acc = malloc((size_t)n * largest * sizeof(*acc));
	int32_t **value = calloc((size_t)net->n_edges, sizeof(*value));
	int status = acc && value ? 0 : -1;
	for (int e = 0; status == 0 && e < net->n_edges; e++) {
		value[e] = edge_values && edge_values[e]
				   ? edge_values[e]
				   : malloc((size_t)n * mch_shape_elems(net->edges[e].shape) * sizeof(int32_t));
		status = value[e] ? 0 : -1;
	}
	if (status == 0) {
		memcpy(value[q->input], input,
		       (size_t)n * mch_shape_elems(net->edges[q->input].shape) * sizeof(int32_t));
		for (int i = 0; i < q->n_steps; i++)
			mch_step_run(&q->steps[i], n, value[q->steps[i].in], acc, value[q->steps[i].out], events);
		memcpy(output, value[q->output],
		       (size_t)n * mch_shape_elems(net->edges[q->output].shape) * sizeof(int32_t));
	} else {
		mch_err_set(err, net->name ? net->name : "network", "out of memory for %d images; use fewer at a time", n);
	}
	for (int e = 0; value && e < net->n_edges; e++)
		if (!edge_values || !edge_values[e])
			free(value[e]);
	free(value);
	free(acc);
	return status;
}
