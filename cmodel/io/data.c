/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Labelled images from a path: what lies there is found out by names and first bytes, and given to its reader. */
#include "io/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/idx.h"
#include "io/image.h"
#include "io/picture.h"

int mch_opened_labels(struct mch_opened *opened, const char *path, int n_images, struct mch_err *err)
{
	int32_t *labels = malloc((size_t)n_images * sizeof(*labels));
	if (!labels)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	for (int i = 0; i < n_images; i++)
		labels[i] = -1;
	opened->data->labels = labels;
	opened->data->n_images = n_images;
	return 0;
}

void mch_opened_count_classes(struct mch_opened *opened)
{
	struct mch_dataset *data = opened->data;
	data->n_classes = 0;
	for (int i = 0; i < data->n_images; i++)
		if (data->labels[i] >= data->n_classes)
			data->n_classes = data->labels[i] + 1;
}

/* Is there a file of that name in the folder? */
static bool has(const char *dir, const char *name)
{
	char path[MCH_PATH_ROOM];
	return mch_file_join(path, dir, name, NULL) == 0 && mch_file_exists(path);
}

static bool has_idx(const char *dir)
{
	static const char *const names[] = {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz",
					    "t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (has(dir, names[i]))
			return true;
	return false;
}

/* CIFAR-100 has one file for each split, CIFAR-10 five for training. */
static int open_cifar_folder(const struct mch_data_spec *spec, const char *dir, struct mch_opened *opened,
			     struct mch_err *err)
{
	enum { N_FILES_MAX = 5 };
	static const char *const train10[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
					      "data_batch_4.bin", "data_batch_5.bin"};
	static const char *const test10[] = {"test_batch.bin"}, *const train100[] = {"train.bin"},
				 *const test100[] = {"test.bin"};
	const bool is_100 = has(dir, "train.bin") || has(dir, "test.bin"),
		   is_train = strcmp(spec->split, "train") == 0;
	const char *const *names = is_train ? (is_100 ? train100 : train10) : is_100 ? test100 : test10;
	const int n = is_train && !is_100 ? N_FILES_MAX : 1;
	char (*paths)[MCH_PATH_ROOM] = malloc((size_t)n * sizeof(*paths));
	const char *all[N_FILES_MAX];
	int status = paths ? 0 : mch_err_set(err, dir, "out of memory; use a machine with more");
	for (int i = 0; status == 0 && i < n; i++) {
		status = mch_file_join(paths[i], dir, names[i], err);
		all[i] = paths[i];
	}
	if (status == 0)
		status = mch_cifar_open(all, n, opened, err);
	free(paths);
	opened->data->is_split = true;
	return status;
}

/* Keras' names for two splits, or one set. */
static int open_npy_folder(const struct mch_data_spec *spec, const char *dir, struct mch_opened *opened,
			   struct mch_err *err)
{
	char x[MCH_PATH_ROOM], y[MCH_PATH_ROOM], x_name[32] = "x.npy", y_name[32] = "y.npy";
	opened->data->is_split = !has(dir, "x.npy");
	if (opened->data->is_split) {
		snprintf(x_name, sizeof(x_name), "x_%s.npy", spec->split);
		snprintf(y_name, sizeof(y_name), "y_%s.npy", spec->split);
	}
	if (mch_file_join(x, dir, x_name, err) != 0 || mch_file_join(y, dir, y_name, err) != 0)
		return -1;
	return mch_npy_open(spec, x, mch_file_exists(y) ? y : NULL, opened, err);
}

/* "DIR/train" and "DIR/val", when both are there: whatever they hold. Whether they are; path is the one wanted. */
static bool find_split_folder(const struct mch_data_spec *spec, const char *dir, char path[MCH_PATH_ROOM])
{
	static const char *const names[] = {"test", "val", "validation", "valid"};
	char train[MCH_PATH_ROOM];
	if (mch_file_join(train, dir, "train", NULL) != 0 || !mch_file_is_folder(train))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mch_file_join(path, dir, names[i], NULL) == 0 && mch_file_is_folder(path)) {
			if (strcmp(spec->split, "train") == 0)
				memcpy(path, train, MCH_PATH_ROOM);
			return true;
		}
	return false;
}

static int open_folder(const struct mch_data_spec *spec, const char *dir, bool is_within, struct mch_opened *opened,
		       struct mch_err *err)
{
	char path[MCH_PATH_ROOM];
	if (has_idx(dir)) {
		const int status = mch_idx_load(dir, spec->split, opened->data, err);
		opened->data->is_split = true;
		return status;
	}
	if (has(dir, "data_batch_1.bin") || has(dir, "test_batch.bin") || has(dir, "train.bin") ||
	    has(dir, "test.bin"))
		return open_cifar_folder(spec, dir, opened, err);
	if (has(dir, "data.mdb"))
		return mch_lmdb_open(spec, dir, opened, err);
	if (has(dir, "x.npy") || has(dir, "x_train.npy") || has(dir, "x_test.npy"))
		return open_npy_folder(spec, dir, opened, err);
	if (is_within || !find_split_folder(spec, dir, path))
		return mch_folder_open(spec, dir, opened, err);
	const int status = open_folder(spec, path, true, opened, err);
	opened->data->is_split = true;
	return status;
}

