/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Opening a file of the protobuf wire format, or a pipe as if it were one; see wire.h. */
#include "io/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int cannot_read(const struct mch_wire *wire)
{
	return mch_err_set(wire->err, wire->path, "cannot be read (%s); check the name and its permissions",
			   strerror(errno));
}

/* What cannot be read at an offset is copied first. */
static int spool(struct mch_wire *wire)
{
	/* No protobuf message may be larger; an endless device ends here. */
	const uint64_t limit_bytes = UINT64_C(1) << 31;
	wire->spool = tmpfile();
	if (!wire->spool)
		return mch_err_set(wire->err, wire->path, "no temporary file for a stream (%s); give a file",
				   strerror(errno));
	for (;;) {
		const ssize_t n = read(wire->fd, wire->buffer, sizeof(wire->buffer));
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cannot_read(wire);
		if (fwrite(wire->buffer, 1, (size_t)n, wire->spool) != (size_t)n)
			return mch_err_set(wire->err, wire->path,
					   "the temporary file for a stream cannot be written (%s); free "
					   "some space, or give a file",
					   strerror(errno));
		wire->n_bytes += (uint64_t)n;
		if (wire->n_bytes > limit_bytes)
			return mch_err_set(wire->err, wire->path,
					   "over 2^31 bytes, more than a protobuf message can have; is it "
					   "the right file?");
	}
	if (fflush(wire->spool) != 0)
		return cannot_read(wire);
	if (wire->fd != STDIN_FILENO)
		close(wire->fd);
	wire->fd = fileno(wire->spool);
	return 0;
}

int mch_wire_open(struct mch_wire *wire, const char *path, struct mch_err *err)
{
	const int is_stdin = strcmp(path, "-") == 0;
	struct stat status;
	memset(wire, 0, sizeof(*wire));
	wire->path = is_stdin ? "standard input" : path;
	wire->err = err;
	wire->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (wire->fd < 0 || fstat(wire->fd, &status) != 0) {
		cannot_read(wire);
		mch_wire_close(wire);
		return -1;
	}
	/* The standard input may stand in the middle of a file. A folder opens, and fails when it is read. */
	if (S_ISREG(status.st_mode) && !is_stdin) {
		wire->n_bytes = (uint64_t)status.st_size;
	} else if (spool(wire) != 0) {
		mch_wire_close(wire);
		return -1;
	}
	wire->end = wire->n_bytes;
	return 0;
}

void mch_wire_open_bytes(struct mch_wire *wire, const char *path, const void *bytes, size_t n_bytes,
			 struct mch_err *err)
{
	memset(wire, 0, offsetof(struct mch_wire, buffer)); /* the buffer is for files */
	wire->path = path;
	wire->err = err;
	wire->fd = -1;
	wire->memory = bytes;
	wire->n_bytes = wire->end = n_bytes;
}

void mch_wire_close(struct mch_wire *wire)
{
	if (wire->spool && wire->fd == fileno(wire->spool))
		wire->fd = -1;
	if (wire->spool)
		fclose(wire->spool);
	if (wire->fd >= 0 && wire->fd != STDIN_FILENO)
		close(wire->fd);
	wire->spool = NULL;
	wire->fd = -1;
}
