/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Lock-step: compares every register of the array (and of the requantizers) with its C twin after every edge.
 * The fast path only says "something differs"; the slow path then finds the first register and reports it. */
#ifndef MCH_TB_LOCKSTEP_H
#define MCH_TB_LOCKSTEP_H

#include <string>
#include <vector>

extern "C" {
#include "arch/datapath.h"
#include "tensor/report.h"
}
#include "sim/pins.h"

namespace mch_tb {

typedef uint64_t (*DifferSums)(const void *const *, const int64_t *, int, int, uint64_t);
typedef uint64_t (*DifferProducts)(const void *const *, const int32_t *, int, int, uint64_t);

/* What differs first. */
struct Difference {
	std::string name = "in_ready_o or out_valid_o"; /* hierarchical, with index; the pins when no register differs */
	int row = -1, col = -1;
	int64_t want = 1, got = 0;
	int bits = 1;
	bool is_signed = false;
};

class Lockstep {
public:
	/* scope: "TOP.mch_mac_array", or "TOP.mch_datapath.u_array" with the datapath's own scope in lanes_scope. */
	Lockstep(VerilatedContext *context, const mch_mac_array *array, const std::string &scope,
		 const mch_datapath *datapath = nullptr, const std::string &lanes_scope = "");

	/* After every edge. */
	bool differs() const { return array_differs() || (datapath_ && lanes_differ()); }

	/* After differs(): the first, in the order of the pipeline. */
	Difference first() const;

	/* Values compared by one call of differs(). */
	uint64_t n_values() const { return n_values_; }

private:
	struct Scalar {
		std::string name;
		mch_sim::Register rtl;
		int bits;
	};

	bool array_differs() const;
	bool lanes_differ() const;
	uint64_t twin_control(int i) const;
	static uint64_t twin_lane(const mch_datapath_lane &lane, int i);
	bool rows_first(const char *name, const std::vector<const void *> &rtl, size_t elem_bytes, int bits,
			int64_t (*twin)(const mch_mac_array *, size_t), Difference *d) const;

	bool flags_first(const char *name, const std::vector<const void *> &rtl, const bool *twin, Difference *d) const;

	const mch_mac_array *a_;
	const mch_datapath *datapath_;
	std::string scope_, lanes_scope_;
	std::vector<Scalar> control_;
	mch_sim::Register x_, w_;
	std::vector<const void *> product_, acc_, bank_, over_, bank_over_;
	size_t product_bytes_, sum_bytes_, over_bytes_ = 0;
	uint64_t product_mask_, sum_mask_;
	DifferSums differ_sums_, differ_wide_products_;
	DifferProducts differ_products_;
	struct LaneRegister {
		std::string name;
		std::vector<const void *> rtl; /* [column] */
		size_t elem_bytes;
		int bits;
	};
	std::vector<LaneRegister> lane_;
	mch_sim::Register valid_[3];
	mutable std::vector<uint8_t> packed_;
	uint64_t n_values_ = 0;
};

} // namespace mch_tb

#endif
