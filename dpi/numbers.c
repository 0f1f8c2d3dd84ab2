/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The functions of the package that call cmodel/fxp/. */
#include "base/rng.h"
#include "dpi/check.h"
#include "dpi/macchiato_dpi.h"
#include "fxp/encode.h"
#include "fxp/lfsr.h"

enum { NOISE_MAX = (1 << MCH_NOISE_BITS) - 1, SAT_BITS_MAX = 49 };
static const long long SUM_MAX = (1LL << 48) - 1;    /* of 49 bits: an accumulator and its bias */
static const long long ADDEND_MAX = (1LL << 62) - 1; /* as fxp/mac.h states */

long long mch_dpi_random(long long *state)
{
	struct mch_rng rng = mch_rng_seed((uint64_t)*state);
	const uint64_t value = mch_rng_next(&rng);
	*state = (long long)rng.state;
	return (long long)value;
}

int mch_dpi_sat(long long v, int bits, unsigned char is_signed, long long *y, unsigned char *saturated)
{
	if (mch_dpi_need("mch_sat", "bits", bits, 1, SAT_BITS_MAX) != 0)
		return -1;
	bool outside;
	*y = mch_sat(v, bits, is_signed != 0, &outside);
	*saturated = outside;
	return 0;
}

int mch_dpi_wrap(long long v, int bits, unsigned char is_signed, long long *y)
{
	if (mch_dpi_need("mch_wrap", "bits", bits, 1, SAT_BITS_MAX) != 0)
		return -1;
	*y = mch_wrap_code(v, bits, is_signed != 0);
	return 0;
}

static int need_shift(const char *where, long long v, int shift, int round, int noise)
{
	return mch_dpi_need(where, "v", v, -SUM_MAX - 1, SUM_MAX) != 0 ||
			       mch_dpi_need(where, "shift", shift, MCH_SHIFT_MIN, MCH_SHIFT_MAX) != 0 ||
			       mch_dpi_need(where, "round", round, 0, MCH_N_ROUNDS - 1) != 0 ||
			       mch_dpi_need(where, "noise", noise, 0, NOISE_MAX) != 0
		       ? -1
		       : 0;
}

int mch_dpi_round_shift(long long v, int shift, int round, int noise, long long *y)
{
	if (need_shift("mch_round_shift", v, shift, round, noise) != 0)
		return -1;
	*y = mch_round_shift(v, shift, (enum mch_round)round, (uint32_t)noise);
	return 0;
}

int mch_dpi_encode(const uint32_t *out, long long v, int shift, int noise, int *y, unsigned char *saturated)
{
	struct mch_requant o;
	if (mch_dpi_out("mch_encode", out, &o) != 0 ||
	    mch_dpi_need("mch_encode", "out_kind", o.number, MCH_MINIFLOAT, MCH_MINIFLOAT_FLUSH) != 0 ||
	    need_shift("mch_encode", v, shift, o.round, noise) != 0)
		return -1;
	const struct mch_format f = {o.out_bits, 0, o.out_signed, o.number, o.exp_bits};
	bool outside;
	*y = (int)mch_encode(f, v, shift, o.round, (uint32_t)noise, &outside);
	*saturated = outside;
	return 0;
}

int mch_dpi_integer(int bits, unsigned char is_signed, int kind, int exp, int memory, long long *integer)
{
	static const char where[] = "mch_integer";
	if (mch_dpi_need(where, "bits", bits, 1, MCH_OPERAND_BITS_MAX) != 0 ||
	    mch_dpi_need(where, "kind", kind, MCH_FIXED, MCH_N_NUMBERS - 1) != 0 ||
	    mch_dpi_need(where, "memory", memory, 0, (1 << bits) - 1) != 0)
		return -1;
	const bool is_minifloat = mch_number_is_minifloat((enum mch_number)kind);
	const struct mch_format f = {bits, 0, is_signed != 0, (enum mch_number)kind, is_minifloat ? exp : 0};
	if (!mch_format_is_operand(f))
		return mch_err_set(&mch_dpi_err, where, "no operand of kind %d has %d bits and %d of exponent; see docs/datapath.md \"number\"",
				   kind, bits, exp);
	const int64_t code = is_minifloat ? mch_minifloat_code(f, (uint32_t)memory) : mch_wrap_code(memory, bits, f.is_signed);
	if (code < mch_format_min(f) || code > mch_format_max(f))
		return mch_err_set(&mch_dpi_err, where, "%d stands for no number of this kind; give a code below infinities and NaN", memory);
	*integer = mch_format_integer(f, code);
	return 0;
}

