/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The exact engine beside the plain operators, for the tests of both. */
#ifndef EXACT_COMPARE_H
#define EXACT_COMPARE_H

#include "base/rng.h"
#include "net/qnet.h"

/* Sums that overflowed in the plain runs so far. */
extern uint64_t n_overflows;

/* Runs n images x of codes through both, twice through the engine with buffers for `batch`, and fails at the first value or count of
 * overflows that differs, with the seed. Returns the values compared. */
size_t compare_input(const struct mch_qnet *q, int batch, int n, const int32_t *x, uint64_t seed);

/* The same of random images: of corners, of the lowest code, of the highest. */
size_t compare(struct mch_rng *rng, const struct mch_qnet *q, int batch, int n, uint64_t seed);

#endif
