/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How many tiles a strip has; see program.h. */
#include "arch/program.h"

static void set(struct mch_descriptor *d, const struct mch_accel_config *cfg, uint32_t tiles)
{
	d->tiles = tiles;
	d->strip_pixels = tiles * (uint32_t)cfg->rows;
	d->strip_q = d->strip_pixels % d->out_q;
	d->strip_rows = d->strip_pixels / d->out_q * d->row_step;
}

/* Every strip by its own rows. A strip that would start behind the map (wholly in the padding) is no strip. */
static bool fits(const struct mch_descriptor *d, const struct mch_accel_config *cfg)
{
	const uint64_t n = mch_descriptor_strips(d), beats = mch_descriptor_beats(d, cfg);
	if (d->op == MCH_OP_CONV && d->tiles > 1 && beats + (uint64_t)mch_accel_param_words(cfg) > cfg->w_words)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		const struct mch_strip s = mch_descriptor_strip(d, i);
		if (s.end < s.start || (uint64_t)(s.end - s.start) * mch_descriptor_blocks(d) > cfg->x_words)
			return false;
	}
	return true;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Of a strip: what mch_descriptor_cycles counts, and the parameters of each y block, which wait for a tile before that
 * is alone. */
static uint64_t computing_of(const struct mch_descriptor *d, const struct mch_accel_config *cfg,
			     const struct mch_strip *s)
{
	const bool is_alone = s->n_pixels <= (uint32_t)cfg->rows;
	const uint64_t param = (uint64_t)mch_accel_param_words(cfg) + (is_alone ? 4 : 0);
	return mch_descriptor_cycles(d, cfg, s) + (d->op == MCH_OP_CONV ? d->y_blocks * param : 0);
}

uint64_t mch_program_cycles(const struct mch_descriptor *d, const struct mch_accel_config *cfg)
{
	const uint64_t word_bits = 8U * mch_accel_word_bytes(cfg), mem_bits = (uint64_t)cfg->mem_bits;
	const uint64_t word_cycles = word_bits > mem_bits ? word_bits / mem_bits : 1;
	const uint64_t n = mch_descriptor_strips(d);
	uint64_t cycles = 0, computing = 0;
	for (uint64_t i = 0; i < n; i++) {
		const struct mch_strip s = mch_descriptor_strip(d, i);
		const uint64_t x_words = (uint64_t)(s.end - s.start) * mch_descriptor_blocks(d);
		const uint64_t x_cycles = x_words * word_cycles;
		if (i == 0)
			cycles += d->barrier ? x_cycles : 0;
		else
			cycles += larger(computing, x_cycles + d->w_words * word_cycles);
		computing = computing_of(d, cfg, &s);
	}
	return cycles + larger(computing, n == 1 ? d->w_words * word_cycles : 0);
}

int mch_program_tiles(struct mch_descriptor *d, const struct mch_accel_config *cfg, uint32_t tiles, bool is_whole)
{
	const uint64_t all = mch_descriptor_tiles(d, cfg);
	uint64_t best = UINT64_MAX, last = 0;
	uint32_t best_tiles = 0;
	for (uint64_t n = 1; n <= all && (n == 1 || !is_whole); n++) {
		uint64_t try = (all + n - 1) / n; /* the fewest tiles that make n strips */
		try = tiles && tiles < all ? tiles : tiles ? all : try;
		if (try == last || try > 65535)
			continue;
		last = try;
		set(d, cfg, (uint32_t)try);
		if (!fits(d, cfg) || (is_whole && mch_descriptor_strips(d) > 1))
			continue;
		const uint64_t cycles = mch_program_cycles(d, cfg);
		if (cycles < best) {
			best = cycles;
			best_tiles = (uint32_t)try;
		}
		if (tiles)
			break;
	}
	if (best_tiles == 0)
		return -1;
	set(d, cfg, best_tiles);
	return 0;
}
