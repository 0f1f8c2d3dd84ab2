/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The configuration headers of an accelerator, in C and in Verilog, from one table. Host only: no RTL twin.
 * Spec: docs/export.md. */
#ifndef MCH_IO_ACCEL_HEADER_H
#define MCH_IO_ACCEL_HEADER_H

#include <stdio.h>

#include "io/accel_table.h"

/* C99 and C++11, warning-free alone: a #define for each row, `struct mch_config_layer` and, where MCH_CONFIG_LAYERS
 * is defined before the #include (also before a second one), the table mch_config_layers[MCH_N_LAYERS].
 * table->hash must be set. Errors of the stream stay in the stream. */
void mch_accel_header_c(FILE *stream, const struct mch_accel_table *table);

/* Verilog-2005: a `define for each row. */
void mch_accel_header_verilog(FILE *stream, const struct mch_accel_table *table);

#endif
