/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of a network as a binary .caffemodel; see caffe_write.h. The definition is caffe_write_text.c. */
#include "io/caffe_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "base/require.h"
#include "io/caffe_out.h"
#include "io/caffe_ristretto.h"
#include "io/file.h"
#include "io/wire.h"

/* Numbers of the fields, caffe.proto. */
enum { NET_NAME = 1, NET_LAYER = 100 };
enum { LAYER_NAME = 1, LAYER_TYPE = 2, LAYER_BLOBS = 7 };
enum { BLOB_DATA = 5, BLOB_SHAPE = 7, SHAPE_DIM = 1 };

static void set_blob(struct mch_caffe_out *out, const float *values, int n_axes, int64_t d0, int64_t d1, int64_t d2,
		     int64_t d3)
{
	const int i = out->n_blobs++;
	out->blob[i].values = values;
	out->blob[i].n_axes = n_axes;
	out->blob[i].dim[0] = d0, out->blob[i].dim[1] = d1, out->blob[i].dim[2] = d2, out->blob[i].dim[3] = d3;
}

bool mch_caffe_out_scales(const struct mch_layer *layer)
{
	bool scales = layer->kind == MCH_BATCH_NORM && layer->n_bias > 0;
	for (size_t i = 0; layer->kind == MCH_BATCH_NORM && layer->weights && i < layer->n_weights; i++)
		scales = scales || layer->weights[i] != 1;
	return scales;
}

static void out_weights(const struct mch_layer *layer, struct mch_caffe_out *out)
{
	const struct mch_conv *g = &layer->conv;
	const int64_t n = (int64_t)layer->n_weights;
	switch (layer->kind) {
	case MCH_CONV:
		set_blob(out, layer->weights, 4, g->k, g->c / g->groups, g->r, g->s);
		break;
	case MCH_DECONV:
		set_blob(out, layer->weights, 4, g->c, g->k / g->groups, g->r, g->s);
		break;
	case MCH_DENSE:
		set_blob(out, layer->weights, 2, g->k, n / g->k, 0, 0);
		break;
	case MCH_PRELU: /* one slope for all channels is a scalar */
		set_blob(out, layer->weights, n == 1 && layer->norm.channels != 1 ? 0 : 1, n, 0, 0, 0);
		break;
	default:
		set_blob(out, layer->weights, 1, n, 0, 0, 0);
	}
	if (layer->bias)
		set_blob(out, layer->bias, 1, (int64_t)layer->n_bias, 0, 0, 0);
}

int mch_caffe_out_layers(const struct mch_layer *layer, struct mch_caffe_out out[2])
{
	memset(out, 0, 2 * sizeof(*out));
	if (!mch_layer_has_weights(layer) || !layer->weights)
		return 0;
	if (layer->kind != MCH_BATCH_NORM) {
		out[0].type = layer->kind == MCH_CONV     ? "Convolution"
			      : layer->kind == MCH_DECONV ? "Deconvolution"
			      : layer->kind == MCH_DENSE  ? "InnerProduct"
			      : layer->kind == MCH_PRELU  ? "PReLU"
							  : "Scale";
		out_weights(layer, &out[0]);
		return 1;
	}
	const int64_t n = (int64_t)layer->n_weights;
	out[0].type = "BatchNorm";
	set_blob(&out[0], layer->mean, 1, n, 0, 0, 0);
	set_blob(&out[0], layer->variance, 1, n, 0, 0, 0);
	set_blob(&out[0], NULL, 1, 1, 0, 0, 0);
	if (!mch_caffe_out_scales(layer))
		return 1;
	out[1].type = "Scale";
	out[1].is_second = true;
	out_weights(layer, &out[1]);
	return 2;
}

static uint64_t blob_elems(const struct mch_caffe_out *out, int b)
{
	uint64_t n = 1;
	for (int i = 0; i < out->blob[b].n_axes; i++)
		n *= (uint64_t)out->blob[b].dim[i];
	return n;
}

static uint64_t dims_size(int n_axes, const int64_t *dim)
{
	uint64_t n = 0;
	for (int i = 0; i < n_axes; i++)
		n += mch_wire_varint_size((uint64_t)dim[i]);
	return n;
}

static uint64_t blob_size(const struct mch_caffe_out *out, int b)
{
	const uint64_t dims = dims_size(out->blob[b].n_axes, out->blob[b].dim);
	return mch_wire_len_size(BLOB_DATA, 4 * blob_elems(out, b)) +
	       mch_wire_len_size(BLOB_SHAPE, mch_wire_len_size(SHAPE_DIM, dims));
}

