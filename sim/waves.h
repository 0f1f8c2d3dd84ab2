/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A GTKWave save file for an FST: the signals of one scope, by the names that the FST itself has, and a marker. Needs a build with
 * waves. Holds no expected values. */
#ifndef MCH_SIM_WAVES_H
#define MCH_SIM_WAVES_H

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "sim/bench.h"
#if VM_TRACE
#include "gtkwave/fstapi.h"
#endif

namespace mch_sim {

/* "TOP.mch_top.u_read.open_q[2]" without its last name: the unit that holds it. Names of pins do not begin with TOP. */
inline std::string waves_scope(const std::string &signal)
{
	const std::string whole = signal.compare(0, 4, "TOP.") == 0 ? signal : "TOP." + signal;
	return whole.substr(0, whole.rfind('.'));
}

#if VM_TRACE
struct Wave {
	std::string name;
	uint32_t bits;
};

/* Signals of the scope; parameters are none. */
inline std::vector<Wave> waves_of(const std::string &fst, const std::string &scope)
{
	std::vector<Wave> found;
	std::vector<size_t> lengths;
	std::string here;
	void *const reader = fstReaderOpen(fst.c_str());
	while (fstHier *const item = reader ? fstReaderIterateHier(reader) : nullptr) {
		if (item->htyp == FST_HT_SCOPE) {
			lengths.push_back(here.size());
			here += (here.empty() ? "" : ".") + std::string(item->u.scope.name);
		} else if (item->htyp == FST_HT_UPSCOPE && !lengths.empty()) {
			here.resize(lengths.back());
			lengths.pop_back();
		} else if (item->htyp == FST_HT_VAR && here == scope && item->u.var.typ != FST_VT_VCD_PARAMETER) {
			std::string name = here + "." + item->u.var.name;
			const size_t blank = name.find(" [");
			if (blank != std::string::npos) /* GTKWave's own names have no blank before the range */
				name.erase(blank, 1);
			found.push_back({name, item->u.var.length});
		}
	}
	if (reader)
		fstReaderClose(reader);
	return found;
}

/* Writes FILE.gtkw beside FILE.fst; `cycle` as Dut::cycles() counts. Signals of the scope, the clock and the one that differs first.
 * False when there are none, or the file cannot be written. */
inline bool waves_save(const std::string &fst, const std::string &gtkw, const std::string &signal, uint64_t cycle)
{
	const std::vector<Wave> waves = waves_of(fst, waves_scope(signal));
	std::FILE *const file = waves.empty() ? nullptr : std::fopen(gtkw.c_str(), "w");
	if (!file)
		return false;
	const uint64_t marker = 2 * cycle - 1; /* its rising edge */
	const std::string last = signal.substr(signal.rfind('.') + 1);
	const std::string base = last.substr(0, last.find('['));
	std::fprintf(file, "[dumpfile] \"%s\"\n[timestart] %" PRIu64 "\n*-3.000000 %" PRIu64, fst.c_str(),
		     marker > 40 ? marker - 40 : 0, marker);
	for (int i = 0; i < 26; i++)
		std::fprintf(file, " -1");
	std::fprintf(file, "\n");
	const auto put = [file](const Wave &w) { std::fprintf(file, "@%d\n%s\n", w.bits == 1 ? 28 : 22, w.name.c_str()); };
	const auto rank = [&](const Wave &w) {
		const std::string name = w.name.substr(w.name.rfind('.') + 1);
		return name == "clk_i" ? 0 : name == last || name.compare(0, last.size() + 1, last + "[") == 0 ? 1
		       : name.compare(0, base.size(), base) == 0 ? 2 : 3;
	};
	for (int r = 0; r < 4; r++)
		for (const Wave &w : waves)
			if (rank(w) == r)
				put(w);
	return std::fclose(file) == 0;
}
#endif

/* Runs the command again, which fails in `cycle`, with the waves around it in STEM.fst; what to see, or "" in a build without waves. */
inline std::string waves_again(const std::string &command, const std::string &stem, const std::string &signal, uint64_t cycle)
{
#if VM_TRACE
	const std::string fst = stem + ".fst", gtkw = stem + ".gtkw";
	std::remove(fst.c_str());
	/* The run ends with a mismatch, as this one did. */
	if (std::system((command + " --waves=" + fst + " --around=" + std::to_string(cycle) + " >" + stem + ".again 2>&1").c_str()) == 0 ||
	    !waves_save(fst, gtkw, signal, cycle))
		return "";
	const uint64_t first = cycle > WAVES_BEFORE ? cycle - WAVES_BEFORE : 0;
	return gtkw + " (cycles " + std::to_string(first) + " to " + std::to_string(cycle + WAVES_AFTER) + ")";
#else
	return command.substr(0, 0 * (stem.size() + signal.size() + cycle));
#endif
}

/* The same for a bench of bench_args(). A case run alone may fail in another cycle: then the run of the case alone looks itself, and its
 * line is taken over. */
inline std::string bench_see(const BenchArgs &args, uint64_t case_number, const std::string &signal, uint64_t cycle)
{
	const std::string waves = bench_waves(args.name), redo = bench_redo(args, case_number), stem = args.program;
	const std::string command = redo.substr(0, redo.size() - waves.size());
	if (waves.empty() || !args.waves.empty())
		return "";
	if (args.n_cases == 1)
		return waves_again(command, stem, signal, cycle);
	std::FILE *const again = popen((command + " 2>&1").c_str(), "r");
	std::string see;
	char line[4096];
	while (again && std::fgets(line, sizeof(line), again))
		if (std::strncmp(line, "  see   ", 8) == 0)
			see.assign(line + 8, std::strcspn(line + 8, "\n"));
	if (again)
		pclose(again);
	return see;
}

} // namespace mch_sim

#endif
