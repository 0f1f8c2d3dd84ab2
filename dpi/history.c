/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Beats of an array's tiles; see history.h. */
#include "dpi/history.h"

#include <stdlib.h>
#include <string.h>

#include "dpi/array.h"

static struct mch_dpi_tile *numbered(struct mch_dpi_history *h, unsigned number)
{
	return &h->tile[number % MCH_DPI_TILES];
}

/* Room for one more beat of `width` operands, or the tile becomes unknown. */
static bool grow(struct mch_dpi_tile *t, size_t width)
{
	if (t->n_beats < 0 || t->n_beats < t->room)
		return t->n_beats >= 0;
	const int room = t->room ? 2 * t->room : 64;
	int32_t *beats = room <= MCH_DPI_BEATS_MAX ? realloc(t->beats, (size_t)room * width * sizeof(*beats)) : NULL;
	if (!beats) {
		t->n_beats = -1;
		return false;
	}
	t->beats = beats;
	t->room = room;
	return true;
}

static void keep(struct mch_dpi_history *h, const struct mch_mac_array_config *cfg, const struct mch_mac_array_in *in)
{
	const size_t rows = (size_t)cfg->rows, cols = (size_t)cfg->cols;
	struct mch_dpi_tile *t = numbered(h, h->n_closed);
	if (in->first) {
		t->n_beats = 0;
		t->x_signed = in->x_signed;
	}
	if (grow(t, rows + cols)) {
		int32_t *beat = t->beats + (size_t)t->n_beats++ * (rows + cols);
		memcpy(beat, in->x, rows * sizeof(*beat));
		memcpy(beat + rows, in->w, cols * sizeof(*beat));
	}
	if (in->last) {
		h->n_closed++;
		/* A next beat without `first` goes on with these sums. */
		numbered(h, h->n_closed)->n_beats = -1;
	}
}

void mch_dpi_history_edge(struct mch_dpi_history *h, const struct mch_mac_array *a, const struct mch_mac_array_in *in)
{
	if (!mch_mac_array_in_ready(a))
		return;
	if (a->done)
		h->n_banked++;
	if (in->valid)
		keep(h, &a->cfg, in);
}

void mch_dpi_history_reset(struct mch_dpi_history *h)
{
	h->n_closed = h->n_banked = 0;
	for (int i = 0; i < MCH_DPI_TILES; i++)
		h->tile[i].n_beats = -1;
}

void mch_dpi_history_free(struct mch_dpi_history *h)
{
	for (int i = 0; i < MCH_DPI_TILES; i++)
		free(h->tile[i].beats);
}

int32_t *mch_dpi_history_terms(const struct mch_dpi_history *h, const struct mch_mac_array_config *cfg, unsigned tile, int row,
			       struct mch_hint_seen *seen)
{
	const struct mch_dpi_tile *t = &h->tile[tile % MCH_DPI_TILES];
	if (cfg->mult != MCH_MULT_INTEGER || tile >= h->n_closed || t->n_beats <= 0)
		return NULL;
	const size_t rows = (size_t)cfg->rows, cols = (size_t)cfg->cols, n = (size_t)t->n_beats;
	int32_t *terms = malloc((1 + cols) * n * sizeof(*terms)); /* x, then each column of w */
	if (!terms)
		return NULL;
	for (size_t beat = 0; beat < n; beat++) {
		const int32_t *from = t->beats + beat * (rows + cols);
		terms[beat] = from[row];
		for (size_t j = 0; j < cols; j++)
			terms[(1 + j) * n + beat] = from[rows + j];
	}
	for (size_t j = 0; j < cols; j++) {
		seen[j].n_terms = t->n_beats;
		seen[j].x = terms;
		seen[j].w = terms + (1 + j) * n;
	}
	return terms;
}

const char *mch_dpi_history_hint(const struct mch_dpi_history *h, const struct mch_mac_array *a, const int64_t *got,
				 const bool *flag, char *text)
{
	const struct mch_mac_array_config *c = &a->cfg;
	const unsigned tile = h->n_banked - 1;
	struct mch_hint_seen seen[MCH_DPI_LANES_MAX] = {0};
	int32_t *terms = mch_dpi_history_terms(h, c, tile, c->rows - a->n_out, seen);
	if (!terms)
		return NULL;
	for (int j = 0; j < c->cols; j++) {
		seen[j].got = got[j];
		seen[j].flag = flag[j];
	}
	const bool has_flag = c->acc.overflow == MCH_SATURATE;
	const struct mch_hint_unit unit = {c->acc, c->x_bits, c->w_bits, mch_dpi_history_x_signed(h, tile), has_flag, NULL};
	const char *hint = mch_hint(&unit, seen, c->cols, text);
	free(terms);
	return hint;
}
