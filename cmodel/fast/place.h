/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Where the values of a graph live: one arena in which memory is used again once its value's life is over.
 * Host only: no RTL twin. */
#ifndef MCH_FAST_PLACE_H
#define MCH_FAST_PLACE_H

#include <stddef.h>

enum { MCH_PLACE_ALIGN_BYTES = 64 }; /* a cache line, and the widest vector */

/* One value's memory. Steps are numbered from 0. */
struct mch_place {
	size_t bytes;
	int parent;     /* it is a part of this place, or -1 */
	size_t offset;  /* in the parent, given; without one in the arena, found by mch_place_all */
	int born, dies; /* the first and the last step that touches it */
};

/* The outermost place around `index`; *offset: where in it. */
int mch_place_root(const struct mch_place *places, int index, size_t *offset);

/* Gives every root the lives of all its parts, and an offset such that places alive at the same step do not
 * overlap: the largest first, each into the smallest gap that it fits (Pisarchyk and Lee, "Efficient memory
 * management for deep neural net inference", 2020). `order` is scratch [n]. The size of the arena. */
size_t mch_place_all(struct mch_place *places, int n, int *order);

#endif
