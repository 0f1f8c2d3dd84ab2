/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pictures; see image.h. */
#include "io/image.h"

#include <stdlib.h>
#include <string.h>

static bool begins(const uint8_t *bytes, size_t n_bytes, const char *magic, size_t n_magic)
{
	return n_bytes >= n_magic && memcmp(bytes, magic, n_magic) == 0;
}

static bool is_jpeg(const uint8_t *bytes, size_t n_bytes)
{
	return begins(bytes, n_bytes, "\xff\xd8\xff", 3);
}

static bool is_png(const uint8_t *bytes, size_t n_bytes)
{
	return begins(bytes, n_bytes, "\x89PNG\r\n\x1a\n", 8);
}

bool mch_image_is(const uint8_t *bytes, size_t n_bytes)
{
	return is_jpeg(bytes, n_bytes) || is_png(bytes, n_bytes);
}

int mch_image_alloc(const char *where, struct mch_image *image, uint32_t c, uint32_t h, uint32_t w,
		    struct mch_err *err)
{
	if (h < 1 || w < 1 || h > MCH_PICTURE_SIDE_MAX || w > MCH_PICTURE_SIDE_MAX || h > MCH_PICTURE_PIXELS_MAX / w)
		return mch_err_set(err, where, "is %ux%u pixels, up to %d are usable; is it damaged? make it smaller",
				   (unsigned)w, (unsigned)h, MCH_PICTURE_PIXELS_MAX);
	*image = (struct mch_image){(int)c, (int)h, (int)w, malloc((size_t)c * h * w)};
	return image->pixels ? 0 : mch_err_set(err, where, "out of memory; use a machine with more");
}

void mch_image_free(struct mch_image *image)
{
	free(image->pixels);
	*image = (struct mch_image){0};
}

int mch_image_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		     struct mch_err *err)
{
	*image = (struct mch_image){0};
	int status;
	if (is_jpeg(bytes, n_bytes))
		status = mch_jpeg_decode(where, bytes, n_bytes, image, err);
	else if (is_png(bytes, n_bytes))
		status = mch_png_decode(where, bytes, n_bytes, image, err);
	else
		status = mch_err_set(err, where,
				     n_bytes == 0 ? "is empty; get it again"
						  : "is no JPEG or PNG picture; convert it to one, or leave it out");
	if (status != 0)
		mch_image_free(image);
	return status;
}

int mch_image_fit(const char *where, const uint8_t *bytes, size_t n_bytes, const struct mch_transform *t,
		  struct mch_shape input, uint8_t *out, struct mch_err *err)
{
	struct mch_image image;
	if (mch_image_decode(where, bytes, n_bytes, &image, err) != 0)
		return -1;
	const struct mch_picture picture = {image.c, image.h, image.w, image.pixels, 1,
					    (size_t)image.w * (size_t)image.c, (size_t)image.c, true};
	const int status = mch_picture_fit(where, &picture, t, input, out, err);
	mch_image_free(&image);
	return status;
}
