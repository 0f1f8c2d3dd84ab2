/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Layers behind which hardware rounds; see rounding.h. */
#include "train/rounding.h"

#include <math.h>
#include <string.h>

#include "base/require.h"
#include "fast/snap.h"
#include "fxp/lfsr.h"

static size_t out_elems(const struct mch_site *t)
{
	return (size_t)t->run.n * mch_shape_elems(t->run.out);
}

/* The layer here is an activation: fused into the step before it, or a step of its own. */
static bool is_activation(const struct mch_site *t)
{
	return t->run.layer->kind == MCH_RELU || t->run.layer->kind == MCH_CLIP;
}

/* A mean is a product with a reciprocal of 2^-16: no float has it. */
static bool is_on_codes(const struct mch_site *t)
{
	return t->step->form == MCH_FORM_POOL_AVG;
}

size_t mch_rounding_codes(const struct mch_site *t)
{
	return is_on_codes(t) ? mch_shape_elems(t->run.in[0]) + mch_shape_elems(t->run.out) : 0;
}

static enum mch_round round_of(const struct mch_step *step)
{
	switch (step->form) {
	case MCH_FORM_POOL_AVG:
		return step->avg.round;
	case MCH_FORM_HOST:
	case MCH_FORM_GATHER: /* the fill */
	case MCH_FORM_CONSTANT:
		return MCH_ROUND_HALF_EVEN;
	default:
		return step->requant.round;
	}
}

/* Each channel of each image has the noise of the requantizer, from its start. */
static void snap_noisy(const struct mch_site *t, float *y)
{
	enum { PART = 1024 };
	const size_t pixels = (size_t)t->run.out.h * (size_t)t->run.out.w;
	uint8_t *place = t->place;
	uint16_t noise[PART];
	for (int i = 0; i < t->run.n * t->run.out.c; i++) {
		uint16_t state = mch_lfsr_seed(t->step->requant.seed, i % t->run.out.c);
		for (size_t at = 0; at < pixels; at += PART) {
			const size_t n = pixels - at < PART ? pixels - at : PART;
			for (size_t j = 0; j < n; j++) {
				noise[j] = state;
				state = mch_lfsr_next(state);
			}
			mch_snap_noisy(t->step->out_format, noise, n, y, y, place);
			y += n, place += n;
		}
	}
}

static void snap(const struct mch_site *t)
{
	const enum mch_round round = round_of(t->step);
	if (round == MCH_ROUND_STOCHASTIC)
		snap_noisy(t, t->run.y);
	else
		mch_snap(t->step->out_format, round, out_elems(t), t->run.y, t->run.y, t->place);
}

/* ReLU before rounding, a clip's codes behind it. A fused one sees the sum: its slope is that of the real
 * function. One of its own sees codes, and what code 0 stands for lies on both sides of 0. */
static void activation_forward(const struct mch_site *t)
{
	const struct mch_step *step = t->step;
	const struct mch_layer *layer = t->run.layer;
	const bool is_fused = step->layer != layer, is_relu = layer->kind == MCH_RELU;
	const float low = is_relu ? 0 : layer->clip.low, high = is_relu ? INFINITY : layer->clip.high;
	const size_t n = out_elems(t);
	const float *x = t->run.x[0];
	float *y = t->run.y;
	for (size_t i = 0; i < n; i++) {
		const bool passes = is_fused ? x[i] > low && x[i] < high : x[i] >= low && x[i] <= high;
		t->place[i] = passes ? MCH_SNAP_INSIDE : MCH_SNAP_HELD;
		y[i] = is_relu && x[i] < 0 ? 0 : x[i];
	}
	snap(t);
	if (is_relu)
		return;
	const float least = (float)mch_format_real(step->out_format, step->requant.clip_low);
	const float most = (float)mch_format_real(step->out_format, step->requant.clip_high);
	for (size_t i = 0; i < n; i++)
		y[i] = y[i] < least ? least : y[i] > most ? most : y[i];
}

static int32_t code_of(struct mch_format format, float value)
{
	return (int32_t)mch_format_raw(format, (double)value, MCH_ROUND_HALF_EVEN, NULL); /* it is one already */
}

static void compute_codes(const struct mch_site *t)
{
	const size_t n_in = mch_shape_elems(t->run.in[0]), n_out = mch_shape_elems(t->run.out);
	int32_t *x = t->codes, *y = x + n_in;
	const struct mch_step_data data = {.n = 1, .x = &(const int32_t *){x}, .y = y};
	for (int image = 0; image < t->run.n; image++) {
		for (size_t i = 0; i < n_in; i++)
			x[i] = code_of(t->step->in_format, t->run.x[0][(size_t)image * n_in + i]);
		const int status = mch_step_compute(t->step, &data, NULL, NULL);
		MCH_REQUIRE(status == 0, "a mean takes no memory");
		for (size_t i = 0; i < n_out; i++)
			t->run.y[(size_t)image * n_out + i] = (float)mch_format_real(t->step->out_format, y[i]);
	}
}

void mch_rounding_forward(const struct mch_site *t)
{
	if (is_activation(t)) {
		activation_forward(t);
		return;
	}
	/* Host steps are defined by the plain form. */
	if (t->step->form == MCH_FORM_HOST)
		mch_layer_table[t->run.layer->kind].run_f32(&t->run);
	else
		mch_rows[t->run.layer->kind].forward(t);
	memset(t->place, MCH_SNAP_INSIDE, out_elems(t));
	snap(t);
	if (is_on_codes(t))
		compute_codes(t);
}

void mch_rounding_hold(const struct mch_site *t, float *dy)
{
	mch_snap_backward(out_elems(t), t->place, dy);
}

void mch_rounding_backward(const struct mch_site *t)
{
	if (!is_activation(t))
		mch_rows[t->run.layer->kind].backward(t);
	else if (t->dx)
		memcpy(t->dx, t->dy, out_elems(t) * sizeof(float));
}
