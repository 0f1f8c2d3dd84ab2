/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A BlobProto; see caffe_blob.h. */
#include "io/caffe_blob.h"

#include <stdio.h>

/* Numbers of the fields, caffe.proto. */
enum { NUM = 1, WIDTH = 4, DATA = 5, SHAPE = 7, DOUBLE_DATA = 8, SHAPE_DIM = 1 };

static int look_shape(struct mch_wire *wire, const struct mch_wire_field *field, struct mch_caffe_blob_proto *blob)
{
	struct mch_wire_field f;
	size_t n = 0;
	int more;
	if (mch_wire_enter(wire, field) != 0)
		return -1;
	while ((more = mch_wire_next(wire, &f)) == 1)
		if (f.number == SHAPE_DIM && mch_wire_ints(wire, &f, blob->dim, MCH_CAFFE_BLOB_AXES_MAX, &n) != 0)
			return -1;
	blob->n_axes = (int)n;
	if (more == 0)
		mch_wire_leave(wire);
	return more;
}

/* The dims are no larger than what is there. */
static int check_elems(const struct mch_wire *wire, const struct mch_caffe_blob_proto *blob)
{
	uint64_t want = 1;
	char text[MCH_CAFFE_BLOB_TEXT];
	int i = 0;
	for (; i < blob->n_axes; i++) {
		if (blob->dim[i] < 0 || (blob->dim[i] > 0 && want > UINT64_MAX / (uint64_t)blob->dim[i]))
			break;
		want *= (uint64_t)blob->dim[i];
	}
	if (i == blob->n_axes && want == blob->n_elems)
		return 0;
	return mch_wire_err(wire, "a blob of %s has %llu values; the file is damaged, take it anew",
			    mch_caffe_blob_text(blob->n_axes, blob->dim, text), (unsigned long long)blob->n_elems);
}

int mch_caffe_blob_look(struct mch_wire *wire, const struct mch_wire_field *field, struct mch_caffe_blob_proto *blob)
{
	struct mch_wire_field f;
	int64_t old[4] = {1, 1, 1, 1};
	int more, has_old = 0, has_shape = 0;
	*blob = (struct mch_caffe_blob_proto){.at = field->at, .n_bytes = field->n_bytes};
	if (mch_wire_enter(wire, field) != 0)
		return -1;
	while ((more = mch_wire_next(wire, &f)) == 1) {
		uint64_t n = 0;
		if (f.number >= NUM && f.number <= WIDTH && f.type == MCH_WIRE_VARINT) {
			old[f.number - NUM] = f.value <= INT32_MAX ? (int64_t)f.value : -1;
			has_old = 1;
		} else if (f.number == SHAPE) {
			if (look_shape(wire, &f, blob) != 0)
				return -1;
			has_shape = 1;
		} else if (f.number == DATA || f.number == DOUBLE_DATA) {
			if (mch_wire_count(wire, &f, f.number == DATA ? 4 : 8, &n) != 0)
				return -1;
			blob->n_elems += n;
		}
	}
	if (more != 0)
		return -1;
	mch_wire_leave(wire);
	for (int i = 0; has_old && !has_shape && i < 4; i++)
		blob->dim[i] = old[i], blob->n_axes = 4;
	return check_elems(wire, blob);
}

int mch_caffe_blob_read(struct mch_wire *wire, const struct mch_caffe_blob_proto *blob, float *to)
{
	struct mch_wire_field f;
	size_t n = 0;
	int more;
	if (mch_wire_seek(wire, blob->at, blob->n_bytes) != 0)
		return -1;
	while ((more = mch_wire_next(wire, &f)) == 1)
		if ((f.number == DATA && mch_wire_floats(wire, &f, to, (size_t)blob->n_elems, &n) != 0) ||
		    (f.number == DOUBLE_DATA && mch_wire_doubles(wire, &f, to, (size_t)blob->n_elems, &n) != 0))
			return -1;
	return more;
}

static int first_axis(int n_axes, const int64_t *dim)
{
	int i = 0;
	while (i < n_axes - 1 && dim[i] == 1)
		i++;
	return i;
}

int mch_caffe_blob_is(const struct mch_caffe_blob_proto *blob, int n_axes, const int64_t *dim)
{
	int i = first_axis(blob->n_axes, blob->dim), j = first_axis(n_axes, dim);
	if (blob->n_axes == 0) /* a scalar */
		return n_axes == 0 || (j == n_axes - 1 && dim[j] == 1);
	for (; i < blob->n_axes && j < n_axes; i++, j++)
		if (blob->dim[i] != dim[j])
			return 0;
	return i == blob->n_axes && j == n_axes;
}

const char *mch_caffe_blob_text(int n_axes, const int64_t *dim, char *text)
{
	size_t used = 0;
	snprintf(text, MCH_CAFFE_BLOB_TEXT, "1");
	for (int i = first_axis(n_axes, dim); i < n_axes && used + 24 < MCH_CAFFE_BLOB_TEXT; i++)
		used += (size_t)snprintf(text + used, MCH_CAFFE_BLOB_TEXT - used, "%s%lld", used ? "x" : "",
					 (long long)dim[i]);
	return text;
}