static void put_blob(FILE *stream, int n_axes, const int64_t *dim, const float *values, uint64_t n_elems)
{
	const float one = 1;
	const uint64_t dims = dims_size(n_axes, dim);
	mch_wire_put_len(stream, BLOB_DATA, 4 * n_elems);
	mch_wire_put_floats(stream, values ? values : &one, (size_t)n_elems);
	mch_wire_put_len(stream, BLOB_SHAPE, mch_wire_len_size(SHAPE_DIM, dims));
	mch_wire_put_len(stream, SHAPE_DIM, dims);
	for (int i = 0; i < n_axes; i++)
		mch_wire_put_varint(stream, (uint64_t)dim[i]);
}

static void put_layer(FILE *stream, const char *layer_name, const struct mch_caffe_out *out)
{
	const char *suffix = out->is_second ? "/scale" : "";
	const uint64_t n_name = strlen(layer_name) + strlen(suffix);
	uint64_t n_bytes = mch_wire_len_size(LAYER_NAME, n_name) + mch_wire_len_size(LAYER_TYPE, strlen(out->type));
	for (int b = 0; b < out->n_blobs; b++)
		n_bytes += mch_wire_len_size(LAYER_BLOBS, blob_size(out, b));
	mch_wire_put_len(stream, NET_LAYER, n_bytes);
	mch_wire_put_len(stream, LAYER_NAME, n_name);
	fprintf(stream, "%s%s", layer_name, suffix);
	mch_wire_put_text(stream, LAYER_TYPE, out->type);
	for (int b = 0; b < out->n_blobs; b++) {
		mch_wire_put_len(stream, LAYER_BLOBS, blob_size(out, b));
		put_blob(stream, out->blob[b].n_axes, out->blob[b].dim, out->blob[b].values, blob_elems(out, b));
	}
}

int mch_caffe_write_weights(const struct mch_net *net, const char *path, struct mch_err *err)
{
	struct mch_outfile file;
	if (mch_net_require_weights(net, err) != 0 || mch_outfile_open(&file, path, err) != 0)
		return -1;
	if (net->name)
		mch_wire_put_text(file.stream, NET_NAME, net->name);
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_caffe_out out[2];
		const int n = mch_caffe_out_layers(&net->layers[i], out);
		for (int part = 0; part < n; part++)
			put_layer(file.stream, net->layers[i].name, &out[part]);
	}
	return mch_outfile_commit(&file, err);
}

int mch_caffe_write_mean(const struct mch_transform *transform, const char *path, struct mch_err *err)
{
	const int64_t dim[4] = {1, transform->mean_c, transform->mean_h, transform->mean_w};
	struct mch_outfile file;
	MCH_REQUIRE(transform->mean_image, "there is a mean picture to write");
	if (mch_outfile_open(&file, path, err) != 0)
		return -1;
	/* The older four fields: every Caffe reads them. */
	for (uint32_t i = 0; i < 4; i++)
		mch_wire_put_uint(file.stream, i + 1, (uint64_t)dim[i]);
	const size_t n_elems = (size_t)(dim[1] * dim[2] * dim[3]);
	mch_wire_put_len(file.stream, BLOB_DATA, 4 * (uint64_t)n_elems);
	mch_wire_put_floats(file.stream, transform->mean_image, n_elems);
	return mch_outfile_commit(&file, err);
}

/* path with another end than .prototxt, the caller's to free. */
static char *sibling(const char *path, const char *end, struct mch_err *err)
{
	const size_t n = strlen(path) - strlen(".prototxt"), room = n + strlen(end) + 1;
	char *name = malloc(room);
	if (name)
		snprintf(name, room, "%.*s%s", (int)n, path, end);
	else
		mch_err_set(err, path, "out of memory; use a machine with more");
	return name;
}

static bool has_parameters(const struct mch_net *net)
{
	bool has = false;
	for (int i = 0; i < net->n_layers; i++)
		has = has || (mch_layer_has_weights(&net->layers[i]) && net->layers[i].weights);
	return has;
}

int mch_caffe_write_files(const struct mch_net *net, const struct mch_quant *quant, const char *path,
			  struct mch_err *err)
{
	MCH_REQUIRE(strlen(path) > strlen(".prototxt"), "path ends in .prototxt");
	char *weights = sibling(path, ".caffemodel", err), *mean = sibling(path, ".binaryproto", err);
	const bool has_mean = net->transform.mean_image != NULL;
	int status = weights && mean ? 0 : -1;
	if (status == 0)
		status = mch_caffe_check(net, path, err) != 0 ? -1 : quant ? mch_ristretto_check(net, quant, path, err) : 0;
	if (status == 0 && has_parameters(net))
		status = mch_caffe_write_weights(net, weights, err);
	if (status == 0 && has_mean)
		status = mch_caffe_write_mean(&net->transform, mean, err);
	if (status == 0)
		status = mch_caffe_write(net, quant, path, has_mean ? mch_file_name(mean) : net->transform.mean_file, err);
	free(weights);
	free(mean);
	return status;
}
