/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the accelerator does not have; see program_build.h. */
#include "arch/program_build.h"

#include "net/layer.h"

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
	return mch_wide_bits(low, high);
}

int mch_program_unit(const struct mch_accel_config *cfg)
{
	int32_t element;
	int unit = 0;
	while (unit < MCH_OPERAND_BITS_MAX && !mch_accel_weight_code(cfg, INT64_C(1) << unit, &element))
		unit++;
	return unit;
}

int mch_program_mean_log2(const struct mch_pool *pool)
{
	int first = 0, log = 0;
	for (int p = 0; p < mch_pool_p(pool); p++)
		for (int q = 0; q < mch_pool_q(pool); q++) {
			const int count = mch_pool_rows(pool, p).extent * mch_pool_cols(pool, q).extent;
			first = first ? first : count;
			if (count != first)
				return -1;
		}
	while (first >> log > 1)
		log++;
	return first == 1 << log ? log : -1;
}

/* Every weight has a code. */
static bool weights_fit(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	const size_t n = step->form == MCH_FORM_MAC ? step->layer->n_weights : (size_t)step->n_in;
	const int64_t unit = INT64_C(1) << mch_program_unit(cfg);
	bool fit = true;
	for (size_t i = 0; fit && i < n; i++) {
		int32_t element;
		const int64_t w = step->form == MCH_FORM_MAC       ? mch_program_weight(step, i)
				  : step->form == MCH_FORM_ELTWISE ? mch_eltwise_term(&step->eltwise_in[i], unit)
								   : unit;
		fit = mch_accel_weight_code(cfg, w, &element);
	}
	return fit;
}

/* Integers that an input of the format adds, moved left; taken_off: with the other sign. */
static void add_range(struct mch_format f, int left, bool taken_off, mch_int128 *low, mch_int128 *high)
{
	const mch_int128 unit = (mch_int128)1 << left, min = mch_format_integer(f, mch_format_min(f)) * unit;
	const mch_int128 max = mch_format_integer(f, mch_format_max(f)) * unit;
	*low += taken_off ? -max : min;
	*high += taken_off ? -min : max;
}

/* How far the weights of a step that is a diagonal are moved left, so that all have codes. */
static int unit_of(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	return step->form == MCH_FORM_MAC || !mch_accel_is_minifloat(cfg) ? 0 : mch_program_unit(cfg);
}

/* Of sums and biases. */
static int acc_bits(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	const int unit = unit_of(cfg, step);
	mch_int128 low = 0, high = 0;
	int bits = 2;
	if (step->form == MCH_FORM_MAC) {
		bits = mch_step_certificate(step).bits;
		for (int k = 0; k < step->conv.k; k++)
			bits = wider(bits, mch_wide_bits(mch_program_bias(step, k), mch_program_bias(step, k)));
		return bits;
	}
	for (int i = 0; i < step->n_in; i++) { /* one by one, but those of a sum together */
		const bool is_sum = step->form == MCH_FORM_ELTWISE;
		low = is_sum ? low : 0, high = is_sum ? high : 0;
		add_range(step->in_formats[i], unit + (is_sum ? step->eltwise_in[i].left : 0),
			  is_sum && step->eltwise_in[i].is_taken_off, &low, &high);
		bits = wider(bits, mch_wide_bits(low, high));
	}
	if (step->form != MCH_FORM_POOL_AVG)
		return bits;
	/* The window's sum; else the mean's product: sum * recip, recip * count <= 2^16 + count / 2 */
	const int64_t window = step->pool.r * step->pool.s, mean = (INT64_C(1) << 16) + window / 2 + 1;
	const int64_t most = mch_accel_is_minifloat(cfg) ? window : mean;
	return mch_wide_bits(low * most, high * most);
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
	const struct mch_format y = {r->out_bits, 0, r->out_signed, r->number, r->exp_bits};
	const int64_t top = mch_format_max(y), bottom = mch_format_min(y);
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
		       : cfg->mult == MCH_MULT_SHIFT   ? "weights that are no powers of two of W_BITS"
						       : "weights that are no minifloats of the build";
	if (step->form == MCH_FORM_MAC && step->acc.bits < mch_step_certificate(step).bits)
		return step->acc.overflow == MCH_WRAP && step->acc.bits == cfg->acc_bits
			   ? NULL
			   : "accumulator that overflows";
	return acc_bits(cfg, step) > cfg->acc_bits ? "sums wider than ACC_BITS" : NULL;
}

/* A tensor of the build's: fixed point of any width, or its minifloat. */
static bool is_number(const struct mch_accel_config *cfg, struct mch_format f)
{
	if (!mch_accel_is_minifloat(cfg))
		return f.number == MCH_FIXED;
	return f.number == cfg->x_kind && f.exp_bits == cfg->x_exp && f.bits == cfg->x_bits;
}

