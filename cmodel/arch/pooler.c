/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The pooler, cycle by cycle; see pooler.h. */
#include "arch/pooler.h"

#include <string.h>

#include "fxp/round_shift.h"
#include "fxp/sat.h"

enum { ROW_BITS = 26, COL_BITS = 19, N_BITS = 24, RECIP_BITS = 17, DIVIDE_LAST = 17, MULTIPLY_LAST = 16 };

int mch_pooler_init(struct mch_pooler *p, const struct mch_pooler_config *cfg, struct mch_err *err)
{
	memset(p, 0, sizeof(*p));
	if (cfg->rows < 1 || cfg->rows > 64 || cfg->cols < 1 || cfg->cols > MCH_POOLER_COLS_MAX)
		return mch_err_set(err, "pooler", "%d rows and %d columns are out of range; both are 1 to 64",
				   cfg->rows, cfg->cols);
	if ((cfg->elem_bits != 8 && cfg->elem_bits != 16) || cfg->x_bits < 1 || cfg->x_bits > cfg->elem_bits)
		return mch_err_set(err, "pooler",
				   "codes of %d bits in elements of %d are out of range; ELEM_BITS is 8 or 16, X_BITS 1 to it",
				   cfg->x_bits, cfg->elem_bits);
	if (cfg->out_bits < 1 || cfg->out_bits > 16 || cfg->acc_bits < 2 || cfg->acc_bits > 48)
		return mch_err_set(err, "pooler",
				   "outputs of %d bits and sums of %d are out of range; OUT_BITS is 1 to 16, ACC_BITS 2 to 48",
				   cfg->out_bits, cfg->acc_bits);
	if (cfg->x_words < 2 || cfg->x_words > 1 << 16 || (cfg->x_words & (cfg->x_words - 1)) != 0)
		return mch_err_set(err, "pooler",
				   "a half of %d words is out of range; X_WORDS is a power of two from 2 to 65536",
				   cfg->x_words);
	if (cfg->x_kind != MCH_FIXED && !mch_number_is_minifloat(cfg->x_kind))
		return mch_err_set(err, "pooler", "codes of kind %d; X_KIND is 0, or 1 to 4 of minifloats", cfg->x_kind);
	p->cfg = *cfg;
	return 0;
}

void mch_pooler_reset(struct mch_pooler *p)
{
	p->busy = p->walk = p->half = p->v0 = p->v1 = p->v2 = p->full = false;
	p->cmd_valid = p->early = p->known = p->prod = p->param = false;
	p->step = MCH_POOLER_IDLE;
	p->n = 0;
}

int64_t mch_pooler_sum(const struct mch_pooler *p, int j)
{
	return mch_wrap(p->product[j], p->cfg.acc_bits);
}

static int32_t row_of(int64_t v)
{
	return (int32_t)mch_wrap(v, ROW_BITS);
}

static int32_t col_of(int64_t v)
{
	return (int32_t)mch_wrap(v, COL_BITS);
}

static bool commanded(const struct mch_pooler *p)
{
	return p->full && (!p->cmd_valid || p->early);
}

struct mch_pooler_move mch_pooler_move(const struct mch_pooler *p, const struct mch_pooler_in *in)
{
	const bool there = (p->tag0 & MCH_POOLER_ZERO) || p->off0 < in->filled[p->half0];
	struct mch_pooler_move m;
	m.multiplied = p->step == MCH_POOLER_MULTIPLY && p->n == MULTIPLY_LAST;
	m.empties = m.multiplied;
	if (p->full && in->d->op != MCH_OP_MEAN)
		m.empties = commanded(p) && in->row_ready;
	m.go2 = p->v2 && (!(p->tag2 & MCH_POOLER_LAST) || !p->full || m.empties);
	m.go1 = p->v1 && (!p->v2 || m.go2);
	m.go0 = p->v0 && there && (!p->v1 || m.go1);
	m.enter = p->busy && !p->walk && in->strip_valid[p->half];
	m.go = p->walk && (!p->v0 || m.go0) && !(p->begin && (p->cmd_valid || p->early));
	m.wait_x = (p->v0 && !there) || (p->busy && !p->walk && !in->strip_valid[p->half]);
	return m;
}

