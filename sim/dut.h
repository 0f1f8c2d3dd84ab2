/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A verilated module with its clock, its reset and its waves. Holds no expected values. */
#ifndef MCH_SIM_DUT_H
#define MCH_SIM_DUT_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif

namespace mch_sim {

/* Model is the class that Verilator made. Time is in units of half a clock: the rising edge of cycle n is at 2n + 1. */
template <class Model>
class Dut {
public:
	explicit Dut(const std::string &waves)
	{
		context_->traceEverOn(true);
		model_.reset(new Model(context_.get(), "TOP"));
		if (!waves.empty())
			open(waves);
	}

	~Dut()
	{
		model_->final();
#if VM_TRACE
		if (trace_)
			trace_->close();
#endif
	}
	Dut(const Dut &) = delete;
	Dut &operator=(const Dut &) = delete;

	Model *operator->() { return model_.get(); }

	/* Combinational modules: settles the outputs, and time goes on by one cycle. */
	void settle()
	{
		model_->eval();
		dump();
		time_ += 2;
	}

	/* One rising edge, with the pins as they stand; the outputs of the cycle that follows are settled after it. */
	void edge()
	{
		model_->clk_i = 0;
		model_->eval();
		dump();
		time_++;
		model_->clk_i = 1;
		model_->eval();
		dump();
		time_++;
	}

	/* Asserts rst_ni with the clock at rest, as its asynchronous kind allows, then for two edges more. */
	void reset()
	{
		model_->clk_i = 0;
		model_->rst_ni = 1;
		model_->eval();
		model_->rst_ni = 0;
		edge();
		edge();
		model_->rst_ni = 1;
	}

	/* What follows is no part of the waves. */
	void mute() { muted_ = true; }

	uint64_t cycles() const { return time_ / 2; }

private:
	void open(const std::string &waves)
	{
#if VM_TRACE
		std::FILE *const probe = std::fopen(waves.c_str(), "wb");
		if (!probe) {
			std::fprintf(stderr, "macchiato: %s: cannot be written; name another file for --waves\n", waves.c_str());
			std::exit(2);
		}
		std::fclose(probe);
		trace_.reset(new VerilatedFstC);
		model_->trace(trace_.get(), 99);
		trace_->open(waves.c_str());
#else
		std::fprintf(stderr, "macchiato: %s: this bench was built without waves; build it without --fast\n",
			     waves.c_str());
		std::exit(2);
#endif
	}

	void dump()
	{
#if VM_TRACE
		if (trace_ && !muted_)
			trace_->dump(time_);
#endif
	}

	std::unique_ptr<VerilatedContext> context_{new VerilatedContext};
	std::unique_ptr<Model> model_;
#if VM_TRACE
	std::unique_ptr<VerilatedFstC> trace_;
#endif
	uint64_t time_ = 0;
	bool muted_ = false;
};

} // namespace mch_sim

#endif
