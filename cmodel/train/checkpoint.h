/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A training run in a file, to go on with after an interruption. Host only: no RTL twin. The file: "macchiato
 * checkpoint 1\n", the identity's lines, an empty line; then least significant byte first: u64 epoch, u64 images
 * done, f64 loss, u64 right, u64 trained parameters; f32 of each layer: weights, biases, means and variances; f32
 * velocities, one for each trained parameter; u32 CRC-32 of all before. */
#ifndef MCH_TRAIN_CHECKPOINT_H
#define MCH_TRAIN_CHECKPOINT_H

#include "net/net.h"
#include "train/sgd.h"

/* identity: everything that the result depends on, one "name=value" a line, each line ended. A run can only go on
 * with a checkpoint of the same identity. Written whole or not at all. 0, or -1 with err. */
int mch_checkpoint_write(const char *path, const char *identity, const struct mch_net *net,
			 const struct mch_sgd_state *state, struct mch_err *err);

/* Reads parameters into net and the rest into state, both made for the same run by mch_sgd_new. Nothing is changed
 * when the file is damaged or of another run; err tells the first difference. 0, or -1 with err. */
int mch_checkpoint_read(const char *path, const char *identity, struct mch_net *net, struct mch_sgd_state *state,
			struct mch_err *err);

#endif
