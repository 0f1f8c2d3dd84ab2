/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Protocol checks of an AXI4 port and of an AXI4-Lite port: rules of the bus, no values that a test expects.
 *
 *   AxiCheck check(beat_bytes);
 *   each cycle, with all pins settled, just before its edge: check.cycle(master, slave); a reset of both sides:
 * check.reset(); check.violation() is empty, or says what was wrong first, and in which cycle (of calls since the
 * making).
 *
 * Of AXI4 (both sides): valid stays and what comes with it stands until it is taken; bursts are INCR, full width,
 * aligned, do not cross 4 KB; read beats answer bursts in order, last on the right one; write beats and their last
 * match AW (also when they come first); no strobe beyond the beat; B only after the last W and AW. There are no
 * identifiers in these pins, and no X: Verilator has none. Of AXI4-Lite: the same of valid; R only after AR, B only
 * after AW and W. */
#ifndef MCH_SIM_AXI_CHECK_H
#define MCH_SIM_AXI_CHECK_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

extern "C" {
#include "arch/axi.h"
}

namespace mch_sim {

/* One channel: valid stays, and the payload with it, until ready. */
class AxiChannel {
public:
	explicit AxiChannel(const char *name) : name_(name) {}

	void reset() { waits_ = false; }

	/* What is wrong, or an empty text. */
	std::string cycle(bool valid, bool ready, std::initializer_list<uint64_t> payload,
			  const uint8_t *data = nullptr, size_t n_data = 0)
	{
		std::string wrong;
		if (waits_ && !valid)
			wrong = name_ + "VALID fell before " + name_ + "READY";
		else if (waits_ && (!std::equal(payload.begin(), payload.end(), payload_.begin(), payload_.end()) ||
				    n_data != data_.size() ||
				    (n_data > 0 && std::memcmp(data, data_.data(), n_data) != 0)))
			wrong = name_ + " changed before " + name_ + "READY";
		waits_ = valid && !ready;
		if (waits_) {
			payload_.assign(payload);
			data_.assign(data, data + n_data);
		}
		return wrong;
	}

private:
	std::string name_;
	bool waits_ = false;
	std::vector<uint64_t> payload_;
	std::vector<uint8_t> data_;
};

/* The first violation, with its cycle. */
class AxiViolation {
public:
	const std::string &violation() const { return text_; }
	uint64_t cycles() const { return cycle_; }

protected:
	void wrong(const std::string &what)
	{
		if (text_.empty() && !what.empty())
			text_ = "cycle " + std::to_string(cycle_) + ": " + what;
	}
	void wrong_if(bool is, const char *what)
	{
		if (is)
			wrong(what);
	}
	uint64_t cycle_ = 0;

private:
	std::string text_;
};

class AxiCheck : public AxiViolation {
public:
	explicit AxiCheck(size_t beat_bytes) : beat_bytes_(beat_bytes) {}

	void reset()
	{
		for (AxiChannel *c : {&ar_, &r_, &aw_, &w_, &b_})
			c->reset();
		reads_.clear(), writes_.clear(), w_bursts_.clear();
		r_beats_ = w_beats_ = 0;
	}

	void cycle(const mch_axi_master &m, const mch_axi_slave &s)
	{
		const mch_axi_address &ar = m.ar, &aw = m.aw;
		const bool write_data = m.w.valid && m.w.data;
		wrong(ar_.cycle(ar.valid, s.arready, {ar.addr, ar.len, ar.size, ar.burst}));
		wrong(aw_.cycle(aw.valid, s.awready, {aw.addr, aw.len, aw.size, aw.burst}));
		wrong(w_.cycle(m.w.valid, s.wready, {m.w.strb, m.w.last}, m.w.data, write_data ? beat_bytes_ : 0));
		wrong(r_.cycle(s.r.valid, m.rready, {s.r.resp, s.r.last}, s.r.data,
			       s.r.valid && s.r.data ? beat_bytes_ : 0));
		wrong(b_.cycle(s.b.valid, m.bready, {s.b.resp}));
		address("AR", ar);
		address("AW", aw);
		read(m, s);
		write(m, s);
		cycle_++;
	}

	/* Bursts that are open now: taken on AR or AW and not yet answered wholly. */
	size_t open_reads() const { return reads_.size(); }
	size_t open_writes() const { return writes_.size(); }

private:
	void address(const std::string &name, const mch_axi_address &a)
	{
		if (!a.valid)
			return;
		const uint64_t bytes = (static_cast<uint64_t>(a.len) + 1) * beat_bytes_;
		if (a.burst != MCH_AXI_INCR)
			wrong(name + "BURST is not INCR");
		else if ((UINT64_C(1) << a.size) != beat_bytes_)
			wrong(name + "SIZE is not that of a full beat");
		else if (a.addr % beat_bytes_ != 0)
			wrong(name + "ADDR is not that of a beat");
		else if (a.addr % 4096 + bytes > 4096)
			wrong(name + ": the burst crosses 4 KB");
	}

