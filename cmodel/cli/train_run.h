/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A training run from the command line: steps, checkpoints, signals, the progress bar. */
#ifndef MCH_CLI_TRAIN_RUN_H
#define MCH_CLI_TRAIN_RUN_H

#include "cli/progress.h"
#include "cli/train_options.h"
#include "train/checkpoint.h"

struct mch_train_run {
	const struct mch_train_options *options;
	const char *output; /* file of the network */
	struct mch_net *net;
	struct mch_sgd *sgd;  /* owned */
	char *checkpoint;     /* file name, owned */
	char identity[2048];  /* see checkpoint.h */
	struct mch_checkpoint_more more;
	/* Behind each epoch, before its checkpoint. 0, or -1 with err. */
	int (*end_epoch)(void *ctx, struct mch_err *err);
	void *ctx;
	double start_s, saved_s;
	struct mch_progress bar;
	char bar_text[64];
};

/* First of all: names the checkpoint, and catches signals. 0, or -1 with err: it is there, and is not to be
 * resumed. */
int mch_train_run_begin(struct mch_train_run *run, struct mch_err *err);

/* Appends what config says to the identity, which has what comes before. */
void mch_train_run_identify(struct mch_train_run *run);

/* With net, sgd, identity and more set: goes on from the checkpoint if that is asked for. 0, or -1 with err. */
int mch_train_run_resume(struct mch_train_run *run, struct mch_err *err);

/* Steps until the end, an interruption, which is an error too, or another error. */
int mch_train_run_steps(struct mch_train_run *run, struct mch_err *err);

/* "epoch 2/15  loss ...  train accuracy ...", without the end of the line; for end_epoch, unless quiet. */
void mch_train_run_tell(struct mch_train_run *run);

double mch_train_run_seconds(const struct mch_train_run *run);

/* The result is written: the checkpoint goes. */
void mch_train_run_end(const struct mch_train_run *run);
void mch_train_run_free(struct mch_train_run *run);

#endif
