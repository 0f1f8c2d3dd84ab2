/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A Caffe network definition as a network; see caffe_read.h. The parameters of layers are read by caffe_layer.c. */
#include "io/caffe_read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/build.h"
#include "io/caffe_layer.h"
#include "io/file.h"
#include "io/prototxt.h"
#include "net/layer.h"

/* A name that layers read: Caffe's blob. In-place layers write it anew, so it points to the last writer's edge. */
struct blob {
	const char *name;
	struct mch_shape shape; /* of an input */
	int edge;               /* -1: an input that nobody has read yet */
};

struct reader {
	const char *path;
	struct mch_net *net;
	struct blob *blobs;
	int n_blobs;
	const struct mch_shape *data_shape;
	struct mch_err *err;
};

/* What a type means to us, besides the kinds of the layer table. */
enum role { ROLE_COMPUTE, ROLE_INPUT, ROLE_DATA, ROLE_TRAINING, ROLE_UNKNOWN };

static const struct {
	const char *type, *v1;
	enum role role;
} roles[] = {
	{"Input", "INPUT", ROLE_INPUT},
	{"MemoryData", "MEMORY_DATA", ROLE_INPUT},
	{"Data", "DATA", ROLE_DATA},
	{"ImageData", "IMAGE_DATA", ROLE_DATA},
	{"HDF5Data", "HDF5_DATA", ROLE_DATA},
	{"WindowData", "WINDOW_DATA", ROLE_DATA},
	{"Accuracy", "ACCURACY", ROLE_TRAINING},
	{"EuclideanLoss", "EUCLIDEAN_LOSS", ROLE_TRAINING},
	{"HingeLoss", "HINGE_LOSS", ROLE_TRAINING},
	{"SigmoidCrossEntropyLoss", "SIGMOID_CROSS_ENTROPY_LOSS", ROLE_TRAINING},
	{"Silence", "SILENCE", ROLE_TRAINING},
	{"SoftmaxWithLoss", "SOFTMAX_LOSS", ROLE_TRAINING},
};

static enum role find_role(const char *type, bool is_v1, enum mch_kind *kind)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(type, is_v1 ? roles[i].v1 : roles[i].type) == 0)
			return roles[i].role;
	for (int k = 0; k < MCH_N_KINDS; k++) {
		const char *name = is_v1 ? mch_layer_table[k].caffe_v1 : mch_layer_table[k].caffe_type;
		if (name && strcmp(type, name) == 0 && mch_caffe_has_reader((enum mch_kind)k)) {
			*kind = (enum mch_kind)k;
			return ROLE_COMPUTE;
		}
	}
	return ROLE_UNKNOWN;
}

/* layer { type: "Convolution" } or, in files before 2014, layers { type: CONVOLUTION }. */
static int layer_type(struct reader *r, const struct mch_prototxt *layer, const char **type, bool *is_v1)
{
	const struct mch_prototxt *field = mch_prototxt_find(layer, "type");
	if (!field || field->kind == MCH_PROTOTXT_MESSAGE)
		return mch_prototxt_err(r->err, r->path, layer, "the layer has no type; add type: \"...\"");
	*type = field->text;
	*is_v1 = field->kind == MCH_PROTOTXT_SCALAR;
	return 0;
}

static bool is_layer(const struct mch_prototxt *field)
{
	return strcmp(field->name, "layer") == 0 || strcmp(field->name, "layers") == 0;
}

static struct blob *find_blob(const struct reader *r, const char *name)
{
	for (int i = r->n_blobs - 1; i >= 0; i--)
		if (strcmp(r->blobs[i].name, name) == 0)
			return &r->blobs[i];
	return NULL;
}

static int add_blob(struct reader *r, const struct mch_prototxt *at, const char *name, struct mch_shape shape,
		    int edge)
{
	if (find_blob(r, name))
		return mch_prototxt_err(r->err, r->path, at,
					"\"%s\" is already written by an earlier layer; rename one", name);
	struct blob *more = realloc(r->blobs, ((size_t)r->n_blobs + 1) * sizeof(*more));
	if (!more)
		return mch_err_set(r->err, r->path, "out of memory; use a machine with more");
	r->blobs = more;
	r->blobs[r->n_blobs++] = (struct blob){name, shape, edge};
	return 0;
}

