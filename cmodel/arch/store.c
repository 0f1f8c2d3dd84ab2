/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator's write port, cycle by cycle; see store.h. */
#include "arch/store.h"

#include <stdlib.h>
#include <string.h>

static bool is_power(int v, int low, int high)
{
	return v >= low && v <= high && (v & (v - 1)) == 0;
}

static unsigned log_of(int v)
{
	unsigned n = 0;
	while (v >> (n + 1) != 0)
		n++;
	return n;
}

static bool legal(const struct mch_store_config *c)
{
	return c->rows >= 1 && c->rows <= 64 && c->cols >= 1 && c->cols <= 64 &&
	       (c->elem_bits == 8 || c->elem_bits == 16) && c->out_bits >= 1 && c->out_bits <= c->elem_bits &&
	       is_power(c->mem_bits, 64, 512) && is_power(c->cols * c->elem_bits, 32, 1024) &&
	       c->cols * c->elem_bits <= c->burst * c->mem_bits && c->addr_bits >= 16 && c->addr_bits <= 32 &&
	       is_power(c->depth, 64, 1024) && is_power(c->burst, 2, 16);
}

int mch_store_init(struct mch_store *s, const struct mch_store_config *cfg, struct mch_err *err)
{
	memset(s, 0, sizeof(*s));
	if (!legal(cfg))
		return mch_err_set(err, "store", "a parameter is out of range; see the ranges in rtl/mch_store.v");
	const int word_bits = cfg->cols * cfg->elem_bits;
	const size_t word_bytes = (size_t)word_bits / 8;
	s->cfg = *cfg;
	s->ratio_log = cfg->mem_bits > word_bits ? log_of(cfg->mem_bits / word_bits) : 0;
	s->parts_log = cfg->mem_bits < word_bits ? log_of(word_bits / cfg->mem_bits) : 0;
	s->word_log = log_of((int)word_bytes);
	s->last_word = ((uint32_t)cfg->burst << s->ratio_log >> s->parts_log) - 1;
	s->fifo = calloc((size_t)cfg->depth, word_bytes);
	s->info = calloc((size_t)cfg->depth, sizeof(*s->info));
	s->fifo_out = calloc(1, word_bytes);
	if (!s->fifo || !s->info || !s->fifo_out) {
		mch_store_free(s);
		return mch_err_set(err, "store", "out of memory; use a machine with more");
	}
	return 0;
}

void mch_store_free(struct mch_store *s)
{
	free(s->fifo);
	free(s->info);
	free(s->fifo_out);
	s->fifo = s->fifo_out = NULL;
	s->info = NULL;
}

void mch_store_reset(struct mch_store *s)
{
	s->stop = s->awvalid = s->fifo_valid = s->wvalid = false;
	s->cmd_put = s->cmd_get = s->commands = 0;
	s->row = s->n = s->words = s->ready = s->put = s->get = 0;
	s->burst_put = s->burst_get = s->bursts = s->open = 0;
	s->have = s->part = 0;
}

/* The word at the RAM's output is a beat, or holds several: the beat is on the pins. */
static bool beat_at_fifo(const struct mch_store *s)
{
	return s->ratio_log == 0;
}

void mch_store_drive(const struct mch_store *s, struct mch_axi_master *m)
{
	const uint32_t mem_bytes = (uint32_t)s->cfg.mem_bits / 8, slots = 1u << s->ratio_log;
	const uint32_t addr = (s->awaddr & ~(slots - 1)) << s->word_log;
	m->aw = (struct mch_axi_address){.valid = s->awvalid,
					 .addr = addr & (UINT32_MAX >> (32 - s->cfg.addr_bits)),
					 .len = (uint8_t)s->awlen,
					 .size = (uint8_t)(s->word_log + s->ratio_log - s->parts_log),
					 .burst = MCH_AXI_INCR};
	m->bready = true;
	m->w.data = NULL;
	if (beat_at_fifo(s)) {
		m->w.valid = s->fifo_valid;
		m->w.strb = UINT64_MAX >> (64 - mem_bytes);
		m->w.last = s->info_out.last && s->part == (1u << s->parts_log) - 1;
		if (s->has_data)
			m->w.data = s->fifo_out + (size_t)s->part * mem_bytes;
		return;
	}
	const uint32_t word_bytes = 1u << s->word_log;
	m->w.valid = s->wvalid;
	m->w.last = s->wlast;
	m->w.strb = 0;
	for (uint32_t k = 0; k < slots; k++)
		if (s->have >> k & 1)
			m->w.strb |= (UINT64_MAX >> (64 - word_bytes)) << (k * word_bytes);
	if (s->has_data)
		m->w.data = s->wdata;
}

void mch_store_eval(const struct mch_store *s, const struct mch_store_in *in, struct mch_store_out *out)
{
	out->beat = (beat_at_fifo(s) ? s->fifo_valid : s->wvalid) && in->wready;
	out->error = in->b.valid && (in->b.resp & 2) != 0;
	out->idle = s->open == 0 && (in->stop || (s->commands == 0 && s->words == 0 && s->bursts == 0));
}

