/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Operators on one number; see gen.h. */
#include "cli/gen.h"

#include "cli/cmd.h"
#include "fxp/encode.h"
#include "fxp/lfsr.h"

static const struct mch_format flag = {1, 0, false, MCH_FIXED, 0};
static const struct mch_format state = {16, 0, false, MCH_FIXED, 0};
static const struct mch_format shift_format = {7, 0, true, MCH_FIXED, 0};

/* A sum may be wider than an operand. */
static void need_sum(const struct mch_gen_params *p)
{
	if (p->in[0].number != MCH_FIXED)
		mch_cmd_fail("--in", "this operator takes an exact sum; give fixed point, as s24.11");
}

void mch_gen_round_shift_setup(struct mch_gen *g)
{
	struct mch_gen_params *p = &g->p;
	if (!(p->given & MCH_GEN_IN))
		p->in[0] = (struct mch_format){24, 0, true, MCH_FIXED, 0};
	if (!(p->given & MCH_GEN_SHIFT))
		p->shift_low = 0, p->shift_high = p->in[0].bits - 1;
	need_sum(p);
	struct mch_format y = p->in[0];
	y.bits += (p->shift_low < 0 ? -p->shift_low : 0) + !y.is_signed;
	y.is_signed = true;
	y.frac = 0;
	if (y.bits > MCH_ACC_BITS_MAX + 1)
		mch_cmd_fail("--shift", "a result would have %d bits, a column has at most %d; give a narrower --in, or shift "
			     "less to the left", y.bits, MCH_ACC_BITS_MAX + 1);
	g->has_sum = true;
	g->aim = p->in[0];
	mch_gen_in(g, "v", p->in[0], 1);
	g->shift_at = mch_gen_in(g, "shift", shift_format, 1);
	if (p->round == MCH_ROUND_STOCHASTIC)
		g->noise_at = mch_gen_in(g, "noise", state, 1);
	mch_gen_out(g, "y", y, 1);
}

void mch_gen_round_shift(struct mch_gen *g)
{
	const uint32_t noise = g->noise_at < 0 ? 0 : (uint32_t)g->values[g->noise_at][0];
	g->values[g->header.n_in][0] =
		mch_round_shift(g->values[0][0], (int)g->values[g->shift_at][0], g->p.round, noise);
}

void mch_gen_sat_setup(struct mch_gen *g)
{
	struct mch_gen_params *p = &g->p;
	if (!(p->given & MCH_GEN_IN))
		p->in[0] = (struct mch_format){24, 4, true, MCH_FIXED, 0};
	if (!(p->given & MCH_GEN_OUT))
		p->out = (struct mch_format){8, p->in[0].frac, true, MCH_FIXED, 0};
	need_sum(p);
	if (p->out.number != MCH_FIXED || p->out.frac != p->in[0].frac)
		mch_cmd_fail("--out", "sat moves no point and makes no minifloat; give fixed point with the fraction of --in");
	g->has_sum = true;
	g->aim = p->out;
	mch_gen_in(g, "v", p->in[0], 1);
	mch_gen_out(g, "y", p->out, 1);
	if (!(p->given & MCH_GEN_NO_FLAGS))
		mch_gen_out(g, "sat", flag, 1);
}

void mch_gen_sat(struct mch_gen *g)
{
	bool saturated;
	const struct mch_format y = g->p.out;
	const int64_t v = g->values[0][0], kept = mch_sat(v, y.bits, y.is_signed, &saturated);
	g->values[1][0] = g->p.given & MCH_GEN_WRAP ? mch_wrap_code(v, y.bits, y.is_signed) : kept;
	if (g->header.n_fields > 2)
		g->values[2][0] = saturated;
}

/* A sum that comes with each case: of --acc-bits, at the fraction of the products. */
static void sum_setup(struct mch_gen *g, const char *name, bool has_bias)
{
	struct mch_gen_params *p = &g->p;
	if (!p->acc.bits)
		p->acc = (struct mch_acc){24, MCH_WRAP};
	const struct mch_format sum = {p->acc.bits, p->in[0].frac + p->weights.frac, true, MCH_FIXED, 0};
	if (p->acc.overflow == MCH_SATURATE)
		mch_cmd_fail("--acc-bits", "here the accumulator is given; give its bits alone");
	g->has_sum = true;
	mch_gen_in(g, name, sum, 1);
	mch_gen_tail(g, &(struct mch_gen_tail){
				.frac = sum.frac, .n_elements = 1, .n_channels = 1, .has_bias = has_bias});
}

void mch_gen_requant_setup(struct mch_gen *g)
{
	if (!(g->p.given & MCH_GEN_OUT))
		g->p.out = (struct mch_format){8, 4, true, MCH_FIXED, 0};
	sum_setup(g, "acc", true);
}

void mch_gen_encode_setup(struct mch_gen *g)
{
	if (!(g->p.given & MCH_GEN_OUT))
		mch_format_parse("e4m3fn.9", &g->p.out);
	if (!mch_number_is_minifloat(g->p.out.number))
		mch_cmd_fail("--out", "encode makes minifloats; give one, as e4m3fn.9");
	sum_setup(g, "v", false);
}

void mch_gen_sum_given(struct mch_gen *g)
{
	g->element[0].acc = g->values[0][0];
}

void mch_gen_lfsr_setup(struct mch_gen *g)
{
	mch_gen_in(g, "state", state, 1);
	mch_gen_out(g, "next", state, 1);
}

void mch_gen_lfsr(struct mch_gen *g)
{
	g->values[1][0] = mch_lfsr_next((uint16_t)g->values[0][0]);
}

void mch_gen_lfsr_seed_setup(struct mch_gen *g)
{
	mch_gen_in(g, "seed", (struct mch_format){32, 0, false, MCH_FIXED, 0}, 1);
	mch_gen_in(g, "channel", state, 1);
	mch_gen_out(g, "state", state, 1);
}

void mch_gen_lfsr_seed(struct mch_gen *g)
{
	g->values[2][0] = mch_lfsr_seed((uint32_t)g->values[0][0], (int)g->values[1][0]);
}
