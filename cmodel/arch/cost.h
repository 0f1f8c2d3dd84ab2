/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a network costs in hardware at given widths: memory, work, time on an R x C array, and logic.
 * Host only: no RTL twin. Spec: docs/quantize.md "Cost". */
#ifndef MCH_ARCH_COST_H
#define MCH_ARCH_COST_H

#include <stdint.h>

#include "arch/accel.h"
#include "base/err.h"
#include "net/net.h"

/* The hardware. */
struct mch_cost_config {
	int rows, cols; /* of the array, 1..64 */
	int bus_bits;   /* that its memory moves in a cycle, 1..4096 */
};

/* What one lane of rtl/mch_mac.v takes of a Xilinx 7 device (arch/mac_cost.inc, measured by scripts/measure-cost). */
struct mch_mac_cost {
	int lut, ff, carry, dsp;
};

/* 1..16 bits each. has_dsp: with DSP slices, as Yosys places them; else in logic alone. */
struct mch_mac_cost mch_mac_cost(int x_bits, int w_bits, bool has_dsp);

/* What all of rtl/mch_top.v takes of a Xilinx 7 device: formulas fitted to synthesis (arch/accelerator_cost.inc, made
 * by scripts/measure-accelerator), of integer multipliers. The errors are the largest that the fit had on builds that
 * it had not seen, in percent. */
struct mch_accel_area {
	double lut, ff; /* LUTs that are memory are among them */
	int dsp;
	double bram; /* of 36 Kbit */
	double lut_error, ff_error;
};

struct mch_accel_area mch_accel_area(const struct mch_accel_config *cfg);

/* Of one layer that multiplies, for one image. */
struct mch_layer_cost {
	int x_bits, w_bits;
	uint64_t weight_bits; /* stored */
	uint64_t input_bits;  /* of the tensor that it reads */
	uint64_t output_bits;
	uint64_t macs;         /* multiplications */
	uint64_t bit_ops;      /* macs * x_bits * w_bits */
	uint64_t array_cycles; /* of the array, without stalls: arch/gemm.h */
	uint64_t traffic_bits; /* to and from memory: weights once, the input once for each channel tile, the output
				  once */
	uint64_t cycles;       /* the longer of array_cycles and traffic_bits / bus_bits */
	double utilisation;    /* macs / (rows * cols * array_cycles), 0..1 */
	double lut, dsp;       /* of rows * cols multipliers of these widths: in logic alone; with DSP slices */
};

/* What does not depend on widths, found once. */
struct mch_cost {
	struct mch_cost_config config;
	const struct mch_net *net;
	struct mch_layer_cost *layer; /* [n_layers], owned, widths left open; macs 0: the layer multiplies nothing */
	uint64_t *elems;              /* [n_edges], owned: values stored; 0: no layer reads them from memory */
	uint64_t *channel_tiles;      /* [n_layers], owned: how often the input is read */
	int end;                      /* edge that the integers end at */
};

/* The sums over a network. */
enum mch_cost_kind {
	MCH_COST_BITS, /* weights, and the tensors that layers make or read, each once */
	MCH_COST_BITOPS,
	MCH_COST_LUT, /* rows * cols multipliers without DSP slices, shared out among the layers by their work */
	MCH_COST_DSP, /* the same, slices */
	MCH_COST_CYCLES,
	MCH_COST_TRAFFIC, /* bits */
	MCH_N_COSTS
};

/* "bits", "bitops", "lut", "dsp", "cycles", "traffic". */
const char *mch_cost_name(enum mch_cost_kind kind);
int mch_cost_parse(const char *name, enum mch_cost_kind *kind);

/* net is lowered and outlives cost. 0, or -1 with err when memory is short. */
int mch_cost_init(struct mch_cost *cost, const struct mch_net *net, const struct mch_cost_config *config,
		  struct mch_err *err);
void mch_cost_free(struct mch_cost *cost);

/* Of layer i, at the widths of its weights, its input and its output; all zeros when it multiplies nothing. */
struct mch_layer_cost mch_cost_layer(const struct mch_cost *cost, int i, int w_bits, int x_bits, int y_bits);

/* Of the whole network: weight_bits [n_layers], edge_bits [n_edges]. */
double mch_cost_total(const struct mch_cost *cost, enum mch_cost_kind kind, const int8_t *weight_bits,
		      const int8_t *edge_bits);

#endif
