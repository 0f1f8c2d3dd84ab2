/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* IDX files; see idx.h. The format: two zero bytes, the element type (8: uint8), the number of dimensions, each
 * dimension as a big-endian 32-bit number, then the elements with the last dimension running fastest. */
#include "io/idx.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/require.h"
#include "io/file.h"

enum { MAX_DIMS = 3, MAX_SIDE = 1 << 15 };

struct idx {
	gzFile stream;
	const char *path;
	uint32_t dim[MAX_DIMS];
	uint8_t *bytes; /* owned until taken */
};

/* zlib reports a damaged stream and a short read each in its own way. */
static int read_failed(const struct idx *idx, size_t got, size_t want, struct mch_err *err)
{
	int code;
	const char *text = gzerror(idx->stream, &code);
	if (code == Z_ERRNO)
		return mch_err_set(err, idx->path, "cannot be read (%s); check the file and its disk",
				   strerror(errno));
	if (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END)
		return mch_err_set(err, idx->path, "is damaged (%s); get it again", text);
	return mch_err_set(err, idx->path, "ends after %zu of %zu bytes; the copy is incomplete, get it again", got,
			   want);
}

static int read_header(struct idx *idx, int n_dims, struct mch_err *err)
{
	uint8_t head[4 + 4 * MAX_DIMS];
	const int want = 4 + 4 * n_dims, got = gzread(idx->stream, head, (unsigned)want);
	if (got >= 4 && (head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] != n_dims))
		return mch_err_set(err, idx->path,
				   "begins with %02x%02x%02x%02x, an IDX file of %s begins with 000008%02x; is "
				   "it the right file?",
				   head[0], head[1], head[2], head[3], n_dims == 1 ? "labels" : "images", n_dims);
	if (got != want)
		return read_failed(idx, got < 0 ? 0 : (size_t)got, (size_t)want, err);
	for (int d = 0; d < n_dims; d++) {
		const uint8_t *b = head + 4 + 4 * d;
		idx->dim[d] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
		if (idx->dim[d] == 0 || idx->dim[d] > (d == 0 ? (uint32_t)INT_MAX : MAX_SIDE))
			return mch_err_set(err, idx->path,
					   "dimension %d is %u, 1 to %d are usable; is it the right file?", d,
					   (unsigned)idx->dim[d], d == 0 ? INT_MAX : MAX_SIDE);
	}
	return 0;
}

/* Grows with what is really there: the header alone must not make us take gigabytes. */
static int read_elements(struct idx *idx, int n_dims, struct mch_err *err)
{
	const size_t head = 4 + 4 * (size_t)n_dims;
	size_t want = 1, got = 0, room = 0;
	for (int d = 0; d < n_dims; d++)
		want *= idx->dim[d]; /* 31 + 15 + 15 bits */
	while (got < want) {
		if (got == room) {
			room = room == 0 ? 1 << 20 : room * 2;
			room = room > want ? want : room;
			uint8_t *more = realloc(idx->bytes, room);
			if (!more)
				return mch_err_set(err, idx->path,
						   "out of memory for %zu bytes; use a machine with more", room);
			idx->bytes = more;
		}
		const size_t ask = room - got > 1 << 30 ? 1 << 30 : room - got;
		const int n = gzread(idx->stream, idx->bytes + got, (unsigned)ask);
		if (n <= 0)
			return read_failed(idx, head + got, head + want, err);
		got += (size_t)n;
	}
	/* One more byte: there must be none; and only now has zlib compared its checksum. */
	uint8_t extra;
	const int n = gzread(idx->stream, &extra, 1);
	if (n > 0)
		return mch_err_set(err, idx->path,
				   "has bytes behind its last element; the header is wrong, get it again");
	return n < 0 || gzeof(idx->stream) == 0 ? read_failed(idx, head + got, head + want, err) : 0;
}

static int load(const char *path, int n_dims, struct idx *idx, struct mch_err *err)
{
	*idx = (struct idx){.path = path};
	errno = 0;
	idx->stream = gzopen(path, "rb");
	if (!idx->stream)
		return mch_err_set(err, path, "cannot be read (%s); check the name and its permissions",
				   strerror(errno ? errno : ENOMEM));
	int status = read_header(idx, n_dims, err);
	if (status == 0)
		status = read_elements(idx, n_dims, err);
	if (gzclose_r(idx->stream) != Z_OK && status == 0)
		status = mch_err_set(err, path, "is damaged or incomplete; get it again");
	if (status != 0) {
		free(idx->bytes);
		idx->bytes = NULL;
	}
	return status;
}

static int take(struct idx *images, const struct idx *labels, struct mch_dataset *data, struct mch_err *err)
{
	const int n = (int)images->dim[0];
	data->labels = malloc((size_t)n * sizeof(*data->labels));
	data->name = strdup(mch_file_name(images->path));
	if (!data->labels || !data->name)
		return mch_err_set(err, images->path, "out of memory; use a machine with more");
	for (int i = 0; i < n; i++) {
		data->labels[i] = labels->bytes[i];
		if (data->labels[i] >= data->n_classes)
			data->n_classes = data->labels[i] + 1;
	}
	data->n_images = n;
	data->shape = (struct mch_shape){1, 1, (int)images->dim[1], (int)images->dim[2]};
	data->pixels = images->bytes;
	images->bytes = NULL;
	return 0;
}

int mch_idx_load_files(const char *images_path, const char *labels_path, struct mch_dataset *data,
		       struct mch_err *err)
{
	struct idx images, labels = {0};
	memset(data, 0, sizeof(*data));
	int status = load(images_path, 3, &images, err);
	if (status == 0)
		status = load(labels_path, 1, &labels, err);
	if (status == 0 && images.dim[0] != labels.dim[0])
		status = mch_err_set(err, labels_path,
				     "%u labels for the %u images of %s; take both files from one release",
				     (unsigned)labels.dim[0], (unsigned)images.dim[0], mch_file_name(images_path));
	if (status == 0)
		status = take(&images, &labels, data, err);
	free(images.bytes);
	free(labels.bytes);
	if (status != 0)
		mch_dataset_free(data);
	return status;
}

/* The plain file goes before the gzipped one. */
static int find(const char *dir, const char *prefix, const char *kind, char *path, size_t room, struct mch_err *err)
{
	static const char *const ends[] = {"", ".gz"};
	for (int i = 0; i < 2; i++) {
		const int n = snprintf(path, room, "%s/%s-%s-ubyte%s", dir, prefix, kind, ends[i]);
		if (n < 0 || (size_t)n >= room)
			return mch_err_set(err, "data", "the name of the folder is too long; give a shorter one");
		if (access(path, F_OK) == 0)
			return 0;
	}
	return mch_err_set(err, dir,
			   "no %s-%s-ubyte or %s-%s-ubyte.gz here; give a folder of IDX files, such as "
			   "/usr/share/datasets/fashion-mnist (Debian: dataset-fashion-mnist)",
			   prefix, kind, prefix, kind);
}

int mch_idx_load(const char *dir, const char *split, struct mch_dataset *data, struct mch_err *err)
{
	char images[4096], labels[4096];
	const int is_train = strcmp(split, "train") == 0;
	MCH_REQUIRE(is_train || strcmp(split, "test") == 0, "a split is train or test");
	const char *prefix = is_train ? "train" : "t10k";
	memset(data, 0, sizeof(*data));
	if (find(dir, prefix, "images-idx3", images, sizeof(images), err) != 0 ||
	    find(dir, prefix, "labels-idx1", labels, sizeof(labels), err) != 0)
		return -1;
	return mch_idx_load_files(images, labels, data, err);
}
