/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tests of the simulation's AXI parts; see axi_parts.h. */
#include "tb/axi_parts.h"

#include <cstring>
#include <functional>
#include <vector>

extern "C" {
#include "arch/ideal_memory.h"
}
#include "sim/axi_check.h"
#include "sim/axi_memory.h"

namespace mch_tb {

using namespace mch_sim;

namespace {

enum { BEAT = 16, MEMORY_BYTES = 8192, TRAFFIC_CYCLES = 600 };

/* --- planted violations ------------------------------------------------------------------------------------- */

/* A legal read and a legal write of two beats, and writes whose W come first; `plant` spoils the pins of a cycle. */
typedef std::function<void(int, mch_axi_master *, mch_axi_slave *)> Plant;

std::string run_axi(const Plant &plant)
{
	static const uint8_t data[2][BEAT] = {{1}, {2}};
	AxiCheck check(BEAT);
	for (int cycle = 0; cycle < 12; cycle++) {
		mch_axi_master m = {};
		mch_axi_slave s = {};
		m.ar = {cycle == 1 || cycle == 2, 4096 - 2 * BEAT, 1, 4, MCH_AXI_INCR};
		s.arready = cycle == 2;
		s.r = {cycle >= 3 && cycle <= 5, data[cycle == 5], 0, cycle == 5};
		m.rready = cycle == 4 || cycle == 5;
		/* The second write's beats come before its address. */
		m.aw = {cycle == 1 || cycle == 2 || cycle == 8, 64, 1, 4, MCH_AXI_INCR};
		s.awready = cycle == 2 || cycle == 8;
		m.w = {(cycle >= 2 && cycle <= 4) || cycle == 6 || cycle == 7, data[cycle >= 3], 0xffff,
		       cycle == 3 || cycle == 4 || cycle == 7};
		s.wready = cycle != 3;
		s.b = {cycle == 5 || cycle == 6 || cycle == 10, 0};
		m.bready = cycle == 6 || cycle == 10;
		plant(cycle, &m, &s);
		check.cycle(m, s);
	}
	if (check.violation().empty() && (check.open_reads() != 0 || check.open_writes() != 0))
		return "counts open bursts wrongly";
	return check.violation();
}

typedef std::function<void(int, AxiLitePins *)> LitePlant;

std::string run_lite(const LitePlant &plant)
{
	AxiLiteCheck check;
	for (int cycle = 0; cycle < 8; cycle++) {
		AxiLitePins p = {};
		p.arvalid = p.awvalid = cycle == 1 || cycle == 2;
		p.arready = p.awready = cycle == 2;
		p.araddr = p.awaddr = 16;
		p.wvalid = cycle == 2 || cycle == 3, p.wready = cycle == 3;
		p.wdata = 5, p.wstrb = 15;
		p.rvalid = p.bvalid = cycle == 5 || cycle == 6;
		p.rready = p.bready = cycle == 6;
		plant(cycle, &p);
		check.cycle(p);
	}
	return check.violation();
}

struct Planted {
	const char *found; /* the text that must be found, in its cycle; nullptr: nothing is wrong */
	Plant plant;
};
struct LitePlanted {
	const char *found;
	LitePlant plant;
};

#define AT(n, what)                                                                                                  \
	[](int cycle, mch_axi_master *m, mch_axi_slave *s) {                                                         \
		(void)m, (void)s;                                                                                    \
		if (cycle == (n)) {                                                                                  \
			what;                                                                                        \
		}                                                                                                    \
	}
#define LITE(n, what)                                                                                                \
	[](int cycle, AxiLitePins *p) {                                                                              \
		(void)p;                                                                                             \
		if (cycle == (n)) {                                                                                  \
			what;                                                                                        \
		}                                                                                                    \
	}

const uint8_t other[BEAT] = {9};

const Planted planted[] = {
	{nullptr, AT(0, )},
	{"cycle 2: ARVALID fell before ARREADY", AT(2, m->ar.valid = false)},
	{"cycle 2: AR changed before ARREADY", AT(2, m->ar.addr = 0)},
	{"cycle 2: AR changed before ARREADY", AT(2, m->ar.len = 0)},
	{"cycle 2: AWVALID fell before AWREADY", AT(2, m->aw.valid = false)},
	{"cycle 2: AW changed before AWREADY", AT(2, m->aw.addr += 64)},
	{"cycle 4: WVALID fell before WREADY", AT(4, m->w.valid = false)},
	{"cycle 4: W changed before WREADY", AT(3, m->w.data = other)},
	{"cycle 4: W changed before WREADY", AT(3, m->w.strb = 1)},
	{"cycle 4: RVALID fell before RREADY", AT(4, s->r.valid = false)},
	{"cycle 4: R changed before RREADY", AT(4, s->r.data = other)},
	{"cycle 4: R changed before RREADY", AT(4, s->r.resp = 2)},
	{"cycle 6: BVALID fell before BREADY", AT(6, s->b.valid = false)},
	{"cycle 6: B changed before BREADY", AT(6, s->b.resp = 3)},
	{"cycle 1: ARBURST is not INCR", AT(1, m->ar.burst = MCH_AXI_FIXED)},
	{"cycle 8: AWBURST is not INCR", AT(8, m->aw.burst = MCH_AXI_WRAP)},
	{"cycle 1: ARSIZE is not that of a full beat", AT(1, m->ar.size = 3)},
	{"cycle 8: AWSIZE is not that of a full beat", AT(8, m->aw.size = 5)},
	{"cycle 1: ARADDR is not that of a beat", AT(1, m->ar.addr += 4)},
	{"cycle 8: AWADDR is not that of a beat", AT(8, m->aw.addr += 1)},
	{"cycle 1: AR: the burst crosses 4 KB", AT(1, m->ar.addr += BEAT)},
	{"cycle 8: AW: the burst crosses 4 KB", AT(8, m->aw.addr = 4096 * 3 - BEAT)},
	{"cycle 2: RVALID without an open read", AT(2, s->r.valid = true)},
	{"cycle 7: RVALID without an open read", AT(7, s->r.valid = true)},
	{"cycle 3: RLAST is not on the burst's last beat alone", AT(3, s->r.last = true)},
	{"cycle 5: RLAST is not on the burst's last beat alone", AT(5, s->r.last = false)},
	{"cycle 3: RRESP is EXOKAY", AT(3, s->r.resp = MCH_AXI_EXOKAY)},
	{"cycle 2: WLAST is not on the burst's last beat alone", AT(2, m->w.last = true)},
	{"cycle 4: WLAST is not on the burst's last beat alone",
	 [](int cycle, mch_axi_master *m, mch_axi_slave *) { m->w.last = m->w.last && cycle > 4; }},
	{"cycle 8: AWLEN is not that of the beats that came first", AT(8, m->aw.len = 2)},
	{"cycle 2: WSTRB beyond the beat", AT(2, m->w.strb = 0x10000)},
	{"cycle 1: BVALID before AW", AT(1, s->b.valid = true)},
	{"cycle 3: BVALID before the last W", AT(3, s->b.valid = true)},
	{"cycle 11: BVALID before AW", AT(11, s->b.valid = true)},
	{"cycle 5: BRESP is EXOKAY", AT(5, s->b.resp = MCH_AXI_EXOKAY)},
};

const LitePlanted lite_planted[] = {
	{nullptr, LITE(0, )},
	{"cycle 2: ARVALID fell before ARREADY", LITE(2, p->arvalid = false)},
	{"cycle 2: AR changed before ARREADY", LITE(2, p->araddr = 4)},
	{"cycle 2: AWVALID fell before AWREADY", LITE(2, p->awvalid = false)},
	{"cycle 2: AW changed before AWREADY", LITE(2, p->awaddr = 4)},
	{"cycle 3: WVALID fell before WREADY", LITE(3, p->wvalid = false)},
	{"cycle 3: W changed before WREADY", LITE(3, p->wdata = 4)},
	{"cycle 3: W changed before WREADY", LITE(3, p->wstrb = 1)},
	{"cycle 6: RVALID fell before RREADY", LITE(6, p->rvalid = false)},
	{"cycle 6: R changed before RREADY", LITE(6, p->rdata = 1)},
	{"cycle 6: BVALID fell before BREADY", LITE(6, p->bvalid = false)},
	{"cycle 6: B changed before BREADY", LITE(6, p->bresp = 2)},
	{"cycle 2: WSTRB beyond the word", LITE(2, p->wstrb = 16)},
	{"cycle 2: RVALID before AR", LITE(2, p->rvalid = true)},
	{"cycle 7: RVALID before AR", LITE(7, p->rvalid = true)},
	{"cycle 2: BVALID before AW", LITE(2, p->bvalid = true)},
	{"cycle 3: BVALID before W", LITE(3, p->bvalid = true)},
	{"cycle 5: an answer is EXOKAY", LITE(5, p->bresp = 1)},
};

std::string judge(const char *wanted, const std::string &found, const char *port)
{
	if (wanted ? found.find(wanted) != std::string::npos : found.empty())
		return "";
	return std::string(port) + ": \"" + (wanted ? wanted : "") + "\" wanted, \"" + found + "\" found";
}

/* --- traffic ------------------------------------------------------------------------------------------------ */

/* A master with random bursts: reads of the lower half of the memory, writes to the upper half, W before or after AW.
 */
class Traffic {
public:
	Traffic(mch_rng rng, size_t beat_bytes) : rng_(rng), beat_(beat_bytes)
	{
		percent_ = 20 + static_cast<int>(mch_rng_below(&rng_, 80));
	}

