/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* LMDB of Caffe's Datum, as its convert_imageset writes it. The map of the file stays open, so an image's bytes are
 * read where they lie, by any number of threads. */
#include "config.h"

#include "io/data.h"

#ifdef HAVE_LMDB

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "io/datum.h"
#include "io/file.h"
#include "io/image.h"

struct lmdb {
	char path[MCH_PATH_ROOM];
	MDB_env *env;
	MDB_txn *txn; /* open as long as the values are used */
	MDB_dbi dbi;
	MDB_val *values; /* [n], in the order of the keys; they point into the map */
	size_t n;
	bool is_f32; /* as the first image */
	struct mch_shape input;
	const struct mch_transform *transform;
};

static void free_lmdb(void *ctx)
{
	struct lmdb *db = ctx;
	if (db->txn)
		mdb_txn_abort(db->txn);
	if (db->env)
		mdb_env_close(db->env);
	free(db->values);
	free(db);
}

/* "DIR: image 12": keys may be anything. */
static const char *where_of(const struct lmdb *db, size_t i, char where[MCH_PATH_ROOM + 32])
{
	snprintf(where, MCH_PATH_ROOM + 32, "%s: image %zu", db->path, i);
	return where;
}

static int read_floats(const struct lmdb *db, size_t i, const struct mch_datum *d, float *to, struct mch_err *err)
{
	char where[MCH_PATH_ROOM + 32];
	const size_t w = (size_t)d->w, h = (size_t)d->h;
	float *values = malloc(d->n_floats * sizeof(*values)); /* which are there: the message has been counted */
	if (!values)
		return mch_err_set(err, where_of(db, i, where), "out of memory; use a machine with more");
	const struct mch_float_picture picture = {d->c, d->h, d->w, values, h * w, w, 1};
	int status = mch_datum_floats(where_of(db, i, where), db->values[i].mv_data, db->values[i].mv_size, values,
				      d->n_floats, err);
	if (status == 0)
		status = mch_picture_fit_f32(where, &picture, db->transform, db->input, to, err);
	free(values);
	return status;
}

static int read_image(void *ctx, int index, void *to, struct mch_err *err)
{
	const struct lmdb *db = ctx;
	const size_t i = (size_t)index;
	char where[MCH_PATH_ROOM + 32];
	struct mch_datum d;
	if (mch_datum_parse(where_of(db, i, where), db->values[i].mv_data, db->values[i].mv_size, &d, err) != 0)
		return -1;
	if ((d.data == NULL) != db->is_f32)
		return mch_err_set(err, where, "holds %s, the first image others; make the data anew",
				   d.data ? "bytes" : "floats");
	if (!d.data)
		return read_floats(db, i, &d, to, err);
	if (d.is_encoded)
		return mch_image_fit(where, d.data, d.n_data, db->transform, db->input, to, err);
	const struct mch_picture picture = mch_picture_of_planes((struct mch_shape){1, d.c, d.h, d.w}, d.data);
	return mch_picture_fit(where, &picture, db->transform, db->input, to, err);
}

static int failed(const struct lmdb *db, int code, struct mch_err *err)
{
	return mch_err_set(err, db->path,
			   "cannot be read as LMDB (%s); is it a folder with Caffe's data.mdb, and whole?",
			   mdb_strerror(code));
}

/* liblmdb follows its map beyond the end of a file that was cut off; that would be the end of this program too. */
static int check_size(const struct lmdb *db, struct mch_err *err)
{
	MDB_envinfo info;
	MDB_stat stat_of_env;
	struct stat status;
	mdb_filehandle_t fd;
	int code = mdb_env_info(db->env, &info);
	if (code == 0)
		code = mdb_env_stat(db->env, &stat_of_env);
	if (code == 0)
		code = mdb_env_get_fd(db->env, &fd);
	if (code != 0 || fstat(fd, &status) != 0)
		return failed(db, code, err);
	const uint64_t want = ((uint64_t)info.me_last_pgno + 1) * stat_of_env.ms_psize;
	if ((uint64_t)status.st_size < want)
		return mch_err_set(err, db->path, "has %llu of its %llu bytes; the copy is incomplete, get it again",
				   (unsigned long long)status.st_size, (unsigned long long)want);
	return 0;
}

