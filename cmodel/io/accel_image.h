/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The memory images of an accelerator: which there are, and the hash that ties them to the constants.
 * Host only: no RTL twin. Spec: docs/export.md "Memory images". */
#ifndef MCH_IO_ACCEL_IMAGE_H
#define MCH_IO_ACCEL_IMAGE_H

#include <stdio.h>

#include "io/accel_config.h"
#include "tensor/mem_form.h"

/* What a $readmemh image holds. The values are one of three arrays, not owned; the others are NULL. */
struct mch_accel_image {
	char file[MCH_ACCEL_TEXT_MAX]; /* "conv1.weights.mem" */
	char comment[512];             /* shape, order, format */
	const int32_t *i32;
	const int64_t *i64;
	const int8_t *shift; /* stored as shift - MCH_SHIFT_MIN */
	size_t n_words;
	int bits; /* of a word */
	bool is_signed;
};

/* Raw codes of n images, their labels and the codes that the network gives for them. */
struct mch_accel_images {
	int n; /* 0: none */
	const int32_t *codes;  /* [n][c][h][w] */
	const int32_t *labels; /* [n] */
	const int32_t *logits; /* [n][classes] */
};

/* Lists the images of q, in the order of the steps, then those of the test images: at most 3 * q->n_steps + 3. The
 * number of them. */
int mch_accel_image_list(const struct mch_qnet *q, char (*stems)[MCH_ACCEL_TEXT_MAX],
			 const struct mch_accel_images *test, struct mch_accel_image *list);

/* Word i of an image. */
int64_t mch_accel_image_word(const struct mch_accel_image *image, size_t i);

/* SHA-256 over every constant and every word, into table->hash. */
void mch_accel_image_stamp(struct mch_accel_table *table, const struct mch_accel_image *list, int n_list);

/* Writes the file. 0, or -1 with err. */
int mch_accel_image_write(FILE *stream, const struct mch_accel_image *image, const char *hash, struct mch_err *err);

/* The same words in a form of FPGA tools; and the name of that file, the image's with another end. */
int mch_accel_image_form(FILE *stream, const struct mch_accel_image *image, enum mch_mem_form form, const char *hash,
			 struct mch_err *err);
void mch_accel_image_form_name(const struct mch_accel_image *image, enum mch_mem_form form, char name[MCH_ACCEL_TEXT_MAX]);

#endif
