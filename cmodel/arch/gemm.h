/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A convolution as tiles of the MAC array: which operand goes to which row and column on which beat.
 * Host only: no RTL twin (the sequencer of the accelerator will be it). Spec: docs/datapath.md "Tiles". */
#ifndef MCH_ARCH_GEMM_H
#define MCH_ARCH_GEMM_H

#include <stdint.h>

#include "op/conv.h"

/* Rows are output pixels m = (n * P + p) * Q + q, columns are output channels of one group, the reduction is t of
 * mch_conv_x_index. Tiles go: group, then channel tile, then pixel tile: the requantizers' parameters change least. */
struct mch_gemm {
	struct mch_conv conv; /* with n images */
	int rows, cols;       /* of the array, 1..64 */
	int n_pixels;         /* n * P * Q */
	int n_pixel_tiles, n_channel_tiles; /* per group */
	uint64_t n_tiles, n_beats;          /* n_beats = n_tiles * terms */
	uint64_t n_cycles;                  /* of a stream without stalls: n_tiles * max(terms, rows + 1) */
};
struct mch_gemm mch_gemm_plan(const struct mch_conv *conv, int rows, int cols);

/* Tile number -> first pixel, first output channel. */
struct mch_tile {
	int pixel0, channel0;
	int n_pixels, n_channels; /* <= rows, <= cols: the rest of the array gets zeros and its results are dropped */
};
struct mch_tile mch_gemm_tile(const struct mch_gemm *g, uint64_t tile);

/* All operands of one tile: x is [terms][rows], w is [terms][cols]. */
void mch_gemm_operands(const struct mch_gemm *g, uint64_t tile, const int32_t *x, const int32_t *w, int32_t *x_beats,
		       int32_t *w_beats);

/* Index into the NKPQ output of row i, column j of a tile. */
size_t mch_gemm_out_index(const struct mch_gemm *g, struct mch_tile tile, int i, int j);

#endif
