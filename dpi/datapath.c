/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The functions of the package that call cmodel/arch/datapath.h: the cycle model behind a chandle. */
#include "arch/datapath.h"

#include <stdlib.h>

#include "dpi/array.h"
#include "dpi/check.h"
#include "dpi/macchiato_dpi.h"
#include "dpi/report.h"
#include "dpi/twin.h"

enum { SHIFT_PIN_BITS = 6 };
static const char kind[] = "datapath";

struct datapath_twin {
	struct mch_dpi_twin twin;
	struct mch_datapath datapath;
	uint64_t reset; /* as in array.c */
	bool x_signed;
	bool load, sum_valid; /* at the next edge */
	int64_t bias[MCH_DPI_LANES_MAX], sum[MCH_DPI_LANES_MAX];
	int8_t shift[MCH_DPI_LANES_MAX];
	uint16_t noise[MCH_DPI_LANES_MAX];
	int32_t x[MCH_DPI_LANES_MAX], w[MCH_DPI_LANES_MAX];
};

int mch_dpi_datapath_new(const uint32_t *config, void **datapath)
{
	static const char where[] = "mch_datapath_new";
	enum { OUT_BITS = MCH_DPI_ARRAY_FIELDS, ROUND, OUT_WRAP, OUT_KIND, OUT_EXP, N_FIELDS };
	int f[N_FIELDS];
	for (int i = 0; i < N_FIELDS; i++)
		f[i] = mch_dpi_field(config, N_FIELDS, i);
	struct mch_datapath_config cfg;
	if (mch_dpi_array_config(where, f, &cfg.array) != 0 || mch_dpi_need(where, "round", f[ROUND], 0, MCH_N_ROUNDS - 1) != 0 ||
	    mch_dpi_need(where, "out_wrap", f[OUT_WRAP], 0, 1) != 0)
		return -1;
	cfg.out_bits = f[OUT_BITS];
	cfg.round = (enum mch_round)f[ROUND];
	cfg.out_wraps = f[OUT_WRAP] != 0;
	cfg.out_kind = (enum mch_number)f[OUT_KIND];
	cfg.out_exp = f[OUT_EXP];
	struct datapath_twin *t = calloc(1, sizeof(*t));
	if (!t)
		return mch_err_set(&mch_dpi_err, where, "out of memory; use a machine with more");
	if (mch_datapath_init(&t->datapath, &cfg, &mch_dpi_err) != 0) {
		free(t);
		return -1;
	}
	mch_dpi_twin_add(&t->twin, kind);
	*datapath = t;
	return 0;
}

int mch_dpi_datapath_free(void *datapath)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_free", datapath, kind);
	if (!t)
		return -1;
	mch_dpi_twin_remove(&t->twin);
	mch_datapath_free(&t->datapath);
	free(t);
	return 0;
}

int mch_dpi_datapath_reset(void *datapath)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_reset", datapath, kind);
	if (!t)
		return -1;
	mch_datapath_reset(&t->datapath);
	t->reset = t->datapath.array.cycle;
	return 0;
}

int mch_dpi_datapath_layer(void *datapath, unsigned char x_signed, unsigned char relu, unsigned char y_signed, int y_bits)
{
	static const char where[] = "mch_datapath_layer";
	struct datapath_twin *t = mch_dpi_twin_find(where, datapath, kind);
	if (!t || mch_dpi_need(where, "y_bits", y_bits, 1, t->datapath.cfg.out_bits) != 0)
		return -1;
	if (!mch_datapath_idle(&t->datapath))
		return mch_err_set(&mch_dpi_err, where, "the datapath is not idle; change the layer's pins while idle_o");
	t->x_signed = x_signed != 0;
	t->datapath.layer = (struct mch_datapath_layer){relu != 0, y_signed != 0, y_bits};
	return 0;
}

int mch_dpi_datapath_load(void *datapath, const uint32_t *bias, const uint32_t *shift, const uint32_t *noise)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_load", datapath, kind);
	if (!t)
		return -1;
	for (int j = 0; j < t->datapath.cfg.array.cols; j++) {
		t->bias[j] = mch_dpi_get_signed(bias, j, t->datapath.cfg.array.acc.bits);
		t->shift[j] = (int8_t)((int)mch_dpi_get(shift, j, SHIFT_PIN_BITS) + MCH_SHIFT_MIN);
		t->noise[j] = (uint16_t)mch_dpi_get(noise, j, MCH_NOISE_BITS);
	}
	t->load = true;
	return 0;
}

