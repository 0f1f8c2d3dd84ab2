/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* From a picture of any size to the planes of a network's input: channels, resizing, the centre cut out. All of it in
 * integers: the same bytes on every machine. Host only: no RTL twin. Spec: docs/data.md. */
#ifndef MCH_IO_PICTURE_H
#define MCH_IO_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/transform.h"
#include "tensor/tensor.h"

enum {
	MCH_PICTURE_SIDE_MAX = 1 << 16,
	MCH_PICTURE_PIXELS_MAX = 1 << 26, /* 67 million: what is larger is damaged, or wants to fill the memory */
};

/* Pixels that lie anywhere: element (c, y, x) is at c * stride_c + y * stride_h + x * stride_w. */
struct mch_picture {
	int c, h, w;
	const uint8_t *pixels;
	size_t stride_c, stride_h, stride_w;
	bool is_decoded; /* three channels are red, green, blue, to be put into the network's order; planes stay as
			    they lie */
};

/* Planes [c][h][w]. */
struct mch_picture mch_picture_of_planes(struct mch_shape shape, const uint8_t *pixels);

/* One grey channel becomes as many as the network has, three become grey where it has one. Then t->resize, then the
 * centre is cut out; without either the size has to be the input's. out is [input.c][input.h][input.w]. 0, or -1 with
 * err, whose place is `where`. */
int mch_picture_fit(const char *where, const struct mch_picture *picture, const struct mch_transform *t,
		    struct mch_shape input, uint8_t *out, struct mch_err *err);

/* Floats that lie anywhere, strides in elements: they are cut, but neither resized nor given other channels. */
struct mch_float_picture {
	int c, h, w;
	const float *values;
	size_t stride_c, stride_h, stride_w;
};
int mch_picture_fit_f32(const char *where, const struct mch_float_picture *picture, const struct mch_transform *t,
			struct mch_shape input, float *out, struct mch_err *err);

#endif
