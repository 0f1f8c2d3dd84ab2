/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Histograms of a tensor with its format over them. Host only: no RTL twin. */
#ifndef MCH_IO_HTML_HISTOGRAM_H
#define MCH_IO_HTML_HISTOGRAM_H

#include <jansson.h>
#include <stdio.h>

/* what: "weights"; name: the layer's; id is unique in the page. format and range: cli/report_layers.c. */
void mch_html_histogram(FILE *to, const char *id, const char *what, const char *name, const json_t *format,
			const json_t *range);
void mch_html_octaves(FILE *to, const char *id, const char *what, const char *name, const json_t *format,
		      const json_t *range);

#endif
