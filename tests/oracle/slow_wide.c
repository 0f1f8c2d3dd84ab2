/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Oracle of steps on numbers of any kind; see slow_wide.h. */
#include "oracle/slow_wide.h"

#include <math.h>
#include <stdlib.h>

#include "oracle/slow_conv.h"
#include "oracle/slow_number.h"
#include "oracle/slow_pool.h"

struct slow_format slow_format_make(int number, int bits, int exp_bits, int frac, bool is_signed)
{
	struct slow_format f = {.number = number, .bits = bits, .exp_bits = exp_bits, .frac = frac, .is_signed = is_signed};
	if (number != 0) {
		if (bits > 11)
			abort();
		f.n = slow_number_list(number, bits, exp_bits, is_signed, f.list, &f.first);
	}
	return f;
}

slow_int slow_integer(const struct slow_format *f, int64_t code)
{
	if (f->number == 0)
		return code;
	if (code < f->first || code >= f->first + f->n)
		abort();
	return f->list[code - f->first];
}

int64_t slow_code(const struct slow_format *f, slow_int v, int shift, int mode, uint32_t noise)
{
	bool saturated;
	if (f->number == 0)
		return (int64_t)slow_sat(slow_round_shift(v, shift, mode, noise), f->bits, f->is_signed, &saturated);
	const int place = slow_number_place(f->list, f->n, f->first, v, shift, mode, noise);
	return f->first + (place < 0 ? 0 : place >= f->n ? f->n - 1 : place);
}

/* A float as an integer of 24 bits and the shift that makes it what it is at `frac`. */
static slow_int exact(float real, int frac, int *shift)
{
	int exponent;
	const float mantissa = frexpf(real, &exponent);
	*shift = 24 - exponent - frac;
	if (real == 0 || *shift > 100) { /* less than any half */
		*shift = real == 0 ? 0 : 60;
		return real < 0 ? -1 : real > 0 ? 1 : 0;
	}
	return (slow_int)ldexpf(mantissa, 24);
}

int64_t slow_code_of(const struct slow_format *f, float real, int mode, uint32_t noise)
{
	int shift;
	const slow_int v = exact(real, f->frac, &shift);
	return slow_code(f, v, shift, mode, noise);
}

static int32_t finish(const struct slow_out *o, slow_int sum, int frac, uint32_t noise)
{
	int64_t code = slow_code(o->y, o->relu && sum < 0 ? 0 : sum, frac - o->y->frac, o->mode, noise);
	if (o->is_clipped && code < slow_code_of(o->y, o->low, 3, 0))
		code = slow_code_of(o->y, o->low, 3, 0);
	if (o->is_clipped && code > slow_code_of(o->y, o->high, 3, 0))
		code = slow_code_of(o->y, o->high, 3, 0);
	return (int32_t)code;
}

/* The integers of a channel's weights, with its own fraction; *bias at the accumulator's. */
static slow_int *channel(const struct slow_mac *mac, int k, int n_terms, slow_int *bias)
{
	struct slow_format f = *mac->w_format;
	uint32_t noise = slow_lfsr_seed(mac->out.seed, k);
	slow_int *w = malloc((size_t)n_terms * sizeof(*w));
	if (!w)
		abort();
	f.frac = mac->frac[k];
	for (int t = 0; t < n_terms; t++) {
		w[t] = slow_integer(&f, slow_code_of(&f, mac->w[k * n_terms + t], mac->weight_mode, noise));
		noise = slow_lfsr_next(noise);
	}
	*bias = 0;
	if (mac->bias) {
		int shift;
		bool saturated;
		const slow_int v = exact(mac->bias[k], f.frac + mac->x->frac, &shift);
		*bias = slow_sat(slow_round_shift(v, shift, 3, 0), mac->acc_bits, true, &saturated);
	}
	return w;
}

static slow_int window(const struct mch_conv *g, const struct slow_mac *mac, const slow_int *w, const int32_t *image, int k, int p,
		       int q)
{
	const int n_c = g->c / g->groups, first = k / (g->k / g->groups) * n_c;
	slow_int sum = 0;
	for (int t = 0; t < n_c * g->r * g->s; t++) {
		const int c = first + t / (g->r * g->s), r = t / g->s % g->r, s = t % g->s;
		const int row = p * g->stride_h + r * g->dilation_h - g->pad_top;
		const int col = q * g->stride_w + s * g->dilation_w - g->pad_left;
		const bool is_outside = row < 0 || col < 0 || row >= g->h || col >= g->w;
		const slow_int v = is_outside ? 0 : slow_integer(mac->x, image[(c * g->h + row) * g->w + col]);
		bool over;
		sum = slow_mac(mac->acc_bits, mac->saturates, sum, v, w[t], &over);
	}
	return sum;
}

