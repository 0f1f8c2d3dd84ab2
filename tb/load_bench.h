/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the benches of the loaders share: the comparison with its report, registers beside their twins, the pins of a
 * descriptor, and how eagerly a case takes, answers and releases. */
#ifndef MCH_TB_LOAD_BENCH_H
#define MCH_TB_LOAD_BENCH_H

#include <functional>
#include <string>
#include <vector>

extern "C" {
#include "arch/map.h"
#include "base/err.h"
#include "tensor/report.h"
}
#include "sim/pins.h"
#include "sim/stimulus.h"
#include "sim/waves.h"

namespace mch_tb {

/* Values beside each other; the first that differs is reported, once. */
class Compare {
public:
	/* cycles() tells Dut::cycles(). */
	Compare(const mch_sim::BenchArgs &args, const char *module, std::function<uint64_t()> cycles)
		: args_(args), module_(module), cycles_(cycles)
	{
	}

	void begin(uint64_t number) { number_ = number; }
	/* `at` says where the bench is. */
	void position(const std::string &at) { at_ = at; }

	void same(const std::string &name, uint64_t want, uint64_t got, int bits = 32)
	{
		n_compared_++;
		if (want == got || failed_)
			return;
		failed_ = true;
		const int64_t wanted = static_cast<int64_t>(want), gotten = static_cast<int64_t>(got);
		const mch_field w = {name.c_str(), wanted, {bits, 0, false}, false};
		const mch_field g = {name.c_str(), gotten, {bits, 0, false}, false};
		const std::string redo = mch_sim::bench_redo(args_, number_), at = at_ + "  parameters " DUT_PARAMETERS;
		const std::string see = mch_sim::bench_see(args_, number_, std::string("TOP.") + module_ + "." + name, cycles_());
		mch_mismatch m = {};
		m.where = args_.name;
		m.module = module_;
		m.case_number = number_;
		m.seed = args_.seed;
		m.want = &w, m.got = &g, m.n_out = 1;
		m.at = at.c_str();
		m.redo = redo.c_str(), m.see = see.c_str();
		mch_mismatch_print(stdout, &m);
	}

	bool failed() const { return failed_; }
	uint64_t n_compared() const { return n_compared_; }

private:
	const mch_sim::BenchArgs &args_;
	const char *module_;
	std::function<uint64_t()> cycles_;
	std::string at_;
	uint64_t number_ = 0, n_compared_ = 0;
	bool failed_ = false;
};

/* A register of the module (element `index` of an array) and how its twin tells it. */
class Registers {
public:
	typedef std::function<int64_t()> Twin;

	void add(VerilatedContext *context, const char *scope, const char *name, int bits, Twin twin, int index = -1)
	{
		mch_sim::Register r = mch_sim::need_register(context, scope, name);
		if (index > 0)
			r.data = static_cast<const uint8_t *>(r.data) + static_cast<size_t>(index) * r.elem_bytes;
		list_.push_back({index < 0 ? name : std::string(name) + "[" + std::to_string(index) + "]", bits, r, twin});
	}

	void compare(Compare *with) const
	{
		for (const Item &i : list_) {
			const uint64_t mask = UINT64_MAX >> (64 - i.bits);
			const uint64_t want = static_cast<uint64_t>(i.twin()) & mask, got = i.rtl.value();
			if (want != got)
				with->same(i.name, want, got, i.bits);
		}
	}

private:
	struct Item {
		std::string name;
		int bits;
		mch_sim::Register rtl;
		Twin twin;
	};
	std::vector<Item> list_;
};

/* The descriptor onto the pins d_i. */
template <class Wide>
inline void drive_descriptor(Wide *d_i, const mch_descriptor &d)
{
	for (int i = 0; i < 32; i++)
		(*d_i)[i] = 0;
#define MCH_TB_DRIVE(member, word, low, bits) (*d_i)[word] |= (d.member & (UINT32_MAX >> (32 - (bits)))) << (low);
	MCH_DESCRIPTOR_FIELDS(MCH_TB_DRIVE)
#undef MCH_TB_DRIVE
}

/* Any bits: what stands there while the unit does not look. */
inline mch_descriptor any_descriptor(mch_rng *rng)
{
	mch_descriptor d;
#define MCH_TB_ANY(member, word, low, bits) \
	d.member = static_cast<uint32_t>(mch_rng_next(rng)) & (UINT32_MAX >> (32 - (bits)));
	MCH_DESCRIPTOR_FIELDS(MCH_TB_ANY)
#undef MCH_TB_ANY
	return d;
}

inline uint32_t draw(mch_rng *rng, uint32_t low, uint32_t high)
{
	return low + mch_rng_below(rng, high - low + 1);
}

/* Percent of the cycles in which each side acts when it could. */
struct Pace {
	int take, answer, release, start, go;

	explicit Pace(mch_rng *rng, int stall_percent)
	{
		static const int some[] = {100, 100, 60, 20, 5};
		int *const all[] = {&take, &answer, &release, &start, &go};
		for (int *p : all) {
			*p = some[mch_rng_below(rng, 5)];
			if (stall_percent > 0)
				*p = *p > stall_percent ? *p - stall_percent + 5 : 5;
		}
	}
};

/* A burst as mch_read makes it: to the next multiple of a full burst, or less when that is all that is asked for; in
 * some cases shorter, which it may be too (beats may hold less than words do). */
inline uint32_t burst_of(mch_rng *rng, uint32_t addr, uint32_t words, uint32_t full, bool is_short)
{
	const uint32_t to_end = full - addr % full, most = words < to_end ? words : to_end;
	return is_short ? draw(rng, 1, most) : most;
}

} // namespace mch_tb

#endif
