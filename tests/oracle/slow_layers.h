/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of the plain float layers: shape and values, written from the definitions in net/net.h, ONNX and Caffe
 * alone. Of cmodel/ it takes the declarations and nothing else. */
#ifndef MCH_TESTS_ORACLE_SLOW_LAYERS_H
#define MCH_TESTS_ORACLE_SLOW_LAYERS_H

#include "net/net.h"

/* in[layer->n_in]; n == 1. */
struct mch_shape slow_layer_shape(const struct mch_layer *layer, const struct mch_shape *in);

/* n images; x[layer->n_in] as [n][c][h][w], y alike. */
void slow_layer(const struct mch_layer *layer, int n, const struct mch_shape *in, const float *const *x, double *y);

#endif
