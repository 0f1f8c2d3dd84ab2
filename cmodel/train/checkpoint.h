/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A training run in a file, to go on with after an interruption. Host only: no RTL twin. The file: "macchiato
 * checkpoint 1\n", the identity's lines, an empty line; then least significant byte first: u64 epoch, u64 images
 * done, f64 loss, u64 right, u64 trained parameters; f32 of each layer: weights, biases, means and variances; f32
 * velocities, one for each trained parameter; of Adam as many squares; what the run keeps besides: f64, then f32;
 * u32 CRC-32 of all before. */
#ifndef MCH_TRAIN_CHECKPOINT_H
#define MCH_TRAIN_CHECKPOINT_H

#include "net/net.h"
#include "train/sgd.h"

/* What a run keeps besides, of sizes that follow from the identity. */
struct mch_checkpoint_more {
	size_t n_reals, n_floats;
	double *reals;
	float *floats;
};

/* identity: everything that the result depends on, one "name=value" a line, each line ended. A run can only go on
 * with a checkpoint of the same identity. more may be NULL. Written whole or not at all. 0, or -1 with err. */
int mch_checkpoint_write(const char *path, const char *identity, const struct mch_net *net,
			 const struct mch_sgd_state *state, const struct mch_checkpoint_more *more, struct mch_err *err);

/* Reads parameters into net and the rest into state and more, all made for the same run by mch_sgd_new. Nothing is
 * changed when the file is damaged or of another run; err tells the first difference. 0, or -1 with err. */
int mch_checkpoint_read(const char *path, const char *identity, struct mch_net *net, struct mch_sgd_state *state,
			const struct mch_checkpoint_more *more, struct mch_err *err);

#endif
