/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Objects behind a chandle. What is no living object of the kind asked for is refused, not touched. */
#ifndef MCH_DPI_TWIN_H
#define MCH_DPI_TWIN_H

#include <stdint.h>

#include "fxp/sat.h"

/* First member of every object. */
struct mch_dpi_twin {
	const char *kind; /* "array"; compared by its address */
	struct mch_dpi_twin *next;
};

void mch_dpi_twin_add(struct mch_dpi_twin *twin, const char *kind);
void mch_dpi_twin_remove(struct mch_dpi_twin *twin);

/* The object, or NULL with the message of function `where`. */
void *mch_dpi_twin_find(const char *where, void *handle, const char *kind);

/* Element i of `bits` <= 48 bits of a packed vector, element 0 lowest; zero-extended. */
static inline uint64_t mch_dpi_get(const uint32_t *words, int i, int bits)
{
	const unsigned at = (unsigned)i * (unsigned)bits, place = at % 32;
	const uint32_t *from = words + at / 32;
	uint64_t v = (uint64_t)from[0] >> place;
	if (place + (unsigned)bits > 32)
		v |= (uint64_t)from[1] << (32 - place);
	if (place + (unsigned)bits > 64) /* then place > 16 */
		v |= (uint64_t)from[2] << (64 - place);
	return v & ((UINT64_C(1) << bits) - 1);
}

static inline int64_t mch_dpi_get_signed(const uint32_t *words, int i, int bits)
{
	return mch_wrap((int64_t)mch_dpi_get(words, i, bits), bits);
}

/* n elements of `bits` bits into a packed vector of n_words, zeros above. */
void mch_dpi_put(uint32_t *words, int n_words, const int64_t *v, int n, int bits);

#endif
