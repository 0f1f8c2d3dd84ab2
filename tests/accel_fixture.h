/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A small network with all that an export has to carry: groups, padding, fused and lone layers, names that collide.
 * A call that fails stops the program: this is no test of its own. */
#ifndef TESTS_ACCEL_FIXTURE_H
#define TESTS_ACCEL_FIXTURE_H

#include "io/accel_write.h"

enum { FIXTURE_IMAGES = 6, FIXTURE_PIXELS = 6 * 6, FIXTURE_CLASSES = 3 };

struct fixture {
	struct mch_net net;
	struct mch_quant quant;
	struct mch_qnet q;
	int32_t codes[FIXTURE_IMAGES * FIXTURE_PIXELS];
	int32_t labels[FIXTURE_IMAGES];
	struct mch_accel_export export;
	char folder[64]; /* a new empty folder of this fixture's own, removed with it */
	char dir[96];    /* FOLDER/accel: not there yet */
};

/* conv/1 (padded, ReLU) -> max pool -> conv_1 (2 groups) -> dense, with weights. */
void fixture_net(struct mch_net *net);

/* Formats for it; round is that of all requantizers, acc_bits the accumulator of conv_1 (0: its certificate's). */
void fixture_quant(struct mch_quant *quant, const struct mch_net *net, enum mch_round round, int acc_bits);

/* All of it, and six images. */
void fixture_make(struct fixture *f, enum mch_round round, int acc_bits);
void fixture_free(struct fixture *f);

/* Exports to f->dir. */
void fixture_export(struct fixture *f);

#endif
