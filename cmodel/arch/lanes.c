/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The lanes, cycle by cycle; see lanes.h. */
#include "arch/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "fxp/sat.h"

/* Widths of the RTL's positions; its head argues them. */
enum { ROW_MASK = (1 << 26) - 1, COL_MASK = (1 << 19) - 1, Q_MASK = (1 << 17) - 1, N_MASK = (1 << 24) - 1 };

/* Ends that the walk stands at; each holds with all those before it. last: the last lane has its word, whole: with this one all have.
 * map: the tile is the last of the map. */
struct ends {
	bool last, whole, lane, s, r, input, tile, map, y, strip;
};

static bool is_power(int v)
{
	return v > 0 && (v & (v - 1)) == 0;
}

static size_t word_bytes(const struct mch_lanes *l)
{
	return (size_t)(l->cfg.cols * l->cfg.elem_bits / 8);
}

int mch_lanes_init(struct mch_lanes *l, const struct mch_lanes_config *cfg, struct mch_err *err)
{
	memset(l, 0, sizeof(*l));
	if (cfg->rows < 1 || cfg->rows > 64)
		return mch_err_set(err, "lanes", "%d lanes are out of range; ROWS is 1 to 64", cfg->rows);
	if (cfg->cols < 4 || cfg->cols > 64 || !is_power(cfg->cols))
		return mch_err_set(err, "lanes", "words of %d elements; COLS is 4, 8, 16, 32 or 64", cfg->cols);
	if ((cfg->elem_bits != 8 && cfg->elem_bits != 16) || cfg->x_bits < 1 || cfg->x_bits > cfg->elem_bits)
		return mch_err_set(err, "lanes", "codes of %d bits in %d; ELEM_BITS is 8 or 16, X_BITS 1 to that",
				   cfg->x_bits, cfg->elem_bits);
	if (cfg->x_words < 2 || cfg->x_words > 1 << 16 || !is_power(cfg->x_words))
		return mch_err_set(err, "lanes", "a buffer of %d words; X_WORDS is a power of two, 2 to 65536",
				   cfg->x_words);
	if (cfg->x_cols > cfg->cols || (cfg->x_cols != 0 && !is_power(cfg->x_cols)))
		return mch_err_set(err, "lanes", "beats of %d channels; X_COLS is a power of two up to COLS", cfg->x_cols);
	l->cfg = *cfg;
	l->cfg.x_cols = cfg->x_cols ? cfg->x_cols : 1;
	l->next = calloc((size_t)cfg->rows, word_bytes(l));
	l->cur = calloc((size_t)cfg->rows, word_bytes(l));
	if (!l->next || !l->cur) {
		mch_lanes_free(l);
		return mch_err_set(err, "lanes", "out of memory; use a machine with more");
	}
	return 0;
}

void mch_lanes_free(struct mch_lanes *l)
{
	free(l->next);
	free(l->cur);
	memset(l, 0, sizeof(*l));
}

void mch_lanes_reset(struct mch_lanes *l)
{
	l->busy = l->more = l->walk = l->half = false;
	l->v0 = l->v1 = l->full = l->cur_valid = false;
}

void mch_lanes_x(const struct mch_lanes *l, int32_t *x)
{
	const size_t bytes = word_bytes(l);
	for (int i = 0; i < l->cfg.rows; i++) {
		const uint8_t *word = l->cur + (size_t)i * bytes;
		for (int k = 0; k < l->cfg.x_cols; k++) {
			const int at = (l->depthwise ? l->c + k : l->c) * l->cfg.elem_bits / 8;
			const int32_t element = l->cfg.elem_bits == 8 ? word[at] : word[at] | word[at + 1] << 8;
			*x++ = (int32_t)mch_wrap_code(element, l->cfg.x_bits, l->cur_info.is_signed);
		}
	}
}

