/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_mac_array under Verilator alone, in lock-step with arch/mac_array.c; cases: array_case.h.
 * Spec: docs/datapath.md "mac_array".
 * verilate: mch_mac_array sim/registers.vlt tb/lockstep.cpp */
#include "Vmch_mac_array.h"
#include "sim/dut.h"
#include "tb/array_case.h"

using namespace mch_tb;

namespace {

class Pins {
public:
	explicit Pins(const std::string &waves) : dut_(waves) {}

	void reset() { dut_.reset(); }

	void edge(const mch_mac_array_in &in, bool x_signed)
	{
		dut_->in_valid_i = in.valid;
		dut_->in_first_i = in.first;
		dut_->in_last_i = in.last;
		dut_->out_ready_i = in.out_ready;
		dut_->x_signed_i = x_signed;
		mch_sim::pack(&dut_->x_i, in.x, ROWS * X_COLS, X_BITS);
		mch_sim::pack(&dut_->w_i, in.w, COLS, W_BITS);
		dut_.edge();
	}

	bool in_ready() { return dut_->in_ready_o; }
	bool out_valid() { return dut_->out_valid_o; }
	bool idle() { return dut_->idle_o; }
	int64_t out_acc(int j)
	{
		return mch_wrap(static_cast<int64_t>(mch_sim::unpack(&dut_->out_acc_o, j, ACC_BITS)), ACC_BITS);
	}
	bool out_over(int j) { return mch_sim::unpack(&dut_->out_over_o, j, 1) != 0; }
	VerilatedContext *context() { return dut_->contextp(); }
	std::string scope() const { return "TOP.mch_mac_array"; }
	uint64_t cycles() const { return dut_.cycles(); }

private:
	mch_sim::Dut<Vmch_mac_array> dut_;
};

} // namespace

int main(int argc, char **argv)
{
	const mch_sim::BenchArgs args = mch_sim::bench_args(argc, argv, 300);
	Pins pins(args.waves);
	return array_cases(args, pins);
}
