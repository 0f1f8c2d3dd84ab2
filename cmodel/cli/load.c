/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Loading for commands; see load.h. */
#include "cli/load.h"

#include "io/idx.h"

int mch_load_data(const char *dir, const char *split, const struct mch_net *net, struct mch_dataset *data,
		  struct mch_err *err)
{
	if (mch_idx_load(dir, split, data, err) != 0)
		return -1;
	const struct mch_shape want = net->edges[net->input].shape, is = data->shape;
	const struct mch_shape out = net->edges[net->output].shape;
	int status = 0;
	if (want.c != is.c || want.h != is.h || want.w != is.w)
		status = mch_err_set(err, dir, "images are %dx%dx%d, the network's input is %dx%dx%d; give the data "
				     "it was trained on", is.c, is.h, is.w, want.c, want.h, want.w);
	else if (data->n_classes > out.c * out.h * out.w)
		status = mch_err_set(err, dir, "labels go up to %d, the network has %d outputs; give the data it was "
				     "trained on",
				     data->n_classes - 1, out.c * out.h * out.w);
	data->transform = &net->transform;
	if (status != 0)
		mch_dataset_free(data);
	return status;
}

int mch_load_count(const char *option, long asked, long usual, const struct mch_dataset *data, struct mch_err *err)
{
	if (asked > data->n_images)
		return mch_err_set(err, option, "%ld images are asked for, %s has %d; give a smaller number", asked,
				   data->name, data->n_images);
	if (asked > 0)
		return (int)asked;
	return usual < data->n_images ? (int)usual : data->n_images;
}
