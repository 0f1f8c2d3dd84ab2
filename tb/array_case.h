/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the benches of mch_mac_array share, whatever drives the pins: corner-weighted tiles of all lengths, with
 * bubbles, restarts and back-pressure; after every edge each register is compared with arch/mac_array.c, and each
 * finished sum with fxp/mac.h. Spec: docs/datapath.md "mac_array".
 *
 * Pins is the bench's side of the array:
 *   void reset()                                  asserts rst_ni for two edges
 *   void edge(const mch_mac_array_in &, bool x_signed)  one rising edge with these on the pins
 *   bool in_ready(), out_valid(), idle(); int64_t out_acc(int column)  the outputs after it, settled
 *   VerilatedContext *context(); std::string scope()  where the registers of the array are
 *   uint64_t cycles()                              edges so far */
#ifndef MCH_TB_ARRAY_CASE_H
#define MCH_TB_ARRAY_CASE_H

#include <deque>
#include <string>
#include <vector>

extern "C" {
#include "arch/mac_array.h"
#include "tensor/report.h"
}
#include "sim/waves.h"
#include "sim/stimulus.h"
#include "tb/bins_array.h"
#include "tb/lockstep.h"
#include "tb/mult.h"

namespace mch_tb {

enum { ROWS = DUT_ROWS, COLS = DUT_COLS, X_COLS = DUT_X_COLS, X_BITS = DUT_X_BITS, W_BITS = DUT_W_BITS, ACC_BITS = DUT_ACC_BITS };
const mch_acc array_acc = {ACC_BITS, static_cast<mch_overflow>(DUT_ACC_SAT)};
const mch_mac_array_config array_cfg = {ROWS, COLS, X_BITS, W_BITS, array_acc, mult_of_dut, w_kind_of_dut, pack_of_dut,
					x_kind_of_dut, x_exp_of_dut, w_exp_of_dut, X_COLS};

inline void array_report(const mch_sim::BenchArgs &args, uint64_t number, const mch_field *in, int n_in,
			 const std::string &place, int64_t want, int64_t got, mch_format format, const std::string &see = "")
{
	const mch_field wanted = {"value", want, format, false}, gotten = {"value", got, format, false};
	const std::string at = place + "  parameters " DUT_PARAMETERS, redo = bench_redo(args, number);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_mac_array";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.n_in = n_in;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str();
	m.see = see.c_str();
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

/* One case: some tiles from reset until the last row has left. */
template <class Pins>
class ArrayCase {
public:
	typedef mch_sim::Coverage<SeenArray> Covered;

	ArrayCase(const mch_sim::BenchArgs &args, Pins &pins, mch_mac_array &twin, const Lockstep &check,
		  Covered &covered, uint64_t number)
		: args_(args), pins_(pins), twin_(twin), check_(check), covered_(covered), number_(number),
		  rng_(mch_sim::case_rng(args.seed, number)), sum_(ROWS * COLS, 0)
	{
		/* The user's stalls, or no stalls, a few, or many. */
		static const int some[] = {0, 0, 20, 60};
		stall_in_ = args.stall_percent ? args.stall_percent : some[mch_rng_below(&rng_, 4)];
		stall_out_ = args.stall_percent ? args.stall_percent : some[mch_rng_below(&rng_, 4)];
		x_signed_ = mch_rng_below(&rng_, 2) != 0;
		rails_ = mch_rng_below(&rng_, 4) == 0;
	}

	bool run()
	{
		pins_.reset();
		mch_mac_array_reset(&twin_);
		const int n_tiles = 1 + static_cast<int>(mch_rng_below(&rng_, 4));
		for (int tile = 0; tile < n_tiles; tile++)
			if (!feed(tile_length()))
				return false;
		valid_ = false;
		while (!expected_.empty())
			if (!edge())
				return false;
		return true;
	}

private:
	/* Around the drain time of a tile, where the array must stall or just not. */
	int tile_length()
	{
		const int any = 1 + static_cast<int>(mch_rng_below(&rng_, 64));
		const int near[] = {1, 2, ROWS - 1, ROWS, ROWS + 1, ROWS + 2, 3 * ROWS, any};
		const int length = near[mch_rng_below(&rng_, 8)];
		return length < 1 ? 1 : length;
	}

	void draw_beat()
	{
		for (int32_t &x : x_)
			x = code(X_BITS, x_signed_ && !is_minifloat_dut);
		for (int32_t &w : w_)
			w = code(W_BITS, !is_minifloat_dut);
	}

	/* With rails_: operands whose sums run into the rails of the accumulator. */
	int32_t code(int bits, bool is_signed)
	{
		if (!rails_)
			return static_cast<int32_t>(mch_sim::corner(&rng_, bits, is_signed));
		const bool largest = mch_sim::chance(&rng_, 90) != is_signed;
		return static_cast<int32_t>(largest ? mch_sim::high_code(bits, is_signed)
						    : mch_sim::low_code(bits, is_signed));
	}

	bool feed(int length)
	{
		/* Now and then a tile is abandoned halfway: `first` must start anew whatever came before. */
		const bool abandoned = mch_rng_below(&rng_, 8) == 0;
		for (int k = 0; k < length;) {
			const bool ready = pins_.in_ready();
			valid_ = !mch_sim::chance(&rng_, stall_in_);
			first_ = k == 0;
			last_ = k + 1 == length && !abandoned;
			draw_beat();
			if (valid_ && ready)
				accumulate();
			if (!edge())
				return false;
			k += valid_ && ready;
		}
		return true;
	}

	void accumulate()
	{
		for (int i = 0; i < ROWS; i++)
			for (int j = 0; j < COLS; j++) {
				int64_t &sum = sum_[static_cast<size_t>(i * COLS + j)];
				bool over;
				sum = mch_acc_add(array_acc, first_ ? 0 : sum, activation_of(x_[i * X_COLS + j % X_COLS], x_signed_) * weight_of(w_[j]), &over);
			}
		if (last_)
			expected_.push_back(sum_);
	}

	bool edge()
	{
		const bool out_ready = !mch_sim::chance(&rng_, stall_out_);
		if (pins_.out_valid() && out_ready && !row_agrees())
			return false;
		const mch_mac_array_in in = {valid_, first_, last_, x_, w_, out_ready, x_signed_};
		pins_.edge(in, x_signed_);
		covered_.sample({twin_, in});
		mch_mac_array_step(&twin_, &in);
		if (check_.differs()) {
			const Difference d = check_.first();
			report(d.name, d.want, d.got, {d.bits, 0, d.is_signed});
			return false;
		}
		return pin_agrees("in_ready_o", mch_mac_array_in_ready(&twin_), pins_.in_ready()) &&
		       pin_agrees("out_valid_o", mch_mac_array_out_valid(&twin_), pins_.out_valid()) &&
		       pin_agrees("idle_o", mch_mac_array_idle(&twin_), pins_.idle());
	}

	bool pin_agrees(const char *name, bool want, bool got)
	{
		if (want != got)
			report(name, want, got, {1, 0, false});
		return want == got;
	}

	/* The row on the pins against the sums of the tile it must belong to. */
	bool row_agrees()
	{
		for (int j = 0; j < COLS; j++) {
			const size_t place = static_cast<size_t>(row_ * COLS + j);
			const int64_t want = expected_.empty() ? 0 : expected_.front()[place];
			const int64_t got = pins_.out_acc(j);
			if (expected_.empty() || want != got) {
				report("out_acc_o[" + std::to_string(j) + "] of row " + std::to_string(row_) +
					       (expected_.empty() ? ": a row that nothing asked for" : ""),
				       want, got, {ACC_BITS, 0, true});
				return false;
			}
			const bool over = DUT_ACC_SAT && twin_.bank_over[j];
			if (!pin_agrees(("out_over_o[" + std::to_string(j) + "]").c_str(), over, pins_.out_over(j)))
				return false;
		}
		if (++row_ == ROWS) {
			row_ = 0;
			expected_.pop_front();
		}
		return true;
	}

	void report(const std::string &name, int64_t want, int64_t got, mch_format format)
	{
		const mch_field in[] = {{"x0", x_[0], {X_BITS, 0, x_signed_}, false},
					{"w0", w_[0], {W_BITS, 0, true}, false}};
#if VM_SC /* its waves are all or none */
		const std::string see;
#else
		const std::string see = mch_sim::bench_see(args_, number_, name, pins_.cycles());
#endif
		array_report(args_, number_, in, 2, name + "  cycle " + std::to_string(pins_.cycles()), want, got, format, see);
	}

	const mch_sim::BenchArgs &args_;
	Pins &pins_;
	mch_mac_array &twin_;
	const Lockstep &check_;
	Covered &covered_;
	const uint64_t number_;
	mch_rng rng_;
	int stall_in_, stall_out_;
	bool x_signed_, rails_;
	bool valid_ = false, first_ = false, last_ = false;
	int32_t x_[ROWS * X_COLS] = {}, w_[COLS] = {};
	std::vector<int64_t> sum_;
	std::deque<std::vector<int64_t>> expected_;
	int row_ = 0;
};

/* The latency that the header of the RTL states: three edges after the one that takes the last beat. The twin takes
 * the same beat, so that the data registers stay alike. Runs before the first case. */
template <class Pins>
bool array_latency_agrees(const mch_sim::BenchArgs &args, Pins &pins, mch_mac_array &twin)
{
	const std::vector<int32_t> zeros(ROWS * COLS, 0);
	mch_mac_array_in in = {true, true, true, zeros.data(), zeros.data(), true};
	pins.reset();
	mch_mac_array_reset(&twin);
	int edges = -1;
	do {
		pins.edge(in, false);
		mch_mac_array_step(&twin, &in);
		in.valid = false;
		edges++;
	} while (!pins.out_valid() && edges < 10);
	if (edges != 3)
		array_report(args, args.first, nullptr, 0, "edges from the last beat to out_valid_o", 3, edges,
			     {5, 0, false});
	return edges == 3;
}

/* All cases that args asks for; returns the exit status. */
template <class Pins>
int array_cases(const mch_sim::BenchArgs &args, Pins &pins)
{
	mch_mac_array twin;
	mch_err err;
	if (mch_mac_array_init(&twin, &array_cfg, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		return mch_sim::FAILED;
	}
	const Lockstep check(pins.context(), &twin, pins.scope());
	const mch_sim::Stopwatch watch;
	mch_sim::Coverage<SeenArray> covered("mch_mac_array", array_bins::list);
	uint64_t compared = 0;
	bool agreed = array_latency_agrees(args, pins, twin);
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = ArrayCase<Pins>(args, pins, twin, check, covered, number).run();
	mch_mac_array_free(&twin);
	return bench_end(args, watch, compared, pins.cycles(), agreed);
}

} // namespace mch_tb

#endif
