/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Output files that appear whole or not at all; see outfile.h. */
#include "base/outfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary.h"

static int fail(struct mch_outfile *out, struct mch_err *err, int reason)
{
	mch_err_set(err, out->name ? out->name : "standard output",
		    "cannot be written (%s); check the folder, its permissions and free space", strerror(reason));
	mch_outfile_abandon(out);
	return -1;
}

/* Sets out->path to what is to be replaced: `path`, or what it leads to when it is a link, so that the link survives.
 * 1: that is a device or a pipe, which is written in place, since renaming over it would destroy it; 0: it is a file
 * or nothing yet; -1: errno. */
static int resolve(struct mch_outfile *out, const char *path)
{
	struct stat status;
	if (!path[0]) { /* a variable of the shell that is not set: found now, not by the rename */
		errno = ENOENT;
		return -1;
	}
	const bool exists = stat(path, &status) == 0;
	if (exists && S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	const bool is_special = exists && !S_ISREG(status.st_mode);
	out->path = exists && !is_special ? realpath(path, NULL) : strdup(path);
	return !out->path ? -1 : is_special;
}

/* mkstemp gives 0600; an output file has the permissions that open() would have given it. */
static FILE *open_temporary(struct mch_outfile *out)
{
	const size_t room = strlen(out->path) + sizeof(".XXXXXX");
	char *name = malloc(room);
	if (!name)
		return NULL;
	snprintf(name, room, "%s.XXXXXX", out->path);
	const int fd = mch_temporary_file(name);
	if (fd < 0) {
		free(name);
		return NULL;
	}
	out->temporary = name; /* from here on, abandoning removes it */
	const mode_t mask = umask(0);
	umask(mask);
	FILE *stream = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "wb") : NULL;
	if (!stream) {
		const int reason = errno;
		close(fd);
		errno = reason;
	}
	return stream;
}

int mch_outfile_open(struct mch_outfile *out, const char *path, struct mch_err *err)
{
	memset(out, 0, sizeof(*out));
	if (strcmp(path, "-") == 0) {
		out->stream = stdout;
		return 0;
	}
	out->name = strdup(path);
	const int is_special = out->name ? resolve(out, path) : -1;
	if (is_special < 0)
		return fail(out, err, errno);
	out->stream = is_special ? fopen(out->path, "wb") : open_temporary(out);
	return out->stream ? 0 : fail(out, err, errno);
}

/* Everything handed to the stream is with the system, and on the disk when it is a file. */
static int settle(const struct mch_outfile *out)
{
	const int was_broken = ferror(out->stream);
	errno = 0;
	if (fflush(out->stream) != 0 || was_broken)
		return -1;
	return out->temporary && fsync(fileno(out->stream)) != 0 ? -1 : 0;
}

int mch_outfile_commit(struct mch_outfile *out, struct mch_err *err)
{
	/* An error of an earlier write is remembered by the stream, its reason is not. */
	if (settle(out) < 0)
		return fail(out, err, errno ? errno : EIO);
	if (out->path) {
		const int closed = fclose(out->stream);
		out->stream = NULL;
		if (closed != 0 || (out->temporary && mch_temporary_keep(out->temporary, out->path) != 0))
			return fail(out, err, errno);
	}
	free(out->temporary);
	out->temporary = NULL;
	mch_outfile_abandon(out);
	return 0;
}

void mch_outfile_abandon(struct mch_outfile *out)
{
	if (out->stream && out->stream != stdout)
		fclose(out->stream);
	if (out->temporary) {
		unlink(out->temporary);
		mch_temporary_forget(out->temporary);
	}
	free(out->temporary);
	free(out->name);
	free(out->path);
	memset(out, 0, sizeof(*out));
}
