/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A whole file in memory. Host only: no RTL twin. */
#ifndef MCH_IO_FILE_H
#define MCH_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Reads all of path ("-" is the standard input) into *data, owned by the caller, with a NUL behind the n_bytes.
 * Refuses more than limit_bytes. 0, or -1 with err. */
int mch_file_read(const char *path, size_t limit_bytes, char **data, size_t *n_bytes, struct mch_err *err);

/* "dir/name" into path; a name that begins with "/" stays. 0, or -1 with err when it does not fit. */
enum { MCH_PATH_ROOM = 4096 };
int mch_file_join(char path[MCH_PATH_ROOM], const char *dir, const char *name, struct mch_err *err);

/* Is there a folder, or a file that is none? */
bool mch_file_is_folder(const char *path);
bool mch_file_exists(const char *path);

/* Name without its folders: "a/b.onnx" -> "b.onnx". Points into path. */
const char *mch_file_name(const char *path);

#endif
