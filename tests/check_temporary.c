/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Temporary files: a signal removes each of them and nothing else, and ends the program as it would have. */
#include "base/temporary.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"

static char folder[64];

static void enter_folder(void)
{
	strcpy(folder, "check_temporary.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else is in it */
}

static void make_file(char *name)
{
	const int fd = mch_temporary_file(name);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* Files and folders in each state that they can be in. */
static void make_all(void)
{
	char gone[] = "gone.XXXXXX", kept[] = "kept.XXXXXX", open_file[] = "open.XXXXXX";
	char old[] = "old.XXXXXX", inner[64], path[64], whole[] = "whole.XXXXXX";
	make_file(gone);
	unlink(gone);
	mch_temporary_forget(gone);
	make_file(kept);
	ck_assert_int_eq(mch_temporary_keep(kept, "kept"), 0);
	make_file(open_file);
	ck_assert_int_eq(mch_temporary_folder(old), 0);
	/* A file that is finished in a folder that is not, and one that neither is. */
	snprintf(inner, sizeof(inner), "%s/a.XXXXXX", old);
	make_file(inner);
	snprintf(path, sizeof(path), "%s/a", old);
	ck_assert_int_eq(mch_temporary_keep(inner, path), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	snprintf(inner, sizeof(inner), "%s/b.XXXXXX", old);
	make_file(inner);
	/* A folder that is finished, with its file. */
	ck_assert_int_eq(mch_temporary_folder(whole), 0);
	snprintf(inner, sizeof(inner), "%s/c.XXXXXX", whole);
	make_file(inner);
	snprintf(path, sizeof(path), "%s/c", whole);
	ck_assert_int_eq(mch_temporary_keep(inner, path), 0);
	ck_assert_int_eq(rename(whole, "whole"), 0);
	mch_temporary_forget(whole);
}

static void *send_signal(void *number)
{
	pthread_kill(pthread_self(), *(const int *)number);
	return NULL;
}

static void expect_death(int number, bool by_worker)
{
	enter_folder();
	const pid_t child = fork();
	if (child == 0) {
		pthread_t worker;
		signal(number, SIG_DFL); /* whoever runs the tests may ignore it, as nohup does */
		mch_temporary_guard();
		make_all();
		if (by_worker && pthread_create(&worker, NULL, send_signal, &number) == 0)
			pthread_join(worker, NULL);
		else
			raise(number);
		sleep(10); /* for the main thread to take what the worker passed on */
		_exit(1);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), number);
	ck_assert_int_eq(unlink("kept"), 0);
	ck_assert_int_eq(unlink("whole/c"), 0);
	ck_assert_int_eq(rmdir("whole"), 0);
	leave_folder();
}

START_TEST(removes_and_dies)
{
	expect_death(SIGINT, false);
	expect_death(SIGTERM, false);
	expect_death(SIGHUP, false);
	expect_death(SIGPIPE, false);
}
END_TEST

START_TEST(worker_passes_on)
{
	expect_death(SIGINT, true);
}
END_TEST

START_TEST(ignored_stays_ignored)
{
	char name[] = "file.XXXXXX";
	enter_folder();
	signal(SIGHUP, SIG_IGN);
	mch_temporary_guard();
	make_file(name);
	raise(SIGHUP);
	ck_assert_int_eq(unlink(name), 0);
	leave_folder();
}
END_TEST

/* Held off, a signal comes when the steps are done. */
START_TEST(hold)
{
	enter_folder();
	const pid_t child = fork();
	if (child == 0) {
		sigset_t before;
		char name[] = "file.XXXXXX";
		mch_temporary_guard();
		mch_temporary_hold(&before);
		raise(SIGTERM);
		make_file(name);
		const bool is_late = access(name, F_OK) == 0 && mkdir("late", 0777) == 0;
		mch_temporary_release(&before);
		_exit(is_late ? 1 : 2);
	}
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(rmdir("late"), 0);
	leave_folder();
}
END_TEST

START_TEST(errors)
{
	char nowhere[] = "none/file.XXXXXX", plain[] = "no-pattern", name[] = "file.XXXXXX";
	enter_folder();
	ck_assert_int_eq(mch_temporary_file(nowhere), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(mch_temporary_folder(plain), -1);
	ck_assert_int_eq(errno, EINVAL);
	make_file(name);
	ck_assert_int_eq(mch_temporary_keep(name, "none/file"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(unlink(name), 0);
	leave_folder();
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {removes_and_dies, worker_passes_on, ignored_stays_ignored, hold, errors};
	return CHECK_SUITE("temporary", tests);
}

int main(void)
{
	return check_main(suite);
}
