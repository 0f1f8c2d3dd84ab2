/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The functions of the package that call cmodel/op/. */
#include <limits.h>
#include <stdlib.h>

#include "dpi/check.h"
#include "dpi/macchiato_dpi.h"
#include "fxp/encode.h"
#include "op/conv.h"
#include "op/eltwise.h"
#include "op/hint.h"
#include "op/pool.h"

enum {
	SIDE_MAX = 1 << 24,   /* of any number in a geometry: sums of a few stay in an int */
	WINDOW_MAX = 1 << 15, /* positions, op/pool.h */
	AVG_SHIFT_MAX = 16,
};
static const long long ACC_MAX = (1LL << (MCH_ACC_BITS_MAX - 1)) - 1;

/* a * b * c * d, or SIZE_MAX when that is more than an array can have; all are 0 or more. */
static size_t elems(int a, int b, int c, int d)
{
	const int factor[] = {a, b, c, d};
	size_t n = 1;
	for (int i = 0; i < 4; i++) {
		n *= (size_t)factor[i]; /* 31 + 24 bits */
		if (n > INT_MAX)
			return SIZE_MAX;
	}
	return n;
}

static int need_requant(const char *where, const uint32_t *packed, long long acc, long long bias, int shift, int noise,
			struct mch_requant *out)
{
	return mch_dpi_out(where, packed, out) != 0 || mch_dpi_need(where, "acc", acc, -ACC_MAX - 1, ACC_MAX) != 0 ||
			       mch_dpi_need(where, "bias", bias, -ACC_MAX - 1, ACC_MAX) != 0 ||
			       mch_dpi_need(where, "shift", shift, MCH_SHIFT_MIN, MCH_SHIFT_MAX) != 0 ||
			       mch_dpi_need(where, "noise", noise, 0, (1 << MCH_NOISE_BITS) - 1) != 0
		       ? -1
		       : 0;
}

int mch_dpi_requant(const uint32_t *out, long long acc, long long bias, int shift, int noise, int *y,
		    unsigned char *saturated)
{
	struct mch_requant cfg;
	if (need_requant("mch_requant", out, acc, bias, shift, noise, &cfg) != 0)
		return -1;
	const struct mch_format f = {cfg.out_bits, 0, cfg.out_signed, cfg.number, cfg.exp_bits};
	bool outside;
	if (cfg.number == MCH_FIXED)
		*y = mch_requant_value(&cfg, acc, bias, shift, (uint32_t)noise, &outside);
	else
		*y = (int)mch_encode(f, mch_requant_sum(cfg.relu, acc, bias), shift, cfg.round, (uint32_t)noise, &outside);
	*saturated = outside;
	return 0;
}

const char *mch_dpi_requant_hint(const uint32_t *out, long long acc, long long bias, int shift, int noise, int y,
				 unsigned char saturated)
{
	static char text[MCH_HINT_BYTES];
	struct mch_requant cfg;
	if (need_requant("mch_requant_hint", out, acc, bias, shift, noise, &cfg) != 0 || cfg.number != MCH_FIXED)
		return "";
	const struct mch_hint_unit unit = {.requant = &cfg, .has_flag = true};
	const struct mch_hint_seen seen = {.acc = acc, .bias = bias, .shift = shift, .noise = (uint32_t)noise, .got = y, .flag = saturated != 0};
	const char *hint = mch_hint(&unit, &seen, 1, text);
	return hint ? hint : "";
}

/* Channel k's bias and shift, and all sums. */
static int need_channels(const char *where, const int64_t *bias, const int32_t *shift, size_t k, const int64_t *acc, size_t n)
{
	if (mch_dpi_need_all(where, "shift", shift, k, MCH_SHIFT_MIN, MCH_SHIFT_MAX) != 0)
		return -1;
	for (size_t i = 0; i < k; i++)
		if (mch_dpi_need(where, "a bias", bias[i], -ACC_MAX - 1, ACC_MAX) != 0)
			return -1;
	for (size_t i = 0; i < n; i++)
		if (mch_dpi_need(where, "a sum in acc", acc[i], -ACC_MAX - 1, ACC_MAX) != 0)
			return -1;
	return 0;
}

