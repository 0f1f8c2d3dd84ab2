/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A program's folder (`macchiato export --program`) as plain structs, without the network: all that a bench or a
 * driver needs to run images and to tell which layer went wrong. Host only: no RTL twin. Spec: docs/export.md
 * "Programs". */
#ifndef MCH_IO_PROGRAM_READ_H
#define MCH_IO_PROGRAM_READ_H

#include "arch/descriptor.h"
#include "base/err.h"

/* Word of block b, pixel (h, w): addr + b * step + h * t.w + w. Channel k is element slot[k] % cols of block
 * slot[k] / cols. */
struct mch_folder_tensor {
	char *layer; /* that makes it; "": the input */
	uint32_t addr, step;
	int blocks, c, h, w;
	struct mch_format format; /* of its codes, which mch_accel_get_code reads */
	int32_t *slot; /* [c] */
};

/* In order: a list that the accelerator runs, or a step of the host, whose tensor the golden memory has. */
struct mch_folder_part {
	bool is_host;
	uint32_t list;  /* word address */
	int first, n;   /* descriptors of the list, without OP_STOP */
	char *layer;    /* of the host's step, else "" */
	int tensor;     /* that the host writes, else -1 */
};

struct mch_folder_descriptor {
	char *layer;
	struct mch_descriptor d;
	uint64_t macs, beats;
	uint64_t cycles; /* by the cycle model, in a memory as fast as its port */
};

struct mch_folder_file {
	char *name;
	char sha256[65];
	uint64_t n_bytes;
};

struct mch_program_folder {
	char *dir;
	char config_hash[65]; /* MCH_CONFIG_HASH of the folder's headers */
	struct mch_accel_config cfg;
	uint32_t n_words, word_bytes;
	uint32_t load_addr, load_words; /* what the driver loads once: weights and lists */
	uint8_t *memory;                /* [n_words * word_bytes]: that, and tensors of zeros */
	struct mch_folder_tensor *tensor;
	struct mch_folder_part *part;
	struct mch_folder_descriptor *descriptor;
	int n_tensors, n_parts, n_descriptors;
	int input, output; /* tensors */
	int n_images;
	int *label; /* [n_images]; -1: unknown */
	struct mch_folder_file *file;
	int n_files;
};

/* 0, or -1 with err and *f empty. All sizes, addresses and hashes have been verified but those of images. */
int mch_program_folder_read(struct mch_program_folder *f, const char *dir, struct mch_err *err);

/* Every file that program.json lists, headers and images as well, has the size and the hash that stand there. 0, or -1 with err. */
int mch_program_folder_check(const struct mch_program_folder *f, struct mch_err *err);
void mch_program_folder_free(struct mch_program_folder *f);

/* Image i: its words into mem (n_words * word_bytes, elsewhere left alone); the whole memory after its run. Both
 * verified. 0, or -1 with err. */
int mch_program_folder_input(const struct mch_program_folder *f, int i, uint8_t *mem, struct mch_err *err);
int mch_program_folder_golden(const struct mch_program_folder *f, int i, uint8_t *mem, struct mch_err *err);

/* The blocks of a tensor from one memory to another: the host's step, where the golden memory is at hand. */
void mch_program_folder_copy(const struct mch_program_folder *f, int tensor, const uint8_t *from, uint8_t *to);

/* Element of memory (mch_accel_get's) that holds channel c of pixel (h, w). */
static inline uint64_t mch_folder_element(const struct mch_program_folder *f, const struct mch_folder_tensor *t,
					  int c, int h, int w)
{
	const uint64_t cols = (uint64_t)f->cfg.cols, slot = (uint64_t)t->slot[c];
	return (t->addr + slot / cols * t->step + (uint64_t)h * (uint64_t)t->w + (uint64_t)w) * cols + slot % cols;
}

/* The first element, of all tensors in order, of which the memories differ in a channel: true, and where. */
struct mch_folder_difference {
	int tensor, c, h, w;
	int32_t want, got;
};
bool mch_program_folder_differs(const struct mch_program_folder *f, const uint8_t *want, const uint8_t *got,
				struct mch_folder_difference *at);

#endif
