/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An integer network as work of the accelerator: where every tensor lies, the weights' streams, the lists of
 * descriptors, and what the host does between them. Host only: no RTL twin. Spec: docs/accelerator.md "Programs". */
#ifndef MCH_ARCH_PROGRAM_H
#define MCH_ARCH_PROGRAM_H

#include "arch/descriptor.h"
#include "net/qnet.h"

/* How the driver lays the network's input out. */
enum mch_input_layout {
	MCH_INPUT_PLAIN,  /* channels are channels */
	MCH_INPUT_ROW,    /* (s, c) of a row of the window are channels, of a map of h x q */
	MCH_INPUT_WINDOW, /* (r, s, c) of the whole window are, of a map of p x q */
	MCH_N_INPUT_LAYOUTS
};

struct mch_program_options {
	bool allow_host;  /* layers that the accelerator does not have are the host's; else an error names them all */
	bool keep;        /* no tensor takes the memory of a dead one */
	const int *tiles; /* [n_steps], or NULL: TILES of a step's descriptors, 0: chosen */
	int layout;       /* 1 + enum mch_input_layout where the first layer can have it; 0: chosen */
};

/* One edge in memory. Channel k is element slot[k] % cols of block slot[k] / cols; elements of a block that no
 * channel has are written by the layer that makes the tensor, and readers have zero weights there. */
struct mch_program_tensor {
	int edge;
	struct mch_format format;
	int c, h, w;
	int pitch; /* words from a row to the next: w, or more where a depthwise layer wrote it */
	int blocks;
	uint32_t addr, step; /* word address; words from a block to the next */
	int32_t *slot;       /* [c], owned */
	int32_t *channel;    /* [blocks * cols], owned: -1 where no channel is */
	bool is_used;
	/* Of the build: which tensor it is part of, from which block or (concat of rows) word on; -1: none. */
	int parent, parent_block;
	int first_use, last_use; /* steps, of a whole */
};

struct mch_program_descriptor {
	struct mch_descriptor d;
	int step;             /* of the network */
	uint64_t macs, beats; /* of the layer, of the array */
	uint64_t cycles;      /* mch_program_cycles */
};

/* In order: lists that end in OP_STOP, and steps of the host. */
struct mch_program_part {
	bool is_host;
	int step;      /* is_host */
	uint32_t list; /* else: word address, */
	int first, n;  /* descriptors */
};

struct mch_program {
	struct mch_accel_config cfg;
	const struct mch_qnet *q;
	struct mch_program_options options;
	struct mch_program_tensor *tensor; /* [n_edges] */
	int n_tensors;
	enum mch_input_layout layout;
	struct mch_conv input_conv; /* of a layout that is not plain: the window */
	struct mch_program_descriptor *descriptor;
	int n_descriptors, descriptor_room;
	struct mch_program_part *part;
	int n_parts;
	/* Memory: tensors, then from image_addr on what the driver loads once: weights, then lists. */
	uint32_t image_addr, n_words; /* words; n_words of all */
	uint8_t *image;               /* [(n_words - image_addr) * word_bytes], owned */
	uint64_t image_words, image_room;
};

/* q outlives p. 0, or -1 with err and p empty. */
int mch_program_build(struct mch_program *p, const struct mch_qnet *q, const struct mch_accel_config *cfg,
		      const struct mch_program_options *options, struct mch_err *err);
void mch_program_free(struct mch_program *p);

/* 0, or -1 with err when no step at all would be the accelerator's: it names them and says why. */
int mch_program_check(const struct mch_qnet *q, const struct mch_accel_config *cfg, struct mch_err *err);

/* The narrowest x_bits, w_bits, out_bits, acc_bits and the rounding that q needs; the rest of cfg is the caller's. */
void mch_program_widths(const struct mch_qnet *q, struct mch_accel_config *cfg);

/* mem is [n_words * word_bytes]. The image into it; codes [c][h][w] of the network's input; of any edge; and back. */
void mch_program_load(const struct mch_program *p, uint8_t *mem);
void mch_program_put_input(const struct mch_program *p, const int32_t *codes, uint8_t *mem);
void mch_program_put(const struct mch_program *p, int edge, const int32_t *codes, uint8_t *mem);
void mch_program_get(const struct mch_program *p, int edge, const uint8_t *mem, int32_t *codes);

/* A step of the host, from memory to memory. 0, or -1 with err. */
int mch_program_host_step(const struct mch_program *p, int step, uint8_t *mem, struct mch_err *err);

/* Sets TILES and what follows from it: the number that costs the fewest cycles, first load, reloads of halos and
 * weights included, of those whose strips fit the buffers; `tiles`, when it is not 0. is_whole: one strip alone (the
 * noise of stochastic rounding starts anew in each). 0, or -1: none fits. */
int mch_program_tiles(struct mch_descriptor *d, const struct mch_accel_config *cfg, uint32_t tiles, bool is_whole);

/* Cycles of a descriptor whose TILES are set, estimated: strips one behind the other, each the longer of its
 * computing and of what is loaded for the next. */
uint64_t mch_program_cycles(const struct mch_descriptor *d, const struct mch_accel_config *cfg);

#endif
