/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The run of a bench on a netlist of scripts/mutate, which holds many faults: the port mutant_i chooses one, 0 none. The
 * environment has what the script says: MCH_MUTANT the fault, MCH_CYCLES the cycles after which the bench hangs. Of other
 * models nothing is known here. */
#ifndef MCH_SIM_MUTANT_H
#define MCH_SIM_MUTANT_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace mch_sim {

/* Exit status of a bench that went on for more cycles than were allowed; not one of bench.h. */
enum { HANGS = 3 };

inline uint64_t mutant_variable(const char *name, uint64_t otherwise)
{
	const char *const text = std::getenv(name);
	return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

template <class Model> auto choose_mutant(Model &model, int) -> decltype(model.mutant_i, void())
{
	model.mutant_i = static_cast<decltype(model.mutant_i + 0)>(mutant_variable("MCH_MUTANT", 0));
}

template <class Model> void choose_mutant(Model &, long) {}

/* The cycles that a bench may take: all of them but under scripts/mutate. */
class CycleLimit {
public:
	void check(uint64_t cycles) const
	{
		if (cycles <= limit_)
			return;
		std::printf("more than %llu cycles: it hangs\n", static_cast<unsigned long long>(limit_));
		std::exit(HANGS);
	}

private:
	uint64_t limit_ = mutant_variable("MCH_CYCLES", UINT64_MAX);
};

} // namespace mch_sim

#endif
