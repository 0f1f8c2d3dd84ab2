/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network from a file; see net_read.h. */
#include "io/net_read.h"

#include <string.h>

#include "io/caffe_read.h"
#include "io/onnx_read.h"

static int ends_with(const char *path, const char *end)
{
	const size_t n_path = strlen(path), n_end = strlen(end);
	return n_path > n_end && strcmp(path + n_path - n_end, end) == 0;
}

int mch_net_read(const char *path, const char *weights, struct mch_net *net, struct mch_quant *quant,
		 struct mch_err *err)
{
	struct mch_unsupported list = {0};
	const int status = mch_net_read_listing(path, weights, net, quant, &list, err);
	mch_unsupported_free(&list);
	return status;
}

int mch_net_read_listing(const char *path, const char *weights, struct mch_net *net, struct mch_quant *quant,
			 struct mch_unsupported *list, struct mch_err *err)
{
	if (quant)
		memset(quant, 0, sizeof(*quant));
	mch_net_init(net);
	if (ends_with(path, ".prototxt"))
		return mch_caffe_load_listing(path, weights, NULL, net, quant, list, err);
	if (ends_with(path, ".caffemodel"))
		return mch_err_set(err, path,
				   "holds parameters alone; give the network's definition, a .prototxt file, and "
				   "--weights=%s",
				   path);
	if (weights)
		return mch_err_set(err, weights,
				   "weights go with a .prototxt file, a .onnx file has its own; give one or the "
				   "other");
	if (ends_with(path, ".onnx") || strcmp(path, "-") == 0)
		return mch_onnx_read_options(path, &(struct mch_onnx_options){.unsupported = list, .quant = quant}, net,
					     err);
	return mch_err_set(err, path, "the name ends in no format that is known; give a .onnx or a .prototxt file");
}
