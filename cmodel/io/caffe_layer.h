/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the files of the Caffe reader share: a definition under reading, one of its layers, and the table of Caffe's
 * types. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_LAYER_H
#define MCH_IO_CAFFE_LAYER_H

#include <stdbool.h>

#include "io/build.h"
#include "io/prototxt.h"
#include "net/net.h"
#include "net/quant.h"

enum { MCH_CAFFE_TOPS_MAX = 1024 }; /* and bottoms */

/* A name that layers read: Caffe's blob. In-place layers write it anew, so it points to the last writer's edge. */
struct mch_caffe_blob {
	const char *name;
	struct mch_shape shape; /* of an input */
	int n_axes;             /* Caffe counts them, the batch included */
	int edge;               /* -1: an input that nobody has read yet */
};

/* How the blobs that a .caffemodel has for a layer become its parameters. */
enum mch_caffe_blobs {
	MCH_CAFFE_WEIGHTS,    /* weights, and a bias when n_bias is not 0 */
	MCH_CAFFE_TRANSPOSED, /* the same, a dense layer's [c][k] */
	MCH_CAFFE_NORM,       /* mean, variance, and the factor both are to be divided by */
	MCH_CAFFE_BIAS,       /* a bias alone, beside weights of 1 */
};

struct mch_caffe_plan {
	int layer; /* of the net */
	enum mch_caffe_blobs blobs;
};

/* What Ristretto says of a layer. */
struct mch_caffe_formats {
	int layer, line; /* of the net, of the definition */
	struct mch_format in, out, params;
	enum mch_round round;
};

/* A definition under reading. */
struct mch_caffe {
	const char *path;
	struct mch_net *net;
	struct mch_caffe_blob *blobs;
	int n_blobs;
	struct mch_caffe_plan *plans; /* in the order of the layers */
	int n_plans;
	int *consumed; /* edges that a layer takes which is no part of the network here: they are no outputs */
	int n_consumed;
	struct mch_caffe_formats *formats; /* of Ristretto's layers, in their order */
	int n_formats;
	const struct mch_prototxt *state;   /* of the definition's own NetState, may be NULL */
	const struct mch_shape *data_shape; /* of the data layer's pictures, NULL: not known */
	int batch;                          /* N of the first input, 0 before it */
	struct mch_unsupported *unsupported;
	struct mch_err *err;
};

struct mch_caffe_type;

/* One of its layers; the edges of all bottoms have their shapes. */
struct mch_caffe_layer {
	struct mch_caffe *caffe;
	const struct mch_caffe_type *type;
	const struct mch_prototxt *field, *param; /* param: convolution_param and the like, may be NULL */
	const char *name;
	int n_in, n_top;
	int in[MCH_CAFFE_TOPS_MAX]; /* edges */
	const char *top[MCH_CAFFE_TOPS_MAX];
	int n_axes; /* of the first bottom; readers set it to what the tops have */
};

enum mch_caffe_role {
	MCH_CAFFE_COMPUTE,
	MCH_CAFFE_INPUT,    /* tells the shape of its tops */
	MCH_CAFFE_DATA,     /* pictures of a shape that the definition may not tell */
	MCH_CAFFE_TRAINING, /* losses and the like: left out, what they read is an output */
	MCH_CAFFE_SILENCE,  /* left out, what it reads is no output */
};

struct mch_caffe_type {
	const char *type, *v1; /* "Convolution", "CONVOLUTION"; v1 NULL: later than V1 */
	enum mch_caffe_role role;
	const char *param, *fields; /* the message of its parameters; the names of its fields, a space behind each */
	int n_in_min, n_in_max;
	bool has_tops; /* any number of them, else one */
	/* What of the parameters is not supported, NULL when all is: it is listed with the unknown types. */
	const char *(*look)(const struct mch_prototxt *param);
	int (*read)(struct mch_caffe_layer *l);
};

/* NULL: not supported. */
const struct mch_caffe_type *mch_caffe_find_type(const char *type, bool is_v1);

/* Does phase TEST, with the level and stages of the definition's state, keep the layer? 0, or -1 with err. */
int mch_caffe_is_kept(const struct mch_caffe *caffe, const struct mch_prototxt *layer, bool *is_kept);

/* Checks every field of the layer, then reads it: appends to the net and binds its tops. 0, or -1 with err. */
int mch_caffe_read_layer(struct mch_caffe_layer *l);

/* The shape and the preprocessing of an INPUT or DATA layer, caffe_input.c. The tops are bound. 0, or -1 with err. */
int mch_caffe_read_input(struct mch_caffe *caffe, const struct mch_prototxt *layer, enum mch_caffe_role role);
/* input: "data" with input_shape { dim: ... } or four input_dim, in the net itself. */
int mch_caffe_read_net_inputs(struct mch_caffe *caffe, const struct mch_prototxt *root);

