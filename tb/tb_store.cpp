/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_store: random commands with their rows into a memory that is ideal, slow or faulty; in every cycle all
 * pins, and after every edge the control registers, are those of arch/store.h. By a plain statement, too: the bursts
 * that the commands make, that each is whole before it is on AW, every byte of the memory in the end, what a stop
 * leaves undone, and in an ideal memory the cycles of the whole. Spec: docs/accelerator.md "store".
 * verilate: mch_store sim/registers.vlt */
#include <deque>
#include <functional>
#include <memory>
#include <vector>

extern "C" {
#include "arch/store.h"
#include "tensor/report.h"
}
#include "Vmch_store.h"
#include "sim/axi_check.h"
#include "sim/axi_memory.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "tb/bins_ports.h"
#include "tb/store_rows.h"

using namespace mch_sim;
using namespace mch_tb;

namespace
{

class Bench
{
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves), image_(MEMORY_BYTES) { start_twins(); }
	~Bench() { mch_store_free(&twin_), mch_store_free(&blind_); }

	bool run_case(uint64_t number);
	uint64_t cycles() const { return cycles_; }

private:
	struct Place {
		const char *name;
		Register rtl;
		std::function<uint64_t(const mch_store &)> twin;
	};

	void start_twins();
	void make_commands();
	void add_command(uint32_t addr, uint32_t words, bool rows);
	void begin(uint64_t number);
	void drive();
	void master_pins();
	bool pins_agree();
	bool burst_is_right();
	bool cycle();
	bool run_to(uint64_t end, bool to_idle);
	bool stop_and_clear();
	bool registers_agree();
	bool differ(const std::string &what, uint64_t want, uint64_t got, const std::string &hint = "");
	bool same(const char *what, uint64_t want, uint64_t got) { return want == got || differ(what, want, got); }

	const BenchArgs &args_;
	Dut<Vmch_store> dut_;
	Coverage<mch_tb::SeenStore> covered_{"mch_store", mch_tb::store_bins::list};
	mch_store twin_{}, blind_{}; /* the second without data */
	mch_store_in in_{};
	mch_store_out out_{};
	mch_axi_master want_{}, master_{};
	std::vector<Place> places_;
	std::vector<uint8_t> image_; /* what the memory must be */
	std::unique_ptr<AxiMemory> memory_;
	std::unique_ptr<AxiCheck> check_;
	uint64_t number_ = 0, cycles_ = 0, now_ = 0;
	mch_rng rng_{};
	bool streams_ = false, cmd_stands_ = false, row_stands_ = false;
	int cmd_gap_ = 0, row_gap_ = 0;
	std::deque<mch_store_command> commands_;
	std::deque<Row> rows_, words_; /* to come; taken, kept and not yet on AW */
	std::deque<Burst> bursts_; /* not yet on AW */
	uint64_t commands_taken_ = 0, commands_done_ = 0, open_ = 0, first_row_ = 0, last_beat_ = 0, n_words_ = 0;
	std::deque<uint64_t> rows_of_;
	bool row_taken_ = false;
};

void Bench::start_twins()
{
	static const mch_store_config cfg = {DUT_ROWS,     DUT_COLS,      DUT_ELEM_BITS, DUT_OUT_BITS,
					     DUT_MEM_BITS, DUT_ADDR_BITS, DUT_DEPTH,     DUT_BURST};
	mch_err err = {};
	if (mch_store_init(&twin_, &cfg, &err) || mch_store_init(&blind_, &cfg, &err)) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		std::exit(FAILED);
	}
