/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parts of a report's page, for html_report.c: each writes sections from the report's JSON. Host only: no RTL
 * twin. */
#ifndef MCH_IO_HTML_PART_H
#define MCH_IO_HTML_PART_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "io/svg.h"

/* Of an object, which may be NULL. A number, NAN when there is none; text, "" when there is none; something that
 * is not null, or NULL. */
double mch_json_real(const json_t *object, const char *key);
const char *mch_json_text(const json_t *object, const char *key);
const json_t *mch_json_part(const json_t *object, const char *key);
/* A place in a list; SIZE_MAX, which no list has, when it is none. */
size_t mch_json_place(const json_t *object, const char *key);

/* Of one series: a line that shows its colour, dashes and mark, and its name. Stands in a <div class="legend">. */
void mch_html_key(FILE *to, const char *line_class, enum mch_mark mark, const char *mark_class, const char *name);
/* Of an area: a rectangle of its class. */
void mch_html_key_area(FILE *to, const char *class, const char *name);

/* Head line, figures, identity, images, sizes: html_summary.c. */
void mch_html_summary(FILE *to, const json_t *report);
/* Widths of weights, tensors and accumulators, layer by layer: html_bits.c. */
void mch_html_bits(FILE *to, const json_t *report);
/* Histograms with their formats, layer by layer: html_layers.c. */
void mch_html_layers(FILE *to, const json_t *report);
/* Accuracy against width, the search's path: html_search.c. */
void mch_html_search(FILE *to, const json_t *report);
/* Accuracy against cost: html_front.c. */
void mch_html_front(FILE *to, const json_t *report);
/* Of it: the steps of mixed precision, html_steps.c; sensitivity, html_sensitivity.c. search may be NULL. */
void mch_html_steps(FILE *to, const json_t *search);
void mch_html_sensitivity(FILE *to, const json_t *search);
/* Fine-tuning: html_tune.c. */
void mch_html_tune(FILE *to, const json_t *report);

#endif
