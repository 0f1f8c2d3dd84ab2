/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A Caffe network definition as a network; see caffe_read.h. Its layers are read by caffe_layer.c, its parameters by
 * caffe_weights.c. */
#include "io/caffe_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/caffe_layer.h"
#include "io/caffe_weights.h"
#include "io/file.h"
#include "io/prototxt.h"

/* layer { type: "Convolution" } or, in files before 2014, layers { type: CONVOLUTION }. */
static int layer_type(const struct mch_caffe *caffe, const struct mch_prototxt *layer, const char **type,
		      bool *is_v1)
{
	const struct mch_prototxt *field = mch_prototxt_find(layer, "type");
	if (mch_prototxt_find(layer, "layer"))
		return mch_prototxt_err(caffe->err, caffe->path, layer,
					"the layer is of Caffe's first format (V0); convert the file with Caffe's "
					"upgrade_net_proto_text");
	if (!field || field->kind == MCH_PROTOTXT_MESSAGE)
		return mch_prototxt_err(caffe->err, caffe->path, layer, "the layer has no type; add type: \"...\"");
	*type = field->text;
	*is_v1 = field->kind == MCH_PROTOTXT_SCALAR;
	return 0;
}

static bool is_layer(const struct mch_prototxt *field)
{
	return strcmp(field->name, "layer") == 0 || strcmp(field->name, "layers") == 0;
}

static int n_named(const struct mch_prototxt *layer, const char *name)
{
	int n = 0;
	for (const struct mch_prototxt *f = mch_prototxt_find(layer, name); f; f = mch_prototxt_again(f))
		n++;
	return n;
}

/* The edge of a bottom; the first input read becomes the net's. */
static int read_bottom(struct mch_caffe *caffe, const struct mch_prototxt *bottom, int *edge, int *n_axes)
{
	const char *name;
	if (mch_prototxt_string(caffe->path, bottom, &name, caffe->err) != 0)
		return -1;
	struct mch_caffe_blob *blob = mch_caffe_find_blob(caffe, name);
	if (!blob)
		return mch_prototxt_err(caffe->err, caffe->path, bottom,
					"bottom \"%s\" is written by no earlier layer; correct the name or the "
					"order",
					name);
	if (blob->edge < 0) {
		blob->edge = mch_net_add_edge(caffe->net, name, blob->shape, caffe->err);
		if (caffe->net->input < 0)
			caffe->net->input = blob->edge;
	}
	*edge = blob->edge;
	*n_axes = blob->n_axes;
	return *edge < 0 ? -1 : 0;
}

static int read_bottoms(struct mch_caffe_layer *l)
{
	const int n = n_named(l->field, "bottom");
	if (n < l->type->n_in_min || n > l->type->n_in_max) {
		char want[48] = "one is";
		if (l->type->n_in_max > 1)
			snprintf(want, sizeof(want), "%d to %d are", l->type->n_in_min, l->type->n_in_max);
		return mch_caffe_complain(l, NULL, "the layer has %s bottom, %s expected; correct the definition",
					  n == 0  ? "no"
					  : n > 1 ? "more than one"
						  : "one",
					  want);
	}
	for (const struct mch_prototxt *f = mch_prototxt_find(l->field, "bottom"); f;
	     f = mch_prototxt_again(f), l->n_in++) {
		int n_axes = 0;
		if (read_bottom(l->caffe, f, &l->in[l->n_in], &n_axes) != 0)
			return -1;
		if (l->n_in == 0)
			l->n_axes = n_axes;
	}
	return 0;
}

/* A top is new, or a bottom that is written in place. */
static int read_tops(struct mch_caffe_layer *l)
{
	const int n = n_named(l->field, "top");
	if (n == 0 || n > (l->type->has_tops ? MCH_CAFFE_TOPS_MAX : 1))
		return mch_caffe_complain(l, NULL, "the layer has %s, one is expected; correct the definition",
					  n ? "more than one top" : "no top");
	for (const struct mch_prototxt *f = mch_prototxt_find(l->field, "top"); f;
	     f = mch_prototxt_again(f), l->n_top++) {
		const char **top = &l->top[l->n_top];
		if (mch_prototxt_string(l->caffe->path, f, top, l->caffe->err) != 0)
			return -1;
		const struct mch_caffe_blob *blob = mch_caffe_find_blob(l->caffe, *top);
		bool in_place = false, is_twice = false;
		for (int i = 0; blob && i < l->n_in; i++)
			in_place = in_place || l->in[i] == blob->edge;
		for (int i = 0; i < l->n_top; i++)
			is_twice = is_twice || strcmp(l->top[i], *top) == 0;
		if ((blob && !in_place) || is_twice)
			return mch_caffe_complain(l, f, "\"%s\" is already written by an earlier layer; rename one",
						  *top);
	}
	return 0;
}

