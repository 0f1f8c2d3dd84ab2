/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One operator of docs/datapath.md with its parameters, as `gen` and `ver` see it: the columns of a vector file, inputs drawn
 * from the corners of their ranges, and the right outputs, computed by fxp/ and op/. */
#ifndef MCH_CLI_GEN_H
#define MCH_CLI_GEN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/gen_params.h"
#include "op/conv.h"
#include "op/eltwise.h"
#include "op/hint.h"
#include "op/pool.h"
#include "op/requant.h"
#include "tensor/vec.h"

/* What enters the requantizer, or leaves the accumulator, for one element of the output. */
struct mch_gen_element {
	int64_t acc, bias;
	int shift, channel; /* set once; the shift is a column of its own where a case has one */
	uint32_t noise;
	bool over; /* a step of the accumulator saturated */
};

enum mch_gen_end {
	MCH_GEN_SUMS,  /* outputs acc (over) */
	MCH_GEN_CODES, /* outputs y (sat) */
	MCH_GEN_OWN,   /* the operator's own */
};

struct mch_gen {
	const struct mch_gen_op *op;
	struct mch_gen_params p;
	struct mch_vec_header header;             /* its columns; comment and redo too */
	int64_t *values[MCH_VEC_FIELDS_MAX];      /* [0] owns them all: inputs, and behind mch_gen_compute the right outputs */
	int bias_at, shift_at, noise_at, seed_at; /* columns of these kinds; -1 where there is none */
	enum mch_gen_end end;
	struct mch_acc acc;
	struct mch_format sum; /* of the elements' acc */
	struct mch_format aim; /* codes between which sums are aimed */
	bool has_sum;          /* column 0 is the sum itself */
	bool is_wide;          /* sums that op/wide.h rounds */
	struct mch_requant requant;
	size_t n_elements, n_channels;
	struct mch_gen_element *element; /* of the output, where its end is not its own; owned */
	uint16_t *noise;                 /* [n_channels] states; owned */
	struct mch_conv conv;
	struct mch_pool pool;
	struct mch_eltwise eltwise;
	struct mch_eltwise_in eltwise_in[MCH_GEN_INPUTS_MAX];
	struct mch_shape y; /* of the outputs; 0 of scalars and of the array */
	int64_t *x, *w;     /* integers of operands in the order of conv.h; owned */
	int32_t *in, *out;  /* codes of a pool or a move; owned */
};

struct mch_gen_op {
	const char *name, *formula, *section; /* section of docs/datapath.md */
	unsigned takes;                       /* MCH_GEN_... of gen_params.h */
	void (*setup)(struct mch_gen *g);     /* columns and sizes; ends the program when options do not fit */
	void (*compute)(struct mch_gen *g);   /* acc and over of the elements, or the operator's own outputs */
};

extern const struct mch_gen_op mch_gen_ops[]; /* the last has no name */

/* Ends the program by mch_cmd_fail when there is no such operator, or the parameters do not fit it. To be freed. */
void mch_gen_init(struct mch_gen *g, const char *op, const struct mch_gen_params *p);
void mch_gen_free(struct mch_gen *g);

/* Inputs of case `number` into g->values: the same whatever was drawn before. Level 2 begins with every combination of codes,
 * or of corners where a column has more than 8 bits: mch_gen_combinations of them. */
void mch_gen_draw(struct mch_gen *g, uint64_t number);
uint64_t mch_gen_combinations(const struct mch_gen *g);

/* The right outputs of the inputs in g->values. */
void mch_gen_compute(struct mch_gen *g);

/* Values of the cases before: those that agree are evidence, too. */
enum { MCH_GEN_REMEMBERED = 256 };
struct mch_gen_evidence {
	struct mch_hint_seen seen[MCH_GEN_REMEMBERED]; /* the last */
	int n;
};
/* Takes in the case that was computed last, whose outputs are got[column]. Of cases of one value; others are their own. */
void mch_gen_remember(const struct mch_gen *g, int64_t *const *got, struct mch_gen_evidence *evidence);

/* A likely cause of the outputs of the case that was computed and remembered last, whose element is wrong: text
 * (MCH_HINT_BYTES), or NULL. */
const char *mch_gen_hint(const struct mch_gen *g, int64_t *const *got, size_t element,
			 const struct mch_gen_evidence *evidence, char *text);

/* For the operators' setup. A column, inputs first; gives back its number. */
int mch_gen_in(struct mch_gen *g, const char *name, struct mch_format format, size_t count);
int mch_gen_out(struct mch_gen *g, const char *name, struct mch_format format, size_t count);

/* The columns behind an operator's own inputs, where sums end in accumulators or codes. */
struct mch_gen_tail {
	int frac;          /* of the sums */
	int64_t low, high; /* their ends over all inputs; both 0: the accumulator is stated */
	size_t n_elements, n_channels;
	bool has_bias;
	int more_shift; /* of a mean: 16 */
};
void mch_gen_tail(struct mch_gen *g, const struct mch_gen_tail *tail);

/* Ends the program unless the format is one of 1 to 16 bits whose integers have at most `bits`, sign apart. */
void mch_gen_need_operand(const char *option, struct mch_format format, int bits);

/* The largest magnitude of a format's integers. */
int64_t mch_gen_largest(struct mch_format format);

/* The operators. */
void mch_gen_round_shift_setup(struct mch_gen *g);
void mch_gen_round_shift(struct mch_gen *g);
void mch_gen_sat_setup(struct mch_gen *g);
void mch_gen_sat(struct mch_gen *g);
void mch_gen_requant_setup(struct mch_gen *g);
void mch_gen_encode_setup(struct mch_gen *g);
void mch_gen_sum_given(struct mch_gen *g);
void mch_gen_lfsr_setup(struct mch_gen *g);
void mch_gen_lfsr(struct mch_gen *g);
void mch_gen_lfsr_seed_setup(struct mch_gen *g);
void mch_gen_lfsr_seed(struct mch_gen *g);
void mch_gen_mac_setup(struct mch_gen *g);
void mch_gen_mac(struct mch_gen *g);
void mch_gen_dot_setup(struct mch_gen *g);
void mch_gen_array_setup(struct mch_gen *g);
void mch_gen_array(struct mch_gen *g);
void mch_gen_conv_setup(struct mch_gen *g);
void mch_gen_dense_setup(struct mch_gen *g);
void mch_gen_conv(struct mch_gen *g);
void mch_gen_pool_setup(struct mch_gen *g);
void mch_gen_max_pool(struct mch_gen *g);
void mch_gen_mean_setup(struct mch_gen *g);
void mch_gen_mean(struct mch_gen *g);
void mch_gen_add_setup(struct mch_gen *g);
void mch_gen_mul_setup(struct mch_gen *g);
void mch_gen_max_setup(struct mch_gen *g);
void mch_gen_eltwise(struct mch_gen *g);
void mch_gen_concat_setup(struct mch_gen *g);
void mch_gen_concat(struct mch_gen *g);
void mch_gen_transpose_setup(struct mch_gen *g);
void mch_gen_transpose(struct mch_gen *g);
void mch_gen_upsample_setup(struct mch_gen *g);
void mch_gen_upsample(struct mch_gen *g);

#endif
