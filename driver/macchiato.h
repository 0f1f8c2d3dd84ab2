/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bare-metal driver of the accelerator: C99, nothing of libc but stdint.h and stdbool.h, no memory of its own. It needs this
 * pair of files and cmodel/arch/map.h. Memory (images, lists) is the caller's; where data caches are, the caller flushes
 * before a start and invalidates after its end. Registers: docs/registers.md; what they do: docs/accelerator.md. */
#ifndef MACCHIATO_H
#define MACCHIATO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Given by the platform: one access of 32 bits to the bus, in program order. */
uint32_t mch_read32(uintptr_t address);
void mch_write32(uintptr_t address, uint32_t value);

enum mch_driver_result {
	MCH_DRIVER_OK = 0,
	MCH_DRIVER_NOT_FOUND, /* ID is not "MCH1": wrong address, no clock, or in reset */
	MCH_DRIVER_VERSION,   /* another version of the register map than this driver's */
	MCH_DRIVER_BUILD,     /* the hardware was built with other parameters than the program was made for */
	MCH_DRIVER_BUSY,      /* a list runs, or a stop waits for the bus */
	MCH_DRIVER_TIMEOUT,   /* still busy after as many polls as were allowed */
	MCH_DRIVER_ERROR,     /* the list ended in an error: mch_driver_get_status, mch_driver_error_text */
	MCH_DRIVER_STOPPED    /* neither runs, nor done, nor in error: not started yet, or reset */
};

/* Parameters of the RTL, as in the head of rtl/mch_top.v. */
struct mch_driver_build {
	uint32_t rows, cols, x_bits, w_bits, out_bits, acc_bits, round, mult;
	uint32_t mem_bits, x_words, w_words;
	uint32_t x_kind, x_exp, w_kind, w_exp; /* of minifloats; else 0 */
};

struct mch_driver_status {
	bool busy, draining, done;
	uint32_t error; /* value ERROR_* of map.h */
	uint32_t field; /* of ERROR_DESCRIPTOR: the illegal 32-bit word */
	uint32_t index; /* descriptors taken in this run */
};

struct mch_driver_counters {
	uint32_t cycles, beats, wait_x, wait_w, wait_out, read_beats, write_beats;
};

struct mch_driver {
	uintptr_t base;
};

/* Remembers the address. OK, NOT_FOUND, VERSION or BUILD; with expected NULL the build is not looked at. Changes nothing
 * in the hardware. */
enum mch_driver_result mch_driver_init(struct mch_driver *d, uintptr_t base, const struct mch_driver_build *expected);

/* Starts the list at word address `list`; clears old interrupts first. watchdog: cycles without progress that are an
 * error, 0 never. OK or BUSY. */
enum mch_driver_result mch_driver_start(const struct mch_driver *d, uint32_t list, uint32_t watchdog);

void mch_driver_get_status(const struct mch_driver *d, struct mch_driver_status *s);

/* How the run stands: BUSY, OK (done), ERROR or STOPPED. An error is told as soon as it is there and nothing is busy. */
enum mch_driver_result mch_driver_poll(const struct mch_driver *d);

/* Polls at most `polls` times (1 or more): OK, ERROR, STOPPED or TIMEOUT. */
enum mch_driver_result mch_driver_wait(const struct mch_driver *d, uint32_t polls);

/* Interrupts, bits of the register IRQ: which of them drive the pin; which stand, and those are acknowledged. */
void mch_driver_irq_enable(const struct mch_driver *d, bool done, bool error);
uint32_t mch_driver_irq_acknowledge(const struct mch_driver *d);

/* Stops whatever runs, and waits for the bus: OK, or TIMEOUT after `polls` polls, when the bus still owes answers. */
enum mch_driver_result mch_driver_reset(const struct mch_driver *d, uint32_t polls);

/* Of the last run; they stand after its end. */
void mch_driver_get_counters(const struct mch_driver *d, struct mch_driver_counters *c);

/* What an error is, and what to do; never NULL. */
const char *mch_driver_error_text(uint32_t error);

#ifdef __cplusplus
}
#endif

#endif
