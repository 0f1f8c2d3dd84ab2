/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The array with one requantizer per column, cycle by cycle: every register of the RTL, under the same names.
 * Twin: rtl/mch_datapath.v. Spec: docs/datapath.md "datapath". */
#ifndef MCH_ARCH_DATAPATH_H
#define MCH_ARCH_DATAPATH_H

#include "arch/mac_array.h"
#include "fxp/round_shift.h"

/* What a build fixes (RTL parameters) and what a layer sets (pins that change only while the datapath is idle). */
struct mch_datapath_config {
	struct mch_mac_array_config array;
	int out_bits;         /* OUT_BITS, 1..16 */
	enum mch_round round; /* ROUND */
	bool out_wraps;       /* OUT_WRAP */
	enum mch_number out_kind; /* MCH_FIXED, or a minifloat of out_bits: OUT_KIND */
	int out_exp;          /* of a minifloat: OUT_EXP, 1..5 */
};
struct mch_datapath_layer {
	bool relu, y_signed;
	int y_bits; /* 1..OUT_BITS; of a minifloat not looked at */
};

/* Parameters of the columns, taken with `load`. */
struct mch_datapath_in {
	struct mch_mac_array_in array; /* its out_ready is ignored: the requantizers drive that pin */
	bool out_ready;
	bool load;
	const int64_t *bias;   /* [cols] */
	const int8_t *shift;   /* [cols] */
	const uint16_t *noise; /* [cols] seeds, mch_lfsr_seed */
	/* A row of sums from elsewhere, taken when mch_datapath_sum_ready. */
	bool sum_valid;
	const int64_t *sum; /* [cols] */
};

/* The registers of one column's requantizer. */
struct mch_datapath_lane {
	int64_t bias;
	int shift;
	uint16_t noise; /* the LFSR; steps only in a stochastic build */
	int64_t sum;
	int shift1;
	uint16_t noise1;
	int64_t round; /* of a minifloat: y, and sat above it */
	int32_t y;     /* of a minifloat: as memory has it */
	bool sat;
};

struct mch_datapath {
	struct mch_datapath_config cfg;
	struct mch_datapath_layer layer;
	struct mch_mac_array array;
	bool valid1, valid2, valid3; /* alike in all columns */
	struct mch_datapath_lane *lane; /* [cols] */
};

/* 0, or -1 with err when a parameter is out of range or memory is short. All registers start as 0. */
int mch_datapath_init(struct mch_datapath *d, const struct mch_datapath_config *cfg, struct mch_err *err);
void mch_datapath_free(struct mch_datapath *d);

/* What rst_ni does: the control registers clear, the data registers keep what they hold. */
void mch_datapath_reset(struct mch_datapath *d);

static inline bool mch_datapath_in_ready(const struct mch_datapath *d)
{
	return mch_mac_array_in_ready(&d->array);
}
static inline bool mch_datapath_out_valid(const struct mch_datapath *d)
{
	return d->valid3;
}

/* Takes a row of sums at this edge: the requantizers move and the array has none to give. */
static inline bool mch_datapath_sum_ready(const struct mch_datapath *d, bool out_ready)
{
	return (!d->valid3 || out_ready) && !mch_mac_array_out_valid(&d->array);
}

/* Nothing in flight: a layer's pins may change. Pin idle_o. */
bool mch_datapath_idle(const struct mch_datapath *d);

/* One rising edge. */
void mch_datapath_step(struct mch_datapath *d, const struct mch_datapath_in *in);

#endif