static struct ends ends_of(const struct mch_lanes *l, const struct mch_descriptor *d)
{
	struct ends e;
	e.last = l->lane == l->cfg.rows - 1;
	e.whole = l->lane >= l->cfg.rows - 1;
	e.lane = l->lane == l->lane_last;
	e.s = l->s + 1 == d->kernel_s;
	e.r = e.s && l->r + 1 == d->kernel_r;
	e.input = l->depthwise || l->block + 1 == (l->second ? d->x1_blocks : d->x0_blocks);
	e.tile = e.r && e.input && (l->depthwise || l->second || d->x1_blocks == 0);
	e.map = l->tleft <= (uint32_t)l->cfg.rows;
	e.y = e.map || l->tile + 1 == d->tiles;
	e.strip = e.y && l->y + 1 == d->y_blocks;
	return e;
}

static void start(struct mch_lanes *l, const struct mch_descriptor *d)
{
	l->pixel = l->tile_pixel = l->strip_pixel = (struct mch_lanes_pixel){0, 0};
	l->tleft = l->sleft = d->pixels & N_MASK;
	l->lane = 0;
	l->busy = l->more = true;
	l->depthwise = l->cfg.x_cols > 1 && d->taps != 0;
	l->lane_last = l->cfg.rows - 1 + (l->depthwise ? (int)d->taps - 1 : 0);
}

static uint32_t offset(const struct mch_lanes *l, uint32_t words)
{
	return words & (uint32_t)(l->cfg.x_words - 1);
}

static uint32_t first_base(const struct mch_lanes *l, const struct mch_lanes_in *in)
{
	return offset(l, 0 - in->strip_start[l->half]);
}

static void enter(struct mch_lanes *l, const struct mch_lanes_in *in)
{
	l->s = l->r = l->block = l->tile = l->y = 0;
	l->second = false;
	l->first = true;
	l->roff = (0 - in->d->pad_words) & ROW_MASK;
	l->coff = (0 - in->d->pad_left) & COL_MASK;
	l->base = first_base(l, in);
	l->walk = true;
}

/* Stage 0. A negative position is a large one to the comparisons. */
static void fetch(struct mch_lanes *l, const struct mch_descriptor *d, const struct ends *e)
{
	const uint32_t row = (l->pixel.row + l->roff) & ROW_MASK, col = (l->pixel.col + l->coff) & COL_MASK;
	l->off0 = offset(l, l->base + row + col);
	l->half0 = l->half;
	l->zero0 = row >= (d->map_words & ROW_MASK) || col >= d->in_w || (uint32_t)l->lane >= l->tleft;
	l->end0 = e->lane && e->tile && e->strip;
	l->whole0 = e->whole;
	const uint32_t channels = e->input && !l->depthwise ? (l->second ? d->x1_last : d->x0_last) : (uint32_t)l->cfg.cols;
	l->info0 = (struct mch_lanes_info){
		.channel_last = (uint8_t)((channels - 1) & (uint32_t)(l->cfg.cols - 1)),
		.words = (uint8_t)(e->map ? l->tleft : (uint32_t)l->cfg.rows),
		.first = l->first && e->last,
		.last = e->lane && e->tile,
		.is_signed = (l->second ? d->x1_signed : d->x0_signed) != 0,
		.first_tile = l->tile == 0,
		.last_tile = e->y,
		.end = e->lane && e->tile && e->strip && e->map,
	};
}

static struct mch_lanes_pixel pixel_next(const struct mch_lanes *l, const struct mch_descriptor *d)
{
	struct mch_lanes_pixel p = {l->pixel.row, (l->pixel.col + d->stride_w) & Q_MASK};
	if (p.col == (d->q_end & Q_MASK)) {
		p.col = 0;
		p.row = (p.row + d->row_step) & ROW_MASK;
	}
	return p;
}

