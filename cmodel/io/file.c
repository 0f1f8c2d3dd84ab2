/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A whole file in memory; see file.h. */
#include "io/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int read_stream(FILE *stream, const char *path, size_t limit_bytes, char **data, size_t *n_bytes,
		       struct mch_err *err)
{
	size_t room = 1 << 16, n = 0;
	char *bytes = NULL;
	for (;;) {
		/* Grows with what is really there: a size told by a file system or a pipe is not to be trusted. */
		char *more = realloc(bytes, room + 1);
		if (!more) {
			free(bytes);
			return mch_err_set(err, path, "out of memory after %zu bytes; use a machine with more", n);
		}
		bytes = more;
		n += fread(bytes + n, 1, room - n, stream);
		if (n < room || n > limit_bytes)
			break;
		room *= 2;
	}
	if (ferror(stream)) {
		free(bytes);
		return mch_err_set(err, path, "cannot be read (%s); check the name and its permissions",
				   strerror(errno));
	}
	if (n > limit_bytes) {
		free(bytes);
		return mch_err_set(err, path, "over %zu bytes, more than such a file can have; is it the right file?",
				   limit_bytes);
	}
	bytes[n] = '\0';
	*data = bytes;
	*n_bytes = n;
	return 0;
}

int mch_file_read(const char *path, size_t limit_bytes, char **data, size_t *n_bytes, struct mch_err *err)
{
	*data = NULL;
	*n_bytes = 0;
	if (strcmp(path, "-") == 0)
		return read_stream(stdin, "standard input", limit_bytes, data, n_bytes, err);
	FILE *stream = fopen(path, "rb");
	if (!stream)
		return mch_err_set(err, path, "cannot be read (%s); check the name and its permissions",
				   strerror(errno));
	const int status = read_stream(stream, path, limit_bytes, data, n_bytes, err);
	fclose(stream);
	return status;
}

int mch_file_join(char path[MCH_PATH_ROOM], const char *dir, const char *name, struct mch_err *err)
{
	const int n = name[0] == '/' ? snprintf(path, MCH_PATH_ROOM, "%s", name)
				     : snprintf(path, MCH_PATH_ROOM, "%s/%s", dir, name);
	if (n < 0 || n >= MCH_PATH_ROOM)
		return mch_err_set(err, name, "the name with its folders is too long; give shorter ones");
	return 0;
}

bool mch_file_is_folder(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool mch_file_exists(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

const char *mch_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}