/* The larger, or the sum. */
static int32_t join(bool first, bool larger, int32_t a, int32_t b)
{
	return first ? b : larger ? (a < b ? b : a) : a + b;
}

/* Of a negative minifloat the magnitude's bits are turned over, so that two's complement orders codes; and back. */
static int32_t turned(const struct mch_pooler *p, const struct mch_descriptor *d, int32_t raw, int bits)
{
	const bool is_negative = p->cfg.x_kind != MCH_FIXED && d->x0_signed && (raw & 1 << (bits - 1));
	return is_negative ? raw ^ ((1 << (bits - 1)) - 1) : raw;
}

int32_t mch_pooler_row(const struct mch_pooler *p, const struct mch_descriptor *d, int j)
{
	if (p->cfg.x_kind == MCH_FIXED)
		return p->hold[j];
	return turned(p, d, p->hold[j] & ((1 << p->cfg.out_bits) - 1), p->cfg.out_bits);
}

static int32_t code_of(const struct mch_pooler *p, const struct mch_pooler_in *in, int j)
{
	const int bytes = p->cfg.elem_bits / 8;
	const uint8_t *at = in->xr_word + j * bytes;
	const int32_t raw = at[0] | (bytes == 2 ? at[1] << 8 : 0);
	return (int32_t)mch_wrap_code(turned(p, in->d, raw, p->cfg.x_bits), p->cfg.x_bits, in->d->x0_signed != 0);
}

/* Stage 1: a position joins its column, in all lanes, and those that count. Sums have x_bits + 16 bits, at most 32. */
static void gather(struct mch_pooler *p, const struct mch_pooler_in *in)
{
	const bool larger = in->d->op != MCH_OP_MEAN, outside = p->tag1 & MCH_POOLER_ZERO;
	const bool r_first = p->tag1 & MCH_POOLER_R_FIRST;
	const int32_t low = larger && in->d->x0_signed ? -(1 << (p->cfg.x_bits - 1)) : 0;
	for (int j = 0; in->xr_word && j < p->cfg.cols; j++)
		p->column[j] = join(r_first, larger, p->column[j], outside ? low : code_of(p, in, j));
	p->ccount = ((r_first ? 0 : p->ccount) + ((p->tag1 & MCH_POOLER_COUNTS) != 0)) & 0xffff;
}

/* Stage 2: a whole column joins its window. */
static void join_column(struct mch_pooler *p, const struct mch_pooler_in *in)
{
	const bool larger = in->d->op != MCH_OP_MEAN;
	const bool s_first = p->tag2 & MCH_POOLER_S_FIRST, last = p->tag2 & MCH_POOLER_LAST;
	for (int j = 0; in->xr_word && j < p->cfg.cols; j++) {
		const int32_t window = join(s_first, larger, p->window[j], p->column[j]);
		p->window[j] = last ? p->column[j] : window;
		if (last)
			p->hold[j] = window;
	}
	const uint32_t wcount = ((s_first ? 0 : p->wcount) + p->ccount) & 0xffff;
	p->wcount = last ? p->ccount : wcount;
	if (!last)
		return;
	p->hcount = wcount;
	p->block = p->tag2 & MCH_POOLER_BLOCK;
	p->full = true;
	p->early = p->early && !(p->tag2 & MCH_POOLER_TILE);
}

/* One bit of the reciprocal: added at the top, and all moves down. A product has 32 + 17 bits at most. */
static void multiply(struct mch_pooler *p)
{
	for (int j = 0; j < p->cfg.cols; j++) {
		const int64_t high = mch_round_shift(p->product[j], RECIP_BITS, MCH_ROUND_FLOOR, 0);
		const int64_t added = high + (p->recip & 1 ? p->hold[j] : 0);
		const int64_t low = p->product[j] & ((1 << RECIP_BITS) - 1);
		p->product[j] = added * (1 << (RECIP_BITS - 1)) + (low >> 1);
	}
}

