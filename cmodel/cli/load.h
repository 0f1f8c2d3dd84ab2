/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the commands load alike: labelled images that fit a network. */
#ifndef MCH_CLI_LOAD_H
#define MCH_CLI_LOAD_H

#include "net/dataset.h"
#include "net/net.h"

/* The split "train" or "test" of folder dir. Refuses images of another shape than the net's input, and labels that it
 * has no output for. 0, or -1 with err. */
int mch_load_data(const char *dir, const char *split, const struct mch_net *net, struct mch_dataset *data,
		  struct mch_err *err);

/* How many images to use: `asked`, or when that is 0 `usual` or as many as there are. -1 with err ("--images: ...")
 * when more are asked for than there are. */
int mch_load_count(const char *option, long asked, long usual, const struct mch_dataset *data, struct mch_err *err);

#endif
