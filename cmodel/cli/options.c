/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading a command line. The tables, the callbacks and the help texts are argp's; the reading is done here, because
 * argp_parse and getopt print bad usage in words of their own, and never what to do. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"

enum { KEY_USAGE = 0x10000 };

static const struct argp_option common[] = {
	{"help", '?', NULL, 0, "Print this help", -1},
	{"usage", KEY_USAGE, NULL, 0, "Print a short usage message", -1},
	{"version", 'V', NULL, 0, "Print the program's version", -1},
	{0},
};

struct reader {
	const struct argp *argp;
	struct argp_state state;
	char *program; /* "macchiato COMMAND" */
	char **argv;
	int argc, next; /* the next argument to look at */
	int n_args;     /* that are no options */
};

static bool is_end(const struct argp_option *option)
{
	return !option->name && !option->key && !option->doc;
}

static const struct argp_option *find_key(const struct argp_option *list, int key)
{
	for (; !is_end(list); list++)
		if (list->key == key)
			return list;
	return NULL;
}

/* A letter is its option's key. */
static const struct argp_option *find_letter(const struct reader *r, char letter)
{
	const struct argp_option *own = find_key(r->argp->options, letter);
	return own ? own : find_key(common, letter);
}

/* "--images or --in": the long options that begin with the n characters of name. */
static int list_matches(const struct argp_option *list, const char *name, size_t n, char *text, size_t room,
			int n_found, const struct argp_option **found)
{
	for (; !is_end(list); list++) {
		if (!list->name || strncmp(list->name, name, n) != 0)
			continue;
		const size_t used = strlen(text);
		snprintf(text + used, room - used, "%s--%s", n_found++ ? " or " : "", list->name);
		*found = list;
		if (strlen(list->name) == n) /* the whole name is never ambiguous */
			return -1;
	}
	return n_found;
}

static const struct argp_option *find_name(const struct reader *r, const char *name, size_t n)
{
	char text[256] = "", where[64];
	snprintf(where, sizeof(where), "--%.*s", (int)(n < 60 ? n : 60), name);
	const struct argp_option *found = NULL;
	int n_found = list_matches(r->argp->options, name, n, text, sizeof(text), 0, &found);
	if (n_found >= 0)
		n_found = list_matches(common, name, n, text, sizeof(text), n_found, &found);
	if (n_found == 0)
		mch_cmd_fail(where, "no such option; `%s --help` lists the options", r->program);
	if (n_found > 1)
		mch_cmd_fail(where, "could be %s; write more of it", text);
	return found;
}

/* The tables of the command and those that all have, as one, the way argp joins them. */
static void help(const struct reader *r, unsigned flags)
{
	static const struct argp shared = {common, NULL, NULL, NULL, NULL, NULL, NULL};
	const struct argp_child children[] = {{r->argp, 0, NULL, 0}, {&shared, 0, NULL, 0}, {0}};
	const struct argp whole = {NULL, NULL, NULL, NULL, children, NULL, NULL};
	argp_help(&whole, stdout, flags, r->program);
	exit(mch_cmd_finish(MCH_EXIT_OK));
}

static void take(struct reader *r, const struct argp_option *option, char *value)
{
	if (option->key == '?')
		help(r, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
	if (option->key == KEY_USAGE)
		help(r, ARGP_HELP_USAGE);
	if (option->key == 'V') {
		printf("macchiato %s\n", PACKAGE_VERSION);
		exit(mch_cmd_finish(MCH_EXIT_OK));
	}
	r->argp->parser(option->key, value, &r->state);
}

static void read_long(struct reader *r, char *text)
{
	const size_t n = strcspn(text, "=");
	const struct argp_option *option = find_name(r, text, n);
	char *value = text[n] ? text + n + 1 : NULL, where[64];
	snprintf(where, sizeof(where), "--%s", option->name);
	if (!option->arg && value)
		mch_cmd_fail(where, "takes no value, but \"%.60s\" is given; leave it out", value);
	if (option->arg && !value) {
		if (r->next == r->argc)
			mch_cmd_fail(where, "its value is missing; give it, as in %s=%s", where, option->arg);
		value = r->argv[r->next++];
	}
	take(r, option, value);
}

/* "-qj" is two options, "-oFILE" is one with its value. */
static void read_letters(struct reader *r, char *text)
{
	for (; *text; text++) {
		const struct argp_option *option = find_letter(r, *text);
		const char where[] = {'-', *text, '\0'};
		if (!option)
			mch_cmd_fail(where, "no such option; `%s --help` lists the options", r->program);
		if (!option->arg) {
			take(r, option, NULL);
			continue;
		}
		char *value = text[1] ? text + 1 : NULL;
		if (!value && r->next == r->argc)
			mch_cmd_fail(where, "its value is missing; give it, as in %s %s", where, option->arg);
		take(r, option, value ? value : r->argv[r->next++]);
		return;
	}
}

void mch_cmd_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	struct reader r = {.argp = argp, .program = argv[0], .argv = argv, .argc = argc, .next = 1,
			   .state = {.root_argp = argp, .argc = argc, .argv = argv, .name = argv[0], .input = input}};
	bool has_options = true; /* none behind "--" */
	while (r.next < argc) {
		char *text = argv[r.next++];
		if (has_options && strcmp(text, "--") == 0) {
			has_options = false;
		} else if (has_options && strncmp(text, "--", 2) == 0) {
			read_long(&r, text + 2);
		} else if (has_options && text[0] == '-' && text[1]) {
			read_letters(&r, text + 1);
		} else {
			r.n_args++;
			argp->parser(ARGP_KEY_ARG, text, &r.state);
		}
	}
	if (r.n_args == 0)
		argp->parser(ARGP_KEY_NO_ARGS, NULL, &r.state);
	argp->parser(ARGP_KEY_END, NULL, &r.state);
}
