/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The loader of activations, cycle by cycle and without their data: every register of the RTL, under the same names.
 * Twin: rtl/mch_load_x.v. Spec: docs/accelerator.md "load_x". */
#ifndef MCH_ARCH_LOAD_X_H
#define MCH_ARCH_LOAD_X_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"

/* RTL parameters, same spelling in lower case. */
struct mch_load_x_config {
	int x_words; /* of a half: a power of two, 2..32768 */
};

/* Input pins, sampled at a rising edge. */
struct mch_load_x_in {
	bool clear, start;
	const struct mch_descriptor *d; /* read from `start` until done */
	bool go;
	bool take;
	uint32_t take_words;
	bool word_valid;
	bool release[2];
};

enum mch_load_x_step {
	MCH_LOAD_X_IDLE,
	MCH_LOAD_X_PAD,
	MCH_LOAD_X_LEFT,
	MCH_LOAD_X_START,
	MCH_LOAD_X_ROWS,
	MCH_LOAD_X_WRAP,
	MCH_LOAD_X_REACH,
	MCH_LOAD_X_BACK,
	MCH_LOAD_X_END,
	MCH_LOAD_X_WORDS,
	MCH_LOAD_X_ADDR0,
	MCH_LOAD_X_ADDR1,
	MCH_LOAD_X_OPEN,
	MCH_LOAD_X_STOP
};

/* Registers; the suffix _q of the RTL name is implied. */
struct mch_load_x {
	struct mch_load_x_config cfg;
	enum mch_load_x_step step;
	int64_t low, high; /* 34 bits, signed */
	uint32_t from, left, column;
	bool last;
	bool next; /* the half that is filled next; that in use is the other */
	bool ask, second, overflow;
	bool valid[2];
	uint32_t addr, block, other, blocks;
	uint32_t run, asked, total;
	uint32_t start[2], words[2], filled[2]; /* pins strip_start_o, strip_words_o, filled_o */
};

/* 0, or -1 with err when a parameter is out of range. All registers start as 0. */
int mch_load_x_init(struct mch_load_x *l, const struct mch_load_x_config *cfg, struct mch_err *err);

/* What rst_ni and clear_i do: the control registers clear, the data registers keep what they hold. */
void mch_load_x_reset(struct mch_load_x *l);

/* Output pins; those that are not here are registers: req_valid_o is ask, req_addr_o addr, req_words_o run,
 * strip_valid_o valid, overflow_o overflow. */
static inline bool mch_load_x_done(const struct mch_load_x *l)
{
	return l->step == MCH_LOAD_X_IDLE && !l->ask;
}

/* The half in which the next word lands: that of the strip before, while words of it are missing. */
static inline bool mch_load_x_land(const struct mch_load_x *l)
{
	return l->filled[l->next] != l->total ? l->next : !l->next;
}
static inline uint32_t mch_load_x_xw_addr(const struct mch_load_x *l)
{
	const bool half = mch_load_x_land(l);
	const uint32_t x_words = (uint32_t)l->cfg.x_words;
	return (half ? x_words : 0) + (l->filled[half] & (x_words - 1));
}

/* One rising edge. */
void mch_load_x_step(struct mch_load_x *l, const struct mch_load_x_in *in);

#endif
