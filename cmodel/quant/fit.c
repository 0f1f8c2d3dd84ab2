/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Fractions by coordinate descent; see fit.h. */
#include "quant/fit.h"

#include <math.h>
#include <stdlib.h>

#include "net/score.h"

enum { PASSES_MAX = 4 }; /* a second pass moves few, a third hardly any */

struct work {
	struct mch_formats *f;
	const struct mch_widths *widths;
	struct mch_quant *quant;
	struct mch_score_config score;
	float *logits;
	double best; /* dB */
	int *by;     /* [n_edges + n_layers]: how far a fraction was moved */
};

/* A fraction that can be moved: of a group of tensors, then of a layer's weights. */
static bool is_knob(const struct work *w, int knob)
{
	const struct mch_net *net = w->f->net;
	if (knob >= net->n_edges)
		return mch_formats_part(&net->layers[knob - net->n_edges]) >= 0;
	return w->f->group[knob] == knob && w->quant->edge[knob].bits > 0;
}

static bool move(struct work *w, int knob, int by)
{
	const int n_edges = w->f->net->n_edges, layer = knob - n_edges;
	const bool can = layer < 0 ? mch_formats_move_group(w->f, knob, w->widths->edge[knob], by)
				   : mch_formats_move_weights(w->f, layer, w->widths->weights[layer], by);
	w->by[knob] += can ? by : 0;
	return can;
}

static int measure(struct work *w, double *db, struct mch_err *err)
{
	struct mch_difference d;
	struct mch_qnet q;
	if (mch_formats_apply(w->f, w->widths, w->quant, err) != 0 || mch_qnet_build(&q, w->f->net, w->quant, err) != 0)
		return -1;
	const int status = mch_score_compare_logits(&(struct mch_model){.net = w->f->net, .q = &q}, w->logits, &w->score,
						    &d, err);
	mch_qnet_free(&q);
	*db = d.sqnr_db;
	return status;
}

/* One bit, which stays where it helps. 1 when it does, 0, or -1 with err. */
static int try_move(struct work *w, int knob, int by, struct mch_err *err)
{
	double db;
	if (!move(w, knob, by))
		return 0;
	if (measure(w, &db, err) != 0)
		return -1;
	if (db > w->best) {
		w->best = db;
		return 1;
	}
	move(w, knob, -by);
	return 0;
}

/* As far as it helps, one way and, when that does not, the other. 1 when it was moved, 0, or -1 with err. */
static int fit_one(struct work *w, int knob, struct mch_err *err)
{
	const int before = w->by[knob];
	int status = 1;
	for (int by = 1; by >= -1 && w->by[knob] == before; by -= 2)
		do
			status = try_move(w, knob, by, err);
		while (status > 0);
	return status < 0 ? -1 : w->by[knob] != before;
}

static int run(struct work *w, const struct mch_fit_config *config, struct mch_err *err)
{
	const int n_knobs = w->f->net->n_edges + w->f->net->n_layers;
	int n_moved = 1;
	for (int pass = 0; pass < PASSES_MAX && n_moved > 0; pass++) {
		n_moved = 0;
		for (int i = 0; i < n_knobs; i++) {
			const int status = is_knob(w, i) ? fit_one(w, i, err) : 0;
			if (status < 0)
				return -1;
			n_moved += status;
			if (config->progress)
				config->progress(config->ctx, pass * n_knobs + i + 1, PASSES_MAX * n_knobs);
		}
	}
	return 0;
}

int mch_fit_fractions(struct mch_formats *f, const struct mch_widths *widths, struct mch_quant *quant,
		      const struct mch_fit_config *config, struct mch_fit *fit, struct mch_err *err)
{
	const int n_knobs = f->net->n_edges + f->net->n_layers;
	struct work w = {.f = f, .widths = widths, .quant = quant,
			 .score = {.data = config->data, .n = config->n_images}};
	*fit = (struct mch_fit){0};
	w.by = calloc((size_t)n_knobs, sizeof(*w.by));
	if (!w.by)
		return mch_err_set(err, f->net->name ? f->net->name : "network", "out of memory; use a machine with more");
	w.logits = mch_score_logits(f->net, &w.score, err);
	int status = w.logits ? measure(&w, &w.best, err) : -1;
	fit->before_db = w.best;
	if (status == 0)
		status = run(&w, config, err);
	fit->after_db = w.best;
	for (int i = 0; i < n_knobs; i++)
		fit->n_moved += w.by[i] != 0;
	if (status == 0)
		status = mch_formats_apply(f, widths, quant, err);
	free(w.logits);
	free(w.by);
	return status;
}