/* What becomes of a sum in `hold`. */
static void reckon(struct mch_pooler *p, const struct mch_pooler_in *in)
{
	const bool mean = p->full && in->d->op == MCH_OP_MEAN, reckoned = p->known && p->count == p->hcount;
	const bool taken = mch_pooler_sum_valid(p) && in->sum_ready;
	if (in->param_ack)
		p->param = false;
	switch (p->step) {
	case MCH_POOLER_DIVIDE: {
		const bool fits = p->rest >= p->count;
		const uint32_t quot = p->quot << 1 | fits;
		p->rest = ((fits ? p->rest - p->count : p->rest) & 0xffff) << 1;
		p->quot = quot & 0x1ffff;
		p->recip = ((quot >> 1) + (quot & 1)) & 0x1ffff;
		if (p->n == DIVIDE_LAST) {
			p->step = MCH_POOLER_IDLE;
			p->known = true;
		}
		p->n = (p->n + 1) & 31;
		break;
	}
	case MCH_POOLER_MULTIPLY:
		if (in->xr_word)
			multiply(p);
		p->recip = p->recip >> 1 | (p->recip & 1) << (RECIP_BITS - 1);
		if (p->n == MULTIPLY_LAST) {
			p->step = MCH_POOLER_IDLE;
			p->prod = true;
		}
		p->n = (p->n + 1) & 31;
		return;
	default:
		p->n = 0;
		if (mean && !reckoned) {
			p->step = MCH_POOLER_DIVIDE;
			p->count = p->hcount;
			p->rest = 1;
			p->quot = 0;
		} else if (mean && commanded(p) && (!p->prod || taken)) {
			p->step = MCH_POOLER_MULTIPLY;
			if (in->xr_word)
				memset(p->product, 0, sizeof(p->product));
			p->param = p->block;
		}
	}
	if (taken)
		p->prod = false;
}

static uint8_t tag_of(const struct mch_pooler *p, const struct mch_descriptor *d, bool r_last, bool w_last)
{
	const bool under = p->row < 0 || p->col < 0;
	const bool zero = under || p->row >= (int32_t)d->map_words || p->col >= (int32_t)d->in_w;
	const bool counts = p->row < (int32_t)d->count_words && p->col < (int32_t)d->count_w &&
			    (d->count_pad || !under);
	const int tag = (zero ? MCH_POOLER_ZERO : 0) | (counts ? MCH_POOLER_COUNTS : 0) |
			(p->r_tap == 0 ? MCH_POOLER_R_FIRST : 0) | (r_last ? MCH_POOLER_R_LAST : 0) |
			(p->s_tap == 0 ? MCH_POOLER_S_FIRST : 0) | (w_last ? MCH_POOLER_LAST : 0) |
			(p->lane == 0 ? MCH_POOLER_TILE : 0) | (p->lane == 0 && p->tile == 0 ? MCH_POOLER_BLOCK : 0);
	return (uint8_t)tag;
}

/* Stage 0 takes the position. */
static void take_position(struct mch_pooler *p, const struct mch_descriptor *d, bool r_last, bool w_last, bool end)
{
	const uint32_t rows = (uint32_t)p->cfg.rows;
	p->off0 = (p->base + (uint32_t)p->row + (uint32_t)p->col) & ((uint32_t)p->cfg.x_words - 1);
	p->half0 = p->half;
	p->end0 = end;
	p->tag0 = tag_of(p, d, r_last, w_last);
	if (p->begin) {
		p->cmd_valid = p->early = true;
		p->cmd_addr = p->addr;
		p->cmd_words = p->left < rows ? p->left : rows;
	}
}

/* To the strip's first window. */
static void rewind_walk(struct mch_pooler *p)
{
	p->p = p->s;
	p->row = p->s.row;
	p->col = p->s.col;
	p->left = p->sleft;
	p->lane = p->tile = p->r_tap = p->s_tap = 0;
	p->begin = true;
}