static const char *number_reason(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	const bool is_minifloat = mch_accel_is_minifloat(cfg);
	bool fits = is_number(cfg, step->out_format) && (is_minifloat || !step->is_wide);
	for (int i = 0; i < step->n_in; i++)
		fits = fits && is_number(cfg, step->in_formats[i]);
	if (!fits)
		return is_minifloat ? "no minifloat of the build" : "no fixed point";
	if (is_minifloat && step->form == MCH_FORM_POOL_AVG && mch_program_mean_log2(&step->pool) < 0)
		return "mean of minifloats whose counts are not one power of two";
	return NULL;
}

static int n_shifts(const struct mch_step *step)
{
	return step->form == MCH_FORM_MAC ? step->conv.k : step->form == MCH_FORM_CONCAT ? step->n_in : 1;
}

/* Of a wide step there are more than the requantizer takes. */
static bool shifts_fit(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	const bool is_sum = step->form == MCH_FORM_POOL_AVG && mch_accel_is_minifloat(cfg);
	const int more = unit_of(cfg, step) + (is_sum ? mch_program_mean_log2(&step->pool) : 0);
	for (int i = 0; step->form != MCH_FORM_POOL_MAX && i < n_shifts(step); i++)
		if (step->shift[i] + more > MCH_SHIFT_MAX)
			return false;
	return true;
}

/* A minifloat is rounded whatever the shift. */
static bool rounds(const struct mch_accel_config *cfg, const struct mch_step *step)
{
	const int n = n_shifts(step);
	for (int i = 0; i < n; i++)
		if (step->shift[i] > 0)
			return true;
	return mch_accel_is_minifloat(cfg);
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
	const char *reason = number_reason(cfg, step);
	if (!reason)
		reason = shape_reason(q, step);
	if (!reason && !is_pool && !clip_is_none(&step->requant))
		reason = "clip";
	if (!reason && !is_pool && step->requant.wraps)
		reason = "outputs that wrap";
	if (!reason && step->form == MCH_FORM_POOL_AVG && step->avg.round != cfg->round)
		reason = "mean rounded otherwise than ROUND";
	if (!reason && !is_pool && step->requant.round != cfg->round && rounds(cfg, step))
		reason = "rounded otherwise than ROUND";
	if (!reason && !shifts_fit(cfg, step))
		reason = "shift beyond the requantizer's";
	if (!reason && !has_fields(q, step))
		reason = "sides beyond the descriptor's fields";
	return reason ? reason : width_reason(cfg, step);
}

/* Of minifloats: those of the input, and of the first weights that are some. */
static void choose_numbers(const struct mch_qnet *q, struct mch_accel_config *cfg)
{
	cfg->x_kind = q->input_format.number;
	cfg->x_exp = q->input_format.exp_bits;
	for (int i = 0; i < q->n_steps && !mch_number_is_minifloat(cfg->w_kind); i++)
		if (q->steps[i].form == MCH_FORM_MAC) {
			cfg->w_kind = q->steps[i].weight_format.number;
			cfg->w_exp = q->steps[i].weight_format.exp_bits;
			cfg->w_bits = q->steps[i].weight_format.bits;
		}
}

void mch_program_widths(const struct mch_qnet *q, struct mch_accel_config *cfg)
{
	const bool is_minifloat = mch_accel_is_minifloat(cfg);
	cfg->x_bits = cfg->out_bits = q->input_format.bits;
	cfg->w_bits = cfg->acc_bits = 2;
	if (is_minifloat)
		choose_numbers(q, cfg);
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		if (!is_form(step) || number_reason(cfg, step))
			continue;
		for (int j = 0; j < step->n_in; j++)
			cfg->x_bits = wider(cfg->x_bits, step->in_formats[j].bits);
		cfg->out_bits = wider(cfg->out_bits, step->out_format.bits);
		if (step->form == MCH_FORM_POOL_MAX)
			continue;
		cfg->acc_bits = wider(cfg->acc_bits, acc_bits(cfg, step));
		if (step->form != MCH_FORM_POOL_AVG) {
			const int bits = is_minifloat ? 0 : weight_bits(step);
			cfg->w_bits = bits <= 16 ? wider(cfg->w_bits, bits) : cfg->w_bits;
			cfg->round = step->requant.round;
		}
	}
	cfg->acc_bits = cfg->acc_bits > 48 ? 48 : cfg->acc_bits;
	cfg->w_bits = cfg->mult == MCH_MULT_SHIFT ? 5 : cfg->w_bits;
}
