/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A network's definition as a prototxt; see caffe_write.h. */
#include <stdio.h>
#include <string.h>

#include "base/outfile.h"
#include "io/build.h"
#include "io/caffe_out.h"
#include "io/caffe_ristretto.h"
#include "io/caffe_write.h"
#include "io/real_text.h"
#include "net/layer.h"

/* A quoted string; what is no plain character is escaped, so that any name can be read again. */
static void put_text(FILE *f, const char *text, const char *suffix)
{
	putc('"', f);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c == '"' || *c == '\\')
			fprintf(f, "\\%c", *c);
		else if (*c < ' ' || *c == 127)
			fprintf(f, "\\%03o", *c);
		else
			putc(*c, f);
	fprintf(f, "%s\"", suffix);
}

/* The field on a line of its own. */
static void put_name(FILE *f, const char *field, const char *text, const char *suffix)
{
	fprintf(f, "\t%s: ", field);
	put_text(f, text, suffix);
	putc('\n', f);
}

/* layer { name: "NAME" type: "TYPE", the rest follows. */
static void begin_layer(FILE *f, const char *name, const char *suffix, const char *type)
{
	fprintf(f, "layer {\n");
	put_name(f, "name", name, suffix);
	put_name(f, "type", type, "");
}

/* Caffe's Slice gives all of its input: the tops beside the one that is wanted go to a Silence. */
static void put_slice(FILE *f, const struct mch_net *net, const struct mch_layer *layer, const char *top)
{
	const struct mch_shape *in = &net->edges[layer->in[0]].shape;
	int begin = 0, end = 0;
	const int axis = mch_caffe_out_cut(net, layer, &begin, &end);
	const int length = axis == 1 ? in->c : axis == 2 ? in->h : in->w;
	const bool has_before = begin > 0, has_behind = end < length;
	if (has_before)
		put_name(f, "top", top, "/before");
	put_name(f, "top", top, "");
	if (has_behind)
		put_name(f, "top", top, "/behind");
	fprintf(f, "\tslice_param { axis: %d", axis);
	if (has_before)
		fprintf(f, " slice_point: %d", begin);
	if (has_behind)
		fprintf(f, " slice_point: %d", end);
	fprintf(f, " }\n}\n");
	begin_layer(f, layer->name, "/rest", "Silence");
	if (has_before)
		put_name(f, "bottom", top, "/before");
	if (has_behind)
		put_name(f, "bottom", top, "/behind");
}

/* Caffe's Scale and Bias of two bottoms want N C, not N C 1 1, of the second. */
static bool wants_flat(const struct mch_net *net, const struct mch_layer *layer)
{
	if ((layer->kind != MCH_PROD && layer->kind != MCH_SUM) || mch_caffe_out_joins(net, layer) != 2)
		return false;
	const int maker = net->edges[layer->in[1]].producer;
	return maker < 0 || (net->layers[maker].kind != MCH_FLATTEN && net->layers[maker].kind != MCH_DENSE);
}

static void put_layer(FILE *f, const struct mch_net *net, const struct mch_quant *quant, int index)
{
	const struct mch_layer *layer = &net->layers[index];
	const char *type = quant ? mch_ristretto_type(layer) : NULL;
	const char *top = net->edges[layer->out[0]].name;
	const bool is_two = mch_caffe_out_scales(layer);
	const bool is_flat = wants_flat(net, layer);
	if (is_flat) {
		begin_layer(f, layer->name, "/flat", "Flatten");
		put_name(f, "bottom", net->edges[layer->in[1]].name, "");
		put_name(f, "top", layer->name, "/flat");
		fprintf(f, "}\n");
	}
	begin_layer(f, layer->name, "", type ? type : mch_caffe_out_type(net, layer));
	for (int i = 0; i < layer->n_in; i++)
		if (is_flat && i == 1)
			put_name(f, "bottom", layer->name, "/flat");
		else
			put_name(f, "bottom", net->edges[layer->in[i]].name, "");
	if (layer->kind == MCH_SLICE)
		put_slice(f, net, layer, top);
	else
		put_name(f, "top", top, is_two ? "/norm" : "");
	mch_caffe_out_params(f, net, layer);
	if (type)
		mch_ristretto_put(f, net, quant, index);
	fprintf(f, "}\n");
	if (!is_two)
		return;
	begin_layer(f, layer->name, "/scale", "Scale");
	put_name(f, "bottom", top, "/norm");
	put_name(f, "top", top, "");
	fprintf(f, "%s}\n", layer->n_bias ? "\tscale_param { bias_term: true }\n" : "");
}

