/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A number as text; see real_text.h. The program keeps the "C" locale, so printf and strtod use a point. */
#include "io/real_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/require.h"

const char *mch_real_text(double value, char buf[32])
{
	MCH_REQUIRE(buf && isfinite(value), "only a finite number has a text");
	/* 17 digits tell any two doubles apart. */
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(buf, 32, "%.*g", digits, value);
		if (strtod(buf, NULL) == value)
			break;
	}
	return buf;
}

int mch_real_parse(const char *text, double *value)
{
	char *end;
	const double v = strtod(text, &end);
	if (end == text || *end || !isfinite(v))
		return -1;
	*value = v;
	return 0;
}
