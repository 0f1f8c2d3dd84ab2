/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What enters a Caffe network: shapes, and how pictures become input; see caffe_layer.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/build.h"
#include "io/caffe_layer.h"
#include "io/caffe_mean.h"

static int fail(const struct mch_caffe *caffe, const struct mch_prototxt *at, const char *what)
{
	return mch_prototxt_err(caffe->err, caffe->path, at, "%s", what);
}

/* A new name for an input that nobody has read yet. */
static int add_input(struct mch_caffe *caffe, const struct mch_prototxt *at, const char *name, struct mch_shape s,
		     int n_axes)
{
	if (mch_caffe_find_blob(caffe, name))
		return mch_prototxt_err(caffe->err, caffe->path, at,
					"\"%s\" is already written by an earlier layer; rename one", name);
	if ((long long)s.c * s.h > INT_MAX / s.w)
		return fail(caffe, at, "the shape has over 2^31 elements; give smaller images");
	if (mch_caffe_bind(caffe, name, -1, n_axes) != 0)
		return -1;
	mch_caffe_find_blob(caffe, name)->shape = s;
	return 0;
}

/* The dims of `field` and those of its name behind it: N C H W, or N C. The batch is the runner's business. */
static int read_dims(struct mch_caffe *caffe, const struct mch_prototxt *at, const struct mch_prototxt *field,
		     int n_max, struct mch_shape *shape, int *n_axes)
{
	int dim[4] = {1, 1, 1, 1}, n = 0;
	for (; field && n < n_max; field = mch_prototxt_again(field)) {
		if (n == 4)
			return fail(caffe, field,
				    "the shape has over 4 dimensions, N C H W is expected; correct the definition");
		if (mch_prototxt_int(caffe->path, field, 1, MCH_BUILD_CHANNELS_MAX, &dim[n++], caffe->err) != 0)
			return -1;
	}
	if (n == 3)
		return fail(caffe, at, "the shape has 3 dimensions, N C H W is expected; add one");
	if (caffe->batch == 0)
		caffe->batch = dim[0];
	*shape = (struct mch_shape){1, dim[1], dim[2], dim[3]};
	*n_axes = n > 1 ? n : 2;
	return 0;
}

int mch_caffe_read_net_inputs(struct mch_caffe *caffe, const struct mch_prototxt *root)
{
	const struct mch_prototxt *shape = mch_prototxt_find(root, "input_shape");
	const struct mch_prototxt *dim = mch_prototxt_find(root, "input_dim");
	const struct mch_prototxt *input = mch_prototxt_find(root, "input");
	for (; input; input = mch_prototxt_again(input)) {
		struct mch_shape s;
		const char *name;
		int n_axes;
		if (mch_prototxt_string(caffe->path, input, &name, caffe->err) != 0)
			return -1;
		if (!shape && !dim)
			return mch_prototxt_err(caffe->err, caffe->path, input,
						"input \"%s\" has no shape; add input_shape { dim: ... }", name);
		if (shape ? mch_prototxt_message(caffe->path, shape, caffe->err) != 0 ||
				    read_dims(caffe, shape, mch_prototxt_find(shape, "dim"), 5, &s, &n_axes) != 0
			  : read_dims(caffe, input, dim, 4, &s, &n_axes) != 0)
			return -1;
		if (add_input(caffe, input, name, s, n_axes) != 0)
			return -1;
		for (int i = 0; !shape && dim && i < 4; i++)
			dim = mch_prototxt_again(dim);
		shape = shape ? mch_prototxt_again(shape) : NULL;
	}
	return 0;
}

/* A mean file lies where the definition says, seen from the definition's folder, or in that folder itself. One that
 * is not there is remembered: it matters only when pictures are read. */
static int read_mean_file(struct mch_caffe *caffe, const struct mch_prototxt *field)
{
	struct mch_transform *t = &caffe->net->transform;
	const char *name, *slash = strrchr(caffe->path, '/');
	const int n_folder = slash ? (int)(slash + 1 - caffe->path) : 0;
	char path[4096];
	if (mch_prototxt_string(caffe->path, field, &name, caffe->err) != 0)
		return -1;
	const char *file = strrchr(name, '/');
	for (int try = 0; try < 2; try++) {
		const int n = snprintf(path, sizeof(path), "%.*s%s", name[0] == '/' && !try ? 0 : n_folder,
				       caffe->path, try && file ? file + 1 : name);
		if (n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0)
			return mch_caffe_mean_read(path, (struct mch_shape){0}, t, caffe->err);
	}
	free(t->mean_file);
	t->mean_file = strdup(name);
	return t->mean_file ? 0 : fail(caffe, field, "out of memory; use a machine with more");
}

