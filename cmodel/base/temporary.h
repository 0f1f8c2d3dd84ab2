/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Temporary files and folders that do not outlive the program when a signal ends it (SIGKILL cannot be helped).
 * For the main thread alone. Host only: no RTL twin. */
#ifndef MCH_BASE_TEMPORARY_H
#define MCH_BASE_TEMPORARY_H

#include <signal.h>

/* From now on SIGINT, SIGTERM, SIGHUP and SIGPIPE, those that are not ignored, remove what is temporary and then end the
 * program as they would have. First called by the main thread; again, to take them back, by a signal handler too. */
void mch_temporary_guard(void);

/* mkstemp and mkdtemp: what they make is temporary. name ends in XXXXXX, which is replaced. A file descriptor and 0, or
 * -1 with errno. */
int mch_temporary_file(char *name);
int mch_temporary_folder(char *name);

/* rename of a temporary file; at its new name it is temporary only as long as the folder is. 0, or -1 with errno. */
int mch_temporary_keep(const char *name, const char *path);

/* The name, and all below it, is temporary no more: it is removed already, or it stays. */
void mch_temporary_forget(const char *name);

/* Between the two no signal comes through; for several steps that are one. They nest. */
void mch_temporary_hold(sigset_t *before);
void mch_temporary_release(const sigset_t *before);

#endif