static void next_window(struct mch_pooler *p, const struct mch_descriptor *d)
{
	const bool q_last = p->p.q == ((d->out_q - 1) & 0xffff);
	const bool shares = d->stride_w != 0 && d->stride_w + 1 == d->kernel_s && d->dilation_w == 1;
	p->p.row = q_last ? row_of((int64_t)p->p.row + d->row_step) : p->p.row;
	p->p.col = q_last ? col_of(-(int64_t)d->pad_left) : col_of((int64_t)p->p.col + d->stride_w);
	p->p.q = q_last ? 0 : (p->p.q + 1) & 0xffff;
	p->row = p->p.row;
	p->r_tap = 0;
	p->s_tap = shares && !q_last;
	p->col = p->s_tap ? col_of((int64_t)p->col + 1) : p->p.col;
	p->left = (p->left - 1) & ((1U << N_BITS) - 1);
	if (++p->lane == (uint32_t)p->cfg.rows) {
		p->lane = 0;
		p->tile++;
		p->begin = true;
		p->addr += (uint32_t)p->cfg.rows;
	}
}

static void walk(struct mch_pooler *p, const struct mch_descriptor *d, const struct mch_pooler_in *in)
{
	const bool r_last = p->r_tap == d->kernel_r - 1, w_last = r_last && p->s_tap == d->kernel_s - 1;
	const bool layer_last = p->left == 1;
	const bool p_last = layer_last || (p->lane == (uint32_t)p->cfg.rows - 1 && p->tile == d->tiles - 1);
	const bool y_last = p->y == d->y_blocks - 1;
	take_position(p, d, r_last, w_last, w_last && p_last && y_last);
	p->begin = false;
	if (!w_last) {
		p->row = r_last ? p->p.row : row_of((int64_t)p->row + d->tap_step);
		p->r_tap = r_last ? 0 : p->r_tap + 1;
		p->s_tap += r_last;
		if (r_last)
			p->col = col_of((int64_t)p->col + d->dilation_w);
		return;
	}
	next_window(p, d);
	if (!p_last)
		return;
	p->y++;
	p->base = (p->base + in->strip_words[p->half]) & ((uint32_t)p->cfg.x_words - 1);
	p->yaddr += d->y_step;
	p->addr = p->yaddr;
	if (!y_last) {
		rewind_walk(p);
		return;
	}
	const struct mch_pooler_place next = p->p;
	const uint32_t left = p->left;
	rewind_walk(p);
	p->s = next;
	p->sleft = left;
	p->saddr += d->strip_pixels;
	p->walk = false;
	p->half = !p->half;
	p->busy = !layer_last;
}

static void start(struct mch_pooler *p, const struct mch_descriptor *d)
{
	p->busy = true;
	p->s.row = row_of(-(int64_t)d->pad_words);
	p->s.col = col_of(-(int64_t)d->pad_left);
	p->s.q = 0;
	p->sleft = d->pixels & ((1U << N_BITS) - 1);
	p->saddr = d->y_addr;
}

static void enter(struct mch_pooler *p, const struct mch_pooler_in *in)
{
	p->walk = true;
	p->y = 0;
	p->base = (0 - in->strip_start[p->half]) & ((uint32_t)p->cfg.x_words - 1);
	p->yaddr = p->addr = p->saddr;
	rewind_walk(p);
}

/* From the last stage to the first, so that each reads what its predecessor held before the edge. */
static void step_stages(struct mch_pooler *p, const struct mch_pooler_in *in)
{
	const struct mch_pooler_move m = mch_pooler_move(p, in);
	reckon(p, in);
	if (in->cmd_ready)
		p->cmd_valid = false;
	p->full = p->full && !m.empties;
	if (m.go2 && (p->tag2 & MCH_POOLER_R_LAST))
		join_column(p, in);
	p->v2 = m.go1 || (p->v2 && !m.go2);
	if (m.go1) {
		gather(p, in);
		p->tag2 = p->tag1;
	}
	p->v1 = m.go0 || (p->v1 && !m.go1);
	if (m.go0)
		p->tag1 = p->tag0;
	p->v0 = m.go || (p->v0 && !m.go0);
	if (m.enter)
		enter(p, in);
	if (m.go)
		walk(p, in->d, in);
}

void mch_pooler_step(struct mch_pooler *p, const struct mch_pooler_in *in)
{
	if (!mch_pooler_done(p))
		step_stages(p, in);
	else if (in->start)
		start(p, in->d);
	p->half ^= in->skip;
	if (in->clear)
		mch_pooler_reset(p);
}
