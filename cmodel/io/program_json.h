/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* program.json: what it is called, and how it is made. Host only: no RTL twin. Spec: docs/export.md "Programs". */
#ifndef MCH_IO_PROGRAM_JSON_H
#define MCH_IO_PROGRAM_JSON_H

#include <jansson.h>

#include "arch/program_time.h"
#include "io/accel_manifest.h"
#include "io/program_write.h"

#define MCH_PROGRAM_JSON "program.json"
#define MCH_PROGRAM_MEMORY "memory.bin"
#define MCH_PROGRAM_KIND "macchiato program"

enum { MCH_PROGRAM_VERSION = 1, MCH_PROGRAM_JSON_INDENT = 1 };

/* Name of the layer that makes an edge; "" of the input. */
const char *mch_program_maker(const struct mch_program *p, int edge);

/* "plain", "row", "window"; NULL: none. */
const char *mch_program_layout_name(enum mch_input_layout layout);

/* "input-3.bin", "golden-3.bin". */
void mch_program_input_name(char name[MCH_ACCEL_TEXT_MAX], int image);
void mch_program_golden_name(char name[MCH_ACCEL_TEXT_MAX], int image);

/* SHA-256 of all but the member "sha256". 0, or -1 when memory is short. */
int mch_program_json_hash(const json_t *root, char hex[MCH_HASH_HEX]);

/* The whole of it, with files as they lie in m; NULL when memory is short or a name is no UTF-8. */
json_t *mch_program_json(const struct mch_program_export *e, const struct mch_program *p,
			 const struct mch_program_time *time, const struct mch_accel_manifest *m);

#endif
