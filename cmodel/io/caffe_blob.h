/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A BlobProto, the tensor of Caffe's binary files. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_BLOB_H
#define MCH_IO_CAFFE_BLOB_H

#include "io/wire.h"

enum { MCH_CAFFE_BLOB_AXES_MAX = 32, MCH_CAFFE_BLOB_TEXT = 160 };

struct mch_caffe_blob_proto {
	uint64_t at, n_bytes; /* where the message lies */
	int n_axes;
	int64_t dim[MCH_CAFFE_BLOB_AXES_MAX]; /* all >= 0; old files have four: num, channels, height, width */
	uint64_t n_elems;                     /* values that are there; equal to the product of dim */
};

/* Looks at the message that next() gave last, and leaves its values in the file. 0, or -1 with the err of wire. */
int mch_caffe_blob_look(struct mch_wire *wire, const struct mch_wire_field *field,
			struct mch_caffe_blob_proto *blob);

/* Its n_elems values, doubles rounded. The wire stands elsewhere afterwards. 0, or -1 with the err of wire. */
int mch_caffe_blob_read(struct mch_wire *wire, const struct mch_caffe_blob_proto *blob, float *to);

/* Same dims, but for leading ones: a bias was 1x1x1xK before 2015, and is K since. */
int mch_caffe_blob_is(const struct mch_caffe_blob_proto *blob, int n_axes, const int64_t *dim);
/* "64x3x5x5" into text of MCH_CAFFE_BLOB_TEXT bytes, leading ones left out; returns text. */
const char *mch_caffe_blob_text(int n_axes, const int64_t *dim, char *text);

#endif
