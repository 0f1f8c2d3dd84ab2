/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The loader of weights, cycle by cycle; see load_w.h. */
#include "arch/load_w.h"

#include <string.h>

int mch_load_w_init(struct mch_load_w *l, const struct mch_load_w_config *cfg, struct mch_err *err)
{
	memset(l, 0, sizeof(*l));
	if (cfg->w_words < 2 || cfg->w_words > 32768 || (cfg->w_words & (cfg->w_words - 1)) != 0)
		return mch_err_set(err, "load_w", "a ring of %d words is out of range; W_WORDS is a power of two, 2..32768",
				   cfg->w_words);
	if (cfg->burst_words < 1 || cfg->burst_words > cfg->w_words / 2)
		return mch_err_set(err, "load_w", "a ring of %d words does not hold two bursts of %d; deepen it",
				   cfg->w_words, cfg->burst_words);
	l->cfg = *cfg;
	return 0;
}

void mch_load_w_reset(struct mch_load_w *l)
{
	l->busy = false;
	l->used = l->fill = l->write = 0;
}

/* A burst is on its way; after the strip's last one the same words come for the next strip. */
static void take(struct mch_load_w *l, const struct mch_load_w_in *in)
{
	const struct mch_descriptor *d = in->d;
	l->used += in->take_words;
	if (in->take_words != l->run) {
		l->addr += in->take_words;
		l->run -= in->take_words;
		return;
	}
	l->busy = l->left > d->strip_pixels;
	l->left -= d->strip_pixels;
	l->addr = d->w_addr;
	l->run = d->w_words;
}

void mch_load_w_step(struct mch_load_w *l, const struct mch_load_w_in *in)
{
	if (in->take)
		take(l, in);
	if (in->word_valid) {
		l->fill++;
		l->write = (l->write + 1) & (uint32_t)(l->cfg.w_words - 1);
	}
	if (in->release) {
		l->used -= in->release_words;
		l->fill -= in->release_words;
	}
	if (in->start) {
		l->busy = in->d->w_words != 0;
		l->addr = in->d->w_addr;
		l->run = in->d->w_words;
		l->left = in->d->pixels;
	}
	if (in->clear)
		mch_load_w_reset(l);
}
