/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Options of a training run that commands share. Their texts are each command's own, since usual values differ. */
#ifndef MCH_CLI_TRAIN_OPTIONS_H
#define MCH_CLI_TRAIN_OPTIONS_H

#include <stdbool.h>

#include "train/sgd.h"

/* Keys of options without a letter; the others are 'q' and 'j'. */
enum mch_train_key {
	MCH_TRAIN_EPOCHS = 768,
	MCH_TRAIN_BATCH,
	MCH_TRAIN_RATE,
	MCH_TRAIN_MOMENTUM,
	MCH_TRAIN_DECAY,
	MCH_TRAIN_POLICY,
	MCH_TRAIN_SEED,
	MCH_TRAIN_SHIFT,
	MCH_TRAIN_FLIP,
	MCH_TRAIN_CHECKPOINT,
	MCH_TRAIN_RESUME,
	MCH_TRAIN_OWN, /* where a command's own keys begin */
};

struct mch_train_options {
	struct mch_sgd_config config;
	const char *checkpoint; /* NULL: as usual */
	bool resume, quiet, json;
};

/* Takes an option into its place; a bad value ends the program. 0, or -1: it is none of these. */
int mch_train_option(int key, const char *text, struct mch_train_options *options);

/* "cosine", "step", "fixed". */
const char *mch_policy_name(enum mch_policy policy);

#endif
