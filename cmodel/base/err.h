/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An error value: one message, "WHERE: WHAT IS WRONG; WHAT TO DO", made where the fault is seen.
 * Host only: no RTL twin. */
#ifndef MCH_BASE_ERR_H
#define MCH_BASE_ERR_H

#include <stdarg.h>

/* Holds the message without the program's name; main() prints "macchiato: " before it. */
struct mch_err {
	char text[768];
};

/* Writes "where: what" to err and returns -1, so that a caller can `return mch_err_set(...)`.
 * `what` is a printf format that ends with the advice: "%d weights expected, %d found; ...".
 * Of a very long `where` its end is kept; control characters become '?'. err may be NULL, then only -1 is returned. */
int mch_err_set(struct mch_err *err, const char *where, const char *what, ...)
	__attribute__((format(printf, 3, 4)));
int mch_err_set_list(struct mch_err *err, const char *where, const char *what, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
