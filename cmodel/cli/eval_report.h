/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What `macchiato eval` tells: text, JSON, the table of confusions. */
#ifndef MCH_CLI_EVAL_REPORT_H
#define MCH_CLI_EVAL_REPORT_H

#include "cli/eval_options.h"
#include "net/score.h"

struct mch_eval_report {
	const struct mch_eval_options *args;
	const struct mch_net *net;
	const struct mch_dataset *data;
	const char *formats;    /* file; NULL: float */
	int n_narrow;           /* layers whose accumulator may overflow */
	int n_images;
	double seconds;
	bool has_answers, has_difference;
	struct mch_answers answers;
	struct mch_difference difference;
	char **names;   /* of the classes, [n_outputs]; NULL: none */
	int *confusion; /* [n_classes of data][n_outputs]; NULL without answers */
};

/* Counts answers.prediction. 0, or -1 with err: memory. */
int mch_eval_count(struct mch_eval_report *report, struct mch_err *err);

/* Names of classes from a file, n of them at the least: line k, from 0, is class k; a WordNet number in front is left
 * out. NULL with err. */
char **mch_eval_read_names(const char *path, int n, struct mch_err *err);
void mch_eval_free_names(char **names, int n);

/* 0, or -1 with err. */
int mch_eval_print(const struct mch_eval_report *report, struct mch_err *err);
int mch_eval_write_confusion(const struct mch_eval_report *report, struct mch_err *err);

#endif
