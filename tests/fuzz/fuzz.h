/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Every parser of foreign bytes, as a function that takes any bytes: a fuzzer feeds them (fuzz_main.c), and `make check`
 * replays the kept ones (replay.c). To add a parser: a function in targets_*.c, its row in targets.c, and a folder
 * corpus/NAME with a few small files. */
#ifndef MCH_TESTS_FUZZ_FUZZ_H
#define MCH_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fuzz_target {
	const char *name;
	/* Takes the bytes as input. A broken contract ends the program. */
	void (*run)(const uint8_t *bytes, size_t n_bytes);
};

extern const struct fuzz_target fuzz_targets[]; /* ended by a row without name */

/* The row of that name; ends the program when there is none. */
const struct fuzz_target *fuzz_find(const char *name);

/* The bytes as a file for parsers that take a path: valid until the next call with the same slot, 0 to 3. */
enum { FUZZ_SLOTS = 4 };
const char *fuzz_file(int slot, const uint8_t *bytes, size_t n_bytes);

/* What every parser owes: 0, or -1 with one line "WHERE: WHAT; WHAT TO DO". */
void fuzz_expect(int status, const struct mch_err *err);

void fuzz_caffe(const uint8_t *bytes, size_t n_bytes);
void fuzz_caffe_mean(const uint8_t *bytes, size_t n_bytes);
void fuzz_caffemodel(const uint8_t *bytes, size_t n_bytes);
void fuzz_checkpoint(const uint8_t *bytes, size_t n_bytes);
void fuzz_cifar(const uint8_t *bytes, size_t n_bytes);
void fuzz_datum(const uint8_t *bytes, size_t n_bytes);
void fuzz_idx(const uint8_t *bytes, size_t n_bytes);
void fuzz_image(const uint8_t *bytes, size_t n_bytes);
void fuzz_list(const uint8_t *bytes, size_t n_bytes);
void fuzz_manifest(const uint8_t *bytes, size_t n_bytes);
void fuzz_mem(const uint8_t *bytes, size_t n_bytes);
void fuzz_npy(const uint8_t *bytes, size_t n_bytes);
void fuzz_onnx(const uint8_t *bytes, size_t n_bytes);
void fuzz_onnx_quant(const uint8_t *bytes, size_t n_bytes);
void fuzz_program(const uint8_t *bytes, size_t n_bytes);
void fuzz_prototxt(const uint8_t *bytes, size_t n_bytes);
void fuzz_quant_json(const uint8_t *bytes, size_t n_bytes);
void fuzz_results(const uint8_t *bytes, size_t n_bytes);
void fuzz_vec(const uint8_t *bytes, size_t n_bytes);

#endif
