/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Words of NET.quant.json that its writer and its reader share. Host only: no RTL twin. */
#ifndef MCH_IO_QUANT_KEYS_H
#define MCH_IO_QUANT_KEYS_H

#include <stdbool.h>

#include "net/quant.h"

#define MCH_QUANT_FORMAT "macchiato quant 1"
#define MCH_QUANT_FLOAT "float"

static const char *const mch_quant_part_names[MCH_N_PARTS] = {
	[MCH_PART_CONV_WEIGHTS] = "conv_weights",
	[MCH_PART_FC_WEIGHTS] = "fc_weights",
	[MCH_PART_ACTIVATIONS] = "activations",
};

static const char *const mch_quant_overflow_names[] = {[MCH_WRAP] = "wrap", [MCH_SATURATE] = "saturate"};

/* Only these layers have an entry in "layers". */
static inline bool mch_quant_has_weights(const struct mch_layer *layer)
{
	return layer->kind == MCH_CONV || layer->kind == MCH_DENSE;
}

#endif
