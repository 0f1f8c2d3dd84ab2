/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Numbers of any kind, plain: the reference. See wide.h. */
#include "op/wide.h"

static struct mch_format out_format(const struct mch_requant *cfg)
{
	return (struct mch_format){cfg->out_bits, 0, cfg->out_signed, cfg->number, cfg->exp_bits};
}

static void count(struct mch_events *events, struct mch_format y, int64_t code, mch_int128 sum, int shift, bool saturated)
{
	const mch_int128 integer = mch_format_integer(y, code), one = 1;
	const bool is_same = shift < 0 ? integer == sum * (one << -shift) : integer * (one << shift) == sum;
	events->n_out++;
	events->n_inexact += !saturated && !is_same;
	events->n_sat_low += saturated && sum < 0;
	events->n_sat_high += saturated && sum >= 0;
}

int32_t mch_wide_code(const struct mch_requant *cfg, mch_int128 sum, int shift, uint32_t noise, struct mch_events *events)
{
	const struct mch_format y = out_format(cfg);
	const mch_int128 kept = cfg->relu && sum < 0 ? 0 : sum;
	bool saturated;
	int64_t code = mch_format_encode(y, kept, shift, cfg->round, noise, &saturated);
	/* The bounds are codes of y, so what was beyond y's ends is beyond a bound: no saturation. */
	saturated = saturated && !cfg->is_clipped;
	code = mch_requant_clip(cfg, code);
	if (events)
		count(events, y, code, kept, shift, saturated);
	return (int32_t)code;
}

/* One accumulator; its overflows are added to *n_over. */
static mch_int128 sum_of(const struct mch_wide_mac *m, const int32_t *x, const int at[4], uint64_t *n_over)
{
	const struct mch_conv *g = &m->conv;
	const int n_c = g->c / g->groups, first_c = at[1] / (g->k / g->groups) * n_c;
	const int64_t *w = m->weights + (size_t)at[1] * mch_conv_terms(g);
	mch_int128 sum = 0;
	for (int c = 0; c < n_c; c++)
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++) {
				const ptrdiff_t i = mch_conv_x_at(g, at[0], first_c + c, r, s, at[2], at[3]);
				const mch_int128 v = i < 0 ? 0 : m->integers[x[i] - m->lowest];
				bool over;
				sum = mch_wide_add(m->acc, sum, v * *w++, &over);
				*n_over += over;
			}
	return sum;
}

void mch_wide_mac(const struct mch_wide_mac *m, const int32_t *x, int32_t *y, struct mch_events *events)
{
	const struct mch_conv *g = &m->conv;
	const int n_p = mch_conv_p(g), n_q = mch_conv_q(g);
	uint64_t n_over = 0;
	for (int n = 0; n < g->n; n++)
		for (int k = 0; k < g->k; k++) {
			uint16_t noise = mch_lfsr_seed(m->requant->seed, k);
			for (int p = 0; p < n_p; p++)
				for (int q = 0; q < n_q; q++) {
					const int at[4] = {n, k, p, q};
					const mch_int128 sum = sum_of(m, x, at, &n_over) + m->bias[k];
					*y++ = mch_wide_code(m->requant, sum, m->requant->shift[k], noise, events);
					noise = mch_lfsr_next(noise);
				}
		}
	if (events)
		events->n_acc_over += n_over;
}

/* An aligned integer: 42 + 31 bits; 1024 of them 83, two factors 84. */
static mch_int128 element(const struct mch_eltwise *cfg, const struct mch_format *formats, const int32_t *const *x, int n,
			  const int at[3])
{
	mch_int128 v = 0;
	for (int i = 0; i < cfg->n_in; i++) {
		const struct mch_eltwise_in *in = &cfg->in[i];
		const int64_t integer = mch_format_integer(formats[i], x[i][mch_eltwise_place(in->shape, n, at)]);
		const mch_int128 aligned = (mch_int128)integer * (INT64_C(1) << in->left);
		const mch_int128 term = in->is_taken_off ? -aligned : aligned;
		if (i == 0)
			v = term;
		else if (cfg->kind == MCH_ELTWISE_SUM)
			v += term;
		else if (cfg->kind == MCH_ELTWISE_PROD)
			v *= term;
		else
			v = term > v ? term : v;
	}
	return v;
}

void mch_wide_eltwise(const struct mch_eltwise *cfg, const struct mch_format *formats, const struct mch_requant *requant, int n,
		      const int32_t *const *x, int32_t *y, struct mch_events *events)
{
	const struct mch_shape out = cfg->out;
	for (int image = 0; image < n; image++)
		for (int c = 0; c < out.c; c++) {
			uint16_t noise = mch_lfsr_seed(requant->seed, c);
			for (int h = 0; h < out.h; h++)
				for (int w = 0; w < out.w; w++) {
					const int at[3] = {c, h, w};
					const mch_int128 v = element(cfg, formats, x, image, at);
					*y++ = mch_wide_code(requant, v, requant->shift[0], noise, events);
					noise = mch_lfsr_next(noise);
				}
		}
}

void mch_wide_concat(const struct mch_concat *cfg, const struct mch_format *formats, const struct mch_requant *requant, int n,
		     const int32_t *const *x, int32_t *y, struct mch_events *events)
{
	const struct mch_shape out = cfg->out;
	for (int image = 0; image < n; image++)
		for (int c = 0; c < out.c; c++) {
			uint16_t noise = mch_lfsr_seed(requant->seed, c);
			for (int h = 0; h < out.h; h++)
				for (int w = 0; w < out.w; w++) {
					const int at[3] = {c, h, w};
					int i;
					const size_t from = mch_concat_place(cfg, image, at, &i);
					const int64_t v = mch_format_integer(formats[i], x[i][from]);
					*y++ = mch_wide_code(requant, v, cfg->shift[i], noise, events);
					noise = mch_lfsr_next(noise);
				}
		}
}

void mch_wide_requant(const struct mch_requant *cfg, struct mch_format format, int n, int k, int pixels, const int32_t *x,
		      int32_t *y, struct mch_events *events)
{
	for (int image = 0; image < n; image++)
		for (int channel = 0; channel < k; channel++) {
			uint16_t noise = mch_lfsr_seed(cfg->seed, channel);
			for (int i = 0; i < pixels; i++, noise = mch_lfsr_next(noise))
				*y++ = mch_wide_code(cfg, mch_format_integer(format, *x++), cfg->shift[channel], noise, events);
		}
}

void mch_wide_pool_avg(const struct mch_pool *g, const struct mch_wide_avg *cfg, const int32_t *x, int32_t *y,
		       struct mch_events *events)
{
	const struct mch_requant requant = {.out_bits = cfg->y.bits, .out_signed = cfg->y.is_signed, .number = cfg->y.number,
					    .exp_bits = cfg->y.exp_bits, .round = cfg->round};
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	for (int plane = 0; plane < g->n * g->c; plane++, x += g->h * g->w)
		for (int p = 0; p < n_p; p++)
			for (int q = 0; q < n_q; q++) {
				const struct mch_window rows = mch_pool_rows(g, p), cols = mch_pool_cols(g, q);
				int64_t sum = 0; /* 15 + 42 bits */
				for (int i = rows.begin; i < rows.end; i += rows.step)
					for (int j = cols.begin; j < cols.end; j += cols.step)
						sum += mch_format_integer(cfg->x, x[i * g->w + j]);
				const mch_int128 product =
					(mch_int128)sum * mch_pool_recip((int64_t)rows.extent * cols.extent);
				*y++ = mch_wide_code(&requant, product, 16 + cfg->shift, 0, events);
			}
}
