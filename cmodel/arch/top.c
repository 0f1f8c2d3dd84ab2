/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator, cycle by cycle; see top.h. */
#include "arch/top.h"

#include <stdlib.h>
#include <string.h>

#include "arch/ideal_memory.h"

enum { BURST = 16, DEPTH = 64 };
enum { FOR_SEQ, FOR_X, FOR_W }; /* requesters of mch_read */

/* Results are what activations are, so that the next layer reads them. */
static struct mch_datapath_config datapath_of(const struct mch_accel_config *c)
{
	return (struct mch_datapath_config){
		.array = {.rows = c->rows, .cols = c->cols, .x_bits = c->x_bits, .w_bits = c->w_bits,
			  .acc = {c->acc_bits, MCH_WRAP},
			  .mult = c->mult,
			  .pack = c->pack,
			  .w_kind = c->mult == MCH_MULT_SHIFT ? MCH_POW2 : c->w_kind,
			  .x_kind = c->x_kind,
			  .x_exp = c->x_exp,
			  .w_exp = c->w_exp,
			  .x_cols = mch_accel_x_cols(c)},
		.out_bits = c->out_bits,
		.round = c->round,
		.out_kind = c->x_kind,
		.out_exp = c->x_exp};
}

static int init_units(struct mch_top *t, struct mch_err *err)
{
	const struct mch_accel_config *c = &t->cfg;
	const int elem_bits = mch_accel_elem_bits(c), word_bits = c->cols * elem_bits;
	const struct mch_regs_config regs = {.rows = c->rows,
					     .cols = c->cols,
					     .x_bits = c->x_bits,
					     .w_bits = c->w_bits,
					     .out_bits = c->out_bits,
					     .acc_bits = c->acc_bits,
					     .round = (int)c->round,
					     .mult = (int)c->mult,
					     .mem_bits = c->mem_bits,
					     .x_words = (int)c->x_words,
					     .w_words = (int)c->w_words,
					     .x_kind = (int)c->x_kind,
					     .x_exp = c->x_exp,
					     .w_kind = (int)c->w_kind,
					     .w_exp = c->w_exp};
	const struct mch_seq_config seq = {c->rows, c->cols, c->out_bits, word_bits, !mch_accel_is_minifloat(c),
					  mch_accel_x_cols(c) > 1};
	const struct mch_read_config read = {c->mem_bits, word_bits, 32, BURST, 16};
	const struct mch_load_x_config load_x = {(int)c->x_words};
	const struct mch_load_w_config load_w = {(int)c->w_words, BURST * c->mem_bits / word_bits};
	const struct mch_lanes_config lanes = {c->rows, c->cols, elem_bits, c->x_bits, (int)c->x_words, mch_accel_x_cols(c)};
	const struct mch_pooler_config pooler = {.rows = c->rows,
						 .cols = c->cols,
						 .elem_bits = elem_bits,
						 .x_bits = c->x_bits,
						 .out_bits = c->out_bits,
						 .acc_bits = c->acc_bits,
						 .x_words = (int)c->x_words,
						 .x_kind = c->x_kind};
	const struct mch_issue_config issue = {.rows = c->rows,
					       .cols = c->cols,
					       .elem_bits = elem_bits,
					       .x_bits = c->x_bits,
					       .w_bits = c->w_bits,
					       .acc_bits = c->acc_bits,
					       .round = c->round,
					       .w_words = (int)c->w_words,
					       .x_cols = mch_accel_x_cols(c)};
	const struct mch_datapath_config datapath = datapath_of(c);
	const struct mch_store_config store = {c->rows, c->cols, elem_bits, c->out_bits, c->mem_bits, 32, DEPTH, BURST};
	if (mch_regs_init(&t->regs, &regs, err) != 0 || mch_seq_init(&t->seq, &seq, err) != 0 || mch_read_init(&t->read, &read, err) != 0 ||
	    mch_load_x_init(&t->load_x, &load_x, err) != 0 || mch_load_w_init(&t->load_w, &load_w, err) != 0 ||
	    mch_lanes_init(&t->lanes, &lanes, err) != 0 || mch_pooler_init(&t->pooler, &pooler, err) != 0 ||
	    mch_issue_init(&t->issue, &issue, err) != 0 || mch_datapath_init(&t->datapath, &datapath, err) != 0 ||
	    mch_store_init(&t->store, &store, err) != 0)
		return -1;
	t->datapath.array.has_data = t->has_data;
	return 0;
}

