/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The functions of the package that call cmodel/arch/mac_array.h: the cycle model behind a chandle. */
#include "dpi/array.h"

#include <stdlib.h>

#include "dpi/check.h"
#include "dpi/history.h"
#include "dpi/macchiato_dpi.h"
#include "dpi/report.h"
#include "dpi/twin.h"

static const char kind[] = "array";

struct array_twin {
	struct mch_dpi_twin twin;
	struct mch_mac_array array;
	uint64_t reset; /* its cycle: reports count from there, so that a case alone gives the same one */
	struct mch_dpi_history history;
	int32_t x[MCH_DPI_LANES_MAX], w[MCH_DPI_LANES_MAX];
};

int mch_dpi_array_config(const char *where, const int *field, struct mch_mac_array_config *cfg)
{
	enum { ROWS, COLS, X_BITS, W_BITS, ACC_BITS, ACC_SAT, MULT, W_KIND, PACK, X_KIND, X_EXP, W_EXP };
	const int *f = field;
	if (mch_dpi_need(where, "acc_sat", f[ACC_SAT], MCH_WRAP, MCH_SATURATE) != 0 ||
	    mch_dpi_need(where, "mult", f[MULT], MCH_MULT_INTEGER, MCH_MULT_MINIFLOAT) != 0 ||
	    mch_dpi_need(where, "pack", f[PACK], 0, 1) != 0)
		return -1;
	*cfg = (struct mch_mac_array_config){f[ROWS], f[COLS], f[X_BITS], f[W_BITS],
					     {f[ACC_BITS], (enum mch_overflow)f[ACC_SAT]},
					     (enum mch_mult)f[MULT], (enum mch_number)f[W_KIND], f[PACK] != 0,
					     (enum mch_number)f[X_KIND], f[X_EXP], f[W_EXP]};
	return 0;
}

/* Minifloats go in as memory has them, weights of other kinds as signed codes. */
void mch_dpi_operands(const struct mch_mac_array_config *cfg, bool x_signed, const uint32_t *x, const uint32_t *w, int32_t *xs,
		      int32_t *ws)
{
	const bool is_memory = cfg->mult == MCH_MULT_MINIFLOAT;
	for (int i = 0; i < cfg->rows; i++)
		xs[i] = (int32_t)(x_signed && !is_memory ? mch_dpi_get_signed(x, i, cfg->x_bits)
							 : (int64_t)mch_dpi_get(x, i, cfg->x_bits));
	for (int j = 0; j < cfg->cols; j++)
		ws[j] = (int32_t)(is_memory ? (int64_t)mch_dpi_get(w, j, cfg->w_bits) : mch_dpi_get_signed(w, j, cfg->w_bits));
}

int mch_dpi_array_new(const uint32_t *config, void **array)
{
	int f[MCH_DPI_ARRAY_FIELDS];
	for (int i = 0; i < MCH_DPI_ARRAY_FIELDS; i++)
		f[i] = mch_dpi_field(config, MCH_DPI_ARRAY_FIELDS, i);
	struct mch_mac_array_config cfg;
	if (mch_dpi_array_config("mch_array_new", f, &cfg) != 0)
		return -1;
	struct array_twin *t = calloc(1, sizeof(*t));
	if (!t)
		return mch_err_set(&mch_dpi_err, "mch_array_new", "out of memory; use a machine with more");
	if (mch_mac_array_init(&t->array, &cfg, &mch_dpi_err) != 0) {
		free(t);
		return -1;
	}
	mch_dpi_history_reset(&t->history);
	mch_dpi_twin_add(&t->twin, kind);
	*array = t;
	return 0;
}

int mch_dpi_array_free(void *array)
{
	struct array_twin *t = mch_dpi_twin_find("mch_array_free", array, kind);
	if (!t)
		return -1;
	mch_dpi_twin_remove(&t->twin);
	mch_dpi_history_free(&t->history);
	mch_mac_array_free(&t->array);
	free(t);
	return 0;
}

int mch_dpi_array_reset(void *array)
{
	struct array_twin *t = mch_dpi_twin_find("mch_array_reset", array, kind);
	if (!t)
		return -1;
	mch_mac_array_reset(&t->array);
	mch_dpi_history_reset(&t->history);
	t->reset = t->array.cycle;
	return 0;
}

