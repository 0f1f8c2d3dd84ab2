/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the array and the datapath behind a chandle share. */
#ifndef MCH_DPI_ARRAY_H
#define MCH_DPI_ARRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/mac_array.h"

enum {
	MCH_DPI_ARRAY_FIELDS = 12, /* of mch_array_s */
	MCH_DPI_LANES_MAX = 64,
	MCH_DPI_OPERAND_WORDS = MCH_DPI_LANES_MAX * MCH_OPERAND_BITS_MAX / 32, /* mch_operands_s, mch_sums_s, mch_flags_s */
	MCH_DPI_SUM_WORDS = MCH_DPI_LANES_MAX * MCH_ACC_BITS_MAX / 32,
	MCH_DPI_FLAG_WORDS = MCH_DPI_LANES_MAX / 32,
};

/* The fields of mch_array_s as a configuration; what makes no array is left to mch_mac_array_init. 0, or -1 with the message. */
int mch_dpi_array_config(const char *where, const int *field, struct mch_mac_array_config *cfg);

/* A beat as the model takes it, of packed vectors as the pins have it. */
void mch_dpi_operands(const struct mch_mac_array_config *cfg, bool x_signed, const uint32_t *x, const uint32_t *w, int32_t *xs,
		      int32_t *ws);

#endif
