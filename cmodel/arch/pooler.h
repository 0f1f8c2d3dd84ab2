/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The pooler, cycle by cycle: every register of the RTL, under the same names. It walks the windows of a pool through
 * the feature buffer; with no words on its pins it does so for a plan, without their data.
 * Twin: rtl/mch_pooler.v. Spec: docs/accelerator.md "pooler". */
#ifndef MCH_ARCH_POOLER_H
#define MCH_ARCH_POOLER_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"
#include "fxp/format.h"

enum { MCH_POOLER_COLS_MAX = 64 };

/* RTL parameters, same spelling in lower case. */
struct mch_pooler_config {
	int rows;      /* 1..64 */
	int cols;      /* 1..64 */
	int elem_bits; /* 8, 16 */
	int x_bits;    /* 1..elem_bits */
	int out_bits;  /* 1..16 */
	int acc_bits;  /* 2..48 */
	int x_words;   /* a power of two, 2..2^16 */
	enum mch_number x_kind; /* a minifloat: sign and magnitude, and no means */
};

/* Input pins, sampled at a rising edge. */
struct mch_pooler_in {
	bool clear, start, skip;
	const struct mch_descriptor *d; /* may be NULL while done */
	bool strip_valid[2];
	uint32_t strip_start[2], strip_words[2], filled[2];
	/* [cols * elem_bits / 8], element 0 first, low byte first; NULL: control alone, for a plan. */
	const uint8_t *xr_word;
	bool param_ack, sum_ready, row_ready, cmd_ready;
};

/* What goes with a position: the bits of tag*_q. */
enum {
	MCH_POOLER_ZERO = 1,
	MCH_POOLER_COUNTS = 2,
	MCH_POOLER_R_FIRST = 4,
	MCH_POOLER_R_LAST = 8,
	MCH_POOLER_S_FIRST = 16,
	MCH_POOLER_LAST = 32, /* of the window */
	MCH_POOLER_TILE = 64, /* of the tile's first window */
	MCH_POOLER_BLOCK = 128
};
enum mch_pooler_step { MCH_POOLER_IDLE, MCH_POOLER_DIVIDE, MCH_POOLER_MULTIPLY };

/* Position of a window: row in words of a map, column; signed, 26 and 19 bits. */
struct mch_pooler_place {
	int32_t row, col;
	uint32_t q; /* output column */
};

/* Registers; the suffix _q of the RTL name is implied, and prow_q pcol_q q_q are p, srow_q scol_q sq_q are s. */
struct mch_pooler {
	struct mch_pooler_config cfg;
	bool busy, walk, half, v0, v1, v2, full, cmd_valid, early, known, prod, param;
	enum mch_pooler_step step;
	int n;
	int32_t row, col;
	struct mch_pooler_place p, s;
	uint32_t r_tap, s_tap; /* r_q, s_q */
	uint32_t left, sleft, lane, tile, y;
	bool begin;
	uint32_t base, addr, yaddr, saddr;
	uint32_t off0;
	bool half0, end0;
	uint8_t tag0, tag1, tag2;
	int32_t column[MCH_POOLER_COLS_MAX], window[MCH_POOLER_COLS_MAX], hold[MCH_POOLER_COLS_MAX];
	int64_t product[MCH_POOLER_COLS_MAX];
	uint32_t ccount, wcount, hcount, count;
	bool block;
	uint32_t rest, quot, recip;
	uint32_t cmd_addr, cmd_words;
};

/* What moves in a cycle: functions of the registers and the pins. */
struct mch_pooler_move {
	bool multiplied, empties, go2, go1, go0, enter, go, wait_x;
};

/* 0, or -1 with err when a parameter is out of range. All registers start as 0. */
int mch_pooler_init(struct mch_pooler *p, const struct mch_pooler_config *cfg, struct mch_err *err);

/* What rst_ni and clear_i do: the control registers clear, the others keep what they hold. */
void mch_pooler_reset(struct mch_pooler *p);

struct mch_pooler_move mch_pooler_move(const struct mch_pooler *p, const struct mch_pooler_in *in);

/* Output pins of a cycle in which `m` moves; wait_x_o is its wait_x. */
static inline bool mch_pooler_release(const struct mch_pooler *p, struct mch_pooler_move m, int half)
{
	return m.go0 && p->end0 && p->half0 == (half != 0);
}
static inline bool mch_pooler_xr_en(const struct mch_pooler *p, struct mch_pooler_move m)
{
	return m.go0 && !(p->tag0 & MCH_POOLER_ZERO);
}
static inline uint32_t mch_pooler_xr_addr(const struct mch_pooler *p)
{
	return (p->half0 ? (uint32_t)p->cfg.x_words : 0) + p->off0;
}

/* Output pins, functions of the registers (and of the descriptor's OP); param_o, cmd_*_o are registers. */
static inline bool mch_pooler_done(const struct mch_pooler *p)
{
	return !(p->busy || p->v0 || p->v1 || p->v2 || p->full || p->prod || p->cmd_valid);
}
static inline bool mch_pooler_sum_valid(const struct mch_pooler *p)
{
	return p->prod && !p->param;
}
static inline bool mch_pooler_row_valid(const struct mch_pooler *p, uint32_t op)
{
	return op != MCH_OP_MEAN && p->full && (!p->cmd_valid || p->early);
}

/* Pin row_o of lane j. */
int32_t mch_pooler_row(const struct mch_pooler *p, const struct mch_descriptor *d, int j);

/* Pin sum_o of lane j: the product in ACC_BITS. */
int64_t mch_pooler_sum(const struct mch_pooler *p, int j);

/* One rising edge. */
void mch_pooler_step(struct mch_pooler *p, const struct mch_pooler_in *in);

#endif
