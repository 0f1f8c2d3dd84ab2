/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The progress bar; see progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void mch_progress_begin(struct mch_progress *bar, const char *what, const char *unit)
{
	*bar = (struct mch_progress){what, unit, now_s(), 0, isatty(STDERR_FILENO)};
}

void mch_progress_update(struct mch_progress *bar, uint64_t done, uint64_t total)
{
	enum { WIDTH = 30 };
	const double now = now_s();
	if (!bar->is_open || total == 0 || (now - bar->last_s < 0.1 && done < total))
		return;
	bar->last_s = now;
	const double passed = now - bar->start_s, rate = passed > 0 ? (double)done / passed : 0;
	const double left = rate > 0 ? (double)(total - done) / rate : 0;
	char cells[WIDTH + 1];
	for (int i = 0; i < WIDTH; i++)
		cells[i] = (uint64_t)i * total < done * WIDTH ? '#' : '.';
	cells[WIDTH] = '\0';
	fprintf(stderr, "\r\033[K%s [%s] %3d %%  %.0f %s/s  %.0f s left", bar->what, cells,
		(int)(done * 100 / total), rate, bar->unit, left);
	fflush(stderr);
}

void mch_progress_end(struct mch_progress *bar)
{
	if (bar->is_open)
		fputs("\r\033[K", stderr);
	bar->is_open = 0;
}
