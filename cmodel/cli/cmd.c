/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What all commands share: messages in the one form, values of options, the end of the program. */
#include "cli/cmd.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "fxp/format.h"

/* One message is one line, whatever the name of a file or a layer holds: no line feed, nothing a terminal obeys. */
void mch_cmd_say(const struct mch_err *err)
{
	fputs("macchiato: ", stderr);
	for (const char *text = err->text; *text; text++)
		putc(iscntrl((unsigned char)*text) ? '?' : *text, stderr);
	putc('\n', stderr);
}

void mch_cmd_fail(const char *where, const char *what, ...)
{
	struct mch_err err;
	va_list args;
	va_start(args, what);
	mch_err_set_list(&err, where, what, args);
	va_end(args);
	mch_cmd_say(&err);
	exit(MCH_EXIT_FAILED);
}

/* A full disk or a closed pipe shows only here: results that were lost must not look like success. */
int mch_cmd_finish(int status)
{
	const bool was_broken = ferror(stdout) != 0;
	if (fclose(stdout) == 0 && !was_broken)
		return status;
	if (status != MCH_EXIT_FAILED) /* that one has had its message */
		mch_cmd_fail("standard output", "cannot be written; check free space and the reader");
	return status;
}

void mch_cmd_take_net(const char **net, const char *text)
{
	if (*net)
		mch_cmd_fail(text, "one network is expected; give one");
	*net = text;
}

int mch_cmd_require_writable(const char *path, struct mch_err *err)
{
	struct mch_outfile out;
	if (mch_outfile_open(&out, path, err) != 0)
		return -1;
	mch_outfile_abandon(&out);
	return 0;
}

long mch_cmd_integer(const char *option, const char *text, long low, long high)
{
	char *end;
	const long value = strtol(text, &end, 10);
	if (end == text || *end || value < low || value > high)
		mch_cmd_fail(option, "\"%.60s\" is no whole number from %ld to %ld; give one", text, low, high);
	return value;
}

double mch_cmd_real(const char *option, const char *text, double low, double high)
{
	char *end;
	const double value = strtod(text, &end);
	if (end == text || *end || !(value >= low && value <= high))
		mch_cmd_fail(option, "\"%.60s\" is no number from %g to %g; give one", text, low, high);
	return value;
}

struct mch_acc mch_cmd_acc(const char *option, const char *text)
{
	char *end;
	const long bits = strtol(text, &end, 10);
	const bool saturates = strcmp(end, ":saturate") == 0;
	if (end == text || (*end && !saturates && strcmp(end, ":wrap") != 0) || bits < 2 || bits > MCH_ACC_BITS_MAX)
		mch_cmd_fail(option, "\"%.60s\" is no accumulator of 2 to %d bits; give it as 16, 16:wrap or 16:saturate",
			     text, MCH_ACC_BITS_MAX);
	return (struct mch_acc){(int)bits, saturates ? MCH_SATURATE : MCH_WRAP};
}
