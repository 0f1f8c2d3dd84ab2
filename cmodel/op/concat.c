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

size_t mch_concat_place(const struct mch_concat *cfg, int n, const int at[3], int *input)
{
	int within, place[3] = {at[0], at[1], at[2]};
	*input = find(cfg, at[cfg->axis - 1], &within);
	const struct mch_shape s = cfg->in[*input];
	place[cfg->axis - 1] = within;
	return (((size_t)n * (size_t)s.c + (size_t)place[0]) * (size_t)s.h + (size_t)place[1]) * (size_t)s.w +
	       (size_t)place[2];
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
					const int at[3] = {c, h, w};
					int i;
					const size_t from = mch_concat_place(cfg, image, at, &i);
					*y++ = mch_requant_count(requant, x[i][from], 0, cfg->shift[i], noise, events);
					noise = mch_lfsr_next(noise);
				}
		}
}
