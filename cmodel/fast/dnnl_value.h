/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the files of the float graph share: values, the memory behind them, and the steps that a run walks. Only files
 * named dnnl_* may include it. Host only: no RTL twin. */
#ifndef MCH_FAST_DNNL_VALUE_H
#define MCH_FAST_DNNL_VALUE_H

#include "fast/dnnl_call.h"
#include "fast/dnnl_graph.h"
#include "fast/place.h"

/* A piece of memory in one layout. Several may lie in one place: views. */
struct mch_dnnl_memory {
	dnnl_memory_desc_t desc;
	int place;              /* index, or -1: constant */
	dnnl_memory_t constant; /* owned, shared by all jobs */
};

struct mch_dnnl_value {
	struct mch_shape shape; /* n == batch */
	int memory;
	bool is_wanted;
};

/* Memory `memory` is argument `arg` (DNNL_ARG_...). */
struct mch_dnnl_use {
	int arg, memory;
};

/* A compiled primitive, or a plain operator, with uses[first_use .. + n_uses). A plain one has its result last. */
struct mch_dnnl_step {
	dnnl_primitive_t primitive;
	struct mch_dnnl_plain plain;
	int first_use, n_uses;
	int over_from, over_to; /* places: the second may be the first if nothing reads that later; -1: no */
};

struct mch_dnnl_graph {
	struct mch_dnnl lib;
	int batch;
	enum mch_dnnl_kernels kernels;
	int n_values, n_memories, n_places, n_uses, n_steps;
	struct mch_dnnl_value *values; /* the input is values[0], its memory is memories[0], in places[0] */
	struct mch_dnnl_memory *memories;
	struct mch_place *places;
	struct mch_dnnl_use *uses;
	struct mch_dnnl_step *steps;
	size_t arena_bytes;
	bool borrows_input; /* read where the caller has it: places[0] has no memory */
};

int mch_dnnl_no_memory(struct mch_err *err);

/* NCHW, and any layout that the library likes. */
dnnl_memory_desc_t mch_dnnl_plain_desc(struct mch_shape s);
dnnl_memory_desc_t mch_dnnl_any_desc(struct mch_shape s);

/* The functions below return an index, or -1 with err. */

/* Memory in a new place; another view of the place of a memory; a constant, brought into the layout `want` now. */
int mch_dnnl_add_memory(struct mch_dnnl_graph *graph, const dnnl_memory_desc_t *desc, struct mch_err *err);
int mch_dnnl_add_view(struct mch_dnnl_graph *graph, int memory, const dnnl_memory_desc_t *desc, struct mch_err *err);
int mch_dnnl_add_constant(struct mch_dnnl_graph *graph, const float *data, const dnnl_memory_desc_t *as,
			  const dnnl_memory_desc_t *want, struct mch_err *err);

int mch_dnnl_add_value(struct mch_dnnl_graph *graph, struct mch_shape shape, int memory, struct mch_err *err);

/* pd is taken over, on failure too. */
int mch_dnnl_add_step(struct mch_dnnl_graph *graph, dnnl_primitive_desc_t pd, int n_uses,
		      const struct mch_dnnl_use *uses, struct mch_err *err);

/* The step writes `to` element by element from `from`: it may do so in place. */
void mch_dnnl_may_overwrite(struct mch_dnnl_graph *graph, int step, int from, int to);

/* The same numbers in the layout `want`: itself, or behind a reorder. */
int mch_dnnl_in_layout(struct mch_dnnl_graph *graph, int memory, const dnnl_memory_desc_t *want, struct mch_err *err);

/* A step of one source and one destination, reordered and made as pd wants them, and `more` arguments; the memory
 * of its result. pd is taken over, on failure too. */
int mch_dnnl_add_simple(struct mch_dnnl_graph *graph, int from, dnnl_primitive_desc_t pd, int n_more,
			const struct mch_dnnl_use *more, struct mch_err *err);

#endif
