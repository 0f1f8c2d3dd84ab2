/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A progress bar with rate and time left, on stderr, only when that is a terminal. */
#ifndef MCH_CLI_PROGRESS_H
#define MCH_CLI_PROGRESS_H

#include <stdint.h>

struct mch_progress {
	const char *what; /* "epoch 3/12" */
	const char *unit; /* "images" */
	double start_s, last_s;
	int is_open;
};

void mch_progress_begin(struct mch_progress *bar, const char *what, const char *unit);
/* Cheap to call often: draws at most ten times a second. */
void mch_progress_update(struct mch_progress *bar, uint64_t done, uint64_t total);
/* Clears the line. */
void mch_progress_end(struct mch_progress *bar);

#endif
