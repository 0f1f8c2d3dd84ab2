/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A number as text: the shortest decimal that reads back as the same double. Host only: no RTL twin. */
#ifndef MCH_IO_REAL_TEXT_H
#define MCH_IO_REAL_TEXT_H

/* value is finite; returns buf. "0.1", not "0.10000000000000001"; a decimal point, whatever the locale. */
const char *mch_real_text(double value, char buf[32]);

/* All of text as a finite number, a decimal point in every locale. 0, or -1. */
int mch_real_parse(const char *text, double *value);

#endif