struct mch_caffe_blob *mch_caffe_find_blob(const struct mch_caffe *caffe, const char *name);
/* Binds a name to an edge, anew when it exists. 0, or -1 with err. */
int mch_caffe_bind(struct mch_caffe *caffe, const char *name, int edge, int n_axes);

/* Appends a net layer of that kind and binds top[top] to its output. Its index, or -1 with err. The caller sets its
 * geometry; its shapes are inferred when the reader is done. */
int mch_caffe_add(struct mch_caffe_layer *l, enum mch_kind kind, int n_in, const int *in, int top);
/* Notes how the layer's parameters lie in a .caffemodel. 0, or -1 with err. */
int mch_caffe_plan(struct mch_caffe_layer *l, int index, enum mch_caffe_blobs blobs);
struct mch_shape mch_caffe_in_shape(const struct mch_caffe_layer *l, int i);

/* quantization_param of the layer that became net layer `index`, caffe_ristretto.c. 0, or -1 with err. */
int mch_caffe_read_ristretto(struct mch_caffe_layer *l, int index);
/* The formats of all layers become the formats of the net. Nothing when there are none. 0, or -1 with err. */
int mch_caffe_quant(const struct mch_caffe *caffe, struct mch_quant *quant);

/* Fields of the parameters, caffe_field.c. Each 0, or -1 with err; without the field, the fallback. */
int mch_caffe_int(const struct mch_caffe_layer *l, const char *name, int low, int high, int fallback, int *value);
int mch_caffe_bool(const struct mch_caffe_layer *l, const char *name, bool fallback, bool *value);
int mch_caffe_real(const struct mch_caffe_layer *l, const char *name, double fallback, double *value);
/* kernel_size: 5, or kernel_size: 5 kernel_size: 3, or kernel_h: 5 kernel_w: 3. A fallback below low: required. */
int mch_caffe_pair(const struct mch_caffe_layer *l, const char *both, const char *name_h, const char *name_w,
		   int low, int fallback, int *h, int *w);
/* An axis of the first bottom, from 0 (the batch); negative ones count from the end. */
int mch_caffe_axis(const struct mch_caffe_layer *l, const char *name, int fallback, int *axis);
/* A field that is known with one value only. */
int mch_caffe_only_int(const struct mch_caffe_layer *l, const char *name, int only);
int mch_caffe_only_bool(const struct mch_caffe_layer *l, const char *name, bool only);
/* The scalar's text: an enum's name, or its number. NULL is no field, and false. */
bool mch_caffe_is_word(const struct mch_prototxt *field, const char *name, const char *number);
/* `word` is one of words, each with a space behind it. */
bool mch_caffe_has_word(const char *words, const char *word);
/* err at the field, or, when it is NULL, at the layer; returns -1. */
int mch_caffe_complain(const struct mch_caffe_layer *l, const struct mch_prototxt *field, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

/* The readers of caffe_mac.c, caffe_map.c and caffe_shape.c, which the table names. */
int mch_caffe_read_conv(struct mch_caffe_layer *l);
int mch_caffe_read_deconv(struct mch_caffe_layer *l);
int mch_caffe_read_dense(struct mch_caffe_layer *l);
int mch_caffe_read_pool(struct mch_caffe_layer *l);
int mch_caffe_read_relu(struct mch_caffe_layer *l);
int mch_caffe_read_relu6(struct mch_caffe_layer *l);
int mch_caffe_read_clip(struct mch_caffe_layer *l);
int mch_caffe_read_prelu(struct mch_caffe_layer *l);
int mch_caffe_read_sigmoid(struct mch_caffe_layer *l);
int mch_caffe_read_tanh(struct mch_caffe_layer *l);
int mch_caffe_read_softmax(struct mch_caffe_layer *l);
int mch_caffe_read_lrn(struct mch_caffe_layer *l);
int mch_caffe_read_batch_norm(struct mch_caffe_layer *l);
int mch_caffe_read_scale(struct mch_caffe_layer *l);
int mch_caffe_read_bias(struct mch_caffe_layer *l);
int mch_caffe_read_power(struct mch_caffe_layer *l);
int mch_caffe_read_eltwise(struct mch_caffe_layer *l);
int mch_caffe_read_dropout(struct mch_caffe_layer *l);
int mch_caffe_read_concat(struct mch_caffe_layer *l);
int mch_caffe_read_slice(struct mch_caffe_layer *l);
int mch_caffe_read_split(struct mch_caffe_layer *l);
int mch_caffe_read_crop(struct mch_caffe_layer *l);
int mch_caffe_read_flatten(struct mch_caffe_layer *l);
int mch_caffe_read_reshape(struct mch_caffe_layer *l);
int mch_caffe_read_permute(struct mch_caffe_layer *l);
int mch_caffe_read_upsample(struct mch_caffe_layer *l);
const char *mch_caffe_look_pool(const struct mch_prototxt *param);
const char *mch_caffe_look_batch_norm(const struct mch_prototxt *param);
const char *mch_caffe_look_power(const struct mch_prototxt *param);

#endif