#define PLACE(field)                                                                                                 \
	places_.push_back(                                                                                           \
		{#field "_q", Register(), [](const mch_store &t) { return static_cast<uint64_t>(t.field); }})
	PLACE(stop), PLACE(cmd_put), PLACE(cmd_get), PLACE(commands), PLACE(words), PLACE(row), PLACE(n);
	PLACE(burst_put), PLACE(burst_get), PLACE(bursts), PLACE(awvalid), PLACE(open), PLACE(ready), PLACE(put),
		PLACE(get);
	PLACE(fifo_valid), PLACE(at), PLACE(from), PLACE(awaddr), PLACE(awlen);
#undef PLACE
	for (Place &p : places_)
		p.rtl = need_register(dut_->contextp(), "TOP.mch_store", p.name);
}

bool Bench::differ(const std::string &what, uint64_t want, uint64_t got, const std::string &hint)
{
	const mch_field wanted = {what.c_str(), static_cast<int64_t>(want), {48, 0, false}, false};
	const mch_field gotten = {what.c_str(), static_cast<int64_t>(got), {48, 0, false}, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_store." + what, dut_.cycles());
	const std::string at = "cycle " + std::to_string(now_) + " of the case  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name;
	m.module = "mch_store";
	m.case_number = number_;
	m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str();
	m.hint = hint.empty() ? nullptr : hint.c_str();
	m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	return false;
}

void Bench::add_command(uint32_t addr, uint32_t words, bool rows)
{
	commands_.push_back({addr, words, rows});
	const uint64_t come = rows ? static_cast<uint64_t>(ROWS) : words;
	rows_of_.push_back(come);
	const bool is_signed = chance(&rng_, 50);
	for (uint64_t i = 0; i < come; i++) {
		Row r = {};
		r.is_signed = is_signed, r.kept = i < words, r.addr = (addr + i) & UINT32_MAX;
		for (int32_t &code : r.codes)
			code = static_cast<int32_t>(corner(&rng_, DUT_OUT_BITS, is_signed));
		rows_.push_back(r);
	}
	n_words_ += words;
	for (uint64_t at = addr, left = words; left > 0;) {
		const uint64_t to_block = BLOCK_WORDS - at % BLOCK_WORDS, n = std::min<uint64_t>(left, to_block);
		bursts_.push_back({at & UINT32_MAX, n});
		at += n, left -= n;
	}
}

/* Addresses anywhere, often at or just before the end of a block; or whole blocks alone, in a stream. */
void Bench::make_commands()
{
	commands_.clear(), rows_.clear(), words_.clear(), bursts_.clear(), rows_of_.clear();
	commands_taken_ = commands_done_ = open_ = n_words_ = 0;
	cmd_stands_ = row_stands_ = row_taken_ = false;
	for (int n = draw(&rng_, 1, 30); n > 0; n--) {
		uint32_t addr = static_cast<uint32_t>(mch_rng_next(&rng_));
		if (streams_) {
			const uint32_t blocks = 1 + mch_rng_below(&rng_, static_cast<uint32_t>(64 / BLOCK_WORDS));
			add_command(addr & ~static_cast<uint32_t>(BLOCK_WORDS - 1),
				    blocks * static_cast<uint32_t>(BLOCK_WORDS), false);
			continue;
		}
		if (chance(&rng_, 50))
			addr = (addr | static_cast<uint32_t>(BLOCK_WORDS - 1)) - mch_rng_below(&rng_, 3);
		const bool rows = chance(&rng_, 60);
		const uint32_t most = rows ? static_cast<uint32_t>(ROWS) : 64;
		static const int share[] = {0, 1, 2};
		const int kind = share[mch_rng_below(&rng_, 3)];
		add_command(addr, kind == 0 ? 1 : kind == 1 ? most : 1 + mch_rng_below(&rng_, most), rows);
	}
}

void Bench::begin(uint64_t number)
{
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	static const int some[] = {0, 0, 20, 50, 90};
	streams_ = args_.stall_percent == 0 && 2 * BLOCK_WORDS <= DUT_DEPTH && BLOCK_WORDS <= 64 && chance(&rng_, 30);
	cmd_gap_ = streams_ ? 0 : args_.stall_percent ? args_.stall_percent : some[mch_rng_below(&rng_, 5)];
	row_gap_ = streams_ ? 0 : args_.stall_percent ? args_.stall_percent : some[mch_rng_below(&rng_, 5)];
	AxiMemoryOptions options;
	if (!streams_ && chance(&rng_, 75))
		options = axi_random_options(&rng_);
	if (chance(&rng_, 20)) {
		options.error_low = MEM_BYTES * mch_rng_below(&rng_, MEMORY_BYTES / MEM_BYTES);
		options.error_high = options.error_low + MEMORY_BYTES / 4;
		options.error_resp = chance(&rng_, 50) ? MCH_AXI_SLVERR : MCH_AXI_DECERR;
	}
	memory_.reset(new AxiMemory(MEMORY_BYTES, MEM_BYTES, options));
	check_.reset(new AxiCheck(MEM_BYTES));
	for (uint8_t &b : image_)
		b = static_cast<uint8_t>(mch_rng_next(&rng_));
	std::memcpy(memory_->data(), image_.data(), MEMORY_BYTES);
	make_commands();
	in_ = mch_store_in();
	drive();
	dut_.reset();
	mch_store_reset(&twin_);
	mch_store_reset(&blind_);
	now_ = 0;
}

void Bench::drive()
{
	static const Row nothing = {};
	const mch_axi_slave &slave = memory_->pins();
	cmd_stands_ = !commands_.empty() && (cmd_stands_ || !chance(&rng_, cmd_gap_));
	row_stands_ = !rows_.empty() && (row_stands_ || !chance(&rng_, row_gap_));
	const Row &row = row_stands_ ? rows_.front() : nothing;
	in_.cmd_valid = cmd_stands_;
	in_.cmd = cmd_stands_ ? commands_.front() : mch_store_command();
	in_.row_valid = row_stands_;
	in_.row = row.codes.data();
	in_.awready = slave.awready, in_.wready = slave.wready, in_.b = slave.b;
	dut_->clear_i = in_.clear, dut_->stop_i = in_.stop;
	dut_->cmd_valid_i = in_.cmd_valid, dut_->cmd_addr_i = in_.cmd.addr;
	dut_->cmd_words_i = static_cast<uint8_t>(in_.cmd.words), dut_->cmd_rows_i = in_.cmd.rows;
	dut_->row_valid_i = in_.row_valid, dut_->row_signed_i = row.is_signed;
	pack(&dut_->row_i, row.codes.data(), COLS, DUT_OUT_BITS);
	dut_->awready_i = in_.awready, dut_->wready_i = in_.wready;
	dut_->bvalid_i = in_.b.valid, dut_->bresp_i = in_.b.resp;
	dut_->clk_i = 0;
	dut_->eval();
}

void Bench::master_pins()
{
	master_ = mch_axi_master();
	master_.aw = {dut_->awvalid_o != 0, dut_->awaddr_o, dut_->awlen_o, dut_->awsize_o, dut_->awburst_o};
	master_.w = {dut_->wvalid_o != 0, reinterpret_cast<const uint8_t *>(&dut_->wdata_o), dut_->wstrb_o,
		     dut_->wlast_o != 0};
	master_.bready = dut_->bready_o;
}

bool Bench::pins_agree()
{
	const mch_axi_address &aw = want_.aw;
	if (!same("cmd_ready_o", mch_store_cmd_ready(&twin_), dut_->cmd_ready_o) ||
	    !same("row_ready_o", mch_store_row_ready(&twin_), dut_->row_ready_o) ||
	    !same("beat_o", out_.beat, dut_->beat_o) || !same("error_o", out_.error, dut_->error_o) ||
	    !same("idle_o", out_.idle, dut_->idle_o) || !same("awvalid_o", aw.valid, dut_->awvalid_o) ||
	    !same("wvalid_o", want_.w.valid, dut_->wvalid_o) || !same("bready_o", want_.bready, dut_->bready_o))
		return false;
	if (aw.valid && !(same("awaddr_o", aw.addr, dut_->awaddr_o) && same("awlen_o", aw.len, dut_->awlen_o) &&
			  same("awsize_o", aw.size, dut_->awsize_o) && same("awburst_o", aw.burst, dut_->awburst_o)))
		return false;
	if (!want_.w.valid)
		return true;
	for (uint64_t i = 0; i < MEM_BYTES; i++)
		if (want_.w.strb >> i & 1 && want_.w.data[i] != master_.w.data[i])
			return differ("byte " + std::to_string(i) + " of wdata_o", want_.w.data[i],
				      master_.w.data[i]);
	return same("wstrb_o", want_.w.strb, dut_->wstrb_o) && same("wlast_o", want_.w.last, dut_->wlast_o);
}

/* A burst that AW takes: the next of the commands' own, whole in the unit; the memory will hold its words. */
bool Bench::burst_is_right()
{
	if (bursts_.empty())
		return differ("bursts for AW", 1, 0);
	const Burst b = bursts_.front();
	const uint64_t start = b.addr * WORD_BYTES, end = start + b.words * WORD_BYTES;
	if (!same("address of the burst", start / MEM_BYTES * MEM_BYTES & ADDR_MASK, dut_->awaddr_o) ||
	    !same("beats of the burst", (end - 1) / MEM_BYTES - start / MEM_BYTES + 1, dut_->awlen_o + 1u))
		return false;
	if (words_.size() < b.words)
		return differ("words of the burst that are there", b.words, words_.size());
	for (uint64_t i = 0; i < b.words; i++) {
		const Row &r = words_.front();
		uint8_t *to = &image_[r.addr * WORD_BYTES % MEMORY_BYTES];
		for (const int32_t code : r.codes)
			for (uint64_t k = 0; k < ELEM_BYTES; k++)
				*to++ = static_cast<uint8_t>(static_cast<uint32_t>(code) >> 8 * k);
		words_.pop_front();
	}
	bursts_.pop_front();
	return same("open writes in excess", 0, ++open_ > 16);
}

bool Bench::registers_agree()
{
	for (const Place &p : places_)
		if (!same(p.name, p.twin(twin_), p.rtl.value()))
			return false;
	return true;
}

bool Bench::cycle()
{
	const mch_axi_slave slave = memory_->pins();
	drive();
	mch_store_eval(&twin_, &in_, &out_);
	mch_store_drive(&twin_, &want_);
	master_pins();
	if (!pins_agree())
		return false;
	const bool cmd = in_.cmd_valid && dut_->cmd_ready_o, row = in_.row_valid && dut_->row_ready_o;
	if (row && !twin_.stop && commands_taken_ == commands_done_)
		return differ("row taken before its command", 0, 1);
	if ((dut_->awvalid_o && slave.awready && !burst_is_right()) ||
	    !same("error_o for this answer", slave.b.valid && slave.b.resp >= MCH_AXI_SLVERR, dut_->error_o))
		return false;
	check_->cycle(master_, slave);
	if (!check_->violation().empty())
		return differ("protocol kept", 1, 0, check_->violation());
	covered_.sample({twin_, in_});
	mch_store_step(&twin_, &in_);
	mch_store_in in = in_;
	in.row = nullptr;
	mch_store_step(&blind_, &in);
	if (blind_.open != twin_.open || blind_.words != twin_.words || blind_.fifo_valid != twin_.fifo_valid ||
	    blind_.wvalid != twin_.wvalid || blind_.part != twin_.part)
		return differ("the twin without data agrees", 1, 0);
	if (dut_->beat_o)
		last_beat_ = now_;
	open_ -= slave.b.valid;
	if (row) {
		if (!row_taken_)
			row_taken_ = true, first_row_ = now_;
		if (rows_.front().kept)
			words_.push_back(rows_.front());
		rows_.pop_front(), row_stands_ = false;
		if (--rows_of_.front() == 0)
			rows_of_.pop_front(), commands_done_++;
	}
	if (cmd)
		commands_.pop_front(), cmd_stands_ = false, commands_taken_++;
	master_.aw.addr %= MEMORY_BYTES;
	memory_->step(master_);
	dut_.edge();
	now_++, cycles_++;
	return registers_agree();
}

bool Bench::run_to(uint64_t end, bool to_idle)
{
	while (now_ < end && !(to_idle && commands_.empty() && rows_.empty() && dut_->idle_o)) {
		if (now_ > 1000000)
			return differ("idle in the end", 1, 0);
		if (!cycle())
			return false;
	}
	return true;
}

/* Everything is taken and dropped; what is on AW is finished. */
bool Bench::stop_and_clear()
{
	in_.stop = true;
	if (!cycle())
		return false;
	for (int more = draw(&rng_, 0, 9); !dut_->idle_o || more > 0; more--) {
		if (!same("cmd_ready_o while stopped", 1, dut_->cmd_ready_o) ||
		    !same("row_ready_o while stopped", 1, dut_->row_ready_o))
			return false;
		if (now_ > 1000000)
			return differ("idle after a stop", 1, 0);
		if (!cycle())
			return false;
	}
	in_.clear = true;
	const bool agreed = cycle();
	in_.clear = in_.stop = false;
	return agreed && same("writes that are open", 0, check_->open_writes());
}

bool Bench::run_case(uint64_t number)
{
	begin(number);
	if (!registers_agree())
		return false;
	if (chance(&rng_, 30)) {
		if (!run_to(mch_rng_below(&rng_, 300), true) || !stop_and_clear())
			return false;
		make_commands();
	}
	if (!run_to(UINT64_MAX, true) || !same("bursts left", 0, bursts_.size()))
		return false;
	for (uint64_t i = 0; i < MEMORY_BYTES; i++)
		if (image_[i] != memory_->data()[i])
			return differ("byte " + std::to_string(i) + " of memory", image_[i], memory_->data()[i]);
	/* The first burst must be whole; from then on a word, or a beat, in every cycle. */
	return !streams_ || same("cycles from the first row to the last beat",
				 BLOCK_WORDS + 2 + WIDE + n_words_ * PARTS, last_beat_ - first_row_ + 1);
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 300);
	Bench bench(args);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = bench.run_case(number);
	return bench_end(args, watch, compared, bench.cycles(), agreed);
}
