/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Codes kept between passes; see prefix.h. */
#include "net/prefix.h"

#include <stdlib.h>
#include <string.h>

#include "fast/codes.h"
#include "net/exact_plan.h"

enum { KEPT_MAX = 32 };

struct kept {
	struct mch_quant quant; /* whose formats up to the step these codes have */
	int step;
	size_t image_bytes, bytes;
	uint8_t *codes; /* [n_images][image_bytes]; NULL: the place is free */
	uint8_t *has;   /* [n_images], whether the image's are there */
	long last_use;
};

struct mch_prefix {
	const struct mch_net *net;
	int n_images;
	size_t limit, bytes;
	struct kept kept[KEPT_MAX];
	struct mch_quant last; /* of the pass before */
	bool has_last;
	long n_passes;
	int from, to; /* of this pass: places in kept, or -1 */
};

struct mch_prefix *mch_prefix_new(const struct mch_net *net, int n_images, size_t limit_bytes)
{
	struct mch_prefix *p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->net = net;
	p->n_images = n_images;
	p->limit = limit_bytes;
	p->from = p->to = -1;
	return p;
}

static void drop(struct mch_prefix *p, struct kept *k)
{
	if (!k->codes)
		return;
	p->bytes -= k->bytes;
	mch_quant_free(&k->quant);
	free(k->codes);
	free(k->has);
	*k = (struct kept){0};
}

void mch_prefix_free(struct mch_prefix *p)
{
	if (!p)
		return;
	for (int i = 0; i < KEPT_MAX; i++)
		drop(p, &p->kept[i]);
	if (p->has_last)
		mch_quant_free(&p->last);
	free(p);
}

static bool same_format(struct mch_format a, struct mch_format b)
{
	return a.bits == b.bits && a.frac == b.frac && a.is_signed == b.is_signed && a.number == b.number &&
	       a.exp_bits == b.exp_bits;
}

static bool same_layer(const struct mch_layer_quant *a, const struct mch_layer_quant *b)
{
	return same_format(a->weights, b->weights) && a->n_channels == b->n_channels &&
	       (a->n_channels == 0 || memcmp(a->channel_frac, b->channel_frac, (size_t)a->n_channels) == 0);
}

static bool same_rules(const struct mch_quant *a, const struct mch_quant *b)
{
	return a->round == b->round && a->weight_round == b->weight_round && a->wraps == b->wraps &&
	       a->seed == b->seed;
}

/* Everything that a step's codes depend on, beside what goes into it and the network. */
static bool same_step(const struct mch_step *step, const struct mch_quant *a, const struct mch_quant *b)
{
	bool is_same = same_layer(&a->layer[step->layer_index], &b->layer[step->layer_index]) &&
		       same_format(a->edge[step->out], b->edge[step->out]);
	for (int i = 0; i < step->layer->n_out; i++) /* in front of a ReLU that is fused in */
		is_same = is_same && same_format(a->edge[step->layer->out[i]], b->edge[step->layer->out[i]]);
	for (int i = 0; i < step->n_in; i++)
		is_same = is_same && same_format(a->edge[step->ins[i]], b->edge[step->ins[i]]);
	return is_same;
}

/* Steps of q, from the first on, that mean the same under a and b. */
static int count_same(const struct mch_qnet *q, const struct mch_quant *a, const struct mch_quant *b)
{
	int n = 0;
	if (!same_rules(a, b) || !same_format(a->edge[q->input], b->edge[q->input]))
		return 0;
	while (n < q->n_steps && same_step(&q->steps[n], a, b))
		n++;
	return n;
}

static int writer_of(const struct mch_qnet *q, int edge)
{
	for (int i = 0; i < q->n_steps; i++)
		if (q->steps[i].out == edge)
			return i;
	return -1;
}

/* Only what step i writes is read behind it, but for constants, which are always there; and the fast engine stores it
 * as one edge: a pool or a concatenation behind a convolution may become part of it. */
static bool is_cut(const struct mch_qnet *q, int i)
{
	const struct mch_step *step = &q->steps[i];
	if (step->form == MCH_FORM_CONSTANT || step->out == q->output)
		return false;
	for (int j = i + 1; j < q->n_steps; j++)
		for (int k = 0; k < q->steps[j].n_in; k++) {
			const int writer = writer_of(q, q->steps[j].ins[k]);
			const bool is_constant = writer >= 0 && q->steps[writer].form == MCH_FORM_CONSTANT;
			if (writer < i && !is_constant)
				return false;
			if (writer == i && step->form == MCH_FORM_MAC &&
			    (q->steps[j].form == MCH_FORM_POOL_MAX || q->steps[j].form == MCH_FORM_CONCAT))
				return false;
		}
	return true;
}

