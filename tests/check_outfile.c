/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Output files: whole or not at all, and nothing left behind on any way out. */
#include "base/outfile.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"

static char folder[64];

static void enter_folder(void)
{
	strcpy(folder, "check_outfile.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
}

static int n_entries(void)
{
	DIR *dir = opendir(".");
	int n = 0;
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

/* Also proves that nothing else is left: the folder can be removed. */
static void leave_folder(void)
{
	unlink("out");
	unlink("link");
	ck_assert_int_eq(n_entries(), 0);
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void holds(const char *path, const char *text)
{
	char found[64] = "";
	FILE *stream = fopen(path, "rb");
	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fread(found, 1, sizeof(found) - 1, stream), strlen(text));
	fclose(stream);
	ck_assert_str_eq(found, text);
}

static void write_file(const char *path, const char *text)
{
	struct mch_outfile out;
	struct mch_err err;
	ck_assert_int_eq(mch_outfile_open(&out, path, &err), 0);
	fputs(text, out.stream);
	ck_assert_int_eq(mch_outfile_commit(&out, &err), 0);
	mch_outfile_abandon(&out); /* safe after commit */
}

START_TEST(appears_whole)
{
	struct mch_outfile out;
	struct mch_err err;
	struct stat status;
	enter_folder();
	umask(022);
	ck_assert_int_eq(mch_outfile_open(&out, "out", &err), 0);
	fputs("new", out.stream);
	fflush(out.stream);
	ck_assert_int_ne(access("out", F_OK), 0); /* not there yet */
	ck_assert_int_eq(mch_outfile_commit(&out, &err), 0);
	holds("out", "new");
	ck_assert_int_eq(stat("out", &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0644);
	write_file("out", "newer");
	holds("out", "newer");
	leave_folder();
}
END_TEST

START_TEST(abandoned_leaves_the_old)
{
	struct mch_outfile out;
	struct mch_err err;
	enter_folder();
	write_file("out", "old");
	ck_assert_int_eq(mch_outfile_open(&out, "out", &err), 0);
	fputs("half of the n", out.stream);
	mch_outfile_abandon(&out);
	mch_outfile_abandon(&out);
	holds("out", "old");
	ck_assert_int_eq(n_entries(), 1);
	leave_folder();
}
END_TEST

START_TEST(unwritable)
{
	struct mch_outfile out;
	struct mch_err err;
	enter_folder();
	ck_assert_int_eq(mch_outfile_open(&out, "none/out", &err), -1);
	ck_assert_str_eq(err.text, "none/out: cannot be written (No such file or directory); check the folder, its "
				   "permissions and free space");
	mch_outfile_abandon(&out);
	ck_assert_int_eq(mkdir("out", 0777), 0);
	ck_assert_int_eq(mch_outfile_open(&out, "out", &err), -1);
	ck_assert_str_eq(err.text,
			 "out: cannot be written (Is a directory); check the folder, its permissions and free space");
	ck_assert_int_eq(rmdir("out"), 0);
	leave_folder();
}
END_TEST

/* The path turns into a folder while the file is written: the rename fails, and the temporary file goes. */
START_TEST(failed_rename)
{
	struct mch_outfile out;
	struct mch_err err;
	enter_folder();
	ck_assert_int_eq(mch_outfile_open(&out, "out", &err), 0);
	fputs("text", out.stream);
	ck_assert_int_eq(mkdir("out", 0777), 0);
	ck_assert_int_eq(mch_outfile_commit(&out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "out: cannot be written (Is a directory)"));
	ck_assert_int_eq(rmdir("out"), 0);
	leave_folder();
}
END_TEST

/* An earlier write failed, and a later flush does not: the file is incomplete all the same. */
START_TEST(broken_stream)
{
	struct mch_outfile out;
	struct mch_err err;
	enter_folder();
	ck_assert_int_eq(mch_outfile_open(&out, "out", &err), 0);
	fclose(out.stream);
	out.stream = fopen(out.temporary, "rb"); /* writing into it sets the error flag */
	ck_assert_ptr_nonnull(out.stream);
	fputs("text", out.stream);
	ck_assert_int_eq(mch_outfile_commit(&out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "out: cannot be written ("));
	leave_folder();
}
END_TEST

START_TEST(link_is_followed)
{
	struct stat status;
	enter_folder();
	write_file("out", "old");
	ck_assert_int_eq(symlink("out", "link"), 0);
	write_file("link", "new");
	holds("out", "new");
	ck_assert_int_eq(lstat("link", &status), 0);
	ck_assert(S_ISLNK(status.st_mode));
	leave_folder();
}
END_TEST

/* The full disk, where the system has one; and a device must stay a device, also for root. */
START_TEST(devices)
{
	struct mch_outfile out;
	struct mch_err err;
	struct stat status;
	write_file("/dev/null", "gone");
	ck_assert_int_eq(stat("/dev/null", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
	if (access("/dev/full", W_OK) != 0)
		return;
	ck_assert_int_eq(mch_outfile_open(&out, "/dev/full", &err), 0);
	fputs("text", out.stream);
	ck_assert_int_eq(mch_outfile_commit(&out, &err), -1);
	ck_assert_str_eq(err.text, "/dev/full: cannot be written (No space left on device); check the folder, its "
				   "permissions and free space");
	ck_assert_int_eq(stat("/dev/full", &status), 0);
	ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

START_TEST(dash_is_stdout)
{
	struct mch_outfile out;
	struct mch_err err;
	ck_assert_int_eq(mch_outfile_open(&out, "-", &err), 0);
	ck_assert_ptr_eq(out.stream, stdout);
	ck_assert_int_eq(mch_outfile_commit(&out, &err), 0);
	if (!freopen("/dev/full", "wb", stdout))
		return;
	ck_assert_int_eq(mch_outfile_open(&out, "-", &err), 0);
	fputs("text", out.stream);
	ck_assert_int_eq(mch_outfile_commit(&out, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "standard output: cannot be written (No space left on device)"));
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {appears_whole, abandoned_leaves_the_old, unwritable, failed_rename,
				      broken_stream, link_is_followed,         devices,    dash_is_stdout};
	return CHECK_SUITE("outfile", tests);
}

int main(void)
{
	return check_main(suite);
}
