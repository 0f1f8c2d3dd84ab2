/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A memory as fast as an AXI4 port allows, cycle by cycle, with or without data: what a plan's cycles are counted
 * with. Host only: no RTL twin. Spec: docs/accelerator.md "AXI4 pins". sim/axi_memory.h in its ideal mode is the
 * same.
 *
 * Always ready (a queue of 32 bursts each way, and one of 64 beats of W, are never full with the accelerator's
 * units). The first beat of a read is given in the cycle after its AR handshake, or after the last beat of the read
 * before it; then one a cycle. B comes in the cycle after a burst's last W beat, or after its AW if that is later.
 * Reads and writes do not disturb each other; a beat read in the cycle after a write's beat sees it. What lies beyond
 * the memory is read as 0, is not written, and is answered by DECERR. */
#ifndef MCH_ARCH_IDEAL_MEMORY_H
#define MCH_ARCH_IDEAL_MEMORY_H

#include <stddef.h>

#include "arch/axi.h"

enum { MCH_IDEAL_BURSTS = 32, MCH_IDEAL_W_BEATS = 64 }; /* powers of two */

/* Bursts that have been taken, oldest at `first`. */
struct mch_ideal_bursts {
	struct {
		uint32_t addr;
		uint8_t len;
	} burst[MCH_IDEAL_BURSTS];
	unsigned first, n;
	unsigned beat; /* of the oldest: beats gone */
};

struct mch_ideal_memory {
	uint8_t *bytes; /* [n_bytes], the caller's; NULL: control only */
	uint64_t n_bytes;
	size_t beat_bytes;
	struct mch_axi_slave pins; /* of this cycle */
	struct mch_ideal_bursts read, write;
	struct {
		uint64_t strb;
		uint8_t data[MCH_AXI_BEAT_BYTES_MAX];
	} w[MCH_IDEAL_W_BEATS]; /* beats that came before their AW */
	unsigned w_first, n_w;
	uint8_t b[MCH_IDEAL_BURSTS]; /* answers to be given */
	unsigned b_first, n_b;
	uint8_t w_resp; /* of the burst that is being written */
	uint8_t r_data[MCH_AXI_BEAT_BYTES_MAX];
};

/* beat_bytes is a power of two up to 64. n_bytes is a whole number of beats. The pins point into *m: do not copy it.
 */
void mch_ideal_memory_init(struct mch_ideal_memory *m, size_t beat_bytes, uint8_t *bytes, uint64_t n_bytes);

/* One rising edge: takes what the master drives in this cycle; m->pins are those of the next. */
void mch_ideal_memory_step(struct mch_ideal_memory *m, const struct mch_axi_master *in);

#endif
