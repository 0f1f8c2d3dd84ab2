/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator's read port, cycle by cycle; see read.h. */
#include "arch/read.h"

#include <string.h>

static bool is_power(int v, int low, int high)
{
	return v >= low && v <= high && (v & (v - 1)) == 0;
}

static unsigned log_2(int v)
{
	unsigned log = 0;
	while (v >> (log + 1))
		log++;
	return log;
}

int mch_read_init(struct mch_read *r, const struct mch_read_config *cfg, struct mch_err *err)
{
	memset(r, 0, sizeof(*r));
	if (!is_power(cfg->mem_bits, 64, 512))
		return mch_err_set(err, "read", "a memory of %d bits; MEM_BITS is 64, 128, 256 or 512",
				   cfg->mem_bits);
	if (!is_power(cfg->burst, 2, 16) || !is_power(cfg->outstanding, 2, 16))
		return mch_err_set(err, "read",
				   "%d open bursts of %d beats; BURST and OUTSTANDING are powers of two, 2 to 16",
				   cfg->outstanding, cfg->burst);
	if (!is_power(cfg->word_bits, 32, 1024) || cfg->word_bits > cfg->burst * cfg->mem_bits)
		return mch_err_set(
			err, "read",
			"words of %d bits; WORD_BITS is a power of two, 32 to 1024, of at most BURST beats",
			cfg->word_bits);
	if (cfg->addr_bits < 16 || cfg->addr_bits > 32)
		return mch_err_set(err, "read", "addresses of %d bits; ADDR_BITS is 16 to 32", cfg->addr_bits);
	r->cfg = *cfg;
	r->word_log = log_2(cfg->word_bits / 8);
	r->mem_log = log_2(cfg->mem_bits / 8);
	r->ratio_log = r->mem_log > r->word_log ? r->mem_log - r->word_log : 0;
	r->parts_log = r->mem_log < r->word_log ? r->word_log - r->mem_log : 0;
	r->last_slot = (1u << r->ratio_log) - 1;
	r->last_part = (1u << r->parts_log) - 1;
	r->last_word = (((uint32_t)cfg->burst << r->ratio_log) >> r->parts_log) - 1; /* 16 * 16 - 1 at most */
	return 0;
}

void mch_read_reset(struct mch_read *r)
{
	r->arvalid = false;
	r->take = 0;
	r->open = r->put = r->get = r->given = r->part = 0;
}

void mch_read_drive(const struct mch_read *r, struct mch_axi_master *m)
{
	m->ar.valid = r->arvalid;
	m->ar.addr = r->araddr;
	m->ar.len = (uint8_t)r->arlen;
	m->ar.size = (uint8_t)r->mem_log;
	m->ar.burst = MCH_AXI_INCR;
	m->rready = mch_read_rready(r);
}

/* The lowest that asks; who was taken in the cycle before still shows what it asked for then. */
static int winner(const struct mch_read *r, const struct mch_read_in *in)
{
	for (int i = 0; i < MCH_READ_REQUESTERS; i++)
		if (in->req_valid[i] && !(r->take >> i & 1))
			return i;
	return -1;
}

/* Words less one, to the end of the run or of the block of BURST beats. */
static uint32_t words_less(const struct mch_read *r, const struct mch_read_in *in, int who)
{
	const uint32_t asked = in->req_words[who] - 1, room = ~in->req_addr[who] & r->last_word;
	return asked > room ? room : asked;
}

void mch_read_eval(struct mch_read *r, const struct mch_read_in *in, struct mch_read_out *out)
{
	out->take = (int)(r->take & 3) - 1 + (r->take >> 2) * 3; /* 0, 1, 2, 4 to -1, 0, 1, 2 */
	out->take_words = r->take ? r->take_less + 1 : 0;
	out->winner = -1;
	if (!in->stop && r->open != (uint32_t)r->cfg.outstanding && (!r->arvalid || in->arready))
		out->winner = winner(r, in);
	out->idle = r->open == 0;
	out->rready = mch_read_rready(r);
	out->beat = in->r.valid && out->rready;
	out->error = out->beat && (in->r.resp & 2);
	out->word_valid = -1;
	out->word = NULL;
	if (!in->r.valid || out->idle || r->part != r->last_part)
		return;
	out->word_valid = r->who[r->get];
	if (!in->r.data)
		return;
	if (r->parts_log == 0) {
		out->word = in->r.data + (size_t)(((r->slot[r->get] + r->given) & r->last_slot) << r->word_log);
	} else {
		memcpy(r->part_data + (size_t)(r->part << r->mem_log), in->r.data, (size_t)1 << r->mem_log);
		out->word = r->part_data;
	}
}

static void step_take(struct mch_read *r, const struct mch_read_in *in, int who)
{
	const uint32_t addr = in->req_addr[who], less = words_less(r, in, who), slot = addr & r->last_slot;
	const uint32_t mask = r->cfg.addr_bits == 32 ? UINT32_MAX : (1u << r->cfg.addr_bits) - 1;
	r->araddr = (addr << r->word_log) & ~((1u << r->mem_log) - 1) & mask;
	r->arlen = r->ratio_log > 0 ? (less + slot) >> r->ratio_log : less << r->parts_log | r->last_part;
	r->take_less = less;
	r->who[r->put] = (uint8_t)who;
	r->words[r->put] = (uint8_t)less;
	r->slot[r->put] = (uint8_t)slot;
	r->put = (r->put + 1) & ((uint32_t)r->cfg.outstanding - 1);
	r->open++;
}

static void step_beat(struct mch_read *r, const struct mch_read_in *in, const struct mch_read_out *out)
{
	if (out->beat) {
		if (r->part != r->last_part && in->r.data)
			memcpy(r->part_data + (size_t)(r->part << r->mem_log), in->r.data, (size_t)1 << r->mem_log);
		r->part = (r->part + 1) & r->last_part;
	}
	if (out->word_valid < 0)
		return;
	if (r->given != r->words[r->get]) {
		r->given++;
		return;
	}
	r->given = 0;
	r->get = (r->get + 1) & ((uint32_t)r->cfg.outstanding - 1);
	r->open--;
}

void mch_read_step(struct mch_read *r, const struct mch_read_in *in, const struct mch_read_out *out)
{
	if (r->arvalid && in->arready)
		r->arvalid = false;
	if (in->r.valid)
		step_beat(r, in, out);
	r->take = 0;
	if (out->winner >= 0) {
		step_take(r, in, out->winner);
		r->take = (uint8_t)(1u << out->winner);
		r->arvalid = true;
	}
	if (in->clear)
		mch_read_reset(r);
}
