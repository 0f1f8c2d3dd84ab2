/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bins of the array and of the datapath (docs/datapath.md): tiles, stalls, and what saturates in them. They look at the registers of
 * the C twins before an edge, and at the input pins of that cycle. */
#ifndef MCH_TB_BINS_ARRAY_H
#define MCH_TB_BINS_ARRAY_H

extern "C" {
#include "arch/datapath.h"
#include "fxp/sat.h"
}
#include "sim/coverage.h"
#include "sim/stimulus.h"

namespace mch_tb {

struct SeenArray {
	const mch_mac_array &t;
	const mch_mac_array_in &in;

	int lanes() const { return t.cfg.rows * t.cfg.cols; }
	bool ready() const { return mch_mac_array_in_ready(&t); }
	bool takes() const { return in.valid && ready(); }
	bool row_waits() const { return t.n_out > 0 && !in.out_ready; }
	bool row_leaves() const { return t.n_out > 0 && in.out_ready; }
	bool is_some(const bool *flags, int n) const
	{
		for (int i = 0; t.cfg.acc.overflow == MCH_SATURATE && i < n; i++)
			if (flags[i])
				return true;
		return false;
	}
	bool over() const { return is_some(t.over, lanes()); }
	bool row_over() const { return is_some(t.bank_over, t.cfg.cols); }
	/* A finished sum of this value. */
	bool sums_to(int64_t v) const
	{
		for (int i = 0; t.done && i < lanes(); i++)
			if (t.acc[i] == v)
				return true;
		return false;
	}
};

namespace array_bins {
typedef SeenArray Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BIN("tile of one beat", s.takes() && s.in.first && s.in.last),
	MCH_BIN("first beat of several", s.takes() && s.in.first && !s.in.last),
	MCH_BIN("last beat of several", s.takes() && !s.in.first && s.in.last),
	MCH_BIN("first beat behind a last one", s.takes() && s.in.first && s.t.v0 && s.t.last0),
	MCH_BIN("first beat of the first tile", s.takes() && s.in.first && mch_mac_array_idle(&s.t)),
	MCH_BIN("first beat of a tile in place of one that was given up", s.takes() && s.in.first && s.t.v0 && !s.t.last0),
	MCH_BIN("bubble within a tile", !s.in.valid && s.ready() && s.t.v0 && !s.t.last0),
	MCH_BIN("bubble between tiles", !s.in.valid && s.ready() && s.t.v0 && s.t.last0),
	MCH_BIN("first beat waits", s.in.valid && s.in.first && !s.ready()),
	MCH_BIN("last beat waits", s.in.valid && s.in.last && !s.ready()),
	MCH_BIN("stages full as all waits", !s.ready() && s.t.v0 && s.t.v1),
	MCH_BIN("a finished tile finds the bank empty", s.t.done && s.t.n_out == 0),
	MCH_BIN("a finished tile as the bank gives its last row", s.t.done && s.t.n_out == 1 && s.in.out_ready),
	MCH_BIN("first row waits", s.row_waits() && s.t.n_out == s.t.cfg.rows),
	MCH_BIN("last row waits", s.row_waits() && s.t.n_out == 1),
	MCH_BIN("last row of the last tile", s.row_leaves() && s.t.n_out == 1 && !s.t.v0 && !s.t.v1 && !s.t.done),
	MCH_BIN("highest sum", s.sums_to(mch_sim::high_code(s.t.cfg.acc.bits, true))),
	MCH_BIN("lowest sum", s.sums_to(mch_sim::low_code(s.t.cfg.acc.bits, true))),
	MCH_BIN("a saturated sum as all waits", !s.ready() && s.over()),
	MCH_BIN("a saturated tile finds the bank empty", s.t.done && s.t.n_out == 0 && s.over()),
	MCH_BIN("saturated, then a first beat", s.ready() && s.t.v1 && s.t.first1 && s.over()),
	MCH_BIN("a saturated row waits", s.row_waits() && s.row_over()),
	MCH_BIN("a saturated row leaves", s.row_leaves() && s.row_over()),
	MCH_BIN("signed activations", s.takes() && s.in.x_signed),
	MCH_BIN("unsigned activations", s.takes() && !s.in.x_signed),
};
} // namespace array_bins

struct SeenDatapath {
	const mch_datapath &t;
	const mch_datapath_in &in;

	bool moves() const { return !t.valid3 || in.out_ready; }
	bool array_row() const { return mch_mac_array_out_valid(&t.array); }
	bool enters() const { return moves() && (array_row() || in.sum_valid); }
	bool sat() const
	{
		for (int j = 0; t.valid3 && j < t.array.cfg.cols; j++)
			if (t.lane[j].sat)
				return true;
		return false;
	}
};

namespace datapath_bins {
typedef SeenDatapath Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BIN("a row of the array enters", s.moves() && s.array_row()),
	MCH_BIN("a row of sums enters", s.moves() && !s.array_row() && s.in.sum_valid),
	MCH_BIN("sums wait for the array's row", s.moves() && s.array_row() && s.in.sum_valid),
	MCH_BIN("sums wait in a stall", !s.moves() && !s.array_row() && s.in.sum_valid),
	MCH_BIN("a row waits at the output", !s.moves() && !s.sat()),
	MCH_BIN("a saturated row waits at the output", !s.moves() && s.sat()),
	MCH_BIN("a saturated row leaves", s.in.out_ready && s.sat()),
	MCH_BIN("a stall with full stages", !s.moves() && s.t.valid1 && s.t.valid2),
	MCH_BIN("a stall with a bubble behind", !s.moves() && !(s.t.valid1 && s.t.valid2)),
	MCH_BIN("a stall reaches the accumulators", !s.moves() && s.t.array.done && s.array_row()),
	MCH_BIN("a stall reaches a saturated row of the output and the accumulators", s.sat() && !s.moves() && s.t.array.done && s.array_row()),
	MCH_BIN("a stall reaches the beats", !s.moves() && s.in.array.valid && !mch_datapath_in_ready(&s.t)),
	MCH_BIN("first beat as rows of the tile before come out", s.in.array.valid && s.in.array.first && s.t.valid3),
	MCH_BIN("first beat of all", s.in.array.valid && s.in.array.first && mch_datapath_idle(&s.t)),
	MCH_BIN("the last row of all leaves", s.t.valid3 && s.in.out_ready && !s.t.valid2 && !s.t.valid1 && mch_mac_array_idle(&s.t.array)),
	MCH_BIN("parameters come to an idle datapath", s.in.load && mch_datapath_idle(&s.t)),
	MCH_BINS("ReLU", 0, 1, s.enters() ? s.t.layer.relu : -1),
	MCH_BINS("signed codes", 0, 1, s.enters() ? s.t.layer.y_signed : -1),
};
} // namespace datapath_bins

} // namespace mch_tb

#endif
