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

int mch_net_read(const char *path, struct mch_net *net, struct mch_err *err)
{
	if (ends_with(path, ".onnx"))
		return mch_onnx_read(path, net, err);
	if (ends_with(path, ".prototxt"))
		return mch_caffe_read(path, NULL, net, err);
	mch_net_init(net);
	return mch_err_set(err, path, "the name ends in no format that is known; give a .onnx or a .prototxt file");
}
