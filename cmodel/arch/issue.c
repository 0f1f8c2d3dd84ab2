/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Beats meet weights, cycle by cycle; see issue.h. */
#include "arch/issue.h"

#include <stdlib.h>
#include <string.h>

#include "fxp/sat.h"

static int bias_words(const struct mch_issue_config *cfg)
{
	return (cfg->acc_bits + cfg->elem_bits - 1) / cfg->elem_bits;
}

int mch_issue_param_words(const struct mch_issue_config *cfg)
{
	return bias_words(cfg) + 1 + (cfg->round == MCH_ROUND_STOCHASTIC ? 16 / cfg->elem_bits : 0);
}

static bool legal(const struct mch_issue_config *c)
{
	return c->rows >= 1 && c->rows <= 64 && c->cols >= 1 && c->cols <= 64 &&
	       (c->elem_bits == 8 || c->elem_bits == 16) && c->x_bits >= 1 && c->x_bits <= c->elem_bits &&
	       c->w_bits >= 1 && c->w_bits <= c->elem_bits && c->acc_bits >= 2 && c->acc_bits <= 48 &&
	       (int)c->round >= 0 && (int)c->round <= 4 && c->w_words >= 2 && c->w_words <= 32768 &&
	       (c->w_words & (c->w_words - 1)) == 0 && c->x_cols >= 0 && c->x_cols <= c->cols;
}

int mch_issue_init(struct mch_issue *u, const struct mch_issue_config *cfg, struct mch_err *err)
{
	memset(u, 0, sizeof(*u));
	if (!legal(cfg))
		return mch_err_set(err, "issue", "a parameter is out of range; see the ranges in rtl/mch_issue.v");
	u->cfg = *cfg;
	u->cfg.x_cols = cfg->x_cols ? cfg->x_cols : 1;
	u->n_param = mch_issue_param_words(cfg);
	u->x = calloc((size_t)(cfg->rows * u->cfg.x_cols), sizeof(*u->x));
	u->channel = calloc((size_t)(cfg->cols * u->n_param), sizeof(*u->channel));
	if (!u->x || !u->channel) {
		mch_issue_free(u);
		return mch_err_set(err, "issue", "out of memory; use a machine with more");
	}
	return 0;
}

void mch_issue_free(struct mch_issue *u)
{
	free(u->x);
	free(u->channel);
	u->x = NULL;
	u->channel = NULL;
}

void mch_issue_reset(struct mch_issue *u)
{
	u->in_valid = u->cmd_valid = u->pend = u->claimed = u->param = false;
	u->mark = u->mark0 = u->mark1 = u->done = false;
	u->count = 0;
	u->rd = u->off = 0;
}

void mch_issue_eval(const struct mch_issue *u, const struct mch_issue_in *in, struct mch_issue_out *out)
{
	const bool is_free = !u->in_valid || in->in_ready, there = u->off < in->w_fill;
	const bool cmd_free = !u->cmd_valid || in->cmd_ready;
	const bool needs = in->beat_first && in->beat_param && !(u->pend && !u->claimed);
	const bool read = (in->pool_param || (in->beat_valid && needs)) && !u->pend && there && is_free;
	const bool out_waits = !is_free || (needs ? u->pend : in->beat_last && !cmd_free);
	out->beat_take = in->beat_valid && !needs && there && is_free && (!in->beat_last || cmd_free);
	out->wr_en = out->beat_take || read;
	out->release = read || (out->beat_take && in->beat_release);
	out->pool_param_ack = in->pool_param && u->pend && !u->param;
	out->load = (u->done && in->in_ready) || out->pool_param_ack;
	out->wait_out = in->beat_valid && out_waits;
	out->wait_w = in->beat_valid && !out->beat_take && !out_waits;
}

static uint32_t element(const struct mch_issue *u, const uint8_t *word, int j)
{
	return u->cfg.elem_bits == 8 ? word[j] : (uint32_t)(word[2 * j] | word[2 * j + 1] << 8);
}

void mch_issue_w(const struct mch_issue *u, const uint8_t *w_word, int32_t *w)
{
	for (int j = 0; j < u->cfg.cols; j++)
		w[j] = (int32_t)mch_wrap((int64_t)element(u, w_word, j), u->cfg.w_bits);
}

