/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Caffe's Datum; see datum.h. */
#include "io/datum.h"

#include "io/wire.h"

enum { CHANNELS = 1, HEIGHT = 2, WIDTH = 3, DATA = 4, LABEL = 5, FLOAT_DATA = 6, ENCODED = 7 };

/* A number field into *to; 0, or -1: it has another type, or does not fit an int. */
static int take_int(const struct mch_wire *wire, const struct mch_wire_field *field, int *to)
{
	const int64_t value = (int64_t)field->value;
	if (field->type != MCH_WIRE_VARINT || value < INT32_MIN || value > INT32_MAX)
		return mch_wire_err(wire,
				    "a number of the Datum is none, or too large; the file is damaged, take it anew");
	*to = (int)value;
	return 0;
}

static int take_field(struct mch_wire *wire, const struct mch_wire_field *field, const uint8_t *bytes,
		      struct mch_datum *datum)
{
	int flag = 0;
	uint64_t n = 0;
	switch (field->number) {
	case CHANNELS:
		return take_int(wire, field, &datum->c);
	case HEIGHT:
		return take_int(wire, field, &datum->h);
	case WIDTH:
		return take_int(wire, field, &datum->w);
	case LABEL:
		return take_int(wire, field, &datum->label);
	case ENCODED:
		if (take_int(wire, field, &flag) != 0)
			return -1;
		datum->is_encoded = flag != 0;
		return 0;
	case DATA:
		if (field->type != MCH_WIRE_LEN)
			return mch_wire_err(wire, "the Datum's data is a number; the file is damaged, take it anew");
		datum->data = bytes + field->at;
		datum->n_data = (size_t)field->n_bytes;
		return 0;
	case FLOAT_DATA:
		if (mch_wire_count(wire, field, sizeof(float), &n) != 0)
			return -1;
		datum->n_floats += (size_t)n;
		return 0;
	default:
		return 0;
	}
}

static int check(const char *where, const struct mch_datum *d, struct mch_err *err)
{
	const bool is_sized = d->c >= 1 && d->h >= 1 && d->w >= 1 && d->c <= MCH_PICTURE_SIDE_MAX &&
			      d->h <= MCH_PICTURE_SIDE_MAX && d->w <= MCH_PICTURE_SIDE_MAX;
	if (d->label < 0)
		return mch_err_set(err, where, "has the label %d, 0 or more is expected; make the data anew",
				   d->label);
	if (d->is_encoded)
		return d->n_data > 0
			       ? 0
			       : mch_err_set(err, where, "is an encoded Datum without data; make the data anew");
	const uint64_t want = is_sized ? (uint64_t)d->c * (uint64_t)d->h * (uint64_t)d->w : 0; /* 51 bits */
	const uint64_t found = d->n_data > 0 ? d->n_data : d->n_floats;
	if (!is_sized || found != want)
		return mch_err_set(err, where, "is no Datum of %dx%dx%d: it holds %llu values; make the data anew",
				   d->c, d->h, d->w, (unsigned long long)found);
	return 0;
}

int mch_datum_parse(const char *where, const uint8_t *bytes, size_t n_bytes, struct mch_datum *datum,
		    struct mch_err *err)
{
	struct mch_wire wire;
	struct mch_wire_field field;
	int status;
	*datum = (struct mch_datum){0};
	mch_wire_open_bytes(&wire, where, bytes, n_bytes, err);
	while ((status = mch_wire_next(&wire, &field)) == 1)
		if (take_field(&wire, &field, bytes, datum) != 0) {
			status = -1;
			break;
		}
	mch_wire_close(&wire);
	if (datum->n_data == 0)
		datum->data = NULL;
	return status == 0 ? check(where, datum, err) : -1;
}

int mch_datum_floats(const char *where, const uint8_t *bytes, size_t n_bytes, float *to, size_t n,
		     struct mch_err *err)
{
	struct mch_wire wire;
	struct mch_wire_field field;
	size_t n_read = 0;
	int status;
	mch_wire_open_bytes(&wire, where, bytes, n_bytes, err);
	while ((status = mch_wire_next(&wire, &field)) == 1)
		if (field.number == FLOAT_DATA && mch_wire_floats(&wire, &field, to, n, &n_read) != 0) {
			status = -1;
			break;
		}
	mch_wire_close(&wire);
	return status;
}
