/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The accelerator as a loosely timed TLM-2.0 model: for firmware and platforms, without RTL. The registers are those of
 * arch/regs.h, a descriptor does what arch/program_run.h says and takes the cycles that arch/program.h estimates. Needs
 * SystemC and libarch, libop, libtensor, libfxp, libbase. Spec: docs/accelerator.md "SystemC".
 *
 *   TlmAccelerator a("a", cfg, sc_time(4, SC_NS));
 *   cpu.bus.bind(a.control); a.memory.bind(ram.socket); a.irq(irq);
 *
 * An access to a register is a point of synchronization: the initiator's delay is waited for. What a descriptor reads
 * is read when it begins and what it writes is written when it ends, through DMI where the target grants it. */
#ifndef MCH_SIM_TLM_ACCELERATOR_H
#define MCH_SIM_TLM_ACCELERATOR_H

#include <algorithm>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

extern "C" {
#include "arch/program.h"
#include "arch/program_run.h"
#include "arch/regs.h"
}
#include "sim/tlm_access.h"

namespace mch_sim {

class TlmAccelerator : public sc_core::sc_module {
public:
	tlm_utils::simple_target_socket<TlmAccelerator, 32> control;
	tlm_utils::simple_initiator_socket<TlmAccelerator, 32> memory;
	sc_core::sc_out<bool> irq;

	SC_HAS_PROCESS(TlmAccelerator);
	TlmAccelerator(const sc_core::sc_module_name &name, const mch_accel_config &cfg, const sc_core::sc_time &period)
		: sc_module(name), control("control"), memory("memory"), irq("irq"), cfg_(cfg), period_(period)
	{
		const mch_regs_config regs = {cfg.rows,     cfg.cols,     cfg.x_bits,
					      cfg.w_bits,   cfg.out_bits, cfg.acc_bits,
					      cfg.round,    cfg.mult,     cfg.mem_bits,
					      static_cast<int>(cfg.x_words), static_cast<int>(cfg.w_words),
					      cfg.x_kind,   cfg.x_exp,    cfg.w_kind, cfg.w_exp};
		mch_err err;
		if (mch_accel_check(&cfg, &err) != 0 || mch_regs_init(&regs_, &regs, &err) != 0)
			SC_REPORT_FATAL(this->name(), err.text);
		control.register_b_transport(this, &TlmAccelerator::b_transport);
		memory.register_invalidate_direct_mem_ptr(this, &TlmAccelerator::invalidate);
		SC_THREAD(work);
		SC_METHOD(drive_irq);
		sensitive << irq_moved_;
		dont_initialize();
	}

private:
	enum { ACCESS_CYCLES = 3, CHUNK_BYTES = 4096 };
	/* Of fetching and checking a descriptor, and of filling and draining the units around it, beyond its beats. */
	enum { DESCRIPTOR_CYCLES = 12 };

	/* What a descriptor reads and writes, its blocks one behind the other, and the descriptor that says so. */
	struct Work {
		mch_descriptor d;
		std::vector<uint8_t> bytes;
		uint64_t first, end; /* words of a block that strips read */
	};

	/* The registers. */
	void tick()
	{
		mch_regs_step(&regs_, &in_);
		regs_.run = false; /* the counters are reckoned, not counted */
		irq_moved_.notify(sc_core::SC_ZERO_TIME);
	}

	void drive_irq() { irq.write(mch_regs_irq(&regs_)); }

	void b_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay)
	{
		LiteAccess a;
		sc_core::wait(delay + ACCESS_CYCLES * period_);
		delay = sc_core::SC_ZERO_TIME;
		if (!lite_access(trans, &a))
			return;
		if (a.is_write)
			write(&a);
		else
			read(&a);
		lite_answer(trans, a);
	}

	void read(LiteAccess *a)
	{
		count();
		in_.araddr = a->addr;
		in_.arvalid = in_.rready = true;
		tick();
		in_.arvalid = false;
		a->data = regs_.rdata;
		a->resp = static_cast<uint8_t>(regs_.rresp);
		tick();
	}

	void write(LiteAccess *a)
	{
		in_.awaddr = a->addr;
		in_.wdata = a->data;
		in_.wstrb = a->strb;
		in_.awvalid = in_.wvalid = in_.bready = true;
		tick();
		in_.awvalid = in_.wvalid = false;
		tick();
		a->resp = static_cast<uint8_t>(regs_.bresp);
		const bool starts = regs_.start, resets = regs_.reset;
		tick();
		if (starts) {
			in_.busy = true;
			in_.index = 0;
			start_.notify();
		} else if (resets && in_.busy) {
			in_.draining = stops_ = true;
			stop_.notify();
		}
	}

