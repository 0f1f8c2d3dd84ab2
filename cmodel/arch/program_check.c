/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the accelerator does not have; see program_build.h. */
#include "arch/program_build.h"

#include "net/layer.h"

/* Smallest two's complement width of low..high. */
static int width_of(int64_t low, int64_t high)
{
	int bits = 2;
	while (bits < 63 && (low < -(INT64_C(1) << (bits - 1)) || high >= INT64_C(1) << (bits - 1)))
		bits++;
	return bits;
}

static int wider(int a, int b)
{
	return a > b ? a : b;
}

static int weight_bits(const struct mch_step *step)
{
	int64_t low = 0, high = 0;
	if (step->form == MCH_FORM_MAC)
		for (size_t i = 0; i < step->layer->n_weights; i++) {
			low = step->weights[i] < low ? step->weights[i] : low;
			high = step->weights[i] > high ? step->weights[i] : high;
		}
	else
		high = 1;
	for (int i = 0; step->form == MCH_FORM_ELTWISE && i < step->n_in; i++) {
		const int64_t w = mch_eltwise_term(&step->eltwise_in[i], 1);
		low = w < low ? w : low;
		high = w > high ? w : high;
	}
	return width_of(low, high);
}

/* Every weight has a code. */
static bool weights_fit(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	const size_t n = step->form == MCH_FORM_MAC ? step->layer->n_weights : (size_t)step->n_in;
	bool fit = true;
	for (size_t i = 0; fit && i < n; i++) {
		int32_t code;
		const int64_t w = step->form == MCH_FORM_MAC       ? step->weights[i]
				  : step->form == MCH_FORM_ELTWISE ? mch_eltwise_term(&step->eltwise_in[i], 1)
								   : 1;
		fit = mch_accel_weight_code(cfg, w, &code);
	}
	return fit;
}

/* Of sums and biases. */
static int acc_bits(const struct mch_step *step)
{
	int64_t low = mch_format_min(step->in_format), high = mch_format_max(step->in_format);
	int bits = 2;
	if (step->form == MCH_FORM_MAC) {
		bits = mch_step_certificate(step).bits;
		for (int k = 0; k < step->conv.k; k++)
			bits = wider(bits, width_of(step->bias[k], step->bias[k]));
		return bits;
	}
	if (step->form == MCH_FORM_ELTWISE)
		mch_eltwise_range(&step->eltwise, step->in_formats, &low, &high);
	if (step->form ==
	    MCH_FORM_POOL_AVG) { /* the mean's product: sum * recip, recip * count <= 2^16 + count / 2 */
		const int64_t most = (INT64_C(1) << 16) + step->pool.r * step->pool.s / 2 + 1;
		low *= most, high *= most;
	}
	for (int i = 0; step->form == MCH_FORM_CONCAT && i < step->n_in; i++)
		bits =
		    wider(bits, width_of(mch_format_min(step->in_formats[i]), mch_format_max(step->in_formats[i])));
	return wider(bits, width_of(low, high));
}

static bool is_form(const struct mch_step *step)
{
	switch (step->form) {
	case MCH_FORM_MAC:
	case MCH_FORM_POOL_MAX:
	case MCH_FORM_POOL_AVG:
	case MCH_FORM_REQUANT:
		return true;
	case MCH_FORM_ELTWISE:
		return step->eltwise.kind == MCH_ELTWISE_SUM;
	case MCH_FORM_CONCAT:
		return step->concat.axis == 1;
	default:
		return false;
	}
}

