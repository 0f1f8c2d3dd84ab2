/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Temporary files and folders; see temporary.h. */
#include "base/temporary.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct entry {
	struct entry *next; /* made before this one: a folder comes behind its files */
	bool is_folder;
	char name[];
};

/* Changed under hold only, so the handler, which runs in the same thread, never meets half a change. */
static struct entry *newest;
static pthread_t main_thread;
static bool is_guarded;

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
enum { N_DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

/* Async-signal-safe throughout. A worker passes the signal on: the main thread takes it when it holds none off. */
static void remove_and_die(int signal_number)
{
	if (!pthread_equal(pthread_self(), main_thread)) {
		pthread_kill(main_thread, signal_number);
		return;
	}
	for (const struct entry *e = newest; e; e = e->next) {
		if (e->is_folder)
			rmdir(e->name);
		else
			unlink(e->name);
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number); /* comes through when this function returns */
}

void mch_temporary_guard(void)
{
	if (!is_guarded)
		main_thread = pthread_self();
	is_guarded = true;
	struct sigaction action = {.sa_handler = remove_and_die}, old;
	sigfillset(&action.sa_mask); /* one is enough */
	for (int i = 0; i < N_DEADLY; i++)
		if (sigaction(deadly[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
}

void mch_temporary_hold(sigset_t *before)
{
	sigset_t held;
	sigemptyset(&held);
	for (int i = 0; i < N_DEADLY; i++)
		sigaddset(&held, deadly[i]);
	pthread_sigmask(SIG_BLOCK, &held, before);
}

void mch_temporary_release(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static struct entry *remember(const char *name, bool is_folder)
{
	const size_t n_bytes = strlen(name) + 1;
	struct entry *e = malloc(sizeof(*e) + n_bytes);
	if (!e)
		return NULL;
	e->is_folder = is_folder;
	memcpy(e->name, name, n_bytes);
	e->next = newest;
	newest = e;
	return e;
}

static bool is_below(const char *name, const char *folder)
{
	const size_t n = strlen(folder);
	return strncmp(name, folder, n) == 0 && name[n] == '/';
}

void mch_temporary_forget(const char *name)
{
	sigset_t before;
	mch_temporary_hold(&before);
	for (struct entry **at = &newest; *at;) {
		struct entry *e = *at;
		if (strcmp(e->name, name) == 0 || is_below(e->name, name)) {
			*at = e->next;
			free(e);
		} else {
			at = &e->next;
		}
	}
	mch_temporary_release(&before);
}

/* The name is known only when the file is there: the two are one step. */
static int make(char *name, bool is_folder)
{
	sigset_t before;
	mch_temporary_hold(&before);
	int made = is_folder ? (mkdtemp(name) ? 0 : -1) : mkstemp(name);
	if (made >= 0 && !remember(name, is_folder)) {
		remove(name);
		if (!is_folder)
			close(made);
		errno = ENOMEM;
		made = -1;
	}
	const int reason = errno;
	mch_temporary_release(&before);
	errno = reason;
	return made;
}

int mch_temporary_file(char *name)
{
	return make(name, false);
}

int mch_temporary_folder(char *name)
{
	return make(name, true);
}

static bool is_in_temporary_folder(const char *path)
{
	for (const struct entry *e = newest; e; e = e->next)
		if (e->is_folder && is_below(path, e->name))
			return true;
	return false;
}

int mch_temporary_keep(const char *name, const char *path)
{
	sigset_t before;
	mch_temporary_hold(&before);
	const bool is_remembered = is_in_temporary_folder(path);
	int reason = is_remembered && !remember(path, false) ? ENOMEM : 0;
	if (!reason && rename(name, path) != 0)
		reason = errno;
	if (!reason)
		mch_temporary_forget(name);
	else if (is_remembered)
		mch_temporary_forget(path);
	mch_temporary_release(&before);
	errno = reason;
	return reason ? -1 : 0;
}
