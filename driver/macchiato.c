/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bare-metal driver of the accelerator; see macchiato.h. */
#include "macchiato.h"

#include "arch/map.h"

#define ID UINT32_C(0x4d434831)
#define MAP_VERSION 2u
#define GET(word, name) ((word) >> MCH_LOW_##name & (UINT32_MAX >> (32 - MCH_BITS_##name)))
#define BIT(name) (UINT32_C(1) << MCH_LOW_##name)

static uint32_t get(const struct mch_driver *d, uint32_t offset)
{
	return mch_read32(d->base + offset);
}

static void put(const struct mch_driver *d, uint32_t offset, uint32_t value)
{
	mch_write32(d->base + offset, value);
}

static bool same_build(const struct mch_driver *d, uint32_t version, const struct mch_driver_build *b)
{
	const uint32_t build = get(d, MCH_REG_BUILD), buffers = get(d, MCH_REG_BUFFERS);
	return GET(version, VERSION_ROWS) == b->rows && GET(version, VERSION_COLS) == b->cols &&
	       GET(build, BUILD_X_BITS) == b->x_bits && GET(build, BUILD_W_BITS) == b->w_bits &&
	       GET(build, BUILD_OUT_BITS) == b->out_bits && GET(build, BUILD_ACC_BITS) == b->acc_bits &&
	       GET(build, BUILD_ROUND) == b->round && GET(build, BUILD_MULT) == b->mult &&
	       UINT32_C(1) << GET(build, BUILD_MEM_LOG2) == b->mem_bits &&
	       UINT32_C(1) << (GET(buffers, BUFFERS_X_LOG2) & 31) == b->x_words &&
	       UINT32_C(1) << (GET(buffers, BUFFERS_W_LOG2) & 31) == b->w_words &&
	       GET(buffers, BUFFERS_X_KIND) == b->x_kind && GET(buffers, BUFFERS_X_EXP) == b->x_exp &&
	       GET(buffers, BUFFERS_W_KIND) == b->w_kind && GET(buffers, BUFFERS_W_EXP) == b->w_exp;
}

enum mch_driver_result mch_driver_init(struct mch_driver *d, uintptr_t base, const struct mch_driver_build *expected)
{
	uint32_t version;
	d->base = base;
	if (get(d, MCH_REG_ID) != ID)
		return MCH_DRIVER_NOT_FOUND;
	version = get(d, MCH_REG_VERSION);
	if (GET(version, VERSION_MAP) != MAP_VERSION)
		return MCH_DRIVER_VERSION;
	return expected && !same_build(d, version, expected) ? MCH_DRIVER_BUILD : MCH_DRIVER_OK;
}

enum mch_driver_result mch_driver_start(const struct mch_driver *d, uint32_t list, uint32_t watchdog)
{
	if (get(d, MCH_REG_STATUS) & BIT(STATUS_BUSY))
		return MCH_DRIVER_BUSY;
	put(d, MCH_REG_IRQ, BIT(IRQ_DONE) | BIT(IRQ_ERROR));
	put(d, MCH_REG_LIST, list);
	put(d, MCH_REG_WATCHDOG, watchdog);
	put(d, MCH_REG_CONTROL, BIT(CONTROL_START));
	return MCH_DRIVER_OK;
}

void mch_driver_get_status(const struct mch_driver *d, struct mch_driver_status *s)
{
	const uint32_t status = get(d, MCH_REG_STATUS);
	s->busy = GET(status, STATUS_BUSY) != 0;
	s->draining = GET(status, STATUS_DRAINING) != 0;
	s->done = GET(status, STATUS_DONE) != 0;
	s->error = GET(status, STATUS_ERROR);
	s->field = GET(status, STATUS_FIELD);
	s->index = GET(status, STATUS_INDEX);
}

enum mch_driver_result mch_driver_poll(const struct mch_driver *d)
{
	struct mch_driver_status s;
	mch_driver_get_status(d, &s);
	if (s.busy || s.draining)
		return MCH_DRIVER_BUSY;
	if (s.error != MCH_ERROR_NONE)
		return MCH_DRIVER_ERROR;
	return s.done ? MCH_DRIVER_OK : MCH_DRIVER_STOPPED;
}

enum mch_driver_result mch_driver_wait(const struct mch_driver *d, uint32_t polls)
{
	enum mch_driver_result result = MCH_DRIVER_BUSY;
	while (result == MCH_DRIVER_BUSY && polls-- > 0)
		result = mch_driver_poll(d);
	return result == MCH_DRIVER_BUSY ? MCH_DRIVER_TIMEOUT : result;
}

void mch_driver_irq_enable(const struct mch_driver *d, bool done, bool error)
{
	put(d, MCH_REG_IRQ_ENABLE, (done ? BIT(IRQ_DONE) : 0) | (error ? BIT(IRQ_ERROR) : 0));
}

uint32_t mch_driver_irq_acknowledge(const struct mch_driver *d)
{
	const uint32_t standing = get(d, MCH_REG_IRQ);
	if (standing) /* those that were read, no more: one that comes meanwhile is not lost */
		put(d, MCH_REG_IRQ, standing);
	return standing;
}

enum mch_driver_result mch_driver_reset(const struct mch_driver *d, uint32_t polls)
{
	enum mch_driver_result result;
	put(d, MCH_REG_CONTROL, BIT(CONTROL_RESET));
	result = mch_driver_wait(d, polls);
	return result == MCH_DRIVER_TIMEOUT ? result : MCH_DRIVER_OK;
}

void mch_driver_get_counters(const struct mch_driver *d, struct mch_driver_counters *c)
{
	c->cycles = get(d, MCH_REG_CYCLES);
	c->beats = get(d, MCH_REG_BEATS);
	c->wait_x = get(d, MCH_REG_WAIT_X);
	c->wait_w = get(d, MCH_REG_WAIT_W);
	c->wait_out = get(d, MCH_REG_WAIT_OUT);
	c->read_beats = get(d, MCH_REG_READ_BEATS);
	c->write_beats = get(d, MCH_REG_WRITE_BEATS);
}

const char *mch_driver_error_text(uint32_t error)
{
	switch (error) {
	case MCH_ERROR_NONE:
		return "no error";
	case MCH_ERROR_DESCRIPTOR:
		return "a descriptor is illegal; make the list for this build and check its address";
	case MCH_ERROR_STRIP:
		return "a strip does not fit the feature buffer; make the list for this build";
	case MCH_ERROR_WEIGHTS:
		return "a layer did not use its weights exactly; make the list and the weights together";
	case MCH_ERROR_READ:
		return "the bus answered a read with an error; check the addresses of list, weights and tensors";
	case MCH_ERROR_WRITE:
		return "the bus answered a write with an error; check the addresses of tensors";
	case MCH_ERROR_WATCHDOG:
		return "nothing moved for WATCHDOG cycles; check that the memory answers, then reset";
	default:
		return "an error that this driver does not know; use the driver of this hardware's release";
	}
}
