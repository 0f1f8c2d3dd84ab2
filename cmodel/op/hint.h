/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The likely cause of a mismatch: a rule that, put in place of the contract's, explains all that was seen of a unit.
 * Of dot products, accumulators and requantizers, whoever ran them; of whole layers: hint_conv.h.
 * Host only: no RTL twin. Spec: docs/datapath.md "Mismatch". */
#ifndef MCH_OP_HINT_H
#define MCH_OP_HINT_H

#include <stdbool.h>
#include <stdint.h>

#include "fxp/mac.h"
#include "op/requant.h"

enum { MCH_HINT_BYTES = 256 };

/* The unit that is judged. requant NULL: what is seen is the accumulator, and its flag, that it overflowed. Of a unit without terms
 * x_bits, w_bits and acc do not count. */
struct mch_hint_unit {
	struct mch_acc acc;
	int x_bits, w_bits; /* of the terms; w is signed */
	bool x_signed;
	bool has_flag; /* the flag was seen */
	const struct mch_requant *requant; /* its bias and shift are not read: each seen value has its own */
};

/* One value: what went in, and what came out; `got` as the whole register, read in the sign of the output's format. Terms in
 * the order of accumulation, from acc on; n_terms may be 0. */
struct mch_hint_seen {
	int n_terms;
	const int32_t *x, *w;
	int64_t acc, bias;
	int shift;
	uint32_t noise;
	int64_t got;
	bool flag;
};

/* Tries other roundings, wrapping, the ReLU, signs, shifts, the bias and the noise, widths of the accumulator, lost and late terms, one
 * rule at a time, and names the first two that give exactly what was got, in all n values: those that agree with the contract
 * are evidence, too. Returns text (MCH_HINT_BYTES), or NULL when there is nothing to explain or nothing explains it: a wrong
 * hint is worse than none. */
const char *mch_hint(const struct mch_hint_unit *unit, const struct mch_hint_seen *seen, int n, char *text);

/* The contract's own answer. *flag may be NULL. */
int64_t mch_hint_want(const struct mch_hint_unit *unit, const struct mch_hint_seen *seen, bool *flag);

#endif
