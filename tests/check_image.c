/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pictures: every kind of JPEG and PNG, whole, cut off and damaged; and what becomes of them on the way to the input.
 */
#include "check_main.h"
#include "picture_file.h"

#include <stdint.h>
#include <string.h>

#ifdef HAVE_LIBPNG
#include <png.h>
#endif

#include "base/rng.h"
#include "io/image.h"

static struct mch_err err;

#if defined(HAVE_LIBJPEG) || defined(HAVE_LIBPNG)
enum { H = 19, W = 23 };

/* Smooth, so that JPEG keeps it nearly as it is. */
static void fill(uint8_t *pixels, int c)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int k = 0; k < c; k++)
				pixels[(y * W + x) * c + k] = (uint8_t)(40 * k + 4 * y + 3 * x);
}

/* Every beginning of a file is refused, with its name. */
static void refuse_cut(struct picture_file file, const char *what)
{
	for (size_t n = 0; n < file.n; n++) {
		struct mch_image image;
		uint8_t *bytes = malloc(n + 1); /* its end is its end, for a sanitizer */
		ck_assert_ptr_nonnull(bytes);
		memcpy(bytes, file.bytes, n);
		ck_assert_int_eq(mch_image_decode("cut.x", bytes, n, &image, &err), -1);
		ck_assert_ptr_null(image.pixels);
		ck_assert_msg(strncmp(err.text, "cut.x: ", 7) == 0, "%s", err.text);
		if (n > 8)
			ck_assert_msg(strstr(err.text, what) && strstr(err.text, "; get it again, or leave it out"),
				      "%zu: %s", n, err.text);
		free(bytes);
	}
}

/* A changed byte is found, or gives some picture; never more than that. */
static void survive_damage(struct picture_file file)
{
	struct mch_rng rng = mch_rng_seed(3);
	for (int i = 0; i < 2000; i++) {
		struct mch_image image;
		const size_t at = mch_rng_below(&rng, (uint32_t)file.n);
		const uint8_t was = file.bytes[at];
		file.bytes[at] = (uint8_t)mch_rng_next(&rng);
		if (mch_image_decode("damaged", file.bytes, file.n, &image, &err) == 0)
			mch_image_free(&image);
		file.bytes[at] = was;
	}
}

#endif

#ifdef HAVE_LIBJPEG
START_TEST(jpeg_grey_and_colour)
{
	for (int c = 1; c <= 3; c += 2)
		for (int is_progressive = 0; is_progressive <= 1; is_progressive++) {
			uint8_t pixels[H * W * 3];
			struct mch_image image;
			fill(pixels, c);
			struct picture_file file = make_jpeg(pixels, c, H, W, 98, is_progressive);
			ck_assert(mch_image_is(file.bytes, file.n));
			ck_assert_msg(mch_image_decode("a.jpg", file.bytes, file.n, &image, &err) == 0, "%s",
				      err.text);
			ck_assert(image.c == c && image.h == H && image.w == W);
			for (int i = 0; i < H * W * c; i++)
				ck_assert_int_le(abs(image.pixels[i] - pixels[i]), 12);
			mch_image_free(&image);
			refuse_cut(file, "is no whole JPEG picture (");
			survive_damage(file);
			free(file.bytes);
		}
}
END_TEST

START_TEST(jpeg_cmyk)
{
	uint8_t pixels[H * W * 4];
	struct mch_image image;
	for (int i = 0; i < H * W; i++) {
		const uint8_t light[4] = {200, 100, 50, 128}; /* inverted: what is left of the light */
		memcpy(pixels + 4 * i, light, 4);
	}
	struct picture_file file = make_jpeg(pixels, 4, H, W, 98, 0);
	ck_assert_msg(mch_image_decode("a.jpg", file.bytes, file.n, &image, &err) == 0, "%s", err.text);
	ck_assert_int_eq(image.c, 3);
	for (int i = 0; i < H * W; i++) {
		ck_assert_int_le(abs(image.pixels[3 * i] - 200 * 128 / 255), 2);
		ck_assert_int_le(abs(image.pixels[3 * i + 1] - 100 * 128 / 255), 2);
		ck_assert_int_le(abs(image.pixels[3 * i + 2] - 50 * 128 / 255), 2);
	}
	mch_image_free(&image);
	free(file.bytes);
}
END_TEST

