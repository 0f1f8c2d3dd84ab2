/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* PNG, by libpng. */
#include "config.h"

#include "io/image.h"

#ifdef HAVE_LIBPNG

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* libpng's way out of an error is to jump: all that has to be undone is in here, not in locals. */
struct decoder {
	png_structp png;
	png_infop info;
	png_bytepp rows;
	const uint8_t *bytes;
	size_t n_left;
	jmp_buf out;
	const char *where;
	struct mch_err *err;
};

static void fail(png_structp png, png_const_charp text)
{
	struct decoder *d = png_get_error_ptr(png);
	mch_err_set(d->err, d->where, "is no whole PNG picture (%s); get it again, or leave it out", text);
	longjmp(d->out, 1);
}

/* Of chunks that have no part in the pixels. */
static void warn(png_structp png, png_const_charp text)
{
	(void)png, (void)text;
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
	struct decoder *d = png_get_io_ptr(png);
	if (n > d->n_left)
		png_error(png, "it ends too early");
	memcpy(to, d->bytes, n);
	d->bytes += n;
	d->n_left -= n;
}

static void open_decoder(struct decoder *d)
{
	d->info = png_create_info_struct(d->png);
	if (!d->info)
		png_error(d->png, "out of memory");
	png_set_user_limits(d->png, MCH_PICTURE_SIDE_MAX, MCH_PICTURE_SIDE_MAX);
	png_set_chunk_malloc_max(d->png, 1 << 24);
	png_set_read_fn(d->png, d, read_bytes);
	png_read_info(d->png, d->info);
}

/* Everything becomes 8 bits of grey or RGB. */
static int decode(struct decoder *d, struct mch_image *image)
{
	const png_byte type = png_get_color_type(d->png, d->info);
	const uint32_t h = png_get_image_height(d->png, d->info), w = png_get_image_width(d->png, d->info);
	const bool is_grey = !(type & PNG_COLOR_MASK_COLOR);
	if (mch_image_alloc(d->where, image, is_grey ? 1 : 3, h, w, d->err) != 0)
		return -1;
	png_set_strip_16(d->png);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(d->png);
	if (is_grey)
		png_set_expand_gray_1_2_4_to_8(d->png);
	png_set_strip_alpha(d->png);
	png_set_interlace_handling(d->png);
	png_read_update_info(d->png, d->info);
	const size_t stride = (size_t)image->w * (size_t)image->c;
	if (png_get_rowbytes(d->png, d->info) != stride)
		png_error(d->png, "its rows have another length");
	d->rows = malloc(h * sizeof(*d->rows));
	if (!d->rows)
		png_error(d->png, "out of memory");
	for (size_t y = 0; y < h; y++)
		d->rows[y] = image->pixels + y * stride;
	png_read_image(d->png, d->rows);
	png_read_end(d->png, NULL);
	return 0;
}

static void close_decoder(struct decoder *d)
{
	if (d->png)
		png_destroy_read_struct(&d->png, &d->info, NULL);
	free(d->rows);
}

/* Where errors come out; it has no locals that a jump could spoil. */
static int run(struct decoder *d, struct mch_image *image)
{
	if (setjmp(d->out) != 0)
		return -1;
	d->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, d, fail, warn);
	if (!d->png)
		return mch_err_set(d->err, d->where,
				   "cannot be read by the libpng that is installed; build the program "
				   "again");
	open_decoder(d);
	return decode(d, image);
}

int mch_png_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		   struct mch_err *err)
{
	struct decoder d = {.bytes = bytes, .n_left = n_bytes, .where = where, .err = err};
	const int status = run(&d, image);
	close_decoder(&d);
	return status;
}

#else

int mch_png_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		   struct mch_err *err)
{
	(void)bytes, (void)n_bytes, (void)image;
	return mch_err_set(err, where,
			   "is a PNG picture, and this program was built without libpng; install its headers "
			   "(Debian: libpng-dev), configure and build again");
}

#endif
