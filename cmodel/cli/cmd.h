/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The commands: one file each, one row each in the table of main.c. */
#ifndef MCH_CLI_CMD_H
#define MCH_CLI_CMD_H

#include <argp.h>
#include <stdbool.h>

#include "base/err.h"

/* Exit status of every command. */
enum mch_exit {
	MCH_EXIT_OK = 0,       /* done, or agreed */
	MCH_EXIT_MISMATCH = 1, /* a mismatch, or the tolerance was missed */
	MCH_EXIT_FAILED = 2,   /* could not do it: err says why */
};

/* Each runs with its own argv (argv[0] is "macchiato COMMAND"). MCH_EXIT_FAILED comes with err filled in; main prints it.
 * Results go to stdout, progress and errors to stderr. */
int mch_cmd_info(int argc, char **argv, struct mch_err *err);
int mch_cmd_train(int argc, char **argv, struct mch_err *err);
int mch_cmd_eval(int argc, char **argv, struct mch_err *err);
int mch_cmd_ranges(int argc, char **argv, struct mch_err *err);
int mch_cmd_quantize(int argc, char **argv, struct mch_err *err);
int mch_cmd_export(int argc, char **argv, struct mch_err *err);

/* argp_parse with this program's rules: bad usage is exit 2 with one message in the one form. */
void mch_cmd_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Parsers of option values; a bad value ends the program in the one form, with exit 2:
 * "macchiato: --epochs: "x" is no whole number from 1 to 1000; ...". */
long mch_cmd_integer(const char *option, const char *text, long low, long high);
double mch_cmd_real(const char *option, const char *text, double low, double high);

#endif
