/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What is asked of formats beside their widths. Host only: no RTL twin. */
#ifndef MCH_QUANT_POLICY_H
#define MCH_QUANT_POLICY_H

#include <stdbool.h>

#include "fxp/format.h"
#include "fxp/mac.h"
#include "quant/fraction.h"

/* One split into exponent and mantissa for all activations, or all weights, of a width. */
enum {
	MCH_EXP_BITS_AUTO = 0,   /* the least mean noise */
	MCH_EXP_BITS_RANGE = -1, /* from the largest value, as Ristretto */
};

/* Of all activations, or of all weights. */
struct mch_format_policy_part {
	enum mch_number number;
	int exp_bits; /* of minifloats; where the width has no room for them, as many as it has; or of these: */
	enum mch_fraction rule;
	double percentile; /* of MCH_FRACTION_PERCENTILE: so many percent of the magnitudes are not clipped */
};

struct mch_format_policy {
	struct mch_format_policy_part activations, weights;
	bool per_channel;            /* a fraction for the weights of each output channel */
	bool is_static;              /* one fraction for the whole network, and signs everywhere: static fixed point */
	bool has_unsigned;           /* tensors that are nowhere negative have unsigned codes */
	enum mch_round weight_round; /* of weights */
	struct mch_acc acc;          /* of all layers; 0 bits: each as its certificate asks */
};

/* Dynamic fixed point by least squared error, a fraction for each layer's weights, unsigned where nothing is negative, weights half even. */
struct mch_format_policy mch_format_policy_usual(void);

/* The names of number kinds: "fixed", "minifloat", "ieee", "fn", "flush", "pow2", "pow2-no-zero". */
const char *mch_number_name(enum mch_number number);
int mch_number_parse(const char *name, enum mch_number *number);

/* A format of the part, without a fraction, that has `bits` bits or the nearest number that its kind can have. Powers of two are
 * signed. */
struct mch_format mch_format_policy_shape(const struct mch_format_policy_part *part, int bits, bool is_signed);

/* The width that the kind of the part has nearest to `bits`. */
int mch_format_policy_width(const struct mch_format_policy_part *part, int bits);

enum { MCH_FORMAT_POLICY_TEXT = 256 };

/* All of it as one line into buf (MCH_FORMAT_POLICY_TEXT bytes), the same text for equal policies alone; returns buf. */
const char *mch_format_policy_text(const struct mch_format_policy *policy, char *buf);

#endif
