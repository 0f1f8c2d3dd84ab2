/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading an exported folder; see accel_read.h. */
#include "io/accel_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fxp/format.h"
#include "io/accel_manifest.h"
#include "tensor/mem.h"

static int check_file(const char *path, const struct mch_accel_entry *entry, struct mch_err *err)
{
	struct stat about;
	char hash[MCH_HASH_HEX];
	if (stat(path, &about) != 0)
		return mch_err_set(err, path, "cannot be read (%s); export again or restore the file",
				   strerror(errno));
	if (about.st_size < 0 || (uint64_t)about.st_size != entry->n_bytes)
		return mch_err_set(err, path, "has %lld bytes, %llu are in " MCH_ACCEL_MANIFEST
				   "; export again or restore the file", (long long)about.st_size,
				   (unsigned long long)entry->n_bytes);
	if (mch_hash_file(path, hash, err) != 0)
		return -1;
	if (strcmp(hash, entry->sha256) != 0)
		return mch_err_set(err, path, "SHA-256 differs from " MCH_ACCEL_MANIFEST
				   "; export again or restore the file");
	return 0;
}

int mch_accel_check_folder(const char *dir, char config_hash[65], struct mch_err *err)
{
	struct mch_accel_manifest m;
	if (mch_accel_manifest_read(dir, &m, err) != 0)
		return -1;
	int status = 0;
	for (int i = 0; status == 0 && i < m.n_entries; i++) {
		char *path = mch_accel_path(dir, m.entries[i].name, err);
		status = path ? check_file(path, &m.entries[i], err) : -1;
		free(path);
	}
	if (status == 0 && config_hash)
		memcpy(config_hash, m.config_hash, sizeof(m.config_hash));
	mch_accel_manifest_free(&m);
	return status;
}

int mch_accel_check_skew(const char *dir, const char *compiled_hash, struct mch_err *err)
{
	char hash[MCH_HASH_HEX];
	if (mch_accel_check_folder(dir, hash, err) != 0)
		return -1;
	if (strcmp(hash, compiled_hash) != 0)
		return mch_err_set(err, dir,
				   "is export %.16s..., this program was built with the header of export "
				   "%.16s...; build it anew with the macchiato_config header of this folder", hash,
				   compiled_hash);
	return 0;
}

static int read_words(const char *path, const struct mch_accel_entry *entry, int64_t *words, struct mch_err *err)
{
	FILE *stream = fopen(path, "rb");
	if (!stream)
		return mch_err_set(err, path, "cannot be read (%s); check its permissions", strerror(errno));
	const int status = mch_mem_read(stream, path, words, (size_t)entry->n_words, entry->bits, entry->is_signed,
					err);
	fclose(stream);
	return status;
}

int mch_accel_read_image(const char *dir, const char *file, int64_t **words, size_t *n_words, struct mch_err *err)
{
	struct mch_accel_manifest m;
	*words = NULL;
	*n_words = 0;
	if (mch_accel_manifest_read(dir, &m, err) != 0)
		return -1;
	const struct mch_accel_entry *entry = mch_accel_manifest_find(&m, file);
	char *path = mch_accel_path(dir, file, err);
	int status = path ? 0 : -1;
	if (path && (!entry || entry->bits == 0))
		status = mch_err_set(err, path, "is no memory image of this export; look for its name in "
				     MCH_ACCEL_MANIFEST);
	if (status == 0)
		status = check_file(path, entry, err);
	if (status == 0) {
		/* At most half the size that the file has been found to have: see parse_entry in accel_manifest.c. */
		int64_t *room = malloc((entry->n_words ? (size_t)entry->n_words : 1) * sizeof(*room));
		status = room ? read_words(path, entry, room, err)
			      : mch_err_set(err, path, "out of memory; free some");
		if (status == 0) {
			*words = room;
			*n_words = (size_t)entry->n_words;
		} else {
			free(room);
		}
	}
	free(path);
	mch_accel_manifest_free(&m);
	return status;
}

static int read_part(const char *dir, const char *stem, const char *ending, int64_t **words, size_t *n_words,
		     struct mch_err *err)
{
	char file[MCH_ACCEL_TEXT_MAX];
	snprintf(file, sizeof(file), "%.96s.%s.mem", stem, ending);
	return mch_accel_read_image(dir, file, words, n_words, err);
}

int mch_accel_read_params(const char *dir, const char *stem, struct mch_accel_params *params, struct mch_err *err)
{
	memset(params, 0, sizeof(*params));
	int64_t *weights = NULL, *shift = NULL;
	size_t n_shift = 0;
	int status = read_part(dir, stem, "weights", &weights, &params->n_weights, err);
	if (status == 0)
		status = read_part(dir, stem, "bias", &params->bias, &params->n_channels, err);
	if (status == 0)
		status = read_part(dir, stem, "shift", &shift, &n_shift, err);
	if (status == 0 && (n_shift != params->n_channels || n_shift == 0 || params->n_weights % n_shift != 0))
		status = mch_err_set(err, dir,
				     "layer %s: %zu weights, %zu biases and %zu shifts do not fit; export again",
				     stem, params->n_weights, params->n_channels, n_shift);
	if (status == 0) {
		params->weights = malloc((params->n_weights ? params->n_weights : 1) * sizeof(*params->weights));
		params->shift = malloc(n_shift * sizeof(*params->shift));
		if (!params->weights || !params->shift)
			status = mch_err_set(err, dir, "layer %s: out of memory; free some", stem);
	}
	for (size_t i = 0; status == 0 && i < params->n_weights; i++)
		params->weights[i] = (int32_t)weights[i];
	for (size_t i = 0; status == 0 && i < n_shift; i++)
		params->shift[i] = (int8_t)(shift[i] + MCH_SHIFT_MIN);
	free(weights);
	free(shift);
	if (status != 0)
		mch_accel_params_free(params);
	return status;
}

void mch_accel_params_free(struct mch_accel_params *params)
{
	free(params->weights);
	free(params->bias);
	free(params->shift);
	memset(params, 0, sizeof(*params));
}
