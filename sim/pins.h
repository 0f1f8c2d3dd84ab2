/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pins and registers of a verilated model as plain memory: packing operands into ports, finding registers by their
 * hierarchical name. Little-endian hosts, as Verilator's own layout. Holds no expected values. */
#ifndef MCH_SIM_PINS_H
#define MCH_SIM_PINS_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "verilated.h"
#include "verilated_sym_props.h"
#include "verilated_syms.h"

namespace mch_sim {

/* Packs n elements of `bits` bits each, element 0 lowest, into the memory of a port (CData .. VlWide). */
template <class T>
inline void pack(void *port, const T *values, int n, int bits)
{
	uint8_t *out = static_cast<uint8_t *>(port);
	if (bits == 8) {
		for (int i = 0; i < n; i++)
			out[i] = static_cast<uint8_t>(values[i]);
		return;
	}
	const uint64_t mask = (UINT64_C(1) << bits) - 1; /* bits <= 48 */
	uint64_t held = 0;                                /* at most 7 + 48 bits */
	int n_held = 0;
	for (int i = 0; i < n; i++) {
		held |= (static_cast<uint64_t>(values[i]) & mask) << n_held;
		for (n_held += bits; n_held >= 8; n_held -= 8, held >>= 8)
			*out++ = static_cast<uint8_t>(held);
	}
	if (n_held > 0)
		*out = static_cast<uint8_t>(held);
}

/* Element i of `bits` bits of a packed port, zero-extended. */
inline uint64_t unpack(const void *port, int i, int bits)
{
	const uint8_t *in = static_cast<const uint8_t *>(port);
	uint64_t value = 0;
	for (int b = 0; b < bits; b++) {
		const size_t at = static_cast<size_t>(i) * bits + b;
		value |= static_cast<uint64_t>(in[at / 8] >> (at % 8) & 1) << b;
	}
	return value;
}

/* A register of the model. */
struct Register {
	const void *data = nullptr;
	size_t elem_bytes = 0; /* 1, 2, 4 or 8; 4 for a wide vector */
	explicit operator bool() const { return data != nullptr; }
	uint64_t value() const
	{
		uint64_t v = 0;
		std::memcpy(&v, data, elem_bytes);
		return v;
	}
};

/* The register `name` in scope `scope` ("TOP.mch_mac_array.g_row[3].u_mac"), made visible by sim/registers.vlt; a missing
 * one is an empty Register. */
inline Register find_register(VerilatedContext *context, const char *scope, const char *name)
{
	Register r;
	const VerilatedScope *at = context->scopeFind(scope);
	const VerilatedVar *var = at ? at->varFind(name) : nullptr;
	if (var) {
		r.data = var->datap();
		r.elem_bytes = var->entSize();
	}
	return r;
}

inline Register need_register(VerilatedContext *context, const char *scope, const char *name)
{
	const Register r = find_register(context, scope, name);
	if (!r) {
		std::fprintf(stderr, "macchiato: %s.%s: no such register in this build; build it with sim/registers.vlt\n",
			     scope, name);
		std::exit(2);
	}
	return r;
}

} // namespace mch_sim

#endif
