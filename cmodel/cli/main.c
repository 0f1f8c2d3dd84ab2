/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The program: finds the command, runs it, prints its error. */
#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/temporary.h"
#include "cli/cmd.h"

static const struct command {
	const char *name, *args, *summary;
	int (*run)(int argc, char **argv, struct mch_err *err);
} commands[] = {
	{"info", "NET", "layers, shapes, multiply-accumulates, parameters", mch_cmd_info},
	{"train", "NET.prototxt --data=PATH -o NET.onnx", "train in float, from scratch", mch_cmd_train},
	{"eval", "NET --data=PATH [--quant=Q.json]", "accuracy: float, or exact integers", mch_cmd_eval},
	{"ranges", "NET --data=PATH", "range and suggested format of every tensor", mch_cmd_ranges},
	{"quantize", "NET --data=PATH --error-margin=1 -o Q.json", "search the smallest bit-widths", mch_cmd_quantize},
	{"tune", "NET --quant=Q.json --data=PATH -o NET2.onnx", "train on for the formats found", mch_cmd_tune},
	{"plan", "NET Q.json [--array=16x16]", "cycles, memory and logic of each layer", mch_cmd_plan},
	{"report", "NET Q.json -o report.html", "one page about a quantized network, with pictures", mch_cmd_report},
	{"convert", "NET -o NET.onnx", "write a network in another format", mch_cmd_convert},
	{"export", "NET Q.json -o DIR", "headers, memory images, vectors for hardware", mch_cmd_export},
	{"gen", "OP [--stimulus] | SIMULATOR | macchiato ver OP", "cases of an operator, for RTL of your own", mch_cmd_gen},
	{"ver", "OP [FILE]", "judge what a simulator made of these cases", mch_cmd_ver},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *stream)
{
	fprintf(stream, "Usage: macchiato COMMAND [--option=value] FILE...\n\n");
	for (int i = 0; i < N_COMMANDS; i++)
		fprintf(stream, "  %-8s %s\n           %s\n", commands[i].name, commands[i].args, commands[i].summary);
	fprintf(stream, "\n`macchiato COMMAND --help` lists its options, `man macchiato` tells the rest.\n");
}

/* The number of a standard stream that is closed would go to the first file that is opened, and a report be printed
 * into that. Open the wrong way round, /dev/null fails each use as the closed stream did. */
static void keep_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int run(const struct command *command, int argc, char **argv)
{
	static char name[64];
	struct mch_err err = {""};
	snprintf(name, sizeof(name), "macchiato %s", command->name);
	argv[0] = name;
	const int status = command->run(argc, argv, &err);
	if (status == MCH_EXIT_FAILED)
		mch_cmd_say(&err);
	return mch_cmd_finish(status);
}

static bool is_any(const char *text, const char *one, const char *other)
{
	return strcmp(text, one) == 0 || strcmp(text, other) == 0;
}

int main(int argc, char **argv)
{
	keep_streams();
	mch_temporary_guard();
	signal(SIGXFSZ, SIG_IGN); /* a file that grows too large is a failed write, with its message */
	if (argc < 2) {
		usage(stderr);
		mch_cmd_fail("COMMAND", "none given; give one of these");
	}
	if (is_any(argv[1], "--help", "-?") || (argc == 2 && strcmp(argv[1], "help") == 0)) {
		usage(stdout);
		return mch_cmd_finish(MCH_EXIT_OK);
	}
	if (is_any(argv[1], "--version", "-V")) {
		printf("macchiato %s\n", PACKAGE_VERSION);
		return mch_cmd_finish(MCH_EXIT_OK);
	}
	static char help[] = "--help";
	const bool is_help = strcmp(argv[1], "help") == 0; /* macchiato help COMMAND */
	const char *name = argv[is_help ? 2 : 1];
	for (int i = 0; i < N_COMMANDS; i++) {
		if (strcmp(name, commands[i].name) != 0)
			continue;
		if (is_help)
			return run(&commands[i], 2, (char *[]){NULL, help, NULL});
		return run(&commands[i], argc - 1, argv + 1);
	}
	if (name[0] == '-')
		mch_cmd_fail(name, "no such option; the command comes first, `macchiato --help` lists them");
	mch_cmd_fail(name, "no such command; `macchiato --help` lists the commands");
}
