/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The pins of the accelerator's AXI4 port in one cycle, as plain structures: what units of the model, memories of
 * simulations and protocol checks pass to each other. Host only: no RTL twin. Spec: docs/accelerator.md "AXI4 pins".
 *
 * There are no identifiers, locks, caches or protections: everything is in order. */
#ifndef MCH_ARCH_AXI_H
#define MCH_ARCH_AXI_H

#include <stdbool.h>
#include <stdint.h>

enum { MCH_AXI_FIXED = 0, MCH_AXI_INCR = 1, MCH_AXI_WRAP = 2 };
enum { MCH_AXI_OKAY = 0, MCH_AXI_EXOKAY = 1, MCH_AXI_SLVERR = 2, MCH_AXI_DECERR = 3 };
enum { MCH_AXI_BEAT_BYTES_MAX = 64 }; /* MEM_BITS is at most 512 */

/* An address channel: AR or AW. */
struct mch_axi_address {
	bool valid;
	uint32_t addr; /* of a byte */
	uint8_t len;   /* beats less one */
	uint8_t size;  /* log2 of the bytes of a beat */
	uint8_t burst; /* MCH_AXI_INCR */
};

/* Data are [beat bytes], lowest address first; NULL in a simulation without data. They hold for the cycle. */
struct mch_axi_r {
	bool valid;
	const uint8_t *data;
	uint8_t resp;
	bool last;
};
struct mch_axi_w {
	bool valid;
	const uint8_t *data;
	uint64_t strb; /* bit i: byte i is written */
	bool last;
};
struct mch_axi_b {
	bool valid;
	uint8_t resp;
};

/* What the accelerator drives. */
struct mch_axi_master {
	struct mch_axi_address ar, aw;
	struct mch_axi_w w;
	bool rready, bready;
};

/* What the memory drives. */
struct mch_axi_slave {
	bool arready, awready, wready;
	struct mch_axi_r r;
	struct mch_axi_b b;
};

#endif