/* The last cut in front of step `end` and behind step `begin`, or -1. */
static int last_cut(const struct mch_qnet *q, int begin, int end)
{
	int i = end - 1;
	while (i > begin && !is_cut(q, i))
		i--;
	return i > begin ? i : -1;
}

/* The place kept that leads furthest, or -1. */
static int find_from(struct mch_prefix *p, const struct mch_qnet *q, const struct mch_quant *quant)
{
	int best = -1;
	for (int i = 0; i < KEPT_MAX; i++) {
		const struct kept *k = &p->kept[i];
		if (k->codes && (best < 0 || k->step > p->kept[best].step) &&
		    count_same(q, quant, &k->quant) > k->step)
			best = i;
	}
	return best;
}

/* A free place; with `bytes` more the limit is kept. -1: there is none. */
static int make_place(struct mch_prefix *p, size_t bytes)
{
	for (;;) {
		int oldest = -1, empty = -1;
		for (int i = 0; i < KEPT_MAX; i++) {
			if (!p->kept[i].codes)
				empty = i;
			else if (i != p->from && (oldest < 0 || p->kept[i].last_use < p->kept[oldest].last_use))
				oldest = i;
		}
		if (empty >= 0 && bytes <= p->limit && p->bytes <= p->limit - bytes)
			return empty;
		if (oldest < 0)
			return -1;
		drop(p, &p->kept[oldest]);
	}
}

static int keep_at(struct mch_prefix *p, const struct mch_qnet *q, const struct mch_quant *quant, int step)
{
	const struct mch_step *of = &q->steps[step];
	const size_t image_bytes =
		mch_step_out_elems(q, of) * (size_t)mch_codes_of(of->out_format).bytes;
	const size_t bytes = image_bytes * (size_t)p->n_images;
	const int place = bytes > p->limit ? -1 : make_place(p, bytes);
	if (place < 0)
		return -1;
	struct kept *k = &p->kept[place];
	*k = (struct kept){.step = step, .image_bytes = image_bytes, .bytes = bytes, .last_use = p->n_passes};
	k->codes = malloc(bytes + 1);
	k->has = calloc((size_t)p->n_images + 1, 1);
	if (!k->codes || !k->has || mch_quant_copy(&k->quant, quant, NULL) != 0) {
		free(k->codes);
		free(k->has);
		*k = (struct kept){0};
		return -1;
	}
	p->bytes += bytes;
	return place;
}

void mch_prefix_begin(struct mch_prefix *p, const struct mch_qnet *q, const struct mch_quant *quant)
{
	p->from = p->to = -1;
	p->n_passes++;
	/* What overflows on the way counts in every pass. */
	if (mch_qnet_n_narrow(q) > 0)
		return;
	p->from = find_from(p, q, quant);
	if (p->from >= 0)
		p->kept[p->from].last_use = p->n_passes;
	if (p->has_last) {
		const int cut = last_cut(q, p->from >= 0 ? p->kept[p->from].step : -1, count_same(q, quant, &p->last));
		p->to = cut >= 0 ? keep_at(p, q, quant, cut) : -1;
		mch_quant_free(&p->last);
	}
	p->has_last = mch_quant_copy(&p->last, quant, NULL) == 0;
	if (p->to < 0)
		p->to = p->from; /* images that an earlier pass did not come to */
}

static bool has_all(const struct kept *k, int first, int n)
{
	return memchr(k->has + first, 0, (size_t)n) == NULL;
}

struct mch_exact_span mch_prefix_span(const struct mch_prefix *p, int first, int n)
{
	struct mch_exact_span span = {.from = -1, .keep = -1};
	const struct kept *from = p->from >= 0 ? &p->kept[p->from] : NULL, *to = p->to >= 0 ? &p->kept[p->to] : NULL;
	if (from && has_all(from, first, n)) {
		span.from = from->step;
		span.from_codes = from->codes + (size_t)first * from->image_bytes;
	}
	if (to && !has_all(to, first, n)) {
		span.keep = to->step;
		span.keep_codes = to->codes + (size_t)first * to->image_bytes;
	}
	return span;
}

void mch_prefix_keep(struct mch_prefix *p, int first, int n)
{
	if (p->to >= 0)
		memset(p->kept[p->to].has + first, 1, (size_t)n);
}

int mch_prefix_n_skipped(const struct mch_prefix *p)
{
	return p->from >= 0 ? p->kept[p->from].step + 1 : 0;
}

size_t mch_prefix_bytes(const struct mch_prefix *p)
{
	return p->bytes;
}
