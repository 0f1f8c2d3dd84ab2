/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_regs: random accesses with address, data and answers apart and stalled, while a sequencer starts, ends and
 * fails at random. After every edge all outputs and registers are those of arch/regs.h, and every answer is that of a plain
 * list of registers. Each case ends with the driver (driver/macchiato.h) on the same port. Spec: docs/accelerator.md "regs".
 * verilate: mch_regs sim/registers.vlt driver/libdriver.a */
#include <vector>

extern "C" {
#include "arch/regs.h"
#include "tensor/report.h"
}
#include "Vmch_regs.h"
#include "driver/macchiato.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "sim/stimulus.h"
#include "tb/bins_control.h"
#include "tb/mult.h"

using namespace mch_sim;

namespace {

const mch_regs_config cfg = {DUT_ROWS,  DUT_COLS, DUT_X_BITS,   DUT_W_BITS,  DUT_OUT_BITS, DUT_ACC_BITS,
			     DUT_ROUND, DUT_MULT, DUT_MEM_BITS, DUT_X_WORDS, DUT_W_WORDS,  DUT_X_KIND,
			     DUT_X_EXP, DUT_W_KIND, DUT_W_EXP};
enum { ACCESSES = 200, BASE = 0x1000 };

/* What software must see. */
struct Seen {
	uint32_t list = 0, watchdog = 0, enable = 0;
	uint32_t count[MCH_REGS_COUNTERS] = {};
};

struct Write {
	uint32_t address, data, strobes;
	bool aw = false, w = false, done = false; /* taken; answered */
	uint32_t resp = 0;
};
struct Read {
	uint32_t address;
	bool ar = false, done = false;
	uint32_t data = 0, resp = 0;
};

class Bench {
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves)
	{
		static const char *const names[] = {"aw_full_q", "w_full_q", "start_q", "reset_q",  "run_q",	  "done_q",
						    "error_q",	 "field_q",  "irq_q",	"irq_enable_q", "awaddr_q", "wdata_q",
						    "wstrb_q"};
		for (const char *name : names)
			regs_.push_back({name, need_register(dut_->contextp(), "TOP.mch_regs", name)});
		counts_ = need_register(dut_->contextp(), "TOP.mch_regs", "count_q");
	}
	bool run(uint64_t number);
	uint64_t cycles() const { return dut_.cycles(); }
	bool transfer(Write *w, Read *r);
	bool agreed() const { return agreed_; }

private:
	bool edge();
	bool same(const char *name, uint64_t want, uint64_t got);
	bool lazy() { return chance(&rng_, slow_); }
	void sequencer();
	void drive(Write *w);
	void drive(Read *r);
	uint32_t any_address();
	bool written(const Write &w);
	bool was_read(const Read &r, bool stood);
	bool random_access();
	bool use_driver();

	const BenchArgs &args_;
	Dut<Vmch_regs> dut_;
	Coverage<mch_tb::regs_bins::Seen> covered_{"mch_regs", mch_tb::regs_bins::list};
	std::vector<std::pair<const char *, Register>> regs_;
	Register counts_;
	mch_rng rng_{};
	uint64_t number_ = 0;
	int slow_ = 0;
	bool agreed_ = true;
	mch_regs twin_{};
	mch_regs_in in_{};
	Seen seen_;
	uint32_t run_left_ = 0;
	bool counting_ = false;
};

Bench *bench_of_driver = nullptr;

