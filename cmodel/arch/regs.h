/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The registers behind the AXI4-Lite port, cycle by cycle: every register of the RTL, under the same names.
 * Twin: rtl/mch_regs.v. Spec: docs/accelerator.md "regs". */
#ifndef MCH_ARCH_REGS_H
#define MCH_ARCH_REGS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/map.h"
#include "base/err.h"

enum { MCH_REGS_COUNTERS = 7 }; /* CYCLES, BEATS, WAIT_X, WAIT_W, WAIT_OUT, READ_BEATS, WRITE_BEATS */

/* RTL parameters, same spelling in lower case. */
struct mch_regs_config {
	int rows, cols, x_bits, w_bits, out_bits, acc_bits, round, mult;
	int mem_bits, x_words, w_words; /* powers of two */
	int x_kind, x_exp, w_kind, w_exp; /* of minifloats; else 0 */
};

/* Input pins, sampled at a rising edge. */
struct mch_regs_in {
	bool awvalid, wvalid, bready, arvalid, rready;
	uint8_t awaddr, araddr, wstrb;
	uint32_t wdata;
	bool busy, draining, done, error;
	uint32_t error_code, error_field, index;
	bool beat, wait_x, wait_w, wait_out, read_beat, write_beat;
};

/* Registers; the suffix _q of the RTL name is implied. Output pins among them: bvalid, bresp, rvalid, rdata, rresp, start,
 * reset, list, watchdog. */
struct mch_regs {
	struct mch_regs_config cfg;
	bool aw_full, w_full, bvalid, rvalid;
	bool start, reset, run, done;
	uint32_t error, field, irq, irq_enable, list, watchdog;
	uint32_t awaddr, wdata, wstrb, rdata, bresp, rresp;
	uint32_t count[MCH_REGS_COUNTERS];
};

/* 0, or -1 with err when a parameter is out of range. All registers start as 0. */
int mch_regs_init(struct mch_regs *r, const struct mch_regs_config *cfg, struct mch_err *err);

/* What rst_ni does: the control registers clear, the data registers keep what they hold. */
void mch_regs_reset(struct mch_regs *r);

/* Output pins that are no registers; awready, wready and arready are !aw_full, !w_full and !rvalid. */
static inline bool mch_regs_irq(const struct mch_regs *r)
{
	return (r->irq & r->irq_enable) != 0;
}

/* One rising edge. */
void mch_regs_step(struct mch_regs *r, const struct mch_regs_in *in);

#endif
