/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A scoreboard for any bench in C++: what the model expects goes in, what the RTL gives is compared in that order, and the first
 * difference is told in the one report (tensor/report.h). Holds no expected values of its own. */
#ifndef MCH_SIM_SCOREBOARD_H
#define MCH_SIM_SCOREBOARD_H

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>
#include <utility>
#include <vector>

extern "C" {
#include "tensor/report.h"
}

namespace mch_sim {

/* A named signal and its format; its real value is shown where is_real. */
struct Signal {
	std::string name;
	mch_format format;
	bool is_real;
};

class Scoreboard {
public:
	using Values = std::vector<int64_t>;

	/* bench and module as the report names them; signals of the inputs that go with an expectation, and of the outputs. */
	Scoreboard(std::string bench, std::string module, std::vector<Signal> in, std::vector<Signal> out, uint64_t seed = 0)
		: bench_(std::move(bench)), module_(std::move(module)), in_(std::move(in)), out_(std::move(out)), seed_(seed)
	{
	}

	/* The next outputs, of these inputs; `at` may tell where in a layer that is. One value for each signal. */
	void expect(Values in, Values want, std::string at = std::string())
	{
		expected_.push_back({std::move(in), std::move(want), std::move(at)});
	}

	/* The next outputs as they came. False, when they are not those that were expected first; only the first difference is
	 * printed. Values nobody expected are a difference, too. */
	bool got(const Values &values, const char *hint = nullptr)
	{
		const uint64_t number = n_compared_ + n_unexpected_;
		if (expected_.empty()) {
			if (n_unexpected_++ == 0)
				std::printf("%s: %s: output %" PRIu64 " was not expected; push what the model makes before it is compared\n",
					    bench_.c_str(), module_.c_str(), number);
			return false;
		}
		const Expected next = std::move(expected_.front());
		expected_.pop_front();
		n_compared_++;
		if (values == next.want)
			return true;
		if (n_wrong_++ == 0)
			print(next, values, number, hint);
		return false;
	}

	/* To be called once a cycle, with the pins as they stand before the rising edge: compares what is handed over, and that
	 * an output waits unchanged for its ready. */
	bool cycle(bool valid, bool ready, const Values &values, const char *hint = nullptr)
	{
		const bool has_changed = is_waiting_ && (!valid || values != waiting_);
		if (has_changed && n_unstable_++ == 0)
			std::printf("%s: %s: output %" PRIu64 " changed while it waited for ready; hold valid and payload until both are "
				    "high\n", bench_.c_str(), module_.c_str(), n_compared_);
		is_waiting_ = valid && !ready;
		if (is_waiting_)
			waiting_ = values;
		return !(valid && ready) || got(values, hint);
	}

	uint64_t compared() const { return n_compared_; }
	size_t left() const { return expected_.size(); }
	bool agrees() const { return n_wrong_ + n_unexpected_ + n_unstable_ == 0; }

	/* The last line, and the bench's exit status: 0 all agreed, 1 some did not or are left, 99 nothing was compared. */
	int end() const
	{
		const bool is_whole = agrees() && expected_.empty();
		const char *const result = !is_whole ? "MISMATCH" : n_compared_ == 0 ? "NOTHING COMPARED" : "agreed";
		if (!expected_.empty())
			std::printf("%s: %s: %zu outputs never came; run the clock on, or look at why it stopped\n", bench_.c_str(),
				    module_.c_str(), expected_.size());
		std::printf("%s: compared=%" PRIu64 " wrong=%" PRIu64 " result=%s\n", bench_.c_str(), n_compared_, n_wrong_, result);
		return !is_whole ? 1 : n_compared_ == 0 ? 99 : 0;
	}

private:
	struct Expected {
		Values in, want;
		std::string at;
	};

	static std::vector<mch_field> fields(const std::vector<Signal> &signals, const Values &values)
	{
		std::vector<mch_field> list;
		for (size_t i = 0; i < signals.size(); i++)
			list.push_back({signals[i].name.c_str(), values.at(i), signals[i].format, signals[i].is_real});
		return list;
	}

	void print(const Expected &e, const Values &values, uint64_t number, const char *hint) const
	{
		const std::vector<mch_field> in = fields(in_, e.in), want = fields(out_, e.want), got = fields(out_, values);
		mch_mismatch m = {};
		m.where = bench_.c_str();
		m.module = module_.c_str();
		m.case_number = number;
		m.seed = seed_;
		m.in = in.data();
		m.want = want.data();
		m.got = got.data();
		m.n_in = static_cast<int>(in.size());
		m.n_out = static_cast<int>(out_.size());
		m.at = e.at.empty() ? nullptr : e.at.c_str();
		m.hint = hint;
		mch_mismatch_print(stdout, &m);
	}

	std::string bench_, module_;
	std::vector<Signal> in_, out_;
	uint64_t seed_, n_compared_ = 0, n_wrong_ = 0, n_unexpected_ = 0, n_unstable_ = 0;
	std::deque<Expected> expected_;
	Values waiting_;
	bool is_waiting_ = false;
};

} // namespace mch_sim

#endif
