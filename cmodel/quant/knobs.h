/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The widths that a search may choose, as one list: of each layer's weights, and of each group of tensors that share
 * a format. Host only: no RTL twin. */
#ifndef MCH_QUANT_KNOBS_H
#define MCH_QUANT_KNOBS_H

#include "quant/formats.h"
#include "quant/widths.h"

struct mch_knob {
	bool is_weights;
	int index;          /* of the layer, or of the edge that the group starts from (mch_formats.group) */
	enum mch_part part; /* Ristretto's */
	const char *name;   /* of the layer or the edge, which the network owns */
};

/* Weights first, in order of the layers, then groups, in order of the edges. */
struct mch_knobs {
	const struct mch_formats *formats;
	int n;
	struct mch_knob *knob; /* [n], owned */
};

/* formats outlives knobs. 0, or -1 with err when memory is short. */
int mch_knobs_init(struct mch_knobs *knobs, const struct mch_formats *formats, struct mch_err *err);
void mch_knobs_free(struct mch_knobs *knobs);

/* The width that the kind of numbers of a knob has nearest to `bits`. */
int mch_knobs_width(const struct mch_knobs *knobs, int knob, int bits);

/* Three widths to one for each knob; one for each knob to those of every layer and tensor. */
void mch_knobs_spread(const struct mch_knobs *knobs, const int width[MCH_N_PARTS], int8_t *setting);
void mch_knobs_widths(const struct mch_knobs *knobs, const int8_t *setting, struct mch_widths *widths);

/* A setting as text, a digit for each knob: 1 to 9, then a to g for 10 to 16. text has room for n + 1. */
void mch_knobs_text(const int8_t *setting, int n, char *text);
/* 0, or -1 when the text is no setting of n knobs. */
int mch_knobs_parse(const char *text, int n, int8_t *setting);

#endif
