/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Whole steps on minifloats and powers of two against the oracle, on random networks, in all roundings. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "net/qnet.h"
#include "oracle/slow_concat.h"
#include "oracle/slow_wide.h"
#include "random_graph.h"

static struct slow_format *slow_of(struct mch_format f)
{
	struct slow_format *slow = malloc(sizeof(*slow));
	ck_assert_ptr_nonnull(slow);
	*slow = slow_format_make((int)f.number, f.bits, f.exp_bits, f.frac, f.is_signed);
	return slow;
}

/* A step that is compared. */
struct compared {
	const struct mch_qnet *q;
	const struct mch_quant *quant;
	const struct mch_step *step;
	int32_t *const *value;           /* [n_edges] codes of one image */
	struct slow_format *x[64], *y;
	struct slow_out out;
	int32_t *want;
};

static void want_mac(const struct compared *c)
{
	const struct mch_step *step = c->step;
	const struct mch_layer_quant *lq = &c->quant->layer[step->layer_index];
	struct slow_format *w = slow_of(lq->weights);
	int *frac = malloc((size_t)step->conv.k * sizeof(*frac));
	ck_assert_ptr_nonnull(frac);
	for (int k = 0; k < step->conv.k; k++)
		frac[k] = mch_layer_quant_frac(lq, k);
	const struct slow_mac mac = {c->x[0], w, step->layer->weights, step->layer->bias, frac, (int)c->quant->weight_round,
				     lq->acc.bits, lq->acc.overflow == MCH_SATURATE, c->out};
	slow_wide_conv(&step->conv, &mac, c->value[step->in], c->want);
	free(frac);
	free(w);
}

static void want_eltwise(const struct compared *c)
{
	const struct mch_step *step = c->step;
	struct slow_eltwise_in in[64];
	for (int i = 0; i < step->n_in; i++) {
		const bool has_weights = step->layer->kind == MCH_SUM && step->layer->weights;
		const float coefficient = has_weights ? step->layer->weights[i] : 1;
		int exponent;
		frexpf(coefficient, &exponent);
		in[i] = (struct slow_eltwise_in){step->in_shapes[i], step->in_formats[i].frac, exponent - 1,
						 coefficient < 0 ? -1 : 1, c->value[step->ins[i]]};
	}
	slow_wide_eltwise(step->layer->kind == MCH_SUM ? 0 : step->layer->kind == MCH_PROD ? 1 : 2, step->n_in, in,
			  (const struct slow_format *const *)c->x, step->out_shape, &c->out, 0, c->want);
}

static void want_concat(const struct compared *c)
{
	const struct mch_step *step = c->step;
	const size_t n = mch_shape_elems(step->out_shape);
	int32_t *moved = calloc(n, sizeof(*moved));
	int *which = calloc(n, sizeof(*which)), offset = 0;
	ck_assert(moved && which);
	for (int i = 0; i < step->n_in; i++) {
		const struct mch_shape s = step->in_shapes[i];
		slow_concat(s, step->out_shape, step->layer->axis - 1, offset, i, c->value[step->ins[i]], moved, which);
		offset += step->layer->axis == 1 ? s.c : step->layer->axis == 2 ? s.h : s.w;
	}
	slow_wide_concat((const struct slow_format *const *)c->x, &c->out, step->out_shape, moved, which, c->want);
	free(moved);
	free(which);
}

/* False for steps that compute nothing. */
static bool fill_want(const struct compared *c)
{
	const struct mch_step *step = c->step;
	const struct mch_shape s = step->out_shape;
	switch (step->form) {
	case MCH_FORM_MAC:
		want_mac(c);
		return true;
	case MCH_FORM_ELTWISE:
		want_eltwise(c);
		return true;
	case MCH_FORM_CONCAT:
		want_concat(c);
		return true;
	case MCH_FORM_POOL_AVG:
		slow_wide_pool_avg(&step->pool, c->x[0], &c->out, c->value[step->in], c->want);
		return true;
	case MCH_FORM_REQUANT:
		slow_wide_requant(c->x[0], &c->out, 1, s.c, s.h * s.w, c->value[step->in], c->want);
		return true;
	default:
		return false;
	}
}

