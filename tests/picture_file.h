/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small JPEG and PNG pictures in memory, made by the libraries themselves. Without a library its maker is not there.
 */
#ifndef MCH_TESTS_PICTURE_FILE_H
#define MCH_TESTS_PICTURE_FILE_H

#include "config.h"

#include <stddef.h>
#include <stdint.h>

struct picture_file {
	uint8_t *bytes; /* the caller frees them */
	size_t n;
};

/* pixels [h][w][c]: c 1 grey, 3 RGB, 4 CMYK as Adobe stores it, inverted. */
struct picture_file make_jpeg(const uint8_t *pixels, int c, int h, int w, int quality, int is_progressive);

/* rows of `bits` a sample as PNG has them; type is libpng's; palette [n][3] or NULL. */
struct picture_file make_png(const uint8_t *rows, size_t row_bytes, int h, int w, int bits, int type,
			     const uint8_t *palette, int n_palette, int is_interlaced);

#endif
