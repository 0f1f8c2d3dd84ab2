/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cycles of a program; see program_time.h. */
#include "arch/program_time.h"

#include <stdlib.h>

#include "arch/top.h"

static const uint64_t most_cycles = UINT64_C(1) << 32; /* the counters' own range */

/* Differences modulo 2^32: no descriptor is longer than the counters' range. */
static struct mch_program_time span(const struct mch_top_mark *from, const struct mch_top_mark *to)
{
	uint32_t n[MCH_REGS_COUNTERS];
	for (int i = 0; i < MCH_REGS_COUNTERS; i++)
		n[i] = to->count[i] - from->count[i];
	return (struct mch_program_time){n[0], n[1], n[2], n[3], n[4], n[5], n[6]};
}

/* A list begins with the units as after reset, so each runs on a machine of its own. */
static int time_list(const struct mch_program *p, const struct mch_program_part *part, uint8_t *bytes,
		     uint64_t n_bytes, struct mch_program_time *time, struct mch_err *err)
{
	struct mch_top top;
	struct mch_top_mark *mark = calloc((size_t)part->n + 1, sizeof(*mark)); /* [0]: the start, zeros */
	if (!mark)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	int status = mch_top_init(&top, &p->cfg, false, err);
	if (status == 0) {
		if (mch_top_run(&top, part->list, bytes, n_bytes, most_cycles, mark + 1, part->n, err) < 0)
			status = -1;
		mch_top_free(&top);
	}
	for (int i = 0; status == 0 && i < part->n; i++)
		time[part->first + i] = span(&mark[i], &mark[i + 1]);
	free(mark);
	return status;
}

int mch_program_time(const struct mch_program *p, struct mch_program_time *time, struct mch_err *err)
{
	const uint64_t beat = (uint64_t)p->cfg.mem_bits / 8;
	const uint64_t n_bytes = ((uint64_t)p->n_words * mch_accel_word_bytes(&p->cfg) + beat - 1) / beat * beat;
	uint8_t *bytes = calloc(1, (size_t)n_bytes);
	if (!bytes)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	mch_program_load(p, bytes);
	int status = 0;
	for (int i = 0; status == 0 && i < p->n_parts; i++)
		if (!p->part[i].is_host)
			status = time_list(p, &p->part[i], bytes, n_bytes, time, err);
	free(bytes);
	return status;
}
