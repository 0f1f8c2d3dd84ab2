/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Wide sums of products in doubles; see wide.h. */
#include "fast/wide.h"

#include <stdlib.h>
#include <string.h>

#include "fast/clones.h"
#include "fxp/encode.h"

enum {
	PIXELS = 8,   /* a tile of accumulators: rows ... */
	CHANNELS = 16, /* ... and columns */
	DIGITS_MAX = 3,
};

struct mch_fast_wide {
	struct mch_conv g;
	struct mch_requant requant;
	struct mch_codes x_codes, y_codes;
	int n_x, n_w;           /* digits */
	int x_bits, w_bits;     /* of a digit: its weight is 2^bits times that of the one before */
	size_t n_codes;         /* of x, stored */
	double *digit[DIGITS_MAX]; /* [n_codes] of each stored code of x */
	size_t n_terms;
	int n_blocks;           /* of CHANNELS, of a group */
	double *weights[DIGITS_MAX]; /* [group][block][term][CHANNELS] */
	mch_int128 *bias;       /* [k] */
	size_t n_pixels;        /* of an image's output */
	uint16_t *noise;        /* [pixel][k], of stochastic rounding only */
	double *columns[DIGITS_MAX]; /* [PIXELS][terms] */
	bool fits_64; /* every sum with its bias */
	struct mch_encoder *encoders; /* [k]; NULL where some channel has none, or sums are too wide for them */
};

/* Digit `place` of v in base 2^bits, from -2^(bits-1) up; the last one takes what is left. */
static double digit_of(int64_t v, int bits, int place, int n_digits)
{
	const int64_t base = INT64_C(1) << bits, half = base / 2;
	for (int i = 0;; i++) {
		const int64_t rest = ((v + half) % base + base) % base - half; /* |v| < 2^46 */
		if (i == place)
			return (double)(i == n_digits - 1 ? v : rest);
		v = (v - rest) / base;
	}
}

static int bits_of(int64_t largest)
{
	int bits = 1;
	while (largest >> bits)
		bits++;
	return bits;
}

/* The most that a digit can be. */
static double digit_max(int64_t largest, int bits, int n_digits)
{
	return n_digits == 1 ? (double)largest
			     : (double)((INT64_C(1) << (bits - 1)) > (largest >> (bits * (n_digits - 1))) + 1
						? INT64_C(1) << (bits - 1)
						: (largest >> (bits * (n_digits - 1))) + 1);
}

/* Bits of a digit when `bits` are split into n. */
static int share(int bits, int n)
{
	return (bits + n) / n; /* rounded up, and one for the sign at times */
}

/* The fewest pairs of digits with which every sum is exact; false when none do. */
static bool choose_digits(struct mch_fast_wide *f, int64_t x_largest, int64_t w_largest)
{
	int best = DIGITS_MAX * DIGITS_MAX + 1;
	for (int n_x = 1; n_x <= DIGITS_MAX; n_x++)
		for (int n_w = 1; n_w <= DIGITS_MAX; n_w++) {
			const int x_bits = share(bits_of(x_largest), n_x), w_bits = share(bits_of(w_largest), n_w);
			const double most = digit_max(x_largest, x_bits, n_x) * digit_max(w_largest, w_bits, n_w);
			if (most * (double)f->n_terms >= 0x1p53 || n_x * n_w >= best)
				continue;
			best = n_x * n_w;
			f->n_x = n_x, f->n_w = n_w, f->x_bits = x_bits, f->w_bits = w_bits;
		}
	return best <= DIGITS_MAX * DIGITS_MAX;
}

static int64_t magnitude(int64_t v)
{
	return v < 0 ? -v : v;
}

/* Where the weight of channel k for kernel position (r, s) and input channel c is in the plain order. */
static size_t weight_place(const struct mch_fast_wide_spec *spec, size_t k, size_t r, size_t s, size_t c)
{
	const struct mch_conv *g = &spec->mac->conv;
	const size_t n_c = (size_t)(g->c / g->groups), n_r = (size_t)g->r, n_s = (size_t)g->s;
	const size_t in_c = (size_t)spec->in.c, pixels = (size_t)spec->in.h * (size_t)spec->in.w;
	if (g->h == spec->in.h && g->w == spec->in.w)
		return ((k * n_c + c) * n_r + r) * n_s + s;
	return k * n_c + c % in_c * pixels + c / in_c; /* dense: c counts h, w, c of what was flattened */
}

