/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The bare-metal driver against the model of the registers, with a sequencer that does what a test says. */
#include "../driver/macchiato.h"

#include <string.h>

#include "arch/regs.h"
#include "check_main.h"

enum { BASE = 0x40000000 };

static struct mch_regs regs;
static struct mch_regs_in in;
static uint32_t busy_cycles, bad_accesses; /* how long a list runs; answers that were errors */
static uint32_t ends_in;		   /* value ERROR_* */

static void cycle(void)
{
	const bool starts = regs.start, resets = regs.reset, ended = in.done || in.error;
	mch_regs_step(&regs, &in);
	in.done = in.error = false;
	if (ended || resets)
		in.busy = false; /* one cycle after the pulse that tells the end */
	if (starts) {
		in.busy = true;
	} else if (in.busy && --busy_cycles == 0) {
		in.done = ends_in == MCH_ERROR_NONE;
		in.error = !in.done;
		in.error_code = ends_in;
		in.error_field = 17;
		in.index = 3;
	}
}

uint32_t mch_read32(uintptr_t address)
{
	ck_assert_uint_eq(address & ~(uintptr_t)0xff, BASE);
	in.araddr = (uint8_t)(address - BASE);
	in.arvalid = true;
	cycle();
	in.arvalid = false;
	ck_assert(regs.rvalid);
	bad_accesses += regs.rresp != 0;
	in.rready = true;
	cycle();
	in.rready = false;
	return regs.rdata;
}

void mch_write32(uintptr_t address, uint32_t value)
{
	in.awaddr = (uint8_t)(address - BASE);
	in.wdata = value;
	in.wstrb = 0xf;
	in.awvalid = in.wvalid = true;
	cycle();
	in.awvalid = in.wvalid = false;
	cycle();
	ck_assert(regs.bvalid);
	bad_accesses += regs.bresp != 0;
	in.bready = true;
	cycle();
	in.bready = false;
}

static const struct mch_driver_build build = {4, 8, 8, 7, 6, 24, 3, 2, 128, 2048, 1024, 3, 4, 1, 2};

static void begin(struct mch_driver *d, uint32_t cycles, uint32_t error)
{
	static const struct mch_regs_config cfg = {4, 8, 8, 7, 6, 24, 3, 2, 128, 2048, 1024, 3, 4, 1, 2};
	struct mch_err err;
	memset(&in, 0, sizeof(in));
	ck_assert_int_eq(mch_regs_init(&regs, &cfg, &err), 0);
	busy_cycles = cycles;
	ends_in = error;
	bad_accesses = 0;
	ck_assert_int_eq(mch_driver_init(d, BASE, &build), MCH_DRIVER_OK);
}

START_TEST(builds)
{
	struct mch_driver d;
	begin(&d, 1, MCH_ERROR_NONE);
	for (size_t i = 0; i < sizeof(build) / sizeof(uint32_t); i++) {
		struct mch_driver_build other = build;
		uint32_t value;
		memcpy(&value, (char *)&other + 4 * i, 4);
		value++;
		memcpy((char *)&other + 4 * i, &value, 4);
		ck_assert_int_eq(mch_driver_init(&d, BASE, &other), MCH_DRIVER_BUILD);
	}
	ck_assert_int_eq(mch_driver_init(&d, BASE, NULL), MCH_DRIVER_OK);
	ck_assert_int_eq(mch_driver_init(&d, BASE + 4, &build), MCH_DRIVER_NOT_FOUND);
	ck_assert_int_eq(mch_driver_poll(&d), MCH_DRIVER_STOPPED);
}
END_TEST

START_TEST(run_is_done)
{
	struct mch_driver d;
	struct mch_driver_counters c;
	begin(&d, 100, MCH_ERROR_NONE);
	mch_driver_irq_enable(&d, true, false);
	in.beat = true;
	ck_assert_int_eq(mch_driver_start(&d, 0x1234, 77), MCH_DRIVER_OK);
	ck_assert_uint_eq(regs.list, 0x1234);
	ck_assert_uint_eq(regs.watchdog, 77);
	ck_assert_int_eq(mch_driver_start(&d, 1, 1), MCH_DRIVER_BUSY);
	ck_assert_int_eq(mch_driver_wait(&d, 3), MCH_DRIVER_TIMEOUT);
	ck_assert(!mch_regs_irq(&regs));
	ck_assert_int_eq(mch_driver_wait(&d, 1000), MCH_DRIVER_OK);
	ck_assert(mch_regs_irq(&regs));
	ck_assert_uint_eq(mch_driver_irq_acknowledge(&d), 1);
	ck_assert_uint_eq(mch_driver_irq_acknowledge(&d), 0);
	ck_assert(!mch_regs_irq(&regs));
	mch_driver_get_counters(&d, &c);
	ck_assert_uint_eq(c.beats, c.cycles);
	ck_assert_uint_ge(c.cycles, 100);
	ck_assert_uint_le(c.cycles, 102);
	ck_assert_uint_eq(c.wait_x | c.wait_w | c.wait_out | c.read_beats | c.write_beats, 0);
	ck_assert_uint_eq(bad_accesses, 0);
}
END_TEST

START_TEST(run_fails)
{
	struct mch_driver d;
	struct mch_driver_status s;
	begin(&d, 20, MCH_ERROR_DESCRIPTOR);
	mch_driver_irq_enable(&d, false, true);
	ck_assert_int_eq(mch_driver_start(&d, 0, 0), MCH_DRIVER_OK);
	ck_assert_int_eq(mch_driver_wait(&d, 1000), MCH_DRIVER_ERROR);
	ck_assert(mch_regs_irq(&regs));
	mch_driver_get_status(&d, &s);
	ck_assert(!s.busy && !s.draining && !s.done);
	ck_assert_uint_eq(s.error, MCH_ERROR_DESCRIPTOR);
	ck_assert_uint_eq(s.field, 17);
	ck_assert_uint_eq(s.index, 3);
	busy_cycles = 5, ends_in = MCH_ERROR_NONE;
	ck_assert_int_eq(mch_driver_start(&d, 0, 0), MCH_DRIVER_OK);
	ck_assert_int_eq(mch_driver_wait(&d, 1000), MCH_DRIVER_OK);
	ck_assert_uint_eq(bad_accesses, 0);
}
END_TEST

START_TEST(run_is_reset)
{
	struct mch_driver d;
	begin(&d, UINT32_MAX, MCH_ERROR_NONE);
	ck_assert_int_eq(mch_driver_start(&d, 0, 0), MCH_DRIVER_OK);
	ck_assert_int_eq(mch_driver_wait(&d, 50), MCH_DRIVER_TIMEOUT);
	ck_assert_int_eq(mch_driver_reset(&d, 10), MCH_DRIVER_OK);
	ck_assert_int_eq(mch_driver_poll(&d), MCH_DRIVER_STOPPED);
	in.draining = true; /* a bus that does not answer */
	ck_assert_int_eq(mch_driver_reset(&d, 10), MCH_DRIVER_TIMEOUT);
}
END_TEST

START_TEST(errors_have_texts)
{
	for (uint32_t i = 0; i <= MCH_ERROR_WATCHDOG; i++)
		ck_assert_str_ne(mch_driver_error_text(i), mch_driver_error_text(99));
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {builds, run_is_done, run_fails, run_is_reset, errors_have_texts};
	return CHECK_SUITE("driver", tests);
}

int main(void)
{
	return check_main(suite);
}
