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
	if (quant)
		memset(quant, 0, sizeof(*quant));
	mch_net_init(net);
	if (weights)
		return mch_err_set(err, weights, "files of weights cannot be read yet; give a .onnx file");
	if (ends_with(path, ".onnx"))
		return mch_onnx_read(path, net, err);
	if (ends_with(path, ".prototxt"))
		return mch_caffe_read(path, NULL, net, err);
	return mch_err_set(err, path, "the name ends in no format that is known; give a .onnx or a .prototxt file");
}
