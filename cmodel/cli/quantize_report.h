/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What `macchiato quantize` tells of its search: as tables, as JSON, as CSV. */
#ifndef MCH_CLI_QUANTIZE_REPORT_H
#define MCH_CLI_QUANTIZE_REPORT_H

#include <jansson.h>

#include "cli/quantize_job.h"

/* Of a search that found a result, or scored the widths given. */
void mch_quantize_print(const struct mch_quantize_job *job);

/* "together", "one bit more", "one bit less". */
const char *mch_quantize_why_name(enum mch_search_why why);

/* Percent of the choosing images. */
double mch_quantize_percent(const struct mch_quantize_job *job, int n_correct);

/* The search for NET.quant.json, complete enough to draw its curves anew; keys are told in docs/quantize.md. NULL
 * when memory is short. */
json_t *mch_quantize_search_json(const struct mch_quantize_job *job);

/* The answer of --json; is_found: the margin is met. NULL when memory is short. */
json_t *mch_quantize_json(const struct mch_quantize_job *job, bool is_found);

/* Every candidate as CSV. 0, or -1 with err. */
int mch_quantize_write_pareto(const struct mch_quantize_job *job, const char *path, struct mch_err *err);

#endif