int mch_top_init(struct mch_top *t, const struct mch_accel_config *cfg, bool has_data, struct mch_err *err)
{
	memset(t, 0, sizeof(*t));
	if (mch_accel_check(cfg, err) != 0)
		return -1;
	t->cfg = *cfg;
	t->has_data = has_data;
	const size_t word_bytes = mch_accel_word_bytes(cfg), rows = (size_t)cfg->rows, cols = (size_t)cfg->cols;
	int status = init_units(t, err);
	t->x_mem = calloc(has_data ? 2 * cfg->x_words : 1, word_bytes);
	t->w_mem = calloc(has_data ? cfg->w_words : 1, word_bytes);
	t->x_word = calloc(1, word_bytes);
	t->w_word = calloc(1, word_bytes);
	t->x = calloc(rows * (size_t)mch_accel_x_cols(cfg), sizeof(*t->x));
	t->w = calloc(cols, sizeof(*t->w));
	t->y = calloc(cols, sizeof(*t->y));
	t->bias = calloc(cols, sizeof(*t->bias));
	t->sum = calloc(cols, sizeof(*t->sum));
	t->shift = calloc(cols, sizeof(*t->shift));
	t->noise = calloc(cols, sizeof(*t->noise));
	if (status == 0 && !(t->x_mem && t->w_mem && t->x_word && t->w_word && t->x && t->w && t->y && t->bias && t->sum &&
			     t->shift && t->noise))
		status = mch_err_set(err, "accelerator", "out of memory; use a machine with more");
	if (status != 0)
		mch_top_free(t);
	return status;
}

void mch_top_free(struct mch_top *t)
{
	mch_lanes_free(&t->lanes);
	mch_issue_free(&t->issue);
	mch_datapath_free(&t->datapath);
	mch_store_free(&t->store);
	free(t->x_mem);
	free(t->w_mem);
	free(t->x_word);
	free(t->w_word);
	free(t->x);
	free(t->w);
	free(t->y);
	free(t->bias);
	free(t->sum);
	free(t->shift);
	free(t->noise);
	memset(t, 0, sizeof(*t));
}

void mch_top_reset(struct mch_top *t)
{
	mch_regs_reset(&t->regs);
	mch_seq_reset(&t->seq);
	mch_read_reset(&t->read);
	mch_load_x_reset(&t->load_x);
	mch_load_w_reset(&t->load_w);
	mch_lanes_reset(&t->lanes);
	mch_pooler_reset(&t->pooler);
	mch_issue_reset(&t->issue);
	mch_datapath_reset(&t->datapath);
	mch_store_reset(&t->store);
	t->dp_clear = false;
}

void mch_top_drive(const struct mch_top *t, struct mch_axi_master *m)
{
	mch_read_drive(&t->read, m);
	mch_store_drive(&t->store, m);
}

/* The pins between units in one cycle. */
struct wires {
	struct mch_axi_master m;
	struct mch_read_in read_in;
	struct mch_read_out read;
	struct mch_lanes_in lanes_in;
	struct mch_lanes_move lanes;
	struct mch_pooler_in pooler_in;
	struct mch_pooler_move pooler;
	struct mch_issue_in issue_in;
	struct mch_issue_out issue;
	struct mch_datapath_in datapath_in;
	struct mch_store_in store_in;
	struct mch_store_out store;
	struct mch_regs_in regs_in;
	struct mch_seq_in seq_in;
	bool is_conv, is_max, clear, cp_idle, beat;
	bool release[2], xr_en;
	size_t xr_addr, wr_addr;
};

static void wire_read(struct mch_top *t, const struct mch_top_in *in, struct wires *w)
{
	w->read_in = (struct mch_read_in){
		.req_valid = {mch_seq_req_valid(&t->seq), t->load_x.ask, mch_load_w_req_valid(&t->load_w)},
		.req_addr = {t->seq.addr, t->load_x.addr, t->load_w.addr},
		.req_words = {t->seq.ask, t->load_x.run, mch_load_w_req_words(&t->load_w)},
		.stop = mch_seq_stop(&t->seq),
		.clear = w->clear,
		.arready = in->axi->arready,
		.r = in->axi->r};
	mch_read_eval(&t->read, &w->read_in, &w->read);
}

