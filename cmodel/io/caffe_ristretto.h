/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the reader and the writer of Ristretto's definitions share: its numbers, and formats of tensors that no layer of
 * Ristretto names. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_RISTRETTO_H
#define MCH_IO_CAFFE_RISTRETTO_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "net/quant.h"

static inline bool mch_ristretto_same(struct mch_format a, struct mch_format b)
{
	return a.bits == b.bits && a.frac == b.frac && a.is_signed == b.is_signed && a.number == b.number &&
	       a.exp_bits == b.exp_bits;
}

/* Minifloats of Ristretto: 2^exp_bits exponents around that of 1, no subnormals. */
struct mch_format mch_ristretto_minifloat(int mant_bits, int exp_bits);

/* Powers of two from 2^exp_min to 2^exp_max, of either sign. 0, or -1 when these are not 2, 4, 8 or 16. */
int mch_ristretto_pow2(int exp_min, int exp_max, struct mch_format *format);

/* What Ristretto makes of a weight: the power of two whose exponent is nearest, which is not always the nearest in
 * value (between 1.41 and 1.5 times a power). */
float mch_ristretto_power(struct mch_format format, float weight);

/* root [n_edges]: the edge that codes come from unchanged. */
void mch_ristretto_roots(const struct mch_net *net, int *root);

/* Edges that no layer of Ristretto touches, between layers that it leaves in float: such an edge takes the format of
 * the first input of the layer that makes it. Behind the softmax at the end nothing is a code. 0, or -1 with err. */
int mch_ristretto_fill_rest(const struct mch_net *net, struct mch_quant *quant, struct mch_err *err);

/* Everything that Ristretto can say of these formats is said by them; else -1 with err, whose place is path. */
int mch_ristretto_check(const struct mch_net *net, const struct mch_quant *quant, const char *path,
			struct mch_err *err);

/* "ConvolutionRistretto" or "FcRistretto"; NULL: Ristretto has no such layer. */
const char *mch_ristretto_type(const struct mch_layer *layer);

/* quantization_param of layer i, on a line. */
void mch_ristretto_put(FILE *f, const struct mch_net *net, const struct mch_quant *quant, int i);

#endif
