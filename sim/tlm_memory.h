/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A memory behind a TLM-2.0 socket, from address 0 on: for benches and for platforms that have none of their own. Holds
 * no expected values. */
#ifndef MCH_SIM_TLM_MEMORY_H
#define MCH_SIM_TLM_MEMORY_H

#include <cstdint>
#include <cstring>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace mch_sim {

class TlmMemory : public sc_core::sc_module {
public:
	tlm_utils::simple_target_socket<TlmMemory, 32> socket;

	/* latency: of every transaction. */
	TlmMemory(const sc_core::sc_module_name &name, size_t n_bytes, bool has_dmi,
		  const sc_core::sc_time &latency = sc_core::SC_ZERO_TIME)
		: sc_module(name), socket("socket"), bytes_(n_bytes), has_dmi_(has_dmi), latency_(latency)
	{
		socket.register_b_transport(this, &TlmMemory::b_transport);
		socket.register_get_direct_mem_ptr(this, &TlmMemory::get_direct_mem_ptr);
	}

	uint8_t *data() { return bytes_.data(); }
	size_t size() const { return bytes_.size(); }

private:
	void b_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay)
	{
		const uint64_t at = trans.get_address();
		const size_t n = trans.get_data_length();
		delay += latency_;
		if (at > bytes_.size() || n > bytes_.size() - at) {
			trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
			return;
		}
		if (trans.is_read())
			std::memcpy(trans.get_data_ptr(), bytes_.data() + at, n);
		else if (trans.is_write())
			write(trans, at, n);
		trans.set_dmi_allowed(has_dmi_);
		trans.set_response_status(tlm::TLM_OK_RESPONSE);
	}

	void write(const tlm::tlm_generic_payload &trans, uint64_t at, size_t n)
	{
		const unsigned char *const enable = trans.get_byte_enable_ptr();
		const unsigned n_enables = trans.get_byte_enable_length();
		if (!enable || n_enables == 0) {
			std::memcpy(bytes_.data() + at, trans.get_data_ptr(), n);
			return;
		}
		for (size_t i = 0; i < n; i++)
			if (enable[i % n_enables] != TLM_BYTE_DISABLED)
				bytes_[at + i] = trans.get_data_ptr()[i];
	}

	bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi)
	{
		dmi.init();
		if (!has_dmi_)
			return false;
		dmi.set_dmi_ptr(bytes_.data());
		dmi.set_start_address(0);
		dmi.set_end_address(bytes_.size() - 1);
		dmi.allow_read_write();
		return true;
	}

	std::vector<uint8_t> bytes_;
	bool has_dmi_;
	sc_core::sc_time latency_;
};

} // namespace mch_sim

#endif