/* Beats, weights and the array. */
static void wire_issue(struct mch_top *t, struct wires *w)
{
	const struct mch_lanes_beat beat = mch_lanes_beat_pins(&t->lanes);
	w->issue_in = (struct mch_issue_in){.clear = w->clear,
					    .start = t->seq.cp_start,
					    .d = &t->seq.cp,
					    .beat_valid = beat.valid,
					    .beat_signed = beat.is_signed,
					    .beat_first = beat.first,
					    .beat_last = beat.last,
					    .beat_param = beat.param,
					    .beat_release = beat.release,
					    .beat_words = (uint32_t)beat.words,
					    .x = t->has_data ? t->x : NULL,
					    .w_fill = t->load_w.fill,
					    .w_word = t->has_data ? t->w_word : NULL,
					    .pool_param = t->pooler.param,
					    .in_ready = mch_datapath_in_ready(&t->datapath),
					    .cmd_ready = mch_store_cmd_ready(&t->store)};
	mch_issue_eval(&t->issue, &w->issue_in, &w->issue);
	if (w->issue.beat_take && t->has_data)
		mch_lanes_x(&t->lanes, t->x);
}

static void wire_window_readers(struct mch_top *t, struct wires *w)
{
	const uint8_t *const x_word = t->has_data ? t->x_word : NULL;
	const bool row_ready = mch_store_row_ready(&t->store);
	w->pooler_in = (struct mch_pooler_in){.clear = w->clear,
					      .start = t->seq.cp_start && !w->is_conv,
					      .d = &t->seq.cp,
					      .xr_word = x_word,
					      .param_ack = w->issue.pool_param_ack,
					      .sum_ready = mch_datapath_sum_ready(&t->datapath, row_ready),
					      .row_ready = row_ready,
					      .cmd_ready = mch_store_cmd_ready(&t->store)};
	w->lanes_in = (struct mch_lanes_in){.clear = w->clear,
					    .start = t->seq.cp_start && w->is_conv,
					    .beat_take = w->issue.beat_take,
					    .d = &t->seq.cp,
					    .xr_word = x_word};
	for (int h = 0; h < 2; h++) {
		w->pooler_in.strip_valid[h] = w->lanes_in.strip_valid[h] = t->load_x.valid[h];
		w->pooler_in.strip_start[h] = w->lanes_in.strip_start[h] = t->load_x.start[h];
		w->pooler_in.strip_words[h] = w->lanes_in.strip_words[h] = t->load_x.words[h];
		w->pooler_in.filled[h] = w->lanes_in.filled[h] = t->load_x.filled[h];
	}
	w->lanes = mch_lanes_moves(&t->lanes, &w->lanes_in);
	w->pooler = mch_pooler_move(&t->pooler, &w->pooler_in);
	for (int h = 0; h < 2; h++) {
		const bool by_lanes = mch_lanes_release(&t->lanes, w->lanes, h);
		const bool by_pooler = mch_pooler_release(&t->pooler, w->pooler, h);
		w->lanes_in.skip |= by_pooler;
		w->pooler_in.skip |= by_lanes;
		w->release[h] = by_lanes || by_pooler;
	}
	w->xr_en = w->is_conv ? mch_lanes_xr_en(&t->lanes, w->lanes) : mch_pooler_xr_en(&t->pooler, w->pooler);
	w->xr_addr = w->is_conv ? mch_lanes_xr_addr(&t->lanes) : mch_pooler_xr_addr(&t->pooler);
	w->wr_addr = t->issue.rd;
}

static void wire_datapath(struct mch_top *t, struct wires *w)
{
	struct mch_datapath_in *in = &w->datapath_in;
	*in = (struct mch_datapath_in){.array = {.valid = t->issue.in_valid,
						 .first = t->issue.first,
						 .last = t->issue.last,
						 .x = t->issue.x,
						 .w = t->w,
						 .x_signed = t->issue.is_signed},
				       .out_ready = mch_store_row_ready(&t->store),
				       .load = w->issue.load,
				       .bias = t->bias,
				       .shift = t->shift,
				       .noise = t->noise,
				       .sum_valid = mch_pooler_sum_valid(&t->pooler),
				       .sum = t->sum};
	if (!t->has_data)
		return;
	if (in->array.valid)
		mch_issue_w(&t->issue, t->w_word, t->w);
	if (in->load)
		mch_issue_params(&t->issue, t->bias, t->shift, t->noise);
	for (int j = 0; in->sum_valid && j < t->cfg.cols; j++)
		t->sum[j] = mch_pooler_sum(&t->pooler, j);
}

