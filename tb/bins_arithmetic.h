/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bins of the arithmetic modules: what a rounding, a saturation, a minifloat, a product can meet (docs/datapath.md). They look at
 * operands and at what fxp/ makes of them, never at the RTL. */
#ifndef MCH_TB_BINS_ARITHMETIC_H
#define MCH_TB_BINS_ARITHMETIC_H

extern "C" {
#include <math.h>

#include "fxp/encode.h"
#include "fxp/mac.h"
#include "fxp/round_shift.h"
#include "fxp/sat.h"
#include "op/requant.h"
}
#include "sim/coverage.h"
#include "sim/stimulus.h"

namespace mch_tb {

/* v / 2^shift, rounded to y. */
struct SeenRound {
	int bits; /* of v */
	int64_t v;
	int shift;
	uint32_t noise;
	mch_round mode;
	int64_t y;

	/* What the shift drops, and what it keeps: of shift <= 0 nothing. */
	int64_t lost() const { return shift > 0 ? v & ((INT64_C(1) << shift) - 1) : 0; }
	int64_t kept() const { return shift > 0 ? v >> shift : v; }
	int64_t half() const { return shift > 0 ? INT64_C(1) << (shift - 1) : 0; }
	bool tie() const { return shift > 0 && lost() == half(); }
	bool odd() const { return kept() & 1; }
};

namespace round_bins {
typedef SeenRound Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("shift", MCH_SHIFT_MIN, MCH_SHIFT_MAX, s.shift),
	MCH_BINS("rounding mode", 0, 4, s.mode),
	MCH_BIN("tie above an even code", s.tie() && !s.odd() && s.v > 0),
	MCH_BIN("tie above an odd code", s.tie() && s.odd() && s.v > 0),
	MCH_BIN("negative tie above an even code", s.tie() && !s.odd() && s.v < 0),
	MCH_BIN("negative tie above an odd code", s.tie() && s.odd() && s.v < 0),
	MCH_BIN("one below a tie", s.shift > 1 && s.lost() == s.half() - 1),
	MCH_BIN("one above a tie", s.shift > 1 && s.lost() == s.half() + 1),
	MCH_BIN("a whole code", s.shift > 0 && s.lost() == 0 && s.v != 0),
	MCH_BIN("zero", s.v == 0),
	MCH_BIN("all ones, a little below zero", s.v == -1),
	MCH_BIN("highest value", s.v == mch_sim::high_code(s.bits, true)),
	MCH_BIN("lowest value", s.v == mch_sim::low_code(s.bits, true)),
	MCH_BIN("shift beyond all bits", s.shift >= s.bits),
	MCH_BIN("noise that just carries", s.mode == MCH_ROUND_STOCHASTIC && s.shift > 0 && s.lost() != 0 && s.y > s.kept()),
	MCH_BIN("noise that does not carry", s.mode == MCH_ROUND_STOCHASTIC && s.shift > 0 && s.lost() != 0 && s.y == s.kept()),
};
} // namespace round_bins

/* v brought into a code. */
struct SeenSat {
	int64_t v, y;
	int y_bits;
	bool y_signed, sat, wraps;

	int64_t high() const { return mch_sim::high_code(y_bits, y_signed); }
	int64_t low() const { return mch_sim::low_code(y_bits, y_signed); }
};

namespace sat_bins {
typedef SeenSat Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("bits of a signed code", 1, 16, s.y_signed ? s.y_bits : 0),
	MCH_BINS("bits of an unsigned code", 1, 16, s.y_signed ? 0 : s.y_bits),
	MCH_BIN("high rail", s.v == s.high()),
	MCH_BIN("low rail", s.v == s.low()),
	MCH_BIN("one below the high rail", s.v == s.high() - 1),
	MCH_BIN("one above the low rail", s.v == s.low() + 1),
	MCH_BIN("one beyond the high rail", s.v == s.high() + 1),
	MCH_BIN("one beyond the low rail, signed", s.v == s.low() - 1 && s.y_signed),
	MCH_BIN("minus one of an unsigned code", s.v == -1 && !s.y_signed),
	MCH_BIN("far beyond the high rail", s.v > 4 * s.high()),
	MCH_BIN("far beyond the low rail", s.v < 4 * s.low() - 4),
	MCH_BIN("wraps", s.wraps && s.sat),
};
} // namespace sat_bins

/* v / 2^shift as a minifloat y. */
struct SeenEncode {
	mch_format y;
	int64_t v;
	int shift;
	uint32_t memory;
	bool sat;

	int64_t magnitude() const { return llabs(mch_minifloat_code(y, memory)); }
	int64_t one() const { return INT64_C(1) << (y.bits - y.is_signed - y.exp_bits); } /* codes of an exponent */
	bool subnormals() const { return y.number != MCH_MINIFLOAT_FLUSH && one() > 1; }
	/* Exact: the integers of two codes have at most 47 bits. */
	double of(int64_t code) const { return ldexp(static_cast<double>(mch_format_integer(y, code)), shift); }
	double asked() const { return fabs(static_cast<double>(v)); }
	bool between(int64_t low) const { return !sat && 2 * asked() == of(low) + of(low + 1); }
	bool is_max() const { return magnitude() == mch_format_max(y); }
};

