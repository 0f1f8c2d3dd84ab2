/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Functional coverage: a bench declares bins, predicates on the C twin and its inputs (never on the RTL: what is asked for is
 * the same whatever the RTL does), and counts how often each of them came. Lists: tb/bins_*.h; scripts/coverage merges the
 * counts of all runs. Without --coverage=FILE nothing is counted. */
#ifndef MCH_SIM_COVERAGE_H
#define MCH_SIM_COVERAGE_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace mch_sim {

/* The file that this process counts for, or empty. That of lines and toggles has ".dat" behind it. */
inline std::string &coverage_file()
{
	static std::string file;
	return file;
}

/* Names the file and empties it: each collector of the process adds its bins at the end. */
inline void coverage_open(const std::string &file)
{
	std::FILE *const out = std::fopen(file.c_str(), "w");
	if (!out || std::fclose(out) != 0) {
		std::fprintf(stderr, "macchiato: %s: cannot be written; name another file for --coverage\n", file.c_str());
		std::exit(2);
	}
	coverage_file() = file;
}

/* One bin, or with low < high one for each value: hit when value(seen) is in low..high. */
template <class Seen>
struct Bin {
	const char *name;
	int low, high;
	int (*value)(const Seen &);
};

/* An entry of a list of bins on `Seen`, in terms of `s`: one bin, or one for each value low..high. */
#define MCH_BIN(name, expression) {name, 1, 1, [](const Seen &s) -> int { return (expression) ? 1 : 0; }}
#define MCH_BINS(name, low, high, expression) \
	{name, low, high, [](const Seen &s) -> int { return static_cast<int>(expression); }}

/* What a unit with registers is seen as, before an edge. */
template <class Twin, class In>
struct SeenUnit {
	const Twin &t;
	const In &in;
};

template <class Seen>
class Coverage {
public:
	template <size_t N>
	Coverage(const char *module, const Bin<Seen> (&bins)[N]) : module_(module), bins_(bins), n_(N), on_(!coverage_file().empty())
	{
		for (const Bin<Seen> &b : bins)
			first_.push_back(count_.size()), count_.resize(count_.size() + static_cast<size_t>(b.high - b.low + 1));
	}
	Coverage(const Coverage &) = delete;
	Coverage &operator=(const Coverage &) = delete;

	void sample(const Seen &seen)
	{
		if (!on_)
			return;
		for (size_t i = 0; i < n_; i++) {
			const int value = bins_[i].value(seen);
			if (value >= bins_[i].low && value <= bins_[i].high)
				count_[first_[i] + static_cast<size_t>(value - bins_[i].low)]++;
		}
	}

	/* A bin a line: the module, the count, the name. */
	~Coverage()
	{
		std::FILE *const out = on_ ? std::fopen(coverage_file().c_str(), "a") : nullptr;
		for (size_t i = 0; out && i < n_; i++)
			for (int value = bins_[i].low; value <= bins_[i].high; value++) {
				const uint64_t count = count_[first_[i] + static_cast<size_t>(value - bins_[i].low)];
				std::fprintf(out, "%s\t%llu\t%s", module_, static_cast<unsigned long long>(count), bins_[i].name);
				std::fprintf(out, bins_[i].low == bins_[i].high ? "\n" : " %d\n", value);
			}
		if (out && std::fclose(out) != 0)
			std::fprintf(stderr, "macchiato: %s: not written whole; make room and run again\n", coverage_file().c_str());
	}

private:
	const char *const module_;
	const Bin<Seen> *const bins_;
	const size_t n_;
	const bool on_;
	std::vector<size_t> first_;
	std::vector<uint64_t> count_;
};

} // namespace mch_sim

#endif
