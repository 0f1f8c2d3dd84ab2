/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Between the files of the exact engine: exact.c runs what exact_plan.c compiled in the room that exact_room.c
 * shared out. Host only: no RTL twin. */
#ifndef MCH_NET_EXACT_PLAN_H
#define MCH_NET_EXACT_PLAN_H

#include "fast/conv.h"
#include "fast/map.h"
#include "fast/wide.h"
#include "fast/ordered.h"
#include "net/exact.h"

enum mch_exact_how {
	MCH_HOW_PLAIN, /* the plain operators, between conversions of one image */
	MCH_HOW_ORDERED, /* the same, but for sums that may overflow */
	MCH_HOW_CONV,
	MCH_HOW_WIDE, /* sums in doubles */
	MCH_HOW_POOL_MAX,
	MCH_HOW_POOL_AVG,
	MCH_HOW_ELTWISE,
	MCH_HOW_CONCAT,
	MCH_HOW_MAP,  /* a table of codes */
	MCH_HOW_MOVE, /* a list of places */
	MCH_HOW_LRN,
	MCH_HOW_CONSTANT, /* written once */
	MCH_HOW_FUSED,    /* into the step before it */
};

struct mch_exact_plan {
	const struct mch_step *step;
	enum mch_exact_how how;
	int out;                    /* edge; behind the fused pool, if any */
	struct mch_fast_conv *conv; /* CONV, owned */
	struct mch_fast_ordered *ordered; /* ORDERED, owned */
	struct mch_fast_wide *wide; /* WIDE, owned */
	struct mch_fast_map *maps;  /* MAP: one; CONCAT: [n_in]; owned */
	int32_t *from;              /* MOVE: place in x of each stored code of y, -1 for the fill; owned */
	struct mch_codes *x_codes;  /* ELTWISE: [n_in], owned */
	int whole;                  /* CONV: the concatenation's output that it writes into, or -1 */
	size_t whole_at;            /* bytes from a pixel's first code there */
};

struct mch_exact {
	const struct mch_qnet *q;
	int batch;
	struct mch_exact_plan *plans;  /* [n_steps] */
	struct mch_codes *codes; /* [n_edges] */
	void **edge;             /* [n_edges] stored codes, borrowed from buffer; NULL where no step writes */
	bool *is_part;           /* [n_edges]: lies inside a concatenation's output */
	void **buffer;           /* [n_buffers]; edges that are never needed at one time share one */
	int n_buffers;
	void *scratch;       /* of all steps in turn */
	const void **fast_x; /* room for the inputs of a step */
	int32_t **plain_x;   /* PLAIN: one image of each input, NULL when no step is */
	int n_plain_x;
	int32_t *plain_y;
	int64_t *acc;
	uint64_t n_overflows; /* since the beginning, steps of accumulation */
};

int mch_exact_no_memory(const struct mch_exact *e, struct mch_err *err);

/* The max pool that alone reads what step i writes, else -1. */
int mch_exact_pool_behind(const struct mch_qnet *q, int i);

/* Steps in their order; a step that has become FUSED is left alone. 0, or -1 with err. */
int mch_exact_compile(struct mch_exact *e, int i, struct mch_err *err);

/* When all are compiled: convolutions that only a concatenation reads write their codes where it would put them. */
void mch_exact_join(struct mch_exact *e);
void mch_exact_plan_free(struct mch_exact_plan *plan);

/* Buffers of the edges, scratch. Constants are written. */
int mch_exact_allocate(struct mch_exact *e, struct mch_err *err);

/* Shape of an edge with n images. */
struct mch_shape mch_exact_shape(const struct mch_exact *e, int edge, int n);

#endif
