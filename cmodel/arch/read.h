/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator's read port, cycle by cycle: every control register of the RTL, under the same names.
 * Twin: rtl/mch_read.v. Spec: docs/accelerator.md "read". */
#ifndef MCH_ARCH_READ_H
#define MCH_ARCH_READ_H

#include <stddef.h>

#include "arch/axi.h"
#include "base/err.h"

enum { MCH_READ_REQUESTERS = 3, MCH_READ_OUTSTANDING_MAX = 16, MCH_READ_WORD_BYTES_MAX = 128 };

/* RTL parameters, same spelling in lower case. */
struct mch_read_config {
	int mem_bits;    /* 64..512, a power of two */
	int word_bits;   /* 32..1024, a power of two, at most burst * mem_bits */
	int addr_bits;   /* 16..32 */
	int burst;       /* 2..16, a power of two */
	int outstanding; /* 2..16, a power of two */
};

/* Input pins of a cycle. r.data is NULL in a simulation without data: then words are NULL, too. */
struct mch_read_in {
	bool req_valid[MCH_READ_REQUESTERS];
	uint32_t req_addr[MCH_READ_REQUESTERS];  /* of a word */
	uint32_t req_words[MCH_READ_REQUESTERS]; /* 1..65535 */
	bool stop, clear;
	bool arready;
	struct mch_axi_r r;
};

/* Output pins of a cycle. A word is good until the step: it lies in the beat, or in the unit. */
struct mch_read_out {
	int take;            /* the requester whose burst was taken in the cycle before, or -1 */
	uint32_t take_words; /* of it; 0 without one (the RTL's pin then says those of the last) */
	int winner;          /* the requester whose burst is taken in this cycle, or -1: not a pin */
	int word_valid;      /* the requester that is given a word, or -1 */
	const uint8_t *word; /* [word bytes] */
	bool idle, error, beat;
	bool rready;
};

/* Registers; the suffix _q of the RTL name is implied. */
struct mch_read {
	struct mch_read_config cfg;
	unsigned ratio_log, parts_log; /* log2 of words of a beat, of beats of a word: one of them is 0 */
	unsigned word_log, mem_log;    /* log2 of their bytes */
	uint32_t last_word, last_slot, last_part;
	bool arvalid;
	uint32_t araddr, arlen;
	uint8_t take;        /* one-hot: who was taken in the cycle before */
	uint32_t take_less;  /* words of the last burst taken, less one */
	uint32_t open, put, get; /* open bursts, 0..outstanding; places in the list */
	uint32_t given, part;    /* words given of the oldest, beats collected of its next word */
	uint8_t who[MCH_READ_OUTSTANDING_MAX];
	uint8_t words[MCH_READ_OUTSTANDING_MAX];    /* less one */
	uint8_t slot[MCH_READ_OUTSTANDING_MAX];     /* of the first word in its beat */
	uint8_t part_data[MCH_READ_WORD_BYTES_MAX]; /* part_data_q, with room for the beat that completes the word */
};

/* 0, or -1 with err when a parameter is out of range. All registers start as 0. */
int mch_read_init(struct mch_read *r, const struct mch_read_config *cfg, struct mch_err *err);

/* What rst_ni and clear_i do: the control registers clear. */
void mch_read_reset(struct mch_read *r);

/* Nothing is open: idle_o. */
static inline bool mch_read_idle(const struct mch_read *r)
{
	return r->open == 0;
}

/* rready_o, a function of the registers alone. */
static inline bool mch_read_rready(const struct mch_read *r)
{
	const uint32_t place = r->slot[r->get] + r->given;
	return r->open != 0 &&
	       (r->ratio_log == 0 || r->given == r->words[r->get] || (place & r->last_slot) == r->last_slot);
}

/* The pins of AXI4 that the unit drives, functions of the registers alone: m->ar and m->rready. */
void mch_read_drive(const struct mch_read *r, struct mch_axi_master *m);

/* The output pins of this cycle, once its input pins are known. */
void mch_read_eval(struct mch_read *r, const struct mch_read_in *in, struct mch_read_out *out);

/* One rising edge; out is what mch_read_eval made of the same registers and pins. */
void mch_read_step(struct mch_read *r, const struct mch_read_in *in, const struct mch_read_out *out);

#endif
