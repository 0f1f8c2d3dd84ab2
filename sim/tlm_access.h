/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the TLM-2.0 models of the accelerator share: payloads to accesses of an AXI4-Lite port and back. Holds no expected
 * values. */
#ifndef MCH_SIM_TLM_ACCESS_H
#define MCH_SIM_TLM_ACCESS_H

#include <cstdint>
#include <cstring>
#include <tlm>

extern "C" {
#include "arch/axi.h"
}

namespace mch_sim {

/* One access to a register. */
struct LiteAccess {
	bool is_write;
	uint8_t addr, strb;
	uint32_t data;
	uint8_t resp;
};

/* false: the payload is nothing that the port could carry, and is answered. */
inline bool lite_access(tlm::tlm_generic_payload &trans, LiteAccess *a)
{
	tlm::tlm_response_status status = tlm::TLM_OK_RESPONSE;
	*a = LiteAccess();
	a->is_write = trans.is_write();
	a->addr = static_cast<uint8_t>(trans.get_address());
	a->strb = 0xf;
	const unsigned n_enables = trans.get_byte_enable_ptr() ? trans.get_byte_enable_length() : 0;
	for (unsigned i = 0; n_enables > 0 && i < 4; i++)
		if (trans.get_byte_enable_ptr()[i % n_enables] == TLM_BYTE_DISABLED)
			a->strb = static_cast<uint8_t>(a->strb & ~(1u << i));
	if (trans.get_address() > 0xff)
		status = tlm::TLM_ADDRESS_ERROR_RESPONSE;
	else if (trans.get_data_length() != 4 || trans.get_streaming_width() < 4)
		status = tlm::TLM_BURST_ERROR_RESPONSE;
	else if (!a->is_write && a->strb != 0xf)
		status = tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
	else if (trans.get_command() != tlm::TLM_IGNORE_COMMAND) {
		std::memcpy(&a->data, trans.get_data_ptr(), 4);
		return true;
	}
	trans.set_response_status(status);
	return false;
}

inline void lite_answer(tlm::tlm_generic_payload &trans, const LiteAccess &a)
{
	if (!a.is_write)
		std::memcpy(trans.get_data_ptr(), &a.data, 4);
	trans.set_response_status(a.resp == MCH_AXI_OKAY ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
}

/* A payload without anything special. */
inline void plain_payload(tlm::tlm_generic_payload *trans, tlm::tlm_command command, uint64_t address, void *data,
			  size_t n)
{
	trans->set_command(command);
	trans->set_address(address);
	trans->set_data_ptr(static_cast<unsigned char *>(data));
	trans->set_data_length(static_cast<unsigned>(n));
	trans->set_streaming_width(static_cast<unsigned>(n));
	trans->set_byte_enable_ptr(nullptr);
	trans->set_dmi_allowed(false);
	trans->set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
}

} // namespace mch_sim

#endif
