/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The loader of weights, cycle by cycle and without their data: every register of the RTL, under the same names.
 * Twin: rtl/mch_load_w.v. Spec: docs/accelerator.md "load_w". */
#ifndef MCH_ARCH_LOAD_W_H
#define MCH_ARCH_LOAD_W_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"

/* RTL parameters, same spelling in lower case. */
struct mch_load_w_config {
	int w_words;     /* of the ring: a power of two, 2..32768, two bursts or more */
	int burst_words; /* of a full burst of mch_read */
};

/* Input pins, sampled at a rising edge. */
struct mch_load_w_in {
	bool clear, start;
	const struct mch_descriptor *d; /* read from `start` until done */
	bool take;
	uint32_t take_words;
	bool word_valid;
	bool release;
	uint32_t release_words; /* at most `fill` */
};

/* Registers; the suffix _q of the RTL name is implied. */
struct mch_load_w {
	struct mch_load_w_config cfg;
	bool busy;
	uint32_t addr, run, left;
	uint32_t used, fill; /* `fill` is the pin fill_o */
	uint32_t write;      /* the pin ww_addr_o */
};

/* 0, or -1 with err when a parameter is out of range. All registers start as 0. */
int mch_load_w_init(struct mch_load_w *l, const struct mch_load_w_config *cfg, struct mch_err *err);

/* What rst_ni and clear_i do: the control registers clear, the data registers keep what they hold. */
void mch_load_w_reset(struct mch_load_w *l);

/* Output pins; req_addr_o is the register addr. */
static inline bool mch_load_w_done(const struct mch_load_w *l)
{
	return !l->busy;
}
static inline uint32_t mch_load_w_req_words(const struct mch_load_w *l)
{
	const uint32_t burst_words = (uint32_t)l->cfg.burst_words;
	return l->run < burst_words ? l->run : burst_words;
}
static inline bool mch_load_w_req_valid(const struct mch_load_w *l)
{
	return l->busy && (uint32_t)l->cfg.w_words - l->used >= mch_load_w_req_words(l);
}

/* One rising edge. */
void mch_load_w_step(struct mch_load_w *l, const struct mch_load_w_in *in);

#endif
