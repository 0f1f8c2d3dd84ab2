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

/* One source for several vector widths, as in arch/mac_array.c. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define MCH_TB_CLONES __attribute__((optimize("O3"), target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MCH_TB_CLONES
#endif

/* Verilator keeps a register of b bits in the next larger word, the bits above b zero: so the twin's value is masked. A
 * nonzero result means that some element differs. */
template <class Rtl, class Twin>
inline __attribute__((always_inline)) uint64_t rows_differ(const void *const *rtl, const Twin *twin, int rows, int cols,
							   uint64_t mask)
{
	Rtl differ = 0;
	for (int i = 0; i < rows; i++, twin += cols) {
		const Rtl *row = static_cast<const Rtl *>(rtl[i]);
		for (int j = 0; j < cols; j++)
			differ |= static_cast<Rtl>((static_cast<Rtl>(twin[j]) & static_cast<Rtl>(mask)) ^ row[j]);
	}
	return differ;
}

typedef uint64_t (*DifferSums)(const void *const *, const int64_t *, int, int, uint64_t);
typedef uint64_t (*DifferProducts)(const void *const *, const int32_t *, int, int, uint64_t);

#define MCH_TB_DIFFER(name, rtl_type, twin_type)                                                            \
	MCH_TB_CLONES static uint64_t name(const void *const *rtl, const twin_type *twin, int rows, int cols, \
					   uint64_t mask)                                                   \
	{                                                                                                   \
		return rows_differ<rtl_type>(rtl, twin, rows, cols, mask);                                  \
	}
MCH_TB_DIFFER(differ_sums_8, uint8_t, int64_t)
MCH_TB_DIFFER(differ_sums_16, uint16_t, int64_t)
MCH_TB_DIFFER(differ_sums_32, uint32_t, int64_t)
MCH_TB_DIFFER(differ_sums_64, uint64_t, int64_t)
MCH_TB_DIFFER(differ_products_8, uint8_t, int32_t)
MCH_TB_DIFFER(differ_products_16, uint16_t, int32_t)
MCH_TB_DIFFER(differ_products_32, uint32_t, int32_t)
#undef MCH_TB_DIFFER

/* What differs first. */
struct Difference {
	std::string name; /* hierarchical, with index */
	int row = -1, col = -1;
	int64_t want = 0, got = 0;
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

	const mch_mac_array *a_;
	const mch_datapath *datapath_;
	std::string scope_, lanes_scope_;
	std::vector<Scalar> control_;
	mch_sim::Register x_, w_;
	std::vector<const void *> product_, acc_, bank_, over_, bank_over_;
	size_t product_bytes_, sum_bytes_, over_bytes_ = 0;
	uint64_t product_mask_, sum_mask_;
	DifferSums differ_sums_;
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