namespace encode_bins {
typedef SeenEncode Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("kind", MCH_MINIFLOAT, MCH_MINIFLOAT_FLUSH, s.y.number),
	MCH_BINS("kind, unsigned", MCH_MINIFLOAT, MCH_MINIFLOAT_FLUSH, s.y.is_signed ? 0 : s.y.number),
	MCH_BINS("shift", MCH_SHIFT_MIN, MCH_SHIFT_MAX, s.shift),
	MCH_BIN("zero", s.v == 0),
	MCH_BIN("rounds to zero from above", s.v > 0 && s.memory == 0),
	MCH_BIN("rounds to zero from below, no negative zero", s.v < 0 && s.y.is_signed && s.memory == 0),
	MCH_BIN("negative, of an unsigned format", s.v < 0 && !s.y.is_signed),
	MCH_BIN("smallest subnormal", s.subnormals() && s.magnitude() == 1),
	MCH_BIN("largest subnormal", s.subnormals() && s.magnitude() == s.one() - 1),
	MCH_BIN("rounds up from subnormal to normal", s.subnormals() && s.magnitude() == s.one() && s.asked() < s.of(s.one())),
	MCH_BIN("smallest normal", s.subnormals() && s.magnitude() == s.one()),
	MCH_BIN("smallest, without subnormals", s.y.number == MCH_MINIFLOAT_FLUSH && s.magnitude() == 1),
	MCH_BIN("rounds up to a power of two", s.magnitude() > s.one() && s.magnitude() % s.one() == 0 && s.asked() < s.of(s.magnitude())),
	MCH_BIN("largest, exact", s.is_max() && s.asked() == s.of(s.magnitude())),
	MCH_BIN("largest, rounded down, not beyond", s.is_max() && !s.sat && s.asked() > s.of(s.magnitude())),
	MCH_BIN("beyond the largest", s.sat && s.v > 0),
	MCH_BIN("beyond the largest, negative", s.sat && s.v < 0 && s.y.is_signed),
	MCH_BIN("tie, to the code above", s.magnitude() > 0 && s.between(s.magnitude() - 1)),
	MCH_BIN("tie, to the code below", !s.is_max() && s.v != 0 && s.between(s.magnitude())),
};
} // namespace encode_bins

/* One edge of the requantizer: what stands at its output, and the value that enters, if one does. */
struct SeenRequant {
	bool en, load, stands, stands_sat, enters;
	int64_t acc, bias;
	int shift;
	int32_t y;
	bool sat;
	struct mch_requant format;
	int acc_bits;

	int64_t sum() const { return acc + bias; }
	int64_t high() const { return mch_sim::high_code(acc_bits, true); }
	int64_t low() const { return mch_sim::low_code(acc_bits, true); }
};

namespace requant_bins {
typedef SeenRequant Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("shift", MCH_SHIFT_MIN, MCH_SHIFT_MAX, s.enters ? s.shift : -99),
	MCH_BINS("rounding mode", 0, 4, s.enters ? s.format.round : -1),
	MCH_BINS("bits of a signed code", 1, 16, s.enters && s.format.out_signed ? s.format.out_bits : 0),
	MCH_BINS("bits of an unsigned code", 1, 16, s.enters && !s.format.out_signed ? s.format.out_bits : 0),
	MCH_BIN("highest accumulator", s.enters && s.acc == s.high()),
	MCH_BIN("lowest accumulator", s.enters && s.acc == s.low()),
	MCH_BIN("no bias", s.enters && s.bias == 0),
	MCH_BIN("highest bias", s.enters && s.bias == s.high()),
	MCH_BIN("lowest bias", s.enters && s.bias == s.low()),
	MCH_BIN("sum above the accumulator's range", s.enters && s.sum() > s.high()),
	MCH_BIN("sum below the accumulator's range", s.enters && s.sum() < s.low()),
	MCH_BIN("highest sum", s.enters && s.sum() == 2 * s.high()),
	MCH_BIN("lowest sum", s.enters && s.sum() == 2 * s.low()),
	MCH_BIN("ReLU of a negative sum", s.enters && s.format.relu && s.sum() < 0),
	MCH_BIN("ReLU of zero", s.enters && s.format.relu && s.sum() == 0),
	MCH_BIN("ReLU of a positive sum", s.enters && s.format.relu && s.sum() > 0),
	MCH_BIN("saturates high", s.enters && s.sat && s.sum() > 0),
	MCH_BIN("saturates low", s.enters && s.sat && s.sum() < 0),
	MCH_BIN("saturates high behind a ReLU", s.enters && s.sat && s.format.relu && s.sum() > 0),
	MCH_BIN("a stall with nothing at the output", !s.en && !s.stands),
	MCH_BIN("a stall of a value", !s.en && s.stands && !s.stands_sat),
	MCH_BIN("a stall of a saturated value", !s.en && s.stands && s.stands_sat),
	MCH_BIN("a saturated value leaves", s.en && s.stands && s.stands_sat),
	MCH_BIN("a bubble behind a value", s.en && !s.enters && s.stands),
	MCH_BIN("parameters come with a value", s.load && s.enters),
	MCH_BIN("parameters come in a stall", s.load && !s.en),
	MCH_BIN("parameters come without a value", s.load && s.en && !s.enters),
};
} // namespace requant_bins