/* What a left-out layer reads is an output no more. */
static int consume(struct mch_caffe *caffe, int edge)
{
	int *more = realloc(caffe->consumed, ((size_t)caffe->n_consumed + 1) * sizeof(*more));
	if (!more)
		return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	caffe->consumed = more;
	caffe->consumed[caffe->n_consumed++] = edge;
	return 0;
}

static int read_silence(struct mch_caffe *caffe, const struct mch_prototxt *layer)
{
	for (const struct mch_prototxt *f = mch_prototxt_find(layer, "bottom"); f; f = mch_prototxt_again(f)) {
		const struct mch_caffe_blob *blob =
			f->kind == MCH_PROTOTXT_STRING ? mch_caffe_find_blob(caffe, f->text) : NULL;
		if (blob && blob->edge >= 0 && consume(caffe, blob->edge) != 0)
			return -1;
	}
	return 0;
}

static int read_compute(struct mch_caffe *caffe, const struct mch_caffe_type *type, const struct mch_prototxt *layer)
{
	const struct mch_prototxt *name = mch_prototxt_find(layer, "name");
	struct mch_caffe_layer *l = calloc(1, sizeof(*l)); /* its names are too many for the stack */
	if (!l)
		return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	l->caffe = caffe;
	l->type = type;
	l->field = layer;
	int status =
		name ? mch_prototxt_string(caffe->path, name, &l->name, caffe->err)
		     : mch_caffe_complain(l, NULL, "the layer has no name, one is expected; correct the definition");
	if (status == 0 && mch_net_find_layer(caffe->net, l->name) >= 0)
		status = mch_caffe_complain(l, name, "a second layer is named \"%s\"; rename one", l->name);
	if (status == 0 && (read_bottoms(l) != 0 || read_tops(l) != 0 || mch_caffe_read_layer(l) != 0))
		status = -1;
	/* Crop's second bottom tells a size alone. */
	for (int i = 0; status == 0 && i < l->n_in; i++)
		status = consume(caffe, l->in[i]);
	free(l);
	return status;
}

static int read_kept(struct mch_caffe *caffe, const struct mch_caffe_type *type, const struct mch_prototxt *layer)
{
	switch (type->role) {
	case MCH_CAFFE_INPUT:
	case MCH_CAFFE_DATA:
		return mch_caffe_read_input(caffe, layer, type->role);
	case MCH_CAFFE_SILENCE:
		return read_silence(caffe, layer);
	case MCH_CAFFE_TRAINING:
		return 0;
	default:
		return read_compute(caffe, type, layer);
	}
}

/* What of a layer is not supported: its type, or something in its parameters. NULL: nothing. */
static const char *look(const struct mch_caffe_type *type, const char *name, const struct mch_prototxt *layer,
			char *buf, size_t room)
{
	if (!type)
		return name;
	const char *what = type->look ? type->look(mch_prototxt_find(layer, type->param)) : NULL;
	if (!what)
		return NULL;
	snprintf(buf, room, "%.24s with %.60s", name, what);
	return buf;
}

/* One pass over the layers that the TEST phase keeps. The first only looks for what is not supported. */
static int read_layers(struct mch_caffe *caffe, const struct mch_prototxt *root, bool only_look)
{
	for (const struct mch_prototxt *layer = root->first; layer; layer = layer->next) {
		const char *name = "";
		char buf[96], where[128];
		bool is_v1 = false, is_kept = false;
		if (!is_layer(layer))
			continue;
		if (mch_prototxt_message(caffe->path, layer, caffe->err) != 0 ||
		    layer_type(caffe, layer, &name, &is_v1) != 0 || mch_caffe_is_kept(caffe, layer, &is_kept) != 0)
			return -1;
		const struct mch_caffe_type *type = mch_caffe_find_type(name, is_v1);
		const char *what = only_look && is_kept ? look(type, name, layer, buf, sizeof(buf)) : NULL;
		if (what) {
			const struct mch_prototxt *field = mch_prototxt_find(layer, "name");
			snprintf(where, sizeof(where), "%.100s line %d",
				 field && field->text ? field->text : "unnamed", layer->line);
			mch_unsupported_add(caffe->unsupported, what, where);
		}
		if (!only_look && is_kept && read_kept(caffe, type, layer) != 0)
			return -1;
	}
	return mch_unsupported_report(caffe->unsupported, caffe->path, caffe->err);
}

