/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What every bench shares: its options, its one summary line, its exit status. Holds no expected values. */
#ifndef MCH_SIM_BENCH_H
#define MCH_SIM_BENCH_H

#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/coverage.h"

namespace mch_sim {

/* Exit status; a bench that compared nothing has shown nothing, so it is an error of the test, never a pass. */
enum { AGREED = 0, MISMATCH = 1, FAILED = 2, NOTHING_COMPARED = 99 };

/* One case number means one stimulus, whatever --cases says: so --case=N repeats it alone. */
struct BenchArgs {
	const char *program;  /* argv[0] */
	const char *name;     /* without its folder */
	uint64_t seed = 1;
	uint64_t first = 0, n_cases = 0; /* cases first .. first + n_cases - 1 */
	int stall_percent = 0;
	std::string waves; /* FILE.fst, or empty */
};

/* Cycles shown before and after the one of a mismatch; the cycles that waves are of, as Dut::cycles() counts. */
enum { WAVES_BEFORE = 50, WAVES_AFTER = 10 };
struct WavesWindow {
	uint64_t first = 0, last = UINT64_MAX / 2;
};
inline WavesWindow &waves_window()
{
	static WavesWindow window;
	return window;
}
inline void waves_around(uint64_t cycle)
{
	waves_window() = {cycle > WAVES_BEFORE ? cycle - WAVES_BEFORE : 0, cycle + WAVES_AFTER};
}

[[noreturn]] inline void bench_usage(const BenchArgs &args, const char *arg, const char *why)
{
	std::fprintf(stderr,
		     "macchiato: %s: %s: %s; usage: %s [--seed=N] [--cases=N | --case=N] [--stalls=PERCENT] [--waves=FILE.fst [--around=CYCLE]] [--coverage=FILE]\n",
		     args.name, arg, why, args.name);
	std::exit(FAILED);
}

inline uint64_t bench_number(const BenchArgs &args, const char *arg, const char *text, uint64_t high)
{
	char *end;
	const unsigned long long value = std::strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || value > high) {
		const std::string why = "a whole number from 0 to " + std::to_string(high) + " is needed";
		bench_usage(args, arg, why.c_str());
	}
	return value;
}

/* Ends the program with exit 2 on bad usage. */
inline BenchArgs bench_args(int argc, char **argv, uint64_t default_cases)
{
	const uint64_t most = UINT64_C(1) << 40;
	BenchArgs args;
	const char *slash = std::strrchr(argv[0], '/');
	args.program = argv[0];
	args.name = slash ? slash + 1 : argv[0];
	args.n_cases = default_cases;
	for (int i = 1; i < argc; i++) {
		const char *const value = std::strchr(argv[i], '=');
		const std::string key(argv[i], value ? static_cast<size_t>(value - argv[i]) : std::strlen(argv[i]));
		if (!value)
			bench_usage(args, argv[i], "no such option");
		if (key == "--seed") {
			args.seed = bench_number(args, argv[i], value + 1, UINT32_MAX);
		} else if (key == "--case") {
			args.first = bench_number(args, argv[i], value + 1, most);
			args.n_cases = 1;
		} else if (key == "--cases") {
			args.n_cases = bench_number(args, argv[i], value + 1, most);
		} else if (key == "--stalls") {
			args.stall_percent = static_cast<int>(bench_number(args, argv[i], value + 1, 90));
		} else if (key == "--waves") {
			args.waves = value + 1;
		} else if (key == "--around") {
			waves_around(bench_number(args, argv[i], value + 1, most));
		} else if (key == "--coverage") {
			coverage_open(value + 1);
		} else {
			bench_usage(args, argv[i], "no such option");
		}
	}
	return args;
}

/* Takes --replay=FILE out of the arguments, of a bench that has it; "" where there is none. */
inline std::string bench_replay(int *argc, char **argv)
{
	std::string file;
	int n = 1;
	for (int i = 1; i < *argc; i++) {
		if (std::strncmp(argv[i], "--replay=", 9) == 0)
			file = argv[i] + 9;
		else
			argv[n++] = argv[i];
	}
	*argc = n;
	return file;
}

/* The option that asks for waves, in a build that has them: a command that is printed can be run. */
inline std::string bench_waves(const std::string &name)
{
#if VM_TRACE
	return " --waves=" + name + ".fst";
#else
	return name.substr(0, 0);
#endif
}

/* The command that repeats one case alone, with waves where the build has them. */
inline std::string bench_redo(const BenchArgs &args, uint64_t case_number)
{
	std::string redo = std::string(args.program) + " --seed=" + std::to_string(args.seed);
	if (args.stall_percent > 0)
		redo += " --stalls=" + std::to_string(args.stall_percent);
	return redo + " --case=" + std::to_string(case_number) + bench_waves(args.name);
}

/* Wall-clock time since its making, for the summary alone. */
class Stopwatch {
public:
	double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

private:
	using Clock = std::chrono::steady_clock;
	Clock::time_point start_ = Clock::now();
};

/* The summary line, which scripts/sim reads, and the exit status of the bench. A combinational module counts its
 * evaluations as cycles. */
inline int bench_end(const BenchArgs &args, const Stopwatch &watch, uint64_t compared, uint64_t cycles, bool agreed)
{
	const int status = !agreed ? MISMATCH : compared == 0 ? NOTHING_COMPARED : AGREED;
	const char *const result = !agreed ? "MISMATCH" : compared == 0 ? "NOTHING COMPARED" : "agreed";
	std::fflush(stdout);
	std::printf("%s: seed=%" PRIu64 " cases=%" PRIu64 " cycles=%" PRIu64 " khz=%.0f result=%s\n", args.name, args.seed,
		    compared, cycles, static_cast<double>(cycles) / watch.seconds() / 1e3, result);
	return status;
}

} // namespace mch_sim

#endif
