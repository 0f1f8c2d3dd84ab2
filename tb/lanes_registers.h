/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The registers of mch_lanes beside those of its twin. */
#ifndef MCH_TB_LANES_REGISTERS_H
#define MCH_TB_LANES_REGISTERS_H

#include <algorithm>

#include "sim/pins.h"
#include "tb/lanes_case.h"

namespace mch_tb {

using mch_sim::need_register;
using mch_sim::Register;

struct Named {
	const char *name;
	uint64_t want, got;
	int bits;
};

/* The registers of the RTL, and what the twin says they should hold. The lanes' words are compared whole. */
class LanesRegisters {
public:
	void find(VerilatedContext *context);
	const void *next() const { return next_; }
	const void *cur() const { return cur_; }
	/* The first that differs; want == got when none does. */
	Named first(const mch_lanes &t) const;

private:
	enum { N = 43 };
	static const char *const names_[N];
	static void twin(const mch_lanes &t, uint64_t *v);
	Register rtl_[N];
	const void *next_ = nullptr, *cur_ = nullptr;
};

inline const char *const LanesRegisters::names_[N] = {
	"busy_q",  "more_q",  "walk_q",  "half_q",   "v0_q",    "v1_q",    "full_q",      "cur_valid_q", "whole0_q",
	"prow_q",  "trow_q",  "srow_q",  "pcol_q",   "tcol_q",  "scol_q",  "tleft_q",     "sleft_q",     "lane_q",
	"s_q",     "r_q",     "block_q", "tile_q",   "y_q",     "second_q", "first_q",    "roff_q",      "coff_q",
	"base_q",  "off0_q",  "half0_q", "zero0_q",  "end0_q",  "zero1_q", "info0_q",     "info1_q",
	"next_info_q", "cur_info_q", "c_q",     "whole1_q", "nrow_q",  "ncol_q",
	"depthwise_q", "lane_last_q"};

inline uint64_t vector_of(const mch_lanes_info &i)
{
	const uint64_t tile = i.first | i.last << 1 | i.is_signed << 2;
	const uint64_t flags = tile | i.first_tile << 3 | i.last_tile << 4 | i.end << 5;
	return i.channel_last | ((i.words | flags << 7) * COLS);
}

inline void LanesRegisters::find(VerilatedContext *context)
{
	for (int i = 0; i < N; i++)
		rtl_[i] = need_register(context, "TOP.mch_lanes", names_[i]);
	next_ = need_register(context, "TOP.mch_lanes", "next_q").data;
	cur_ = need_register(context, "TOP.mch_lanes", "cur_q").data;
}

/* In the order of names_. */
inline void LanesRegisters::twin(const mch_lanes &t, uint64_t *v)
{
	const auto u = [](int i) { return static_cast<uint64_t>(i); };
	const uint64_t all[N] = {
		t.busy, t.more, t.walk, t.half, t.v0, t.v1, t.full, t.cur_valid, t.whole0,
		t.pixel.row, t.tile_pixel.row, t.strip_pixel.row, t.pixel.col, t.tile_pixel.col, t.strip_pixel.col,
		t.tleft, t.sleft, u(t.lane),
		t.s, t.r, t.block, t.tile, t.y, t.second, t.first, t.roff, t.coff,
		t.base, t.off0, t.half0, t.zero0, t.end0, t.zero1, vector_of(t.info0), vector_of(t.info1),
		vector_of(t.next_info), vector_of(t.cur_info), u(t.c), t.whole1,
		t.next_pixel.row, t.next_pixel.col, t.depthwise, u(t.lane_last)};
	std::copy_n(all, static_cast<int>(N), v);
}

inline Named LanesRegisters::first(const mch_lanes &t) const
{
	uint64_t want[N];
	twin(t, want);
	for (int i = 0; i < N; i++)
		if (want[i] != rtl_[i].value())
			return {names_[i], want[i], rtl_[i].value(), 32};
	return {nullptr, 0, 0, 1};
}

} // namespace mch_tb

#endif
