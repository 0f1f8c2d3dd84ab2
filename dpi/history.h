/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The beats of the tiles that an array still works on, kept so that a row that differs can be explained (op/hint.h). */
#ifndef MCH_DPI_HISTORY_H
#define MCH_DPI_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/mac_array.h"
#include "op/hint.h"

enum {
	MCH_DPI_TILES = 16,       /* one open, three in the stages, one in the bank, and of a datapath three behind it: eight at most */
	MCH_DPI_BEATS_MAX = 4096, /* of longer tiles nothing is kept, nor explained */
};

struct mch_dpi_tile {
	bool x_signed;
	int n_beats, room; /* n_beats < 0: nothing is known of it */
	int32_t *beats;    /* [room][rows + cols] */
};

/* All zero: empty. */
struct mch_dpi_history {
	struct mch_dpi_tile tile[MCH_DPI_TILES];
	unsigned n_closed, n_banked; /* of them, so far; the open one is number n_closed, that in the bank n_banked - 1 */
};

/* Tells of the edge that comes, before the model's step. */
void mch_dpi_history_edge(struct mch_dpi_history *h, const struct mch_mac_array *a, const struct mch_mac_array_in *in);
void mch_dpi_history_reset(struct mch_dpi_history *h);
void mch_dpi_history_free(struct mch_dpi_history *h);

/* Fills x, w and n_terms of seen[cols] for a row of tile number `tile`. The terms, to be freed, or NULL: they are not known. Of
 * integers alone. */
int32_t *mch_dpi_history_terms(const struct mch_dpi_history *h, const struct mch_mac_array_config *cfg, unsigned tile, int row,
			       struct mch_hint_seen *seen);

/* What explains the row of sums on the pins, got[cols] with its flags, in text (MCH_HINT_BYTES), or NULL. */
const char *mch_dpi_history_hint(const struct mch_dpi_history *h, const struct mch_mac_array *a, const int64_t *got,
				 const bool *flag, char *text);

/* How the terms of a tile are read. */
static inline bool mch_dpi_history_x_signed(const struct mch_dpi_history *h, unsigned tile)
{
	return h->tile[tile % MCH_DPI_TILES].x_signed;
}

#endif