	const mch_axi_master &pins() const { return pins_; }

	/* After the edge with the slave's pins of this cycle. `more`: new bursts may begin. */
	void step(const mch_axi_slave &s, bool more)
	{
		if (pins_.ar.valid && s.arready)
			pins_.ar.valid = false;
		if (!pins_.ar.valid && more && chance(&rng_, percent_))
			pins_.ar = address(0);
		if (pins_.aw.valid && s.awready)
			pins_.aw.valid = false;
		if (to_write_.empty() && more && chance(&rng_, percent_))
			begin_write();
		if (!pins_.aw.valid && !addresses_.empty() && chance(&rng_, percent_)) {
			pins_.aw = addresses_.front();
			addresses_.erase(addresses_.begin());
		}
		if (pins_.w.valid && s.wready) {
			pins_.w.valid = false;
			beats_.erase(beats_.begin());
		}
		if (!pins_.w.valid && !beats_.empty() && chance(&rng_, percent_)) {
			now_ = beats_.front();
			pins_.w = {true, now_.data, now_.strb, now_.last};
		}
		if (addresses_.empty() && beats_.empty() && !pins_.aw.valid)
			to_write_.clear();
		pins_.rready = chance(&rng_, percent_);
		pins_.bready = chance(&rng_, percent_);
	}

