/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The registers behind the AXI4-Lite port, cycle by cycle; see regs.h. */
#include "arch/regs.h"

#include <string.h>

enum { OKAY = 0, SLVERR = 2 };
#define ID UINT32_C(0x4d434831)

static uint32_t log2_of(int n)
{
	uint32_t log = 0;
	while (n > 1 << log)
		log++;
	return log;
}

static bool within(int value, int low, int high)
{
	return low <= value && value <= high;
}

static bool is_power(int n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

int mch_regs_init(struct mch_regs *r, const struct mch_regs_config *c, struct mch_err *err)
{
	memset(r, 0, sizeof(*r));
	if (!within(c->rows, 1, 64) || !within(c->cols, 1, 64) || !within(c->x_bits, 1, 16) || !within(c->w_bits, 1, 16) ||
	    !within(c->out_bits, 1, 16) || !within(c->acc_bits, 2, 48) || !within(c->round, 0, 4) ||
	    !within(c->mult, 0, 2) || !within(c->x_kind, 0, 4) || !within(c->w_kind, 0, 4) || !within(c->x_exp, 0, 5) ||
	    !within(c->w_exp, 0, 5) || !is_power(c->mem_bits) || c->mem_bits > 1 << 15 || !is_power(c->x_words) ||
	    !is_power(c->w_words))
		return mch_err_set(err, "regs", "a parameter is out of range; see the head of rtl/mch_regs.v");
	r->cfg = *c;
	return 0;
}

void mch_regs_reset(struct mch_regs *r)
{
	r->aw_full = r->w_full = r->bvalid = r->rvalid = false;
	r->start = r->reset = r->run = r->done = false;
	r->error = r->field = r->irq = r->irq_enable = r->list = r->watchdog = 0;
}

static uint32_t build_of(const struct mch_regs_config *c)
{
	return (uint32_t)c->x_bits << MCH_LOW_BUILD_X_BITS | (uint32_t)c->w_bits << MCH_LOW_BUILD_W_BITS |
	       (uint32_t)c->out_bits << MCH_LOW_BUILD_OUT_BITS | (uint32_t)c->acc_bits << MCH_LOW_BUILD_ACC_BITS |
	       (uint32_t)c->round << MCH_LOW_BUILD_ROUND | log2_of(c->mem_bits) << MCH_LOW_BUILD_MEM_LOG2 |
	       (uint32_t)c->mult << MCH_LOW_BUILD_MULT;
}

static uint32_t buffers_of(const struct mch_regs_config *c)
{
	return log2_of(c->x_words) << MCH_LOW_BUFFERS_X_LOG2 | log2_of(c->w_words) << MCH_LOW_BUFFERS_W_LOG2 |
	       (uint32_t)c->x_kind << MCH_LOW_BUFFERS_X_KIND | (uint32_t)c->x_exp << MCH_LOW_BUFFERS_X_EXP |
	       (uint32_t)c->w_kind << MCH_LOW_BUFFERS_W_KIND | (uint32_t)c->w_exp << MCH_LOW_BUFFERS_W_EXP;
}

static uint32_t status_of(const struct mch_regs *r, const struct mch_regs_in *in)
{
	const bool busy = in->busy || r->start || r->reset;
	return (uint32_t)busy << MCH_LOW_STATUS_BUSY | (uint32_t)in->draining << MCH_LOW_STATUS_DRAINING |
	       (uint32_t)r->done << MCH_LOW_STATUS_DONE | r->error << MCH_LOW_STATUS_ERROR |
	       r->field << MCH_LOW_STATUS_FIELD | in->index << MCH_LOW_STATUS_INDEX;
}

/* false: no such register. */
static bool value_of(const struct mch_regs *r, const struct mch_regs_in *in, uint32_t *value)
{
	const struct mch_regs_config *c = &r->cfg;
	*value = 0;
	switch (in->araddr) {
	case MCH_REG_ID:
		*value = ID;
		return true;
	case MCH_REG_VERSION:
		*value = 2 | (uint32_t)c->rows << MCH_LOW_VERSION_ROWS | (uint32_t)c->cols << MCH_LOW_VERSION_COLS;
		return true;
	case MCH_REG_BUILD:
		*value = build_of(c);
		return true;
	case MCH_REG_BUFFERS:
		*value = buffers_of(c);
		return true;
	case MCH_REG_CONTROL:
		return true;
	case MCH_REG_STATUS:
		*value = status_of(r, in);
		return true;
	case MCH_REG_IRQ:
		*value = r->irq;
		return true;
	case MCH_REG_IRQ_ENABLE:
		*value = r->irq_enable;
		return true;
	case MCH_REG_LIST:
		*value = r->list;
		return true;
	case MCH_REG_WATCHDOG:
		*value = r->watchdog;
		return true;
	default:
		if (in->araddr % 4 != 0 || in->araddr < MCH_REG_CYCLES || in->araddr > MCH_REG_WRITE_BEATS)
			return false;
		*value = r->count[(in->araddr - MCH_REG_CYCLES) / 4];
		return true;
	}
}

static void step_read(struct mch_regs *r, const struct mch_regs_in *in)
{
	if (r->rvalid) {
		r->rvalid = !in->rready;
	} else if (in->arvalid) {
		r->rvalid = true;
		r->rresp = value_of(r, in, &r->rdata) ? OKAY : SLVERR;
	}
}

static void step_counters(struct mch_regs *r, const struct mch_regs_in *in)
{
	const bool counts[MCH_REGS_COUNTERS] = {true,	      in->beat,	     in->wait_x,    in->wait_w,
						in->wait_out, in->read_beat, in->write_beat};
	if (r->start)
		memset(r->count, 0, sizeof(r->count));
	else if (r->run)
		for (int i = 0; i < MCH_REGS_COUNTERS; i++)
			r->count[i] += counts[i];
}

static void step_status(struct mch_regs *r, const struct mch_regs_in *in)
{
	r->irq |= (uint32_t)in->done << MCH_LOW_IRQ_DONE | (uint32_t)in->error << MCH_LOW_IRQ_ERROR;
	r->run = r->start || (r->run && !in->done && !in->error && !r->reset);
	if (r->start) {
		r->done = false;
		r->error = r->field = 0;
		return;
	}
	r->done |= in->done;
	if (in->error) {
		r->error = in->error_code;
		r->field = in->error_field;
	}
}

/* The register that is written; false: there is none, or it cannot be. */
static bool write_register(struct mch_regs *r, const struct mch_regs_in *in)
{
	if (r->wstrb != 0xf)
		return false;
	switch (r->awaddr) {
	case MCH_REG_CONTROL:
		r->reset = r->wdata >> MCH_LOW_CONTROL_RESET & 1;
		r->start = (r->wdata >> MCH_LOW_CONTROL_START & 1) && !r->reset && !in->busy;
		return true;
	case MCH_REG_IRQ:
		r->irq &= ~r->wdata;
		return true;
	case MCH_REG_IRQ_ENABLE:
		r->irq_enable = r->wdata & 3;
		return true;
	case MCH_REG_LIST:
		r->list = r->wdata;
		return true;
	case MCH_REG_WATCHDOG:
		r->watchdog = r->wdata;
		return true;
	default:
		return false;
	}
}

/* Last, since its registers are what the others read; interrupts that come with their acknowledgement stand. */
static void step_write(struct mch_regs *r, const struct mch_regs_in *in)
{
	const uint32_t came = (uint32_t)in->done << MCH_LOW_IRQ_DONE | (uint32_t)in->error << MCH_LOW_IRQ_ERROR;
	const bool write = r->aw_full && r->w_full && !r->bvalid;
	r->start = r->reset = false;
	r->bvalid = r->bvalid && !in->bready;
	if (write) {
		r->bresp = write_register(r, in) ? OKAY : SLVERR;
		r->irq |= came;
		r->bvalid = true;
	}
	if (!r->aw_full)
		r->awaddr = in->awaddr;
	if (!r->w_full) {
		r->wdata = in->wdata;
		r->wstrb = in->wstrb;
	}
	r->aw_full = !write && (r->aw_full || in->awvalid);
	r->w_full = !write && (r->w_full || in->wvalid);
}

void mch_regs_step(struct mch_regs *r, const struct mch_regs_in *in)
{
	step_read(r, in);
	step_counters(r, in);
	step_status(r, in);
	step_write(r, in);
}
