/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The functions of the package that call cmodel/arch/datapath.h: the cycle model behind a chandle. */
#include "arch/datapath.h"

#include <stdlib.h>

#include "dpi/array.h"
#include "dpi/check.h"
#include "dpi/history.h"
#include "dpi/macchiato_dpi.h"
#include "dpi/report.h"
#include "dpi/twin.h"

enum { SHIFT_PIN_BITS = 6, STAGES = 3 };
static const char kind[] = "datapath";

/* What entered the requantizers as one row, for the likely cause of a difference. */
struct row {
	bool from_array;
	unsigned tile; /* of the array's */
	int number;    /* row of the tile */
	int64_t acc[MCH_DPI_LANES_MAX], bias[MCH_DPI_LANES_MAX];
	int shift[MCH_DPI_LANES_MAX];
	uint16_t noise[MCH_DPI_LANES_MAX];
};

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
	struct mch_dpi_history history;
	struct row row[STAGES + 1];
	unsigned entered;      /* rows so far: the next goes to row[entered % (STAGES + 1)] */
	unsigned stage[STAGES]; /* which row each holds, where it holds one */
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
	mch_dpi_history_reset(&t->history);
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
	mch_dpi_history_free(&t->history);
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
	mch_dpi_history_reset(&t->history);
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

/* Of fixed point. */
static const char *row_hint(const struct datapath_twin *t, const int64_t *got, const bool *flag, char *text)
{
	const struct mch_datapath *d = &t->datapath;
	const struct mch_mac_array_config *c = &d->cfg.array;
	const struct row *row = &t->row[t->stage[STAGES - 1]];
	struct mch_hint_seen seen[MCH_DPI_LANES_MAX] = {0};
	int32_t *terms = row->from_array ? mch_dpi_history_terms(&t->history, c, row->tile, row->number, seen) : NULL;
	for (int j = 0; j < c->cols; j++) {
		seen[j].acc = terms ? 0 : row->acc[j];
		seen[j].bias = row->bias[j];
		seen[j].shift = row->shift[j];
		seen[j].noise = row->noise[j];
		seen[j].got = got[j];
		seen[j].flag = flag[j];
	}
	const struct mch_requant requant = {.out_bits = d->layer.y_bits,
					    .out_signed = d->layer.y_signed,
					    .relu = d->layer.relu,
					    .round = d->cfg.round,
					    .wraps = d->cfg.out_wraps};
	const bool x_signed = mch_dpi_history_x_signed(&t->history, row->tile);
	const struct mch_hint_unit unit = {c->acc, c->x_bits, c->w_bits, x_signed, true, &requant};
	const char *hint = mch_hint(&unit, seen, c->cols, text);
	free(terms);
	return hint;
}

/* Codes as the pins have them: the register's low bits. */
static bool row_agrees(const struct datapath_twin *t, const uint32_t *y, const uint32_t *sat)
{
	const struct mch_datapath *d = &t->datapath;
	const uint64_t cycle = d->array.cycle - t->reset;
	const bool is_fixed = d->cfg.out_kind == MCH_FIXED, is_signed = is_fixed && d->layer.y_signed;
	const int bits = d->cfg.out_bits;
	int64_t want[MCH_DPI_LANES_MAX], got[MCH_DPI_LANES_MAX];
	bool flag[MCH_DPI_LANES_MAX];
	int differs = -1; /* the first column that does */
	for (int j = d->cfg.array.cols - 1; j >= 0; j--) {
		want[j] = mch_wrap_code(d->lane[j].y, bits, is_signed);
		got[j] = mch_wrap_code((int64_t)mch_dpi_get(y, j, bits), bits, is_signed);
		flag[j] = mch_dpi_get(sat, j, 1) != 0;
		if (got[j] != want[j] || flag[j] != d->lane[j].sat)
			differs = j;
	}
	if (differs < 0)
		return true;
	char text[MCH_HINT_BYTES];
	const char *hint = is_fixed ? row_hint(t, got, flag, text) : NULL;
	if (got[differs] != want[differs])
		mch_dpi_report_pin("y_o", differs, cycle, want[differs], got[differs], bits, is_signed, hint);
	else
		mch_dpi_report_pin("sat_o", differs, cycle, d->lane[differs].sat, flag[differs], 1, false, hint);
	return false;
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

/* Before the model's step, as it moves its requantizers. */
static void keep_row(struct datapath_twin *t, const struct mch_datapath_in *in)
{
	const struct mch_datapath *d = &t->datapath;
	if (d->valid3 && !in->out_ready)
		return;
	t->stage[2] = t->stage[1];
	t->stage[1] = t->stage[0];
	const bool from_array = mch_mac_array_out_valid(&d->array);
	if (!from_array && !in->sum_valid)
		return;
	t->stage[0] = t->entered++ % (STAGES + 1);
	struct row *row = &t->row[t->stage[0]];
	row->from_array = from_array;
	row->tile = t->history.n_banked - 1;
	row->number = d->cfg.array.rows - d->array.n_out;
	for (int j = 0; j < d->cfg.array.cols; j++) {
		row->acc[j] = from_array ? d->array.bank[j] : in->sum[j];
		row->bias[j] = d->lane[j].bias;
		row->shift[j] = d->lane[j].shift;
		row->noise[j] = d->lane[j].noise;
	}
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
	keep_row(t, &in);
	mch_dpi_history_edge(&t->history, &t->datapath.array, &in.array);
	mch_datapath_step(&t->datapath, &in);
	t->load = t->sum_valid = false;
	return 0;
}
