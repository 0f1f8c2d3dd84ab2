/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A descriptor as memory holds it, and the strips and beats that follow from its fields. Host only: no RTL twin.
 * Spec: docs/accelerator.md "Words, tensors, tiles, strips". */
#ifndef MCH_ARCH_DESCRIPTOR_H
#define MCH_ARCH_DESCRIPTOR_H

#include "arch/accel.h"
#include "arch/map.h"

enum { MCH_DESCRIPTOR_WORDS = 32, MCH_DESCRIPTOR_BYTES = 128 };

/* To 1024 bits, byte 0 lowest. Every value fits its field: mch_descriptor_fits. */
void mch_descriptor_pack(const struct mch_descriptor *d, uint8_t bytes[MCH_DESCRIPTOR_BYTES]);
void mch_descriptor_unpack(const uint8_t bytes[MCH_DESCRIPTOR_BYTES], struct mch_descriptor *d);

/* NULL, or the name of the first member whose value has more bits than its field, or than the lanes reckon with: Q_END
 * below 2^17. */
const char *mch_descriptor_misfit(const struct mch_descriptor *d);

/* -1, or the first 32-bit word that the sequencer does not take (ERROR_DESCRIPTOR). */
int mch_descriptor_illegal(const uint8_t bytes[MCH_DESCRIPTOR_BYTES], const struct mch_accel_config *cfg);

/* Words of memory that one descriptor takes. */
static inline uint32_t mch_descriptor_words(const struct mch_accel_config *cfg)
{
	return MCH_DESCRIPTOR_BYTES / mch_accel_word_bytes(cfg);
}

static inline uint64_t mch_descriptor_tiles(const struct mch_descriptor *d, const struct mch_accel_config *cfg)
{
	return ((uint64_t)d->pixels + (uint64_t)cfg->rows - 1) / (uint64_t)cfg->rows;
}

static inline uint64_t mch_descriptor_strips(const struct mch_descriptor *d)
{
	return ((uint64_t)d->pixels + d->strip_pixels - 1) / d->strip_pixels;
}

/* Blocks of a strip: those of both inputs; of pools the output's. */
static inline uint32_t mch_descriptor_blocks(const struct mch_descriptor *d)
{
	return d->x0_blocks + d->x1_blocks;
}

/* Pixels first .. first + n_pixels - 1; words start .. end - 1 of the map of one block. */
struct mch_strip {
	uint64_t first;
	uint32_t n_pixels;
	int64_t start, end;
};
struct mch_strip mch_descriptor_strip(const struct mch_descriptor *d, uint64_t strip);

/* Channels of x block b that are beats. */
static inline uint32_t mch_descriptor_channels(const struct mch_descriptor *d, const struct mch_accel_config *cfg,
					       uint32_t b)
{
	if (b + 1 == d->x0_blocks)
		return d->x0_last;
	return b + 1 == d->x0_blocks + d->x1_blocks ? d->x1_last : (uint32_t)cfg->cols;
}

/* Beats of one tile of a convolution; of a pool 0. */
uint64_t mch_descriptor_beats(const struct mch_descriptor *d, const struct mch_accel_config *cfg);

/* Cycles of a strip without stalls of memory. Conv: each word of the reduction takes the longer of its beats and the
 * fetches of ROWS lanes, and a tile at least what draining the one before takes. Pool: a fetch for each position, of
 * which a window may share a column with the one before; a mean takes at least MCH_MEAN_CYCLES. */
enum { MCH_MEAN_CYCLES = 18 };
uint64_t mch_descriptor_cycles(const struct mch_descriptor *d, const struct mch_accel_config *cfg,
			       const struct mch_strip *strip);

#endif
