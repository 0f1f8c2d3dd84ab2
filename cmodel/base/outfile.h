/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An output file that appears whole or not at all: written under a temporary name in the same folder,
 * renamed when complete. No reader ever sees half a file, and a failed run leaves none behind. A link is followed;
 * a device or a pipe is written in place. */
#ifndef MCH_BASE_OUTFILE_H
#define MCH_BASE_OUTFILE_H

#include <stdio.h>

#include "base/err.h"

struct mch_outfile {
	FILE *stream; /* write here */
	char *name;      /* as the user wrote it, for messages; NULL when it was "-": the stream is stdout */
	char *path;      /* where it leads to */
	char *temporary; /* NULL when the path is written in place */
};

/* 0, or -1 with err ("PATH: cannot be written (reason); ..."). */
int mch_outfile_open(struct mch_outfile *out, const char *path, struct mch_err *err);

/* Flushes, syncs and renames; a full disk is found here. 0, or -1 with err and nothing left behind. */
int mch_outfile_commit(struct mch_outfile *out, struct mch_err *err);

/* Removes the temporary file; for error paths. Safe after a failed open and after commit. */
void mch_outfile_abandon(struct mch_outfile *out);

#endif