void slow_wide_conv(const struct mch_conv *g, const struct slow_mac *mac, const int32_t *x, int32_t *y)
{
	const int n_p = slow_conv_size(g->h, g->pad_top, g->pad_bottom, g->r, g->dilation_h, g->stride_h);
	const int n_q = slow_conv_size(g->w, g->pad_left, g->pad_right, g->s, g->dilation_w, g->stride_w);
	for (int k = 0; k < g->k; k++) {
		slow_int bias;
		slow_int *w = channel(mac, k, g->c / g->groups * g->r * g->s, &bias);
		for (int n = 0; n < g->n; n++) {
			uint32_t noise = slow_lfsr_seed(mac->out.seed, k);
			for (int i = 0; i < n_p * n_q; i++) {
				const slow_int sum = window(g, mac, w, x + n * g->c * g->h * g->w, k, i / n_q, i % n_q);
				y[(n * g->k + k) * n_p * n_q + i] =
					finish(&mac->out, sum + bias, mac->x->frac + mac->frac[k], noise);
				noise = slow_lfsr_next(noise);
			}
		}
		free(w);
	}
}

void slow_wide_eltwise(int kind, int n_in, const struct slow_eltwise_in *in, const struct slow_format *const *formats,
		       struct mch_shape out, const struct slow_out *o, int n, int32_t *y)
{
	int finest = -1000, all = 0;
	for (int i = 0; i < n_in; i++) {
		const int own = in[i].frac - in[i].exponent;
		finest = own > finest ? own : finest;
		all += own;
	}
	uint32_t noise = 0;
	for (int at = 0; at < out.c * out.h * out.w; at++) {
		const int w = at % out.w, h = at / out.w % out.h, c = at / out.w / out.h;
		slow_int result = 0;
		noise = h + w == 0 ? slow_lfsr_seed(o->seed, c) : slow_lfsr_next(noise);
		for (int i = 0; i < n_in; i++) {
			const struct mch_shape s = in[i].shape;
			const int from = ((n * s.c + c % s.c) * s.h + h % s.h) * s.w + w % s.w; /* a side of 1 repeats */
			slow_int v = in[i].sign * slow_integer(formats[i], in[i].x[from]);
			for (int f = in[i].frac - in[i].exponent; kind != 1 && f < finest; f++)
				v += v;
			result = i == 0       ? v
				 : kind == 0  ? result + v
				 : kind == 1  ? result * v
				 : v > result ? v
					      : result;
		}
		y[n * out.c * out.h * out.w + at] = finish(o, result, kind == 1 ? all : finest, noise);
	}
}

void slow_wide_pool_avg(const struct mch_pool *g, const struct slow_format *x_format, const struct slow_out *o, const int32_t *x,
			int32_t *y)
{
	const int n_p = slow_pool_size(g->h, g->pad_top, g->pad_bottom, g->r, g->stride_h, g->dilation_h, g->ceil_mode);
	const int n_q = slow_pool_size(g->w, g->pad_left, g->pad_right, g->s, g->stride_w, g->dilation_w, g->ceil_mode);
	for (int i = 0; i < g->n * g->c * n_p * n_q; i++) {
		const int32_t *plane = x + i / n_p / n_q * g->h * g->w;
		slow_int sum = 0, n_input = 0, n_padded = 0;
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++) {
				const int row = i / n_q % n_p * g->stride_h - g->pad_top + r * g->dilation_h;
				const int col = i % n_q * g->stride_w - g->pad_left + s * g->dilation_w;
				n_padded += row < g->h + g->pad_bottom && col < g->w + g->pad_right;
				if (row >= 0 && row < g->h && col >= 0 && col < g->w) {
					n_input++;
					sum += slow_integer(x_format, plane[row * g->w + col]);
				}
			}
		const slow_int count = g->count_include_pad ? n_padded : n_input;
		const slow_int recip = (131072 + count) / (2 * count);
		struct slow_out mean = *o;
		mean.mode = o->mode == 4 ? 3 : o->mode;
		y[i] = finish(&mean, sum * recip, 16 + x_format->frac, 0);
	}
}

void slow_wide_requant(const struct slow_format *x_format, const struct slow_out *o, int n, int c, int pixels, const int32_t *x,
		       int32_t *y)
{
	for (int plane = 0; plane < n * c; plane++) {
		uint32_t noise = slow_lfsr_seed(o->seed, plane % c);
		for (int i = plane * pixels; i < (plane + 1) * pixels; i++) {
			y[i] = finish(o, slow_integer(x_format, x[i]), x_format->frac, noise);
			noise = slow_lfsr_next(noise);
		}
	}
}

void slow_wide_concat(const struct slow_format *const *formats, const struct slow_out *o, struct mch_shape out, const int32_t *moved,
		      const int *which, int32_t *y)
{
	uint32_t noise = 0;
	for (int at = 0; at < out.c * out.h * out.w; at++) {
		const struct slow_format *x = formats[which[at]];
		noise = at % (out.h * out.w) == 0 ? slow_lfsr_seed(o->seed, at / out.h / out.w) : slow_lfsr_next(noise);
		y[at] = finish(o, slow_integer(x, moved[at]), x->frac, noise);
	}
}
