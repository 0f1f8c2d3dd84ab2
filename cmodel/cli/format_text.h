/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats in tables. */
#ifndef MCH_CLI_FORMAT_TEXT_H
#define MCH_CLI_FORMAT_TEXT_H

#include "net/quant.h"

enum { MCH_FORMAT_TEXT = 32 };

/* The format, or "float" when there is none, into buf (MCH_FORMAT_TEXT bytes); returns a text. */
const char *mch_format_or_float(struct mch_format format, char *buf);

/* That of a layer's weights; "s8.5..9" when its channels have fractions from 5 to 9. */
const char *mch_weights_text(const struct mch_layer_quant *layer, char *buf);

#endif