static int check_fields(const struct mch_caffe *caffe, const struct mch_prototxt *root)
{
	static const char known[] = "name input input_shape input_dim force_backward state debug_info layer layers ";
	for (const struct mch_prototxt *f = root->first; f; f = f->next)
		if (!mch_caffe_has_word(known, f->name))
			return mch_prototxt_err(caffe->err, caffe->path, f,
						"%s is no field of a Caffe network; is it the right file (a "
						"solver's, "
						"perhaps)?",
						f->name);
	return 0;
}

/* The output, when there is one edge that nobody takes; else it stays -1, and mch_build_finish says what there is. */
static int find_output(struct mch_caffe *caffe)
{
	struct mch_net *net = caffe->net;
	char *is_read = calloc((size_t)net->n_edges + 1, 1);
	int n_unread = 0, output = -1;
	if (!is_read)
		return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	for (int i = 0; i < caffe->n_consumed; i++)
		is_read[caffe->consumed[i]] = 1;
	for (int e = 0; e < net->n_edges; e++)
		if (!is_read[e]) {
			output = e;
			n_unread++;
		}
	free(is_read);
	net->output = n_unread == 1 ? output : -1;
	return 0;
}

/* Layers that lead to no output are dropped; the plans and formats follow the others. */
static int prune(struct mch_caffe *caffe)
{
	struct mch_net *net = caffe->net;
	if (net->output < 0 || net->n_layers == 0)
		return 0;
	const int n_layers = net->n_layers;
	int *now = malloc((size_t)n_layers * sizeof(*now)), n = 0;
	if (!now || mch_build_prune(net, now, NULL, caffe->path, caffe->err) != 0) {
		free(now);
		return now ? -1 : mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	}
	for (int i = 0; i < caffe->n_plans; i++)
		if (now[caffe->plans[i].layer] >= 0) {
			caffe->plans[n] = caffe->plans[i];
			caffe->plans[n].layer = now[caffe->plans[n].layer];
			n++;
		}
	caffe->n_plans = n;
	n = 0;
	for (int i = 0; i < caffe->n_formats; i++)
		if (now[caffe->formats[i].layer] >= 0) {
			caffe->formats[n] = caffe->formats[i];
			caffe->formats[n].layer = now[caffe->formats[n].layer];
			n++;
		}
	caffe->n_formats = n;
	free(now);
	return 0;
}

static int read_net(struct mch_caffe *caffe, const struct mch_prototxt *root)
{
	const struct mch_prototxt *name_field = mch_prototxt_find(root, "name");
	const char *name = mch_file_name(caffe->path);
	caffe->state = mch_prototxt_find(root, "state");
	if (check_fields(caffe, root) != 0 ||
	    (name_field && mch_prototxt_string(caffe->path, name_field, &name, caffe->err) != 0))
		return -1;
	caffe->net->name = strdup(name);
	caffe->net->transform.is_bgr = true;
	if (!caffe->net->name)
		return mch_err_set(caffe->err, caffe->path, "out of memory; use a machine with more");
	if (read_layers(caffe, root, true) != 0 || mch_caffe_read_net_inputs(caffe, root) != 0 ||
	    read_layers(caffe, root, false) != 0 || find_output(caffe) != 0 || prune(caffe) != 0)
		return -1;
	return mch_build_finish(caffe->net, caffe->path, caffe->err);
}

int mch_caffe_load(const char *path, const char *weights, const struct mch_shape *data_shape, struct mch_net *net,
		   struct mch_quant *quant, struct mch_err *err)
{
	struct mch_unsupported list = {0};
	const int status = mch_caffe_load_listing(path, weights, data_shape, net, quant, &list, err);
	mch_unsupported_free(&list);
	return status;
}

int mch_caffe_load_listing(const char *path, const char *weights, const struct mch_shape *data_shape, struct mch_net *net,
			   struct mch_quant *quant, struct mch_unsupported *list, struct mch_err *err)
{
	struct mch_caffe caffe = {.path = path, .net = net, .data_shape = data_shape, .unsupported = list, .err = err};
	mch_net_init(net);
	struct mch_prototxt *root = mch_prototxt_read(path, err);
	int status = root ? read_net(&caffe, root) : -1;
	if (status == 0 && weights)
		status = mch_caffe_read_weights(&caffe, weights);
	if (status == 0)
		status = mch_caffe_quant(&caffe, quant);
	if (status != 0)
		mch_net_free(net);
	free(caffe.blobs);
	free(caffe.plans);
	free(caffe.consumed);
	free(caffe.formats);
	mch_prototxt_free(root);
	return status;
}

int mch_caffe_read(const char *path, const struct mch_shape *data_shape, struct mch_net *net, struct mch_err *err)
{
	return mch_caffe_load(path, NULL, data_shape, net, NULL, err);
}