static bool same_map(struct mch_shape a, struct mch_shape b)
{
	return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* Inputs as they lie in memory: a reader that sees other rows and channels moves codes. */
static const char *shape_reason(const struct mch_qnet *q, const struct mch_step *step)
{
	if (!same_map(step->out_shape, q->net->edges[step->out].shape))
		return "reshaped output";
	for (int i = 0; i < step->n_in; i++) {
		if (step->layer->kind != MCH_DENSE &&
		    !same_map(step->in_shapes[i], q->net->edges[step->ins[i]].shape))
			return "reshaped input";
		if (step->form == MCH_FORM_ELTWISE && !same_map(step->in_shapes[i], step->out_shape))
			return "repeats a side";
	}
	return step->form == MCH_FORM_ELTWISE && step->n_in > 2 ? "more than two inputs" : NULL;
}

static bool clip_is_none(const struct mch_requant *r)
{
	const int64_t top = (INT64_C(1) << (r->out_bits - r->out_signed)) - 1, bottom = r->out_signed ? -top - 1 : 0;
	return !r->is_clipped || (r->clip_high >= top && (r->clip_low <= bottom || r->clip_low == 0));
}

bool mch_program_relu(const struct mch_step *step)
{
	const struct mch_requant *r = &step->requant;
	return r->relu || (r->is_clipped && r->clip_low == 0 && r->out_signed);
}

static const char *width_reason(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	for (int i = 0; i < step->n_in; i++)
		if (step->in_formats[i].bits > cfg->x_bits)
			return "input wider than X_BITS";
	if (step->out_format.bits > cfg->out_bits)
		return "output wider than OUT_BITS";
	if (step->form == MCH_FORM_POOL_MAX)
		return NULL;
	if (step->form != MCH_FORM_POOL_AVG && !weights_fit(cfg, step))
		return step->form == MCH_FORM_ELTWISE  ? "fractions too far apart for W_BITS"
		       : cfg->mult == MCH_MULT_INTEGER ? "weights wider than W_BITS"
						       : "weights that are no powers of two of W_BITS";
	if (step->form == MCH_FORM_MAC && step->acc.bits < mch_step_certificate(step).bits)
		return step->acc.overflow == MCH_WRAP && step->acc.bits == cfg->acc_bits
			   ? NULL
			   : "accumulator that overflows";
	return acc_bits(step) > cfg->acc_bits ? "sums wider than ACC_BITS" : NULL;
}

static const char *number_reason(const struct mch_step *step)
{
	if (step->is_wide || step->out_format.number != MCH_FIXED)
		return "no fixed point";
	for (int i = 0; i < step->n_in; i++)
		if (step->in_formats[i].number != MCH_FIXED)
			return "no fixed point";
	return NULL;
}

static bool rounds(const struct mch_step *step)
{
	const int n = step->form == MCH_FORM_MAC ? step->conv.k : step->form == MCH_FORM_CONCAT ? step->n_in : 1;
	for (int i = 0; i < n; i++)
		if (step->shift[i] > 0)
			return true;
	return false;
}

/* Sides that the fields of a descriptor hold. */
static bool has_fields(const struct mch_qnet *q, const struct mch_step *step)
{
	const struct mch_shape in = q->net->edges[step->in].shape;
	int side[] = {1, 1, 1, 1, 0};
	if (step->form == MCH_FORM_MAC) {
		const struct mch_conv g = mch_program_conv(q, step);
		const int of[] = {g.r, g.s, g.stride_w, g.dilation_w, g.pad_left};
		for (int i = 0; i < 5; i++)
			side[i] = of[i];
	} else if (step->form == MCH_FORM_POOL_MAX || step->form == MCH_FORM_POOL_AVG) {
		const struct mch_pool *g = &step->pool;
		const int of[] = {g->r, g->s, g->stride_w, g->dilation_w, g->pad_left};
		for (int i = 0; i < 5; i++)
			side[i] = of[i];
	}
	for (int i = 0; i < 5; i++)
		if (side[i] > 255)
			return false;
	return in.w <= 65535 && step->out_shape.w <= 65535;
}

const char *mch_program_reason(const struct mch_accel_config *cfg, const struct mch_qnet *q,
			       const struct mch_step *step)
{
	if (!is_form(step))
		return mch_layer_table[step->layer->kind].name;
	const bool is_pool = step->form == MCH_FORM_POOL_AVG || step->form == MCH_FORM_POOL_MAX;
	const char *reason = number_reason(step);
	if (!reason)
		reason = shape_reason(q, step);
	if (!reason && !is_pool && !clip_is_none(&step->requant))
		reason = "clip";
	if (!reason && !is_pool && step->requant.wraps)
		reason = "outputs that wrap";
	if (!reason && step->form == MCH_FORM_POOL_AVG && step->avg.round != cfg->round)
		reason = "mean rounded otherwise than ROUND";
	if (!reason && !is_pool && step->requant.round != cfg->round && rounds(step))
		reason = "rounded otherwise than ROUND";
	if (!reason && !has_fields(q, step))
		reason = "sides beyond the descriptor's fields";
	return reason ? reason : width_reason(cfg, step);
}

void mch_program_widths(const struct mch_qnet *q, struct mch_accel_config *cfg)
{
	cfg->x_bits = cfg->out_bits = q->input_format.bits;
	cfg->w_bits = cfg->acc_bits = 2;
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		if (!is_form(step) || number_reason(step))
			continue;
		for (int j = 0; j < step->n_in; j++)
			cfg->x_bits = wider(cfg->x_bits, step->in_formats[j].bits);
		cfg->out_bits = wider(cfg->out_bits, step->out_format.bits);
		if (step->form == MCH_FORM_POOL_MAX)
			continue;
		cfg->acc_bits = wider(cfg->acc_bits, acc_bits(step));
		if (step->form != MCH_FORM_POOL_AVG) {
			const int bits = weight_bits(step);
			cfg->w_bits = bits <= 16 ? wider(cfg->w_bits, bits) : cfg->w_bits;
			cfg->round = step->requant.round;
		}
	}
	cfg->acc_bits = cfg->acc_bits > 48 ? 48 : cfg->acc_bits;
	cfg->w_bits = cfg->mult == MCH_MULT_SHIFT ? 5 : cfg->w_bits;
}
