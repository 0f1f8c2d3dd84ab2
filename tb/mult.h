/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The multiplier of a verilated module (MULT, W_KIND, PACK, ...), and what its operands stand for, said plainly: the twins have it from
 * fxp/format.h. Spec: docs/datapath.md "number", "mac". */
#ifndef MCH_TB_MULT_H
#define MCH_TB_MULT_H

#include <cstdint>

extern "C" {
#include "arch/accel.h"
}

#ifndef DUT_MULT
#define DUT_MULT 0
#endif
#ifndef DUT_PACK
#define DUT_PACK 0
#endif
#ifndef DUT_X_COLS
#define DUT_X_COLS 1
#endif
#ifndef DUT_X_KIND
#define DUT_X_KIND 0
#define DUT_X_EXP 0
#define DUT_W_EXP 0
#endif
#ifndef DUT_W_KIND
#define DUT_W_KIND 0
#endif

namespace mch_tb {

const mch_mult mult_of_dut = static_cast<mch_mult>(DUT_MULT);
const mch_number w_kind_of_dut = static_cast<mch_number>(DUT_W_KIND);
const bool pack_of_dut = DUT_PACK != 0;
const mch_number x_kind_of_dut = static_cast<mch_number>(DUT_X_KIND);
enum { x_cols_of_dut = DUT_X_COLS };
enum { x_exp_of_dut = DUT_X_EXP, w_exp_of_dut = DUT_W_EXP, is_minifloat_dut = DUT_MULT == 2 };

/* What all tensors and all weights of a network must be for the build: bits 0 where any fixed point will do. */
const mch_format all_tensors_of_dut = is_minifloat_dut ? mch_format{DUT_X_BITS, 0, true, x_kind_of_dut, x_exp_of_dut} : mch_format();
const mch_format all_weights_of_dut = is_minifloat_dut ? mch_format{DUT_W_BITS, 0, true, w_kind_of_dut, w_exp_of_dut}
				      : DUT_MULT == 1  ? mch_format{DUT_W_BITS, 0, true, MCH_POW2, 0}
						       : mch_format();

/* The same of an accelerator's build, of its shifters with codes of kind 5. */
inline void set_numbers(mch_accel_config *c)
{
	c->mult = mult_of_dut, c->pack = pack_of_dut;
	c->x_kind = x_kind_of_dut, c->x_exp = x_exp_of_dut, c->w_kind = w_kind_of_dut, c->w_exp = w_exp_of_dut;
}

/* A minifloat as memory has it: the table of "number". */
inline int64_t minifloat_of(int32_t memory, int bits, int exp_bits, int kind, bool is_signed)
{
	const int m_bits = bits - is_signed - exp_bits;
	const bool is_negative = is_signed && memory >> (bits - 1);
	int32_t code = is_negative ? memory - (1 << (bits - 1)) : memory;
	if (code == 0)
		return 0;
	code -= kind == 4;
	const int e = code >> m_bits, m = code & ((1 << m_bits) - 1);
	const int64_t one = INT64_C(1) << m_bits;
	const int64_t integer = kind == 4 ? (one + m) << e : e == 0 ? m : (one + m) << (e - 1);
	return is_negative ? -integer : integer;
}

/* x [X_BITS] and w [W_BITS] on the pins of the array. */
inline int64_t activation_of(int32_t x, bool is_signed)
{
	return is_minifloat_dut ? minifloat_of(x, DUT_X_BITS, DUT_X_EXP, DUT_X_KIND, is_signed) : x;
}

inline int64_t weight_of(int32_t code)
{
	if (DUT_MULT == 2)
		return minifloat_of(code, DUT_W_BITS, DUT_W_EXP, DUT_W_KIND, true);
	if (DUT_MULT == 0 || (code == 0 && DUT_W_KIND == MCH_POW2))
		return code;
	const int32_t power = 1 << (code < 0 ? -1 - code : DUT_W_KIND == MCH_POW2 ? code - 1 : code);
	return code < 0 ? -power : power;
}

} // namespace mch_tb

#endif
