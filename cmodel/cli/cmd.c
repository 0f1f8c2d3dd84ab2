/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What all commands share: option parsing in the one error form. */
#include "cli/cmd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void mch_cmd_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = MCH_EXIT_FAILED;
	argp_parse(argp, argc, argv, 0, NULL, input);
}

long mch_cmd_integer(const char *option, const char *text, long low, long high)
{
	char *end;
	const long value = strtol(text, &end, 10);
	if (end == text || *end || value < low || value > high) {
		fprintf(stderr, "macchiato: %s: \"%s\" is no whole number from %ld to %ld; give one\n", option, text, low,
			high);
		exit(MCH_EXIT_FAILED);
	}
	return value;
}

double mch_cmd_real(const char *option, const char *text, double low, double high)
{
	char *end;
	const double value = strtod(text, &end);
	if (end == text || *end || !(value >= low && value <= high)) {
		fprintf(stderr, "macchiato: %s: \"%s\" is no number from %g to %g; give one\n", option, text, low, high);
		exit(MCH_EXIT_FAILED);
	}
	return value;
}