/* The dims of `field` and those of its name behind it: N C H W, or N C. The batch is the runner's business. */
static int read_dims(struct reader *r, const struct mch_prototxt *at, const struct mch_prototxt *field, int n_max,
		     struct mch_shape *shape)
{
	int dim[4] = {1, 1, 1, 1}, n = 0;
	for (; field && n < n_max; field = mch_prototxt_again(field)) {
		if (n == 4)
			return mch_prototxt_err(r->err, r->path, field,
						"the shape has over 4 dimensions, N C H W is expected; "
						"correct the definition");
		if (mch_prototxt_int(r->path, field, 1, MCH_BUILD_CHANNELS_MAX, &dim[n++], r->err) != 0)
			return -1;
	}
	if (n == 3)
		return mch_prototxt_err(r->err, r->path, at,
					"the shape has 3 dimensions, N C H W is expected; add one");
	*shape = (struct mch_shape){1, dim[1], dim[2], dim[3]};
	return 0;
}

/* input: "data" with input_shape { dim: ... } or four input_dim, in the net itself. */
static int read_net_inputs(struct reader *r, const struct mch_prototxt *root)
{
	const struct mch_prototxt *shape = mch_prototxt_find(root, "input_shape");
	const struct mch_prototxt *dim = mch_prototxt_find(root, "input_dim");
	const struct mch_prototxt *input = mch_prototxt_find(root, "input");
	for (; input; input = mch_prototxt_again(input)) {
		struct mch_shape s;
		const char *name;
		if (mch_prototxt_string(r->path, input, &name, r->err) != 0)
			return -1;
		if (!shape && !dim)
			return mch_prototxt_err(r->err, r->path, input,
						"input \"%s\" has no shape; add input_shape { dim: ... }", name);
		if (shape ? mch_prototxt_message(r->path, shape, r->err) != 0 ||
				    read_dims(r, shape, mch_prototxt_find(shape, "dim"), 5, &s) != 0
			  : read_dims(r, input, dim, 4, &s) != 0)
			return -1;
		if (add_blob(r, input, name, s, -1) != 0)
			return -1;
		for (int i = 0; !shape && dim && i < 4; i++)
			dim = mch_prototxt_again(dim);
		shape = shape ? mch_prototxt_again(shape) : NULL;
	}
	return 0;
}

static int read_transform(struct reader *r, const struct mch_prototxt *layer)
{
	static const char *const params[] = {"transform_param", "data_param", "memory_data_param"};
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		const struct mch_prototxt *param = mch_prototxt_find(layer, params[i]);
		const struct mch_prototxt *mean = mch_prototxt_find(param, "mean_file");
		const struct mch_prototxt *scale = mch_prototxt_find(param, "scale");
		mean = mean ? mean : mch_prototxt_find(param, "mean_value");
		if (mean)
			return mch_prototxt_err(r->err, r->path, mean,
						"%s: images minus a mean are not supported; fold the mean "
						"into the first layer's bias, or read the deploy file",
						mean->name);
		if (scale && mch_prototxt_real(r->path, scale, &r->net->transform.scale, r->err) != 0)
			return -1;
		if (scale && r->net->transform.scale <= 0)
			return mch_prototxt_err(r->err, r->path, scale,
						"scale is %s, above 0 is expected; correct the definition",
						scale->text);
	}
	return 0;
}

