/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The layer table of training: one row for each kind that has a gradient. Host only: no RTL twin. */
#ifndef MCH_TRAIN_ROWS_H
#define MCH_TRAIN_ROWS_H

#include <stdint.h>

#include "net/layer.h"
#include "net/qnet.h"

/* What a row sees of its layer. */
struct mch_site {
	struct mch_layer_run run; /* forward; x and y are as forward left them when backward runs */
	const float *dy;
	int which; /* backward: the input that dx belongs to */
	float *dx; /* overwritten; NULL: not wanted */
	/* Of the layer's weights and bias, overwritten; NULL: not trained. Backward of a layer with several inputs is
	 * called for each that wants a slope, one with parameters has one input. */
	float *dw, *db;
	float *scratch;
	void *kept;     /* from forward to backward; NULL when keep_bytes is */
	uint64_t noise; /* seed of this layer in this run */
	/* Where hardware rounds what the layer makes: the step that does (rounding.h); NULL: nothing does. */
	const struct mch_step *step;
	uint8_t *place;  /* [n][out]: enum mch_snap_place */
	int32_t *codes;  /* scratch, of one image */
};

struct mch_row {
	void (*forward)(const struct mch_site *t);
	void (*backward)(const struct mch_site *t);
	size_t (*keep_bytes)(const struct mch_site *t);    /* for run.n images; NULL: none */
	size_t (*scratch_elems)(const struct mch_site *t); /* NULL: none */
	bool is_in_place; /* forward may write y over x, and backward does not read x */
	bool needs_y;     /* backward reads y */
};

/* A kind without a gradient has no forward and backward here: softmax and log softmax, because only the one at the
 * end belongs to a loss. */
extern const struct mch_row mch_rows[MCH_N_KINDS];

/* What batch norm keeps: mean and biased variance of the run's images and 1 / sqrt(variance + epsilon), float
 * [3][c]. */

/* rows_graph.c */
void mch_row_sum_forward(const struct mch_site *t);
void mch_row_eltwise_backward(const struct mch_site *t);
void mch_row_concat_backward(const struct mch_site *t);
void mch_row_gather_backward(const struct mch_site *t);
void mch_row_transpose_backward(const struct mch_site *t);
void mch_row_lrn_backward(const struct mch_site *t);
size_t mch_row_lrn_scratch(const struct mch_site *t);

#endif
