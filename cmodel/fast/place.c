/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Where the values of a graph live; see place.h. */
#include "fast/place.h"

#include <stdint.h>

int mch_place_root(const struct mch_place *places, int index, size_t *offset)
{
	*offset = 0;
	for (; places[index].parent >= 0; index = places[index].parent)
		*offset += places[index].offset;
	return index;
}

static size_t aligned(size_t bytes)
{
	return (bytes + MCH_PLACE_ALIGN_BYTES - 1) / MCH_PLACE_ALIGN_BYTES * MCH_PLACE_ALIGN_BYTES;
}

static int meet(const struct mch_place *a, const struct mch_place *b)
{
	return a->born <= b->dies && b->born <= a->dies;
}

/* The smallest gap for `place` between those of order[0 .. n) (by offset) that live at the same time. */
static size_t gap_for(const struct mch_place *places, const struct mch_place *place, const int *order, int n)
{
	size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
	for (int i = 0; i < n; i++) {
		const struct mch_place *other = &places[order[i]];
		if (!meet(place, other))
			continue;
		const size_t gap = other->offset > end ? other->offset - end : 0;
		if (gap >= aligned(place->bytes) && gap < best_size) {
			best = end;
			best_size = gap;
		}
		const size_t other_end = other->offset + aligned(other->bytes);
		end = other_end > end ? other_end : end;
	}
	return best == SIZE_MAX ? end : best;
}

/* Lives of the parts into the roots; the number of roots, in order[]. */
static int gather_roots(struct mch_place *places, int n, int *order)
{
	int n_roots = 0;
	for (int i = 0; i < n; i++) {
		size_t offset;
		const int root = mch_place_root(places, i, &offset);
		if (root == i)
			order[n_roots++] = i;
		if (places[i].born < places[root].born)
			places[root].born = places[i].born;
		if (places[i].dies > places[root].dies)
			places[root].dies = places[i].dies;
	}
	return n_roots;
}

/* order[0 .. n) by falling size: few hundred at most, so plain insertion. */
static void largest_first(const struct mch_place *places, int *order, int n)
{
	for (int i = 1; i < n; i++) {
		const int moved = order[i];
		int j = i;
		for (; j > 0 && places[order[j - 1]].bytes < places[moved].bytes; j--)
			order[j] = order[j - 1];
		order[j] = moved;
	}
}

size_t mch_place_all(struct mch_place *places, int n, int *order)
{
	const int n_roots = gather_roots(places, n, order);
	size_t arena = 0;
	largest_first(places, order, n_roots);
	for (int i = 0; i < n_roots; i++) {
		struct mch_place *place = &places[order[i]];
		const int index = order[i];
		int j = i;
		place->offset = gap_for(places, place, order, i);
		/* order[0 .. i] is kept by rising offset from here on. */
		for (; j > 0 && places[order[j - 1]].offset > place->offset; j--)
			order[j] = order[j - 1];
		order[j] = index;
		if (place->offset + aligned(place->bytes) > arena)
			arena = place->offset + aligned(place->bytes);
	}
	return arena;
}
