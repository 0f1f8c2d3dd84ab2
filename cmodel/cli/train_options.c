/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Options of a training run; see train_options.h. */
#include "cli/train_options.h"

#include <string.h>

#include "cli/cmd.h"

static const char *const policy_names[MCH_N_POLICIES] = {
	[MCH_POLICY_FIXED] = "fixed", [MCH_POLICY_STEP] = "step", [MCH_POLICY_COSINE] = "cosine"};

const char *mch_policy_name(enum mch_policy policy)
{
	return policy_names[policy];
}

static void parse_policy(const char *text, struct mch_sgd_config *config)
{
	for (int i = 0; i < MCH_N_POLICIES; i++)
		if (strcmp(text, policy_names[i]) == 0) {
			config->policy = (enum mch_policy)i;
			return;
		}
	mch_cmd_fail("--policy", "\"%.60s\" is no policy; give cosine, step or fixed", text);
}

/* Of the run itself; -1 for others. */
static int parse_run(int key, const char *text, struct mch_train_options *options)
{
	switch (key) {
	case MCH_TRAIN_CHECKPOINT:
		options->checkpoint = text;
		return 0;
	case MCH_TRAIN_RESUME:
		options->resume = true;
		return 0;
	case 'q':
		options->quiet = true;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	default:
		return -1;
	}
}

int mch_train_option(int key, const char *text, struct mch_train_options *options)
{
	struct mch_sgd_config *config = &options->config;
	switch (key) {
	case MCH_TRAIN_EPOCHS:
		config->n_epochs = (int)mch_cmd_integer("--epochs", text, 1, 100000);
		return 0;
	case MCH_TRAIN_BATCH:
		config->batch = (int)mch_cmd_integer("--batch", text, 1, 65536);
		return 0;
	case MCH_TRAIN_RATE:
		config->rate = mch_cmd_real("--lr", text, 1e-9, 1000);
		return 0;
	case MCH_TRAIN_MOMENTUM:
		config->momentum = mch_cmd_real("--momentum", text, 0, 0.9999);
		return 0;
	case MCH_TRAIN_DECAY:
		config->decay = mch_cmd_real("--decay", text, 0, 1);
		return 0;
	case MCH_TRAIN_POLICY:
		parse_policy(text, config);
		return 0;
	case MCH_TRAIN_SEED:
		config->seed = (uint64_t)mch_cmd_integer("--seed", text, 0, 2147483647);
		return 0;
	case MCH_TRAIN_SHIFT:
		config->max_shift = (int)mch_cmd_integer("--shift", text, 0, 1000);
		return 0;
	case MCH_TRAIN_FLIP:
		config->flip = true;
		return 0;
	default:
		return parse_run(key, text, options);
	}
}
