/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_mac_array: corner-weighted tiles of all lengths, with bubbles, restarts and back-pressure, in lock-step with
 * arch/mac_array.c (every register after every edge), and each finished sum against fxp/mac.h.
 * Spec: docs/datapath.md "mac_array".
 * verilate: mch_mac_array sim/registers.vlt tb/lockstep.cpp */
#include <deque>
#include <vector>

extern "C" {
#include "arch/mac_array.h"
#include "tensor/report.h"
}
#include "Vmch_mac_array.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/lockstep.h"

using namespace mch_sim;

namespace {

enum { ROWS = DUT_ROWS, COLS = DUT_COLS, X_BITS = DUT_X_BITS, W_BITS = DUT_W_BITS, ACC_BITS = DUT_ACC_BITS };
const mch_acc acc_cfg = {ACC_BITS, static_cast<mch_overflow>(DUT_ACC_SAT)};

/* One case: some tiles from reset until the last row has left. */
class Case {
public:
	Case(const BenchArgs &args, Dut<Vmch_mac_array> &dut, mch_mac_array &twin, const mch_tb::Lockstep &check,
	     uint64_t number)
		: args_(args), dut_(dut), twin_(twin), check_(check), number_(number), rng_(case_rng(args.seed, number)),
		  sum_(ROWS * COLS, 0)
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
		dut_.reset();
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
		const int near[] = {1, 2, ROWS - 1, ROWS, ROWS + 1, ROWS + 2, 3 * ROWS, 1 + static_cast<int>(mch_rng_below(&rng_, 64))};
		const int length = near[mch_rng_below(&rng_, 8)];
		return length < 1 ? 1 : length;
	}

	void draw_beat()
	{
		for (int32_t &x : x_)
			x = static_cast<int32_t>(rails_ ? high_or_low(X_BITS, x_signed_) : corner(&rng_, X_BITS, x_signed_));
		for (int32_t &w : w_)
			w = static_cast<int32_t>(rails_ ? high_or_low(W_BITS, true) : corner(&rng_, W_BITS, true));
	}

	/* Sums that run into the rails of the accumulator. */
	int64_t high_or_low(int bits, bool is_signed)
	{
		return chance(&rng_, 90) ? (is_signed ? low_code(bits, true) : high_code(bits, false)) : high_code(bits, is_signed);
	}

	bool feed(int length)
	{
		/* Now and then a tile is abandoned halfway: `first` must start anew whatever came before. */
		const bool abandoned = mch_rng_below(&rng_, 8) == 0;
		for (int k = 0; k < length;) {
			const bool ready = dut_->in_ready_o;
			valid_ = !chance(&rng_, stall_in_);
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
				sum = mch_mac(acc_cfg, first_ ? 0 : sum, x_[i], w_[j], &over);
			}
		if (last_)
			expected_.push_back(sum_);
	}

	bool edge()
	{
		const bool out_ready = !chance(&rng_, stall_out_);
		if (dut_->out_valid_o && out_ready && !row_agrees())
			return false;
		mch_mac_array_in in = {valid_, first_, last_, x_, w_, out_ready};
		dut_->in_valid_i = in.valid;
		dut_->in_first_i = in.first;
		dut_->in_last_i = in.last;
		dut_->out_ready_i = in.out_ready;
		dut_->x_signed_i = x_signed_;
		pack(&dut_->x_i, x_, ROWS, X_BITS);
		pack(&dut_->w_i, w_, COLS, W_BITS);
		dut_.edge();
		mch_mac_array_step(&twin_, &in);
		cycle_++;
		if (check_.differs() || dut_->in_ready_o != mch_mac_array_in_ready(&twin_) ||
		    dut_->out_valid_o != mch_mac_array_out_valid(&twin_)) {
			const mch_tb::Difference d = check_.first();
			report(d.name, d.want, d.got, {d.bits, 0, d.is_signed});
			return false;
		}
		return true;
	}