START_TEST(jpeg_size_that_lies)
{
	uint8_t pixels[H * W] = {0};
	struct mch_image image;
	struct picture_file file = make_jpeg(pixels, 1, H, W, 90, 0);
	size_t at = 0;
	while (file.bytes[at] != 0xff || file.bytes[at + 1] != 0xc0)
		at++;
	memcpy(file.bytes + at + 5, "\xff\x00\xff\x00", 4); /* height and width of the frame */
	ck_assert_int_eq(mch_image_decode("big.jpg", file.bytes, file.n, &image, &err), -1);
	ck_assert_str_eq(err.text,
			 "big.jpg: is 65280x65280 pixels, up to 67108864 are usable; is it damaged? make it smaller");
	memcpy(file.bytes + at + 5, "\x20\x00\x20\x00", 4);
	ck_assert_int_eq(mch_image_decode("big.jpg", file.bytes, file.n, &image, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "is no whole JPEG picture"));
	free(file.bytes);
}
END_TEST
#endif

#ifdef HAVE_LIBPNG
static void expect_png(struct picture_file file, int c, const uint8_t *want)
{
	struct mch_image image;
	ck_assert(mch_image_is(file.bytes, file.n));
	ck_assert_msg(mch_image_decode("a.png", file.bytes, file.n, &image, &err) == 0, "%s", err.text);
	ck_assert(image.c == c && image.h == H && image.w == W);
	ck_assert_mem_eq(image.pixels, want, (size_t)H * W * (size_t)c);
	mch_image_free(&image);
	refuse_cut(file, "is no whole PNG picture (");
	survive_damage(file);
	free(file.bytes);
}

START_TEST(png_of_8_and_16_bits)
{
	static const int types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_GRAY_ALPHA,
				    PNG_COLOR_TYPE_RGB_ALPHA};
	for (int i = 0; i < 4; i++)
		for (int bytes = 1; bytes <= 2; bytes++) {
			const int c = i % 2 ? 3 : 1, stored = c + (i >= 2);
			uint8_t want[H * W * 3], rows[H * W * 8];
			fill(want, c);
			for (int p = 0; p < H * W; p++)
				for (int k = 0; k < stored; k++)
					for (int b = 0; b < bytes;
					     b++) /* the high byte first, the low byte and alpha are anything */
						rows[(p * stored + k) * bytes + b] =
							k < c && b == 0 ? want[p * c + k] : (uint8_t)(p * 7 + b);
			expect_png(make_png(rows, (size_t)(W * stored * bytes), H, W, 8 * bytes, types[i], NULL, 0,
					    i == 1),
				   c, want);
		}
}
END_TEST

START_TEST(png_of_few_bits_and_palettes)
{
	static const uint8_t palette[] = {1, 2, 3, 250, 0, 100, 7, 77, 177, 255, 255, 255};
	for (int bits = 1; bits <= 4; bits *= 2)
		for (int is_palette = 0; is_palette <= 1; is_palette++) {
			uint8_t rows[H * W] = {0}, want[H * W * 3];
			const int row_bytes = (W * bits + 7) / 8, n = bits == 1 ? 2 : 4;
			for (int y = 0; y < H; y++)
				for (int x = 0; x < W; x++) {
					const int value = (x + y) % n;
					rows[y * row_bytes + x * bits / 8] |= (uint8_t)(value
											<< (8 - bits - x * bits % 8));
					for (int k = 0; k < 3; k++)
						if (is_palette)
							want[(y * W + x) * 3 + k] = palette[3 * value + k];
						else
							want[y * W + x] = (uint8_t)(value * 255 / ((1 << bits) - 1));
				}
			expect_png(make_png(rows, (size_t)row_bytes, H, W, bits,
					    is_palette ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_GRAY,
					    is_palette ? palette : NULL, n, is_palette),
				   is_palette ? 3 : 1, want);
		}
}
END_TEST

