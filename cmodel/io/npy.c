/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The head of a .npy file: magic, version, length, and a Python dictionary like
 * {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }; see npy.h. */
#include "io/npy.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is left of the dictionary: a text of its own, so that it ends. */
struct text {
	const char *at;
};

static void skip_blanks(struct text *t)
{
	t->at += strspn(t->at, " \t\r\n");
}

static bool take(struct text *t, char c)
{
	skip_blanks(t);
	if (*t->at != c)
		return false;
	t->at++;
	return true;
}

/* 'word' or "word" */
static bool take_string(struct text *t, char *to, size_t room)
{
	skip_blanks(t);
	const char quote = *t->at;
	if (quote != '\'' && quote != '"')
		return false;
	const char *end = strchr(t->at + 1, quote);
	if (!end || (size_t)(end - t->at) > room)
		return false;
	memcpy(to, t->at + 1, (size_t)(end - t->at - 1));
	to[end - t->at - 1] = '\0';
	t->at = end + 1;
	return true;
}

/* "<f4": order, kind, size */
static bool take_type(struct text *t, struct mch_npy *npy)
{
	char type[8];
	if (!take_string(t, type, sizeof(type)) || strlen(type) != 3 || !strchr("<>|=", type[0]) ||
	    !strchr("uif", type[1]) || !strchr("1248", type[2]))
		return false;
	npy->is_big_endian = type[0] == '>';
	npy->kind = type[1];
	npy->item_bytes = type[2] - '0';
	return npy->kind != 'f' || npy->item_bytes >= 4;
}

static bool take_shape(struct text *t, struct mch_npy *npy)
{
	if (!take(t, '('))
		return false;
	while (!take(t, ')')) {
		char *end;
		skip_blanks(t);
		if (*t->at < '0' || *t->at > '9' || npy->n_dims == MCH_NPY_DIMS_MAX)
			return false;
		const unsigned long long value = strtoull(t->at, &end, 10);
		if (value < 1 || value > INT_MAX)
			return false;
		npy->dim[npy->n_dims++] = (int)value;
		t->at = end;
		if (!take(t, ',')) {
			if (!take(t, ')'))
				return false;
			break;
		}
	}
	return npy->n_dims >= 1;
}

static int take_order(struct text *t, bool *is_fortran)
{
	skip_blanks(t);
	*is_fortran = strncmp(t->at, "True", 4) == 0;
	if (!*is_fortran && strncmp(t->at, "False", 5) != 0)
		return -1;
	t->at += *is_fortran ? 4 : 5;
	return 0;
}

/* All three keys, once each. */
static int parse_dictionary(const char *where, struct text t, struct mch_npy *npy, struct mch_err *err)
{
	bool is_fortran = false, has_type = false, has_order = false, has_shape = false;
	char key[24];
	if (!take(&t, '{'))
		return mch_err_set(err, where, "has a head without a dictionary; it is damaged, save it anew");
	while (!take(&t, '}')) {
		if (!take_string(&t, key, sizeof(key)) || !take(&t, ':'))
			return mch_err_set(err, where, "has a damaged head; save it anew");
		if (strcmp(key, "descr") == 0 && !has_type) {
			has_type = take_type(&t, npy);
			if (!has_type)
				return mch_err_set(
					err, where,
					"has elements of another type (%.20s); save it as uint8, float32 or an "
					"integer",
					t.at);
		} else if (strcmp(key, "shape") == 0 && !has_shape) {
			has_shape = take_shape(&t, npy);
			if (!has_shape)
				return mch_err_set(err, where,
						   "has a shape that is not 1 to %d sizes from 1 to %d; reshape it",
						   MCH_NPY_DIMS_MAX, INT_MAX);
		} else if (strcmp(key, "fortran_order") != 0 || has_order || take_order(&t, &is_fortran) != 0) {
			return mch_err_set(err, where, "has a damaged head; save it anew");
		} else {
			has_order = true;
		}
		take(&t, ',');
	}
	if (!has_type || !has_order || !has_shape)
		return mch_err_set(err, where,
				   "has a head that does not tell its type, order and shape; save it anew");
	if (is_fortran && npy->n_dims > 1)
		return mch_err_set(err, where, "is in Fortran's order; save numpy.ascontiguousarray(x)");
	return 0;
}

