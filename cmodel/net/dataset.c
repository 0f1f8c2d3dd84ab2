/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Labelled images; see dataset.h. */
#include "net/dataset.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "fast/codes.h"
#include "net/loader.h"

void mch_dataset_free(struct mch_dataset *data)
{
	mch_loader_free(data->loader);
	free(data->pixels);
	free(data->order);
	free(data->labels);
	free(data->name);
	memset(data, 0, sizeof(*data));
}

static int no_memory(const struct mch_dataset *data, struct mch_err *err)
{
	return mch_err_set(err, data->name ? data->name : "images", "out of memory; use a machine with more");
}

int mch_dataset_shuffle(struct mch_dataset *data, uint64_t seed, struct mch_err *err)
{
	MCH_REQUIRE(!data->loader && !data->order, "the order is set once, before the loader");
	struct mch_rng rng = mch_rng_seed(seed);
	int32_t *labels = malloc(((size_t)data->n_images + 1) * sizeof(*labels));
	data->order = malloc(((size_t)data->n_images + 1) * sizeof(*data->order));
	if (!labels || !data->order) {
		free(labels);
		return no_memory(data, err);
	}
	for (int i = 0; i < data->n_images; i++)
		data->order[i] = i;
	for (int i = data->n_images - 1; i > 0; i--) {
		const uint32_t j = mch_rng_below(&rng, (uint32_t)i + 1);
		const int32_t swap = data->order[i];
		data->order[i] = data->order[j];
		data->order[j] = swap;
	}
	for (int i = 0; i < data->n_images; i++)
		labels[i] = data->labels[data->order[i]];
	free(data->labels);
	data->labels = labels;
	return 0;
}

int mch_dataset_load(struct mch_dataset *data, const struct mch_loader_config *config, struct mch_err *err)
{
	const size_t elems = mch_shape_elems(data->shape);
	MCH_REQUIRE(!data->loader && !data->pixels, "images come from one place");
	data->loader = mch_loader_new(config, data->order, data->n_images,
				      config->source.is_f32 ? elems * sizeof(float) : elems, err);
	return data->loader ? 0 : -1;
}

void mch_dataset_ahead(const struct mch_dataset *data, int n)
{
	if (data->loader)
		mch_loader_ahead(data->loader, n);
}

static bool is_f32(const struct mch_dataset *data)
{
	return data->loader && mch_loader_is_f32(data->loader);
}

size_t mch_dataset_image_bytes(const struct mch_dataset *data)
{
	return mch_shape_elems(data->shape) * (is_f32(data) ? sizeof(float) : 1);
}

const void *mch_dataset_image(const struct mch_dataset *data, int i, void *room, struct mch_err *err)
{
	MCH_REQUIRE(i >= 0 && i < data->n_images, "an image that is there");
	if (data->loader)
		return mch_loader_get(data->loader, i, room, err);
	return data->pixels + (size_t)(data->order ? data->order[i] : i) * mch_shape_elems(data->shape);
}

static const struct mch_transform *transform_of(const struct mch_dataset *data)
{
	static const struct mch_transform as_is = {.scale = 1};
	return data->transform ? data->transform : &as_is;
}

/* The one definition of an input value. */
static inline float value_of(double pixel, double mean, double factor)
{
	return (float)((pixel - mean) * factor);
}

/* n pixels of a channel: u8, or f32 where u8 is NULL. */
static void transform_run(size_t n, const uint8_t *u8, const float *f32, double mean, double factor, float *out)
{
	if (u8)
		for (size_t i = 0; i < n; i++)
			out[i] = value_of(u8[i], mean, factor);
	else
		for (size_t i = 0; i < n; i++)
			out[i] = value_of((double)f32[i], mean, factor);
}

/* The same with a mean of its own for each. */
static void transform_row(size_t n, const uint8_t *u8, const float *f32, const float *mean, double factor, float *out)
{
	if (u8)
		for (size_t i = 0; i < n; i++)
			out[i] = value_of(u8[i], (double)mean[i], factor);
	else
		for (size_t i = 0; i < n; i++)
			out[i] = value_of((double)f32[i], (double)mean[i], factor);
}