	/* CYCLES and what follows from the words that were moved: exact, unless beats are wider than words. */
	void count()
	{
		if (!in_.busy)
			return;
		regs_.count[0] = static_cast<uint32_t>((sc_core::sc_time_stamp() - began_) / period_);
		regs_.count[1] = static_cast<uint32_t>(done_.beats);
		regs_.count[5] = static_cast<uint32_t>(beats_of(read_words_));
		regs_.count[6] = static_cast<uint32_t>(beats_of(done_.y_words));
	}

	/* Lists. */
	void work()
	{
		for (;;) {
			sc_core::wait(start_);
			began_ = sc_core::sc_time_stamp();
			done_ = mch_accel_counts();
			read_words_ = 0;
			run_list();
			count();
			in_.busy = in_.draining = stops_ = false;
		}
	}

	void run_list()
	{
		const uint32_t words = mch_descriptor_words(&cfg_);
		uint8_t bytes[MCH_DESCRIPTOR_BYTES];
		for (uint32_t at = regs_.list; !stops_; at += words) {
			begins_ = sc_core::sc_time_stamp();
			delay_ = sc_core::SC_ZERO_TIME;
			if (!move(tlm::TLM_READ_COMMAND, at, bytes, words))
				return end(MCH_ERROR_READ, 0);
			read_words_ += words;
			in_.index++;
			const int bad = in_.index == 0x10000 ? 0 : mch_descriptor_illegal(bytes, &cfg_);
			in_.index = std::min(in_.index, UINT32_C(0xffff));
			pass(DESCRIPTOR_CYCLES + beats_of(words) + static_cast<uint64_t>(cfg_.rows));
			if (stops_)
				return;
			if (bad >= 0)
				return end(MCH_ERROR_DESCRIPTOR, static_cast<uint32_t>(bad));
			mch_descriptor d;
			mch_descriptor_unpack(bytes, &d);
			if (d.op == MCH_OP_STOP)
				return end(MCH_ERROR_NONE, 0);
			if (!run(d))
				return;
		}
	}

	/* false: the list has ended. */
	bool run(const mch_descriptor &d)
	{
		Work w;
		mch_err err;
		begins_ = sc_core::sc_time_stamp();
		delay_ = sc_core::SC_ZERO_TIME;
		int status = plan(d, &w, &err);
		if (status == 0 && !load(d, &w))
			status = MCH_ERROR_READ;
		const mch_accel_memory local = {w.bytes.data(), w.bytes.size() / mch_accel_word_bytes(&cfg_), nullptr};
		mch_accel_counts counts = mch_accel_counts();
		if (status == 0 && !stops_)
			status = mch_descriptor_run(&cfg_, &w.d, &local, &counts, &err);
		read_words_ += counts.x_words + counts.w_words;
		if (status < 0)
			return stand_still(err);
		if (status == 0)
			pass(mch_program_cycles(&d, &cfg_));
		if (stops_)
			return false;
		done_.beats += counts.beats;
		done_.y_words += counts.y_words;
		if (status == 0 && !store(d, &w))
			status = MCH_ERROR_WRITE;
		if (status != 0)
			end(static_cast<uint32_t>(status), 0);
		return status == 0;
	}

	/* Where everything lies in `bytes`. 0, a value ERROR_*, or -1 as of mch_descriptor_run. */
	int plan(const mch_descriptor &d, Work *w, mch_err *err) const
	{
		const uint64_t blocks = mch_descriptor_blocks(&d), strips = mch_descriptor_strips(&d);
		w->first = UINT64_MAX, w->end = 0;
		for (uint64_t i = 0; i < strips; i++) {
			const mch_strip s = mch_descriptor_strip(&d, i);
			if (s.end < s.start)
				return mch_err_set(err, "descriptor",
						   "a strip starts behind the map; correct the program");
			if (static_cast<uint64_t>(s.end - s.start) * blocks > cfg_.x_words)
				return MCH_ERROR_STRIP;
			w->first = std::min(w->first, static_cast<uint64_t>(s.start));
			w->end = std::max(w->end, static_cast<uint64_t>(s.end));
		}
		const uint64_t x = blocks * w->end, y = static_cast<uint64_t>(d.y_blocks) * d.pixels;
		if ((x + d.w_words + y) * mch_accel_word_bytes(&cfg_) > UINT32_MAX)
			return mch_err_set(err, "descriptor", "needs more than memory can hold; correct the program");
		w->d = d;
		w->d.x0_addr = 0;
		w->d.x1_addr = static_cast<uint32_t>(d.x0_blocks * w->end);
		w->d.x_step = static_cast<uint32_t>(w->end);
		w->d.w_addr = static_cast<uint32_t>(x);
		w->d.y_addr = static_cast<uint32_t>(x + d.w_words);
		w->d.y_step = d.pixels;
		w->bytes.resize((x + d.w_words + y) * mch_accel_word_bytes(&cfg_));
		return 0;
	}

