/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One way to run a network, whatever its arithmetic and operators: images of a data set in, real values of an edge
 * out. For one thread. Host only: no RTL twin. */
#ifndef MCH_NET_ENGINE_H
#define MCH_NET_ENGINE_H

#include <stdbool.h>

#include "net/dataset.h"
#include "net/prefix.h"

/* A network and how it runs. */
struct mch_model {
	const struct mch_net *net;
	const struct mch_qnet *q; /* in exact integers; NULL: in float */
	bool is_plain;            /* on the plain operators, the reference */
	/* Of integers, for a pass over the images that prefix is for, whose formats quant has; or NULL. */
	struct mch_prefix *prefix;
	const struct mch_quant *quant;
};

struct mch_engine;

/* The edge that a model's answer lies on: the output; of integers the one that is left without a softmax. */
int mch_engine_output(const struct mch_model *model);

/* The output, or, when a softmax makes it, what that is made of. */
int mch_engine_before_softmax(const struct mch_net *net);

/* How many images at a time are best. */
int mch_engine_batch(const struct mch_model *model);

/* edge: as mch_engine_output gives it, or of a float model mch_engine_before_softmax. NULL with err. */
struct mch_engine *mch_engine_new(const struct mch_model *model, int edge, int batch, struct mch_err *err);
/* Another one like it, for another thread; what a network compiles to is shared where it can be. NULL with err. */
struct mch_engine *mch_engine_twin(const struct mch_engine *engine, struct mch_err *err);
void mch_engine_free(struct mch_engine *engine);

/* Steps of accumulation that left their width, of all runs so far; 0 of float. */
uint64_t mch_engine_overflows(const struct mch_engine *engine);

/* Images first .. first + n - 1, n <= batch; out is [n] images of the edge. Codes are given as the values they stand
 * for, exactly. 0, or -1 with err. */
int mch_engine_run(struct mch_engine *engine, const struct mch_dataset *data, int first, int n, float *out,
		   struct mch_err *err);

#endif