/* One lane's edge: its operands as numbers, and what it holds. */
struct SeenMac {
	int mult;
	bool pack, odd, mul, add, first, load, shift;
	int64_t x, w;
	int x_bits, w_bits;
	mch_acc cfg;
	int64_t acc, product;
	bool over;

	bool integer() const { return mul && mult == 0; }
	bool lowest_w() const { return w == mch_sim::low_code(w_bits, true); }
	bool highest_w() const { return w == mch_sim::high_code(w_bits, true); }
	bool lowest_x() const { return x == mch_sim::low_code(x_bits, true); }
	bool saturates() const { return add && cfg.overflow == MCH_SATURATE; }
	int64_t sum() const { return (first ? 0 : acc) + product; }
	int64_t high() const { return mch_sim::high_code(cfg.bits, true); }
	int64_t low() const { return mch_sim::low_code(cfg.bits, true); }
};

namespace mac_bins {
typedef SeenMac Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("MULT", 0, 2, s.mul ? s.mult : -1),
	MCH_BIN("most negative squared", s.integer() && s.x_bits == s.w_bits && s.lowest_x() && s.lowest_w()),
	MCH_BIN("most negative times most positive", s.integer() && s.lowest_x() && s.highest_w()),
	MCH_BIN("most positive times most negative", s.integer() && s.x == mch_sim::high_code(s.x_bits, true) && s.lowest_w()),
	MCH_BIN("largest unsigned times most negative", s.integer() && s.x == mch_sim::high_code(s.x_bits, false) && s.lowest_w()),
	MCH_BIN("largest unsigned times most positive", s.integer() && s.x == mch_sim::high_code(s.x_bits, false) && s.highest_w()),
	MCH_BIN("zero activation", s.mul && s.x == 0 && s.w != 0),
	MCH_BIN("zero weight", s.mul && s.w == 0 && s.x != 0),
	MCH_BIN("power of two, a negative activation times a negative weight", s.mul && s.mult == 1 && s.x < 0 && s.w < 0),
	MCH_BIN("power of two, the largest shift", s.mul && s.mult == 1 && s.w <= -(INT64_C(1) << ((1 << (s.w_bits - 1)) - 1))),
	MCH_BIN("pair, a negative lower product", s.mul && s.pack && !s.odd && s.x * s.w < 0),
	MCH_BIN("starts from 0", s.add && s.first && s.acc != 0),
	MCH_BIN("sum at the highest code", s.add && s.sum() == s.high()),
	MCH_BIN("sum at the lowest code", s.add && s.sum() == s.low()),
	MCH_BIN("wraps above", s.add && s.cfg.overflow == MCH_WRAP && s.sum() > s.high()),
	MCH_BIN("wraps below", s.add && s.cfg.overflow == MCH_WRAP && s.sum() < s.low()),
	MCH_BIN("saturates above", s.saturates() && s.sum() > s.high()),
	MCH_BIN("saturates below", s.saturates() && s.sum() < s.low()),
	MCH_BIN("one above the range", s.saturates() && s.sum() == s.high() + 1),
	MCH_BIN("one below the range", s.saturates() && s.sum() == s.low() - 1),
	MCH_BIN("stays saturated over a step that fits", s.saturates() && s.over && !s.first && s.sum() <= s.high() && s.sum() >= s.low()),
	MCH_BIN("forgets the saturation with the first step", s.saturates() && s.over && s.first),
	MCH_BIN("holds all", !s.mul && !s.add && !s.load && !s.shift),
	MCH_BIN("multiplies alone", s.mul && !s.add),
	MCH_BIN("adds alone", !s.mul && s.add),
	MCH_BIN("the bank takes the sum that is replaced", s.load && s.add),
	MCH_BIN("load wins over shift", s.load && s.shift),
	MCH_BIN("a saturated sum moves to the bank", s.load && s.over),
};
} // namespace mac_bins

/* An edge of the noise register, and the edges that it moved since it was loaded. */
struct SeenLfsr {
	bool load, en;
	uint16_t seed, state;
	uint64_t moved;
	uint16_t loaded;
};

namespace lfsr_bins {
typedef SeenLfsr Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BIN("loaded and moved at once", s.load && s.en),
	MCH_BIN("loaded while it stands", s.load && !s.en),
	MCH_BIN("stands", !s.load && !s.en),
	MCH_BIN("a seed with the lowest bit alone", s.load && s.seed == 1),
	MCH_BIN("a seed of ones", s.load && s.seed == 0xffff),
	MCH_BIN("taps hit", s.en && !s.load && (s.state & 1)),
	MCH_BIN("taps not hit", s.en && !s.load && !(s.state & 1)),
	MCH_BIN("wraps, the seed again after a period", s.moved == 65535 && s.state == s.loaded),
};
} // namespace lfsr_bins

} // namespace mch_tb

#endif