int mch_dpi_lfsr_seed(int seed, int channel, int *state)
{
	if (mch_dpi_need("mch_lfsr_seed", "channel", channel, 0, INT32_MAX - 1) != 0)
		return -1;
	*state = mch_lfsr_seed((uint32_t)seed, channel);
	return 0;
}

int mch_dpi_lfsr_next(int state, int *next)
{
	if (mch_dpi_need("mch_lfsr_next", "state", state, 1, NOISE_MAX) != 0)
		return -1;
	*next = mch_lfsr_next((uint16_t)state);
	return 0;
}

static int need_acc(const char *where, const uint32_t *acc_of, long long acc, struct mch_acc *cfg)
{
	if (mch_dpi_acc(where, acc_of, cfg) != 0)
		return -1;
	return mch_dpi_need(where, "acc", acc, -(1LL << (cfg->bits - 1)), (1LL << (cfg->bits - 1)) - 1);
}

int mch_dpi_acc_add(const uint32_t *acc_of, long long acc, long long addend, long long *y, unsigned char *over)
{
	struct mch_acc cfg;
	if (need_acc("mch_acc_add", acc_of, acc, &cfg) != 0 ||
	    mch_dpi_need("mch_acc_add", "addend", addend, -ADDEND_MAX, ADDEND_MAX) != 0)
		return -1;
	bool overflowed;
	*y = mch_acc_add(cfg, acc, addend, &overflowed);
	*over = overflowed;
	return 0;
}

int mch_dpi_mac(const uint32_t *acc_of, long long acc, int x, int w, long long *y, unsigned char *over)
{
	struct mch_acc cfg;
	if (need_acc("mch_mac", acc_of, acc, &cfg) != 0 ||
	    mch_dpi_need("mch_mac", "x", x, MCH_DPI_X_MIN, MCH_DPI_X_MAX) != 0 ||
	    mch_dpi_need("mch_mac", "w", w, -MCH_DPI_W_MAX, MCH_DPI_W_MAX) != 0)
		return -1;
	bool overflowed;
	*y = mch_mac(cfg, acc, x, w, &overflowed);
	*over = overflowed;
	return 0;
}

int mch_dpi_dot(const uint32_t *acc_of, long long acc, void *x, void *w, long long *y, unsigned char *over)
{
	const size_t n = mch_dpi_elems(x);
	struct mch_acc cfg;
	int32_t *xs, *ws;
	if (need_acc("mch_dot", acc_of, acc, &cfg) != 0 || mch_dpi_ints("mch_dot", "x", x, 1, &xs) != 0 ||
	    mch_dpi_ints("mch_dot", "w", w, n, &ws) != 0 ||
	    mch_dpi_need_all("mch_dot", "x", xs, n, MCH_DPI_X_MIN, MCH_DPI_X_MAX) != 0 ||
	    mch_dpi_need_all("mch_dot", "w", ws, n, -MCH_DPI_W_MAX, MCH_DPI_W_MAX) != 0)
		return -1;
	int64_t sum = acc;
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		bool overflowed;
		sum = mch_mac(cfg, sum, xs[i], ws[i], &overflowed);
		any |= overflowed;
	}
	*y = sum;
	*over = any;
	return 0;
}
