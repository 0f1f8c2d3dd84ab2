/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A .npy file of version 1.0; see npy_write.h. */
#include "io/npy_write.h"

#include <stdio.h>
#include <string.h>

#include "base/outfile.h"

int mch_npy_write(const char *path, struct mch_shape shape, const int32_t *values, struct mch_err *err)
{
	/* Blanks bring the head, with magic, version and length, to a multiple of 64 bytes. */
	enum { HEAD = 128, LENGTH = HEAD - 10 };
	char head[HEAD + 1], text[LENGTH];
	struct mch_outfile out;
	if (mch_outfile_open(&out, path, err) != 0)
		return -1;
	snprintf(text, sizeof(text), "{'descr': '<i4', 'fortran_order': False, 'shape': (%d, %d, %d, %d), }", shape.n,
		 shape.c, shape.h, shape.w);
	snprintf(head, sizeof(head), "\x93NUMPY\x01%c%c%c%-*s\n", 0, LENGTH, 0, LENGTH - 1, text);
	fwrite(head, 1, HEAD, out.stream);
	const size_t n = mch_shape_elems(shape);
	for (size_t i = 0; i < n; i++)
		for (int byte = 0; byte < 4; byte++)
			putc((int)((uint32_t)values[i] >> (8 * byte) & 255), out.stream);
	return mch_outfile_commit(&out, err);
}
