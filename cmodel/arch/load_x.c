/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The loader of activations, cycle by cycle; see load_x.h. */
#include "arch/load_x.h"

#include <string.h>

#include "fxp/sat.h"

enum { SUM_BITS = 34, COLUMN_BITS = 17 };

int mch_load_x_init(struct mch_load_x *l, const struct mch_load_x_config *cfg, struct mch_err *err)
{
	memset(l, 0, sizeof(*l));
	if (cfg->x_words < 2 || cfg->x_words > 32768 || (cfg->x_words & (cfg->x_words - 1)) != 0)
		return mch_err_set(err, "load_x", "halves of %d words are out of range; X_WORDS is a power of two, 2..32768",
				   cfg->x_words);
	l->cfg = *cfg;
	return 0;
}

void mch_load_x_reset(struct mch_load_x *l)
{
	l->step = MCH_LOAD_X_IDLE;
	l->next = l->ask = l->overflow = false;
	l->valid[0] = l->valid[1] = false;
	l->asked = l->total = 0;
	l->filled[0] = l->filled[1] = 0;
}

static int64_t wrapped(int64_t sum)
{
	return mch_wrap(sum, SUM_BITS);
}

/* A step of reckoning the strip; true when it goes on to the next step. */
static bool reckon(struct mch_load_x *l, const struct mch_descriptor *d)
{
	const int64_t map_words = d->map_words;
	int64_t sum;
	switch (l->step) {
	case MCH_LOAD_X_PAD:
		l->low = -(int64_t)d->pad_words;
		return true;
	case MCH_LOAD_X_LEFT:
		sum = (int64_t)l->left - d->strip_pixels;
		l->last = sum <= 0;
		l->left = (uint32_t)sum;
		return true;
	case MCH_LOAD_X_START:
		l->from = (uint32_t)(l->low < 0 ? 0 : l->low < map_words ? l->low : map_words);
		return true;
	case MCH_LOAD_X_ROWS:
		l->low = wrapped(l->low + d->strip_rows);
		l->column = (l->column + d->strip_q) & ((1u << COLUMN_BITS) - 1);
		return true;
	case MCH_LOAD_X_WRAP:
		if (l->column >= d->out_q) {
			l->low = wrapped(l->low + d->row_step);
			l->column -= d->out_q;
		}
		return true;
	case MCH_LOAD_X_REACH:
		l->high = wrapped(l->low + d->reach);
		return true;
	case MCH_LOAD_X_BACK:
		if (l->column == 0)
			l->high = wrapped(l->high - d->row_step);
		return true;
	case MCH_LOAD_X_END:
		if (l->last || wrapped(l->high - map_words) >= 0)
			l->high = map_words;
		return true;
	case MCH_LOAD_X_WORDS:
		sum = wrapped(l->high - l->from);
		l->high = sum < 0 ? 0 : sum;
		return true;
	case MCH_LOAD_X_ADDR0:
		if (l->ask)
			return false;
		l->addr = l->block = d->x0_addr + l->from;
		return true;
	case MCH_LOAD_X_ADDR1:
		l->other = d->x1_addr + l->from;
		return true;
	default:
		return false;
	}
}

/* Step OPEN: the strip takes the next half. */
static void open_strip(struct mch_load_x *l, const struct mch_descriptor *d)
{
	if (l->high > l->cfg.x_words) {
		l->overflow = true;
		l->step = MCH_LOAD_X_STOP;
		return;
	}
	const uint32_t words = (uint32_t)l->high;
	l->valid[l->next] = true;
	l->start[l->next] = l->from;
	l->words[l->next] = l->run = words;
	l->filled[l->next] = 0;
	l->blocks = d->x0_blocks;
	l->second = d->x1_blocks != 0;
	l->total = l->asked;
	l->asked = words;
	l->ask = words != 0;
	l->next = !l->next;
	l->step = l->last ? MCH_LOAD_X_IDLE : MCH_LOAD_X_LEFT;
}

/* A burst of the run is on its way; after the run's last one comes the next block, if it fits. */
static void take(struct mch_load_x *l, const struct mch_descriptor *d, uint32_t take_words)
{
	if (take_words != l->run) {
		l->addr += take_words;
		l->run -= take_words;
		return;
	}
	const uint32_t words = l->words[!l->next];
	const bool tensor_ends = l->blocks == 1, strip_ends = tensor_ends && !l->second;
	const bool fits = l->asked + words <= (uint32_t)l->cfg.x_words;
	l->addr = l->block = tensor_ends ? l->other : l->block + d->x_step;
	l->run = words;
	l->blocks = tensor_ends ? d->x1_blocks : (l->blocks - 1) & 0xffff;
	l->second = l->second && !tensor_ends;
	l->ask = !strip_ends && fits;
	if (l->ask)
		l->asked += words;
	if (!strip_ends && !fits) {
		l->overflow = true;
		l->step = MCH_LOAD_X_STOP;
	}
}

void mch_load_x_step(struct mch_load_x *l, const struct mch_load_x_in *in)
{
	const bool land = mch_load_x_land(l), old = land == l->next;
	const bool open = l->step == MCH_LOAD_X_OPEN && in->go && !l->valid[l->next] && !old;
	l->overflow = false;
	if (in->release[0])
		l->valid[0] = false;
	if (in->release[1])
		l->valid[1] = false;
	if (in->word_valid)
		l->filled[land]++;
	if (l->step == MCH_LOAD_X_IDLE) {
		if (in->start) {
			l->step = MCH_LOAD_X_PAD;
			l->left = in->d->pixels;
			l->column = 0;
		}
	} else if (open) {
		open_strip(l, in->d);
	} else if (reckon(l, in->d)) {
		l->step++;
	}
	if (in->take)
		take(l, in->d, in->take_words);
	if (in->clear)
		mch_load_x_reset(l);
}