static void wire_store(struct mch_top *t, const struct mch_top_in *in, struct wires *w)
{
	const bool by_pooler = mch_pooler_row_valid(&t->pooler, t->seq.cp.op);
	w->store_in = (struct mch_store_in){.clear = w->clear,
					    .stop = mch_seq_stop(&t->seq),
					    .cmd_valid = t->issue.cmd_valid || t->pooler.cmd_valid,
					    .row_valid = w->is_max ? by_pooler : mch_datapath_out_valid(&t->datapath),
					    .row = t->has_data ? t->y : NULL,
					    .awready = in->axi->awready,
					    .wready = in->axi->wready,
					    .b = in->axi->b};
	if (w->is_conv)
		w->store_in.cmd = (struct mch_store_command){t->issue.cmd_addr, t->issue.cmd_words, true};
	else
		w->store_in.cmd = (struct mch_store_command){t->pooler.cmd_addr, t->pooler.cmd_words, false};
	for (int j = 0; t->has_data && w->store_in.row_valid && j < t->cfg.cols; j++)
		t->y[j] = w->is_max ? mch_pooler_row(&t->pooler, &t->seq.cp, j) : t->datapath.lane[j].y;
	mch_store_eval(&t->store, &w->store_in, &w->store);
}

static void wire_seq(const struct mch_top *t, const struct mch_top_in *in, struct wires *w)
{
	const struct mch_axi_slave *s = in->axi;
	w->seq_in = (struct mch_seq_in){
		.start = t->regs.start,
		.reset = t->regs.reset,
		.list = t->regs.list,
		.watchdog = t->regs.watchdog,
		.take = w->read.take == FOR_SEQ,
		.w_take = w->read.take == FOR_W,
		.take_words = w->read.take_words,
		.word_valid = w->read.word_valid == FOR_SEQ,
		.word = w->read.word,
		.x_done = mch_load_x_done(&t->load_x),
		.w_done = mch_load_w_done(&t->load_w),
		.x_overflow = t->load_x.overflow,
		.cp_idle = w->cp_idle,
		.store_idle = w->store.idle,
		.w_release = w->issue.release,
		.w_release_words = 1,
		.read_error = w->read.error,
		.write_error = w->store.error,
		.progress = (w->m.ar.valid && s->arready) || w->read.beat || (w->m.aw.valid && s->awready) ||
			    (w->m.w.valid && s->wready) || (s->b.valid && w->m.bready) ||
			    w->beat || w->xr_en,
		.read_idle = w->read.idle,
		.write_idle = w->store.idle};
}

/* The two memories' edge: what is read was there before what is written. */
static void step_memories(struct mch_top *t, const struct wires *w)
{
	const size_t word_bytes = mch_accel_word_bytes(&t->cfg);
	if (!t->has_data)
		return;
	if (w->xr_en)
		memcpy(t->x_word, t->x_mem + w->xr_addr * word_bytes, word_bytes);
	if (w->issue.wr_en)
		memcpy(t->w_word, t->w_mem + w->wr_addr * word_bytes, word_bytes);
	if (w->read.word_valid == FOR_X)
		memcpy(t->x_mem + mch_load_x_xw_addr(&t->load_x) * word_bytes, w->read.word, word_bytes);
	if (w->read.word_valid == FOR_W)
		memcpy(t->w_mem + t->load_w.write * word_bytes, w->read.word, word_bytes);
}

static void step_loaders(struct mch_top *t, const struct wires *w)
{
	const bool start = mch_seq_ld_start(&t->seq);
	const struct mch_load_x_in x = {.clear = w->clear,
					.start = start,
					.d = &t->seq.ld,
					.go = t->seq.go,
					.take = w->read.take == FOR_X,
					.take_words = w->read.take_words,
					.word_valid = w->read.word_valid == FOR_X,
					.release = {w->release[0], w->release[1]}};
	const struct mch_load_w_in weights = {.clear = w->clear,
					      .start = start,
					      .d = &t->seq.ld,
					      .take = w->read.take == FOR_W,
					      .take_words = w->read.take_words,
					      .word_valid = w->read.word_valid == FOR_W,
					      .release = w->issue.release,
					      .release_words = 1};
	mch_load_x_step(&t->load_x, &x);
	mch_load_w_step(&t->load_w, &weights);
}

static void wire_regs(const struct mch_top *t, const struct mch_top_in *in, struct wires *w)
{
	struct mch_regs_in *regs = &w->regs_in;
	*regs = in->lite;
	regs->busy = mch_seq_busy(&t->seq);
	regs->draining = mch_seq_draining(&t->seq);
	regs->done = t->seq.done;
	regs->error = t->seq.error;
	regs->error_code = t->seq.error_code;
	regs->error_field = t->seq.error_field;
	regs->index = t->seq.index;
	regs->beat = w->beat;
	regs->wait_x = mch_lanes_wait_x(&t->lanes) || w->pooler.wait_x;
	regs->wait_w = w->issue.wait_w;
	regs->wait_out = w->issue.wait_out;
	regs->read_beat = w->read.beat;
	regs->write_beat = w->store.beat;
}

