/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small pictures; see picture_file.h. */
#include "picture_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBJPEG
#include <jpeglib.h>

struct picture_file make_jpeg(const uint8_t *pixels, int c, int h, int w, int quality, int is_progressive)
{
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	unsigned char *bytes = NULL;
	unsigned long n = 0;
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_mem_dest(&jpeg, &bytes, &n);
	jpeg.image_width = (JDIMENSION)w;
	jpeg.image_height = (JDIMENSION)h;
	jpeg.input_components = c;
	jpeg.in_color_space = c == 1 ? JCS_GRAYSCALE : c == 3 ? JCS_RGB : JCS_CMYK;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, quality, TRUE);
	if (c == 4)
		jpeg.write_Adobe_marker = TRUE;
	if (is_progressive)
		jpeg_simple_progression(&jpeg);
	jpeg_start_compress(&jpeg, TRUE);
	for (size_t y = 0; y < (size_t)h; y++) {
		JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + y * (size_t)w * (size_t)c);
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	return (struct picture_file){bytes, n};
}
#endif

#ifdef HAVE_LIBPNG
#include <png.h>

static void append(png_structp png, png_bytep from, size_t n)
{
	struct picture_file *file = png_get_io_ptr(png);
	uint8_t *more = realloc(file->bytes, file->n + n);
	if (!more)
		png_error(png, "out of memory");
	memcpy(more + file->n, from, n);
	file->bytes = more;
	file->n += n;
}

struct picture_file make_png(const uint8_t *rows, size_t row_bytes, int h, int w, int bits, int type,
			     const uint8_t *palette, int n_palette, int is_interlaced)
{
	struct picture_file file = {NULL, 0};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_set_write_fn(png, &file, append, NULL);
	png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, bits, type,
		     is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	if (palette) {
		png_color colours[256];
		png_byte alpha[256] = {0};
		for (int i = 0; i < n_palette; i++)
			colours[i] = (png_color){palette[3 * i], palette[3 * i + 1], palette[3 * i + 2]};
		png_set_PLTE(png, info, colours, n_palette);
		png_set_tRNS(png, info, alpha, 1, NULL);
	}
	png_write_info(png, info);
	const int n_passes = png_set_interlace_handling(png);
	for (int pass = 0; pass < n_passes; pass++)
		for (size_t y = 0; y < (size_t)h; y++)
			png_write_row(png, rows + y * row_bytes);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	return file;
}
#endif