static int index_values(struct lmdb *db, struct mch_err *err)
{
	MDB_cursor *cursor;
	MDB_stat stat_of_db;
	MDB_val key, value;
	int code = mdb_stat(db->txn, db->dbi, &stat_of_db);
	if (code == 0 && (stat_of_db.ms_entries == 0 || stat_of_db.ms_entries > INT_MAX))
		return mch_err_set(err, db->path, "holds %zu images, 1 to %d are usable; is it the right one?",
				   stat_of_db.ms_entries, INT_MAX);
	if (code == 0)
		code = mdb_cursor_open(db->txn, db->dbi, &cursor);
	if (code != 0)
		return failed(db, code, err);
	size_t room = 0;
	int status = 0;
	while ((code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
		if (db->n == room) {
			room = room ? 2 * room : 1024;
			MDB_val *more = realloc(db->values, room * sizeof(*more));
			if (!more) {
				status = mch_err_set(err, db->path, "out of memory; use a machine with more");
				break;
			}
			db->values = more;
		}
		db->values[db->n++] = value;
	}
	mdb_cursor_close(cursor);
	if (status == 0 && (code != MDB_NOTFOUND || db->n != stat_of_db.ms_entries))
		status = failed(db, code == MDB_NOTFOUND ? MDB_CORRUPTED : code, err);
	return status;
}

static int open_lmdb(struct lmdb *db, struct mch_err *err)
{
	const unsigned flags = MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS |
			       (mch_file_is_folder(db->path) ? 0 : MDB_NOSUBDIR);
	int code = mdb_env_create(&db->env);
	if (code == 0)
		code = mdb_env_open(db->env, db->path, flags, 0);
	if (code != 0)
		return failed(db, code, err);
	if (check_size(db, err) != 0)
		return -1;
	code = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->txn);
	if (code == 0)
		code = mdb_dbi_open(db->txn, NULL, 0, &db->dbi);
	return code == 0 ? index_values(db, err) : failed(db, code, err);
}

/* liblmdb believes what a file's inner pages say, and follows them anywhere. So a child reads all of them first: what ends
 * it would have ended this program. */
static int check_in_child(const struct lmdb *like, struct mch_err *err)
{
	enum { FINE = 10, REFUSED = 11, SECONDS = 600 };
	int status = 0;
	fflush(NULL);
	const pid_t child = fork();
	if (child < 0)
		return mch_err_set(err, like->path, "no process can be made to check it (%s); try again", strerror(errno));
	if (child == 0) {
		struct lmdb db = *like;
		struct mch_err why = {""};
		unsigned sum = 0;
		const int quiet = open("/dev/null", O_WRONLY);
		const struct rlimit none = {0, 0};
		dup2(quiet, STDERR_FILENO); /* a sanitizer's report is not for the user */
		setrlimit(RLIMIT_CORE, &none);
		alarm(SECONDS); /* pages may point in circles */
		if (open_lmdb(&db, &why) != 0)
			_exit(REFUSED); /* the same again, with its message, in the parent */
		for (size_t i = 0; i < db.n; i++)
			if (db.values[i].mv_size > 0)
				sum += ((const unsigned char *)db.values[i].mv_data)[0] +
				       ((const unsigned char *)db.values[i].mv_data)[db.values[i].mv_size - 1];
		_exit(FINE + (sum == UINT_MAX)); /* either is fine; the sum keeps the reads */
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && (WEXITSTATUS(status) == FINE || WEXITSTATUS(status) == REFUSED))
		return 0;
	return mch_err_set(err, like->path, "is damaged inside: reading all of it ends in a crash; get it again");
}

/* Of a large file each label is a visit to the disk, so those that nobody wants are left out. */
static int read_labels(const struct lmdb *db, const struct mch_data_spec *spec, struct mch_opened *opened,
		       struct mch_err *err)
{
	const bool is_part = spec->n_wanted > 0 && !spec->is_shuffled && (size_t)spec->n_wanted < db->n;
	const size_t n = is_part ? (size_t)spec->n_wanted : db->n;
	char where[MCH_PATH_ROOM + 32];
	for (size_t i = 0; i < db->n; i++) {
		struct mch_datum d = {.label = -1};
		if (i < n && mch_datum_parse(where_of(db, i, where), db->values[i].mv_data, db->values[i].mv_size, &d,
					     err) != 0)
			return -1;
		opened->data->labels[i] = d.label;
		opened->source.is_f32 = i == 0 ? d.data == NULL : opened->source.is_f32;
	}
	mch_opened_count_classes(opened);
	return 0;
}

int mch_lmdb_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened, struct mch_err *err)
{
	struct lmdb *db = calloc(1, sizeof(*db));
	if (!db)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	opened->source = (struct mch_source){db, false, read_image, free_lmdb};
	opened->data->shape = spec->input;
	db->input = spec->input;
	db->transform = spec->transform;
	snprintf(db->path, sizeof(db->path), "%s", path);
	if (check_in_child(db, err) != 0 || open_lmdb(db, err) != 0 || mch_opened_labels(opened, path, (int)db->n, err) != 0 ||
	    read_labels(db, spec, opened, err) != 0)
		return -1;
	db->is_f32 = opened->source.is_f32;
	return 0;
}

#else

int mch_lmdb_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened, struct mch_err *err)
{
	(void)spec, (void)opened;
	return mch_err_set(err, path, "is LMDB, and this program was built without liblmdb; install its headers "
			   "(Debian: liblmdb-dev), configure and build again");
}

#endif
