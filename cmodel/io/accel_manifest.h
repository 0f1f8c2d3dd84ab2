/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* manifest.json of an exported folder: every file with its SHA-256, and what the export was made from.
 * Host only: no RTL twin. Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_MANIFEST_H
#define MCH_IO_ACCEL_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "io/accel_table.h"
#include "io/hash.h"

#define MCH_ACCEL_MANIFEST "manifest.json"

struct mch_accel_entry {
	char name[MCH_ACCEL_TEXT_MAX]; /* a plain file name */
	char sha256[MCH_HASH_HEX];
	uint64_t n_bytes;
	uint64_t n_words; /* of a memory image; bits is 0 for other files */
	int bits;
	bool is_signed;
};

struct mch_accel_manifest {
	char config_hash[MCH_HASH_HEX];
	char net[MCH_ACCEL_TEXT_MAX], net_hash[MCH_HASH_HEX];     /* file name without folders; of the network */
	char quant[MCH_ACCEL_TEXT_MAX], quant_hash[MCH_HASH_HEX]; /* the same of the file */
	int rows, cols, n_vectors, n_images;
	uint64_t seed;
	int n_entries, room;
	struct mch_accel_entry *entries; /* owned */
};

void mch_accel_manifest_free(struct mch_accel_manifest *m);

/* Appends a file that lies in dir: takes its size and hash. 0, or -1 with err. */
int mch_accel_manifest_add(struct mch_accel_manifest *m, const char *dir, const char *name, uint64_t n_words,
			   int bits, bool is_signed, struct mch_err *err);

/* The text, closed by a hash of its own content. 0, or -1 with err. */
int mch_accel_manifest_write(FILE *stream, const struct mch_accel_manifest *m, struct mch_err *err);

/* Reads dir/manifest.json and verifies its own hash; m is empty after an error. 0, or -1 with err. */
int mch_accel_manifest_read(const char *dir, struct mch_accel_manifest *m, struct mch_err *err);

/* Whether the text is what the writer makes of its content, to the last blank: the hash within is one of the content alone. */
bool mch_manifest_is_plain(const json_t *root, int indent, const char *text, size_t n_bytes);

/* The entry of that name, or NULL. */
const struct mch_accel_entry *mch_accel_manifest_find(const struct mch_accel_manifest *m, const char *name);

/* "DIR/NAME", owned by the caller, or NULL with err when memory is short. */
char *mch_accel_path(const char *dir, const char *name, struct mch_err *err);

#endif
