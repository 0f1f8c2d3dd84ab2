/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The export: all that hardware gets of an integer network, in one folder. Host only: no RTL twin.
 * Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_WRITE_H
#define MCH_IO_ACCEL_WRITE_H

#include <stdbool.h>

#include "io/accel_config.h"

struct mch_accel_export {
	const struct mch_qnet *q;
	struct mch_accel_array array;
	int n_vectors; /* of each layer, >= 1 */
	uint32_t seed;
	int n_images;          /* 0: no images; then the vectors have synthetic operands alone */
	const int32_t *codes;  /* [n_images][c][h][w] raw */
	const int32_t *labels; /* [n_images] */
	const char *net_file, *quant_file; /* names without folders */
	const char *net_hash, *quant_hash; /* 64 digits each */
	unsigned forms; /* of the memory images, besides .mem: 1 << enum mch_mem_form */
};

/* What was written, for the one who reports it. */
struct mch_accel_summary {
	char config_hash[65];
	int n_layers; /* on the array */
	int n_files;
	uint64_t n_vectors, n_bytes;
	int n_right; /* of n_images: the golden answers that are the labels */
};

/* Writes the folder dir: whole, or nothing and -1 with err. force: see accel_folder.h. */
int mch_accel_export(const struct mch_accel_export *e, const char *dir, bool force, struct mch_accel_summary *summary,
		     struct mch_err *err);

#endif