static int data_shape(struct reader *r, const struct mch_prototxt *layer, enum role role, struct mch_shape *shape)
{
	const struct mch_prototxt *memory = mch_prototxt_find(layer, "memory_data_param");
	if (role == ROLE_DATA && r->data_shape) {
		*shape = *r->data_shape;
		return 0;
	}
	if (role == ROLE_INPUT && memory) {
		static const char *const names[] = {"channels", "height", "width"};
		int *const values[] = {&shape->c, &shape->h, &shape->w};
		shape->n = 1;
		for (int i = 0; i < 3; i++) {
			const struct mch_prototxt *field = mch_prototxt_find(memory, names[i]);
			if (!field)
				return mch_prototxt_err(r->err, r->path, memory, "%s is missing; add it", names[i]);
			if (mch_prototxt_int(r->path, field, 1, MCH_BUILD_CHANNELS_MAX, values[i], r->err) != 0)
				return -1;
		}
		return 0;
	}
	const struct mch_prototxt *dims = mch_prototxt_find(mch_prototxt_find(layer, "input_param"), "shape");
	if (role == ROLE_INPUT && dims)
		return read_dims(r, dims, mch_prototxt_find(dims, "dim"), 5, shape);
	return mch_prototxt_err(r->err, r->path, layer,
				"the layer does not tell the size of its images; use an Input layer with "
				"input_param { shape { dim: 1 dim: C dim: H dim: W } }, or read the deploy file");
}

/* The first top holds images; a second one holds labels, which only losses read. */
static int read_input_layer(struct reader *r, const struct mch_prototxt *layer, enum role role)
{
	struct mch_shape shape;
	const char *name;
	const struct mch_prototxt *top = mch_prototxt_find(layer, "top");
	if (!top)
		return mch_prototxt_err(r->err, r->path, layer, "the layer has no top; add one");
	if (read_transform(r, layer) != 0 || data_shape(r, layer, role, &shape) != 0 ||
	    mch_prototxt_string(r->path, top, &name, r->err) != 0)
		return -1;
	return add_blob(r, top, name, shape, -1);
}

/* The edge of the one bottom; the first input read becomes the net's. */
static int read_bottom(struct reader *r, const struct mch_prototxt *layer, struct blob **blob)
{
	const struct mch_prototxt *bottom = mch_prototxt_find(layer, "bottom");
	const char *name;
	if (!bottom || mch_prototxt_again(bottom))
		return mch_prototxt_err(r->err, r->path, layer,
					"the layer has %s bottom, one is expected; correct the "
					"definition",
					bottom ? "more than one" : "no");
	if (mch_prototxt_string(r->path, bottom, &name, r->err) != 0)
		return -1;
	*blob = find_blob(r, name);
	if (!*blob)
		return mch_prototxt_err(r->err, r->path, bottom,
					"bottom \"%s\" is written by no earlier layer; correct the name "
					"or the order",
					name);
	if ((*blob)->edge >= 0)
		return 0;
	if (r->net->input >= 0)
		return mch_prototxt_err(r->err, r->path, bottom,
					"\"%s\" is a second input beside \"%s\", one is expected; cut it "
					"off",
					name, r->net->edges[r->net->input].name);
	(*blob)->edge = r->net->input = mch_net_add_edge(r->net, name, (*blob)->shape, r->err);
	return r->net->input < 0 ? -1 : 0;
}

static int read_layer(struct reader *r, const struct mch_prototxt *layer, enum mch_kind kind)
{
	const struct mch_prototxt *name_field = mch_prototxt_find(layer, "name"),
				  *top = mch_prototxt_find(layer, "top");
	const char *name, *top_name;
	struct blob *bottom = NULL;
	char edge_name[256];
	if (!name_field || !top || mch_prototxt_again(top))
		return mch_prototxt_err(r->err, r->path, layer,
					"the layer has %s, one is expected; correct the definition",
					!name_field ? "no name"
					: !top      ? "no top"
						    : "more than one top");
	if (mch_prototxt_string(r->path, name_field, &name, r->err) != 0 ||
	    mch_prototxt_string(r->path, top, &top_name, r->err) != 0 || read_bottom(r, layer, &bottom) != 0)
		return -1;
	if (mch_net_find_layer(r->net, name) >= 0)
		return mch_prototxt_err(r->err, r->path, name_field, "a second layer is named \"%s\"; rename one",
					name);
	const bool in_place = strcmp(top_name, bottom->name) == 0;
	if (mch_build_edge_name(r->net, in_place ? name : top_name, edge_name, sizeof(edge_name), r->err) != 0)
		return -1;
	const int index = mch_net_add_layer(r->net, name, kind, bottom->edge, edge_name, r->err);
	if (index < 0 || mch_caffe_layer(r->path, layer, r->net, index, r->err) != 0)
		return -1;
	const int edge = r->net->layers[index].out[0];
	if (in_place) {
		bottom->edge = edge;
		return 0;
	}
	return add_blob(r, top, top_name, (struct mch_shape){0}, edge);
}

