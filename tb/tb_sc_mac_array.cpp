/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_mac_array as a SystemC module (verilator --sc), in lock-step with arch/mac_array.c; cases:
 * array_case.h. The driver works on the falling edge: what it reads there has settled since the rising one.
 * Spec: docs/datapath.md "mac_array".
 * verilate: --sc mch_mac_array sim/registers.vlt tb/lockstep.cpp */
#include <array>
#include <cstdlib>
#include <systemc>

#include "Vmch_mac_array.h"
#include "sim/sc_dut.h"
#include "tb/array_case.h"

using namespace mch_tb;
using mch_sim::Packed;
using mch_sim::PortValue;
using mch_sim::SignalOf;

namespace {

template <class Signal>
void write_packed(Signal *signal, const int32_t *values, int n, int bits)
{
	using T = std::remove_const_t<std::remove_reference_t<decltype(signal->read())>>;
	std::array<uint8_t, Packed<T>::BYTES> bytes{};
	T value{};
	mch_sim::pack(bytes.data(), values, n, bits);
	Packed<T>::set(&value, bytes.data());
	signal->write(value);
}

class Bench : public sc_core::sc_module {
public:
	SC_HAS_PROCESS(Bench);
	Bench(const sc_core::sc_module_name &name, const mch_sim::BenchArgs &args)
		: sc_module(name), args_(args), clk_("clk", 2, sc_core::SC_NS, 0.5, 1, sc_core::SC_NS, true),
		  dut_("dut")
	{
		dut_.clk_i(clk_);
		dut_.rst_ni(rst_n_);
		dut_.in_valid_i(in_valid_);
		dut_.in_ready_o(in_ready_);
		dut_.in_first_i(in_first_);
		dut_.in_last_i(in_last_);
		dut_.x_signed_i(x_signed_);
		dut_.x_i(x_);
		dut_.w_i(w_);
		dut_.out_valid_o(out_valid_);
		dut_.out_ready_i(out_ready_);
		dut_.out_acc_o(out_acc_);
		dut_.out_over_o(out_over_);
		dut_.idle_o(idle_);
		SC_THREAD(drive);
		sensitive << clk_.negedge_event();
	}

	void open_waves() { waves_.open(&dut_, args_.waves); }
	int status() const { return status_; }

	/* What array_case.h asks of pins. */
	void reset()
	{
		rst_n_.write(true);
		wait(sc_core::SC_ZERO_TIME);
		rst_n_.write(false);
		wait();
		wait();
		rst_n_.write(true);
		cycles_ += 2;
	}

	void edge(const mch_mac_array_in &in, bool x_signed)
	{
		in_valid_.write(in.valid);
		in_first_.write(in.first);
		in_last_.write(in.last);
		out_ready_.write(in.out_ready);
		x_signed_.write(x_signed);
		write_packed(&x_, in.x, ROWS * X_COLS, X_BITS);
		write_packed(&w_, in.w, COLS, W_BITS);
		wait();
		cycles_++;
		row_is_read_ = false;
	}

	bool in_ready() const { return in_ready_.read(); }
	bool out_valid() const { return out_valid_.read(); }
	bool idle() const { return idle_.read(); }

	int64_t out_acc(int j)
	{
		if (!row_is_read_)
			Packed<Row>::get(out_acc_.read(), row_.data());
		row_is_read_ = true;
		return mch_wrap(static_cast<int64_t>(mch_sim::unpack(row_.data(), j, ACC_BITS)), ACC_BITS);
	}

	bool out_over(int j)
	{
		using Flags = Packed<PortValue<decltype(Vmch_mac_array::out_over_o)>>;
		uint8_t flags[Flags::BYTES];
		Flags::get(out_over_.read(), flags);
		return mch_sim::unpack(flags, j, 1) != 0;
	}

	VerilatedContext *context() const { return dut_.contextp(); }
	std::string scope() const { return std::string(dut_.name()) + ".mch_mac_array"; }
	uint64_t cycles() const { return cycles_; }

private:
	void drive()
	{
		status_ = array_cases(args_, *this);
		sc_core::sc_stop();
	}

	using Row = PortValue<decltype(Vmch_mac_array::out_acc_o)>;

	const mch_sim::BenchArgs &args_;
	sc_core::sc_clock clk_;
	sc_core::sc_signal<bool> rst_n_, in_valid_, in_ready_, in_first_, in_last_, x_signed_, out_valid_, out_ready_;
	SignalOf<decltype(Vmch_mac_array::x_i)> x_;
	SignalOf<decltype(Vmch_mac_array::w_i)> w_;
	SignalOf<decltype(Vmch_mac_array::out_acc_o)> out_acc_;
	SignalOf<decltype(Vmch_mac_array::out_over_o)> out_over_;
	SignalOf<decltype(Vmch_mac_array::idle_o)> idle_;
	Vmch_mac_array dut_;
	mch_sim::ScWaves waves_;
	std::array<uint8_t, Packed<Row>::BYTES> row_{};
	bool row_is_read_ = false;
	int status_ = mch_sim::FAILED;
	uint64_t cycles_ = 0;
};

} // namespace

int sc_main(int argc, char **argv)
{
	const mch_sim::BenchArgs args = mch_sim::bench_args(argc, argv, 100);
	Bench bench("bench", args);
	if (!args.waves.empty())
		bench.open_waves();
	sc_core::sc_start();
	return bench.status();
}

/* The library's own main prints a banner, and the end of the simulation is no news: the output is the bench's. */
int main(int argc, char **argv)
{
	setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
	sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
	Verilated::traceEverOn(true);
	return sc_core::sc_elab_and_sim(argc, argv);
}
