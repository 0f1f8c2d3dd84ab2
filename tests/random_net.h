/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small networks and formats by chance, for the tests of the engines, and a net of LeNet's shape. A fault in the
 * fixture ends the test. */
#ifndef MCH_TESTS_RANDOM_NET_H
#define MCH_TESTS_RANDOM_NET_H

#include "base/rng.h"
#include "net/quant.h"

/* 2 to 6 layers of every kind: kernels, strides, asymmetric padding, dilation, groups, ceil mode.
 * Weights in [-1, 1). */
void random_net(struct mch_rng *rng, struct mch_net *net);

/* conv 20@5x5, pool, conv 50@5x5, pool, dense 500, relu, dense 10 on 1x28x28: what Caffe's LeNet is. */
void lenet_net(struct mch_rng *rng, struct mch_net *net);

/* 3x3 with stride 2 on 3x113x113, pool, squeeze 1x1, expand 3x3, squeeze, expand: the first layers of SqueezeNet,
 * in one branch. */
void fire_net(struct mch_rng *rng, struct mch_net *net);

/* Appends a layer whose fields `like` gives, infers shapes and fills weights; returns its output edge. */
int append_layer(struct mch_net *net, const struct mch_layer *like, int in_edge, struct mch_rng *rng);

struct random_format {
	int in_bits_max, weight_bits_max; /* widths are 1 .. these; 0: all of 1..16 */
	int exact_bits;                   /* all widths are this, 0: random */
	int n_narrow_percent;             /* layers whose accumulator is narrower than it should be */
	struct mch_format tensors, weights; /* bits not 0: all are this number, unsigned tensors among them; else random */
	bool has_numbers;                 /* three of four formats are minifloats of 3 to 9 bits, weights' powers of two too */
};

/* Formats that mch_qnet_build takes; weights become corner-weighted codes of their format. Free with
 * mch_quant_free. */
void random_quant(struct mch_rng *rng, const struct random_format *f, struct mch_net *net, struct mch_quant *quant);

/* Formats of a conv or dense from that of its input and the width of its output, and weights for them. */
void random_mac_quant(struct mch_rng *rng, const struct random_format *f, struct mch_layer *layer,
		      struct mch_layer_quant *lq, struct mch_format x, struct mch_format *y);

/* With has_numbers most probably a format of another kind instead, with fraction 0; weights are signed. */
struct mch_format random_number(struct mch_rng *rng, const struct random_format *f, struct mch_format fixed, bool is_weights);

/* Bits of the integers of a format, with their sign: of fixed point its own. */
int integer_bits(struct mch_format format);

/* Corner-weighted code of a format. */
int32_t random_code(struct mch_rng *rng, struct mch_format format);

#endif
