/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Descriptors for the bench of mch_seq: the rules of docs/accelerator.md "seq" as a table, legal ones, spoiled ones. */
#ifndef MCH_TB_SEQ_CASE_H
#define MCH_TB_SEQ_CASE_H

#include <cstdint>
#include <vector>

extern "C" {
#include "arch/map.h"
}
#include "sim/stimulus.h"

#ifndef DUT_MEAN
#define DUT_MEAN 1
#endif
#ifndef DUT_DEPTHWISE
#define DUT_DEPTHWISE 1
#endif

namespace mch_tb {

using mch_sim::chance;

enum Trouble {
	NONE,
	FIELD,
	OVERFLOW,
	LEFT,
	TOO_MANY,
	STUCK,
	READ_ERROR,
	WRITE_ERROR,
	DEAD,
	RESET,
	ENDLESS,
	N_TROUBLES
};

/* The rules of the specification, a line each: low and high are both legal. */
struct Rule {
	int word, low_bit, bits;
	uint32_t low, high;
};
const uint32_t SIZE = (1u << 24) - 1;
const Rule rules[] = {{0, 16, 5, 1, DUT_OUT_BITS}, {4, 0, 16, 1, 65535},  {5, 0, 8, 1, DUT_COLS},
		      {6, 0, 16, 1, 65535},	   {6, 16, 16, 1, 65535}, {7, 0, 8, 1, 255},
		      {7, 8, 8, 1, 255},	   {7, 16, 16, 1, 65535}, {8, 0, 8, 1, 255},
		      {8, 8, 8, 1, 255},	   {9, 0, 32, 1, SIZE},	  {10, 0, 32, 1, SIZE},
		      {11, 0, 32, 1, SIZE},	   {12, 0, 32, 0, SIZE},  {13, 0, 32, 1, SIZE},
		      {14, 0, 32, 1, SIZE},	   {15, 0, 32, 1, SIZE},  {16, 0, 16, 1, 65535},
		      {19, 0, 32, 0, SIZE},	   {21, 0, 32, 0, SIZE},  {24, 0, 32, 0, SIZE}};

struct Words {
	uint32_t w[32] = {};
	uint32_t get(int word, int low, int bits) const { return w[word] >> low & (UINT32_MAX >> (32 - bits)); }
	void set(int word, int low, int bits, uint32_t v)
	{
		const uint32_t mask = (UINT32_MAX >> (32 - bits)) << low;
		w[word] = (w[word] & ~mask) | (v << low & mask);
	}
};

/* The lowest illegal word, or -1. */
inline int first_illegal(const Words &d)
{
	static const uint32_t used[32] = MCH_DESCRIPTOR_USED;
	const uint32_t op = d.w[0] & 3;
	for (int i = 0; i < 32; i++) {
		bool bad = (d.w[i] & ~used[i]) != 0;
		for (const Rule &r : rules)
			if (r.word == i && op != MCH_OP_STOP)
				bad |= d.get(i, r.low_bit, r.bits) < r.low || d.get(i, r.low_bit, r.bits) > r.high;
		if (op != MCH_OP_STOP) {
			const uint32_t taps = d.get(25, 24, 8);
			const bool is_own = op != MCH_OP_CONV || taps;
			const uint32_t x1 = d.w[4] >> 16;
			bad |= i == 0 && op == MCH_OP_MEAN && !DUT_MEAN;
			bad |= i == 4 && x1 && is_own;
			bad |= i == 25 && taps && (op != MCH_OP_CONV || !DUT_DEPTHWISE);
			bad |= i == 5 && x1 && (d.get(5, 8, 8) < 1 || d.get(5, 8, 8) > DUT_COLS);
			bad |= i == 7 && is_own && d.get(7, 16, 16) != d.get(4, 0, 16);
			bad |= i == 17 && d.w[17] != d.w[16] * DUT_ROWS;
			bad |= i == 18 && d.w[18] >= d.get(6, 16, 16);
			bad |= i == 21 && (d.w[21] == 0) != (op == MCH_OP_MAX);
		}
		if (bad)
			return i;
	}
	return -1;
}

inline Words legal(mch_rng *rng, uint32_t op)
{
	static const uint32_t used[32] = MCH_DESCRIPTOR_USED;
	Words d;
	for (int i = 0; i < 32; i++)
		d.w[i] = static_cast<uint32_t>(mch_rng_next(rng)) & used[i];
	op = op == MCH_OP_MEAN && !DUT_MEAN ? static_cast<uint32_t>(MCH_OP_MAX) : op;
	d.set(0, 0, 2, op);
	for (const Rule &r : rules) {
		const uint32_t pick = mch_rng_below(rng, 4), span = r.high - r.low;
		const uint32_t v = pick == 0 ? r.low : pick == 1 ? r.high : r.low + mch_rng_below(rng, span + 1);
		d.set(r.word, r.low_bit, r.bits, v);
	}
	const bool is_depthwise = op == MCH_OP_CONV && DUT_DEPTHWISE && chance(rng, 30);
	d.set(25, 24, 8, is_depthwise ? (chance(rng, 50) ? 1 + mch_rng_below(rng, 255) : 1u << mch_rng_below(rng, 8)) : 0);
	const bool is_own = op != MCH_OP_CONV || is_depthwise;
	d.set(4, 16, 16, !is_own && chance(rng, 50) ? 1 + mch_rng_below(rng, 65535) : 0);
	if (d.w[4] >> 16 || chance(rng, 50))
		d.set(5, 8, 8, 1 + mch_rng_below(rng, DUT_COLS));
	if (is_own)
		d.set(7, 16, 16, d.get(4, 0, 16));
	d.w[17] = d.w[16] * DUT_ROWS;
	const uint32_t out_q = d.get(6, 16, 16);
	d.w[18] = chance(rng, 30) ? out_q - 1 : mch_rng_below(rng, out_q);
	if (op == MCH_OP_MAX)
		d.w[21] = 0;
	else if (d.w[21] == 0)
		d.w[21] = 1;
	return d;
}

/* One field beyond its rule, or by a hair, or one bit that no field has. What
 * comes out may still be legal. */
inline void spoil(mch_rng *rng, Words *d)
{
	static const uint32_t used[32] = MCH_DESCRIPTOR_USED;
	const uint32_t kind = mch_rng_below(rng, DUT_MEAN ? 7 : 8);
	const Rule &r = rules[mch_rng_below(rng, sizeof(rules) / sizeof(*rules))];
	if (kind == 0)
		d->w[mch_rng_below(rng, 32)] ^= 1u << mch_rng_below(rng, 32);
	else if (kind == 1)
		d->set(r.word, r.low_bit, r.bits, 0);
	else if (kind == 2)
		d->set(r.word, r.low_bit, r.bits, r.high + 1);
	else if (kind == 3)
		d->w[17] += chance(rng, 50) ? 1 : UINT32_MAX;
	else if (kind == 4)
		d->w[18] = d->get(6, 16, 16);
	else if (kind == 5) {
		uint32_t word = 0, bit = 0;
		while (used[word] == UINT32_MAX || (used[word] >> bit & 1))
			word = mch_rng_below(rng, 32), bit = mch_rng_below(rng, 32);
		d->w[word] |= 1u << bit;
	} else if (kind == 6)
		d->set(25, 24, 8, 1 + mch_rng_below(rng, 255));
	else
		d->set(0, 0, 2, MCH_OP_MEAN);
}

struct Case {
	std::vector<Words> list;
	Trouble trouble = NONE;
	uint32_t at = 0; /* descriptor that it befalls */
	int slow = 0;	 /* percent of cycles in which a unit does nothing */
	int state = 0;	 /* of the sequencer, in which an error or a reset comes */
	bool twice = false; /* another error with it, or another reset while it drains or clears */
};

} // namespace mch_tb

#endif
