/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* IDX image and label files (MNIST, Fashion-MNIST and their kin), plain or gzipped. Host only: no RTL twin. */
#ifndef MCH_IO_IDX_H
#define MCH_IO_IDX_H

#include "net/dataset.h"

/* Loads train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz] of folder dir, or t10k-... for the split
 * "test". data->name is that of the file of images. 0, or -1 with err; then data is empty. */
int mch_idx_load(const char *dir, const char *split, struct mch_dataset *data, struct mch_err *err);

/* The same from two files by name. */
int mch_idx_load_files(const char *images_path, const char *labels_path, struct mch_dataset *data,
		       struct mch_err *err);

#endif
