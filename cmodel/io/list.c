/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pictures in files: a list of them, a folder for each class, a single one. They are read when they are wanted. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/data.h"
#include "io/file.h"
#include "io/image.h"

enum { LIST_BYTES_MAX = 1 << 30, PICTURE_BYTES_MAX = 1 << 28, LABEL_MAX = 1 << 24 };

/* The source: names of files. */
struct files {
	char **paths; /* [n], owned */
	size_t n, room;
	struct mch_shape input;
	const struct mch_transform *transform;
};

static int no_memory(const char *where, struct mch_err *err)
{
	return mch_err_set(err, where, "out of memory; use a machine with more");
}

static int read_file(void *ctx, int i, void *to, struct mch_err *err)
{
	const struct files *files = ctx;
	char *bytes;
	size_t n_bytes;
	if (mch_file_read(files->paths[i], PICTURE_BYTES_MAX, &bytes, &n_bytes, err) != 0)
		return -1;
	const int status = mch_image_fit(files->paths[i], (const uint8_t *)bytes, n_bytes, files->transform,
					 files->input, to, err);
	free(bytes);
	return status;
}

static void free_files(void *ctx)
{
	struct files *files = ctx;
	for (size_t i = 0; i < files->n; i++)
		free(files->paths[i]);
	free(files->paths);
	free(files);
}

static struct files *open_files(const struct mch_data_spec *spec, struct mch_opened *opened, struct mch_err *err)
{
	struct files *files = calloc(1, sizeof(*files));
	if (!files) {
		no_memory(spec->path, err);
		return NULL;
	}
	files->input = spec->input;
	files->transform = spec->transform;
	opened->source = (struct mch_source){files, false, read_file, free_files};
	opened->data->shape = spec->input;
	return files;
}

/* A file and its label, -1 for none. */
static int append(struct files *files, struct mch_dataset *data, const char *path, int32_t label, struct mch_err *err)
{
	if (files->n == files->room) {
		const size_t room = files->room ? 2 * files->room : 256;
		char **paths = realloc(files->paths, room * sizeof(*paths));
		files->paths = paths ? paths : files->paths;
		int32_t *labels = realloc(data->labels, room * sizeof(*labels));
		data->labels = labels ? labels : data->labels;
		if (!paths || !labels)
			return no_memory(path, err);
		files->room = room;
	}
	if (files->n == INT_MAX)
		return mch_err_set(err, path, "more than %d pictures; take a part of them", INT_MAX);
	files->paths[files->n] = strdup(path);
	if (!files->paths[files->n])
		return no_memory(path, err);
	data->labels[files->n++] = label;
	data->n_images = (int)files->n;
	return 0;
}

static void trim_end(char *text)
{
	size_t n = strlen(text);
	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
}

/* Cuts the label off the end of a line; -1 when there is none: the last word is no number. */
static int32_t take_label(char *line)
{
	char *word = line + strlen(line);
	while (word > line && !isspace((unsigned char)word[-1]))
		word--;
	const size_t n = strlen(word);
	if (word == line || n > 8 || strspn(word, "0123456789") != n)
		return -1;
	const long label = strtol(word, NULL, 10);
	*word = '\0';
	trim_end(line);
	return label <= LABEL_MAX ? (int32_t)label : -1;
}

static int read_line(const char *list, const char *dir, char *line, long number, struct files *files,
		     struct mch_dataset *data, struct mch_err *err)
{
	char where[MCH_PATH_ROOM + 32], path[MCH_PATH_ROOM];
	snprintf(where, sizeof(where), "%s:%ld", list, number);
	trim_end(line);
	if (!line[0])
		return 0;
	const int32_t label = take_label(line);
	if (files->n > 0 && (label < 0) != (data->labels[0] < 0))
		return mch_err_set(
			err, where,
			"\"%.60s\" %s; give each picture a label from 0, as in \"cats/1.jpg 281\", or none", line,
			label < 0 ? "has no label, as the lines before have"
				  : "has a label, the lines before have none");
	if (mch_file_join(path, dir, line, err) != 0)
		return -1;
	return append(files, data, path, label, err);
}

