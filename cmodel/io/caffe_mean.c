/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A mean picture; see caffe_mean.h. */
#include "io/caffe_mean.h"

#include <math.h>
#include <stdlib.h>

#include "io/caffe_blob.h"

enum { SIDE_MAX = 1 << 16 };

/* Room for a picture that lies within the file's size. */
static float *room(struct mch_wire *wire, uint64_t n_elems)
{
	float *values = malloc((size_t)n_elems * sizeof(float));
	if (!values)
		mch_wire_err(wire, "out of memory for %llu values; use a machine with more",
			     (unsigned long long)n_elems);
	return values;
}

/* The whole file is one BlobProto: dims 1 C H W, or C H W. */
static float *read_blob(struct mch_wire *wire, struct mch_shape *shape)
{
	const struct mch_wire_field all = {.type = MCH_WIRE_LEN, .at = 0, .n_bytes = wire->n_bytes};
	struct mch_caffe_blob_proto blob;
	if (mch_wire_seek_bytes(wire, 0, wire->n_bytes) != 0 || mch_caffe_blob_look(wire, &all, &blob) != 0)
		return NULL;
	int64_t side[3] = {1, 1, 1};
	for (int i = 0; i < blob.n_axes; i++) {
		const int axis = i + 3 - blob.n_axes; /* the last three */
		if (axis < 0 ? blob.dim[i] != 1 : blob.dim[i] < 1 || blob.dim[i] > SIDE_MAX) {
			char text[MCH_CAFFE_BLOB_TEXT];
			mch_wire_err(wire,
				     "a mean of %s is no picture, C x H x W is expected; is it the right file?",
				     mch_caffe_blob_text(blob.n_axes, blob.dim, text));
			return NULL;
		}
		if (axis >= 0)
			side[axis] = blob.dim[i];
	}
	*shape = (struct mch_shape){1, (int)side[0], (int)side[1], (int)side[2]};
	if (blob.n_elems == 0) {
		mch_wire_err(wire, "holds no mean picture; is it the right file?");
		return NULL;
	}
	float *values = room(wire, blob.n_elems);
	if (values && mch_caffe_blob_read(wire, &blob, values) != 0) {
		free(values);
		values = NULL;
	}
	return values;
}

/* Nothing but the values of a picture of the input's shape. */
static float *read_raw(struct mch_wire *wire, struct mch_shape shape)
{
	const size_t n_elems = mch_shape_elems(shape);
	const struct mch_wire_field all = {.number = 1, .type = MCH_WIRE_LEN, .at = 0, .n_bytes = wire->n_bytes};
	size_t n = 0;
	float *values = room(wire, n_elems);
	if (values && (mch_wire_seek_bytes(wire, 0, wire->n_bytes) != 0 ||
		       mch_wire_floats(wire, &all, values, n_elems, &n) != 0)) {
		free(values);
		values = NULL;
	}
	return values;
}

static int check(struct mch_wire *wire, const float *values, struct mch_shape is, struct mch_shape input)
{
	if (input.c > 0 && (is.c != input.c || is.h < input.h || is.w < input.w))
		return mch_err_set(wire->err, wire->path,
				   "the mean is %dx%dx%d, the network's input %dx%dx%d; give the mean of the data "
				   "it was "
				   "trained on",
				   is.c, is.h, is.w, input.c, input.h, input.w);
	for (size_t i = 0; i < mch_shape_elems(is); i++)
		if (!isfinite(values[i]))
			return mch_err_set(wire->err, wire->path,
					   "value %zu is no number; the file is damaged, take it anew", i);
	return 0;
}

int mch_caffe_mean_read(const char *path, struct mch_shape input, struct mch_transform *transform,
			struct mch_err *err)
{
	struct mch_wire *wire = malloc(sizeof(*wire));
	struct mch_shape shape = input;
	if (!wire)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	if (mch_wire_open(wire, path, err) != 0) {
		free(wire);
		return -1;
	}
	shape.n = input.n = 1;
	/* A BlobProto of these values would have its dims too, and be larger. */
	float *values = input.c > 0 && wire->n_bytes == mch_shape_elems(input) * sizeof(float)
				? read_raw(wire, shape)
				: read_blob(wire, &shape);
	int status = values ? check(wire, values, shape, input) : -1;
	if (status == 0) {
		free(transform->mean_image);
		free(transform->mean_file);
		transform->mean_file = NULL;
		transform->mean_image = values;
		transform->mean_c = shape.c, transform->mean_h = shape.h, transform->mean_w = shape.w;
		transform->n_mean = 0;
	} else {
		free(values);
	}
	mch_wire_close(wire);
	free(wire);
	return status;
}
