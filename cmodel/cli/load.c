/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Loading for commands; see load.h. */
#include "cli/load.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "io/data.h"
#include "io/net_read.h"

int mch_load_net(const struct mch_net_options *options, const struct mch_data_options *data, struct mch_net *net,
		 struct mch_quant *quant, struct mch_err *err)
{
	if (mch_net_read(options->path, options->weights, net, quant, err) != 0)
		return -1;
	if (mch_data_options_apply(data, net, err) == 0)
		return 0;
	if (quant)
		mch_quant_free(quant);
	mch_net_free(net);
	return -1;
}

int mch_load_data(const struct mch_data_options *options, const char *path, const char *split,
		  const struct mch_net *net, long n_wanted, struct mch_dataset *data, struct mch_err *err)
{
	const size_t most_mib = SIZE_MAX >> 20, mib = (size_t)options->memory_mib;
	const size_t budget = (mib < most_mib ? mib : most_mib) << 20;
	const struct mch_data_spec spec = {.path = path,
					   .split = split,
					   .input = net->edges[net->input].shape,
					   .transform = &net->transform,
					   .is_shuffled = options->is_shuffled,
					   .seed = options->seed,
					   .n_wanted = (int)n_wanted,
					   .budget_bytes = budget,
					   .n_threads = mch_data_options_threads(options)};
	*data = (struct mch_dataset){0};
	return mch_data_options_check(net, err) == 0 ? mch_data_open(&spec, data, err) : -1;
}

int mch_load_require_labels(const struct mch_dataset *data, const struct mch_net *net, struct mch_err *err)
{
	const struct mch_shape out = net->edges[net->output].shape;
	const int n_outputs = out.c * out.h * out.w;
	if (data->n_classes == 0)
		return mch_err_set(err, data->name,
				   "has no labels; give a list with \"PATH LABEL\" in each line, or a folder for "
				   "each class");
	if (data->n_classes > n_outputs)
		return mch_err_set(err, data->name,
				   "labels go up to %d, the network has %d outputs; give the data it was trained on",
				   data->n_classes - 1, n_outputs);
	return 0;
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

int mch_load_holdout(double holdout, bool is_percent, int n, const char *held, const char *left, struct mch_err *err)
{
	const double held_out = is_percent ? floor(holdout * n / 100 + 0.5) : holdout;
	if (held_out >= 1 && held_out < n)
		return (int)held_out;
	return mch_err_set(err, "--holdout", "%.0f of %d images would leave none to %s; give another number", held_out,
			   n, held_out < 1 ? held : left);
}

int mch_load_hash(const struct mch_dataset *data, int n, char hex[MCH_HASH_HEX], struct mch_err *err)
{
	const size_t n_bytes = mch_dataset_image_bytes(data);
	struct mch_hash hash;
	void *room = malloc(n_bytes);
	int status = room ? 0 : mch_err_set(err, data->name, "out of memory; use a machine with more");
	mch_hash_begin(&hash);
	mch_hash_int(&hash, n);
	mch_dataset_ahead(data, n);
	for (int i = 0; status == 0 && i < n; i++) {
		const void *image = mch_dataset_image(data, i, room, err);
		if (image)
			mch_hash_bytes(&hash, image, n_bytes);
		else
			status = -1;
	}
	free(room);
	for (int i = 0; i < n; i++)
		mch_hash_int(&hash, data->labels[i]);
	mch_hash_end(&hash, hex);
	return status;
}