	bool idle() const { return !pins_.ar.valid && to_write_.empty(); }

	/* What the memory's upper half must hold in the end. */
	void apply(uint8_t *memory) const
	{
		for (const Byte &b : written_)
			memory[b.at] = b.value;
	}

private:
	struct Beat {
		uint8_t data[MCH_AXI_BEAT_BYTES_MAX];
		uint64_t strb;
		bool last;
	};
	struct Byte {
		uint32_t at;
		uint8_t value;
	};

	/* Within 1 KB, so within 4. */
	mch_axi_address address(uint32_t low)
	{
		const uint32_t most = static_cast<uint32_t>(1024 / beat_), first = mch_rng_below(&rng_, most);
		const uint32_t left = most - first, n = 1 + mch_rng_below(&rng_, left < 16 ? left : 16);
		uint8_t size = 0;
		while ((size_t{1} << size) < beat_)
			size++;
		low += 1024 * mch_rng_below(&rng_, MEMORY_BYTES / 2048) + first * static_cast<uint32_t>(beat_);
		return {true, low, static_cast<uint8_t>(n - 1), size, MCH_AXI_INCR};
	}

	void begin_write()
	{
		const mch_axi_address a = address(MEMORY_BYTES / 2);
		to_write_.push_back(a);
		addresses_.push_back(a);
		for (unsigned i = 0; i <= a.len; i++) {
			Beat beat = {};
			beat.strb = chance(&rng_, 50) ? ~UINT64_C(0) : mch_rng_next(&rng_);
			beat.strb &= ~UINT64_C(0) >> (64 - beat_);
			beat.last = i == a.len;
			for (size_t j = 0; j < beat_; j++) {
				beat.data[j] = static_cast<uint8_t>(mch_rng_next(&rng_));
				if (beat.strb >> j & 1)
					written_.push_back(
						{static_cast<uint32_t>(a.addr + i * beat_ + j), beat.data[j]});
			}
			beats_.push_back(beat);
		}
	}

