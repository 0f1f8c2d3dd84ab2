/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A whole file in memory. Host only: no RTL twin. */
#ifndef MCH_IO_FILE_H
#define MCH_IO_FILE_H

#include <stddef.h>

#include "base/err.h"

/* Reads all of path ("-" is the standard input) into *data, owned by the caller, with a NUL behind the n_bytes.
 * Refuses more than limit_bytes. 0, or -1 with err. */
int mch_file_read(const char *path, size_t limit_bytes, char **data, size_t *n_bytes, struct mch_err *err);

/* Name without its folders: "a/b.onnx" -> "b.onnx". Points into path. */
const char *mch_file_name(const char *path);

#endif
