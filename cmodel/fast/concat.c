/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Concatenation of stored codes; see concat.h. */
#include "fast/concat.h"

/* Elements from one step of what lies outside the axis to the next, in the order n, h, w, c. */
static size_t part_elems(int axis, struct mch_shape s)
{
	const size_t c = (size_t)s.c, w = (size_t)s.w, h = (size_t)s.h;
	return axis == 1 ? c : axis == 2 ? h * w * c : w * c;
}

void mch_fast_concat(const struct mch_concat *cfg, const struct mch_fast_map *maps, int n, const void *const *x,
		     void *y)
{
	const size_t row_bytes = part_elems(cfg->axis, cfg->out) * (size_t)maps[0].out_bytes;
	uint8_t *begin = y;
	for (int i = 0; i < cfg->n_in; i++) {
		const size_t part = part_elems(cfg->axis, cfg->in[i]);
		const size_t n_parts = (size_t)n * mch_shape_elems(cfg->in[i]) / part;
		const uint8_t *from = x[i];
		for (size_t j = 0; from && j < n_parts; j++, from += part * (size_t)maps[i].in_bytes)
			mch_fast_map_run(&maps[i], part, from, begin + j * row_bytes);
		begin += part * (size_t)maps[i].out_bytes;
	}
}
