/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* rtl/mch_top.v, verilated with --sc, behind the sockets of TlmAccelerator (sim/tlm_accelerator.h): a platform takes one
 * or the other. It has its own clock and comes out of reset after two edges; accesses wait for that. Holds no expected
 * values. Spec: docs/accelerator.md "SystemC".
 *
 * Pins are driven at the falling edge: what is read there has settled since the rising one, and all valids and readys
 * of mch_top are functions of registers, so a handshake of the coming edge is known. Every burst is one transaction;
 * reads and writes are each done in their order. Where they take no time, the memory is that of arch/ideal_memory.h. */
#ifndef MCH_SIM_TLM_RTL_H
#define MCH_SIM_TLM_RTL_H

#include <deque>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

#include "Vmch_top.h"
#include "sim/sc_dut.h"
#include "sim/tlm_access.h"

namespace mch_sim {

class TlmRtl : public sc_core::sc_module {
public:
	tlm_utils::simple_target_socket<TlmRtl, 32> control;
	tlm_utils::simple_initiator_socket<TlmRtl, 32> memory;
	sc_core::sc_out<bool> irq;

	SC_HAS_PROCESS(TlmRtl);
	TlmRtl(const sc_core::sc_module_name &name, const sc_core::sc_time &period)
		: sc_module(name), control("control"), memory("memory"), irq("irq"), clk_("clk", period), dut_("dut")
	{
		bind();
		control.register_b_transport(this, &TlmRtl::b_transport);
		SC_METHOD(cycle);
		sensitive << clk_.negedge_event();
		dont_initialize();
		SC_THREAD(read);
		SC_THREAD(write);
	}

	uint64_t cycles() const { return cycles_; }
	Vmch_top *dut() { return &dut_; }

private:
	enum { RESET_CYCLES = 2 };
	using Data = PortValue<decltype(Vmch_top::m_rdata_i)>;
	using Strobes = PortValue<decltype(Vmch_top::m_wstrb_o)>;
	enum { BEAT = Packed<Data>::BYTES };
	struct Beat {
		uint8_t data[BEAT];
		uint8_t resp;
		bool last;
	};
	struct Burst {
		uint32_t addr;
		unsigned beats;
	};
	struct Write {
		Burst burst;
		std::vector<uint8_t> data, enable;
	};

	void bind()
	{
		dut_.clk_i(clk_), dut_.rst_ni(rst_n_), dut_.irq_o(irq);
		dut_.s_awvalid_i(s_awvalid_), dut_.s_awready_o(s_awready_), dut_.s_awaddr_i(s_awaddr_);
		dut_.s_wvalid_i(s_wvalid_), dut_.s_wready_o(s_wready_);
		dut_.s_wdata_i(s_wdata_), dut_.s_wstrb_i(s_wstrb_);
		dut_.s_bvalid_o(s_bvalid_), dut_.s_bready_i(always_), dut_.s_bresp_o(s_bresp_);
		dut_.s_arvalid_i(s_arvalid_), dut_.s_arready_o(s_arready_), dut_.s_araddr_i(s_araddr_);
		dut_.s_rvalid_o(s_rvalid_), dut_.s_rready_i(always_);
		dut_.s_rdata_o(s_rdata_), dut_.s_rresp_o(s_rresp_);
		dut_.m_arvalid_o(m_arvalid_), dut_.m_arready_i(always_), dut_.m_araddr_o(m_araddr_);
		dut_.m_arlen_o(m_arlen_), dut_.m_arsize_o(m_arsize_), dut_.m_arburst_o(m_arburst_);
		dut_.m_rvalid_i(m_rvalid_), dut_.m_rready_o(m_rready_), dut_.m_rdata_i(m_rdata_);
		dut_.m_rresp_i(m_rresp_), dut_.m_rlast_i(m_rlast_);
		dut_.m_awvalid_o(m_awvalid_), dut_.m_awready_i(always_), dut_.m_awaddr_o(m_awaddr_);
		dut_.m_awlen_o(m_awlen_), dut_.m_awsize_o(m_awsize_), dut_.m_awburst_o(m_awburst_);
		dut_.m_wvalid_o(m_wvalid_), dut_.m_wready_i(always_), dut_.m_wdata_o(m_wdata_);
		dut_.m_wstrb_o(m_wstrb_), dut_.m_wlast_o(m_wlast_);
		dut_.m_bvalid_i(m_bvalid_), dut_.m_bready_o(m_bready_), dut_.m_bresp_i(m_bresp_);
	}

	/* One access at a time; who comes meanwhile waits for his turn. */
	void b_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay)
	{
		LiteAccess a;
		sc_core::wait(delay);
		delay = sc_core::SC_ZERO_TIME;
		if (!lite_access(trans, &a))
			return;
		turn_.lock();
		access_ = a;
		wanted_ = true;
		sc_core::wait(answered_);
		a = access_;
		turn_.unlock();
		lite_answer(trans, a);
	}

	/* Every falling edge. */
	void cycle()
	{
		cycles_++;
		always_.write(true);
		rst_n_.write(cycles_ > RESET_CYCLES);
		if (cycles_ <= RESET_CYCLES)
			return;
		cycle_lite();
		cycle_read();
		cycle_write();
	}

	/* With one access at a time the port is ready for it. */
	void cycle_lite()
	{
		const bool b = s_bvalid_.read(), r = s_rvalid_.read();
		if (b || r) {
			access_.resp = static_cast<uint8_t>(b ? s_bresp_.read() : s_rresp_.read());
			access_.data = r ? s_rdata_.read() : access_.data;
			answered_.notify();
		}
		s_awvalid_.write(wanted_ && access_.is_write);
		s_wvalid_.write(wanted_ && access_.is_write);
		s_arvalid_.write(wanted_ && !access_.is_write);
		s_awaddr_.write(access_.addr);
		s_araddr_.write(access_.addr);
		s_wdata_.write(access_.data);
		s_wstrb_.write(access_.strb);
		wanted_ = false;
	}

