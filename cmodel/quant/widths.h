/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A width for every layer's weights and every tensor's codes. Host only: no RTL twin. */
#ifndef MCH_QUANT_WIDTHS_H
#define MCH_QUANT_WIDTHS_H

#include <stdint.h>

#include "base/err.h"
#include "net/net.h"

struct mch_widths {
	int n_layers, n_edges;
	int8_t *weights; /* [n_layers], owned: bits; 0: the layer has none */
	int8_t *edge; /* [n_edges], owned: bits of the codes of each tensor; those of one group (quant/formats.h) are
			 equal */
};

/* All zero. 0, or -1 with err when memory is short. */
int mch_widths_init(struct mch_widths *widths, const struct mch_net *net, struct mch_err *err);
void mch_widths_free(struct mch_widths *widths);

#endif
