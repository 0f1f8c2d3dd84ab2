/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Labelled images from a path, whatever lies there. Host only: no RTL twin. Spec: docs/data.md. */
#ifndef MCH_IO_DATA_H
#define MCH_IO_DATA_H

#include "net/dataset.h"
#include "net/loader.h"

struct mch_data_spec {
	const char *path;
	const char *split; /* "train" or "test"; a path that has one set only gives it for both */
	struct mch_shape input;
	const struct mch_transform *transform; /* has to outlive the data set */
	bool is_shuffled;
	uint64_t seed;
	int n_wanted; /* > 0: of images beyond these first the labels may be left unread (-1), unless shuffled */
	size_t budget_bytes;
	int n_threads; /* as in struct mch_loader_config */
};

/* What is at the path decides: see data.c. data->n_classes is 0 when there are no labels; data->is_split says whether
 * the path had sets for training and test. 0, or -1 with err; then data is empty. */
int mch_data_open(const struct mch_data_spec *spec, struct mch_dataset *data, struct mch_err *err);

/* The readers fill in n_images, n_classes, labels, and either pixels and their shape or a source that gives images of
 * spec->input. On an error they leave what mch_dataset_free and source->free, if set, give back. */
struct mch_opened {
	struct mch_dataset *data;
	struct mch_source source; /* read is NULL when all is in data->pixels */
};

/* One label each; n_classes is the largest + 1. -1 with err: memory. */
int mch_opened_labels(struct mch_opened *opened, const char *path, int n_images, struct mch_err *err);
void mch_opened_count_classes(struct mch_opened *opened);

/* CIFAR-10 and CIFAR-100 binary: one file, or several as one. */
int mch_cifar_open(const char *const *paths, int n_paths, struct mch_opened *opened, struct mch_err *err);

/* "path label" a line, paths relative to the list's folder; or all paths and no labels. */
int mch_list_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened, struct mch_err *err);
/* A folder for each class, numbered in the order of their names' bytes; or one folder of pictures without labels. */
int mch_folder_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened,
		    struct mch_err *err);
/* One picture. */
int mch_picture_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened,
		     struct mch_err *err);

/* Caffe's LMDB: a folder with data.mdb, or the file itself. */
int mch_lmdb_open(const struct mch_data_spec *spec, const char *path, struct mch_opened *opened, struct mch_err *err);

/* y_path NULL: no labels. */
int mch_npy_open(const struct mch_data_spec *spec, const char *x_path, const char *y_path, struct mch_opened *opened,
		 struct mch_err *err);

#endif
