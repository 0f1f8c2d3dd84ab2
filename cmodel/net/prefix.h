/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Results of unchanged prefixes: when a search scores formats that differ from earlier ones only from some layer on, the
 * codes in front of it are taken over. They are the same codes, so no score changes. Host only: no RTL twin.
 *
 * A cut is a place between two steps where one edge carries all that follows needs. A pass keeps the codes at the last
 * cut up to which its formats are those of the pass before it, and begins at the last cut that was kept. */
#ifndef MCH_NET_PREFIX_H
#define MCH_NET_PREFIX_H

#include "net/qnet.h"

struct mch_prefix;

/* For passes over the same images (0 .. n_images - 1 of one data set) of one network whose parameters stay as they are.
 * limit_bytes: of the codes kept; what was not used for longest goes first. NULL when memory is short: then nothing is
 * kept. */
struct mch_prefix *mch_prefix_new(const struct mch_net *net, int n_images, size_t limit_bytes);
void mch_prefix_free(struct mch_prefix *prefix);

/* Before a pass of q, which was built from quant. */
void mch_prefix_begin(struct mch_prefix *prefix, const struct mch_qnet *q, const struct mch_quant *quant);

/* What a run of images does: the codes of step `from` are taken from from_codes (-1: it begins with the input), those of
 * step `keep` are copied to keep_codes (-1: of none). Codes as the exact engine stores them. */
struct mch_exact_span {
	int from, keep;
	const void *from_codes;
	void *keep_codes;
};

/* Of images first .. first + n - 1; and, when these have run, that their codes are there. By several threads at once, on
 * images of their own. */
struct mch_exact_span mch_prefix_span(const struct mch_prefix *prefix, int first, int n);
void mch_prefix_keep(struct mch_prefix *prefix, int first, int n);

/* Steps of the pass that need not run; what is kept, in bytes. For tests and reports. */
int mch_prefix_n_skipped(const struct mch_prefix *prefix);
size_t mch_prefix_bytes(const struct mch_prefix *prefix);

#endif