	mch_rng rng_;
	size_t beat_;
	int percent_;
	mch_axi_master pins_ = {};
	Beat now_ = {};
	std::vector<mch_axi_address> to_write_, addresses_;
	std::vector<Beat> beats_;
	std::vector<Byte> written_;
};

std::string pins_differ(const mch_axi_slave &a, const mch_axi_slave &b, size_t data_bytes)
{
	if (a.arready != b.arready || a.awready != b.awready || a.wready != b.wready)
		return "a ready differs";
	if (a.r.valid != b.r.valid || (a.r.valid && (a.r.resp != b.r.resp || a.r.last != b.r.last)))
		return "R differs";
	if (a.r.valid && data_bytes > 0 && std::memcmp(a.r.data, b.r.data, data_bytes) != 0)
		return "RDATA differs";
	if (a.b.valid != b.b.valid || (a.b.valid && a.b.resp != b.b.resp))
		return "B differs";
	return "";
}

/* The memory as its options say, with its master under the checks; an ideal one also against the model's two. */
std::string run_memory(mch_rng *rng, size_t beat_bytes, const AxiMemoryOptions &options, bool ideal, uint64_t *cycles)
{
	AxiMemory memory(MEMORY_BYTES, beat_bytes, options);
	for (size_t i = 0; i < MEMORY_BYTES; i++)
		memory.data()[i] = static_cast<uint8_t>(mch_rng_next(rng));
	std::vector<uint8_t> bytes(memory.data(), memory.data() + MEMORY_BYTES), want = bytes;
	mch_ideal_memory model, blind;
	mch_ideal_memory_init(&model, beat_bytes, bytes.data(), MEMORY_BYTES);
	mch_ideal_memory_init(&blind, beat_bytes, nullptr, MEMORY_BYTES);
	Traffic traffic(mch_rng_seed(mch_rng_next(rng)), beat_bytes);
	AxiCheck check(beat_bytes);
	std::string wrong;
	for (int cycle = 0; cycle < TRAFFIC_CYCLES || !traffic.idle() || !memory.idle(); cycle++) {
		const mch_axi_master m = traffic.pins();
		if (cycle > 100 * TRAFFIC_CYCLES)
			return "the memory's answers do not come";
		check.cycle(m, memory.pins());
		if (!check.violation().empty())
			return "sim/axi_memory.h breaks the protocol: " + check.violation();
		if (ideal) {
			wrong = pins_differ(model.pins, memory.pins(), beat_bytes);
			if (wrong.empty())
				wrong = pins_differ(model.pins, blind.pins, 0);
			if (!wrong.empty())
				return "arch/ideal_memory.h: cycle " + std::to_string(cycle) + ": " + wrong;
			mch_ideal_memory_step(&model, &m);
			mch_ideal_memory_step(&blind, &m);
		}
		const mch_axi_slave s = memory.pins();
		memory.step(m);
		traffic.step(s, cycle < TRAFFIC_CYCLES);
		++*cycles;
	}
	traffic.apply(want.data());
	if (std::memcmp(want.data(), memory.data(), MEMORY_BYTES) != 0)
		return "sim/axi_memory.h does not hold what was written";
	if (ideal && bytes != want)
		return "arch/ideal_memory.h does not hold what was written";
	return "";
}

} // namespace

std::string axi_check_misses()
{
	std::string missed;
	for (const Planted &p : planted)
		if (missed.empty())
			missed = judge(p.found, run_axi(p.plant), "AXI4");
	for (const LitePlanted &p : lite_planted)
		if (missed.empty())
			missed = judge(p.found, run_lite(p.plant), "AXI4-Lite");
	return missed;
}

std::string axi_memory_differs(mch_rng *rng, size_t beat_bytes, uint64_t *cycles)
{
	const std::string wrong = run_memory(rng, beat_bytes, AxiMemoryOptions(), true, cycles);
	return wrong.empty() ? run_memory(rng, beat_bytes, axi_random_options(rng), false, cycles) : wrong;
}

} // namespace mch_tb
