/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Images on the command line; see data_options.h. */
#include "cli/data_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "cli/cmd.h"
#include "io/caffe_mean.h"

enum { SIDE_MAX = 16384, USUAL_MEMORY_MIB = 2048 };

/* Children have keys of their own, so that none meets those of a command. */
enum {
	OPT_SHUFFLE = 0x1000,
	OPT_RESIZE,
	OPT_CROP,
	OPT_CHANNELS,
	OPT_MEAN,
	OPT_SCALE,
	OPT_STD,
	OPT_THREADS,
	OPT_MEMORY
};

struct mch_data_options mch_data_options_usual(void)
{
	return (struct mch_data_options){.seed = 1,
					 .memory_mib = USUAL_MEMORY_MIB,
					 .transform = mch_transform_plain()};
}

/* A side of an image: digits alone, 1 to SIDE_MAX. What follows it, or NULL. */
static const char *take_side(const char *text, int *side)
{
	char *end;
	const long value = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
	*side = (int)value;
	return value >= 1 && value <= SIDE_MAX ? end : NULL;
}

/* "256x256", "short:256", "none" */
static void parse_resize(struct mch_data_options *o, const char *text)
{
	struct mch_transform *t = &o->transform;
	const char *rest = text;
	o->has_resize = true;
	t->resize = MCH_RESIZE_NONE;
	if (strcmp(text, "none") == 0)
		return;
	if (strncmp(text, "short:", 6) == 0) {
		t->resize = MCH_RESIZE_SHORT;
		rest = take_side(text + 6, &t->height);
	} else {
		t->resize = MCH_RESIZE_WARP;
		rest = take_side(text, &t->width);
		rest = rest && *rest == 'x' ? take_side(rest + 1, &t->height) : NULL;
	}
	if (!rest || *rest)
		mch_cmd_fail(
			"--resize",
			"\"%.60s\" is no size up to %d; give width x height, as in 256x256, or short:256 for the "
			"shorter side, or none",
			text, SIDE_MAX);
}

static void parse_channels(struct mch_data_options *o, const char *text)
{
	o->has_channels = true;
	o->transform.is_bgr = strcmp(text, "bgr") == 0;
	if (!o->transform.is_bgr && strcmp(text, "rgb") != 0)
		mch_cmd_fail("--channels", "\"%.60s\" is no order of colours; give rgb or bgr", text);
}

/* "104,117,123": how many, or 0 when it is no such list. */
static int parse_list(const char *text, float values[MCH_TRANSFORM_CHANNELS_MAX])
{
	for (int n = 0; n < MCH_TRANSFORM_CHANNELS_MAX; n++) {
		char *end;
		const double value = strtod(text, &end);
		if (end == text || !(fabs(value) <= 1e9) || (*end && *end != ','))
			return 0;
		values[n] = (float)value;
		if (!*end)
			return n + 1;
		text = end + 1;
	}
	return 0;
}

static void parse_mean(struct mch_data_options *o, const char *text)
{
	o->has_mean = true;
	o->transform.n_mean = parse_list(text, o->transform.mean);
	o->mean_path = o->transform.n_mean == 0 ? text : NULL;
}

static void parse_std(struct mch_data_options *o, const char *text)
{
	struct mch_transform *t = &o->transform;
	o->has_std = true;
	t->n_std = parse_list(text, t->std);
	bool is_usable = t->n_std > 0;
	for (int i = 0; i < t->n_std; i++)
		is_usable = is_usable && t->std[i] > 0;
	if (!is_usable)
		mch_cmd_fail("--std",
			     "\"%.60s\" is no list of numbers above 0; give one, or one for each channel, as in "
			     "58.4,57.1,57.4",
			     text);
}

