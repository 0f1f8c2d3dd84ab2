/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a run of `macchiato tune` works on, from the command line to the result. */
#ifndef MCH_CLI_TUNE_JOB_H
#define MCH_CLI_TUNE_JOB_H

#include <jansson.h>

#include "cli/train_run.h"
#include "cli/tune_options.h"
#include "io/hash.h"
#include "net/dataset.h"
#include "net/quant.h"
#include "net/score.h"

/* Columns of the log, one row for the network as given and one for each epoch. */
enum mch_tune_column {
	MCH_TUNE_EPOCH,
	MCH_TUNE_RATE,  /* at its end */
	MCH_TUNE_LOSS,  /* of the row as given NAN, as is the next */
	MCH_TUNE_TRAIN, /* accuracy while training, percent */
	MCH_TUNE_HELD,  /* accuracy on the images held out, percent */
	MCH_TUNE_N_COLUMNS
};

/* The best so far. */
struct mch_tune_best {
	int epoch; /* 0: none yet */
	int n_right;
};

/* One network on the test images. */
struct mch_tune_score {
	int n_right, n_agree; /* n_agree: answered as by the float network as given */
	double sqnr_db;       /* of the outputs against its outputs; float itself: INFINITY */
};

struct mch_tune_job {
	struct mch_tune_options *args;
	struct mch_net net;       /* the shadow; in the end the result */
	struct mch_net reference; /* as given, lowered */
	struct mch_quant quant;   /* accumulators that the program chose have 0 bits */
	struct mch_dataset train, test;
	int n_held, n_test; /* training images behind config.n_images that choose; test images that report */
	struct mch_quantizer *quantizer;
	struct mch_train_run run;
	char given_hash[MCH_HASH_HEX];
	const char **inexact; /* [n_inexact] layers whose sums float may round in training, of the network as given */
	int n_inexact;
	/* Kept in the checkpoint: */
	double *rows;  /* [n_epochs + 1][MCH_TUNE_N_COLUMNS], then the best epoch and its right answers */
	float *params; /* [n_params] of the best, of the twin, in the order of params.h */
	/* The result: */
	struct mch_tune_score of_float, before, after;
};

/* Networks, formats, images, quantizer, checkpoint. 0, or -1 with err. */
int mch_tune_load(struct mch_tune_job *job, struct mch_err *err);

/* Frees all but args. */
void mch_tune_free(struct mch_tune_job *job);

double *mch_tune_row(const struct mch_tune_job *job, int epoch);
struct mch_tune_best mch_tune_best(const struct mch_tune_job *job);

/* tune_report.c: the log of the epochs done, when one is asked for; what Q2.json tells beside formats; the result
 * on stdout. 0, or -1 with err; NULL: memory is short, or a name is no UTF-8. */
int mch_tune_write_log(const struct mch_tune_job *job, int n_epochs, struct mch_err *err);
json_t *mch_tune_json(const struct mch_tune_job *job);
void mch_tune_print(const struct mch_tune_job *job);

#endif