	/* The row on the pins against the sums of the tile it must belong to. */
	bool row_agrees()
	{
		for (int j = 0; j < COLS; j++) {
			const int64_t want = expected_.empty() ? 0 : expected_.front()[static_cast<size_t>(row_ * COLS + j)];
			const int64_t got = mch_wrap(static_cast<int64_t>(unpack(&dut_->out_acc_o, j, ACC_BITS)), ACC_BITS);
			if (expected_.empty() || want != got) {
				report("out_acc_o[" + std::to_string(j) + "] of row " + std::to_string(row_) +
					       (expected_.empty() ? ": a row that nothing asked for" : ""),
				       want, got, {ACC_BITS, 0, true});
				return false;
			}
		}
		if (++row_ == ROWS) {
			row_ = 0;
			expected_.pop_front();
		}
		return true;
	}

	void report(const std::string &name, int64_t want, int64_t got, mch_format format)
	{
		const mch_field in[] = {{"x0", x_[0], {X_BITS, 0, x_signed_}, false}, {"w0", w_[0], {W_BITS, 0, true}, false}};
		const mch_field wanted = {"value", want, format, false}, gotten = {"value", got, format, false};
		const std::string at = name + "  cycle " + std::to_string(cycle_) + "  parameters " DUT_PARAMETERS;
		const std::string redo = bench_redo(args_, number_);
		mch_mismatch m = {};
		m.where = args_.name;
		m.module = "mch_mac_array";
		m.case_number = number_;
		m.seed = args_.seed;
		m.in = in, m.n_in = 2;
		m.want = &wanted, m.got = &gotten, m.n_out = 1;
		m.at = at.c_str();
		m.redo = redo.c_str();
		mch_mismatch_print(stdout, &m);
	}

	const BenchArgs &args_;
	Dut<Vmch_mac_array> &dut_;
	mch_mac_array &twin_;
	const mch_tb::Lockstep &check_;
	const uint64_t number_;
	mch_rng rng_;
	int stall_in_, stall_out_;
	bool x_signed_, rails_;
	bool valid_ = false, first_ = false, last_ = false;
	int32_t x_[ROWS] = {}, w_[COLS] = {};
	std::vector<int64_t> sum_;
	std::deque<std::vector<int64_t>> expected_;
	int row_ = 0;
	uint64_t cycle_ = 0;
};

/* The latency that the header of the RTL states: three edges after the one that takes the last beat. */
bool latency_agrees(Dut<Vmch_mac_array> &dut, mch_mac_array &twin)
{
	dut.reset();
	dut->in_valid_i = dut->in_first_i = dut->in_last_i = dut->out_ready_i = 1;
	dut.edge();
	dut->in_valid_i = 0;
	int edges = 0;
	while (!dut->out_valid_o && edges < 10) {
		dut.edge();
		edges++;
	}
	if (edges != 3)
		std::printf("tb_mac_array: latency is %d edges, 3 are documented\n", edges);
	/* The twin takes the same beat (all operands as the pins stand), so that the data registers stay alike. */
	mch_mac_array_reset(&twin);
	const std::vector<int32_t> zeros(ROWS > COLS ? ROWS : COLS, 0);
	for (int i = 0; i <= edges; i++) {
		const mch_mac_array_in in = {i == 0, true, true, zeros.data(), zeros.data(), true};
		mch_mac_array_step(&twin, &in);
	}
	return edges == 3;
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 300);
	Dut<Vmch_mac_array> dut(args.waves);
	const mch_mac_array_config cfg = {ROWS, COLS, X_BITS, W_BITS, acc_cfg};
	mch_mac_array twin;
	mch_err err;
	if (mch_mac_array_init(&twin, &cfg, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		return FAILED;
	}
	const mch_tb::Lockstep check(dut->contextp(), &twin, "TOP.mch_mac_array");
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = latency_agrees(dut, twin);
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = Case(args, dut, twin, check, number).run();
	mch_mac_array_free(&twin);
	return bench_end(args, watch, compared, dut.cycles(), agreed);
}
