/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The array with its requantizers, cycle by cycle; see datapath.h. */
#include "arch/datapath.h"

#include <stdlib.h>
#include <string.h>

#include "fxp/encode.h"
#include "fxp/lfsr.h"
#include "op/requant.h"

/* A minifloat, signed, that rtl/mch_encode.v makes. */
static bool is_encodable(const struct mch_datapath_config *cfg)
{
	const struct mch_format y = {cfg->out_bits, 0, true, cfg->out_kind, cfg->out_exp};
	const int mantissa = cfg->out_bits - 1 - cfg->out_exp;
	return mch_number_is_minifloat(cfg->out_kind) && mch_format_is_operand(y) &&
	       mantissa >= (cfg->out_kind == MCH_MINIFLOAT_FN ? 2 : 1) && !cfg->out_wraps;
}

int mch_datapath_init(struct mch_datapath *d, const struct mch_datapath_config *cfg, struct mch_err *err)
{
	memset(d, 0, sizeof(*d));
	if (cfg->out_bits < 1 || cfg->out_bits > 16)
		return mch_err_set(err, "datapath", "outputs of %d bits are out of range; OUT_BITS is 1 to 16", cfg->out_bits);
	if (cfg->out_kind != MCH_FIXED && !is_encodable(cfg))
		return mch_err_set(err, "datapath",
				   "outputs of kind %d with %d bits, %d of them exponent, are none that are made; OUT_KIND is 1 to 4, "
				   "OUT_EXP 1 to 5, with a mantissa, and OUT_WRAP 0",
				   cfg->out_kind, cfg->out_bits, cfg->out_exp);
	if (mch_mac_array_init(&d->array, &cfg->array, err) != 0)
		return -1;
	d->cfg = *cfg;
	d->layer = (struct mch_datapath_layer){false, true, cfg->out_bits};
	d->lane = calloc((size_t)cfg->array.cols, sizeof(*d->lane));
	if (!d->lane) {
		mch_datapath_free(d);
		return mch_err_set(err, "datapath", "out of memory; use a machine with more");
	}
	for (int j = 0; j < cfg->array.cols; j++) /* a shift register of 0 reads as the smallest shift */
		d->lane[j].shift = d->lane[j].shift1 = MCH_SHIFT_MIN;
	return 0;
}

void mch_datapath_free(struct mch_datapath *d)
{
	mch_mac_array_free(&d->array);
	free(d->lane);
	d->lane = NULL;
}

void mch_datapath_reset(struct mch_datapath *d)
{
	mch_mac_array_reset(&d->array);
	d->valid1 = d->valid2 = d->valid3 = false;
}

bool mch_datapath_idle(const struct mch_datapath *d)
{
	return mch_mac_array_idle(&d->array) && !(d->valid1 || d->valid2 || d->valid3);
}

static int32_t code_of(const struct mch_datapath *d, int64_t rounded, bool *sat)
{
	const struct mch_datapath_layer *l = &d->layer;
	const int64_t kept = mch_sat(rounded, l->y_bits, l->y_signed, sat);
	return (int32_t)(d->cfg.out_wraps ? mch_wrap_code(rounded, l->y_bits, l->y_signed) : kept);
}

/* Stages 3 and 2. */
static void step_fixed(const struct mch_datapath *d, struct mch_datapath_lane *lane)
{
	if (d->valid2)
		lane->y = code_of(d, lane->round, &lane->sat);
	if (d->valid1)
		lane->round = mch_round_shift(lane->sum, lane->shift1, d->cfg.round, lane->noise1);
}

static void step_minifloat(const struct mch_datapath *d, struct mch_datapath_lane *lane)
{
	const struct mch_format y = {d->cfg.out_bits, 0, d->layer.y_signed, d->cfg.out_kind, d->cfg.out_exp};
	if (d->valid2) {
		lane->sat = lane->round >> y.bits & 1;
		lane->y = (int32_t)(lane->round & ((INT64_C(1) << y.bits) - 1));
	}
	if (d->valid1) {
		bool sat;
		const uint32_t memory = mch_encode(y, lane->sum, lane->shift1, d->cfg.round, lane->noise1, &sat);
		lane->round = (int64_t)sat << y.bits | memory;
	}
}

/* From the last stage to the first, so that each reads what its predecessor held before the edge. A data register
 * loads only when its stage takes a value. */
static void step_lane(const struct mch_datapath *d, struct mch_datapath_lane *lane, int64_t acc, bool valid)
{
	if (d->cfg.out_kind == MCH_FIXED)
		step_fixed(d, lane);
	else
		step_minifloat(d, lane);
	if (valid) {
		lane->sum = mch_requant_sum(d->layer.relu, acc, lane->bias);
		lane->shift1 = lane->shift;
		lane->noise1 = lane->noise;
		lane->noise = mch_lfsr_next(lane->noise);
	}
}

static void load_lanes(struct mch_datapath *d, const struct mch_datapath_in *in)
{
	for (int j = 0; j < d->cfg.array.cols; j++) {
		d->lane[j].bias = in->bias[j];
		d->lane[j].shift = in->shift[j];
		d->lane[j].noise = in->noise[j];
	}
}

void mch_datapath_step(struct mch_datapath *d, const struct mch_datapath_in *in)
{
	const bool en = !d->valid3 || in->out_ready;
	const bool from_array = mch_mac_array_out_valid(&d->array), valid = from_array || in->sum_valid;
	const int64_t *row = from_array ? d->array.bank : in->sum;
	if (en) {
		const bool moves = d->array.has_data && (valid || d->valid1 || d->valid2);
		for (int j = 0; moves && j < d->cfg.array.cols; j++)
			step_lane(d, &d->lane[j], valid ? row[j] : 0, valid);
		d->valid3 = d->valid2;
		d->valid2 = d->valid1;
		d->valid1 = valid;
	}
	if (in->load && d->array.has_data)
		load_lanes(d, in);
	struct mch_mac_array_in array = in->array;
	array.out_ready = en;
	mch_mac_array_step(&d->array, &array);
}