	bool load(const mch_descriptor &d, Work *w)
	{
		const uint32_t blocks = mch_descriptor_blocks(&d), first = static_cast<uint32_t>(w->first);
		for (uint32_t b = 0; b < blocks; b++) {
			const uint32_t from = b < d.x0_blocks ? d.x0_addr + b * d.x_step
							      : d.x1_addr + (b - d.x0_blocks) * d.x_step;
			if (!move(tlm::TLM_READ_COMMAND, from + first, at(w, b * w->end + first), w->end - w->first))
				return false;
		}
		return move(tlm::TLM_READ_COMMAND, d.w_addr, at(w, w->d.w_addr), d.w_words);
	}

	bool store(const mch_descriptor &d, Work *w)
	{
		for (uint32_t b = 0; b < d.y_blocks; b++)
			if (!move(tlm::TLM_WRITE_COMMAND, d.y_addr + b * d.y_step,
				  at(w, w->d.y_addr + static_cast<uint64_t>(b) * d.pixels), d.pixels))
				return false;
		return true;
	}

	uint8_t *at(Work *w, uint64_t word) const { return w->bytes.data() + word * mch_accel_word_bytes(&cfg_); }

	uint64_t beats_of(uint64_t words) const
	{
		const uint64_t beat = static_cast<uint64_t>(cfg_.mem_bits) / 8;
		return (words * mch_accel_word_bytes(&cfg_) + beat - 1) / beat;
	}

	/* What no error tells: the hardware computes something else, or waits for ever; the watchdog may end that. */
	bool stand_still(const mch_err &err)
	{
		SC_REPORT_WARNING(name(), err.text);
		if (regs_.watchdog == 0)
			while (!stops_)
				sc_core::wait(stop_);
		else
			sc_core::wait(regs_.watchdog * period_, stop_);
		if (!stops_)
			end(MCH_ERROR_WATCHDOG, 0);
		return false;
	}

	void end(uint32_t error, uint32_t field)
	{
		if (stops_)
			return;
		count();
		in_.done = error == MCH_ERROR_NONE;
		in_.error = !in_.done;
		in_.error_code = error;
		in_.error_field = field;
		tick();
		in_.done = in_.error = false;
	}

	/* Time goes on to so many cycles after `begins_`, or to what memory took when that is longer. */
	void pass(uint64_t cycles)
	{
		const sc_core::sc_time now = sc_core::sc_time_stamp() - begins_, memory_took = now + delay_;
		const sc_core::sc_time all = std::max(memory_took, static_cast<double>(cycles) * period_);
		if (!stops_)
			sc_core::wait(all - now, stop_);
	}

	/* Memory, by words. */
	bool move(tlm::tlm_command command, uint32_t address, uint8_t *data, uint64_t words)
	{
		const uint32_t word = mch_accel_word_bytes(&cfg_);
		uint32_t byte = address * word; /* modulo 2^32, as the hardware's */
		for (uint64_t left = words * word; left > 0 && !stops_;) {
			const size_t n = std::min<uint64_t>(left, CHUNK_BYTES - byte % CHUNK_BYTES);
			if (!move_chunk(command, byte, data, n))
				return false;
			byte += static_cast<uint32_t>(n);
			data += n;
			left -= n;
		}
		return true;
	}

	bool move_chunk(tlm::tlm_command command, uint32_t byte, uint8_t *data, size_t n)
	{
		const bool is_read = command == tlm::TLM_READ_COMMAND;
		if (has_dmi_ && byte >= dmi_.get_start_address() && byte + (n - 1) <= dmi_.get_end_address() &&
		    (is_read ? dmi_.is_read_allowed() : dmi_.is_write_allowed())) {
			uint8_t *const there = dmi_.get_dmi_ptr() + (byte - dmi_.get_start_address());
			std::memcpy(is_read ? data : there, is_read ? there : data, n);
			delay_ += is_read ? dmi_.get_read_latency() : dmi_.get_write_latency();
			return true;
		}
		tlm::tlm_generic_payload trans;
		plain_payload(&trans, command, byte, data, n);
		memory->b_transport(trans, delay_);
		if (trans.is_response_ok() && trans.is_dmi_allowed())
			has_dmi_ = memory->get_direct_mem_ptr(trans, dmi_);
		return trans.is_response_ok();
	}

	void invalidate(sc_dt::uint64, sc_dt::uint64) { has_dmi_ = false; }

	mch_accel_config cfg_;
	sc_core::sc_time period_;
	mch_regs regs_ = {};
	mch_regs_in in_ = {};
	sc_core::sc_event irq_moved_, start_, stop_;
	bool stops_ = false; /* a reset came while a list ran */
	sc_core::sc_time began_, begins_, delay_; /* the list; the descriptor; what memory annotated since */
	mch_accel_counts done_ = {};
	uint64_t read_words_ = 0;
	tlm::tlm_dmi dmi_;
	bool has_dmi_ = false;
};

} // namespace mch_sim

#endif
