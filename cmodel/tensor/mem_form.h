/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory images in the forms of FPGA tools, beside that of mem.h. Host only: no RTL twin. Spec: docs/vectors.md "Other forms". */
#ifndef MCH_TENSOR_MEM_FORM_H
#define MCH_TENSOR_MEM_FORM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum mch_mem_form {
	MCH_MEM_HEX, /* Intel HEX, bytes: each word ceil(bits / 8) of them, low byte first */
	MCH_MEM_COE, /* Xilinx (AMD), of a block memory */
	MCH_MEM_MIF, /* Altera (Intel) */
	MCH_MEM_BIN, /* the bytes of MCH_MEM_HEX alone */
	MCH_MEM_N_FORMS
};

/* "hex", "coe", "mif", "bin": the end of the file's name. */
const char *mch_mem_form_name(enum mch_mem_form form);

/* `bits` 1..64 per word, two's complement, zeros above. comment as in mch_mem_write, where the form has a place for it. 0, or -1
 * with err: the stream is broken, or Intel HEX has no address for the last byte. */
int mch_mem_form_write(FILE *stream, enum mch_mem_form form, const char *comment, const int64_t *words, size_t n_words, int bits,
		       struct mch_err *err);

#endif
