/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The constants of an accelerator from an integer network and the size of an array. Host only: no RTL twin.
 * Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_CONFIG_H
#define MCH_IO_ACCEL_CONFIG_H

#include "io/accel_table.h"
#include "net/qnet.h"

enum {
	MCH_ACCEL_SIDE_MAX = 64,       /* rows and columns of rtl/mch_mac_array.v */
	MCH_ACCEL_SHIFT_CODE_BITS = 6, /* shift_i of rtl/mch_requant.v: shift - MCH_SHIFT_MIN */
};

struct mch_accel_array {
	int rows, cols; /* 1..MCH_ACCEL_SIDE_MAX */
};

/* The rows of one table: array, network, then every step of q as a layer. n_images is the number of test images that
 * go with it. stems [q->n_steps] takes each layer's identifier, which its files begin with. 0, or -1 with err: one
 * array has one accumulator width, which layers that overflow by design have to agree on. */
int mch_accel_config(const struct mch_qnet *q, const struct mch_accel_array *array, int n_images,
		     struct mch_accel_table *table, char (*stems)[MCH_ACCEL_TEXT_MAX], struct mch_err *err);

/* Conv or dense: runs on the array and has parameters. */
static inline bool mch_accel_on_array(const struct mch_step *step)
{
	return step->weights != NULL;
}

/* The smallest two's complement width, 2..64, that holds all n values. */
int mch_accel_bits(const int64_t *values, size_t n);

#endif
