/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The error value; see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

int mch_err_set(struct mch_err *err, const char *where, const char *what, ...)
{
	if (!err)
		return -1;
	int used = snprintf(err->text, sizeof(err->text), "%s: ", where);
	if (used < 0 || (size_t)used >= sizeof(err->text))
		return -1;
	va_list args;
	va_start(args, what);
	vsnprintf(err->text + used, sizeof(err->text) - (size_t)used, what, args);
	va_end(args);
	return -1;
}