static void fill_weights(struct mch_fast_wide *f, const struct mch_fast_wide_spec *spec)
{
	const struct mch_conv *g = &f->g;
	const size_t group_k = (size_t)(g->k / g->groups), n_c = (size_t)(g->c / g->groups);
	for (size_t k = 0; k < (size_t)g->k; k++) {
		const size_t within = k % group_k, block = k / group_k * (size_t)f->n_blocks + within / CHANNELS;
		size_t t = 0;
		for (size_t r = 0; r < (size_t)g->r; r++)
			for (size_t s = 0; s < (size_t)g->s; s++)
				for (size_t c = 0; c < n_c; c++, t++)
					for (int i = 0; i < f->n_w; i++)
						f->weights[i][(block * f->n_terms + t) * CHANNELS + within % CHANNELS] =
							digit_of(spec->mac->weights[weight_place(spec, k, r, s, c)], f->w_bits,
								 i, f->n_w);
	}
}

static void fill_digits(struct mch_fast_wide *f, const struct mch_fast_wide_spec *spec)
{
	const int64_t low = mch_format_min(spec->x), high = mch_format_max(spec->x);
	for (int64_t code = low; code <= high; code++)
		for (int i = 0; i < f->n_x; i++)
			f->digit[i][code + f->x_codes.zero] =
				digit_of(spec->mac->integers[code - spec->mac->lowest], f->x_bits, i, f->n_x);
}

static void fill_noise(struct mch_fast_wide *f)
{
	for (int k = 0; f->noise && k < f->g.k; k++) {
		uint16_t noise = mch_lfsr_seed(f->requant.seed, k);
		for (size_t i = 0; i < f->n_pixels; i++, noise = mch_lfsr_next(noise))
			f->noise[i * (size_t)f->g.k + (size_t)k] = noise;
	}
}

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "wide sums", "out of memory; use a machine with more");
}

static int find_encoders(struct mch_fast_wide *f, struct mch_format y, mch_int128 largest, struct mch_err *err)
{
	bool has_all = largest < (mch_int128)1 << MCH_ENCODE_NARROW_BITS;
	if (!has_all)
		return 0;
	f->encoders = malloc((size_t)f->g.k * sizeof(*f->encoders));
	if (!f->encoders)
		return no_memory(err);
	for (int k = 0; k < f->g.k; k++)
		has_all = has_all && mch_encoder_init(&f->encoders[k], y, f->requant.shift[k]);
	if (!has_all) {
		free(f->encoders);
		f->encoders = NULL;
	}
	return 0;
}

static int allocate(struct mch_fast_wide *f, struct mch_err *err)
{
	const size_t n_k = (size_t)f->g.k, groups = (size_t)f->g.groups;
	bool has_all = true;
	for (int i = 0; i < f->n_x; i++) {
		f->digit[i] = calloc(f->n_codes, sizeof(double));
		f->columns[i] = calloc(PIXELS * f->n_terms, sizeof(double));
		has_all = has_all && f->digit[i] && f->columns[i];
	}
	for (int i = 0; i < f->n_w; i++) {
		f->weights[i] = calloc(groups * (size_t)f->n_blocks * f->n_terms * CHANNELS, sizeof(double));
		has_all = has_all && f->weights[i];
	}
	f->bias = calloc(n_k, sizeof(*f->bias));
	if (f->requant.round == MCH_ROUND_STOCHASTIC)
		f->noise = malloc(f->n_pixels * n_k * sizeof(*f->noise));
	return has_all && f->bias && (f->noise || f->requant.round != MCH_ROUND_STOCHASTIC) ? 0 : no_memory(err);
}

/* Largest magnitudes of weights and of biases. */
static void find_largest(const struct mch_wide_mac *mac, int64_t *weight, mch_int128 *bias)
{
	const size_t n = (size_t)mac->conv.k * mch_conv_terms(&mac->conv);
	*weight = 0;
	*bias = 0;
	for (size_t i = 0; i < n; i++)
		*weight = magnitude(mac->weights[i]) > *weight ? magnitude(mac->weights[i]) : *weight;
	for (int k = 0; k < mac->conv.k; k++) {
		const mch_int128 size = mac->bias[k] < 0 ? -mac->bias[k] : mac->bias[k];
		*bias = size > *bias ? size : *bias;
	}
}