static void put_transform(FILE *f, const struct mch_transform *t, const struct mch_shape *input,
			  const char *mean_file)
{
	char buf[32];
	const double scale = t->n_std == 1 ? t->scale / (double)t->std[0] : t->scale;
	if (scale == 1 && !t->is_cropped && t->n_mean == 0 && !mean_file)
		return;
	fprintf(f, "\ttransform_param {");
	if (scale != 1)
		fprintf(f, " scale: %s", mch_real_text(scale, buf));
	if (t->is_cropped && input->h == input->w)
		fprintf(f, " crop_size: %d", input->h);
	for (int i = 0; i < t->n_mean && !mean_file; i++)
		fprintf(f, " mean_value: %s", mch_real_text((double)t->mean[i], buf));
	if (mean_file) {
		fprintf(f, " mean_file: ");
		put_text(f, mean_file, "");
	}
	fprintf(f, " }\n");
}

static void put_input(FILE *f, const struct mch_net *net, int edge, const char *mean_file)
{
	const struct mch_shape *s = &net->edges[edge].shape;
	begin_layer(f, net->edges[edge].name, "", "Input");
	put_name(f, "top", net->edges[edge].name, "");
	fprintf(f, "\tinput_param { shape { dim: 1 dim: %d dim: %d dim: %d } }\n", s->c, s->h, s->w);
	if (edge == net->input)
		put_transform(f, &net->transform, s, mean_file);
	fprintf(f, "}\n");
}

int mch_caffe_check(const struct mch_net *net, const char *path, struct mch_err *err)
{
	struct mch_unsupported list = {0};
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const char *why = mch_caffe_out_lacks(net, layer);
		char what[48];
		if (why) {
			snprintf(what, sizeof(what), "%.15s%s%.25s", mch_layer_table[layer->kind].name,
				 why[0] ? " with " : "", why);
			mch_unsupported_add(&list, what, layer->name);
		}
	}
	const int status = mch_unsupported_report(&list, path, err);
	mch_unsupported_free(&list);
	if (status != 0)
		return -1;
	if (net->transform.n_std > 1)
		return mch_err_set(err, path,
				   "Caffe has one scale for all channels, the network's input has a standard "
				   "deviation for each; fold them into the first layer");
	return 0;
}

int mch_caffe_write(const struct mch_net *net, const struct mch_quant *quant, const char *path, const char *mean_file,
		    struct mch_err *err)
{
	struct mch_outfile file;
	if (mch_caffe_check(net, path, err) != 0 || (quant && mch_ristretto_check(net, quant, path, err) != 0) ||
	    mch_outfile_open(&file, path, err) != 0)
		return -1;
	FILE *f = file.stream;
	fprintf(f, "name: ");
	put_text(f, net->name ? net->name : "network", "");
	putc('\n', f);
	if (!net->transform.is_bgr && net->edges[net->input].shape.c == 3)
		fprintf(f, "# The three channels of a picture are red, green, blue, in this order.\n");
	if (net->transform.resize == MCH_RESIZE_WARP)
		fprintf(f, "# Pictures are resized to %d rows of %d pixels before anything else.\n", net->transform.height,
			net->transform.width);
	else if (net->transform.resize == MCH_RESIZE_SHORT)
		fprintf(f, "# Pictures are resized to %d pixels on their shorter side before anything else.\n",
			net->transform.height);
	for (int e = 0; e < net->n_edges; e++)
		if (net->edges[e].producer < 0)
			put_input(f, net, e, mean_file);
	for (int i = 0; i < net->n_layers; i++)
		put_layer(f, net, quant, i);
	return mch_outfile_commit(&file, err);
}
