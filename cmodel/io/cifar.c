/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* CIFAR-10 and CIFAR-100 binary: records of one label, or a coarse and a fine one, and 3072 bytes: 32x32 red, green,
 * blue. There is no header, so the file's size tells which it is, and labels out of range that it is neither. */
#include <stdlib.h>
#include <string.h>

#include "io/data.h"
#include "io/file.h"

enum { PIXELS = 3 * 32 * 32, LIMIT_BYTES = 1 << 30 };

struct kind {
	int n_labels; /* of a record; the last counts */
	int n_classes[2];
};
static const struct kind kinds[] = {{1, {10, 0}}, {2, {20, 100}}};

static bool is_kind(const struct kind *kind, const uint8_t *bytes, size_t n_bytes)
{
	const size_t record = PIXELS + (size_t)kind->n_labels;
	if (n_bytes == 0 || n_bytes % record != 0)
		return false;
	for (size_t at = 0; at < n_bytes; at += record)
		for (int i = 0; i < kind->n_labels; i++)
			if (bytes[at + (size_t)i] >= kind->n_classes[i])
				return false;
	return true;
}

/* The records of one file behind those of the others; *kind is NULL before the first. */
static int append(const char *path, const struct kind **kind, struct mch_dataset *data, struct mch_err *err)
{
	char *text;
	size_t n_bytes;
	if (mch_file_read(path, LIMIT_BYTES, &text, &n_bytes, err) != 0)
		return -1;
	const uint8_t *bytes = (const uint8_t *)text;
	const struct kind *found = is_kind(&kinds[0], bytes, n_bytes) ? &kinds[0]
				   : is_kind(&kinds[1], bytes, n_bytes) ? &kinds[1] : NULL;
	if (!found || (*kind && found != *kind)) {
		free(text);
		return mch_err_set(
			err, path,
			"is no CIFAR file of %zu bytes: records have 3073 bytes and a label from 0 to 9, or 3074 "
			"bytes and labels up to 19 and 99%s; is it whole?",
			n_bytes, found ? ", and the first file has the others" : "");
	}
	*kind = found;
	const size_t record = PIXELS + (size_t)found->n_labels, n = n_bytes / record, before = (size_t)data->n_images;
	uint8_t *pixels = realloc(data->pixels, (before + n) * PIXELS);
	data->pixels = pixels ? pixels : data->pixels;
	int32_t *labels = realloc(data->labels, (before + n) * sizeof(*labels));
	data->labels = labels ? labels : data->labels;
	for (size_t i = 0; pixels && labels && i < n; i++) {
		const uint8_t *from = bytes + i * record + (size_t)found->n_labels;
		labels[before + i] = from[-1];
		memcpy(pixels + (before + i) * PIXELS, from, PIXELS);
	}
	free(text);
	if (!pixels || !labels)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	data->n_images += (int)n; /* below 2^30 / 3073 a file */
	return 0;
}

int mch_cifar_open(const char *const *paths, int n_paths, struct mch_opened *opened, struct mch_err *err)
{
	const struct kind *kind = NULL;
	for (int i = 0; i < n_paths; i++)
		if (append(paths[i], &kind, opened->data, err) != 0)
			return -1;
	opened->data->shape = (struct mch_shape){1, 3, 32, 32};
	opened->data->n_classes = kind->n_classes[kind->n_labels - 1];
	return 0;
}