static int read_mean_values(struct mch_caffe *caffe, const struct mch_prototxt *field)
{
	struct mch_transform *t = &caffe->net->transform;
	for (t->n_mean = 0; field; field = mch_prototxt_again(field)) {
		double value;
		if (t->n_mean == MCH_TRANSFORM_CHANNELS_MAX)
			return fail(caffe, field,
				    "mean_value is given over 4 times, one for each channel is expected; correct "
				    "the definition");
		if (mch_prototxt_real(caffe->path, field, &value, caffe->err) != 0)
			return -1;
		t->mean[t->n_mean++] = (float)value;
	}
	return 0;
}

/* What a data layer says of its pictures. */
struct pictures {
	int crop, height, width; /* 0: not said */
	bool is_grey;
};

static int read_transform_param(struct mch_caffe *caffe, const struct mch_prototxt *param, struct pictures *p)
{
	const struct mch_prototxt *scale = mch_prototxt_find(param, "scale");
	const struct mch_prototxt *mean = mch_prototxt_find(param, "mean_file");
	const struct mch_prototxt *value = mch_prototxt_find(param, "mean_value");
	const struct mch_prototxt *crop = mch_prototxt_find(param, "crop_size");
	const struct mch_prototxt *grey = mch_prototxt_find(param, "force_gray");
	double factor = 1;
	int is_grey = p->is_grey;
	if (mean && value)
		return fail(caffe, value, "mean_file and mean_value are both given; keep one");
	if (scale && mch_prototxt_real(caffe->path, scale, &factor, caffe->err) != 0)
		return -1;
	if (!(factor > 0))
		return mch_prototxt_err(caffe->err, caffe->path, scale,
					"scale is %s, above 0 is expected; correct the definition", scale->text);
	if ((crop && mch_prototxt_int(caffe->path, crop, 0, MCH_BUILD_SIDE_MAX, &p->crop, caffe->err) != 0) ||
	    (grey && mch_prototxt_bool(caffe->path, grey, &is_grey, caffe->err) != 0) ||
	    (mean && read_mean_file(caffe, mean) != 0) || (value && read_mean_values(caffe, value) != 0))
		return -1;
	p->is_grey = is_grey != 0;
	if (p->crop > 0)
		caffe->net->transform.is_cropped = true;
	if (scale)
		caffe->net->transform.scale = factor;
	return 0;
}

/* transform_param, or, in files before 2014, the same fields among the data's own. mirror is for training. */
static int read_transform(struct mch_caffe *caffe, const struct mch_prototxt *layer, struct pictures *p)
{
	static const char *const params[] = {"transform_param", "data_param", "image_data_param",
					     "memory_data_param", "window_data_param"};
	static const char known[] = "scale mirror crop_size mean_file mean_value force_color force_gray ";
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		const struct mch_prototxt *param = mch_prototxt_find(layer, params[i]);
		if (!param)
			continue;
		if (mch_prototxt_message(caffe->path, param, caffe->err) != 0)
			return -1;
		for (const struct mch_prototxt *f = i == 0 ? param->first : NULL; f; f = f->next)
			if (!mch_caffe_has_word(known, f->name))
				return mch_prototxt_err(caffe->err, caffe->path, f,
							"%s is no field of transform_param; correct the name",
							f->name);
		if (read_transform_param(caffe, param, p) != 0)
			return -1;
	}
	return 0;
}