int mch_dpi_requant_tensor(const uint32_t *out, int seed, int n, int pixels, void *bias, void *shift, void *acc, void *y,
			   long long *n_saturated)
{
	static const char where[] = "mch_requant_tensor";
	const size_t k = mch_dpi_elems(bias);
	struct mch_requant cfg;
	int64_t *biases, *sums;
	int32_t *shifts, *codes;
	if (mch_dpi_out(where, out, &cfg) != 0 || mch_dpi_need(where, "out_kind", cfg.number, MCH_FIXED, MCH_FIXED) != 0 ||
	    mch_dpi_need(where, "n", n, 1, SIDE_MAX) != 0 || mch_dpi_need(where, "pixels", pixels, 1, SIDE_MAX) != 0)
		return -1;
	const size_t all = elems(n, (int)k, pixels, 1);
	if (mch_dpi_longs(where, "bias", bias, 1, &biases) != 0 || mch_dpi_ints(where, "shift", shift, k, &shifts) != 0 ||
	    mch_dpi_longs(where, "acc", acc, all, &sums) != 0 || mch_dpi_ints(where, "y", y, all, &codes) != 0 ||
	    need_channels(where, biases, shifts, k, sums, all) != 0)
		return -1;
	cfg.seed = (uint32_t)seed;
	struct mch_events events = {0};
	const size_t plane = (size_t)pixels;
	int8_t *narrow = malloc(k);
	if (!narrow)
		return mch_err_set(&mch_dpi_err, where, "out of memory; use a machine with more");
	for (size_t i = 0; i < k; i++)
		narrow[i] = (int8_t)shifts[i];
	cfg.bias = biases, cfg.shift = narrow;
	mch_requant(&cfg, n, (int)k, (int)plane, sums, codes, &events);
	free(narrow);
	*n_saturated = (long long)(events.n_sat_low + events.n_sat_high);
	return 0;
}

/* Checked: every field, and that the kernel fits. */
static int need_conv(const char *where, const uint32_t *packed, struct mch_conv *g)
{
	enum { N_FIELDS = 16 };
	static const char *const name[N_FIELDS] = {"n", "c", "h", "w", "k", "r", "s", "stride_h", "stride_w", "pad_top",
						   "pad_left", "pad_bottom", "pad_right", "dilation_h", "dilation_w", "groups"};
	enum { PAD_FIRST = 9, PAD_LAST = 12 };
	int f[N_FIELDS];
	for (int i = 0; i < N_FIELDS; i++) {
		f[i] = mch_dpi_field(packed, N_FIELDS, i);
		if (mch_dpi_need(where, name[i], f[i], i < PAD_FIRST || i > PAD_LAST, SIDE_MAX) != 0)
			return -1;
	}
	*g = (struct mch_conv){f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], f[12], f[13], f[14], f[15]};
	if (g->c % g->groups != 0 || g->k % g->groups != 0)
		return mch_err_set(&mch_dpi_err, where, "%d groups do not divide %d and %d channels; give a divisor of both",
				   g->groups, g->c, g->k);
	if ((long long)(g->r - 1) * g->dilation_h + 1 > g->h + g->pad_top + g->pad_bottom ||
	    (long long)(g->s - 1) * g->dilation_w + 1 > g->w + g->pad_left + g->pad_right)
		return mch_err_set(&mch_dpi_err, where, "a kernel of %dx%d does not fit the padded input of %dx%d; give a smaller one", g->r,
				   g->s, g->h, g->w);
	return 0;
}

/* What a convolution reads. */
static int need_operands(const char *where, const struct mch_conv *g, void *x, void *w, int32_t **xs, int32_t **ws)
{
	const size_t n_x = elems(g->n, g->c, g->h, g->w), n_w = elems(g->k, g->c / g->groups, g->r, g->s);
	return mch_dpi_ints(where, "x", x, n_x, xs) != 0 || mch_dpi_ints(where, "w", w, n_w, ws) != 0 ||
			       mch_dpi_need_all(where, "x", *xs, n_x, MCH_DPI_X_MIN, MCH_DPI_X_MAX) != 0 ||
			       mch_dpi_need_all(where, "w", *ws, n_w, -MCH_DPI_W_MAX, MCH_DPI_W_MAX) != 0
		       ? -1
		       : 0;
}

static int conv(const char *where, const struct mch_conv *g, const uint32_t *acc_of, void *x, void *w, void *acc, long long *n_over)
{
	struct mch_acc cfg;
	int32_t *xs, *ws;
	int64_t *sums;
	if (mch_dpi_acc(where, acc_of, &cfg) != 0 || need_operands(where, g, x, w, &xs, &ws) != 0 ||
	    mch_dpi_longs(where, "acc", acc, elems(g->n, g->k, mch_conv_p(g), mch_conv_q(g)), &sums) != 0)
		return -1;
	struct mch_events events = {0};
	mch_conv(g, cfg, xs, ws, sums, &events);
	*n_over = (long long)events.n_acc_over;
	return 0;
}

