/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The page of `macchiato report`: one file of HTML with pictures in SVG, that loads nothing and runs nothing. Host
 * only: no RTL twin. */
#ifndef MCH_IO_HTML_REPORT_H
#define MCH_IO_HTML_REPORT_H

#include <jansson.h>

#include "base/err.h"

/* report: a "macchiato report 1" (cli/report_facts.h). Of "search", what is understood is drawn, and what is
 * missing said; nothing in it is an error. Writes path whole or not at all ("-": the standard output). 0, or -1
 * with err. */
int mch_html_report_write(const char *path, const json_t *report, struct mch_err *err);

#endif
