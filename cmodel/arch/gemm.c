/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tiles of the MAC array; see gemm.h. */
#include "arch/gemm.h"

#include <string.h>

struct mch_gemm mch_gemm_plan(const struct mch_conv *conv, int rows, int cols)
{
	struct mch_gemm g = {.conv = *conv, .rows = rows, .cols = cols};
	const int channels = conv->k / conv->groups;
	const size_t terms = mch_conv_terms(conv);
	g.n_pixels = conv->n * mch_conv_p(conv) * mch_conv_q(conv);
	g.n_pixel_tiles = (g.n_pixels + rows - 1) / rows;
	g.n_channel_tiles = (channels + cols - 1) / cols;
	g.n_tiles = (uint64_t)conv->groups * (uint64_t)g.n_pixel_tiles * (uint64_t)g.n_channel_tiles;
	g.n_beats = g.n_tiles * terms;
	/* A tile shorter than the draining of the one before waits for it: see docs/datapath.md "mac_array". */
	g.n_cycles = g.n_tiles * (terms > (size_t)rows ? terms : (size_t)rows + 1);
	return g;
}

struct mch_tile mch_gemm_tile(const struct mch_gemm *g, uint64_t tile)
{
	const int channels = g->conv.k / g->conv.groups;
	const int pixel_tile = (int)(tile % (uint64_t)g->n_pixel_tiles);
	const int channel_tile = (int)(tile / (uint64_t)g->n_pixel_tiles % (uint64_t)g->n_channel_tiles);
	const int group = (int)(tile / (uint64_t)g->n_pixel_tiles / (uint64_t)g->n_channel_tiles);
	const int pixels_left = g->n_pixels - pixel_tile * g->rows, channels_left = channels - channel_tile * g->cols;
	return (struct mch_tile){pixel_tile * g->rows, group * channels + channel_tile * g->cols,
				 pixels_left < g->rows ? pixels_left : g->rows,
				 channels_left < g->cols ? channels_left : g->cols};
}

/* Beat by beat: the term's place in the kernel is found once for all rows. */
static void gather_x(const struct mch_gemm *g, struct mch_tile at, const int32_t *x, int32_t *beats)
{
	const struct mch_conv *v = &g->conv;
	const int n_p = mch_conv_p(v), n_q = mch_conv_q(v), group_c = v->c / v->groups;
	const int c0 = at.channel0 / (v->k / v->groups) * group_c;
	int n[64], p[64], q[64]; /* rows <= 64, see mch_mac_array_init */
	for (int i = 0; i < at.n_pixels; i++) {
		n[i] = (at.pixel0 + i) / (n_p * n_q);
		p[i] = (at.pixel0 + i) / n_q % n_p;
		q[i] = (at.pixel0 + i) % n_q;
	}
	for (int c = c0; c < c0 + group_c; c++)
		for (int r = 0; r < v->r; r++)
			for (int s = 0; s < v->s; s++, beats += g->rows)
				for (int i = 0; i < at.n_pixels; i++) {
					const ptrdiff_t from = mch_conv_x_at(v, n[i], c, r, s, p[i], q[i]);
					beats[i] = from < 0 ? 0 : x[from];
				}
}

void mch_gemm_operands(const struct mch_gemm *g, uint64_t tile, const int32_t *x, const int32_t *w, int32_t *x_beats,
		       int32_t *w_beats)
{
	const struct mch_tile at = mch_gemm_tile(g, tile);
	const size_t terms = mch_conv_terms(&g->conv);
	if (at.n_pixels < g->rows)
		memset(x_beats, 0, terms * (size_t)g->rows * sizeof(*x_beats));
	if (at.n_channels < g->cols)
		memset(w_beats, 0, terms * (size_t)g->cols * sizeof(*w_beats));
	gather_x(g, at, x, x_beats);
	for (int j = 0; j < at.n_channels; j++)
		for (size_t t = 0; t < terms; t++)
			w_beats[t * (size_t)g->cols + (size_t)j] = w[(size_t)(at.channel0 + j) * terms + t];
}

size_t mch_gemm_out_index(const struct mch_gemm *g, struct mch_tile tile, int i, int j)
{
	const int pixels = mch_conv_p(&g->conv) * mch_conv_q(&g->conv);
	const int m = tile.pixel0 + i;
	return ((size_t)(m / pixels) * (size_t)g->conv.k + (size_t)(tile.channel0 + j)) * (size_t)pixels +
	       (size_t)(m % pixels);
}