int mch_dpi_conv(const uint32_t *geometry, const uint32_t *acc_of, void *x, void *w, void *acc, long long *n_over)
{
	struct mch_conv g;
	return need_conv("mch_conv", geometry, &g) != 0 ? -1 : conv("mch_conv", &g, acc_of, x, w, acc, n_over);
}

int mch_dpi_dense(const uint32_t *acc_of, void *x, void *w, void *acc, long long *n_over)
{
	const size_t c = mch_dpi_elems(x), k = mch_dpi_elems(acc);
	if (mch_dpi_need("mch_dense", "elements of x", (long long)c, 1, SIDE_MAX) != 0 ||
	    mch_dpi_need("mch_dense", "elements of acc", (long long)k, 1, SIDE_MAX) != 0)
		return -1;
	const struct mch_conv g = mch_dense_geometry(1, (int)c, (int)k);
	return conv("mch_dense", &g, acc_of, x, w, acc, n_over);
}

int mch_dpi_conv_pixel(const uint32_t *geometry, const uint32_t *acc_of, void *x, void *w, int n, int k, int p, int q,
		       long long *acc, unsigned char *over)
{
	static const char where[] = "mch_conv_pixel";
	struct mch_conv g;
	struct mch_acc cfg;
	int32_t *xs, *ws;
	if (need_conv(where, geometry, &g) != 0 || mch_dpi_acc(where, acc_of, &cfg) != 0 ||
	    mch_dpi_need(where, "n", n, 0, g.n - 1) != 0 || mch_dpi_need(where, "k", k, 0, g.k - 1) != 0 ||
	    mch_dpi_need(where, "p", p, 0, mch_conv_p(&g) - 1) != 0 ||
	    mch_dpi_need(where, "q", q, 0, mch_conv_q(&g) - 1) != 0 || need_operands(where, &g, x, w, &xs, &ws) != 0)
		return -1;
	const size_t n_terms = mch_conv_terms(&g);
	int64_t sum = 0;
	bool any = false;
	for (size_t t = 0; t < n_terms; t++) {
		const ptrdiff_t i = mch_conv_x_index(&g, n, k, p, q, t);
		bool overflowed;
		sum = mch_mac(cfg, sum, i < 0 ? 0 : xs[i], ws[(size_t)k * n_terms + t], &overflowed);
		any |= overflowed;
	}
	*acc = sum;
	*over = any;
	return 0;
}

/* Some window has no position inside the input. */
static bool has_empty_window(const struct mch_pool *g)
{
	bool empty = mch_pool_p(g) < 1 || mch_pool_q(g) < 1;
	for (int p = 0; !empty && p < mch_pool_p(g); p++) {
		const struct mch_window rows = mch_pool_rows(g, p);
		empty = mch_window_positions(&rows) == 0;
	}
	for (int q = 0; !empty && q < mch_pool_q(g); q++) {
		const struct mch_window cols = mch_pool_cols(g, q);
		empty = mch_window_positions(&cols) == 0;
	}
	return empty;
}

static int need_pool(const char *where, const uint32_t *packed, void *x, void *y, struct mch_pool *g, int32_t **xs, int32_t **ys)
{
	enum { N_FIELDS = 16, PAD_FIRST = 8, PAD_LAST = 11, FLAG_FIRST = 14 };
	static const char *const name[N_FIELDS] = {"n", "c", "h", "w", "r", "s", "stride_h", "stride_w", "pad_top", "pad_left",
						   "pad_bottom", "pad_right", "dilation_h", "dilation_w", "ceil_mode",
						   "count_include_pad"};
	int f[N_FIELDS];
	for (int i = 0; i < N_FIELDS; i++) {
		const bool is_flag = i >= FLAG_FIRST, is_pad = i >= PAD_FIRST && i <= PAD_LAST;
		f[i] = mch_dpi_field(packed, N_FIELDS, i);
		if (mch_dpi_need(where, name[i], f[i], !is_flag && !is_pad, is_flag ? 1 : SIDE_MAX) != 0)
			return -1;
	}
	*g = (struct mch_pool){f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11], f[12], f[13], f[14] != 0, f[15] != 0};
	if (g->r > WINDOW_MAX / g->s || (long long)g->r * g->dilation_h > SIDE_MAX || (long long)g->s * g->dilation_w > SIDE_MAX)
		return mch_err_set(&mch_dpi_err, where, "a window of %dx%d is too large; give at most %d positions over at most 2^24 rows "
				   "and columns", g->r, g->s, WINDOW_MAX);
	if (has_empty_window(g))
		return mch_err_set(&mch_dpi_err, where, "a window of %dx%d sees nothing of the input of %dx%d; correct the geometry", g->r,
				   g->s, g->h, g->w);
	const size_t n_x = elems(g->n, g->c, g->h, g->w);
	return mch_dpi_ints(where, "x", x, n_x, xs) != 0 ||
			       mch_dpi_ints(where, "y", y, elems(g->n, g->c, mch_pool_p(g), mch_pool_q(g)), ys) != 0 ||
			       mch_dpi_need_all(where, "x", *xs, n_x, MCH_DPI_X_MIN, MCH_DPI_X_MAX) != 0
		       ? -1
		       : 0;
}