	void cycle_read()
	{
		if (m_arvalid_.read()) {
			reads_.push_back({m_araddr_.read(), m_arlen_.read() + 1u});
			read_wanted_.notify();
		}
		if (r_taken_)
			r_valid_ = false;
		if (!r_valid_ && !answers_.empty()) {
			Data data{};
			Packed<Data>::set(&data, answers_.front().data);
			m_rdata_.write(data);
			m_rresp_.write(answers_.front().resp);
			m_rlast_.write(answers_.front().last);
			answers_.pop_front();
			r_valid_ = true;
		}
		m_rvalid_.write(r_valid_);
		r_taken_ = r_valid_ && m_rready_.read();
	}

	void cycle_write()
	{
		if (m_awvalid_.read())
			bursts_.push_back({m_awaddr_.read(), m_awlen_.read() + 1u});
		if (m_wvalid_.read()) {
			const size_t at = w_.data.size();
			uint8_t strobes[8] = {};
			w_.data.resize(at + BEAT);
			Packed<Data>::get(m_wdata_.read(), w_.data.data() + at);
			Packed<Strobes>::get(m_wstrb_.read(), strobes);
			for (int i = 0; i < BEAT; i++)
				w_.enable.push_back(strobes[i / 8] >> (i % 8) & 1 ? TLM_BYTE_ENABLED
										  : TLM_BYTE_DISABLED);
			if (m_wlast_.read()) {
				whole_.push_back(w_);
				w_ = Write();
			}
		}
		if (!bursts_.empty() && !whole_.empty())
			write_wanted_.notify();
		if (b_taken_)
			b_valid_ = false;
		if (!b_valid_ && !written_.empty()) {
			m_bresp_.write(written_.front());
			written_.pop_front();
			b_valid_ = true;
		}
		m_bvalid_.write(b_valid_);
		b_taken_ = b_valid_ && m_bready_.read();
	}

	uint8_t transport(tlm::tlm_generic_payload *trans)
	{
		sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
		memory->b_transport(*trans, delay);
		if (delay > sc_core::SC_ZERO_TIME)
			sc_core::wait(delay);
		return trans->is_response_ok() ? MCH_AXI_OKAY
		       : trans->get_response_status() == tlm::TLM_ADDRESS_ERROR_RESPONSE ? MCH_AXI_DECERR
											 : MCH_AXI_SLVERR;
	}

	void read()
	{
		for (;;) {
			while (reads_.empty())
				sc_core::wait(read_wanted_);
			const Burst burst = reads_.front();
			std::vector<uint8_t> data(static_cast<size_t>(burst.beats) * BEAT);
			tlm::tlm_generic_payload trans;
			plain_payload(&trans, tlm::TLM_READ_COMMAND, burst.addr & ~(BEAT - 1u), data.data(),
				      data.size());
			Beat beat;
			beat.resp = transport(&trans);
			for (unsigned i = 0; i < burst.beats; i++) {
				std::memcpy(beat.data, data.data() + static_cast<size_t>(i) * BEAT, BEAT);
				beat.last = i + 1 == burst.beats;
				answers_.push_back(beat);
			}
			reads_.pop_front();
		}
	}

	void write()
	{
		for (;;) {
			while (bursts_.empty() || whole_.empty())
				sc_core::wait(write_wanted_);
			Write w = whole_.front();
			whole_.pop_front();
			tlm::tlm_generic_payload trans;
			plain_payload(&trans, tlm::TLM_WRITE_COMMAND, bursts_.front().addr & ~(BEAT - 1u),
				      w.data.data(), w.data.size());
			trans.set_byte_enable_ptr(w.enable.data());
			trans.set_byte_enable_length(static_cast<unsigned>(w.enable.size()));
			bursts_.pop_front();
			written_.push_back(transport(&trans));
		}
	}

	sc_core::sc_clock clk_;
	sc_core::sc_signal<bool> rst_n_, always_;
	sc_core::sc_signal<bool> s_awvalid_, s_awready_, s_wvalid_, s_wready_, s_bvalid_, s_arvalid_, s_arready_,
		s_rvalid_;
	SignalOf<decltype(Vmch_top::s_awaddr_i)> s_awaddr_, s_wdata_, s_wstrb_, s_bresp_, s_araddr_, s_rdata_, s_rresp_;
	sc_core::sc_signal<bool> m_arvalid_, m_rvalid_, m_rready_, m_rlast_, m_awvalid_, m_wvalid_, m_wlast_, m_bvalid_,
		m_bready_;
	SignalOf<decltype(Vmch_top::m_araddr_o)> m_araddr_, m_arlen_, m_arsize_, m_arburst_, m_rresp_, m_awaddr_,
		m_awlen_, m_awsize_, m_awburst_, m_bresp_;
	sc_core::sc_signal<Data> m_rdata_, m_wdata_;
	sc_core::sc_signal<Strobes> m_wstrb_;
	Vmch_top dut_;

	uint64_t cycles_ = 0;
	sc_core::sc_mutex turn_;
	sc_core::sc_event answered_, read_wanted_, write_wanted_;
	LiteAccess access_ = {};
	bool wanted_ = false;
	std::deque<Burst> reads_, bursts_;
	std::deque<Beat> answers_;
	std::deque<Write> whole_;
	std::deque<uint8_t> written_;
	Write w_;
	bool r_valid_ = false, r_taken_ = false, b_valid_ = false, b_taken_ = false;
};

} // namespace mch_sim

#endif
