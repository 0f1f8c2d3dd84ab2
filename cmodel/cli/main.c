/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The program: finds the command, runs it, prints its error. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"

static const struct command {
	const char *name, *args, *summary;
	int (*run)(int argc, char **argv, struct mch_err *err);
} commands[] = {
	{"info", "NET", "layers, shapes, multiply-accumulates, parameters", mch_cmd_info},
	{"train", "NET.prototxt --data=DIR -o NET.onnx", "train in float, from scratch", mch_cmd_train},
	{"eval", "NET --data=DIR [--quant=Q.json]", "accuracy: float, or exact integers", mch_cmd_eval},
	{"ranges", "NET --data=DIR", "range and suggested format of every tensor", mch_cmd_ranges},
	{"quantize", "NET --data=DIR --error-margin=1 -o Q.json", "search the smallest bit-widths", mch_cmd_quantize},
	{"export", "NET Q.json -o DIR", "headers, memory images, vectors for hardware", mch_cmd_export},
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void usage(FILE *stream)
{
	fprintf(stream, "Usage: macchiato COMMAND [--option=value] FILE...\n\n");
	for (int i = 0; i < N_COMMANDS; i++)
		fprintf(stream, "  %-9s %-42s %s\n", commands[i].name, commands[i].args, commands[i].summary);
	fprintf(stream, "\n`macchiato COMMAND --help` lists a command's options; `man macchiato` tells the rest.\n");
}

/* A full disk or a closed pipe shows only here: results that were lost must not look like success. */
static int finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "macchiato: standard output: cannot be written; check free space and the reader\n");
		return MCH_EXIT_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return MCH_EXIT_FAILED;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return finish(MCH_EXIT_OK);
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("macchiato %s\n", PACKAGE_VERSION);
		return finish(MCH_EXIT_OK);
	}
	for (int i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		static char name[64];
		snprintf(name, sizeof(name), "macchiato %s", commands[i].name);
		argv[1] = name;
		struct mch_err err = {""};
		const int status = commands[i].run(argc - 1, argv + 1, &err);
		if (status == MCH_EXIT_FAILED)
			fprintf(stderr, "macchiato: %s\n", err.text);
		return finish(status);
	}
	fprintf(stderr, "macchiato: %s: no such command; `macchiato --help` lists the commands\n", argv[1]);
	return MCH_EXIT_FAILED;
}
