/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* JPEG, by libjpeg: its slow integer transform and smooth upsampling, which are the same in all of its builds. */
#include "config.h"

#include "io/image.h"

#ifdef HAVE_LIBJPEG

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>
/* libjpeg's own headers need stdio.h and each other, in this order. */
#include <jerror.h>

enum { SCANS_MAX = 200 /* a picture has up to a dozen; one of thousands keeps a machine busy for hours */ };

/* libjpeg's way out of an error is to jump: all that has to be undone is in here, not in locals. */
struct decoder {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf out;
	const char *where;
	struct mch_err *err;
};

static void fail(j_common_ptr common)
{
	struct decoder *d = common->client_data;
	char text[JMSG_LENGTH_MAX];
	common->err->format_message(common, text);
	mch_err_set(d->err, d->where, "is no whole JPEG picture (%s); get it again, or leave it out", text);
	longjmp(d->out, 1);
}

/* Levels below 0 are damage that libjpeg would patch up with grey. What is no damage to the picture may stay. */
static void warn(j_common_ptr common, int level)
{
	const int code = common->err->msg_code;
	if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR &&
	    code != JWRN_BOGUS_ICC && code != JWRN_NOT_SEQUENTIAL)
		fail(common);
}

static void print_nothing(j_common_ptr common)
{
	(void)common;
}

static void count_scans(j_common_ptr common)
{
	struct decoder *d = common->client_data;
	if (d->jpeg.input_scan_number <= SCANS_MAX)
		return;
	mch_err_set(d->err, d->where, "has more than %d scans; is it damaged? save it anew", SCANS_MAX);
	longjmp(d->out, 1);
}

static void begin(struct decoder *d)
{
	d->jpeg.err = jpeg_std_error(&d->errors);
	d->errors.error_exit = fail;
	d->errors.emit_message = warn;
	d->errors.output_message = print_nothing;
	d->jpeg.client_data = d;
}

/* Adobe's programs store CMYK inverted, and mark it: then it is what is left of the light, and black multiplies. */
static void cmyk_to_rgb(const uint8_t *cmyk, int n, int is_inverted, uint8_t *rgb)
{
	for (int i = 0; i < n; i++, cmyk += 4)
		for (int c = 0; c < 3; c++) {
			const int ink = is_inverted ? cmyk[c] : 255 - cmyk[c],
				  black = is_inverted ? cmyk[3] : 255 - cmyk[3];
			*rgb++ = (uint8_t)((ink * black + 127) / 255);
		}
}

static int decode(struct decoder *d, struct mch_image *image)
{
	struct jpeg_decompress_struct *jpeg = &d->jpeg;
	const bool is_grey = jpeg->jpeg_color_space == JCS_GRAYSCALE;
	const bool is_cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
	jpeg->out_color_space = is_grey ? JCS_GRAYSCALE : is_cmyk ? JCS_CMYK : JCS_RGB;
	jpeg->dct_method = JDCT_ISLOW;
	if (mch_image_alloc(d->where, image, is_grey ? 1 : 3, jpeg->image_height, jpeg->image_width, d->err) != 0)
		return -1;
	jpeg_start_decompress(jpeg);
	/* One line of CMYK; of libjpeg's own memory, which goes with the decoder. */
	JSAMPARRAY four =
		is_cmyk ? jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, 4 * jpeg->output_width, 1) : NULL;
	for (size_t row = 0; row < jpeg->output_height; row = jpeg->output_scanline) {
		JSAMPROW line = image->pixels + row * (size_t)image->w * (size_t)image->c;
		jpeg_read_scanlines(jpeg, is_cmyk ? four : &line, 1);
		if (is_cmyk)
			cmyk_to_rgb(four[0], image->w, jpeg->saw_Adobe_marker, line);
	}
	jpeg_finish_decompress(jpeg);
	return 0;
}

/* Where errors come out; it has no locals that a jump could spoil. */
static int run(struct decoder *d, const uint8_t *bytes, size_t n_bytes, struct mch_image *image)
{
	if (setjmp(d->out) != 0)
		return -1;
	jpeg_create_decompress(&d->jpeg);
	d->jpeg.client_data = d;
	d->jpeg.progress = &d->progress;
	jpeg_mem_src(&d->jpeg, bytes, (unsigned long)n_bytes);
	jpeg_read_header(&d->jpeg, TRUE);
	return decode(d, image);
}

int mch_jpeg_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		    struct mch_err *err)
{
	struct decoder d = {.where = where, .err = err, .progress.progress_monitor = count_scans};
	begin(&d);
	const int status = run(&d, bytes, n_bytes, image);
	jpeg_destroy_decompress(&d.jpeg);
	return status;
}

#else

int mch_jpeg_decode(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_image *image,
		    struct mch_err *err)
{
	(void)bytes, (void)n_bytes, (void)image;
	return mch_err_set(err, where,
			   "is a JPEG picture, and this program was built without libjpeg; install its headers "
			   "(Debian: libjpeg62-turbo-dev), configure and build again");
}

#endif
