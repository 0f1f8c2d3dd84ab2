/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Between the files that make a program: program.c (order of things), program_check.c (what is refused),
 * program_place.c (tensors), program_step.c (steps to jobs), program_emit.c (jobs to descriptors and weights),
 * program_depthwise.c (the same of depthwise convolutions). Host only: no RTL twin. */
#ifndef MCH_ARCH_PROGRAM_BUILD_H
#define MCH_ARCH_PROGRAM_BUILD_H

#include "arch/program.h"

/* A convolution of one or two tensors, whose weights are a layer's or a diagonal. */
struct mch_job {
	int step;
	const struct mch_program_tensor *x[2]; /* [1] may be NULL */
	const struct mch_program_tensor *y;
	struct mch_conv
	    window; /* as the accelerator sees it: h, w, r, s, strides, pads, dilation; the rest is not read */
	int p, q;
	const struct mch_conv *conv; /* the layer's, or NULL: a diagonal */
	enum mch_input_layout layout;
	const struct mch_step *mac; /* of the layer: its weights and biases, or NULL */
	int64_t diagonal[2];
	const int8_t *shift; /* [k] or [1] */
	bool shift_is_one;
	int shift_more; /* is added */
	int noise0; /* the channel whose noise output channel 0 takes */
	uint32_t seed;
	uint32_t noise_steps; /* pixels before the first */
	bool relu;
};

/* NULL, or in a few words why the accelerator does not have a step. */
const char *mch_program_reason(const struct mch_accel_config *cfg, const struct mch_qnet *q,
			       const struct mch_step *step);
bool mch_program_is_host(const struct mch_program *p, int step);
/* Of the requantizer: a clip that is a ReLU, or nothing, counts as that. */
bool mch_program_relu(const struct mch_step *step);

/* Diagonals have weights of +-2^left, moved left by this until the least of them has a code: 0, but of flushed minifloats. */
int mch_program_unit(const struct mch_accel_config *cfg);
/* Of a mean that is a sum: log2 of the positions that each of its windows divides by, or -1. */
int mch_program_mean_log2(const struct mch_pool *pool);

/* Layout of the input, slots, parts of concats, addresses; p->image_addr. */
int mch_program_place(struct mch_program *p, struct mch_err *err);
/* Concat's input j is made in place. */
bool mch_program_in_place(const struct mch_program *p, const struct mch_step *step, int j);
/* The window of a step whose input is laid out so. */
struct mch_conv mch_program_window(const struct mch_conv *conv, enum mch_input_layout layout);
/* The convolution that a conv or dense step is on its input as it lies in memory. */
struct mch_conv mch_program_conv(const struct mch_qnet *q, const struct mch_step *step);

/* Integers of a conv or dense step, of minifloats too: weight i of [k][terms], the bias of channel k, of 48 bits at most
 * where the step was not refused. */
static inline int64_t mch_program_weight(const struct mch_step *step, size_t i)
{
	return step->is_wide ? step->wide_weights[i] : step->weights[i];
}
static inline mch_int128 mch_program_bias(const struct mch_step *step, int k)
{
	return step->is_wide ? step->wide_bias[k] : step->bias[k];
}

/* The descriptors of a step, in order. */
int mch_program_step(struct mch_program *p, int step, struct mch_err *err);
/* Of a convolution: it is done by walks along its rows; the columns that it then writes of a row; its descriptors. */
bool mch_program_is_depthwise(const struct mch_program *p, int step);
int mch_program_pitch(const struct mch_program *p, int step);
int mch_program_emit_depthwise(struct mch_program *p, int step, struct mch_err *err);
int mch_program_emit_job(struct mch_program *p, const struct mch_job *job, struct mch_err *err);

/* Finishes a descriptor with BARRIER and TILES and takes it into the list. -1 with err; -2: no strip fits, and err is
 * as it was. */
int mch_program_append(struct mch_program *p, const struct mch_program_descriptor *item, bool is_whole,
		       struct mch_err *err);
/* The rows of x in words: ROW_STEP, TAP_STEP, PAD_WORDS, MAP_WORDS, and REACH, of a window of r rows. */
void mch_program_set_rows(struct mch_descriptor *d, const struct mch_program_tensor *x, int h, int r, int stride_h, int dilation_h,
			  int pad_top);

/* A step whose output blocks read blocks of their own: n of them from `block` on as one descriptor; what the ring takes for it, and
 * its MACs. */
struct mch_own_blocks {
	void (*fill)(const struct mch_program *p, const struct mch_step *step, int block, int n, struct mch_descriptor *d);
	int (*put)(struct mch_program *p, const struct mch_step *step, int block, int n, struct mch_program_descriptor *item,
		   struct mch_err *err);
};
/* All blocks at once, or, where a strip of them does not fit, half as many, and so on. */
int mch_program_emit_own(struct mch_program *p, int step, const struct mch_own_blocks *own, struct mch_err *err);

/* "LAYER: no strip fits". */
int mch_program_no_fit(const struct mch_program *p, int step, const struct mch_descriptor *d, struct mch_err *err);

/* Room for n words more of the image, zeros; their address, or -1 with err. */
int64_t mch_program_more(struct mch_program *p, uint64_t n, struct mch_err *err);
static inline uint8_t *mch_program_image(const struct mch_program *p, uint64_t address)
{
	return p->image + (address - p->image_addr) * mch_accel_word_bytes(&p->cfg);
}
/* Element `to` of the image; every weight of a layer that was not refused has a code. */
void mch_program_put_weight(struct mch_program *p, uint64_t to, int64_t value);
/* PARAM words of one y block at `address`. channel: of y's element j, -1 for none. */
struct mch_param {
	const struct mch_step *mac; /* biases by channel, or NULL: 0 */
	const int8_t *shift;
	bool shift_is_one;
	int shift_more, noise0;
	uint32_t seed, noise_steps;
};
void mch_program_put_params(struct mch_program *p, const struct mch_param *param, const int32_t *channel,
			    uint64_t address);

#endif
