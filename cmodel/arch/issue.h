/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Beats meet weights, cycle by cycle: every register of the RTL, under the same names.
 * Twin: rtl/mch_issue.v. Spec: docs/accelerator.md "issue". */
#ifndef MCH_ARCH_ISSUE_H
#define MCH_ARCH_ISSUE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"
#include "fxp/round_shift.h"

/* RTL parameters, same spelling in lower case. */
struct mch_issue_config {
	int rows, cols;     /* 1..64 */
	int elem_bits;      /* 8, 16 */
	int x_bits, w_bits; /* 1..elem_bits */
	int acc_bits;       /* 2..48 */
	enum mch_round round;
	int w_words; /* a power of two, 2..2^15 */
	int x_cols;  /* as in lanes.h */
};

/* Input pins, sampled at a rising edge. Without data, for a plan, x and w_word are NULL. */
struct mch_issue_in {
	bool clear, start;
	const struct mch_descriptor *d; /* may be NULL while nothing is issued */
	bool beat_valid, beat_signed, beat_first, beat_last, beat_param, beat_release;
	uint32_t beat_words;
	const int32_t *x; /* [rows][x_cols], already read as signed or unsigned (beat_signed decides in RTL) */
	uint32_t w_fill;
	const uint8_t *w_word; /* [cols * elem_bits / 8], element 0 first, low byte first */
	bool pool_param, in_ready, cmd_ready;
};

/* Output pins that depend on pins. Released is one word. */
struct mch_issue_out {
	bool beat_take, wr_en, release, load, pool_param_ack, wait_w, wait_out;
};

/* Registers; the suffix _q of the RTL name is implied. Output pins are in_valid, first, last, is_signed, x; cmd_valid,
 * cmd_addr, cmd_words; rd is wr_addr_o. */
struct mch_issue {
	struct mch_issue_config cfg;
	int n_param; /* PARAM */
	bool in_valid, in_mark, cmd_valid, pend, claimed, param;
	int count;
	bool mark, mark0, mark1, done;
	uint32_t rd, off;
	bool first, last, is_signed; /* signed_q */
	int32_t *x;                  /* [rows][x_cols] */
	uint32_t strip_addr, block_addr, tile_addr, cmd_addr, left, cmd_words;
	uint16_t *channel; /* [cols][n_param] elements, in the order of the words */
};

/* Words of parameters of a y block: PARAM. */
int mch_issue_param_words(const struct mch_issue_config *cfg);

/* 0, or -1 with err when a parameter is out of range or memory is short. All registers start as 0. */
int mch_issue_init(struct mch_issue *u, const struct mch_issue_config *cfg, struct mch_err *err);
void mch_issue_free(struct mch_issue *u);

/* What rst_ni and clear_i do: the control registers clear, the data registers keep what they hold. */
void mch_issue_reset(struct mch_issue *u);

/* done_o, a function of the registers alone. */
static inline bool mch_issue_done(const struct mch_issue *u)
{
	return !u->in_valid && !u->cmd_valid && !u->pend;
}

/* The output pins of this cycle, once its input pins are known. */
void mch_issue_eval(const struct mch_issue *u, const struct mch_issue_in *in, struct mch_issue_out *out);

/* w_o [cols] of the word at the RAM's output, as signed numbers. */
void mch_issue_w(const struct mch_issue *u, const uint8_t *w_word, int32_t *w);

/* bias_o, shift_o (as the shift itself), noise_o, each [cols]. */
void mch_issue_params(const struct mch_issue *u, int64_t *bias, int8_t *shift, uint16_t *noise);

/* One rising edge; out is what mch_issue_eval made of the same registers and pins. */
void mch_issue_step(struct mch_issue *u, const struct mch_issue_in *in, const struct mch_issue_out *out);

#endif
