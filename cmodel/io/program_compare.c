/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tensors of a program in two memories; see program_read.h. */
#include <string.h>

#include "io/program_read.h"

void mch_program_folder_copy(const struct mch_program_folder *f, int tensor, const uint8_t *from, uint8_t *to)
{
	const struct mch_folder_tensor *t = &f->tensor[tensor];
	for (int b = 0; b < t->blocks; b++) {
		const uint64_t at = (t->addr + (uint64_t)b * t->step) * f->word_bytes;
		memcpy(to + at, from + at, (uint64_t)t->h * (uint64_t)t->w * f->word_bytes);
	}
}

static bool differs(const struct mch_program_folder *f, const uint8_t *want, const uint8_t *got,
		    struct mch_folder_difference *at)
{
	const struct mch_folder_tensor *t = &f->tensor[at->tensor];
	const int bytes = mch_accel_elem_bytes(&f->cfg);
	for (at->h = 0; at->h < t->h; at->h++)
		for (at->w = 0; at->w < t->w; at->w++)
			for (at->c = 0; at->c < t->c; at->c++) {
				const uint64_t elem = mch_folder_element(f, t, at->c, at->h, at->w);
				at->want = mch_accel_get_code(want, elem, bytes, t->format);
				at->got = mch_accel_get_code(got, elem, bytes, t->format);
				if (at->want != at->got)
					return true;
			}
	return false;
}

bool mch_program_folder_differs(const struct mch_program_folder *f, const uint8_t *want, const uint8_t *got,
				struct mch_folder_difference *at)
{
	for (at->tensor = 0; at->tensor < f->n_tensors; at->tensor++)
		if (differs(f, want, got, at))
			return true;
	return false;
}
