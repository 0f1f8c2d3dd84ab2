/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A verilated SystemC module (verilator --sc): the values of its ports as plain memory, and its waves. Little-endian
 * hosts, as Verilator's own layout. Holds no expected values. */
#ifndef MCH_SIM_SC_DUT_H
#define MCH_SIM_SC_DUT_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <systemc>
#include <type_traits>

#include "verilated.h"
#if VM_TRACE
#include "verilated_fst_sc.h"
#endif

namespace mch_sim {

/* Verilator's ports: bool for one bit, uint32_t and uint64_t up to 32 and 64 bits, sc_bv beyond. */
template <class Port>
using PortValue = typename std::remove_reference_t<Port>::data_type;
template <class Port>
using SignalOf = sc_core::sc_signal<PortValue<Port>>;

/* Packed little-endian bytes, as sim/pins.h makes them, to a port's value and back. */
template <class T>
struct Packed {
	enum { BYTES = sizeof(T) };
	static void set(T *value, const uint8_t *bytes) { std::memcpy(value, bytes, sizeof(T)); }
	static void get(const T &value, uint8_t *bytes) { std::memcpy(bytes, &value, sizeof(T)); }
};

template <int N>
struct Packed<sc_dt::sc_bv<N>> {
	enum { WORDS = (N + 31) / 32, BYTES = 4 * WORDS };
	static void set(sc_dt::sc_bv<N> *value, const uint8_t *bytes)
	{
		for (int i = 0; i < WORDS; i++) {
			uint32_t word;
			std::memcpy(&word, bytes + 4 * i, 4);
			value->set_word(i, word);
		}
	}
	static void get(const sc_dt::sc_bv<N> &value, uint8_t *bytes)
	{
		for (int i = 0; i < WORDS; i++) {
			const uint32_t word = value.get_word(i);
			std::memcpy(bytes + 4 * i, &word, 4);
		}
	}
};

/* The waves of a module, written until this dies. */
class ScWaves {
public:
	/* Between elaboration and the first edge, as Verilator asks. Ends the program when FILE cannot be written. */
	template <class Model>
	void open(Model *model, const std::string &file)
	{
#if VM_TRACE
		trace_.reset(new VerilatedFstSc);
		sc_core::sc_start(sc_core::SC_ZERO_TIME);
		model->trace(trace_.get(), 99);
		trace_->open(file.c_str());
		if (trace_->isOpen())
			return;
		std::fprintf(stderr, "macchiato: %s: cannot be written; name another file for --waves\n", file.c_str());
#else
		static_cast<void>(model);
		std::fprintf(stderr, "macchiato: %s: this bench was built without waves; build it without --fast\n",
			     file.c_str());
#endif
		std::exit(2);
	}

private:
#if VM_TRACE
	std::unique_ptr<VerilatedFstSc> trace_;
#endif
};

} // namespace mch_sim

#endif
