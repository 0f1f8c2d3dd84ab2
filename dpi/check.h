/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What every function of the package does first: arguments that are outside their documented range become one message. */
#ifndef MCH_DPI_CHECK_H
#define MCH_DPI_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "fxp/mac.h"
#include "op/requant.h"

/* The message of the last failure, which mch_dpi_error returns. */
extern struct mch_err mch_dpi_err;

/* 0, or -1 with the message when value is not in low..high; `what` names it, `where` is the function. */
int mch_dpi_need(const char *where, const char *what, long long value, long long low, long long high);

/* Field i, counted from the first, of a packed struct of n ints: the first is the highest in the vector. */
static inline int mch_dpi_field(const uint32_t *packed, int n, int i)
{
	return (int)packed[n - 1 - i];
}

/* mch_acc_s and mch_out_s of the package, checked. */
int mch_dpi_acc(const char *where, const uint32_t *packed, struct mch_acc *acc);
int mch_dpi_out(const char *where, const uint32_t *packed, struct mch_requant *out);

/* An open array of at least n elements as plain C memory, in *data. 0, or -1 with the message. */
int mch_dpi_ints(const char *where, const char *what, void *array, size_t n, int32_t **data);
int mch_dpi_longs(const char *where, const char *what, void *array, size_t n, int64_t **data);

/* Elements of the array, 0 where there is no simulator. */
size_t mch_dpi_elems(void *array);

/* All of v[n] in low..high. */
int mch_dpi_need_all(const char *where, const char *what, const int32_t *v, size_t n, int64_t low, int64_t high);

/* Operands of mch_mac: 16 bits of either sign; |w| <= 2^15. */
enum { MCH_DPI_X_MIN = -(1 << 15), MCH_DPI_X_MAX = (1 << 16) - 1, MCH_DPI_W_MAX = 1 << 15 };

#endif