START_TEST(png_size_that_lies)
{
	/* The checksum of the head is right: libpng has to look at the size. */
	static const uint8_t head[] = {0x89, 'P', 'N', 'G',  13, 10, 26, 10,   0, 0, 0, 13, 'I', 'H', 'D',
				       'R',  0,	  0,   0xff, 0,	 0,  0,	 0xff, 0, 8, 0, 0,  0,	 0};
	uint8_t bytes[sizeof(head) + 4 + 12] = {0};
	struct mch_image image;
	memcpy(bytes, head, sizeof(head));
	uint32_t crc = 0xffffffff;
	for (size_t i = 12; i < sizeof(head); i++) {
		crc ^= head[i];
		for (int b = 0; b < 8; b++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	for (int i = 0; i < 4; i++)
		bytes[sizeof(head) + (size_t)i] = (uint8_t)(~crc >> (24 - 8 * i));
	memcpy(bytes + sizeof(head) + 4, "\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
	ck_assert_int_eq(mch_image_decode("big.png", bytes, sizeof(bytes), &image, &err), -1);
	ck_assert_str_eq(err.text,
			 "big.png: is 65280x65280 pixels, up to 67108864 are usable; is it damaged? make it smaller");
}
END_TEST
#endif

START_TEST(no_picture)
{
	struct mch_image image;
	ck_assert_int_eq(mch_image_decode("a.jpg", (const uint8_t *)"", 0, &image, &err), -1);
	ck_assert_str_eq(err.text, "a.jpg: is empty; get it again");
	ck_assert_int_eq(mch_image_decode("a.jpg", (const uint8_t *)"GIF89a", 6, &image, &err), -1);
	ck_assert_str_eq(err.text, "a.jpg: is no JPEG or PNG picture; convert it to one, or leave it out");
}
END_TEST

/* The definition of docs/data.md, pixel by pixel. */
static int slow_coordinate(int d, int n_in, int n_out, int *weight)
{
	const long top = (2L * d + 1) * n_in - n_out, below = 2L * n_out;
	*weight = 0;
	if (top <= 0)
		return 0;
	if (top >= (n_in - 1) * below)
		return n_in - 1;
	*weight = (int)((top % below * 2048 * 2 / below + 1) / 2); /* rounded half up */
	return (int)(top / below);
}

static uint8_t slow_pixel(const uint8_t *from, int h, int w, int y, int x, int out_h, int out_w)
{
	int wy, wx;
	const int at_y = slow_coordinate(y, h, out_h, &wy), at_x = slow_coordinate(x, w, out_w, &wx);
	const int next_y = at_y + 1 < h ? at_y + 1 : at_y, next_x = at_x + 1 < w ? at_x + 1 : at_x;
	const long sum = (2048L - wy) * ((2048L - wx) * from[at_y * w + at_x] + wx * from[at_y * w + next_x]) +
			 wy * ((2048L - wx) * from[next_y * w + at_x] + wx * from[next_y * w + next_x]);
	return (uint8_t)((sum + (1 << 21)) / (1 << 22));
}

START_TEST(resize_is_as_defined)
{
	struct mch_rng rng = mch_rng_seed(8);
	for (int round = 0; round < 300; round++) {
		const int h = 1 + (int)mch_rng_below(&rng, 40), w = 1 + (int)mch_rng_below(&rng, 40);
		const int out_h = 1 + (int)mch_rng_below(&rng, 40), out_w = 1 + (int)mch_rng_below(&rng, 40);
		const int cut_h = 1 + (int)mch_rng_below(&rng, (uint32_t)out_h),
			  cut_w = 1 + (int)mch_rng_below(&rng, (uint32_t)out_w);
		struct mch_transform t = mch_transform_plain();
		uint8_t from[40 * 40], out[40 * 40];
		for (int i = 0; i < h * w; i++)
			from[i] = (uint8_t)(mch_rng_below(&rng, 4) ? mch_rng_next(&rng)
								   : 255 * mch_rng_below(&rng, 2));
		t.resize = MCH_RESIZE_WARP, t.height = out_h, t.width = out_w;
		const struct mch_picture picture = mch_picture_of_planes((struct mch_shape){1, 1, h, w}, from);
		ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 1, cut_h, cut_w}, out,
						 &err),
				 0);
		for (int y = 0; y < cut_h; y++)
			for (int x = 0; x < cut_w; x++)
				ck_assert_int_eq(out[y * cut_w + x],
						 slow_pixel(from, h, w, y + (out_h - cut_h) / 2,
							    x + (out_w - cut_w) / 2, out_h, out_w));
	}
}
END_TEST