int mch_dpi_pool_max(const uint32_t *geometry, void *x, void *y)
{
	struct mch_pool g;
	int32_t *xs, *ys;
	if (need_pool("mch_pool_max", geometry, x, y, &g, &xs, &ys) != 0)
		return -1;
	mch_pool_max(&g, xs, ys);
	return 0;
}

int mch_dpi_pool_avg(const uint32_t *geometry, const uint32_t *out, int shift, void *x, void *y)
{
	static const char where[] = "mch_pool_avg";
	struct mch_requant o;
	struct mch_pool g;
	int32_t *xs, *ys;
	if (mch_dpi_out(where, out, &o) != 0 || mch_dpi_need(where, "out_kind", o.number, MCH_FIXED, MCH_FIXED) != 0 ||
	    mch_dpi_need(where, "relu", o.relu, 0, 0) != 0 || mch_dpi_need(where, "wraps", o.wraps, 0, 0) != 0 ||
	    mch_dpi_need(where, "round", o.round, 0, MCH_ROUND_HALF_EVEN) != 0 ||
	    mch_dpi_need(where, "shift", shift, MCH_SHIFT_MIN, AVG_SHIFT_MAX) != 0 ||
	    need_pool(where, geometry, x, y, &g, &xs, &ys) != 0)
		return -1;
	const struct mch_pool_avg cfg = {o.out_bits, o.out_signed, o.round, shift};
	mch_pool_avg(&g, &cfg, xs, ys, NULL);
	return 0;
}

int mch_dpi_eltwise(int kind, int left_a, int left_b, unsigned char is_b_taken_off, void *a, void *b, void *acc)
{
	static const char where[] = "mch_eltwise";
	const size_t n = mch_dpi_elems(acc);
	const int left_max = kind == MCH_ELTWISE_PROD ? 0 : MCH_ELTWISE_LEFT_MAX;
	int32_t *x[2];
	int64_t *sums;
	if (mch_dpi_need(where, "kind", kind, MCH_ELTWISE_SUM, MCH_ELTWISE_MAX) != 0 ||
	    mch_dpi_need(where, "left_a", left_a, 0, left_max) != 0 || mch_dpi_need(where, "left_b", left_b, 0, left_max) != 0 ||
	    mch_dpi_need(where, "is_b_taken_off", is_b_taken_off, 0, kind == MCH_ELTWISE_SUM) != 0 ||
	    mch_dpi_longs(where, "acc", acc, 1, &sums) != 0 || mch_dpi_ints(where, "a", a, n, &x[0]) != 0 ||
	    mch_dpi_ints(where, "b", b, n, &x[1]) != 0 ||
	    mch_dpi_need_all(where, "a", x[0], n, MCH_DPI_X_MIN, MCH_DPI_X_MAX) != 0 ||
	    mch_dpi_need_all(where, "b", x[1], n, MCH_DPI_X_MIN, MCH_DPI_X_MAX) != 0)
		return -1;
	const struct mch_shape shape = {1, (int)n, 1, 1};
	const struct mch_eltwise_in in[] = {{shape, left_a, false}, {shape, left_b, is_b_taken_off != 0}};
	const struct mch_eltwise cfg = {(enum mch_eltwise_kind)kind, 2, in, shape};
	mch_eltwise(&cfg, 1, (const int32_t *const *)x, sums);
	return 0;
}
