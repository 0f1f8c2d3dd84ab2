/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The multiplier of a verilated module (MULT, W_KIND, PACK), and what a weight's code stands for, said plainly: the twins have it from
 * fxp/format.h. Spec: docs/datapath.md "number", "mac". */
#ifndef MCH_TB_MULT_H
#define MCH_TB_MULT_H

#include <cstdint>

extern "C" {
#include "arch/mac_array.h"
}

#ifndef DUT_MULT
#define DUT_MULT 0
#endif
#ifndef DUT_PACK
#define DUT_PACK 0
#endif
#ifndef DUT_W_KIND
#define DUT_W_KIND 0
#endif

namespace mch_tb {

const mch_mult mult_of_dut = static_cast<mch_mult>(DUT_MULT);
const mch_number w_kind_of_dut = static_cast<mch_number>(DUT_W_KIND);
const bool pack_of_dut = DUT_PACK != 0;

inline int32_t weight_of(int32_t code)
{
	if (DUT_MULT == 0 || (code == 0 && DUT_W_KIND == MCH_POW2))
		return code;
	const int32_t power = 1 << (code < 0 ? -1 - code : DUT_W_KIND == MCH_POW2 ? code - 1 : code);
	return code < 0 ? -power : power;
}

} // namespace mch_tb

#endif