/* 2 pixels to 4: at -1/4, 1/4, 3/4, 5/4 of the centres; as OpenCV's INTER_LINEAR gives it. */
START_TEST(resize_known_values)
{
	static const uint8_t from[] = {0, 100}, want[] = {0, 25, 75, 100};
	struct mch_transform t = mch_transform_plain();
	uint8_t out[4];
	t.resize = MCH_RESIZE_WARP, t.height = 1, t.width = 4;
	const struct mch_picture picture = mch_picture_of_planes((struct mch_shape){1, 1, 1, 2}, from);
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 1, 1, 4}, out, &err), 0);
	ck_assert_mem_eq(out, want, 4);
}
END_TEST

START_TEST(short_side)
{
	struct mch_transform t = mch_transform_plain();
	uint8_t from[30 * 50], wide[12 * 20], tall[12 * 20];
	for (int y = 0; y < 30; y++)
		for (int x = 0; x < 50; x++)
			from[y * 50 + x] = (uint8_t)(3 * y + 2 * x);
	t.resize = MCH_RESIZE_SHORT, t.height = 12;
	const struct mch_picture picture = mch_picture_of_planes((struct mch_shape){1, 1, 30, 50}, from);
	const struct mch_picture turned = {1, 50, 30, from, 1, 1, 50, false};
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 1, 12, 20}, wide, &err), 0);
	ck_assert_int_eq(mch_picture_fit("p", &turned, &t, (struct mch_shape){1, 1, 20, 12}, tall, &err), 0);
	for (int y = 0; y < 12; y++)
		for (int x = 0; x < 20; x++) {
			ck_assert_int_eq(wide[y * 20 + x], slow_pixel(from, 30, 50, y, x, 12, 20));
			ck_assert_int_eq(wide[y * 20 + x], tall[x * 12 + y]);
		}
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 1, 12, 21}, wide, &err), -1);
	ck_assert_str_eq(
		err.text,
		"p: is 20x12 pixels when resized, less than the 21x12 (width x height) that the network takes; "
		"give a larger --resize");
}
END_TEST

