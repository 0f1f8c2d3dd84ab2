/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How a picture becomes the input of a network: Caffe's transform_param, and what its tools did before it.
 * Host only: no RTL twin. */
#ifndef MCH_NET_TRANSFORM_H
#define MCH_NET_TRANSFORM_H

#include <stdbool.h>
#include <string.h>

enum mch_resize {
	MCH_RESIZE_NONE,
	MCH_RESIZE_WARP, /* to height x width, whatever the picture's proportions */
	MCH_RESIZE_SHORT /* the shorter side to `height`, proportions kept */
};

enum { MCH_TRANSFORM_CHANNELS_MAX = 4 };

/* Pixel p of channel c becomes (p - mean) * scale / std[c], after resizing and a centre crop to the network's input. Plain data
 * but for mean_image. */
struct mch_transform {
	enum mch_resize resize;
	int height, width; /* of MCH_RESIZE_* */
	bool is_cropped;   /* the centre is cut out of larger pictures; after a resize it always is */
	bool is_bgr;       /* decoded pictures enter blue first (Caffe), else red first; raw planes enter as they lie */
	double scale;
	int n_mean, n_std; /* 0: none; 1: for all channels */
	float mean[MCH_TRANSFORM_CHANNELS_MAX], std[MCH_TRANSFORM_CHANNELS_MAX];
	/* A mean picture instead of mean[], [mean_c][mean_h][mean_w], owned: NULL for none. Larger than the input it is cropped
	 * as the picture is. */
	float *mean_image;
	int mean_c, mean_h, mean_w;
	/* A mean picture that the network asks for and that was not found, by its name, owned; NULL: none is missing. Whoever
	 * reads pictures has to have it replaced first. */
	char *mean_file;
};

/* What the difference to the mean is multiplied with, for channel c. */
static inline double mch_transform_factor(const struct mch_transform *t, int c)
{
	return t->n_std == 0 ? t->scale : t->scale / (double)t->std[t->n_std == 1 ? 0 : c];
}

/* The mean of channel c when there is no mean picture. */
static inline double mch_transform_mean(const struct mch_transform *t, int c)
{
	return t->n_mean == 0 ? 0 : (double)t->mean[t->n_mean == 1 ? 0 : c];
}

static inline struct mch_transform mch_transform_plain(void)
{
	struct mch_transform t;
	memset(&t, 0, sizeof(t));
	t.scale = 1;
	return t;
}

#endif
