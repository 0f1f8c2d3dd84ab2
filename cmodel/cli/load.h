/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What commands load, with the checks that they share. */
#ifndef MCH_CLI_LOAD_H
#define MCH_CLI_LOAD_H

#include "cli/data_options.h"
#include "cli/net_options.h"
#include "io/hash.h"
#include "net/dataset.h"
#include "net/net.h"
#include "net/quant.h"

/* The network, with the data's options in its transform. quant as in mch_net_read. 0, or -1 with err and net free. */
int mch_load_net(const struct mch_net_options *options, const struct mch_data_options *data, struct mch_net *net,
		 struct mch_quant *quant, struct mch_err *err);

/* The split "train" or "test" of the images at a path, in the shape of the network's input. n_wanted: 0, or how many
 * of the first are looked at. The network has to outlive them. 0, or -1 with err and data empty. */
int mch_load_data(const struct mch_data_options *options, const char *path, const char *split,
		  const struct mch_net *net, long n_wanted, struct mch_dataset *data, struct mch_err *err);

/* There are labels, and the network has an output for each? 0, or -1 with err. */
int mch_load_require_labels(const struct mch_dataset *data, const struct mch_net *net, struct mch_err *err);

/* How many of the images: as asked for, which must be there, or, for 0, `usual` or all, whichever is less. -1 with
 * err. option is the one that asked, for the message. */
int mch_load_count(const char *option, long asked, long usual, const struct mch_dataset *data, struct mch_err *err);

/* How many of n images --holdout takes away: at least one, and at least one is left; -1 with err, which says what
 * those held out and what those left are for: "report with", "choose with". */
int mch_load_holdout(double holdout, bool is_percent, int n, const char *held, const char *left, struct mch_err *err);

/* Of the first n images, as they are before the transform, which is in the network's hash, and of their labels: the
 * identity of a run's data. 0, or -1 with err when one cannot be read. */
int mch_load_hash(const struct mch_dataset *data, int n, char hex[MCH_HASH_HEX], struct mch_err *err);

#endif
