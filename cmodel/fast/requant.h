/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fast twin of op/requant.h: sums of byte products, recombined, perhaps pooled, requantized to stored codes,
 * channels innermost; bit-equal to it. Host only: no RTL twin.
 *
 * A maximum may be taken before requantization: relu, round_shift and sat are all monotone, so they commute with
 * it (not so with stochastic rounding, whose noise differs from pixel to pixel). */
#ifndef MCH_FAST_REQUANT_H
#define MCH_FAST_REQUANT_H

#include "base/err.h"
#include "fast/requant_lane.h"
#include "op/pool.h"

/* Accumulators as sums of byte products: the one of a channel of a pixel is the sum over i < n_x, j < n_w of
 * part[i][j][pixel * stride + channel] * 2^(8 (i + j)). Readable for MCH_CODES_BLOCK elements past the last. */
enum { MCH_X_PLANES_MAX = 2, MCH_W_PLANES_MAX = 3 };
struct mch_part_sums {
	int n_x, n_w;
	size_t stride;
	const int32_t *part[MCH_X_PLANES_MAX][MCH_W_PLANES_MAX];
};

struct mch_fast_requant {
	struct mch_requant cfg;
	struct mch_codes codes; /* of the output */
	struct mch_pool pool;   /* over [k][p][q], n == 1; a window of 1x1 when there is none */
	int k, k_padded;        /* channels, and rounded up to whole blocks */
	struct mch_requant_lanes lanes;
	int64_t *bias;           /* [k_padded]; these three for what the lanes cannot do */
	int8_t *shift;           /* [k_padded] */
	uint16_t *noise;         /* [p][q][k_padded], stochastic rounding only */
	struct mch_window *cols; /* [q], of the pool */
	int64_t *sums;           /* [q][k_padded], scratch */
};

/* bias replaces cfg->bias. The output is the pool's, or [k][pool->h][pool->w] for a window of 1x1. `largest`: sums
 * come as one part, none above this in magnitude; INT64_MAX: they may come as several. */
int mch_fast_requant_init(struct mch_fast_requant *r, const struct mch_requant *cfg, const int64_t *bias,
			  struct mch_codes codes, const struct mch_pool *pool, int64_t largest, struct mch_err *err);
void mch_fast_requant_free(struct mch_fast_requant *r);

/* n images. y has MCH_CODES_SLACK_BYTES of room behind the last code. */
void mch_fast_requant_run(struct mch_fast_requant *r, int n, const struct mch_part_sums *acc, void *y);

#endif
