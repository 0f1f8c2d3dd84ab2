/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The error value; see err.h. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

enum { WHERE_MAX = 400 }; /* bytes, so that the advice behind a long path is never cut off */

int mch_err_set_list(struct mch_err *err, const char *where, const char *what, va_list args)
{
	if (!err)
		return -1;
	if (!where[0])
		where = "\"\""; /* such as a file name from a variable of the shell that is not set */
	/* Of a path, the end says the most. */
	const size_t n = strlen(where);
	const int used = n > WHERE_MAX ? snprintf(err->text, sizeof(err->text), "...%s: ", where + n - WHERE_MAX)
				       : snprintf(err->text, sizeof(err->text), "%s: ", where);
	vsnprintf(err->text + used, sizeof(err->text) - (size_t)used, what, args);
	/* A name from a foreign file may hold anything; a message is one line that steers no terminal. */
	for (char *c = err->text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return -1;
}

int mch_err_set(struct mch_err *err, const char *where, const char *what, ...)
{
	va_list args;
	va_start(args, what);
	const int status = mch_err_set_list(err, where, what, args);
	va_end(args);
	return status;
}
