/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One golden run over the test images, with what the export keeps of it. Host only: no RTL twin. */
#ifndef MCH_IO_ACCEL_GOLDEN_H
#define MCH_IO_ACCEL_GOLDEN_H

#include "io/accel_vector.h"

struct mch_accel_golden {
	int n_images;                  /* 0: no images, synthetic vectors alone */
	int n_edges, n_steps, n_cases; /* n_cases for every step on the array */
	int32_t **value;               /* [n_edges]: raw codes of all images, NULL for edges that no step touches */
	struct mch_accel_case **cases; /* [n_steps], NULL for steps off the array */
};

/* Runs the steps in order, as mch_qnet_run does, and chooses each layer's cases while its accumulators are at hand.
 * codes is [n_images][c][h][w]. 0, or -1 with err when memory is short. */
int mch_accel_golden_run(const struct mch_qnet *q, int n_images, const int32_t *codes, int n_cases, uint64_t seed,
			 struct mch_accel_golden *golden, struct mch_err *err);
void mch_accel_golden_free(struct mch_accel_golden *golden);

#endif
