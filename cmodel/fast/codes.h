/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How the fast operators hold raw codes: NHWC, unsigned, one or two bytes each: stored = code + zero.
 * Being unsigned, the bytes of a code are operands of byte products as they are: stored = low + 256 * high.
 * Host only: no RTL twin. */
#ifndef MCH_FAST_CODES_H
#define MCH_FAST_CODES_H

#include <stddef.h>
#include <stdint.h>

#include "fxp/format.h"
#include "op/conv.h"
#include "tensor/tensor.h"

struct mch_codes {
	int bytes;    /* 1 or 2 (little-endian or not, as the machine has it) */
	int32_t zero; /* 2^(bits-1) for signed formats, else 0 */
};

enum {
	/* Kernels read and write whole blocks: what they touch behind the last value needs this room. */
	MCH_CODES_BLOCK = 16,
	MCH_CODES_SLACK_BYTES = 2 * MCH_CODES_BLOCK,
};

static inline struct mch_codes mch_codes_of(struct mch_format f)
{
	return (struct mch_codes){f.bits <= 8 ? 1 : 2, f.is_signed ? INT32_C(1) << (f.bits - 1) : 0};
}

/* Real values to raw codes: mch_format_raw, half even, of each. The format is that of operands. */
void mch_codes_quantize(struct mch_format format, size_t n_elems, const float *x, int32_t *y);

/* NCHW raw codes to NHWC stored codes, and back. */
void mch_codes_pack(struct mch_codes codes, struct mch_shape shape, const int32_t *x, void *y);
void mch_codes_unpack(struct mch_codes codes, struct mch_shape shape, const void *x, int32_t *y);

/* Codes as 32-bit integers without their zero, in place order. */
void mch_codes_widen(struct mch_codes codes, size_t n_elems, const void *x, int32_t *y);

/* Byte `plane` (0: low) of every code, with a border of the byte of code 0 around each image: what padding is when
 * zero is not 0. y is [n][top + h + bottom][left + w + right][c]. */
struct mch_border {
	int top, left, bottom, right;
};
void mch_codes_plane(struct mch_codes codes, struct mch_shape shape, struct mch_border border, int plane,
		     const void *x, uint8_t *y);

/* The windows of a convolution g without padding (n images) as rows of a matrix: y[n][p][q] has `stride` bytes,
 * first those of x in the order r, s, c, then any. x and y have MCH_CODES_SLACK_BYTES behind them. */
void mch_codes_columns(const struct mch_conv *g, const uint8_t *x, size_t stride, uint8_t *y);

#endif
