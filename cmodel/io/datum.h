/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe's Datum: one labelled image as a protobuf message. Host only: no RTL twin. */
#ifndef MCH_IO_DATUM_H
#define MCH_IO_DATUM_H

#include "io/picture.h"

struct mch_datum {
	int c, h, w;
	int label; /* 0 when it tells none, as protobuf has it */
	bool is_encoded;       /* data is a JPEG or PNG picture, and c, h, w are not told */
	const uint8_t *data;   /* in the bytes that were parsed; NULL: the values are floats */
	size_t n_data;
	size_t n_floats;
};

/* 0, or -1 with err, whose place is `where`: no such message, or its sizes and its data do not go together. */
int mch_datum_parse(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_datum *datum,
		    struct mch_err *err);

/* The floats of the same bytes, which mch_datum_parse has counted: c * h * w of them. */
int mch_datum_floats(const char *where, const uint8_t *bytes, size_t n_bytes, float *to, size_t n,
		     struct mch_err *err);

#endif
