/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Images on the command line: where they are, and how they become the network's input. */
#ifndef MCH_CLI_DATA_OPTIONS_H
#define MCH_CLI_DATA_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

struct mch_data_options {
	const char *path;  /* --data; NULL: not given */
	const char *split; /* NULL: as the command has it */
	bool is_shuffled;
	uint64_t seed;     /* of the order; --seed of the command where it has one */
	long limit;        /* 0: all */
	int threads;       /* 0: as many as the machine has */
	long memory_mib;   /* of images that are kept once read */
	/* What replaces the network's own transform, where it is given. */
	struct mch_transform transform; /* the fields that the flags below tell */
	const char *mean_path;
	bool has_resize, has_crop, has_channels, has_mean, has_scale, has_std;
};

struct mch_data_options mch_data_options_usual(void);

/* A child of a command's argp; its input is a struct mch_data_options. --split, --limit and --seed are the command's
 * own, since what they mean is. */
extern const struct argp mch_data_argp;

/* The options of the transform alone; the same input. */
extern const struct argp mch_transform_argp;

/* The value of --split. */
void mch_data_options_split(struct mch_data_options *options, const char *text);

/* Puts the options into net->transform. 0, or -1 with err: their number is not that of the input's channels. */
int mch_data_options_apply(const struct mch_data_options *options, struct mch_net *net, struct mch_err *err);

/* Before images are read: is the mean picture there, if the network wants one, and does it suit? 0, or -1 with err.
 */
int mch_data_options_check(const struct mch_net *net, struct mch_err *err);

/* --threads, for the program's own loops; the number of threads that are to read images ahead. */
int mch_data_options_threads(const struct mch_data_options *options);

#endif
