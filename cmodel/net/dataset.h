/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Labelled images in memory, and how a pixel becomes an input value. Host only: no RTL twin. */
#ifndef MCH_NET_DATASET_H
#define MCH_NET_DATASET_H

#include <stdint.h>

#include "tensor/tensor.h"

struct mch_dataset {
	int n_images, n_classes;
	struct mch_shape shape; /* of one image, n == 1 */
	uint8_t *pixels;        /* [n_images][c][h][w], owned */
	int32_t *labels;        /* [n_images], owned */
	char *name;             /* for messages and reports, owned */
};

void mch_dataset_free(struct mch_dataset *data);

/* Images first .. first + n - 1 as float input: pixel * scale. out has n images. */
void mch_dataset_f32(const struct mch_dataset *data, int first, int n, double scale, float *out);

/* The same as raw codes of a format: mch_format_raw(pixel * scale), half even. The one way a pixel becomes a code. */
void mch_dataset_raw(const struct mch_dataset *data, int first, int n, double scale, struct mch_format format,
		     int32_t *out);

/* Index of the largest of n values; the lowest index wins a tie. The one rule of top-1, for float and raw alike. */
int mch_argmax_f32(const float *values, int n);
int mch_argmax_raw(const int32_t *values, int n);

#endif
