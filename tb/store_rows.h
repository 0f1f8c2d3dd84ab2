/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the bench of mch_store counts with: sizes that follow from the parameters, rows, bursts. */
#ifndef MCH_TB_STORE_ROWS_H
#define MCH_TB_STORE_ROWS_H

#include <array>
#include <cstdint>

extern "C" {
#include "base/rng.h"
}

#ifndef DUT_ADDR_BITS
#define DUT_ADDR_BITS 32
#endif
#ifndef DUT_BURST
#define DUT_BURST 16
#endif
#ifndef DUT_DEPTH
#define DUT_DEPTH 64
#endif

namespace mch_tb
{

enum : uint64_t {
	ROWS = DUT_ROWS,
	COLS = DUT_COLS,
	ELEM_BYTES = DUT_ELEM_BITS / 8,
	MEM_BYTES = DUT_MEM_BITS / 8,
	WORD_BYTES = COLS * ELEM_BYTES,
	WIDE = MEM_BYTES > WORD_BYTES,
	PARTS = WIDE ? 1 : WORD_BYTES / MEM_BYTES,
	BLOCK_BYTES = DUT_BURST * MEM_BYTES,
	BLOCK_WORDS = BLOCK_BYTES / WORD_BYTES,
	MEMORY_BYTES = 1 << 16, /* appears again and again through all addresses */
	ADDR_MASK = (UINT64_C(1) << DUT_ADDR_BITS) - 1,
};

struct Row {
	std::array<int32_t, COLS> codes;
	bool is_signed, kept;
	uint64_t addr; /* of its word, where kept */
};
struct Burst {
	uint64_t addr, words; /* in words */
};

inline int draw(mch_rng *rng, int low, int high)
{
	return low + static_cast<int>(mch_rng_below(rng, static_cast<uint32_t>(high - low + 1)));
}

} // namespace mch_tb

#endif
