/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The sequencer, cycle by cycle: every register of the RTL, under the same
 * names. Twin: rtl/mch_seq.v. Spec: docs/accelerator.md "seq". */
#ifndef MCH_ARCH_SEQ_H
#define MCH_ARCH_SEQ_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"

enum { MCH_SEQ_DESCRIPTOR_BYTES = 128 };

/* RTL parameters, same spelling in lower case. */
struct mch_seq_config {
	int rows, cols; /* 1..64 */
	int out_bits;	/* 1..16 */
	int word_bits;	/* 32..1024, a power of two */
	bool mean;	/* else OP_MEAN is illegal */
	bool depthwise; /* else TAPS is */
};

/* Input pins, sampled at a rising edge. */
struct mch_seq_in {
	bool start, reset;
	uint32_t list, watchdog;
	bool take, w_take;
	uint32_t take_words;
	bool word_valid;
	const uint8_t *word; /* [word_bits / 8], with word_valid */
	bool x_done, w_done, x_overflow;
	bool cp_idle, store_idle;
	bool w_release;
	uint32_t w_release_words;
	bool read_error, write_error, progress, read_idle, write_idle;
};

enum mch_seq_state {
	MCH_SEQ_IDLE,
	MCH_SEQ_FETCH,
	MCH_SEQ_CHECK,
	MCH_SEQ_DECIDE,
	MCH_SEQ_RUN,
	MCH_SEQ_FINISH,
	MCH_SEQ_DRAIN,
	MCH_SEQ_CLEAR
};

/* Registers; the suffix _q of the RTL name is implied. Those that are output
 * pins: go, cp_start, done, error, index, addr, error_code, error_field. */
struct mch_seq {
	struct mch_seq_config cfg;
	enum mch_seq_state state;
	bool moved, go, cp_start, done, error;
	uint32_t index;
	int32_t owed;
	uint32_t ahead;
	uint8_t d[MCH_SEQ_DESCRIPTOR_BYTES], cp_d[MCH_SEQ_DESCRIPTOR_BYTES];
	uint32_t bad, addr, watchdog;
	uint32_t ask, place;
	uint32_t error_code, error_field;
	/* Host only: the pins ld_d_o (from the state DECIDE on) and cp_d_o, their
	 * fields taken apart. */
	struct mch_descriptor ld, cp;
};

/* 0, or -1 with err when a parameter is out of range. All registers start as 0.
 */
int mch_seq_init(struct mch_seq *s, const struct mch_seq_config *cfg, struct mch_err *err);

/* What rst_ni does: the control registers clear, the data registers keep what
 * they hold. */
void mch_seq_reset(struct mch_seq *s);

/* Bit i: the 32-bit word i of a descriptor is illegal. */
uint32_t mch_seq_illegal(const struct mch_seq_config *cfg, const uint8_t bytes[MCH_SEQ_DESCRIPTOR_BYTES]);

/* Output pins that are no registers. */
static inline bool mch_seq_req_valid(const struct mch_seq *s)
{
	return s->state == MCH_SEQ_FETCH && s->ask != 0;
}
static inline bool mch_seq_ld_start(const struct mch_seq *s)
{
	return s->state == MCH_SEQ_DECIDE && s->bad == 0 && (s->d[0] & 3) != MCH_OP_STOP;
}
static inline bool mch_seq_stop(const struct mch_seq *s)
{
	return s->state >= MCH_SEQ_DRAIN;
}
static inline bool mch_seq_clear(const struct mch_seq *s)
{
	return s->state == MCH_SEQ_CLEAR;
}
static inline bool mch_seq_busy(const struct mch_seq *s)
{
	return s->state != MCH_SEQ_IDLE;
}
static inline bool mch_seq_draining(const struct mch_seq *s)
{
	return s->state == MCH_SEQ_DRAIN;
}

/* One rising edge. */
void mch_seq_step(struct mch_seq *s, const struct mch_seq_in *in);

#endif