static error_t parse_transform(int key, char *text, struct mch_data_options *o)
{
	switch (key) {
	case OPT_RESIZE:
		parse_resize(o, text);
		return 0;
	case OPT_CROP:
		o->has_crop = true;
		return 0;
	case OPT_CHANNELS:
		parse_channels(o, text);
		return 0;
	case OPT_MEAN:
		parse_mean(o, text);
		return 0;
	case OPT_SCALE:
		o->has_scale = true;
		o->transform.scale = mch_cmd_real("--scale", text, 1e-9, 1e9);
		return 0;
	case OPT_STD:
		parse_std(o, text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
	struct mch_data_options *o = state->input;
	switch (key) {
	case 'd':
		o->path = text;
		return 0;
	case OPT_SHUFFLE:
		o->is_shuffled = true;
		return 0;
	case OPT_THREADS:
		o->threads = (int)mch_cmd_integer("--threads", text, 1, 1024);
		return 0;
	case OPT_MEMORY:
		o->memory_mib = mch_cmd_integer("--memory", text, 0, 1 << 24);
		return 0;
	default:
		return parse_transform(key, text, o);
	}
}

/* Preprocessing, which more commands have than read images. */
#define TRANSFORM_OPTIONS \
	{"resize", OPT_RESIZE, "SIZE", 0, "Resize images: WxH, short:N for the shorter side, or none", 11}, \
	{"crop", OPT_CROP, NULL, 0, "Take the centre of larger images (after --resize always)", 11}, \
	{"channels", OPT_CHANNELS, "ORDER", 0, "Colours of pictures enter as rgb or bgr", 11}, \
	{"mean", OPT_MEAN, "LIST", 0, "Subtract M, or one M of each channel, or the mean picture in a file", 11}, \
	{"scale", OPT_SCALE, "X", 0, "Then multiply with X", 11}, \
	{"std", OPT_STD, "LIST", 0, "Then divide by S, or one S of each channel", 11}

static const struct argp_option table[] = {
	{"data", 'd', "PATH", 0, "Images: a folder or file, see IMAGES in the manual", 0},
	{"shuffle", OPT_SHUFFLE, NULL, 0, "Take the images in an order drawn by --seed", 10},
	TRANSFORM_OPTIONS,
	{"threads", OPT_THREADS, "N", 0,
	 "Compute with N threads, and read images with N more if N > 1 (default: all cores)", 12},
	{"memory", OPT_MEMORY, "MIB", 0, "Keep this much of images once read (default 2048)", 12},
	{0},
};

static error_t parse_transform_option(int key, char *text, struct argp_state *state)
{
	return parse_transform(key, text, state->input);
}

static const struct argp_option transform_table[] = {TRANSFORM_OPTIONS, {0}};

const struct argp mch_transform_argp = {transform_table, parse_transform_option, NULL, NULL, NULL, NULL, NULL};

const struct argp mch_data_argp = {table, parse_option, NULL, NULL, NULL, NULL, NULL};

void mch_data_options_split(struct mch_data_options *o, const char *text)
{
	if (strcmp(text, "test") != 0 && strcmp(text, "train") != 0)
		mch_cmd_fail("--split", "\"%.60s\" is no split; give test or train", text);
	o->split = text;
}

static int check_count(const char *what, int n, const struct mch_net *net, struct mch_err *err)
{
	const int c = net->edges[net->input].shape.c;
	if (n <= 1 || n == c)
		return 0;
	return mch_err_set(err, what,
			   "%d values are given, the network's input has %d channel%s; give one, or one for each", n,
			   c, c == 1 ? "" : "s");
}

static int apply_mean(const struct mch_data_options *o, struct mch_net *net, struct mch_err *err)
{
	struct mch_transform *t = &net->transform;
	if (o->mean_path)
		return mch_caffe_mean_read(o->mean_path, net->edges[net->input].shape, t, err);
	if (o->has_mean) {
		free(t->mean_image);
		free(t->mean_file);
		t->mean_image = NULL;
		t->mean_file = NULL;
		t->n_mean = o->transform.n_mean;
		memcpy(t->mean, o->transform.mean, sizeof(t->mean));
	}
	return check_count("--mean", t->n_mean, net, err);
}

int mch_data_options_check(const struct mch_net *net, struct mch_err *err)
{
	const struct mch_transform *t = &net->transform;
	const struct mch_shape in = net->edges[net->input].shape;
	const char *where = net->name ? net->name : "network";
	if (t->mean_file)
		return mch_err_set(err, where, "its mean picture %s is not there; give it with --mean=FILE",
				   t->mean_file);
	if (t->mean_image && (t->mean_c != in.c || t->mean_h < in.h || t->mean_w < in.w))
		return mch_err_set(err, where,
				   "its mean picture is %dx%dx%d, its input %dx%dx%d; give another with --mean",
				   t->mean_c, t->mean_h, t->mean_w, in.c, in.h, in.w);
	return 0;
}

int mch_data_options_apply(const struct mch_data_options *o, struct mch_net *net, struct mch_err *err)
{
	struct mch_transform *t = &net->transform;
	if (o->has_resize) {
		t->resize = o->transform.resize;
		t->height = o->transform.height;
		t->width = o->transform.width;
	}
	t->is_cropped = t->is_cropped || o->has_crop;
	t->is_bgr = o->has_channels ? o->transform.is_bgr : t->is_bgr;
	t->scale = o->has_scale ? o->transform.scale : t->scale;
	if (o->has_std) {
		t->n_std = o->transform.n_std;
		memcpy(t->std, o->transform.std, sizeof(t->std));
	}
	if (apply_mean(o, net, err) != 0)
		return -1;
	return check_count("--std", t->n_std, net, err);
}

int mch_data_options_threads(const struct mch_data_options *o)
{
	int n = 1;
#ifdef _OPENMP
	if (o->threads > 0)
		omp_set_num_threads(o->threads);
	n = omp_get_max_threads();
#endif
	return n > 1 ? n : 0;
}
