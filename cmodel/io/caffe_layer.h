/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One layer of a Caffe definition: its parameters, and whether the test phase has it. Host only: no RTL twin. */
#ifndef MCH_IO_CAFFE_LAYER_H
#define MCH_IO_CAFFE_LAYER_H

#include <stdbool.h>

#include "io/prototxt.h"
#include "net/net.h"

/* Does phase TEST, level 0, no stages, keep the layer? 0, or -1 with err. */
int mch_caffe_is_kept(const char *path, const struct mch_prototxt *layer, bool *is_kept, struct mch_err *err);

/* Checks every field of the layer and sets kind (MAX or AVE) and geometry of net->layers[index], which has the kind
 * of its type. 0, or -1 with err. */
int mch_caffe_layer(const char *path, const struct mch_prototxt *layer, struct mch_net *net, int index,
		    struct mch_err *err);

/* Layers of that kind can be read. */
bool mch_caffe_has_reader(enum mch_kind kind);

#endif