/* A clip layer is its own step, or fused into the one before it: the one that writes the step's output. */
static void find_clip(struct compared *c)
{
	const struct mch_layer *last = &c->q->net->layers[c->q->net->edges[c->step->out].producer];
	c->out.is_clipped = last->kind == MCH_CLIP;
	if (c->out.is_clipped)
		c->out.low = last->clip.low, c->out.high = last->clip.high;
}

/* Values compared. */
static size_t compare_step(struct compared *c, uint64_t seed)
{
	const struct mch_step *step = c->step;
	const size_t n = mch_shape_elems(step->out_shape);
	const int32_t *got = c->value[step->out];
	size_t n_compared = 0;
	ck_assert_int_le(step->n_in, 64);
	for (int i = 0; i < step->n_in; i++)
		c->x[i] = slow_of(step->in_formats[i]);
	c->y = slow_of(step->out_format);
	c->out = (struct slow_out){.y = c->y, .relu = step->requant.relu, .mode = (int)c->quant->round, .seed = c->quant->seed};
	find_clip(c);
	c->want = calloc(n, sizeof(*c->want));
	ck_assert_ptr_nonnull(c->want);
	if (fill_want(c)) {
		char x[24], y[24];
		for (size_t i = 0; i < n; i++)
			ck_assert_msg(c->want[i] == got[i], "seed %llu, %s (%s to %s, rounding %d), value %zu: want %d, got %d",
				      (unsigned long long)seed, step->layer->name, mch_format_text(step->in_format, x),
				      mch_format_text(step->out_format, y), (int)c->quant->round, i, c->want[i], got[i]);
		n_compared = n;
	}
	for (int i = 0; i < step->n_in; i++)
		free(c->x[i]);
	free(c->y);
	free(c->want);
	return n_compared;
}

/* Every edge of one random image, by the plain operators. */
static int32_t **run(struct mch_rng *rng, const struct mch_qnet *q)
{
	struct mch_err err = {""};
	int32_t **value = calloc((size_t)q->net->n_edges, sizeof(*value));
	ck_assert_ptr_nonnull(value);
	for (int e = 0; e < q->net->n_edges; e++) {
		value[e] = calloc(mch_shape_elems(q->net->edges[e].shape), sizeof(**value));
		ck_assert_ptr_nonnull(value[e]);
	}
	const size_t n = mch_shape_elems(q->net->edges[q->input].shape);
	int32_t *image = malloc(n * sizeof(*image)), *output = malloc(mch_shape_elems(q->net->edges[q->output].shape) * sizeof(*output));
	ck_assert(image && output);
	for (size_t i = 0; i < n; i++)
		image[i] = random_code(rng, q->input_format);
	memcpy(value[q->input], image, n * sizeof(*image));
	ck_assert_msg(mch_qnet_run(q, 1, image, output, value, NULL, &err) == 0, "%s", err.text);
	free(image);
	free(output);
	return value;
}

START_TEST(steps_are_those_of_the_oracle)
{
	const struct random_format numbers = {.n_narrow_percent = 20, .in_bits_max = 9, .weight_bits_max = 9, .has_numbers = true};
	size_t n_values = 0, n_wide = 0, n_beyond_48 = 0;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		struct mch_quant quant;
		struct mch_qnet q;
		struct mch_err err = {""};
		random_graph(&rng, &net);
		random_graph_quant(&rng, &numbers, &net, &quant);
		quant.weight_round = (enum mch_round)mch_rng_below(&rng, MCH_N_ROUNDS);
		ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "seed %llu: %s", (unsigned long long)seed, err.text);
		int32_t **value = run(&rng, &q);
		for (int i = 0; i < q.n_steps; i++) {
			struct compared c = {.q = &q, .quant = &quant, .step = &q.steps[i], .value = value};
			n_values += compare_step(&c, seed);
			n_wide += q.steps[i].is_wide;
			n_beyond_48 += q.steps[i].acc.bits > MCH_ACC_BITS_MAX;
		}
		for (int e = 0; e < net.n_edges; e++)
			free(value[e]);
		free(value);
		mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
	ck_assert_uint_gt(n_values, 20000);
	ck_assert_uint_gt(n_wide, 200);
	ck_assert_uint_gt(n_beyond_48, 10);
}
END_TEST

static Suite *number_steps_suite(void)
{
	const TTest *const tests[] = {steps_are_those_of_the_oracle};
	return CHECK_SUITE("number_steps", tests);
}

int main(void)
{
	return check_main(number_steps_suite);
}