/* new_height, new_width and is_color of ImageData. */
static int read_image_data(struct mch_caffe *caffe, const struct mch_prototxt *layer, struct pictures *p)
{
	const struct mch_prototxt *param = mch_prototxt_find(layer, "image_data_param");
	const struct mch_prototxt *height = mch_prototxt_find(param, "new_height");
	const struct mch_prototxt *width = mch_prototxt_find(param, "new_width");
	const struct mch_prototxt *color = mch_prototxt_find(param, "is_color");
	int is_color = !p->is_grey;
	if ((height && mch_prototxt_int(caffe->path, height, 0, MCH_BUILD_SIDE_MAX, &p->height, caffe->err) != 0) ||
	    (width && mch_prototxt_int(caffe->path, width, 0, MCH_BUILD_SIDE_MAX, &p->width, caffe->err) != 0) ||
	    (color && mch_prototxt_bool(caffe->path, color, &is_color, caffe->err) != 0))
		return -1;
	p->is_grey = !is_color;
	if (p->height > 0 && p->width > 0) {
		struct mch_transform *t = &caffe->net->transform;
		t->resize = MCH_RESIZE_WARP;
		t->height = p->height;
		t->width = p->width;
	}
	return 0;
}

/* Three sides, of MemoryData. */
static int memory_shape(struct mch_caffe *caffe, const struct mch_prototxt *memory, struct mch_shape *shape)
{
	static const char *const names[] = {"channels", "height", "width"};
	int *const values[] = {&shape->c, &shape->h, &shape->w};
	shape->n = 1;
	for (int i = 0; i < 3; i++) {
		const struct mch_prototxt *field = mch_prototxt_find(memory, names[i]);
		if (!field)
			return mch_prototxt_err(caffe->err, caffe->path, memory, "%s is missing; add it", names[i]);
		if (mch_prototxt_int(caffe->path, field, 1, MCH_BUILD_CHANNELS_MAX, values[i], caffe->err) != 0)
			return -1;
	}
	return 0;
}

/* The pictures of a data layer: as the caller knows, as they are cropped, as their mean is, or as they are resized.
 * Colours are told by the mean, else there are three. */
static bool picture_shape(const struct mch_caffe *caffe, const struct pictures *p, struct mch_shape *shape)
{
	const struct mch_transform *t = &caffe->net->transform;
	if (caffe->data_shape) {
		*shape = *caffe->data_shape;
		return true;
	}
	const int c = t->mean_image ? t->mean_c : p->is_grey ? 1 : t->n_mean > 1 ? t->n_mean : 3;
	*shape = (struct mch_shape){1, c, p->crop, p->crop};
	if (p->crop == 0 && t->mean_image)
		*shape = (struct mch_shape){1, c, t->mean_h, t->mean_w};
	else if (p->crop == 0)
		*shape = (struct mch_shape){1, c, p->height, p->width};
	return shape->h > 0 && shape->w > 0;
}

/* The first top holds images; a second one holds labels, which only losses read. */
int mch_caffe_read_input(struct mch_caffe *caffe, const struct mch_prototxt *layer, enum mch_caffe_role role)
{
	const struct mch_prototxt *top = mch_prototxt_find(layer, "top");
	const struct mch_prototxt *memory = mch_prototxt_find(layer, "memory_data_param");
	const struct mch_prototxt *dims = mch_prototxt_find(mch_prototxt_find(layer, "input_param"), "shape");
	struct mch_shape shape;
	struct pictures pictures = {0};
	int n_axes = 4;
	const char *name;
	if (!top)
		return fail(caffe, layer, "the layer has no top; add one");
	if (mch_prototxt_string(caffe->path, top, &name, caffe->err) != 0 ||
	    read_transform(caffe, layer, &pictures) != 0 || read_image_data(caffe, layer, &pictures) != 0)
		return -1;
	if (role == MCH_CAFFE_INPUT && memory) {
		if (memory_shape(caffe, memory, &shape) != 0)
			return -1;
	} else if (role == MCH_CAFFE_INPUT && dims) {
		if (mch_prototxt_message(caffe->path, dims, caffe->err) != 0 ||
		    read_dims(caffe, dims, mch_prototxt_find(dims, "dim"), 5, &shape, &n_axes) != 0)
			return -1;
	} else if (role == MCH_CAFFE_INPUT || !picture_shape(caffe, &pictures, &shape)) {
		return fail(caffe, layer,
			    "the layer does not tell the size of its images; use an Input layer with input_param { "
			    "shape { "
			    "dim: 1 dim: C dim: H dim: W } }, or read the deploy file");
	}
	return add_input(caffe, top, name, shape, n_axes);
}