/* One pass over the layers that the TEST phase keeps. The first only looks for what is not supported. */
static int read_layers(struct reader *r, const struct mch_prototxt *root, bool only_look)
{
	struct mch_unsupported unsupported = {0};
	for (const struct mch_prototxt *layer = root->first; layer; layer = layer->next) {
		const char *type = "";
		bool is_v1 = false, is_kept = false;
		enum mch_kind kind = MCH_CONV;
		if (!is_layer(layer))
			continue;
		if (mch_prototxt_message(r->path, layer, r->err) != 0 || layer_type(r, layer, &type, &is_v1) != 0 ||
		    mch_caffe_is_kept(r->path, layer, &is_kept, r->err) != 0)
			return -1;
		const enum role role = find_role(type, is_v1, &kind);
		if (only_look && is_kept && role == ROLE_UNKNOWN) {
			const struct mch_prototxt *name = mch_prototxt_find(layer, "name");
			char where[128];
			snprintf(where, sizeof(where), "%.100s line %d", name && name->text ? name->text : "unnamed",
				 layer->line);
			mch_unsupported_add(&unsupported, type, where);
		}
		if (only_look || !is_kept)
			continue;
		if ((role == ROLE_INPUT || role == ROLE_DATA) && read_input_layer(r, layer, role) != 0)
			return -1;
		if (role == ROLE_COMPUTE && read_layer(r, layer, kind) != 0)
			return -1;
	}
	return mch_unsupported_report(&unsupported, r->path, r->err);
}

static int check_fields(struct reader *r, const struct mch_prototxt *root)
{
	for (const struct mch_prototxt *f = root->first; f; f = f->next) {
		static const char *const known[] = {"name",       "input",          "input_shape",
						    "input_dim",  "force_backward", "state",
						    "debug_info", "layer",          "layers"};
		size_t i = 0;
		while (i < sizeof(known) / sizeof(known[0]) && strcmp(f->name, known[i]) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return mch_prototxt_err(r->err, r->path, f,
						"%s is no field of a Caffe network; is it the right file (a "
						"solver's, perhaps)?",
						f->name);
	}
	return 0;
}

static int read_net(struct reader *r, const struct mch_prototxt *root)
{
	const struct mch_prototxt *name_field = mch_prototxt_find(root, "name");
	const char *name = mch_file_name(r->path);
	if (check_fields(r, root) != 0 ||
	    (name_field && mch_prototxt_string(r->path, name_field, &name, r->err) != 0))
		return -1;
	r->net->name = strdup(name);
	if (!r->net->name)
		return mch_err_set(r->err, r->path, "out of memory; use a machine with more");
	if (read_layers(r, root, true) != 0 || read_net_inputs(r, root) != 0 || read_layers(r, root, false) != 0)
		return -1;
	return mch_build_finish(r->net, r->path, r->err);
}

int mch_caffe_read(const char *path, const struct mch_shape *shape, struct mch_net *net, struct mch_err *err)
{
	struct reader r = {.path = path, .net = net, .data_shape = shape, .err = err};
	mch_net_init(net);
	struct mch_prototxt *root = mch_prototxt_read(path, err);
	const int status = root ? read_net(&r, root) : -1;
	if (status != 0)
		mch_net_free(net);
	free(r.blobs);
	mch_prototxt_free(root);
	return status;
}