/* n elements of a column, low first, as one number. */
static uint64_t joined(const struct mch_issue *u, const uint16_t *elements, int n)
{
	uint64_t v = 0;
	for (int i = n; i-- > 0;)
		v = v << u->cfg.elem_bits | elements[i];
	return v;
}

void mch_issue_params(const struct mch_issue *u, int64_t *bias, int8_t *shift, uint16_t *noise)
{
	const int n_bias = bias_words(&u->cfg), n_noise = u->n_param - n_bias - 1;
	for (int j = 0; j < u->cfg.cols; j++) {
		const uint16_t *const c = u->channel + j * u->n_param;
		bias[j] = mch_wrap((int64_t)joined(u, c, n_bias), u->cfg.acc_bits);
		shift[j] = (int8_t)((c[n_bias] & 63) + MCH_SHIFT_MIN);
		noise[j] = (uint16_t)joined(u, c + n_bias + 1, n_noise);
	}
}

/* A column is a shift register of elements. */
static void catch_word(struct mch_issue *u, const uint8_t *word)
{
	const size_t moved = (size_t)(u->n_param - 1);
	for (int j = 0; j < u->cfg.cols; j++) {
		uint16_t *const c = u->channel + j * u->n_param;
		memmove(c, c + 1, moved * sizeof(*c));
		c[moved] = (uint16_t)element(u, word, j);
	}
}

static void step_command(struct mch_issue *u, const struct mch_issue_in *in)
{
	u->cmd_addr = u->tile_addr;
	u->cmd_words = in->beat_words;
	if (!in->beat_release) {
		u->tile_addr += (uint32_t)u->cfg.rows;
		return;
	}
	const bool strip_ends = u->left == 0;
	const uint32_t next = strip_ends ? u->strip_addr + in->d->strip_pixels : u->block_addr + in->d->y_step;
	u->block_addr = u->tile_addr = next;
	u->left = strip_ends ? (in->d->y_blocks - 1) & 0xffff : u->left - 1;
	if (strip_ends)
		u->strip_addr = next;
}

static void step_ring(struct mch_issue *u, const struct mch_issue_in *in, const struct mch_issue_out *out)
{
	const uint32_t mask = (uint32_t)u->cfg.w_words - 1;
	if (!out->wr_en)
		return;
	if (in->beat_last && !out->release) {
		u->rd = (u->rd - u->off) & mask;
		u->off = 0;
	} else {
		u->rd = (u->rd + 1) & mask;
		u->off = out->release ? u->off : (u->off + 1) & mask;
	}
}

static void step_beat(struct mch_issue *u, const struct mch_issue_in *in, bool mark)
{
	u->first = in->beat_first;
	u->last = in->beat_last;
	u->is_signed = in->beat_signed;
	u->in_mark = mark && in->beat_last;
	u->mark = mark && !in->beat_last;
	if (in->x)
		memcpy(u->x, in->x, (size_t)(u->cfg.rows * u->cfg.x_cols) * sizeof(*u->x));
	if (in->beat_last)
		step_command(u, in);
}

void mch_issue_step(struct mch_issue *u, const struct mch_issue_in *in, const struct mch_issue_out *out)
{
	const bool take = out->beat_take, read = out->wr_en && !take;
	const bool opens = in->beat_first && in->beat_param, mark = opens || u->mark;
	const bool full = read && u->count == u->n_param - 1;
	if (u->param && in->w_word)
		catch_word(u, in->w_word);
	if (in->in_ready) {
		u->done = u->mark1;
		u->mark1 = u->mark0;
		u->mark0 = u->in_valid && u->in_mark;
	}
	u->in_valid = take || (u->in_valid && !in->in_ready);
	u->cmd_valid = (take && in->beat_last) || (u->cmd_valid && !in->cmd_ready);
	u->param = read;
	if (read)
		u->count = full ? 0 : u->count + 1;
	u->pend = full || (u->pend && !out->load);
	u->claimed = (take && opens) || (u->claimed && !out->load);
	step_ring(u, in, out);
	if (take)
		step_beat(u, in, mark);
	if (in->start) {
		u->strip_addr = u->block_addr = u->tile_addr = in->d->y_addr;
		u->left = (in->d->y_blocks - 1) & 0xffff;
	}
	if (in->clear)
		mch_issue_reset(u);
}
