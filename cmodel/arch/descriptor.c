/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Descriptors as bits, strips and beats; see descriptor.h. */
#include "arch/descriptor.h"

#include <stddef.h>

#include "arch/seq.h"

#define MASK(bits) ((bits) == 32 ? UINT32_MAX : (UINT32_C(1) << ((bits) & 31)) - 1)

void mch_descriptor_pack(const struct mch_descriptor *d, uint8_t bytes[MCH_DESCRIPTOR_BYTES])
{
	uint32_t word[MCH_DESCRIPTOR_WORDS] = {0};
#define PACK(member, index, low, bits) word[index] |= (d->member & MASK(bits)) << (low);
	MCH_DESCRIPTOR_FIELDS(PACK)
#undef PACK
	for (int i = 0; i < MCH_DESCRIPTOR_BYTES; i++)
		bytes[i] = (uint8_t)(word[i / 4] >> (8 * (i % 4)) & 0xff);
}

void mch_descriptor_unpack(const uint8_t bytes[MCH_DESCRIPTOR_BYTES], struct mch_descriptor *d)
{
	uint32_t word[MCH_DESCRIPTOR_WORDS] = {0};
	for (int i = 0; i < MCH_DESCRIPTOR_BYTES; i++)
		word[i / 4] |= (uint32_t)bytes[i] << (8 * (i % 4));
#define UNPACK(member, index, low, bits) d->member = word[index] >> (low) & MASK(bits);
	MCH_DESCRIPTOR_FIELDS(UNPACK)
#undef UNPACK
}

const char *mch_descriptor_misfit(const struct mch_descriptor *d)
{
#define FIT(member, index, low, bits) \
	if (d->member > MASK(bits)) \
		return #member;
	MCH_DESCRIPTOR_FIELDS(FIT)
#undef FIT
	if (d->q_end >= UINT32_C(1) << 17)
		return "q_end";
	return NULL;
}

int mch_descriptor_illegal(const uint8_t bytes[MCH_DESCRIPTOR_BYTES], const struct mch_accel_config *cfg)
{
	const struct mch_seq_config seq = {
		cfg->rows, cfg->cols, cfg->out_bits, (int)(8 * mch_accel_word_bytes(cfg)), !mch_accel_is_minifloat(cfg),
		mch_accel_x_cols(cfg) > 1};
	const uint32_t bad = mch_seq_illegal(&seq, bytes);
	int word = 0;
	while (bad && !(bad >> word & 1))
		word++;
	return bad ? word : -1;
}

struct mch_strip mch_descriptor_strip(const struct mch_descriptor *d, uint64_t strip)
{
	struct mch_strip s = {.first = strip * d->strip_pixels};
	const uint64_t left = d->pixels - s.first;
	const bool is_last = left <= d->strip_pixels;
	s.n_pixels = is_last ? (uint32_t)left : d->strip_pixels;
	const int64_t row0 = (int64_t)(s.first / d->out_q) * d->row_step - d->pad_words;
	const int64_t row1 = (int64_t)((s.first + s.n_pixels - 1) / d->out_q) * d->row_step - d->pad_words + d->reach;
	s.start = row0 > 0 ? row0 : 0;
	s.end = row1 > s.start ? row1 : s.start;
	if (is_last || s.end > d->map_words)
		s.end = d->map_words;
	return s;
}

uint64_t mch_descriptor_beats(const struct mch_descriptor *d, const struct mch_accel_config *cfg)
{
	uint64_t channels = 0;
	if (d->op != MCH_OP_CONV)
		return 0;
	if (d->taps)
		return (uint64_t)d->kernel_r * d->kernel_s * d->taps * (uint64_t)(cfg->cols / mch_accel_x_cols(cfg));
	for (uint32_t b = 0; b < mch_descriptor_blocks(d); b++)
		channels += mch_descriptor_channels(d, cfg, b);
	return channels * d->kernel_r * d->kernel_s;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t conv_tile_cycles(const struct mch_descriptor *d, const struct mch_accel_config *cfg)
{
	const uint64_t rows = (uint64_t)cfg->rows, word = (uint64_t)(cfg->cols / mch_accel_x_cols(cfg));
	uint64_t cycles = 0;
	if (d->taps) /* the words of all lanes, then one for each tap more as soon as the beats of the one before are used up */
		cycles = larger(rows, word) + (d->taps - 1) * word;
	for (uint32_t b = 0; !d->taps && b < mch_descriptor_blocks(d); b++)
		cycles += larger(mch_descriptor_channels(d, cfg, b), rows);
	return larger(cycles * d->kernel_r * d->kernel_s, rows + 1);
}

static uint64_t pool_cycles(const struct mch_descriptor *d, const struct mch_strip *strip)
{
	const uint64_t map_rows = (strip->first + strip->n_pixels - 1) / d->out_q - strip->first / d->out_q + 1;
	const bool shares = d->stride_w + 1 == d->kernel_s && d->dilation_w == 1;
	const uint64_t window = (uint64_t)d->kernel_r * (d->kernel_s - shares);
	if (d->op == MCH_OP_MEAN)
		return strip->n_pixels * larger(window, MCH_MEAN_CYCLES);
	return strip->n_pixels * window + (shares ? map_rows * d->kernel_r : 0);
}

uint64_t mch_descriptor_cycles(const struct mch_descriptor *d, const struct mch_accel_config *cfg,
			       const struct mch_strip *strip)
{
	const uint64_t tiles = (strip->n_pixels + (uint64_t)cfg->rows - 1) / (uint64_t)cfg->rows;
	return d->y_blocks * (d->op == MCH_OP_CONV ? tiles * conv_tile_cycles(d, cfg) : pool_cycles(d, strip));
}