bool Bench::same(const char *name, uint64_t want, uint64_t got)
{
	if (want == got || !agreed_)
		return agreed_;
	const mch_format format = {32, 0, false};
	const mch_field wanted = {name, static_cast<int64_t>(want), format, false};
	const mch_field gotten = {name, static_cast<int64_t>(got), format, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_regs." + std::string(name), dut_.cycles());
	const std::string at = "cycle " + std::to_string(dut_.cycles()) + "  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name, m.module = "mch_regs", m.case_number = number_, m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str(), m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	agreed_ = false;
	return false;
}

/* A run of random length that ends in done or in an error; pulses to count. */
void Bench::sequencer()
{
	const bool ended = in_.done || in_.error;
	in_.done = in_.error = false;
	/* Ends crowd into the cycle of an acknowledgement. */
	if (twin_.aw_full && twin_.w_full && !twin_.bvalid && twin_.awaddr == MCH_REG_IRQ && run_left_ > 1 && chance(&rng_, 50))
		run_left_ = 1;
	if (twin_.start)
		in_.busy = true, run_left_ = 1 + mch_rng_below(&rng_, 300);
	else if (ended || twin_.reset)
		in_.busy = in_.draining = false;
	else if (in_.busy && run_left_ > 0 && --run_left_ == 0) {
		in_.done = chance(&rng_, 50);
		in_.error = !in_.done;
		in_.draining = in_.error;
		in_.error_code = 1 + mch_rng_below(&rng_, 6);
		in_.error_field = mch_rng_below(&rng_, 32);
	}
	in_.index = static_cast<uint32_t>(mch_rng_next(&rng_)) & 0xffff;
	const uint64_t pulses = mch_rng_next(&rng_);
	in_.beat = pulses & 1, in_.wait_x = pulses >> 1 & 1, in_.wait_w = pulses >> 2 & 1;
	in_.wait_out = pulses >> 3 & 1, in_.read_beat = pulses >> 4 & 1, in_.write_beat = pulses >> 5 & 1;
	/* The plain counters: from the cycle after the start to that of the end. */
	if (counting_) {
		const bool counts[] = {true, in_.beat, in_.wait_x, in_.wait_w, in_.wait_out, in_.read_beat, in_.write_beat};
		for (int i = 0; i < MCH_REGS_COUNTERS; i++)
			seen_.count[i] += counts[i];
	}
	if (twin_.start) {
		counting_ = true;
		for (uint32_t &c : seen_.count)
			c = 0;
	} else if (in_.done || in_.error || twin_.reset) {
		counting_ = false;
	}
}

bool Bench::edge()
{
	const mch_regs &t = twin_;
	sequencer();
	dut_->s_awvalid_i = in_.awvalid, dut_->s_awaddr_i = in_.awaddr, dut_->s_wvalid_i = in_.wvalid;
	dut_->s_wdata_i = in_.wdata, dut_->s_wstrb_i = in_.wstrb, dut_->s_bready_i = in_.bready;
	dut_->s_arvalid_i = in_.arvalid, dut_->s_araddr_i = in_.araddr, dut_->s_rready_i = in_.rready;
	dut_->busy_i = in_.busy, dut_->draining_i = in_.draining, dut_->done_i = in_.done, dut_->error_i = in_.error;
	dut_->error_code_i = static_cast<uint8_t>(in_.error_code), dut_->error_field_i = static_cast<uint8_t>(in_.error_field);
	dut_->index_i = static_cast<uint16_t>(in_.index);
	dut_->beat_i = in_.beat, dut_->wait_x_i = in_.wait_x, dut_->wait_w_i = in_.wait_w, dut_->wait_out_i = in_.wait_out;
	dut_->read_beat_i = in_.read_beat, dut_->write_beat_i = in_.write_beat;
	covered_.sample({twin_, in_});
	mch_regs_step(&twin_, &in_);
	dut_.edge();
	const uint64_t want[] = {t.aw_full, t.w_full, t.start,	    t.reset,  t.run,   t.done, t.error,
				 t.field,   t.irq,    t.irq_enable, t.awaddr, t.wdata, t.wstrb};
	for (size_t i = 0; i < regs_.size(); i++)
		if (!same(regs_[i].first, want[i], regs_[i].second.value()))
			return false;
	for (int i = 0; i < MCH_REGS_COUNTERS; i++)
		if (!same("count_q", t.count[i], unpack(counts_.data, i, 32)))
			return false;
	return same("irq_o", mch_regs_irq(&t), dut_->irq_o) && same("s_awready_o", !t.aw_full, dut_->s_awready_o) &&
	       same("s_wready_o", !t.w_full, dut_->s_wready_o) && same("s_bvalid_o", t.bvalid, dut_->s_bvalid_o) &&
	       same("s_bresp_o", t.bresp, dut_->s_bresp_o) && same("s_arready_o", !t.rvalid, dut_->s_arready_o) &&
	       same("s_rvalid_o", t.rvalid, dut_->s_rvalid_o) && same("s_rdata_o", t.rdata, dut_->s_rdata_o) &&
	       same("s_rresp_o", t.rresp, dut_->s_rresp_o) && same("start_o", t.start, dut_->start_o) &&
	       same("reset_o", t.reset, dut_->reset_o) && same("list_o", t.list, dut_->list_o) &&
	       same("watchdog_o", t.watchdog, dut_->watchdog_o);
}

void Bench::drive(Write *w)
{
	in_.awvalid = !w->aw && (in_.awvalid || !lazy());
	in_.wvalid = !w->w && (in_.wvalid || !lazy());
	in_.bready = !lazy();
	w->aw |= in_.awvalid && dut_->s_awready_o;
	w->w |= in_.wvalid && dut_->s_wready_o;
	w->done = dut_->s_bvalid_o && in_.bready;
	w->resp = dut_->s_bresp_o;
}

void Bench::drive(Read *r)
{
	in_.arvalid = !r->ar && (in_.arvalid || !lazy());
	in_.rready = !lazy();
	r->ar |= in_.arvalid && dut_->s_arready_o;
	r->done = dut_->s_rvalid_o && in_.rready;
	r->data = dut_->s_rdata_o, r->resp = dut_->s_rresp_o;
}

/* A write, a read, or both beside each other; one that is not answered within 200 cycles is a mismatch, too. */
bool Bench::transfer(Write *w, Read *r)
{
	if (w)
		in_.awaddr = static_cast<uint8_t>(w->address), in_.wdata = w->data, in_.wstrb = static_cast<uint8_t>(w->strobes);
	if (r)
		in_.araddr = static_cast<uint8_t>(r->address);
	for (int i = 0; (w && !w->done) || (r && !r->done); i++) {
		if (w && !w->done)
			drive(w);
		if (r && !r->done)
			drive(r);
		if (!edge() || !same("transfer without an answer", 0, i > 200))
			return false;
		if (w)
			in_.awvalid &= !w->aw, in_.wvalid &= !w->w, in_.bready &= !w->done;
		if (r)
			in_.arvalid &= !r->ar, in_.rready &= !r->done;
	}
	return true;
}

uint32_t Bench::any_address()
{
	const uint32_t high = chance(&rng_, 80) ? MCH_REG_WRITE_BEATS + 8 : 256, address = mch_rng_below(&rng_, high);
	return chance(&rng_, 90) ? address & ~3u : address;
}

/* What the list of registers says of a write's answer, and becomes by it. */
bool Bench::written(const Write &w)
{
	const bool writable = w.address == MCH_REG_CONTROL || w.address == MCH_REG_IRQ || w.address == MCH_REG_IRQ_ENABLE ||
			      w.address == MCH_REG_LIST || w.address == MCH_REG_WATCHDOG;
	if (w.strobes == 15) {
		seen_.list = w.address == MCH_REG_LIST ? w.data : seen_.list;
		seen_.watchdog = w.address == MCH_REG_WATCHDOG ? w.data : seen_.watchdog;
		seen_.enable = w.address == MCH_REG_IRQ_ENABLE ? w.data & 3 : seen_.enable;
	}
	return same("answer to a write", writable && w.strobes == 15 ? 0 : 2, w.resp);
}

/* And of a read's; of counters only when they stood, which a write beside it could end. */
bool Bench::was_read(const Read &r, bool stood)
{
	const bool exists = r.address % 4 == 0 && r.address <= MCH_REG_WRITE_BEATS;
	if (!same("answer to a read", exists ? 0 : 2, r.resp))
		return false;
	if (exists && r.address >= MCH_REG_CYCLES && stood)
		return same("counter", seen_.count[(r.address - MCH_REG_CYCLES) / 4], r.data);
	return (r.address != MCH_REG_LIST || same("LIST", seen_.list, r.data)) &&
	       (r.address != MCH_REG_WATCHDOG || same("WATCHDOG", seen_.watchdog, r.data)) &&
	       (r.address != MCH_REG_IRQ_ENABLE || same("IRQ_ENABLE", seen_.enable, r.data)) &&
	       (r.address != MCH_REG_ID || same("ID", 0x4d434831, r.data));
}

bool Bench::random_access()
{
	const uint32_t kind = mch_rng_below(&rng_, 3);
	const bool stands = !counting_;
	Write w = {any_address(), static_cast<uint32_t>(mch_rng_next(&rng_)), chance(&rng_, 80) ? 15 : mch_rng_below(&rng_, 15)};
	Read r = {any_address()};
	if (kind == 2 && r.address == w.address) /* either may be first */
		r.address = MCH_REG_ID;
	if (!transfer(kind != 1 ? &w : nullptr, kind != 0 ? &r : nullptr))
		return false;
	return (kind == 0 || was_read(r, kind == 1 && stands)) && (kind == 1 || written(w));
}

/* A run from init to the counters, as firmware does it. */
bool Bench::use_driver()
{
	const mch_driver_build build = {DUT_ROWS,  DUT_COLS, DUT_X_BITS,   DUT_W_BITS,	DUT_OUT_BITS, DUT_ACC_BITS,
					DUT_ROUND, DUT_MULT, DUT_MEM_BITS, DUT_X_WORDS, DUT_W_WORDS,  DUT_X_KIND,
					DUT_X_EXP, DUT_W_KIND, DUT_W_EXP};
	mch_driver_build other = build;
	mch_driver d;
	mch_driver_status s;
	mch_driver_counters c;
	bench_of_driver = this;
	other.x_words *= 2;
	if (!same("driver: init", MCH_DRIVER_OK, mch_driver_init(&d, BASE, &build)) ||
	    !same("driver: init for another build", MCH_DRIVER_BUILD, mch_driver_init(&d, BASE, &other)) ||
	    !same("driver: reset", MCH_DRIVER_OK, mch_driver_reset(&d, 100)))
		return false;
	mch_driver_irq_enable(&d, true, true);
	const uint32_t list = static_cast<uint32_t>(mch_rng_next(&rng_)), watchdog = static_cast<uint32_t>(mch_rng_next(&rng_));
	if (!same("driver: start", MCH_DRIVER_OK, mch_driver_start(&d, list, watchdog)) ||
	    !same("driver: list", list, dut_->list_o) || !same("driver: watchdog", watchdog, dut_->watchdog_o))
		return false;
	const mch_driver_result result = mch_driver_wait(&d, 1000);
	mch_driver_get_status(&d, &s);
	if (!same("driver: result", s.error ? MCH_DRIVER_ERROR : MCH_DRIVER_OK, result) || !same("driver: done", !s.error, s.done) ||
	    !same("driver: interrupt pin", 1, dut_->irq_o) || !same("driver: interrupts", s.error ? 2 : 1, mch_driver_irq_acknowledge(&d)) ||
	    !same("driver: interrupt pin after", 0, dut_->irq_o))
		return false;
	mch_driver_get_counters(&d, &c);
	seen_.list = list, seen_.watchdog = watchdog, seen_.enable = 3;
	return same("driver: cycles", seen_.count[0], c.cycles) && same("driver: beats", seen_.count[1], c.beats) &&
	       same("driver: wait_x", seen_.count[2], c.wait_x) && same("driver: wait_w", seen_.count[3], c.wait_w) &&
	       same("driver: wait_out", seen_.count[4], c.wait_out) && same("driver: read beats", seen_.count[5], c.read_beats) &&
	       same("driver: write beats", seen_.count[6], c.write_beats);
}

bool Bench::run(uint64_t number)
{
	mch_err err;
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	static const int some[] = {0, 0, 30, 80};
	slow_ = args_.stall_percent ? args_.stall_percent : some[mch_rng_below(&rng_, 4)];
	if (mch_regs_init(&twin_, &cfg, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		return false;
	}
	dut_->s_awvalid_i = dut_->s_wvalid_i = dut_->s_arvalid_i = dut_->s_bready_i = dut_->s_rready_i = 0;
	dut_.reset();
	for (int i = 0; i < 3; i++)
		if (!edge())
			return false;
	for (int i = 0; i < ACCESSES; i++)
		if (!random_access())
			return false;
	return use_driver() && agreed_;
}

} // namespace

uint32_t mch_read32(uintptr_t address)
{
	Read r = {static_cast<uint32_t>(address) - BASE};
	return bench_of_driver->agreed() && bench_of_driver->transfer(nullptr, &r) ? r.data : 0;
}

void mch_write32(uintptr_t address, uint32_t value)
{
	Write w = {static_cast<uint32_t>(address) - BASE, value, 15};
	if (bench_of_driver->agreed())
		bench_of_driver->transfer(&w, nullptr);
}

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 200);
	Stopwatch watch;
	uint64_t compared = 0, cycles = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++) {
		Bench bench(args);
		agreed = bench.run(number);
		cycles += bench.cycles();
	}
	return bench_end(args, watch, compared, cycles, agreed);
}
