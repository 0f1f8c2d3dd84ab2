/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A folder of its own for a test that needs files. */
#ifndef MCH_TESTS_TEMP_H
#define MCH_TESTS_TEMP_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct temp {
	char dir[256];
	char path[512]; /* of the file named last */
};

static inline void temp_open(struct temp *temp)
{
	const char *root = getenv("TMPDIR");
	snprintf(temp->dir, sizeof(temp->dir), "%s/macchiato-XXXXXX", root ? root : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(temp->dir));
}

static inline const char *temp_path(struct temp *temp, const char *name)
{
	snprintf(temp->path, sizeof(temp->path), "%.255s/%.200s", temp->dir, name);
	return temp->path;
}

static inline const char *temp_write(struct temp *temp, const char *name, const void *bytes, size_t n_bytes)
{
	FILE *stream = fopen(temp_path(temp, name), "wb");
	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(bytes, 1, n_bytes, stream), n_bytes);
	ck_assert_int_eq(fclose(stream), 0);
	return temp->path;
}

/* All of a file, with a NUL behind it; the caller frees it. */
static inline char *temp_read(const char *path, size_t *n_bytes)
{
	enum { ROOM = 1 << 20 };
	FILE *stream = fopen(path, "rb");
	char *bytes = malloc(ROOM + 1);
	ck_assert(stream != NULL && bytes != NULL);
	*n_bytes = fread(bytes, 1, ROOM, stream);
	ck_assert(*n_bytes < ROOM);
	bytes[*n_bytes] = '\0';
	fclose(stream);
	return bytes;
}

/* Number of files left in the folder. */
static inline int temp_count(const struct temp *temp)
{
	int n = 0;
	DIR *dir = opendir(temp->dir);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static inline void temp_close(struct temp *temp)
{
	DIR *dir = opendir(temp->dir);
	ck_assert_ptr_nonnull(dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlink(temp_path(temp, e->d_name));
	closedir(dir);
	ck_assert_int_eq(rmdir(temp->dir), 0);
}

#endif
