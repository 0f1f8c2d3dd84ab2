/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The likely cause of a requantizer's mismatch: a rule that, put in place of the contract's, explains what was seen.
 * Host only: no RTL twin. Spec: docs/datapath.md "Mismatch". */
#ifndef MCH_OP_HINT_H
#define MCH_OP_HINT_H

#include <stdbool.h>
#include <stdint.h>

#include "op/requant.h"

enum { MCH_HINT_BYTES = 256 };

/* What went in and what came out; y as the whole register, read in the sign of the output's format. */
struct mch_requant_seen {
	int64_t acc, bias;
	int shift;
	uint32_t noise;
	int32_t y;
	bool saturated;
};

/* Tries other roundings, wrapping, the ReLU, signs, shifts, the bias and the noise, one at a time, and names the first
 * two that give exactly y and its flag. Returns text (MCH_HINT_BYTES), or NULL when there is nothing to explain or nothing
 * explains it: a wrong hint is worse than none. */
const char *mch_requant_hint(const struct mch_requant *cfg, const struct mch_requant_seen *seen, char *text);

#endif