static bool ends_with(const char *path, const char *end)
{
	const size_t n = strlen(path), n_end = strlen(end);
	return n >= n_end && strcmp(path + n - n_end, end) == 0;
}

/* The name of the file that belongs to this one: the last `from` in its name is `to` there. Whether that is a file.
 */
static bool find_partner(const char *path, const char *from, const char *to, char partner[MCH_PATH_ROOM])
{
	const char *name = mch_file_name(path), *at = strstr(name, from);
	if (!at || snprintf(partner, MCH_PATH_ROOM, "%.*s%s%s", (int)(at - path), path, to, at + strlen(from)) >=
			   MCH_PATH_ROOM)
		return false;
	return mch_file_exists(partner);
}

static int open_idx_file(const char *path, struct mch_opened *opened, struct mch_err *err)
{
	char labels[MCH_PATH_ROOM];
	if (!find_partner(path, "images-idx3", "labels-idx1", labels))
		return mch_err_set(err, path,
				   "has no file of labels beside it; give the images, NAME-images-idx3-ubyte, with "
				   "NAME-labels-idx1-ubyte beside them");
	return mch_idx_load_files(path, labels, opened->data, err);
}

static int open_file(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened,
		     struct mch_err *err)
{
	uint8_t head[16] = {0};
	char labels[MCH_PATH_ROOM];
	FILE *stream = fopen(path, "rb");
	if (!stream)
		return mch_err_set(err, path, "cannot be read (%s); give a folder or a file of images",
				   strerror(errno));
	const size_t n = fread(head, 1, sizeof(head), stream);
	fclose(stream);
	if (n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0)
		return mch_npy_open(spec, path,
				    mch_file_name(path)[0] == 'x' && find_partner(path, "x", "y", labels) ? labels
													  : NULL,
				    opened, err);
	if (mch_image_is(head, n))
		return mch_picture_open(spec, path, opened, err);
	if (strstr(mch_file_name(path), "-idx") && (ends_with(path, "-ubyte") || ends_with(path, "-ubyte.gz")))
		return open_idx_file(path, opened, err);
	if (ends_with(path, ".mdb"))
		return mch_lmdb_open(spec, path, opened, err);
	if (ends_with(path, ".bin"))
		return mch_cifar_open(&path, 1, opened, err);
	return mch_list_open(spec, path, opened, err);
}

/* ".../fashion-mnist/" and "train" -> "fashion-mnist train"; of one set its name alone. */
static char *name_of(const char *path, const char *split)
{
	size_t end = strlen(path);
	while (end > 1 && path[end - 1] == '/')
		end--;
	size_t begin = end;
	while (begin > 0 && path[begin - 1] != '/')
		begin--;
	const size_t room = end - begin + (split ? strlen(split) : 0) + 2;
	char *name = malloc(room);
	if (name)
		snprintf(name, room, "%.*s%s%s", (int)(end - begin), path + begin, split ? " " : "",
			 split ? split : "");
	return name;
}

/* Images in memory that have another size, or are to be resized. */
static int refit(const struct mch_data_spec *spec, struct mch_dataset *data, struct mch_err *err)
{
	const struct mch_shape s = data->shape, input = spec->input;
	const size_t from = mch_shape_elems(s), to = mch_shape_elems(input);
	if (s.c == input.c && s.h == input.h && s.w == input.w && spec->transform->resize == MCH_RESIZE_NONE)
		return 0;
	uint8_t *pixels = malloc((size_t)data->n_images * to);
	int status = pixels ? 0 : mch_err_set(err, spec->path, "out of memory; use a machine with more");
	for (size_t i = 0; status == 0 && i < (size_t)data->n_images; i++) {
		const struct mch_picture picture = mch_picture_of_planes(s, data->pixels + i * from);
		status = mch_picture_fit(spec->path, &picture, spec->transform, input, pixels + i * to, err);
	}
	free(data->pixels);
	data->pixels = pixels;
	data->shape = input;
	return status;
}

static int finish(const struct mch_data_spec *spec, struct mch_opened *opened, struct mch_err *err)
{
	struct mch_dataset *data = opened->data;
	free(data->name);
	data->name = name_of(spec->path, data->is_split ? spec->split : NULL);
	data->transform = spec->transform;
	if (!data->name)
		return mch_err_set(err, spec->path, "out of memory; use a machine with more");
	if (!opened->source.read && refit(spec, data, err) != 0)
		return -1;
	if (spec->is_shuffled && mch_dataset_shuffle(data, spec->seed, err) != 0)
		return -1;
	if (!opened->source.read)
		return 0;
	const struct mch_loader_config config = {opened->source, spec->budget_bytes, spec->n_threads};
	opened->source.free = NULL;
	return mch_dataset_load(data, &config, err);
}

int mch_data_open(const struct mch_data_spec *spec, struct mch_dataset *data, struct mch_err *err)
{
	struct mch_opened opened = {.data = data};
	*data = (struct mch_dataset){0};
	int status = mch_file_is_folder(spec->path) ? open_folder(spec, spec->path, false, &opened, err)
						    : open_file(spec, spec->path, &opened, err);
	if (status == 0)
		status = finish(spec, &opened, err);
	if (status == 0)
		return 0;
	if (opened.source.free)
		opened.source.free(opened.source.ctx);
	mch_dataset_free(data);
	return -1;
}