/* The word at the RAM's output goes on. */
static bool step_w(struct mch_store *s, const struct mch_store_in *in)
{
	if (beat_at_fifo(s)) {
		const bool beat = s->fifo_valid && in->wready, last = s->part == (1u << s->parts_log) - 1;
		if (beat)
			s->part = last ? 0 : s->part + 1;
		return beat && last;
	}
	const bool gone = s->wvalid && in->wready, word_out = s->fifo_valid && (!s->wvalid || in->wready);
	if (word_out) {
		const uint32_t slot = s->info_out.slot;
		s->have = (s->wvalid ? 0 : s->have) | 1u << slot;
		s->wvalid = s->info_out.last || slot == (1u << s->ratio_log) - 1;
		s->wlast = s->info_out.last;
		if (s->has_data)
			memcpy(s->wdata + ((size_t)slot << s->word_log), s->fifo_out, (size_t)1 << s->word_log);
	} else if (gone) {
		s->wvalid = false;
		s->have = 0;
	}
	return word_out;
}

static void step_fifo_out(struct mch_store *s, bool word_out)
{
	const bool read = s->ready != 0 && (!s->fifo_valid || word_out);
	if (read) {
		s->info_out = s->info[s->get];
		if (s->has_data)
			memcpy(s->fifo_out, s->fifo + ((size_t)s->get << s->word_log), (size_t)1 << s->word_log);
		s->get = (s->get + 1) & ((uint32_t)s->cfg.depth - 1);
		s->words--;
		s->ready--;
	}
	s->fifo_valid = read || (s->fifo_valid && !word_out);
}

static void step_aw(struct mch_store *s, const struct mch_store_in *in, bool launch)
{
	if (launch) {
		const struct mch_store_burst *const b = &s->burst[s->burst_get];
		const uint32_t place = b->addr & s->last_word;
		const uint32_t beats = ((place + b->n) >> s->ratio_log) - (place >> s->ratio_log);
		s->awaddr = b->addr;
		s->awlen = (beats << s->parts_log) + (1u << s->parts_log) - 1;
		s->burst_get = (s->burst_get + 1) % MCH_STORE_BURSTS;
		s->bursts--;
		s->open++;
		s->ready += b->n + 1;
	}
	s->awvalid = launch || (s->awvalid && !in->awready);
	s->open -= in->b.valid;
}

static void push(struct mch_store *s, const struct mch_store_in *in, uint32_t at, bool last)
{
	const int elem_bytes = s->cfg.elem_bits / 8;
	uint8_t *word = s->fifo + ((size_t)s->put << s->word_log);
	const uint32_t from = s->n == 0 ? at : s->from;
	s->info[s->put] = (struct mch_store_word){last, (uint8_t)(at & ((1u << s->ratio_log) - 1))};
	s->has_data = in->row != NULL;
	for (int j = 0; in->row && j < s->cfg.cols; j++) {
		*word++ = (uint8_t)in->row[j];
		if (elem_bytes == 2)
			*word++ = (uint8_t)((uint32_t)in->row[j] >> 8);
	}
	s->put = (s->put + 1) & ((uint32_t)s->cfg.depth - 1);
	s->words++;
	s->at = at + 1;
	s->from = from;
	if (last) {
		s->burst[s->burst_put] = (struct mch_store_burst){from, s->n};
		s->burst_put = (s->burst_put + 1) % MCH_STORE_BURSTS;
		s->bursts++;
	}
	s->n = last ? 0 : s->n + 1;
}

/* A row of the oldest command. */
static void step_row(struct mch_store *s, const struct mch_store_in *in)
{
	const struct mch_store_command *const c = &s->command[s->cmd_get];
	const uint32_t at = s->row == 0 ? c->addr : s->at, next = s->row + 1;
	const bool ends = c->rows ? next == (uint32_t)s->cfg.rows : next == c->words;
	if (s->row < c->words)
		push(s, in, at, next == c->words || (at & s->last_word) == s->last_word);
	s->row = ends ? 0 : next;
	if (ends) {
		s->cmd_get = (s->cmd_get + 1) % MCH_STORE_COMMANDS;
		s->commands--;
	}
}

/* From the last stage to the first, so that each reads what its predecessor held before the edge; what depends on
 * counts is decided before any of them moves. */
void mch_store_step(struct mch_store *s, const struct mch_store_in *in)
{
	if (in->clear) {
		mch_store_reset(s);
		return;
	}
	const bool cmd_take = in->cmd_valid && mch_store_cmd_ready(s) && !s->stop;
	const bool row_take = in->row_valid && mch_store_row_ready(s) && !s->stop;
	const bool launch = s->bursts != 0 && (!s->awvalid || in->awready) && s->open != MCH_STORE_OPEN && !in->stop;
	step_fifo_out(s, step_w(s, in));
	step_aw(s, in, launch);
	if (row_take)
		step_row(s, in);
	if (cmd_take) {
		s->command[s->cmd_put] = in->cmd;
		s->cmd_put = (s->cmd_put + 1) % MCH_STORE_COMMANDS;
		s->commands++;
	}
	s->stop = in->stop;
}