/* One image, whole. */
static void transform(const struct mch_dataset *data, const void *image, float *out)
{
	const struct mch_transform *t = transform_of(data);
	const struct mch_shape s = data->shape;
	const size_t plane = (size_t)s.h * (size_t)s.w, width = (size_t)s.w;
	const uint8_t *u8 = is_f32(data) ? NULL : image;
	const float *f32 = u8 ? NULL : image;
	MCH_REQUIRE(!t->mean_image || (t->mean_c == s.c && t->mean_h >= s.h && t->mean_w >= s.w),
		    "a mean for every pixel");
	MCH_REQUIRE((t->n_mean <= 1 || t->n_mean == s.c) && (t->n_std <= 1 || t->n_std == s.c),
		    "a mean and a deviation for every channel");
	for (int c = 0; c < s.c; c++, u8 += u8 ? plane : 0, f32 += f32 ? plane : 0, out += plane) {
		const double factor = mch_transform_factor(t, c);
		if (!t->mean_image) {
			transform_run(plane, u8, f32, mch_transform_mean(t, c), factor, out);
			continue;
		}
		/* The centre is cut out of the mean as it is out of a picture. */
		const size_t mean_width = (size_t)t->mean_w;
		const float *mean = t->mean_image +
				    ((size_t)c * (size_t)t->mean_h + (size_t)((t->mean_h - s.h) / 2)) * mean_width +
				    (size_t)((t->mean_w - s.w) / 2);
		for (size_t h = 0; h < (size_t)s.h; h++)
			transform_row(width, u8 ? u8 + h * width : NULL, f32 ? f32 + h * width : NULL,
				      mean + h * mean_width, factor, out + h * width);
	}
}

/* Room for one image, where mch_dataset_image copies. */
static int open_room(const struct mch_dataset *data, void **room, struct mch_err *err)
{
	*room = data->loader ? malloc(mch_dataset_image_bytes(data)) : NULL;
	return !data->loader || *room ? 0 : no_memory(data, err);
}

int mch_dataset_f32(const struct mch_dataset *data, int first, int n, float *out, struct mch_err *err)
{
	const size_t elems = mch_shape_elems(data->shape);
	void *room;
	int status = open_room(data, &room, err);
	for (int i = 0; status == 0 && i < n; i++) {
		const void *image = mch_dataset_image(data, first + i, room, err);
		if (image)
			transform(data, image, out + (size_t)i * elems);
		else
			status = -1;
	}
	free(room);
	return status;
}

/* The code of each pixel value, [c][256]: with one mean for a channel there are only so many. NULL: out of memory. */
static int32_t *code_table(const struct mch_dataset *data, struct mch_format format)
{
	enum { N = 256 };
	const struct mch_transform *t = transform_of(data);
	int32_t *codes = malloc((size_t)data->shape.c * N * sizeof(*codes));
	uint8_t pixels[N];
	float values[N];
	for (int i = 0; i < N; i++)
		pixels[i] = (uint8_t)i;
	for (int c = 0; codes && c < data->shape.c; c++) {
		transform_run(N, pixels, NULL, mch_transform_mean(t, c), mch_transform_factor(t, c), values);
		mch_codes_quantize(format, N, values, codes + (size_t)c * N);
	}
	return codes;
}

static void look_up(struct mch_shape s, const uint8_t *image, const int32_t *codes, int32_t *out)
{
	const size_t plane = (size_t)s.h * (size_t)s.w;
	for (int c = 0; c < s.c; c++, codes += 256, image += plane, out += plane)
		for (size_t i = 0; i < plane; i++)
			out[i] = codes[image[i]];
}

int mch_dataset_raw(const struct mch_dataset *data, int first, int n, struct mch_format format, int32_t *out,
		    struct mch_err *err)
{
	const size_t elems = mch_shape_elems(data->shape);
	const bool is_tabled = !is_f32(data) && !transform_of(data)->mean_image;
	int32_t *codes = is_tabled ? code_table(data, format) : NULL;
	float *values = is_tabled ? NULL : malloc(elems * sizeof(*values));
	void *room;
	int status = open_room(data, &room, err);
	if (status == 0 && !codes && !values)
		status = no_memory(data, err);
	for (int i = 0; status == 0 && i < n; i++, out += elems) {
		const void *image = mch_dataset_image(data, first + i, room, err);
		if (!image) {
			status = -1;
		} else if (is_tabled) {
			look_up(data->shape, image, codes, out);
		} else {
			transform(data, image, values);
			mch_codes_quantize(format, elems, values, out);
		}
	}
	free(codes);
	free(values);
	free(room);
	return status;
}

int mch_argmax_f32(const float *values, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}

int mch_argmax_raw(const int32_t *values, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}
