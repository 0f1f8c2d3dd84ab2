/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Images and labels as two .npy files: uint8 or float, [n][c][h][w], or [n][h][w][c] where only that fits the
 * network. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/data.h"
#include "io/file.h"
#include "io/npy.h"
#include "io/picture.h"

enum { LABEL_MAX = 1 << 24 };

/* The source: images are read from the file when they are wanted. */
struct images {
	char *path;
	int fd;
	struct mch_npy npy;
	int c, h, w;
	size_t stride_c, stride_h, stride_w;
	struct mch_shape input;
	const struct mch_transform *transform;
};

static int no_memory(const char *where, struct mch_err *err)
{
	return mch_err_set(err, where, "out of memory; use a machine with more");
}

static int cannot_read(const char *where, struct mch_err *err)
{
	return mch_err_set(err, where, "cannot be read (%s); check the name and its permissions", strerror(errno));
}

static int read_at(int fd, const char *path, uint64_t at, void *to, size_t n_bytes, struct mch_err *err)
{
	for (uint8_t *bytes = to; n_bytes > 0;) {
		const ssize_t n = pread(fd, bytes, n_bytes, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot_read(path, err);
		if (n == 0)
			return mch_err_set(err, path, "has become shorter while it was read; try again");
		bytes += n, at += (uint64_t)n, n_bytes -= (size_t)n;
	}
	return 0;
}

/* Opens the file and reads its head. The descriptor, or -1 with err. */
static int open_npy(const char *path, struct mch_npy *npy, struct mch_err *err)
{
	struct stat status;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cannot_read(path, err);
	int result = fstat(fd, &status) == 0 ? 0 : cannot_read(path, err);
	if (result == 0 && !S_ISREG(status.st_mode))
		result = mch_err_set(err, path, "is no plain file; give one");
	const size_t n = result == 0 && status.st_size < MCH_NPY_HEAD_MAX ? (size_t)status.st_size : MCH_NPY_HEAD_MAX;
	uint8_t *head = malloc(n + 1);
	if (result == 0)
		result = head ? read_at(fd, path, 0, head, n, err) : no_memory(path, err);
	if (result == 0)
		result = mch_npy_parse(path, head, n, (uint64_t)status.st_size, npy, err);
	free(head);
	if (result == 0)
		return fd;
	close(fd);
	return -1;
}

static int read_image(void *ctx, int i, void *to, struct mch_err *err)
{
	const struct images *x = ctx;
	const size_t elems = (size_t)x->c * (size_t)x->h * (size_t)x->w, n_bytes = elems * (size_t)x->npy.item_bytes;
	char where[MCH_PATH_ROOM + 32];
	snprintf(where, sizeof(where), "%s: image %d", x->path, i);
	uint8_t *bytes = malloc(n_bytes);
	float *values = x->npy.kind == 'f' ? malloc(elems * sizeof(*values)) : NULL;
	int status = bytes && (values || x->npy.kind != 'f') ? 0 : no_memory(where, err);
	if (status == 0)
		status = read_at(x->fd, x->path, x->npy.at + (uint64_t)i * n_bytes, bytes, n_bytes, err);
	if (status == 0 && values) {
		const struct mch_float_picture picture = {x->c,	       x->h,	    x->w,	values,
							  x->stride_c, x->stride_h, x->stride_w};
		mch_npy_floats(&x->npy, bytes, elems, values);
		status = mch_picture_fit_f32(where, &picture, x->transform, x->input, to, err);
	} else if (status == 0) {
		const struct mch_picture picture = {x->c,	 x->h,	      x->w,	   bytes,
						    x->stride_c, x->stride_h, x->stride_w, false};
		status = mch_picture_fit(where, &picture, x->transform, x->input, to, err);
	}
	free(values);
	free(bytes);
	return status;
}

static void free_images(void *ctx)
{
	struct images *x = ctx;
	if (x->fd >= 0)
		close(x->fd);
	free(x->path);
	free(x);
}

/* What the dimensions behind the first mean. */
static int take_shape(struct images *x, struct mch_err *err)
{
	const struct mch_npy *npy = &x->npy;
	const int *dim = npy->dim;
	const bool is_last = npy->n_dims == 4 && dim[1] != x->input.c && dim[3] == x->input.c;
	if (npy->n_dims < 2)
		return mch_err_set(err, x->path, "has one dimension; images have [n][c][h][w], [n][h][w] or [n][c]");
	if (!(npy->kind == 'f' || (npy->kind == 'u' && npy->item_bytes == 1)))
		return mch_err_set(
			err, x->path,
			"has elements of the type %c%d, uint8 or float are usable; save x.astype('float32')",
			npy->kind, npy->item_bytes);
	x->c = npy->n_dims == 3 ? 1 : is_last ? dim[3] : dim[1];
	x->h = npy->n_dims == 3 || is_last ? dim[1] : dim[2];
	x->w = npy->n_dims == 3 || is_last ? dim[2] : dim[3];
	if (x->c > MCH_TENSOR_ELEMS_MAX / x->h || x->c * x->h > MCH_TENSOR_ELEMS_MAX / x->w)
		return mch_err_set(err, x->path, "has images of more than %d values; is it the right file?",
				   MCH_TENSOR_ELEMS_MAX);
	x->stride_c = is_last ? 1 : (size_t)x->h * (size_t)x->w;
	x->stride_h = (size_t)x->w * (is_last ? (size_t)x->c : 1);
	x->stride_w = is_last ? (size_t)x->c : 1;
	return 0;
}

static int read_labels(const char *path, struct mch_opened *opened, struct mch_err *err)
{
	struct mch_npy npy;
	const int fd = open_npy(path, &npy, err), n = opened->data->n_images;
	if (fd < 0)
		return -1;
	int status = 0;
	uint8_t *bytes = NULL;
	int64_t *values = NULL;
	if (npy.kind == 'f' || npy.dim[1] != 1 || npy.dim[2] != 1 || npy.dim[3] != 1)
		status = mch_err_set(err, path, "is no list of integers; give one class from 0 for each image");
	else if (npy.dim[0] != n)
		status = mch_err_set(err, path, "has %d labels for %d images; give files that belong together",
				     npy.dim[0], n);
	if (status == 0) {
		bytes = malloc((size_t)n * (size_t)npy.item_bytes);
		values = malloc((size_t)n * sizeof(*values));
		status = bytes && values ? read_at(fd, path, npy.at, bytes, (size_t)n * (size_t)npy.item_bytes, err)
					 : no_memory(path, err);
	}
	if (status == 0)
		mch_npy_integers(&npy, bytes, (size_t)n, values);
	for (int i = 0; status == 0 && i < n; i++) {
		if (values[i] < 0 || values[i] > LABEL_MAX)
			status = mch_err_set(err, path, "label %d is %lld, 0 to %d are usable; is it the right file?",
					     i, (long long)values[i], LABEL_MAX);
		else
			opened->data->labels[i] = (int32_t)values[i];
	}
	free(values);
	free(bytes);
	close(fd);
	return status;
}

int mch_npy_open(const struct mch_data_spec *spec, const char *x_path, const char *y_path, struct mch_opened *opened,
		 struct mch_err *err)
{
	struct images *x = calloc(1, sizeof(*x));
	if (!x)
		return no_memory(x_path, err);
	opened->source = (struct mch_source){x, false, read_image, free_images};
	opened->data->shape = x->input = spec->input;
	x->transform = spec->transform;
	x->path = strdup(x_path);
	x->fd = x->path ? open_npy(x_path, &x->npy, err) : no_memory(x_path, err);
	if (x->fd < 0 || take_shape(x, err) != 0 || mch_opened_labels(opened, x_path, x->npy.dim[0], err) != 0)
		return -1;
	opened->source.is_f32 = x->npy.kind == 'f';
	if (y_path && read_labels(y_path, opened, err) != 0)
		return -1;
	mch_opened_count_classes(opened);
	return 0;
}
