/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An exported folder that appears whole or not at all, and never takes the place of something else.
 * Host only: no RTL twin. Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_FOLDER_H
#define MCH_IO_ACCEL_FOLDER_H

#include <stdbool.h>

#include "base/err.h"

struct mch_accel_folder {
	char *name;      /* as the user wrote it, for messages */
	char *path;      /* where it will be, links resolved */
	char *temporary; /* where the files go meanwhile: next to it */
};

/* Makes the temporary folder. What is at `name` already may be replaced when it is an empty folder, or an earlier
 * export without foreign files; with force, any folder of plain files. A folder that holds a folder is never
 * replaced. 0, or -1 with err. */
int mch_accel_folder_begin(struct mch_accel_folder *folder, const char *name, bool force, struct mch_err *err);

/* Puts the folder in its place. 0, or -1 with err; then the old one is where it was. */
int mch_accel_folder_commit(struct mch_accel_folder *folder, struct mch_err *err);

/* Removes the temporary folder with its files; safe after a failed begin and after commit. */
void mch_accel_folder_abandon(struct mch_accel_folder *folder);

/* A message about a file begins with its path: the user knows the folder, not its temporary name. */
void mch_accel_folder_rename(struct mch_err *err, const char *temporary, const char *name);

#endif