static void wire_all(struct mch_top *t, const struct mch_top_in *in, struct wires *w)
{
	memset(&w->m, 0, sizeof(w->m));
	mch_top_drive(t, &w->m);
	w->clear = mch_seq_clear(&t->seq);
	w->is_conv = t->seq.cp.op == MCH_OP_CONV;
	w->is_max = t->seq.cp.op == MCH_OP_MAX;
	w->cp_idle = mch_lanes_done(&t->lanes) && mch_pooler_done(&t->pooler) && mch_issue_done(&t->issue) &&
		     mch_datapath_idle(&t->datapath);
	wire_read(t, in, w);
	wire_issue(t, w);
	wire_window_readers(t, w);
	wire_datapath(t, w);
	wire_store(t, in, w);
	w->beat = t->issue.in_valid && w->issue_in.in_ready;
	wire_seq(t, in, w);
	wire_regs(t, in, w);
}

/* All pins of the cycle are found first. Then who reads a register of another unit, a word of a memory or a word of the read
 * port through a pointer steps before its owner. */
void mch_top_step(struct mch_top *t, const struct mch_top_in *in)
{
	struct wires w;
	wire_all(t, in, &w);
	t->datapath.layer = (struct mch_datapath_layer){t->seq.cp.relu != 0, t->seq.cp.y_signed != 0, (int)t->seq.cp.y_bits};
	mch_datapath_step(&t->datapath, &w.datapath_in);
	mch_store_step(&t->store, &w.store_in);
	mch_lanes_step(&t->lanes, &w.lanes_in);
	mch_pooler_step(&t->pooler, &w.pooler_in);
	mch_issue_step(&t->issue, &w.issue_in, &w.issue);
	step_memories(t, &w);
	step_loaders(t, &w);
	mch_seq_step(&t->seq, &w.seq_in);
	mch_regs_step(&t->regs, &w.regs_in);
	mch_read_step(&t->read, &w.read_in, &w.read);
	t->dp_clear = w.clear;
	t->cycle++;
	if (t->dp_clear)
		mch_datapath_reset(&t->datapath);
}

static int fail(const struct mch_top *t, struct mch_err *err)
{
	static const char *const names[] = {"",
					    "an illegal descriptor",
					    "a strip that does not fit its buffer",
					    "weights left unread",
					    "a read that the memory refuses",
					    "a write that the memory refuses",
					    "the watchdog"};
	const uint32_t code = t->seq.error_code;
	return mch_err_set(err, "accelerator", "descriptor %u: stopped by %s (word %u); the list was made for another build",
			   t->seq.index, code < sizeof(names) / sizeof(names[0]) ? names[code] : "an unknown error",
			   t->seq.error_field);
}

static void put_mark(const struct mch_top *t, struct mch_top_mark *mark, int i, int n)
{
	if (mark && i >= 0 && i < n)
		memcpy(mark[i].count, t->regs.count, sizeof(mark[i].count));
}

int64_t mch_top_run(struct mch_top *t, uint32_t list, uint8_t *bytes, uint64_t n_bytes, uint64_t most_cycles,
		    struct mch_top_mark *mark, int n, struct mch_err *err)
{
	struct mch_ideal_memory memory;
	struct mch_axi_master m;
	uint8_t beat[MCH_AXI_BEAT_BYTES_MAX];
	mch_ideal_memory_init(&memory, (size_t)t->cfg.mem_bits / 8, bytes, n_bytes);
	const struct mch_top_in in = {.axi = &memory.pins};
	int i = -1;
	memset(&m, 0, sizeof(m));
	t->regs.list = list; /* as if written */
	t->regs.start = true;
	for (uint64_t cycle = 0; cycle < most_cycles; cycle++) {
		mch_top_drive(t, &m);
		if (m.w.valid && m.w.data)
			m.w.data = memcpy(beat, m.w.data, (size_t)t->cfg.mem_bits / 8); /* the step replaces it */
		mch_top_step(t, &in);
		mch_ideal_memory_step(&memory, &m);
		i += t->seq.cp_start;
		if (t->seq.cp_start || t->regs.done)
			put_mark(t, mark, t->regs.done ? i : i - 1, n);
		if (t->seq.error)
			return fail(t, err);
		if (t->regs.done)
			return t->regs.count[0];
	}
	return mch_err_set(err, "accelerator", "no end after %llu cycles; the list was made for another build",
			   (unsigned long long)most_cycles);
}
