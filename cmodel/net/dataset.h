/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Labelled images, in memory or read when they are wanted, and how a pixel becomes an input value:
 * value = (pixel - mean) * scale / std of its channel. Host only: no RTL twin. */
#ifndef MCH_NET_DATASET_H
#define MCH_NET_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "net/transform.h"
#include "tensor/tensor.h"

struct mch_loader;
struct mch_loader_config;

struct mch_dataset {
	int n_images, n_classes; /* n_classes 0: the images have no labels */
	struct mch_shape shape;  /* of one image, n == 1 */
	uint8_t *pixels;         /* [n_images][c][h][w], owned; NULL: a loader has them */
	struct mch_loader *loader;
	int32_t *order; /* owned; image i is number order[i] of pixels or of the loader's source; NULL: as they lie */
	int32_t *labels; /* [n_images], owned, in that order */
	const struct mch_transform *transform; /* the network's; NULL: the value of a pixel is the pixel */
	char *name;                            /* for messages and reports, owned */
	bool is_split; /* it is one of two sets, for training and for test, of one place */
};

void mch_dataset_free(struct mch_dataset *data);

/* Another order, the same for the same seed (Fisher and Yates). Before mch_dataset_load. 0, or -1 with err. */
int mch_dataset_shuffle(struct mch_dataset *data, uint64_t seed, struct mch_err *err);

/* Images come from config->source, which data owns from here on, error or not; n_images, shape and order are set.
 * 0, or -1 with err. */
int mch_dataset_load(struct mch_dataset *data, const struct mch_loader_config *config, struct mch_err *err);

/* Images 0 .. n - 1 will be wanted, each once, about in this order: threads begin to read them. Never needed, and
 * never changes a result. */
void mch_dataset_ahead(const struct mch_dataset *data, int n);

/* Images first .. first + n - 1 as float input; out has room for them. Any thread may ask. 0, or -1 with err when one
 * cannot be read. */
int mch_dataset_f32(const struct mch_dataset *data, int first, int n, float *out, struct mch_err *err);

/* The same as raw codes: mch_format_raw of the float value, half even. The one way an image becomes codes. */
int mch_dataset_raw(const struct mch_dataset *data, int first, int n, struct mch_format format, int32_t *out,
		    struct mch_err *err);

/* Image i before the transform: mch_dataset_image_bytes() bytes, u8 or f32 as its source has them. They are copied to
 * room, or lie elsewhere and stay: the result says where. NULL with err when it cannot be read. */
size_t mch_dataset_image_bytes(const struct mch_dataset *data);
const void *mch_dataset_image(const struct mch_dataset *data, int i, void *room, struct mch_err *err);

/* Index of the largest of n values; the lowest index wins a tie. The one rule of top-1, for float and raw alike. */
int mch_argmax_f32(const float *values, int n);
int mch_argmax_raw(const int32_t *values, int n);

#endif
