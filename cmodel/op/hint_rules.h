/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Rules that differ from the contract in one point: what op/hint.c and op/hint_conv.c try. Host only: no RTL twin. */
#ifndef MCH_OP_HINT_RULES_H
#define MCH_OP_HINT_RULES_H

#include "op/conv.h"
#include "op/hint.h"

/* How the code of an operand is read. */
enum mch_hint_read { MCH_READ_RIGHT, MCH_READ_SIGNED, MCH_READ_UNSIGNED, MCH_READ_HALVES };

/* What pads a map. */
enum mch_hint_pad { MCH_PAD_ZERO, MCH_PAD_EDGE, MCH_PAD_MEMORY };

/* One run, in which one thing is not as the contract says. */
struct mch_hint_trial {
	struct mch_requant requant;
	struct mch_acc acc;
	bool wraps; /* the code, while the flag stands */
	bool no_bias, minus_bias, no_shift, back_shift, next_noise, no_flag;
	bool early_relu, early_relu_all; /* of the sum before the bias: it alone, or the bias with it, becomes 0 */
	int more_shift;
	int unsigned_bits; /* of the sum, which is shifted without its sign; 0: with it */
	enum mch_hint_read x_read, w_read;
	int lost_first, lost_last; /* terms */
	int x_late, w_late;        /* an operand is that of so many terms before; the first keep their own */
	/* Of a convolution. */
	struct mch_conv conv;
	enum mch_hint_pad pad;
	bool transposed, turned; /* the kernel's rows are its columns; it is turned by 180 degrees */
	bool channels_reversed;  /* input channels within a block of the array's columns */
	int weights_of, params_of; /* of the channel so many further on in its block, which closes to a ring; of both: y itself */
	bool block_params; /* those of a block's first channel */
	bool goes_on;   /* the sum starts from what the processing element left */
};

/* parameter: 0 .. n - 1 where the rule has several forms, of which `says` prints one number. */
struct mch_hint_rule {
	bool (*change)(struct mch_hint_trial *t, int form); /* false: no rule that could be in place */
	int n_forms;
	int (*shown)(const struct mch_hint_trial *t); /* the number for `says`, or NULL */
	const char *says, *cause, *section;
};
extern const struct mch_hint_rule mch_hint_rules[];
extern const int mch_hint_n_rules, mch_hint_n_plain; /* the plain ones, which need no layer, come first */

/* The trial that is the contract. */
struct mch_hint_trial mch_hint_contract(const struct mch_hint_unit *unit);

/* What the trial gives. */
int64_t mch_hint_value(const struct mch_hint_unit *unit, const struct mch_hint_trial *t, const struct mch_hint_seen *seen,
		       bool *flag);
/* Its sum of terms alone. */
int64_t mch_hint_sum(const struct mch_hint_unit *unit, const struct mch_hint_trial *t, const struct mch_hint_seen *seen,
		     bool *over);
/* It gives what was got; codes are compared in their own bits: the sign in which they are read may be what is wrong. */
bool mch_hint_explains(const struct mch_hint_unit *unit, const struct mch_hint_trial *t, const struct mch_hint_seen *seen);

/* Runs `explains` with every rule; names the first two. NULL: none. */
const char *mch_hint_search(const struct mch_hint_trial *contract, int n_rules,
			    bool (*explains)(const void *context, const struct mch_hint_trial *t), const void *context,
			    char *text);

#endif