int mch_dpi_array_pins(void *array, unsigned char *in_ready, unsigned char *out_valid, unsigned char *idle, uint32_t *acc,
		       uint32_t *over)
{
	struct array_twin *t = mch_dpi_twin_find("mch_array_pins", array, kind);
	if (!t)
		return -1;
	const struct mch_mac_array *a = &t->array;
	int64_t flags[MCH_DPI_LANES_MAX];
	for (int j = 0; j < a->cfg.cols; j++)
		flags[j] = a->bank_over[j];
	*in_ready = mch_mac_array_in_ready(a);
	*out_valid = mch_mac_array_out_valid(a);
	*idle = mch_mac_array_idle(a);
	mch_dpi_put(acc, MCH_DPI_SUM_WORDS, a->bank, a->cfg.cols, a->cfg.acc.bits);
	mch_dpi_put(over, MCH_DPI_FLAG_WORDS, flags, a->cfg.cols, 1);
	return 0;
}

static bool pin_agrees(const struct array_twin *t, const char *pin, bool want, bool got)
{
	if (want != got)
		mch_dpi_report_pin(pin, -1, t->array.cycle - t->reset, want, got, 1, false, NULL);
	return want == got;
}

static bool row_agrees(const struct array_twin *t, const uint32_t *acc, const uint32_t *over)
{
	const struct mch_mac_array *a = &t->array;
	const uint64_t cycle = a->cycle - t->reset;
	const int bits = a->cfg.acc.bits, cols = a->cfg.cols;
	int64_t got[MCH_DPI_LANES_MAX];
	bool flag[MCH_DPI_LANES_MAX];
	int differs = -1; /* the first column that does */
	for (int j = cols - 1; j >= 0; j--) {
		got[j] = mch_dpi_get_signed(acc, j, bits);
		flag[j] = mch_dpi_get(over, j, 1) != 0;
		if (got[j] != a->bank[j] || flag[j] != a->bank_over[j])
			differs = j;
	}
	if (differs < 0)
		return true;
	char text[MCH_HINT_BYTES];
	const char *hint = mch_dpi_history_hint(&t->history, a, got, flag, text);
	if (got[differs] != a->bank[differs])
		mch_dpi_report_pin("out_acc_o", differs, cycle, a->bank[differs], got[differs], bits, true, hint);
	else
		mch_dpi_report_pin("out_over_o", differs, cycle, a->bank_over[differs], flag[differs], 1, false, hint);
	return false;
}

int mch_dpi_array_check(void *array, unsigned char in_ready, unsigned char out_valid, unsigned char idle, const uint32_t *acc,
			const uint32_t *over, unsigned char *agrees)
{
	struct array_twin *t = mch_dpi_twin_find("mch_array_check", array, kind);
	if (!t)
		return -1;
	const struct mch_mac_array *a = &t->array;
	*agrees = pin_agrees(t, "in_ready_o", mch_mac_array_in_ready(a), in_ready) &&
		  pin_agrees(t, "out_valid_o", mch_mac_array_out_valid(a), out_valid) &&
		  pin_agrees(t, "idle_o", mch_mac_array_idle(a), idle) && (!out_valid || row_agrees(t, acc, over));
	return 0;
}

int mch_dpi_array_step(void *array, unsigned char in_valid, unsigned char in_first, unsigned char in_last,
		       unsigned char x_signed, unsigned char out_ready, const uint32_t *x, const uint32_t *w)
{
	struct array_twin *t = mch_dpi_twin_find("mch_array_step", array, kind);
	if (!t)
		return -1;
	if (in_valid)
		mch_dpi_operands(&t->array.cfg, x_signed != 0, x, w, t->x, t->w);
	const struct mch_mac_array_in in = {.valid = in_valid != 0,
					    .first = in_first != 0,
					    .last = in_last != 0,
					    .x = t->x,
					    .w = t->w,
					    .out_ready = out_ready != 0,
					    .x_signed = x_signed != 0};
	mch_dpi_history_edge(&t->history, &t->array, &in);
	mch_mac_array_step(&t->array, &in);
	return 0;
}