	/* Beats of this cycle answer bursts taken in earlier ones. */
	void read(const mch_axi_master &m, const mch_axi_slave &s)
	{
		if (s.r.valid) {
			wrong_if(s.r.resp == MCH_AXI_EXOKAY, "RRESP is EXOKAY without an exclusive read");
			if (reads_.empty())
				wrong("RVALID without an open read");
			else
				wrong_if(s.r.last != (r_beats_ == reads_.front()),
					 "RLAST is not on the burst's last beat alone");
		}
		if (s.r.valid && m.rready && !reads_.empty() && r_beats_++ == reads_.front()) {
			reads_.pop_front();
			r_beats_ = 0;
		}
		if (m.ar.valid && s.arready)
			reads_.push_back(m.ar.len);
	}

	void write(const mch_axi_master &m, const mch_axi_slave &s)
	{
		if (s.b.valid) {
			wrong_if(s.b.resp == MCH_AXI_EXOKAY, "BRESP is EXOKAY without an exclusive write");
			wrong_if(writes_.empty(), "BVALID before AW");
			wrong_if(!writes_.empty() && w_bursts_.empty(), "BVALID before the last W");
		}
		if (s.b.valid && m.bready && !writes_.empty() && !w_bursts_.empty()) {
			writes_.pop_front();
			w_bursts_.pop_front();
		}
		if (m.w.valid)
			wrong_if(beat_bytes_ < 64 && m.w.strb >> beat_bytes_ != 0, "WSTRB beyond the beat");
		if (m.aw.valid && s.awready) {
			writes_.push_back(m.aw.len);
			if (writes_.size() <= w_bursts_.size())
				wrong_if(w_bursts_[writes_.size() - 1] != m.aw.len,
					 "AWLEN is not that of the beats that came first");
		}
		if (m.w.valid && s.wready) {
			const size_t burst = w_bursts_.size();
			if (burst < writes_.size())
				wrong_if(m.w.last != (w_beats_ == writes_[burst]),
					 "WLAST is not on the burst's last beat alone");
			w_beats_++;
			if (m.w.last) {
				w_bursts_.push_back(w_beats_ - 1);
				w_beats_ = 0;
			}
		}
	}

	size_t beat_bytes_;
	AxiChannel ar_{"AR"}, r_{"R"}, aw_{"AW"}, w_{"W"}, b_{"B"};
	std::deque<unsigned> reads_;    /* beats less one of open reads */
	std::deque<unsigned> writes_;   /* of writes with an AW and no B */
	std::deque<unsigned> w_bursts_; /* of writes with all W and no B */
	unsigned r_beats_ = 0, w_beats_ = 0;
};

/* The pins of an AXI4-Lite port of 32 bits in one cycle. */
struct AxiLitePins {
	bool awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;
	uint32_t awaddr, wdata, araddr, rdata;
	uint8_t wstrb, bresp, rresp;
};

class AxiLiteCheck : public AxiViolation {
public:
	void reset()
	{
		for (AxiChannel *c : {&ar_, &r_, &aw_, &w_, &b_})
			c->reset();
		n_ar_ = n_aw_ = n_w_ = 0;
	}

	void cycle(const AxiLitePins &p)
	{
		wrong(ar_.cycle(p.arvalid, p.arready, {p.araddr}));
		wrong(aw_.cycle(p.awvalid, p.awready, {p.awaddr}));
		wrong(w_.cycle(p.wvalid, p.wready, {p.wdata, p.wstrb}));
		wrong(r_.cycle(p.rvalid, p.rready, {p.rdata, p.rresp}));
		wrong(b_.cycle(p.bvalid, p.bready, {p.bresp}));
		wrong_if(p.wvalid && p.wstrb > 15, "WSTRB beyond the word");
		wrong_if(p.rvalid && n_ar_ == 0, "RVALID before AR");
		wrong_if(p.bvalid && n_aw_ == 0, "BVALID before AW");
		wrong_if(p.bvalid && n_w_ == 0, "BVALID before W");
		wrong_if((p.rvalid && p.rresp == MCH_AXI_EXOKAY) || (p.bvalid && p.bresp == MCH_AXI_EXOKAY),
			 "an answer is EXOKAY, which AXI4-Lite has not");
		if (p.rvalid && p.rready && n_ar_ > 0)
			n_ar_--;
		if (p.bvalid && p.bready && n_aw_ > 0 && n_w_ > 0)
			n_aw_--, n_w_--;
		n_ar_ += p.arvalid && p.arready;
		n_aw_ += p.awvalid && p.awready;
		n_w_ += p.wvalid && p.wready;
		cycle_++;
	}

private:
	AxiChannel ar_{"AR"}, r_{"R"}, aw_{"AW"}, w_{"W"}, b_{"B"};
	unsigned n_ar_ = 0, n_aw_ = 0, n_w_ = 0; /* handshakes not yet answered */
};

} // namespace mch_sim

#endif
