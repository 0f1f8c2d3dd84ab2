/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What `macchiato quantize` tells of its search: as tables, and as JSON. */
#ifndef MCH_CLI_QUANTIZE_REPORT_H
#define MCH_CLI_QUANTIZE_REPORT_H

#include <jansson.h>

#include "net/quant.h"
#include "quant/fraction.h"
#include "quant/search.h"

struct mch_quantize_report {
	const struct mch_net *net;
	const struct mch_quant *quant; /* of the widths that won */
	const struct mch_search *search;
	const struct mch_search_config *config;
	enum mch_fraction rule;
	int n_ranges;                             /* training images behind the formats */
	const char *train_hash, *test_hash;       /* SHA-256 of the images used */
	const char *output;                       /* path of the result */
};

void mch_quantize_print(const struct mch_quantize_report *r);

/* The search for NET.quant.json, complete enough to draw its curves anew. NULL when memory is short. */
json_t *mch_quantize_search_json(const struct mch_quantize_report *r);

/* The answer of --json; is_found: the margin is met. NULL when memory is short. */
json_t *mch_quantize_json(const struct mch_quantize_report *r, bool is_found);

#endif
