/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Output files that appear whole or not at all; see outfile.h. */
#include "base/outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct mch_outfile *out, struct mch_err *err, const char *path, int reason)
{
	mch_err_set(err, path, "cannot be written (%s); check the folder, its permissions and free space",
		    strerror(reason));
	mch_outfile_abandon(out);
	return -1;
}

int mch_outfile_open(struct mch_outfile *out, const char *path, struct mch_err *err)
{
	memset(out, 0, sizeof(*out));
	out->path = strdup(path);
	if (!out->path)
		return fail(out, err, path, ENOMEM);
	if (strcmp(path, "-") == 0) {
		out->stream = stdout;
		return 0;
	}
	size_t room = strlen(path) + sizeof(".XXXXXX");
	out->temporary = malloc(room);
	if (!out->temporary)
		return fail(out, err, path, ENOMEM);
	snprintf(out->temporary, room, "%s.XXXXXX", path);
	int fd = mkstemp(out->temporary);
	if (fd < 0) {
		int reason = errno;
		free(out->temporary);
		out->temporary = NULL;
		return fail(out, err, path, reason);
	}
	/* mkstemp gives 0600; an output file has the permissions that open() would have given it. */
	mode_t mask = umask(0);
	umask(mask);
	out->stream = fchmod(fd, 0666 & ~mask) == 0 ? fdopen(fd, "wb") : NULL;
	if (!out->stream) {
		int reason = errno;
		close(fd);
		return fail(out, err, path, reason);
	}
	return 0;
}

int mch_outfile_commit(struct mch_outfile *out, struct mch_err *err)
{
	int broken = ferror(out->stream) | fflush(out->stream);
	if (!out->temporary) {
		int reason = errno;
		char path[] = "standard output";
		if (broken)
			return fail(out, err, path, reason);
		mch_outfile_abandon(out);
		return 0;
	}
	if (broken || fsync(fileno(out->stream)) != 0)
		return fail(out, err, out->path, errno ? errno : EIO);
	int closed = fclose(out->stream);
	out->stream = NULL;
	if (closed != 0 || rename(out->temporary, out->path) != 0) {
		int reason = errno;
		char path[512];
		snprintf(path, sizeof(path), "%s", out->path);
		return fail(out, err, path, reason);
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
	if (out->temporary)
		unlink(out->temporary);
	free(out->temporary);
	free(out->path);
	memset(out, 0, sizeof(*out));
}
