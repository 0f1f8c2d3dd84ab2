/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Concatenation of raw integers, plain: the reference. See concat.h. */
#include "op/concat.h"

/* Where the output reads along the axis: which input, and at which place of it. */
static int find(const struct mch_concat *cfg, int place, int *within)
{
	int i = 0;
	for (;; i++) {
		const struct mch_shape s = cfg->in[i];
		const int size = cfg->axis == 1 ? s.c : cfg->axis == 2 ? s.h : s.w;
		if (place < size)
			break;
		place -= size;
	}
	*within = place;
	return i;
}

/* The code of element (c, h, w) of image n of the output, and its shift. */
static int32_t source(const struct mch_concat *cfg, const int32_t *const *x, int n, int at[3], int *shift)
{
	int within, place[3] = {at[0], at[1], at[2]};
	const int i = find(cfg, at[cfg->axis - 1], &within);
	const struct mch_shape s = cfg->in[i];
	place[cfg->axis - 1] = within;
	*shift = cfg->shift[i];
	return x[i][(((size_t)n * (size_t)s.c + (size_t)place[0]) * (size_t)s.h + (size_t)place[1]) * (size_t)s.w +
		    (size_t)place[2]];
}

void mch_concat(const struct mch_concat *cfg, const struct mch_requant *requant, int n, const int32_t *const *x,
		int32_t *y, struct mch_events *events)
{
	const struct mch_shape out = cfg->out;
	for (int image = 0; image < n; image++)
		for (int c = 0; c < out.c; c++) {
			uint16_t noise = mch_lfsr_seed(requant->seed, c);
			for (int h = 0; h < out.h; h++)
				for (int w = 0; w < out.w; w++) {
					int shift, at[3] = {c, h, w};
					const int32_t code = source(cfg, x, image, at, &shift);
					*y++ = mch_requant_count(requant, code, 0, shift, noise, events);
					noise = mch_lfsr_next(noise);
				}
		}
}
