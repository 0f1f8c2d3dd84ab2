/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The commands: one file each, one row each in the table of main.c. */
#ifndef MCH_CLI_CMD_H
#define MCH_CLI_CMD_H

#include <argp.h>
#include <stdbool.h>

#include "base/err.h"
#include "fxp/mac.h"

/* Exit status of every command. */
enum mch_exit {
	MCH_EXIT_OK = 0,       /* done, or agreed */
	MCH_EXIT_MISMATCH = 1, /* a mismatch, or the tolerance was missed */
	MCH_EXIT_FAILED = 2,   /* could not do it: err says why */
};

/* Each runs with its own argv (argv[0] is "macchiato COMMAND"). MCH_EXIT_FAILED comes with err filled in; main prints
 * it. Results go to stdout, progress and errors to stderr. */
int mch_cmd_convert(int argc, char **argv, struct mch_err *err);
int mch_cmd_info(int argc, char **argv, struct mch_err *err);
int mch_cmd_train(int argc, char **argv, struct mch_err *err);
int mch_cmd_eval(int argc, char **argv, struct mch_err *err);
int mch_cmd_ranges(int argc, char **argv, struct mch_err *err);
int mch_cmd_quantize(int argc, char **argv, struct mch_err *err);
int mch_cmd_tune(int argc, char **argv, struct mch_err *err);
int mch_cmd_plan(int argc, char **argv, struct mch_err *err);
int mch_cmd_report(int argc, char **argv, struct mch_err *err);
int mch_cmd_gen(int argc, char **argv, struct mch_err *err);
int mch_cmd_ver(int argc, char **argv, struct mch_err *err);
int mch_cmd_export(int argc, char **argv, struct mch_err *err);

/* Reads the command line as argp_parse would: long options, their unambiguous beginnings, letters, "--". It answers
 * --help, --usage and --version, and ends the program by mch_cmd_fail when it meets what the table does not have.
 * No option has an optional value. The callback is given its input, and of the special keys INIT, ARG, NO_ARGS and END.
 * At INIT it puts the inputs of argp->children, if any, into state->child_inputs; their ENDs come before its own. */
void mch_cmd_parse(const struct argp *argp, int argc, char **argv, void *input);

/* The one message of a program that ends: "macchiato: " and the text, as one line on stderr. */
void mch_cmd_say(const struct mch_err *err);

/* Bad usage: says "macchiato: WHERE: WHAT IS WRONG; WHAT TO DO", `what` as in mch_err_set, and ends with exit 2. */
_Noreturn void mch_cmd_fail(const char *where, const char *what, ...) __attribute__((format(printf, 2, 3)));

/* To be called once, last: closes stdout. Gives back status, or MCH_EXIT_FAILED when results were lost. */
int mch_cmd_finish(int status);

/* The argument that is a network; fails at the second. */
void mch_cmd_take_net(const char **net, const char *text);

/* Minutes of work must not end with a folder that is not there: to be asked first. 0, or -1 with err. */
int mch_cmd_require_writable(const char *path, struct mch_err *err);

/* Parsers of option values; a bad value ends the program by mch_cmd_fail:
 * "macchiato: --epochs: "x" is no whole number from 1 to 1000; ...". */
long mch_cmd_integer(const char *option, const char *text, long low, long high);
double mch_cmd_real(const char *option, const char *text, double low, double high);

/* "16", "16:wrap" or "16:saturate": an accumulator. */
struct mch_acc mch_cmd_acc(const char *option, const char *text);

#endif
