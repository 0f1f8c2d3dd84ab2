/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator, cycle by cycle: its units joined as the RTL joins them, and its two memories. With the memory of
 * arch/ideal_memory.h it counts the cycles of a plan; beside the RTL it is what every pin and register is held to.
 * Twin: rtl/mch_top.v. Spec: docs/accelerator.md. */
#ifndef MCH_ARCH_TOP_H
#define MCH_ARCH_TOP_H

#include "arch/accel.h"
#include "arch/axi.h"
#include "arch/datapath.h"
#include "arch/issue.h"
#include "arch/lanes.h"
#include "arch/load_w.h"
#include "arch/load_x.h"
#include "arch/pooler.h"
#include "arch/read.h"
#include "arch/regs.h"
#include "arch/seq.h"
#include "arch/store.h"

/* What the two ports drive in a cycle. */
struct mch_top_in {
	struct mch_regs_in lite; /* its pins of AXI4-Lite; the others are the accelerator's own */
	const struct mch_axi_slave *axi;
};

struct mch_top {
	struct mch_accel_config cfg;
	bool has_data; /* else control alone: the same cycles, and no value but those of descriptors */
	struct mch_regs regs;
	struct mch_seq seq;
	struct mch_read read;
	struct mch_load_x load_x;
	struct mch_load_w load_w;
	struct mch_lanes lanes;
	struct mch_pooler pooler;
	struct mch_issue issue;
	struct mch_datapath datapath;
	struct mch_store store;
	bool dp_clear;           /* dp_clear_q */
	uint8_t *x_mem, *w_mem;  /* [2 * x_words][word bytes], [w_words][word bytes] */
	uint8_t *x_word, *w_word; /* [word bytes]: x_word_q, w_word_q */
	uint64_t cycle;               /* edges */
	/* Room for the pins between units. */
	int32_t *x, *w, *y; /* [rows], [cols], [cols] */
	int64_t *bias, *sum; /* [cols] */
	int8_t *shift;
	uint16_t *noise;
};

/* 0, or -1 with err when a parameter is out of range or memory is short. All registers and memories start as 0. */
int mch_top_init(struct mch_top *t, const struct mch_accel_config *cfg, bool has_data, struct mch_err *err);
void mch_top_free(struct mch_top *t);

/* What rst_ni does: the control registers clear, the data registers and the memories keep what they hold. */
void mch_top_reset(struct mch_top *t);

/* The pins of AXI4 that the accelerator drives: functions of the registers alone. */
void mch_top_drive(const struct mch_top *t, struct mch_axi_master *m);

static inline bool mch_top_busy(const struct mch_top *t)
{
	return mch_seq_busy(&t->seq);
}

/* One rising edge. */
void mch_top_step(struct mch_top *t, const struct mch_top_in *in);

/* The counters of mch_regs at the end of a descriptor. */
struct mch_top_mark {
	uint32_t count[MCH_REGS_COUNTERS];
};

/* Runs the list on an ideal memory of n_bytes until it is done, in most_cycles at most. Returns the cycles from start to end, as
 * the register CYCLES counts them, or -1 with err (an error of the hardware, or no end). mark [n] may be NULL: the counters
 * as descriptor i is done (the next has been moved on to, or the list has ended). */
int64_t mch_top_run(struct mch_top *t, uint32_t list, uint8_t *bytes, uint64_t n_bytes, uint64_t most_cycles,
		    struct mch_top_mark *mark, int n, struct mch_err *err);

#endif
