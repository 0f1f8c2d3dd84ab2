/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The lanes, cycle by cycle: every register of the RTL, under the same names. They read the windows of ROWS pixels from
 * the feature buffer and give their channels as beats.
 * Twin: rtl/mch_lanes.v. Spec: docs/accelerator.md "lanes". */
#ifndef MCH_ARCH_LANES_H
#define MCH_ARCH_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"

/* RTL parameters, same spelling in lower case. */
struct mch_lanes_config {
	int rows;      /* 1..64 */
	int cols;      /* 4, 8, 16, 32, 64 */
	int elem_bits; /* 8, 16 */
	int x_bits;    /* 1..elem_bits */
	int x_words;   /* a power of two, 2..2^16 */
	int x_cols;    /* activations of a lane in a beat: 1, or a power of two up to cols; 0 is 1 */
};

/* Input pins, sampled at a rising edge. */
struct mch_lanes_in {
	bool clear, start, skip, beat_take;
	const struct mch_descriptor *d; /* may be NULL while done */
	bool strip_valid[2];
	uint32_t strip_start[2], strip_words[2], filled[2];
	const uint8_t *xr_word; /* [cols * elem_bits / 8], low byte of element 0 first; NULL: control alone, for a plan */
};

/* What goes with a word of every lane: the vectors info*_q. */
struct mch_lanes_info {
	uint8_t channel_last; /* channels of the word - 1 */
	uint8_t words;        /* valid pixels of the tile */
	bool first, last;     /* word of the tile */
	bool is_signed;
	bool first_tile, last_tile; /* of the y block in this strip */
	bool end;                   /* last word of the layer */
};

/* Position of a pixel's window: row in words of a map, column; modulo 2^26 and 2^17. */
struct mch_lanes_pixel {
	uint32_t row, col;
};

/* Registers; the suffix _q of the RTL name is implied, and prow_q is pixel.row. */
struct mch_lanes {
	struct mch_lanes_config cfg;
	bool busy, more, walk, half;
	bool v0, v1, full, cur_valid;
	struct mch_lanes_pixel pixel, tile_pixel, strip_pixel, next_pixel; /* p, t, s, n */
	uint32_t tleft, sleft;
	int lane;
	uint32_t s, r, block, tile, y;
	bool second, first;
	uint32_t roff, coff, base;
	uint32_t off0;
	bool half0, zero0, end0, zero1, whole0, whole1;
	struct mch_lanes_info info0, info1, next_info, cur_info;
	bool depthwise;
	int lane_last;
	uint8_t *next, *cur; /* [rows][cols * elem_bits / 8] */
	int c;
};

/* What moves in a cycle: functions of the registers and the pins. */
struct mch_lanes_move {
	bool swap, go1, go0, step, enter;
};

/* 0, or -1 with err when a parameter is out of range or memory is short. All registers start as 0. */
int mch_lanes_init(struct mch_lanes *l, const struct mch_lanes_config *cfg, struct mch_err *err);
void mch_lanes_free(struct mch_lanes *l);

/* What rst_ni and clear_i do: the control registers clear, the others keep what they hold. */
void mch_lanes_reset(struct mch_lanes *l);

static inline bool mch_lanes_top(const struct mch_lanes *l)
{
	return (l->depthwise ? l->c | (l->cfg.x_cols - 1) : l->c) == l->cur_info.channel_last;
}

static inline struct mch_lanes_move mch_lanes_moves(const struct mch_lanes *l, const struct mch_lanes_in *in)
{
	struct mch_lanes_move m;
	m.swap = l->full && (!l->cur_valid || (in->beat_take && mch_lanes_top(l)));
	m.go1 = l->v1 && (!l->full || m.swap);
	m.go0 = l->v0 && (l->zero0 || l->off0 < in->filled[l->half0]) && (!l->v1 || m.go1);
	m.step = l->walk && (!l->v0 || m.go0);
	m.enter = l->more && !l->walk && in->strip_valid[l->half];
	return m;
}

/* Output pins of a cycle in which `m` moves. */
static inline bool mch_lanes_release(const struct mch_lanes *l, struct mch_lanes_move m, int half)
{
	return m.go0 && l->end0 && l->half0 == (half != 0);
}
static inline bool mch_lanes_xr_en(const struct mch_lanes *l, struct mch_lanes_move m)
{
	return m.go0 && !l->zero0;
}
static inline uint32_t mch_lanes_xr_addr(const struct mch_lanes *l)
{
	return (l->half0 ? (uint32_t)l->cfg.x_words : 0) + l->off0;
}

/* Output pins, functions of the registers alone. */
static inline bool mch_lanes_done(const struct mch_lanes *l)
{
	return !l->busy;
}
static inline bool mch_lanes_wait_x(const struct mch_lanes *l)
{
	return l->busy && !l->cur_valid;
}
struct mch_lanes_beat {
	bool valid, is_signed, first, last, param, release;
	int words;
};
static inline struct mch_lanes_beat mch_lanes_beat_pins(const struct mch_lanes *l)
{
	const struct mch_lanes_info *i = &l->cur_info;
	const bool first = i->first && l->c == 0;
	return (struct mch_lanes_beat){.valid = l->cur_valid,
				       .is_signed = i->is_signed,
				       .first = first,
				       .last = i->last && mch_lanes_top(l),
				       .param = i->first_tile && first,
				       .release = i->last_tile,
				       .words = i->words};
}

/* The beat's codes x [rows][x_cols], read as signed or unsigned by beat_signed_o. */
void mch_lanes_x(const struct mch_lanes *l, int32_t *x);

/* One rising edge. */
void mch_lanes_step(struct mch_lanes *l, const struct mch_lanes_in *in);

#endif