START_TEST(channels_and_cuts)
{
	/* 2 rows, 3 columns, interleaved red, green, blue */
	static const uint8_t rgb[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19};
	const struct mch_picture picture = {3, 2, 3, rgb, 1, 9, 3, true};
	struct mch_transform t = mch_transform_plain();
	uint8_t out[18];
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 3, 2, 3}, out, &err), 0);
	ck_assert_mem_eq(out, ((uint8_t[]){1, 4, 7, 11, 14, 17, 2, 5, 8, 12, 15, 18, 3, 6, 9, 13, 16, 19}), 18);
	t.is_bgr = true;
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 3, 2, 3}, out, &err), 0);
	ck_assert_mem_eq(out, ((uint8_t[]){3, 6, 9, 13, 16, 19, 2, 5, 8, 12, 15, 18, 1, 4, 7, 11, 14, 17}), 18);
	struct mch_picture planes = picture; /* enter as they lie */
	planes.is_decoded = false;
	ck_assert_int_eq(mch_picture_fit("p", &planes, &t, (struct mch_shape){1, 3, 2, 3}, out, &err), 0);
	ck_assert_int_eq(out[0], 1);
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 1, 2, 3}, out, &err), 0);
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(out[i],
				 (19595 * rgb[3 * i] + 38470 * rgb[3 * i + 1] + 7471 * rgb[3 * i + 2] + 32768) >> 16);
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 3, 1, 1}, out, &err), -1);
	ck_assert_str_eq(
		err.text,
		"p: is 3x2 pixels, the network takes 1x1 (width x height); give --resize=1x1, --resize=short:N, or "
		"--crop for the centre");
	t.is_cropped = true;
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 3, 1, 1}, out, &err), 0);
	ck_assert_mem_eq(out, ((uint8_t[]){6, 5, 4}), 3);
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 3, 3, 3}, out, &err), -1);
	ck_assert_str_eq(err.text, "p: is 3x2 pixels, less than the 3x3 (width x height) that the network takes; "
				   "give a larger --resize");
	ck_assert_int_eq(mch_picture_fit("p", &picture, &t, (struct mch_shape){1, 2, 2, 3}, out, &err), -1);
	ck_assert_str_eq(err.text, "p: has 3 channels, the network takes 2; give the data that it was trained on");
	const struct mch_picture grey = mch_picture_of_planes((struct mch_shape){1, 1, 2, 3}, rgb);
	ck_assert_int_eq(mch_picture_fit("p", &grey, &t, (struct mch_shape){1, 3, 2, 3}, out, &err), 0);
	ck_assert_mem_eq(out, ((uint8_t[]){1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}), 18);
}
END_TEST

START_TEST(floats_are_cut_alone)
{
	static const float values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
	const struct mch_float_picture picture = {1, 3, 3, values, 9, 3, 1};
	struct mch_transform t = mch_transform_plain();
	float out[9];
	ck_assert_int_eq(mch_picture_fit_f32("p", &picture, &t, (struct mch_shape){1, 1, 1, 2}, out, &err), -1);
	ck_assert_str_eq(
		err.text,
		"p: is 1x3x3 in float, the network takes 1x1x2; give values of its size, or --crop for the centre");
	t.is_cropped = true;
	ck_assert_int_eq(mch_picture_fit_f32("p", &picture, &t, (struct mch_shape){1, 1, 1, 2}, out, &err), 0);
	ck_assert(out[0] == 3 && out[1] == 4);
	ck_assert_int_eq(mch_picture_fit_f32("p", &picture, &t, (struct mch_shape){1, 1, 4, 3}, out, &err), -1);
	ck_assert_str_eq(err.text, "p: is 1x3x3 in float, the network takes 1x4x3; give values of its size");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("image");
	TCase *cases = tcase_create("image");
#ifdef HAVE_LIBJPEG
	tcase_add_test(cases, jpeg_grey_and_colour);
	tcase_add_test(cases, jpeg_cmyk);
	tcase_add_test(cases, jpeg_size_that_lies);
#endif
#ifdef HAVE_LIBPNG
	tcase_add_test(cases, png_of_8_and_16_bits);
	tcase_add_test(cases, png_of_few_bits_and_palettes);
	tcase_add_test(cases, png_size_that_lies);
#endif
	tcase_add_test(cases, no_picture);
	tcase_add_test(cases, resize_is_as_defined);
	tcase_add_test(cases, resize_known_values);
	tcase_add_test(cases, short_side);
	tcase_add_test(cases, channels_and_cuts);
	tcase_add_test(cases, floats_are_cut_alone);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
