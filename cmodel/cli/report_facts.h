/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* All that `macchiato report` tells, as JSON: what --json prints is what the page draws, so the two cannot differ.
 *
 *   "format"    "macchiato report 1"
 *   "network", "net_file", "net_hash", "quant_file", "quant_hash"
 *   "round", "seed", "widths"    as in Q.json
 *   "accuracy"  images, error_margin, float and exact: percent, right, low, high (95 % interval); null: not in Q.json
 *   "check"     the same measured now, the agreement of the two, the outputs' signal-to-noise ratio; null: no images
 *   "sizes"     what, values, bits before and after, for one image
 *   "work"      multiplications of one image, and those times the widths of their operands
 *   "host_layers" name and kind
 *   "ranges"    images behind the tensors' ranges; null: not measured
 *   "input", "layers"    formats, ranges, accumulators: report_layers.c
 *   "search"    as in Q.json; null: it has none
 *   "compare"   file, search and widths of another; null: none given
 *   "tune"      file, columns, rows; null: none given */
#ifndef MCH_CLI_REPORT_FACTS_H
#define MCH_CLI_REPORT_FACTS_H

#include <jansson.h>

#include "cli/report_options.h"
#include "net/qnet.h"
#include "net/score.h"
#include "quant/ranges.h"

struct mch_report_facts {
	const struct mch_report_options *args;
	const struct mch_net *net;
	const struct mch_quant *quant;
	const struct mch_qnet *q;
	const struct mch_ranges *ranges;    /* NULL: not measured */
	const struct mch_dataset *measured; /* behind the ranges */
	const struct mch_dataset *scored;   /* NULL: not scored */
	const struct mch_answers *float_answers, *exact_answers;
	const struct mch_difference *difference;
	const json_t *search; /* of Q.json, NULL: none */
	const char *scored_hash; /* of the images scored */
};

/* Without "compare" and "tune", which are read from files. NULL with err: a name is no UTF-8, or memory is short. */
json_t *mch_report_facts(const struct mch_report_facts *facts, struct mch_err *err);

/* "input" and "layers", one for each step of the integer network. NULL: as above, without err. report_layers.c. */
json_t *mch_report_input(const struct mch_report_facts *facts);
json_t *mch_report_layers(const struct mch_report_facts *facts);

#endif
