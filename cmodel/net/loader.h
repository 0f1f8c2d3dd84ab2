/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Images that are read when they are wanted: kept in memory up to a budget, and read ahead by threads. What a
 * consumer gets depends on neither. Host only: no RTL twin. */
#ifndef MCH_NET_LOADER_H
#define MCH_NET_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Where images come from; the readers of io/ make them. */
struct mch_source {
	void *ctx;
	bool is_f32; /* values are float, else u8 */
	/* Image i, [c][h][w] of the network's input: resized and cropped, but not transformed. Called by several
	 * threads at once, and always gives the same. 0, or -1 with err, which names the image. */
	int (*read)(void *ctx, int i, void *to, struct mch_err *err);
	void (*free)(void *ctx);
};

struct mch_loader_config {
	struct mch_source source;
	size_t budget_bytes; /* of images that are kept once read */
	int n_threads;       /* that read ahead; 0: consumers read all */
};

struct mch_loader;

/* order as in struct mch_dataset, and has to outlive the loader, which owns config->source from here on, error or
 * not. NULL with err. */
struct mch_loader *mch_loader_new(const struct mch_loader_config *config, const int32_t *order, int n_images,
				  size_t image_bytes, struct mch_err *err);
void mch_loader_free(struct mch_loader *loader);

bool mch_loader_is_f32(const struct mch_loader *loader);

/* A pass over images 0 .. n - 1 begins; no other is running. */
void mch_loader_ahead(struct mch_loader *loader, int n);

/* Image i: in memory that stays, or copied to room, image_bytes. NULL with err. */
const void *mch_loader_get(struct mch_loader *loader, int i, void *room, struct mch_err *err);

#endif
