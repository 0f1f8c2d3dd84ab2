/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Functions of one stored code (codes.h), as tables: what requantizes a code alone, and the host's functions of one
 * value. And codes moved by a list of places. Host only: no RTL twin. */
#ifndef MCH_FAST_MAP_H
#define MCH_FAST_MAP_H

#include "base/err.h"
#include "fast/codes.h"
#include "op/requant.h"

struct mch_fast_map {
	int in_bytes, out_bytes;
	bool is_same;    /* nothing changes: the table is not read */
	size_t n_tables; /* 1, or one for each channel */
	size_t size;     /* of a table: 2^bits of the input */
	uint16_t *table; /* stored code of y for each stored code of x, owned */
};

/* All codes of x become 0. 0, or -1 with err. */
int mch_fast_map_init(struct mch_fast_map *map, struct mch_format x, struct mch_format y, int n_tables,
		      struct mch_err *err);
void mch_fast_map_free(struct mch_fast_map *map);

/* The code of x that entry i of a table is for. */
static inline int32_t mch_fast_map_code(struct mch_format x, size_t i)
{
	return (int32_t)i - mch_codes_of(x).zero;
}

/* A lone requantizer with this shift, no bias; not with stochastic rounding. */
int mch_fast_map_requant(struct mch_fast_map *map, struct mch_format x, struct mch_format y,
			 const struct mch_requant *requant, int shift, struct mch_err *err);

/* n_elems codes; with several tables they take turns, so x begins at channel 0. */
void mch_fast_map_run(const struct mch_fast_map *map, size_t n_elems, const void *x, void *y);

/* y[i] = x[from[i]], or fill where that is negative. Stored codes of `bytes` bytes. */
void mch_fast_move(size_t n, const int32_t *from, int bytes, int32_t fill, const void *x, void *y);

#endif