int mch_dpi_datapath_sum(void *datapath, const uint32_t *sum)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_sum", datapath, kind);
	if (!t)
		return -1;
	for (int j = 0; j < t->datapath.cfg.array.cols; j++)
		t->sum[j] = mch_dpi_get_signed(sum, j, t->datapath.cfg.array.acc.bits);
	t->sum_valid = true;
	return 0;
}

int mch_dpi_datapath_pins(void *datapath, unsigned char out_ready, unsigned char *in_ready, unsigned char *sum_ready,
			  unsigned char *out_valid, unsigned char *idle, uint32_t *y, uint32_t *sat)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_pins", datapath, kind);
	if (!t)
		return -1;
	const struct mch_datapath *d = &t->datapath;
	int64_t codes[MCH_DPI_LANES_MAX], flags[MCH_DPI_LANES_MAX];
	for (int j = 0; j < d->cfg.array.cols; j++) {
		codes[j] = d->lane[j].y;
		flags[j] = d->lane[j].sat;
	}
	*in_ready = mch_datapath_in_ready(d);
	*sum_ready = mch_datapath_sum_ready(d, out_ready != 0);
	*out_valid = mch_datapath_out_valid(d);
	*idle = mch_datapath_idle(d);
	mch_dpi_put(y, MCH_DPI_OPERAND_WORDS, codes, d->cfg.array.cols, d->cfg.out_bits);
	mch_dpi_put(sat, MCH_DPI_FLAG_WORDS, flags, d->cfg.array.cols, 1);
	return 0;
}

static bool pin_agrees(const struct datapath_twin *t, const char *pin, bool want, bool got)
{
	if (want != got)
		mch_dpi_report_pin(pin, -1, t->datapath.array.cycle - t->reset, want, got, 1, false, NULL);
	return want == got;
}

/* Codes as the pins have them: the register's low bits. */
static bool row_agrees(const struct datapath_twin *t, const uint32_t *y, const uint32_t *sat)
{
	const struct mch_datapath *d = &t->datapath;
	const uint64_t cycle = d->array.cycle - t->reset;
	const bool is_signed = d->cfg.out_kind == MCH_FIXED && d->layer.y_signed;
	const int bits = d->cfg.out_bits;
	for (int j = 0; j < d->cfg.array.cols; j++) {
		const int64_t want = mch_wrap_code(d->lane[j].y, bits, is_signed);
		const int64_t got = mch_wrap_code((int64_t)mch_dpi_get(y, j, bits), bits, is_signed);
		const bool flag = mch_dpi_get(sat, j, 1) != 0;
		if (want != got) {
			mch_dpi_report_pin("y_o", j, cycle, want, got, bits, is_signed, NULL);
			return false;
		}
		if (flag != d->lane[j].sat) {
			mch_dpi_report_pin("sat_o", j, cycle, d->lane[j].sat, flag, 1, false, NULL);
			return false;
		}
	}
	return true;
}

int mch_dpi_datapath_check(void *datapath, unsigned char out_ready, unsigned char in_ready, unsigned char sum_ready,
			   unsigned char out_valid, unsigned char idle, const uint32_t *y, const uint32_t *sat, unsigned char *agrees)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_check", datapath, kind);
	if (!t)
		return -1;
	const struct mch_datapath *d = &t->datapath;
	*agrees = pin_agrees(t, "in_ready_o", mch_datapath_in_ready(d), in_ready) &&
		  pin_agrees(t, "sum_ready_o", mch_datapath_sum_ready(d, out_ready != 0), sum_ready) &&
		  pin_agrees(t, "out_valid_o", mch_datapath_out_valid(d), out_valid) &&
		  pin_agrees(t, "idle_o", mch_datapath_idle(d), idle) && (!out_valid || row_agrees(t, y, sat));
	return 0;
}

int mch_dpi_datapath_step(void *datapath, unsigned char in_valid, unsigned char in_first, unsigned char in_last,
			  unsigned char out_ready, const uint32_t *x, const uint32_t *w)
{
	struct datapath_twin *t = mch_dpi_twin_find("mch_datapath_step", datapath, kind);
	if (!t)
		return -1;
	if (in_valid)
		mch_dpi_operands(&t->datapath.cfg.array, t->x_signed, x, w, t->x, t->w);
	const struct mch_datapath_in in = {.array = {.valid = in_valid != 0,
						     .first = in_first != 0,
						     .last = in_last != 0,
						     .x = t->x,
						     .w = t->w,
						     .x_signed = t->x_signed},
					   .out_ready = out_ready != 0,
					   .load = t->load,
					   .bias = t->bias,
					   .shift = t->shift,
					   .noise = t->noise,
					   .sum_valid = t->sum_valid,
					   .sum = t->sum};
	mch_datapath_step(&t->datapath, &in);
	t->load = t->sum_valid = false;
	return 0;
}
