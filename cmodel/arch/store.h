/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator's write port, cycle by cycle: every register of the RTL, under the same names.
 * Twin: rtl/mch_store.v. Spec: docs/accelerator.md "store". */
#ifndef MCH_ARCH_STORE_H
#define MCH_ARCH_STORE_H

#include <stddef.h>

#include "arch/axi.h"
#include "base/err.h"

enum { MCH_STORE_COMMANDS = 4, MCH_STORE_BURSTS = 4, MCH_STORE_OPEN = 16 };

/* RTL parameters, same spelling in lower case. */
struct mch_store_config {
	int rows;      /* 1..64 */
	int cols;      /* cols * elem_bits: a power of two, 32..1024, at most burst * mem_bits */
	int elem_bits; /* 8, 16 */
	int out_bits;  /* 1..elem_bits */
	int mem_bits;  /* 64..512, a power of two */
	int addr_bits; /* 16..32 */
	int depth;     /* a power of two, 64..1024 */
	int burst;     /* 2..16, a power of two */
};

struct mch_store_command {
	uint32_t addr;  /* of a word */
	uint32_t words; /* 1..64 */
	bool rows;
};
struct mch_store_burst {
	uint32_t addr;
	uint32_t n; /* words less one */
};

/* Input pins of a cycle. */
struct mch_store_in {
	bool clear, stop;
	bool cmd_valid;
	struct mch_store_command cmd;
	bool row_valid;
	const int32_t *row; /* [cols] codes, read by row_signed_i; NULL: without data, for a plan */
	bool awready, wready;
	struct mch_axi_b b;
};

/* Output pins that depend on pins. */
struct mch_store_out {
	bool beat, error, idle;
};

/* What a word of the FIFO has beside its elements. */
struct mch_store_word {
	bool last;
	uint8_t slot; /* of its beat; 0 where beats are not wider than words */
};

/* Registers; the suffix _q of the RTL name is implied. */
struct mch_store {
	struct mch_store_config cfg;
	unsigned ratio_log, parts_log, word_log; /* log2 of words of a beat, beats of a word, bytes of a word */
	uint32_t last_word;                      /* words of a longest burst - 1 */
	bool stop;
	struct mch_store_command command[MCH_STORE_COMMANDS];
	uint32_t cmd_put, cmd_get, commands;
	uint32_t words, row, n, at, from;
	struct mch_store_burst burst[MCH_STORE_BURSTS];
	uint32_t burst_put, burst_get, bursts;
	bool awvalid;
	uint32_t awaddr, awlen, open;
	uint32_t ready, put, get;
	uint8_t *fifo; /* [depth][word bytes] */
	struct mch_store_word *info;
	bool fifo_valid;
	uint8_t *fifo_out; /* [word bytes]: fifo_q */
	struct mch_store_word info_out;
	bool wvalid, wlast;                   /* wide beats only */
	uint32_t have;                        /* wide beats only: a bit for each word */
	uint8_t wdata[MCH_AXI_BEAT_BYTES_MAX]; /* wide beats only */
	uint32_t part;                        /* narrow beats only */
	bool has_data;
};

/* 0, or -1 with err when a parameter is out of range or memory is short. All registers start as 0. */
int mch_store_init(struct mch_store *s, const struct mch_store_config *cfg, struct mch_err *err);
void mch_store_free(struct mch_store *s);

/* What rst_ni and clear_i do: the control registers clear, the data registers keep what they hold. */
void mch_store_reset(struct mch_store *s);

/* Functions of the registers alone. */
static inline bool mch_store_cmd_ready(const struct mch_store *s)
{
	return s->stop || s->commands != MCH_STORE_COMMANDS;
}
static inline bool mch_store_row_ready(const struct mch_store *s)
{
	return s->stop || (s->commands != 0 && s->words != (uint32_t)s->cfg.depth && s->bursts != MCH_STORE_BURSTS);
}

/* The pins of AXI4 that the unit drives, functions of the registers alone: m->aw, m->w and m->bready. */
void mch_store_drive(const struct mch_store *s, struct mch_axi_master *m);

/* The other output pins of this cycle, once its input pins are known. */
void mch_store_eval(const struct mch_store *s, const struct mch_store_in *in, struct mch_store_out *out);

/* One rising edge. */
void mch_store_step(struct mch_store *s, const struct mch_store_in *in);

#endif
