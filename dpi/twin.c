/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Objects behind a chandle; see twin.h. */
#include "dpi/twin.h"

#include <string.h>

#include "dpi/check.h"

static struct mch_dpi_twin *living;

void mch_dpi_twin_add(struct mch_dpi_twin *twin, const char *kind)
{
	twin->kind = kind;
	twin->next = living;
	living = twin;
}

void mch_dpi_twin_remove(struct mch_dpi_twin *twin)
{
	struct mch_dpi_twin **at = &living;
	while (*at != twin)
		at = &(*at)->next;
	*at = twin->next;
}

void *mch_dpi_twin_find(const char *where, void *handle, const char *kind)
{
	for (struct mch_dpi_twin *twin = living; twin; twin = twin->next)
		if (twin == handle && twin->kind == kind)
			return twin;
	mch_err_set(&mch_dpi_err, where, "the chandle is no %s; give one that mch_%s_new made and mch_%s_free has not ended", kind,
		    kind, kind);
	return NULL;
}

void mch_dpi_put(uint32_t *words, int n_words, const int64_t *v, int n, int bits)
{
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	uint64_t held = 0; /* fewer than 32 bits before an element, 31 + 48 do not fit: the upper part comes after */
	int n_held = 0, out = 0;
	memset(words, 0, (size_t)n_words * sizeof(*words));
	for (int i = 0; i < n; i++) {
		const uint64_t element = (uint64_t)v[i] & mask;
		const int low = bits < 32 ? bits : 32;
		held |= (element & (UINT64_MAX >> (64 - low))) << n_held;
		n_held += low;
		if (n_held >= 32) {
			words[out++] = (uint32_t)held;
			held >>= 32, n_held -= 32;
		}
		if (bits > 32) {
			held |= element >> 32 << n_held;
			n_held += bits - 32;
		}
		if (n_held >= 32) {
			words[out++] = (uint32_t)held;
			held >>= 32, n_held -= 32;
		}
	}
	if (n_held > 0)
		words[out] = (uint32_t)held;
}
