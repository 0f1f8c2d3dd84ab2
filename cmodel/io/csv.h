/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A table of numbers in a file of comma-separated values: a line of titles, then lines of as many numbers. A field
 * may be empty; lines that begin with '#' and empty ones say nothing. Host only: no RTL twin. */
#ifndef MCH_IO_CSV_H
#define MCH_IO_CSV_H

#include <jansson.h>

#include "base/err.h"

/* {"columns": ["epoch", "loss"], "rows": [[1, 0.5], [2, null]]}: a new reference, or NULL with err ("PATH:3:
 * ..."). */
json_t *mch_csv_read(const char *path, struct mch_err *err);

#endif
