/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A program of the accelerator as a folder: the memory that the driver sets up, images, and the memory after each.
 * Who reads it needs no network: io/program_read.h. Host only: no RTL twin. Spec: docs/export.md "Programs". */
#ifndef MCH_IO_PROGRAM_WRITE_H
#define MCH_IO_PROGRAM_WRITE_H

#include "arch/program.h"

struct mch_program_export {
	const struct mch_qnet *q;
	struct mch_accel_config cfg;
	const int *tiles;      /* as in mch_program_options; NULL: chosen */
	int n_images;          /* 1 or more */
	bool is_random;        /* they are noise, no pictures */
	const int32_t *codes;  /* [n_images][c][h][w] raw */
	const int32_t *labels; /* [n_images], or NULL */
	const char *net_file, *quant_file; /* names without folders */
	const char *net_hash, *quant_hash; /* 64 digits each */
};

/* What was written, for the one who reports it. */
struct mch_program_summary {
	char config_hash[65];
	int n_files, n_lists, n_descriptors, n_host, n_tensors;
	uint64_t n_bytes;
	uint64_t n_elems; /* compared with the integer network, of all images */
	uint64_t macs, cycles;
	uint32_t n_words, word_bytes;
	int n_right; /* of n_images, -1 without labels */
};

/* Writes the folder dir: whole, or nothing and -1 with err; so also when a tensor of the program differs from that of
 * the integer network. force: see accel_folder.h. */
int mch_program_export(const struct mch_program_export *e, const char *dir, bool force,
		       struct mch_program_summary *summary, struct mch_err *err);

#endif
