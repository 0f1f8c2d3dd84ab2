/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The head of a .npy file, which NumPy writes. Host only: no RTL twin.
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays". */
#ifndef MCH_IO_NPY_H
#define MCH_IO_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { MCH_NPY_DIMS_MAX = 4, MCH_NPY_HEAD_MAX = 1 << 16 };

struct mch_npy {
	char kind;      /* 'u', 'i' or 'f' */
	int item_bytes; /* 1, 2, 4 or 8 */
	bool is_big_endian;
	int n_dims;
	int dim[MCH_NPY_DIMS_MAX]; /* >= 1; those behind n_dims are 1 */
	size_t at; /* offset of the first element */
};

/* bytes are the file's first, at least its head; file_bytes is its size, which has to be that of the head and all
 * elements. 0, or -1 with err, whose place is `where`: something else, or an array of other types, more dimensions,
 * or in Fortran's order. */
int mch_npy_parse(const char *where, const uint8_t *bytes, size_t n_bytes, uint64_t file_bytes, struct mch_npy *npy,
		  struct mch_err *err);

/* n elements as they lie in the file, as float (from 'f', or 'u' of one byte) or as integers (from 'u' and 'i'). */
void mch_npy_floats(const struct mch_npy *npy, const uint8_t *from, size_t n, float *to);
void mch_npy_integers(const struct mch_npy *npy, const uint8_t *from, size_t n, int64_t *to);

#endif