int mch_fast_wide_new(const struct mch_fast_wide_spec *spec, struct mch_fast_wide **out, struct mch_err *err)
{
	const struct mch_conv *g = &spec->mac->conv;
	struct mch_fast_wide *f = calloc(1, sizeof(*f));
	int64_t w_largest;
	mch_int128 largest;
	*out = NULL;
	if (!f)
		return no_memory(err);
	find_largest(spec->mac, &w_largest, &largest);
	f->g = *g;
	f->requant = *spec->mac->requant;
	f->x_codes = mch_codes_of(spec->x);
	f->y_codes = mch_codes_of(spec->y);
	f->n_codes = (size_t)1 << (8 * f->x_codes.bytes);
	f->n_terms = mch_conv_terms(g);
	f->n_pixels = (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
	f->n_blocks = (g->k / g->groups + CHANNELS - 1) / CHANNELS;
	largest += (mch_int128)spec->x_largest * w_largest * (mch_int128)f->n_terms;
	f->fits_64 = largest < (mch_int128)1 << 62;
	int status = choose_digits(f, spec->x_largest, w_largest) ? allocate(f, err) : 1;
	if (status == 0)
		status = find_encoders(f, spec->y, largest, err);
	if (status != 0) {
		mch_fast_wide_free(f);
		return status < 0 ? -1 : 0;
	}
	fill_weights(f, spec);
	fill_digits(f, spec);
	fill_noise(f);
	memcpy(f->bias, spec->mac->bias, (size_t)g->k * sizeof(*f->bias));
	*out = f;
	return 0;
}

void mch_fast_wide_free(struct mch_fast_wide *f)
{
	if (!f)
		return;
	for (int i = 0; i < DIGITS_MAX; i++) {
		free(f->digit[i]);
		free(f->columns[i]);
		free(f->weights[i]);
	}
	free(f->bias);
	free(f->noise);
	free(f->encoders);
	free(f);
}

/* Kernel position (r, s) of the window of pixel (p, q) of an image: n_c digits of one group, from `to` on in each of the columns. */
static void gather_position(struct mch_fast_wide *f, const uint8_t *image, int h, int w, int first_c, size_t to)
{
	const struct mch_conv *g = &f->g;
	const size_t n_c = (size_t)(g->c / g->groups);
	const bool is_inside = h >= 0 && h < g->h && w >= 0 && w < g->w;
	const size_t at = is_inside ? (size_t)(h * g->w + w) * (size_t)g->c + (size_t)first_c : 0;
	const uint16_t *wide = (const uint16_t *)(const void *)image + at;
	for (int d = 0; d < f->n_x; d++) {
		double *column = f->columns[d] + to;
		const double *digit = f->digit[d];
		if (!is_inside)
			memset(column, 0, n_c * sizeof(*column));
		else if (f->x_codes.bytes == 1)
			for (size_t c = 0; c < n_c; c++)
				column[c] = digit[image[at + c]];
		else
			for (size_t c = 0; c < n_c; c++)
				column[c] = digit[wide[c]];
	}
}

/* The windows of n pixels, counted over all images, of one group. */
static void gather(struct mch_fast_wide *f, const uint8_t *x, int group, size_t first, int n)
{
	const struct mch_conv *g = &f->g;
	const int n_q = mch_conv_q(g), n_c = g->c / g->groups;
	const size_t bytes = (size_t)g->c * (size_t)g->h * (size_t)g->w * (size_t)f->x_codes.bytes;
	for (int i = 0; i < n; i++) {
		const uint8_t *image = x + (first + (size_t)i) / f->n_pixels * bytes;
		const int pixel = (int)((first + (size_t)i) % f->n_pixels), p = pixel / n_q, q = pixel % n_q;
		size_t t = (size_t)i * f->n_terms;
		for (int r = 0; r < g->r; r++)
			for (int s = 0; s < g->s; s++, t += (size_t)n_c)
				gather_position(f, image, p * g->stride_h + r * g->dilation_h - g->pad_top,
						q * g->stride_w + s * g->dilation_w - g->pad_left, group * n_c, t);
	}
}

/* acc[p][k] = sum over t of x[p][t] * w[t][k]. The accumulators stay in registers: each row is one or two vectors. */
MCH_CLONES
static void tile(size_t n_terms, const double *restrict x, const double *restrict w, double *restrict acc)
{
	double __attribute__((vector_size(CHANNELS / 2 * sizeof(double)))) sum[PIXELS][2];
	memset(sum, 0, sizeof(sum));
	for (size_t t = 0; t < n_terms; t++, w += CHANNELS) {
		double __attribute__((vector_size(CHANNELS / 2 * sizeof(double)))) low, high;
		memcpy(&low, w, sizeof(low));
		memcpy(&high, w + CHANNELS / 2, sizeof(high));
#pragma GCC unroll 8
		for (int p = 0; p < PIXELS; p++) {
			const double v = x[(size_t)p * n_terms + t];
			sum[p][0] += low * v;
			sum[p][1] += high * v;
		}
	}
	memcpy(acc, sum, sizeof(sum));
}

/* The sum of element `at` of all pairs of digits, and the bias. Digits of either sign may add up to more than 64 bits on the way
 * where their sum has fewer: unsigned, which wraps and comes back. */
static mch_int128 join(const struct mch_fast_wide *f, const double (*acc)[PIXELS * CHANNELS], size_t at, int k)
{
	if (f->fits_64) {
		uint64_t sum = (uint64_t)(int64_t)f->bias[k];
		for (int i = 0; i < f->n_x; i++)
			for (int j = 0; j < f->n_w; j++)
				sum += (uint64_t)(int64_t)acc[i * f->n_w + j][at] << (i * f->x_bits + j * f->w_bits);
		return (int64_t)sum;
	}
	mch_int128 sum = f->bias[k];
	for (int i = 0; i < f->n_x; i++)
		for (int j = 0; j < f->n_w; j++)
			sum += (mch_int128)(int64_t)acc[i * f->n_w + j][at] *
			       ((mch_int128)1 << (i * f->x_bits + j * f->w_bits));
	return sum;
}

/* mch_wide_code of a sum of channel k. */
MCH_INLINE int32_t code_of(const struct mch_fast_wide *f, mch_int128 sum, int k, uint32_t noise)
{
	const struct mch_requant *r = &f->requant;
	if (!f->encoders)
		return mch_wide_code(r, sum, r->shift[k], noise, NULL);
	const int64_t v = (int64_t)sum, kept = r->relu && v < 0 ? 0 : v;
	/* The usual rule as a constant: no switch in the loop. */
	const int64_t code = r->round == MCH_ROUND_HALF_EVEN
				     ? mch_encode_narrow(&f->encoders[k], kept, MCH_ROUND_HALF_EVEN, noise)
				     : mch_encode_narrow(&f->encoders[k], kept, r->round, noise);
	return (int32_t)mch_requant_clip(r, code);
}

/* n pixels from `first` on, n_k channels from k on, of a tile. */
static void put(const struct mch_fast_wide *f, const double (*acc)[PIXELS * CHANNELS], size_t first, int n, int k, int n_k,
		void *y)
{
	for (int p = 0; p < n; p++) {
		const size_t pixel = first + (size_t)p, row = (size_t)f->g.k;
		const uint16_t *noise = f->noise ? f->noise + pixel % f->n_pixels * row : NULL;
		for (int c = 0; c < n_k; c++) {
			const int channel = k + c;
			const mch_int128 sum = join(f, acc, (size_t)(p * CHANNELS + c), channel);
			const int32_t code = code_of(f, sum, channel, noise ? noise[channel] : 0);
			const size_t to = pixel * row + (size_t)channel;
			if (f->y_codes.bytes == 1)
				((uint8_t *)y)[to] = (uint8_t)(code + f->y_codes.zero);
			else
				((uint16_t *)y)[to] = (uint16_t)(code + f->y_codes.zero);
		}
	}
}

static void run_pixels(struct mch_fast_wide *f, int group, size_t first, int n, void *y)
{
	double acc[DIGITS_MAX * DIGITS_MAX][PIXELS * CHANNELS];
	const int group_k = f->g.k / f->g.groups;
	for (int b = 0; b < f->n_blocks; b++) {
		const size_t block = (size_t)(group * f->n_blocks + b) * f->n_terms * CHANNELS;
		for (int i = 0; i < f->n_x; i++)
			for (int j = 0; j < f->n_w; j++)
				tile(f->n_terms, f->columns[i], f->weights[j] + block, acc[i * f->n_w + j]);
		const int rest = group_k - b * CHANNELS;
		put(f, (const double(*)[PIXELS * CHANNELS])acc, first, n, group * group_k + b * CHANNELS,
		    rest < CHANNELS ? rest : CHANNELS, y);
	}
}

void mch_fast_wide_run(struct mch_fast_wide *f, int n, const void *x, void *y)
{
	const size_t n_all = (size_t)n * f->n_pixels;
	for (int group = 0; group < f->g.groups; group++)
		for (size_t first = 0; first < n_all; first += PIXELS) {
			const size_t rest = n_all - first;
			const int n_pixels = rest < PIXELS ? (int)rest : PIXELS;
			gather(f, x, group, first, n_pixels);
			run_pixels(f, group, first, n_pixels, y);
		}
}
