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
#include <vector>

#include "sim/bench.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_c.h"
#endif
#if VM_COVERAGE
#include <fstream>
#include <map>

#include "sim/coverage.h"
#include "verilated_cov.h"
#endif
#include "sim/mutant.h"

namespace mch_sim {

/* Arguments that begin with "+", which the module reads by $value$plusargs: of every model made from now on. */
inline std::vector<const char *> &dut_plusargs()
{
	static std::vector<const char *> args;
	return args;
}

#if VM_COVERAGE
/* Verilator's counts of all models that the process made, one after the other; a file of them is of one model. */
class DutPoints {
public:
	void add(VerilatedCovContext *counts)
	{
		if (coverage_file().empty())
			return;
		const std::string file = coverage_file() + ".dat";
		counts->write(file.c_str());
		std::ifstream in(file);
		for (std::string line; std::getline(in, line);) {
			const size_t at = line.rfind(' ');
			if (line[0] == 'C')
				count_[line.substr(0, at)] += std::strtoull(line.c_str() + at, nullptr, 10);
		}
	}

	~DutPoints()
	{
		if (count_.empty())
			return;
		std::ofstream out(coverage_file() + ".dat");
		for (const auto &point : count_)
			out << point.first << ' ' << point.second << '\n';
	}

private:
	std::map<std::string, uint64_t> count_;
};

inline DutPoints &dut_points()
{
	static DutPoints points;
	return points;
}
#endif

/* Model is the class that Verilator made. Time is in units of half a clock: the rising edge of cycle n is at 2n + 1. */
template <class Model>
class Dut {
public:
	explicit Dut(const std::string &waves)
	{
		context_->traceEverOn(true);
		context_->commandArgs(static_cast<int>(dut_plusargs().size()), dut_plusargs().data());
		model_.reset(new Model(context_.get(), "TOP"));
		choose_mutant(*model_, 0);
		if (!waves.empty())
			open(waves);
	}

	~Dut()
	{
		/* A model that dies asks the thread for its context; the newest one's may be gone. */
		Verilated::threadContextp(context_.get());
		model_->final();
#if VM_COVERAGE
		dut_points().add(context_->coveragep());
#endif
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
		limit_.check(cycles());
		model_->eval();
		dump();
		time_ += 2;
	}

	/* One rising edge, with the pins as they stand; the outputs of the cycle that follows are settled after it. */
	void edge()
	{
		limit_.check(cycles());
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

	/* What follows is no part of the waves, which are of the cycles of waves_window() alone. */
	void mute() { last_ = 0; }

	/* The edges that the window wants behind the last one; pins stand. */
	void run_out()
	{
		for (int i = 0; i < WAVES_AFTER && time_ <= last_; i++)
			edge();
	}

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
		if (trace_ && time_ >= first_ && time_ <= last_)
			trace_->dump(time_);
#endif
	}

	std::unique_ptr<VerilatedContext> context_{new VerilatedContext};
	std::unique_ptr<Model> model_;
#if VM_TRACE
	std::unique_ptr<VerilatedFstC> trace_;
#endif
	const CycleLimit limit_;
	uint64_t time_ = 0;
	uint64_t first_ = 2 * waves_window().first, last_ = 2 * waves_window().last; /* of the waves */
};

} // namespace mch_sim

#endif
