/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Writes an array of integers as a .npy file. Host only: no RTL twin.
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays". */
#ifndef MCH_IO_NPY_WRITE_H
#define MCH_IO_NPY_WRITE_H

#include <stdint.h>

#include "base/err.h"
#include "tensor/tensor.h"

/* values are [n][c][h][w]; in the file each has 4 bytes, least significant first. "-": the standard output. 0, or -1
 * with err. */
int mch_npy_write(const char *path, struct mch_shape shape, const int32_t *values, struct mch_err *err);

#endif
