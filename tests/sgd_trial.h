/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small nets, a small task and runs of training on it, for check_sgd.c. */
#ifndef MCH_TESTS_SGD_TRIAL_H
#define MCH_TESTS_SGD_TRIAL_H

#include "net/dataset.h"
#include "net/net.h"
#include "train/sgd.h"

enum { SIDE = 10, N_CLASSES = 3, N_IMAGES = 90 };

/* Nets by hand: begun, layers behind the last one, ended. add gives back the layer's number. */
void begin_net(struct mch_net *net);
int add(struct mch_net *net, const char *name, enum mch_kind kind);
void add_weights(struct mch_net *net, const char *name, enum mch_kind kind, int k, int kernel);
void end_net(struct mch_net *net);

/* Net 0: plain, one path. Net 1: fan-out, a residual block with a projection, a depthwise pair, an edge read twice by one
 * layer, a branch that the loss does not see, dropout. */
void make_net(struct mch_net *net, int index);

/* A bright bar whose place tells the class, in noise. */
struct mch_dataset make_data(void);

struct mch_sgd_config config_of(int batch);

/* A run: its own net on shared data. */
struct trial {
	struct mch_net net;
	struct mch_sgd *sgd;
	struct mch_err err;
};

extern int make_index; /* of the net that begin() makes */
void begin(struct trial *t, const struct mch_dataset *data, const struct mch_sgd_config *config);
void steps(struct trial *t, int n); /* n, or to the end: -1 */
void end(struct trial *t);

void expect_same_weights(const struct mch_net *a, const struct mch_net *b);

#endif