static int check_size(const char *where, const struct mch_npy *npy, uint64_t file_bytes, struct mch_err *err)
{
	uint64_t want = (uint64_t)npy->item_bytes;
	for (int i = 0; i < npy->n_dims; i++) {
		if (want > (UINT64_C(1) << 62) / (uint64_t)npy->dim[i])
			return mch_err_set(err, where, "has a shape beyond any file; it is damaged, save it anew");
		want *= (uint64_t)npy->dim[i];
	}
	if (file_bytes - npy->at != want)
		return mch_err_set(
			err, where,
			"has %llu bytes of elements, its shape wants %llu; the copy is incomplete or damaged, "
			"get it again",
			(unsigned long long)(file_bytes - npy->at), (unsigned long long)want);
	return 0;
}

int mch_npy_parse(const char *where, const uint8_t *bytes, size_t n_bytes, uint64_t file_bytes, struct mch_npy *npy,
		  struct mch_err *err)
{
	*npy = (struct mch_npy){.dim = {1, 1, 1, 1}};
	if (n_bytes < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0)
		return mch_err_set(err, where, "is no .npy file; save it with numpy.save");
	const bool is_first = bytes[6] == 1; /* version 1 has a length of 2 bytes, 2 and 3 of 4 */
	const size_t head = is_first ? 10 : 12;
	const size_t n = is_first ? bytes[8] | (size_t)bytes[9] << 8
				  : bytes[8] | (size_t)bytes[9] << 8 | (size_t)bytes[10] << 16 |
					    (size_t)bytes[11] << 24;
	if (bytes[6] < 1 || bytes[6] > 3)
		return mch_err_set(err, where, "is of .npy version %d, 1 to 3 are known; save it anew", bytes[6]);
	if (n > MCH_NPY_HEAD_MAX - head || n > n_bytes - head || n > file_bytes - head)
		return mch_err_set(err, where, "ends in its head, or that is too long; it is damaged, save it anew");
	char *text = malloc(n + 1);
	if (!text)
		return mch_err_set(err, where, "out of memory; use a machine with more");
	memcpy(text, bytes + head, n);
	text[n] = '\0';
	npy->at = head + n;
	int status = parse_dictionary(where, (struct text){text}, npy, err);
	free(text);
	if (status == 0)
		status = check_size(where, npy, file_bytes, err);
	return status;
}

/* The bits of one element. */
static uint64_t bits_of(const struct mch_npy *npy, const uint8_t *from)
{
	uint64_t bits = 0;
	for (int i = 0; i < npy->item_bytes; i++)
		bits = bits << 8 | from[npy->is_big_endian ? i : npy->item_bytes - 1 - i];
	return bits;
}

void mch_npy_floats(const struct mch_npy *npy, const uint8_t *from, size_t n, float *to)
{
	for (size_t i = 0; i < n; i++, from += npy->item_bytes) {
		const uint64_t bits = bits_of(npy, from);
		const uint32_t low = (uint32_t)bits;
		double wide;
		if (npy->kind == 'f' && npy->item_bytes == 4) {
			memcpy(&to[i], &low, sizeof(low));
		} else if (npy->kind == 'f') {
			memcpy(&wide, &bits, sizeof(bits));
			to[i] = (float)wide;
		} else {
			to[i] = (float)low;
		}
	}
}

void mch_npy_integers(const struct mch_npy *npy, const uint8_t *from, size_t n, int64_t *to)
{
	const int n_bits = 8 * npy->item_bytes;
	for (size_t i = 0; i < n; i++, from += npy->item_bytes) {
		const uint64_t bits = bits_of(npy, from);
		const bool is_negative = npy->kind == 'i' && bits >> (n_bits - 1);
		/* -2^n_bits more, without leaving 64 bits; an unsigned number of 64 bits beyond INT64_MAX stays there
		 */
		if (is_negative)
			to[i] = -(int64_t)((n_bits == 64 ? UINT64_MAX : (UINT64_C(1) << n_bits) - 1) - bits) - 1;
		else
			to[i] = bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
	}
}
