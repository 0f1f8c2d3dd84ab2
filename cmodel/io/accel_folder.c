/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Whole folders or none; see accel_folder.h. */
#include "io/accel_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary.h"
#include "io/accel_manifest.h"
#include "io/program_json.h"

static int fail(const char *name, int reason, struct mch_err *err)
{
	return mch_err_set(err, name, "cannot be written (%s); check the folder, its permissions and free space",
			   strerror(reason));
}

static bool ends_with(const char *text, const char *end)
{
	const size_t n = strlen(text), n_end = strlen(end);
	return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

/* A name that an export gives to a file. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {MCH_ACCEL_MANIFEST, MCH_PROGRAM_JSON, "macchiato_config.h",
					    "macchiato_config.vh", "mch_config.h", "mch_config.vh"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	static const char *const ends[] = {".mem", ".vec", ".bin", ".coe", ".hex", ".mif"};
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(name, ends[i]))
			return true;
	return false;
}

/* What lies in a folder, as far as replacing it goes. */
struct content {
	bool has_manifest, is_empty;
	char foreign[256], folder[256]; /* the first of each, or "" */
};

/* readdir has no order of its own: the first by name is told, so that a message is always the same. */
static void keep_first(char kept[256], const char *name)
{
	if (!kept[0] || strcmp(name, kept) < 0)
		snprintf(kept, 256, "%s", name);
}

static int look(const char *path, struct content *content)
{
	*content = (struct content){.is_empty = true};
	DIR *dir = opendir(path);
	if (!dir)
		return -1;
	const struct dirent *entry;
	while ((entry = readdir(dir))) {
		struct stat about;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		content->is_empty = false;
		if (strcmp(entry->d_name, MCH_ACCEL_MANIFEST) == 0 || strcmp(entry->d_name, MCH_PROGRAM_JSON) == 0)
			content->has_manifest = true;
		if (fstatat(dirfd(dir), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode))
			keep_first(content->folder, entry->d_name);
		else if (!is_ours(entry->d_name))
			keep_first(content->foreign, entry->d_name);
	}
	closedir(dir);
	return 0;
}

/* May what is at path go? 0 also when there is nothing. */
static int check_replaceable(const char *name, const char *path, bool force, struct mch_err *err)
{
	struct stat about;
	struct content content;
	if (lstat(path, &about) != 0)
		return errno == ENOENT ? 0 : fail(name, errno, err);
	if (!S_ISDIR(about.st_mode))
		return mch_err_set(err, name, "is a file, not a folder; choose another name for -o");
	if (look(path, &content) != 0)
		return fail(name, errno, err);
	if (content.folder[0])
		return mch_err_set(err, name,
				   "holds the folder \"%s\", which no export makes; choose another name for -o",
				   content.folder);
	if (force || content.is_empty)
		return 0;
	if (!content.has_manifest)
		return mch_err_set(err, name,
				   "holds files and no " MCH_ACCEL_MANIFEST ", so it is no export; choose another "
				   "name for -o, or replace all of it with --force");
	if (content.foreign[0])
		return mch_err_set(err, name,
				   "holds \"%s\", which is no part of an export; move that away, or replace all of "
				   "it with --force", content.foreign);
	return 0;
}

/* Files only: a folder inside makes the rmdir fail, and nothing in it is touched. */
static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	if (dir) {
		const struct dirent *entry;
		while ((entry = readdir(dir)))
			unlinkat(dirfd(dir), entry->d_name, 0);
		closedir(dir);
	}
	rmdir(path);
	mch_temporary_forget(path);
}

/* A new empty folder "PATH.XXXXXX" with the permissions that mkdir would have given it. */
static char *make_beside(const char *path)
{
	const size_t room = strlen(path) + sizeof(".XXXXXX");
	char *made = malloc(room);
	if (!made)
		return NULL;
	snprintf(made, room, "%s.XXXXXX", path);
	const mode_t mask = umask(0);
	umask(mask);
	if (mch_temporary_folder(made) == 0) {
		if (chmod(made, 0777 & ~mask) == 0)
			return made;
		const int reason = errno;
		rmdir(made);
		mch_temporary_forget(made);
		errno = reason;
	}
	free(made);
	return NULL;
}

int mch_accel_folder_begin(struct mch_accel_folder *folder, const char *name, bool force, struct mch_err *err)
{
	memset(folder, 0, sizeof(*folder));
	if (!name[0])
		return mch_err_set(err, "-o", "the name of the folder is empty; give one");
	folder->name = strdup(name);
	folder->path = realpath(name, NULL); /* through links, so that the link itself stays */
	if (!folder->path) {
		folder->path = strdup(name);
		for (size_t n = folder->path ? strlen(folder->path) : 0; n > 1 && folder->path[n - 1] == '/'; n--)
			folder->path[n - 1] = '\0';
	}
	int status = folder->name && folder->path ? 0 : fail(name, ENOMEM, err);
	if (status == 0)
		status = check_replaceable(name, folder->path, force, err);
	if (status == 0) {
		folder->temporary = make_beside(folder->path);
		status = folder->temporary ? 0 : fail(name, errno, err);
	}
	if (status != 0)
		mch_accel_folder_abandon(folder);
	return status;
}

int mch_accel_folder_commit(struct mch_accel_folder *folder, struct mch_err *err)
{
	sigset_t before;
	/* A folder can take the place of an empty one alone; so the old one steps aside first (and back). No signal may come
	 * between: it would find the old one under a temporary name. */
	mch_temporary_hold(&before);
	char *aside = make_beside(folder->path);
	int reason = aside ? 0 : errno;
	if (!reason && rename(folder->path, aside) != 0 && errno != ENOENT)
		reason = errno;
	if (!reason && rename(folder->temporary, folder->path) != 0) {
		reason = errno;
		rename(aside, folder->path);
	}
	int status = 0;
	if (reason) {
		status = fail(folder->name, reason, err);
	} else {
		mch_temporary_forget(folder->temporary);
		free(folder->temporary);
		folder->temporary = NULL;
	}
	if (aside && !reason) {
		remove_folder(aside);
	} else if (aside) {
		rmdir(aside); /* empty, or already back in its place */
		mch_temporary_forget(aside);
	}
	mch_temporary_release(&before);
	free(aside);
	mch_accel_folder_abandon(folder);
	return status;
}

void mch_accel_folder_abandon(struct mch_accel_folder *folder)
{
	if (folder->temporary)
		remove_folder(folder->temporary);
	free(folder->temporary);
	free(folder->name);
	free(folder->path);
	memset(folder, 0, sizeof(*folder));
}

void mch_accel_folder_rename(struct mch_err *err, const char *temporary, const char *name)
{
	const size_t n = strlen(temporary);
	if (!err || strncmp(err->text, temporary, n) != 0)
		return;
	const struct mch_err old = *err;
	snprintf(err->text, sizeof(err->text), "%.256s%s", name, old.text + n);
}
