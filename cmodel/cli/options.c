/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading a command line. The tables, the callbacks and the help texts are argp's; the reading is done here, because
 * argp_parse and getopt print bad usage in words of their own, and never what to do. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "cli/cmd.h"

enum { KEY_USAGE = 0x10000, CHILDREN_MAX = 8 };

static const struct argp_option common[] = {
	{"help", '?', NULL, 0, "Print this help", -1},
	{"usage", KEY_USAGE, NULL, 0, "Print a short usage message", -1},
	{"version", 'V', NULL, 0, "Print the program's version", -1},
	{0},
};

struct reader {
	const struct argp *argp;
	struct argp_state state;
	int n_children;
	void *child_inputs[CHILDREN_MAX + 1];
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

/* The table of the command is number -1, those of its children follow, the last is the common one. */
static const struct argp_option *table(const struct reader *r, int i)
{
	return i < 0 ? r->argp->options : i < r->n_children ? r->argp->children[i].argp->options : common;
}

/* An option, and whose it is. */
struct found {
	const struct argp_option *option;
	int table;
};

/* A letter is its option's key. */
static struct found find_letter(const struct reader *r, char letter)
{
	for (int i = -1; i <= r->n_children; i++) {
		const struct argp_option *option = find_key(table(r, i), letter);
		if (option)
			return (struct found){option, i};
	}
	return (struct found){NULL, 0};
}

/* "--images or --in": the long options of table i that begin with the n characters of name. */
static int list_matches(const struct reader *r, int i, const char *name, size_t n, char *text, size_t room,
			int n_found, struct found *found)
{
	for (const struct argp_option *list = table(r, i); !is_end(list); list++) {
		if (!list->name || strncmp(list->name, name, n) != 0)
			continue;
		const size_t used = strlen(text);
		snprintf(text + used, room - used, "%s--%s", n_found++ ? " or " : "", list->name);
		*found = (struct found){list, i};
		if (strlen(list->name) == n) /* the whole name is never ambiguous */
			return -1;
	}
	return n_found;
}

static struct found find_name(const struct reader *r, const char *name, size_t n)
{
	char text[512] = "", where[64];
	snprintf(where, sizeof(where), "--%.*s", (int)(n < 60 ? n : 60), name);
	struct found found = {NULL, 0};
	int n_found = 0;
	for (int i = -1; i <= r->n_children && n_found >= 0; i++)
		n_found = list_matches(r, i, name, n, text, sizeof(text), n_found, &found);
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

/* One call of the parser of the command (-1) or of a child. */
static error_t call(struct reader *r, int i, int key, char *value)
{
	if (i < 0)
		return r->argp->parser(key, value, &r->state);
	struct argp_state state = r->state;
	state.input = r->child_inputs[i];
	return r->argp->children[i].argp->parser(key, value, &state);
}

static void take(struct reader *r, struct found found, char *value)
{
	const struct argp_option *option = found.option;
	if (option->key == '?')
		help(r, ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC);
	if (option->key == KEY_USAGE)
		help(r, ARGP_HELP_USAGE);
	if (option->key == 'V') {
		printf("macchiato %s\n", PACKAGE_VERSION);
		exit(mch_cmd_finish(MCH_EXIT_OK));
	}
	call(r, found.table, option->key, value);
}

static void read_long(struct reader *r, char *text)
{
	const size_t n = strcspn(text, "=");
	const struct found found = find_name(r, text, n);
	const struct argp_option *option = found.option;
	char *value = text[n] ? text + n + 1 : NULL, where[64];
	snprintf(where, sizeof(where), "--%s", option->name);
	if (!option->arg && value)
		mch_cmd_fail(where, "takes no value, but \"%.60s\" is given; leave it out", value);
	if (option->arg && !value) {
		if (r->next == r->argc)
			mch_cmd_fail(where, "its value is missing; give it, as in %s=%s", where, option->arg);
		value = r->argv[r->next++];
	}
	take(r, found, value);
}

/* "-qj" is two options, "-oFILE" is one with its value. */
static void read_letters(struct reader *r, char *text)
{
	for (; *text; text++) {
		const struct found found = find_letter(r, *text);
		const struct argp_option *option = found.option;
		const char where[] = {'-', *text, '\0'};
		if (!option)
			mch_cmd_fail(where, "no such option; `%s --help` lists the options", r->program);
		if (!option->arg) {
			take(r, found, NULL);
			continue;
		}
		char *value = text[1] ? text + 1 : NULL;
		if (!value && r->next == r->argc)
			mch_cmd_fail(where, "its value is missing; give it, as in %s %s", where, option->arg);
		take(r, found, value ? value : r->argv[r->next++]);
		return;
	}
}

/* An argument that is no option goes to the command, or to the first child that takes it. */
static void take_argument(struct reader *r, char *text)
{
	r->n_args++;
	for (int i = -1; i < r->n_children; i++)
		if (call(r, i, ARGP_KEY_ARG, text) != ARGP_ERR_UNKNOWN)
			return;
	mch_cmd_fail(text, "no argument is expected here; `%s --help` lists the options", r->program);
}

/* Children come to their end first: the command may use what they found. */
static void call_all(struct reader *r, int key)
{
	for (int i = 0; i < r->n_children; i++)
		call(r, i, key, NULL);
	call(r, -1, key, NULL);
}

void mch_cmd_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	struct reader r = {.argp = argp, .program = argv[0], .argv = argv, .argc = argc, .next = 1,
			   .state = {.root_argp = argp, .argc = argc, .argv = argv, .name = argv[0], .input = input}};
	bool has_options = true; /* none behind "--" */
	while (argp->children && argp->children[r.n_children].argp)
		r.n_children++;
	MCH_REQUIRE(r.n_children <= CHILDREN_MAX, "room for every child");
	r.state.child_inputs = r.child_inputs;
	call(&r, -1, ARGP_KEY_INIT, NULL);
	while (r.next < argc) {
		char *text = argv[r.next++];
		if (has_options && strcmp(text, "--") == 0) {
			has_options = false;
		} else if (has_options && strncmp(text, "--", 2) == 0) {
			read_long(&r, text + 2);
		} else if (has_options && text[0] == '-' && text[1]) {
			read_letters(&r, text + 1);
		} else {
			take_argument(&r, text);
		}
	}
	if (r.n_args == 0)
		call_all(&r, ARGP_KEY_NO_ARGS);
	call_all(&r, ARGP_KEY_END);
}
