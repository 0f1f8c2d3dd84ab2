/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pictures of JPEG and PNG, told apart by their first bytes. Host only: no RTL twin. */
#ifndef MCH_IO_IMAGE_H
#define MCH_IO_IMAGE_H

#include "io/picture.h"

struct mch_image {
	int c, h, w;     /* 1 grey, or 3: red, green, blue */
	uint8_t *pixels; /* [h][w][c], owned */
};

/* Do the bytes begin as a picture does? */
bool mch_image_is(const uint8_t *bytes, size_t n_bytes);

/* Grey stays grey, all else becomes RGB of 8 bits: palettes are looked up, 16 bits lose the lower 8, alpha is left
 * out, CMYK is multiplied out. A picture that is cut off or damaged is refused, not patched up. 0, or -1 with err,
 * whose place is `where`; then *image is empty. */
int mch_image_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		     struct mch_err *err);
void mch_image_free(struct mch_image *image);

/* Decoded, then mch_picture_fit. */
int mch_image_fit(const char *where, const uint8_t *bytes, size_t n_bytes, const struct mch_transform *t,
		  struct mch_shape input, uint8_t *out, struct mch_err *err);

/* The formats, each in a file of its own; image has room for nothing yet. */
int mch_jpeg_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		    struct mch_err *err);
int mch_png_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		   struct mch_err *err);

/* Room for the pixels; sizes beyond MCH_PICTURE_* are refused. */
int mch_image_alloc(const char *where, struct mch_image *image, uint32_t c, uint32_t h, uint32_t w,
		    struct mch_err *err);

#endif
