/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading an exported folder: is it whole, does it belong to a header, and what do its images hold.
 * Host only: no RTL twin. Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_READ_H
#define MCH_IO_ACCEL_READ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Verifies dir/manifest.json and every file that it names. config_hash, which may be NULL, takes the hash that both
 * headers carry. 0, or -1 with err that names the first bad file: "accel/conv1.weights.mem: ...". */
int mch_accel_check_folder(const char *dir, char config_hash[65], struct mch_err *err);

/* The same, and refuses a folder that is not the one whose header was compiled in: compiled_hash is that header's
 * MCH_CONFIG_HASH. */
int mch_accel_check_skew(const char *dir, const char *compiled_hash, struct mch_err *err);

/* One memory image as numbers, sign-extended where its format is signed; *words is owned by the caller. */
int mch_accel_read_image(const char *dir, const char *file, int64_t **words, size_t *n_words, struct mch_err *err);

/* The parameters of one layer; the arrays are those of struct mch_step. */
struct mch_accel_params {
	size_t n_weights, n_channels;
	int32_t *weights; /* [n_channels][terms] */
	int64_t *bias;    /* [n_channels] */
	int8_t *shift;    /* [n_channels], the shift itself */
};

/* stem is what the layer's files begin with: "conv1". 0, or -1 with err, then params is empty. */
int mch_accel_read_params(const char *dir, const char *stem, struct mch_accel_params *params, struct mch_err *err);
void mch_accel_params_free(struct mch_accel_params *params);

#endif