/* Every word begins at the tile's first pixel, every y block at the strip's. */
static void walk_pixels(struct mch_lanes *l, const struct mch_descriptor *d, const struct ends *e)
{
	const struct mch_lanes_pixel after = pixel_next(l, d), next = e->last ? after : l->next_pixel;
	if (e->last)
		l->next_pixel = after;
	l->lane = e->lane ? 0 : l->lane + 1;
	if (!e->lane) {
		l->pixel = after;
	} else if (!e->tile) {
		l->pixel = l->tile_pixel;
	} else if (e->y && !e->strip) {
		l->pixel = l->tile_pixel = l->strip_pixel;
		l->tleft = l->sleft;
	} else {
		l->pixel = l->tile_pixel = next;
		l->tleft = (l->tleft - (uint32_t)l->cfg.rows) & N_MASK;
		if (e->strip) {
			l->strip_pixel = next;
			l->sleft = l->tleft;
		}
	}
}

/* The reduction, the tiles and the y blocks; after the last lane of a word. */
static void walk_words(struct mch_lanes *l, const struct mch_lanes_in *in, const struct ends *e)
{
	const struct mch_descriptor *d = in->d;
	l->first = e->tile;
	l->s = e->s ? 0 : l->s + 1;
	l->coff = (e->s ? 0 - d->pad_left : l->coff + d->dilation_w) & COL_MASK;
	if (e->s) {
		l->r = e->r ? 0 : l->r + 1;
		l->roff = (e->r ? 0 - d->pad_words : l->roff + d->tap_step) & ROW_MASK;
	}
	if (e->r) {
		l->block = e->input ? 0 : l->block + 1;
		l->second = e->input ? !e->tile : l->second;
		if (!l->depthwise)
			l->base = e->tile ? first_base(l, in) : offset(l, l->base + in->strip_words[l->half]);
		else if (e->y)
			l->base = offset(l, l->base + in->strip_words[l->half]);
	}
	if (!e->tile)
		return;
	l->tile = e->y ? 0 : l->tile + 1;
	if (e->y)
		l->y = (l->y + 1) & 0xffff;
	if (e->strip) {
		l->walk = false;
		l->half = !l->half;
		l->more = l->more && !e->map;
	}
}

/* Words enter at the last lane and move towards the first. */
static void take_word(struct mch_lanes *l, const uint8_t *word)
{
	const size_t bytes = word_bytes(l), before = (size_t)(l->cfg.rows - 1) * bytes;
	l->next_info = l->info1;
	if (!word)
		return;
	memmove(l->next, l->next + bytes, before);
	if (l->zero1)
		memset(l->next + before, 0, bytes);
	else
		memcpy(l->next + before, word, bytes);
}

/* From the last stage to the first, so that each reads what its predecessor held before the edge. */
void mch_lanes_step(struct mch_lanes *l, const struct mch_lanes_in *in)
{
	const struct mch_lanes_move m = mch_lanes_moves(l, in);
	const bool used = in->beat_take && mch_lanes_top(l);
	const bool end = l->cur_valid && used && l->cur_info.end, half = l->half;
	if (m.swap) {
		if (in->xr_word)
			memcpy(l->cur, l->next, (size_t)l->cfg.rows * word_bytes(l));
		l->cur_info = l->next_info;
		l->c = 0;
	} else if (in->beat_take) {
		l->c = (l->c + (l->depthwise ? l->cfg.x_cols : 1)) & (l->cfg.cols - 1);
	}
	l->cur_valid = m.swap || (l->cur_valid && !used);
	if (m.go1)
		take_word(l, in->xr_word);
	l->full = (m.go1 && l->whole1) || (l->full && !m.swap);
	if (m.go0) {
		l->zero1 = l->zero0;
		l->whole1 = l->whole0;
		l->info1 = l->info0;
	}
	l->v1 = m.go0 || (l->v1 && !m.go1);
	if (m.step) {
		const struct ends e = ends_of(l, in->d);
		fetch(l, in->d, &e);
		walk_pixels(l, in->d, &e);
		if (e.lane)
			walk_words(l, in, &e);
	}
	l->v0 = m.step || (l->v0 && !m.go0);
	if (m.enter)
		enter(l, in);
	if (end)
		l->busy = false;
	if (in->skip)
		l->half = !half;
	if (in->start)
		start(l, in->d);
	if (in->clear)
		mch_lanes_reset(l);
}
