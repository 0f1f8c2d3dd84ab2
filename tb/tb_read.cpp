/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_read: three requesters ask for random runs of a memory that is ideal, slow, faulty or dies; in every
 * cycle all pins, and after every edge the control registers, are those of arch/read.h. Apart from that, by a plain
 * statement: which burst is taken, its address and length on AR, every word in order, and in an ideal memory the
 * cycles of the whole. It also tests sim/axi_check.h, sim/axi_memory.h and arch/ideal_memory.h. Spec:
 * docs/accelerator.md "read".
 * verilate: mch_read sim/registers.vlt tb/axi_parts.cpp */
#include <functional>
#include <memory>
#include <vector>

extern "C" {
#include "arch/read.h"
#include "tensor/report.h"
}
#include "Vmch_read.h"
#include "sim/axi_check.h"
#include "sim/axi_memory.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "tb/axi_parts.h"
#include "tb/bins_ports.h"
#include "tb/read_askers.h"
#include "tb/read_statement.h"

using namespace mch_sim;

#ifndef DUT_ADDR_BITS
#define DUT_ADDR_BITS 32
#endif
#ifndef DUT_BURST
#define DUT_BURST 16
#endif
#ifndef DUT_OUTSTANDING
#define DUT_OUTSTANDING 16
#endif

namespace {

enum : uint64_t {
	MEM_BYTES = DUT_MEM_BITS / 8,
	WORD_BYTES = DUT_WORD_BITS / 8,
	PARTS = WORD_BYTES > MEM_BYTES ? WORD_BYTES / MEM_BYTES : 1,
	BLOCK_WORDS = DUT_BURST * MEM_BYTES / WORD_BYTES,
	MEMORY_BYTES = 1 << 16, /* appears again and again through all addresses */
};

const mch_read_config cfg = {DUT_MEM_BITS, DUT_WORD_BITS, DUT_ADDR_BITS, DUT_BURST, DUT_OUTSTANDING};

/* What a case is like. */
struct Plan {
	AxiMemoryOptions memory;
	bool ideal;
	mch_tb::AskersPlan askers;
	uint64_t stop_at; /* cycle in which stop_i goes up, or never */
};

class Bench {
public:
	explicit Bench(const BenchArgs &args)
	    : args_(args), dut_(args.waves), image_(MEMORY_BYTES), statement_(cfg, image_)
	{
		find_registers();
	}

	bool run_case(uint64_t number);
	uint64_t cycles() const { return cycles_; }

private:
	struct Place {
		const char *name;
		Register rtl;
		std::function<const void *(const mch_read &)> twin;
		int n, twin_bytes; /* elements, and bytes of one in the twin */
	};

	void find_registers();
	void make_plan();
	void begin(uint64_t number);
	void drive();
	bool cycle();
	bool pins_agree();
	bool statement_holds();
	bool registers_agree();
	bool episode(bool stops);
	bool end_of_case();
	bool differ(const std::string &what, uint64_t want, uint64_t got, const std::string &hint = "");
	bool same(const char *what, uint64_t want, uint64_t got) { return want == got || differ(what, want, got); }