int mch_list_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened, struct mch_err *err)
{
	char *text, dir[MCH_PATH_ROOM], *rest = NULL;
	size_t n_bytes;
	struct files *files = open_files(spec, opened, err);
	if (!files || mch_file_read(path, LIST_BYTES_MAX, &text, &n_bytes, err) != 0)
		return -1;
	const char *name = mch_file_name(path);
	snprintf(dir, sizeof(dir), "%.*s", name > path ? (int)(name - path - 1) : 1, name > path ? path : ".");
	int status =
		memchr(text, '\0', n_bytes)
			? mch_err_set(err, path,
				      "is no list of pictures, nor any other data that is known: it has a zero byte; "
				      "see IMAGES in the manual for what can be read")
			: 0;
	long number = 0;
	/* strtok would skip empty lines, and their numbers */
	for (char *line = text; status == 0 && line && *line; line = rest) {
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		status = read_line(path, dir, line, ++number, files, opened->data, err);
	}
	free(text);
	if (status == 0 && files->n == 0)
		status = mch_err_set(err, path, "lists no pictures; give \"PATH LABEL\" in each line");
	if (status == 0)
		mch_opened_count_classes(opened);
	return status;
}

/* Whether the name is a picture's by its end. */
static bool is_picture_name(const char *name)
{
	static const char *const ends[] = {".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG"};
	const size_t n = strlen(name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

struct names {
	char **name; /* owned, in the order of their bytes */
	size_t n, room;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(struct names *names, const char *name, struct mch_err *err)
{
	if (names->n == names->room) {
		const size_t room = names->room ? 2 * names->room : 64;
		char **more = realloc(names->name, room * sizeof(*more));
		if (!more)
			return no_memory(name, err);
		names->name = more;
		names->room = room;
	}
	names->name[names->n] = strdup(name);
	return names->name[names->n] ? (names->n++, 0) : no_memory(name, err);
}

/* The folders, or the pictures, in dir; hidden ones are left out. */
static int list_folder(const char *dir, bool folders, struct names *names, struct mch_err *err)
{
	DIR *stream = opendir(dir);
	int status = 0;
	char path[MCH_PATH_ROOM];
	*names = (struct names){0};
	if (!stream)
		return mch_err_set(err, dir, "cannot be read (%s); check its permissions", strerror(errno));
	for (struct dirent *e = readdir(stream); e && status == 0; e = readdir(stream)) {
		if (e->d_name[0] == '.' || mch_file_join(path, dir, e->d_name, NULL) != 0)
			continue;
		if (folders ? mch_file_is_folder(path) : is_picture_name(e->d_name) && mch_file_exists(path))
			status = add_name(names, e->d_name, err);
	}
	closedir(stream);
	if (status == 0 && names->n > 1)
		qsort(names->name, names->n, sizeof(*names->name), compare_names);
	return status;
}

static int append_folder(struct files *files, struct mch_dataset *data, const char *dir, int32_t label,
			 struct mch_err *err)
{
	struct names names;
	char path[MCH_PATH_ROOM];
	int status = list_folder(dir, false, &names, err);
	for (size_t i = 0; status == 0 && i < names.n; i++) {
		status = mch_file_join(path, dir, names.name[i], err);
		if (status == 0)
			status = append(files, data, path, label, err);
	}
	free_names(&names);
	return status;
}

int mch_folder_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened,
		    struct mch_err *err)
{
	struct names classes;
	char dir[MCH_PATH_ROOM];
	struct files *files = open_files(spec, opened, err);
	if (!files)
		return -1;
	int status = list_folder(path, true, &classes, err);
	for (size_t i = 0; status == 0 && i < classes.n; i++) {
		const size_t before = files->n;
		status = mch_file_join(dir, path, classes.name[i], err);
		if (status == 0)
			status = append_folder(files, opened->data, dir, (int32_t)i, err);
		if (status == 0 && files->n == before)
			status = mch_err_set(
				err, dir,
				"is the folder of a class, but has no .jpg, .jpeg or .png; fill or remove it");
	}
	opened->data->n_classes = (int)classes.n;
	if (status == 0 && classes.n == 0)
		status = append_folder(files, opened->data, path, -1, err);
	free_names(&classes);
	if (status == 0 && files->n == 0)
		status = mch_err_set(
			err, path,
			"holds no data that is known; looked for IDX (t10k-images-idx3-ubyte), CIFAR "
			"(test_batch.bin), LMDB (data.mdb), NPY (x.npy), and pictures (.jpg, .jpeg, .png), or a "
			"folder of them for each class");
	return status;
}

int mch_picture_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened,
		     struct mch_err *err)
{
	struct files *files = open_files(spec, opened, err);
	return files ? append(files, opened->data, path, -1, err) : -1;
}
