/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The likely cause of what is wrong in the output of a convolution (or dense layer): the rules of hint.h, and those of padding, of the
 * order of weights and elements, of columns, and of what a tile leaves behind. Host only: no RTL twin.
 * Spec: docs/datapath.md "Mismatch". */
#ifndef MCH_OP_HINT_CONV_H
#define MCH_OP_HINT_CONV_H

#include "op/conv.h"
#include "op/hint.h"

/* Requant of the unit has bias and shift [k]. */
struct mch_hint_conv {
	struct mch_conv conv;
	struct mch_hint_unit unit;
	int rows, cols;       /* of the array: which processing element made what; cols are also the channels of a word */
	bool by_words;        /* terms come word by word, its channels last: docs/accelerator.md; else in the order of op/conv.h */
	const int32_t *x, *w; /* [n][c][h][w], [k][c / groups][r][s] */
	const int32_t *got;   /* [n][k][p][q] */
	int32_t *room;        /* [2 * terms], for its own use */
};

/* As mch_hint, over all outputs: a rule that explains every one, those that differ first. */
const char *mch_conv_hint(const struct mch_hint_conv *c, char *text);

/* Output i of [n][k][p][q] by the contract. */
int32_t mch_conv_want(const struct mch_hint_conv *c, size_t i);

#endif