	const BenchArgs &args_;
	Dut<Vmch_read> dut_;
	Coverage<mch_tb::SeenRead> covered_{"mch_read", mch_tb::read_bins::list};
	std::vector<uint8_t> image_;
	std::vector<Place> places_;
	uint64_t number_ = 0, cycles_ = 0;
	mch_rng rng_{};
	Plan plan_{};
	std::unique_ptr<AxiMemory> memory_;
	std::unique_ptr<AxiCheck> check_;
	mch_read twin_{}, blind_{}; /* the second without data */
	mch_read_in in_{};
	mch_read_out out_{}, blind_out_{};
	mch_axi_master master_{};
	mch_tb::ReadAskers askers_;
	mch_tb::ReadStatement statement_;
	uint64_t now_ = 0;
};

int draw(mch_rng *rng, int low, int high)
{
	return low + static_cast<int>(mch_rng_below(rng, static_cast<uint32_t>(high - low + 1)));
}

void Bench::find_registers()
{
	const auto add = [this](const char *name, int n, int bytes, auto twin) {
		places_.push_back({name, Register(), twin, n, bytes});
	};
	add("arvalid_q", 1, 1, [](const mch_read &t) { return &t.arvalid; });
	add("take_q", 1, 1, [](const mch_read &t) { return &t.take; });
	add("take_less_q", 1, 4, [](const mch_read &t) { return &t.take_less; });
	add("araddr_q", 1, 4, [](const mch_read &t) { return &t.araddr; });
	add("arlen_q", 1, 4, [](const mch_read &t) { return &t.arlen; });
	add("open_q", 1, 4, [](const mch_read &t) { return &t.open; });
	add("put_q", 1, 4, [](const mch_read &t) { return &t.put; });
	add("get_q", 1, 4, [](const mch_read &t) { return &t.get; });
	add("given_q", 1, 4, [](const mch_read &t) { return &t.given; });
	add("part_q", 1, 4, [](const mch_read &t) { return &t.part; });
	add("who_q", DUT_OUTSTANDING, 1, [](const mch_read &t) { return t.who; });
	add("words_q", DUT_OUTSTANDING, 1, [](const mch_read &t) { return t.words; });
	add("slot_q", DUT_OUTSTANDING, 1, [](const mch_read &t) { return t.slot; });
	for (Place &p : places_)
		p.rtl = need_register(dut_->contextp(), "TOP.mch_read", p.name);
}

bool Bench::differ(const std::string &what, uint64_t want, uint64_t got, const std::string &hint)
{
	const mch_field wanted = {what.c_str(), static_cast<int64_t>(want), {48, 0, false}, false};
	const mch_field gotten = {what.c_str(), static_cast<int64_t>(got), {48, 0, false}, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_read." + what, dut_.cycles());
	const std::string at = "cycle " + std::to_string(now_) + " of the case  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name;
	m.module = "mch_read";
	m.case_number = number_;
	m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str();
	m.hint = hint.empty() ? nullptr : hint.c_str();
	m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	return false;
}

void Bench::make_plan()
{
	plan_ = Plan();
	plan_.ideal = chance(&rng_, 40);
	if (!plan_.ideal)
		plan_.memory = axi_random_options(&rng_);
	if (args_.stall_percent > 0) {
		plan_.ideal = false;
		plan_.memory.ar_stall = plan_.memory.r_stall = args_.stall_percent;
	}
	if (chance(&rng_, 20)) {
		plan_.memory.error_low = MEM_BYTES * mch_rng_below(&rng_, MEMORY_BYTES / MEM_BYTES);
		plan_.memory.error_high = plan_.memory.error_low + (chance(&rng_, 50) ? MEM_BYTES : MEMORY_BYTES / 4);
		plan_.memory.error_resp = chance(&rng_, 50) ? MCH_AXI_SLVERR : MCH_AXI_DECERR;
	}
	if (chance(&rng_, 10)) {
		plan_.memory.dead_cycle = mch_rng_below(&rng_, 300);
		plan_.ideal = false;
	}
	static const uint64_t longest[] = {1, 2, BLOCK_WORDS, BLOCK_WORDS + 1, 3 * BLOCK_WORDS};
	plan_.askers.longest = longest[mch_rng_below(&rng_, 5)];
	plan_.askers.pause = chance(&rng_, 50) ? 100 : draw(&rng_, 2, 90);
	plan_.askers.runs = draw(&rng_, 1, 12);
	plan_.askers.block_words = BLOCK_WORDS;
	if (PARTS == 1 && chance(&rng_, 1)) /* the longest that can be asked for */
		plan_.ideal = true, plan_.askers.runs = 1, plan_.askers.longest = 65535, plan_.askers.pause = 100,
		plan_.memory = AxiMemoryOptions();
	plan_.stop_at = chance(&rng_, 30) ? mch_rng_below(&rng_, 200) : UINT64_MAX;
}

void Bench::drive()
{
	uint32_t valid = 0;
	uint64_t words = 0;
	uint32_t addr[3];
	for (int i = 0; i < 3; i++) {
		valid |= static_cast<uint32_t>(in_.req_valid[i]) << i;
		words |= static_cast<uint64_t>(in_.req_words[i]) << 16 * i;
		addr[i] = in_.req_addr[i];
	}
	dut_->req_valid_i = static_cast<uint8_t>(valid);
	dut_->req_words_i = words;
	std::memcpy(&dut_->req_addr_i, addr, sizeof(addr));
	dut_->stop_i = in_.stop;
	dut_->clear_i = in_.clear;
	dut_->arready_i = in_.arready;
	dut_->rvalid_i = in_.r.valid;
	std::memcpy(&dut_->rdata_i, in_.r.data, MEM_BYTES);
	dut_->rresp_i = in_.r.resp;
	dut_->rlast_i = in_.r.last;
	dut_->clk_i = 0;
	dut_->eval();
}

/* Every output pin against the twin's, with inputs settled. */
bool Bench::pins_agree()
{
	const uint32_t take = out_.take < 0 ? 0 : 1u << out_.take,
		       word = out_.word_valid < 0 ? 0 : 1u << out_.word_valid;
	const mch_axi_address &ar = master_.ar;
	bool ok = same("take_o", take, dut_->take_o) && same("word_valid_o", word, dut_->word_valid_o) &&
		  same("idle_o", out_.idle, dut_->idle_o) && same("error_o", out_.error, dut_->error_o) &&
		  same("beat_o", out_.beat, dut_->beat_o) && same("rready_o", out_.rready, dut_->rready_o) &&
		  same("rready_o of the registers", master_.rready, dut_->rready_o) &&
		  same("arvalid_o", ar.valid, dut_->arvalid_o) && same("araddr_o", ar.addr, dut_->araddr_o) &&
		  same("arlen_o", ar.len, dut_->arlen_o) && same("arsize_o", ar.size, dut_->arsize_o) &&
		  same("arburst_o", ar.burst, dut_->arburst_o);
	if (ok && take)
		ok = same("take_words_o", out_.take_words, dut_->take_words_o);
	if (ok && word && std::memcmp(out_.word, &dut_->word_o, WORD_BYTES) != 0)
		ok = differ("word_o's first byte", out_.word[0], *reinterpret_cast<const uint8_t *>(&dut_->word_o));
	return ok;
}

bool Bench::statement_holds()
{
	const mch_tb::ReadSeen seen = {&in_,
				       dut_->take_o,
				       dut_->take_words_o,
				       dut_->word_valid_o,
				       reinterpret_cast<const uint8_t *>(&dut_->word_o),
				       dut_->idle_o != 0,
				       dut_->error_o != 0,
				       dut_->rready_o != 0,
				       dut_->arvalid_o != 0,
				       dut_->araddr_o,
				       dut_->arlen_o};
	return statement_.holds(seen, now_) || differ(statement_.what, statement_.want, statement_.got);
}

bool Bench::registers_agree()
{
	for (const Place &p : places_)
		for (int i = 0; i < p.n; i++) {
			uint64_t want = 0, got = 0;
			std::memcpy(&want, static_cast<const uint8_t *>(p.twin(twin_)) + i * p.twin_bytes,
				    static_cast<size_t>(p.twin_bytes));
			std::memcpy(&got,
				    static_cast<const uint8_t *>(p.rtl.data) +
					    static_cast<size_t>(i) * p.rtl.elem_bytes,
				    p.rtl.elem_bytes);
			if (want != got)
				return differ(std::string(p.name) + (p.n > 1 ? "[" + std::to_string(i) + "]" : ""),
					      want, got);
		}
	return true;
}

/* One cycle: inputs, pins, statement, protocol, edge, registers. */
bool Bench::cycle()
{
	askers_.ask(&rng_, &in_);
	const mch_axi_slave slave = memory_->pins();
	in_.arready = slave.arready;
	in_.r = slave.r;
	drive();
	mch_read_drive(&twin_, &master_);
	mch_read_eval(&twin_, &in_, &out_);
	if (!pins_agree() || !statement_holds())
		return false;
	/* What follows is driven by the module, so that the statement stands without the twin. */
	for (int i = 0; i < MCH_READ_REQUESTERS; i++)
		if (dut_->take_o >> i & 1)
			askers_.take(i, dut_->take_words_o);
	mch_axi_master master = {};
	master.ar = {dut_->arvalid_o != 0, static_cast<uint32_t>(dut_->araddr_o), dut_->arlen_o, dut_->arsize_o,
		     dut_->arburst_o};
	master.rready = dut_->rready_o != 0;
	check_->cycle(master, slave);
	if (!check_->violation().empty())
		return differ("protocol kept", 1, 0, check_->violation());
	covered_.sample({twin_, in_, out_});
	mch_read_step(&twin_, &in_, &out_);
	mch_read_in in = in_;
	in.r.data = nullptr;
	mch_read_eval(&blind_, &in, &blind_out_);
	mch_read_step(&blind_, &in, &blind_out_);
	if (blind_out_.word || blind_out_.winner != out_.winner || blind_out_.word_valid != out_.word_valid ||
	    blind_.open != twin_.open)
		return differ("the twin without data agrees", 1, 0);
	dut_.edge();
	master.ar.addr %= MEMORY_BYTES;
	memory_->step(master);
	now_++, cycles_++;
	return registers_agree();
}

/* All runs, to the end or to a stop, which ends with a clear. */
bool Bench::episode(bool stops)
{
	plan_.askers.cut = stops && chance(&rng_, 50);
	askers_.begin(&rng_, plan_.askers);
	statement_.begin();
	const uint64_t start = now_, dead = plan_.memory.dead_cycle;
	while (stops ? now_ - start < plan_.stop_at : !askers_.done() || !statement_.idle()) {
		if (dead != UINT64_MAX && now_ > dead + 300)
			return true;
		if (now_ - start > 2000000)
			return differ("words that come", 1, 0);
		if (!cycle())
			return false;
	}
	if (!stops)
		return true;
	in_.stop = true;
	for (int more = draw(&rng_, 0, 5); !statement_.idle() || more-- > 0;) {
		if (dead != UINT64_MAX && now_ > dead + 300)
			return true;
		if (!cycle())
			return false;
	}
	in_.clear = true;
	bool ok = cycle();
	in_.clear = in_.stop = false;
	return ok;
}

void Bench::begin(uint64_t number)
{
	mch_err err = {};
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	make_plan();
	memory_.reset(new AxiMemory(MEMORY_BYTES, MEM_BYTES, plan_.memory));
	check_.reset(new AxiCheck(MEM_BYTES));
	for (uint8_t &b : image_)
		b = static_cast<uint8_t>(mch_rng_next(&rng_));
	std::memcpy(memory_->data(), image_.data(), MEMORY_BYTES);
	if (cycles_ == 0 && (mch_read_init(&twin_, &cfg, &err) || mch_read_init(&blind_, &cfg, &err))) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		std::exit(FAILED);
	}
	in_ = mch_read_in();
	in_.r.data = image_.data();
	askers_.begin(&rng_, plan_.askers);
	statement_.begin();
	drive();
	dut_.reset();
	mch_read_reset(&twin_);
	mch_read_reset(&blind_);
	now_ = 0;
}

bool Bench::end_of_case()
{
	if (plan_.memory.dead_cycle != UINT64_MAX)
		return true; /* what is open stays so; the next case's reset ends it */
	if (!dut_->idle_o || !statement_.idle() || check_->open_reads() != 0)
		return differ("idle in the end", 1, 0);
	/* AR a cycle after a request wins, R a cycle after AR, then a beat or a word in every cycle; only behind a burst of one
	 * beat there may be a cycle without, when nobody else asks. */
	const uint64_t busy = statement_.words_taken * PARTS + 2, took = statement_.last_word - statement_.first_win + 1;
	if (plan_.ideal && plan_.askers.pause == 100 && DUT_OUTSTANDING >= 4 &&
	    (took < busy || took > busy + statement_.single_beats))
		return differ("cycles from the first win to the last word", busy, took);
	return true;
}

bool Bench::run_case(uint64_t number)
{
	begin(number);
	if (!registers_agree())
		return false;
	const bool stops = plan_.stop_at != UINT64_MAX;
	if ((stops && !episode(true)) || !episode(false) || !end_of_case())
		return false;
	std::string wrong = number % 64 == 0 ? mch_tb::axi_check_misses() : "";
	if (!wrong.empty())
		return differ("violations found", 1, 0, "sim/axi_check.h: " + wrong);
	if (number % 8 == 0)
		wrong = mch_tb::axi_memory_differs(&rng_, MEM_BYTES, &cycles_);
	return wrong.empty() || differ("memories alike", 1, 0, wrong);
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 400);
	Bench bench(args);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = bench.run_case(number);
	return bench_end(args, watch, compared, bench.cycles(), agreed);
}
