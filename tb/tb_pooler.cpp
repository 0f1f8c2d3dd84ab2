/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_pooler: random pools (stride, pad, dilation, ceil mode, strips, y blocks), whose words and commands must
 * be those of op/pool.h over the whole tensor, in the order of docs/accelerator.md; every register and output after
 * every edge is that of arch/pooler.c. Cases without stalls hold the throughput of the module's header to the cycle. A
 * case is a clear, or a reset, and up to three layers, of which some are cut short by a clear.
 * Spec: docs/accelerator.md "pooler".
 * verilate: mch_pooler sim/registers.vlt */
#include <vector>

extern "C" {
#include "arch/pooler.h"
#include "op/requant.h"
#include "tensor/report.h"
}
#include "Vmch_pooler.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "sim/stimulus.h"
#include "tb/bins_control.h"
#include "tb/pooler_case.h"
#include "tb/pooler_registers.h"

using namespace mch_sim;
using namespace mch_tb;

namespace {

enum { PATIENCE = DUT_X_WORDS < 65536 ? 5000 : 1000000 }; /* cycles in which nothing comes out, with stalls as they are here */

class Bench {
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves), word_(WORD_BYTES)
	{
		const mch_pooler_config cfg = {DUT_ROWS,     DUT_COLS,	   DUT_ELEM_BITS, DUT_X_BITS,
					       DUT_OUT_BITS, DUT_ACC_BITS, DUT_X_WORDS,	  static_cast<mch_number>(DUT_X_KIND)};
		mch_err err;
		if (mch_pooler_init(&twin_, &cfg, &err) != 0) {
			std::fprintf(stderr, "macchiato: %s\n", err.text);
			std::exit(2);
		}
		plan_ = twin_;
		ram_.assign(2 * DUT_X_WORDS * WORD_BYTES, 0);
		idle_pins();
		dut_.reset();
		registers_ = pooler_registers(dut_->contextp(), &twin_);
	}

	bool one(uint64_t number);
	uint64_t cycles() const { return dut_.cycles(); }

private:
	void idle_pins();
	bool layer(const Layer &layer, int cut_after);
	void load(const Layer &layer);
	void free_half(int half);
	bool outputs(const Layer &layer);
	bool before_edge(const Layer &layer);
	void drive();
	bool edge();
	bool same(const char *name, int64_t want, int64_t got, int bits);
	bool registers_agree();
	bool take_row(const Layer &layer);
	bool in_time(const Layer &layer);
	bool clear();

	const BenchArgs &args_;
	Dut<Vmch_pooler> dut_;
	Coverage<mch_tb::pooler_bins::Seen> covered_{"mch_pooler", mch_tb::pooler_bins::list};
	mch_pooler twin_, plan_;
	mch_pooler_in in_ = {};
	std::vector<uint8_t> word_, ram_;
	std::vector<PoolerRegister> registers_;
	mch_rng rng_ = {};
	uint64_t number_ = 0;
	bool fast_ = false, strict_ = false;
	int stall_ = 0;
	/* The loader. */
	int half_ = 0;        /* of the next strip to allocate */
	size_t allocated_ = 0; /* strips */
	size_t loading_[2] = {};
	/* What has come out. */
	size_t n_rows_ = 0, n_commands_ = 0, n_params_ = 0, n_allowed_ = 0;
	uint64_t row_cycle_ = 0, quiet_ = 0;
};

void Bench::idle_pins()
{
	dut_->clear_i = dut_->start_i = dut_->skip_i = 0;
	dut_->strip_valid_i = 0;
	dut_->param_ack_i = dut_->sum_ready_i = dut_->row_ready_i = dut_->cmd_ready_i = 0;
	in_ = {};
	in_.xr_word = word_.data();
}

/* Reports when they differ; the report's formats end at 49 bits. */
bool Bench::same(const char *name, int64_t want, int64_t got, int bits)
{
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	if ((static_cast<uint64_t>(want) & mask) == (static_cast<uint64_t>(got) & mask))
		return true;
	const mch_format format = {bits, 0, true};
	const mch_field wanted = {"value", mch_wrap(want, bits), format, false};
	const mch_field gotten = {"value", mch_wrap(got, bits), format, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_pooler." + std::string(name), dut_.cycles());
	const std::string at = std::string(name) + "  row " + std::to_string(n_rows_) + "  cycle " +
			       std::to_string(dut_.cycles()) + "  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name;
	m.module = "mch_pooler";
	m.case_number = number_;
	m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str();
	m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	return false;
}

bool Bench::registers_agree()
{
	for (const PoolerRegister &r : registers_)
		for (int j = 0; j < r.n; j++) {
			const int64_t want = r.twin(j), got = r.value(j);
			if (want != got && !same((r.name + ("[" + std::to_string(j)) + "]").c_str(), want, got, r.bits))
				return false;
		}
	/* A plan's pooler, which sees no words, does the same. */
	return same("off0_q without words", twin_.off0, plan_.off0, 18) &&
	       same("tag2_q without words", twin_.tag2, plan_.tag2, 9) &&
	       same("done_o without words", mch_pooler_done(&twin_), mch_pooler_done(&plan_), 2) &&
	       same("n_q without words", twin_.n, plan_.n, 6);
}

/* Words that a freed half held are not read again: they become noise. */
void Bench::free_half(int half)
{
	in_.strip_valid[half] = false;
	for (size_t i = 0; i < DUT_X_WORDS * WORD_BYTES; i++)
		ram_[static_cast<size_t>(half) * DUT_X_WORDS * WORD_BYTES + i] = static_cast<uint8_t>(mch_rng_next(&rng_));
}

/* The loader, a cycle: the halves are filled in turn. */
void Bench::load(const Layer &layer)
{
	if (allocated_ < layer.strips.size() && !in_.strip_valid[half_] && (fast_ || !chance(&rng_, stall_))) {
		in_.strip_valid[half_] = true;
		in_.strip_start[half_] = static_cast<uint32_t>(layer.strips[allocated_].start);
		in_.strip_words[half_] = static_cast<uint32_t>(layer.strips[allocated_].words);
		in_.filled[half_] = 0;
		loading_[half_] = allocated_++;
		half_ = !half_;
	}
	for (int h = 0; h < 2; h++) {
		const std::vector<uint8_t> &bytes = layer.strips[loading_[h]].bytes;
		int n = fast_ ? DUT_X_WORDS : !chance(&rng_, stall_);
		for (; in_.strip_valid[h] && n > 0 && in_.filled[h] * WORD_BYTES < bytes.size(); n--) {
			const size_t at = in_.filled[h]++ * WORD_BYTES;
			std::memcpy(&ram_[static_cast<size_t>(h) * DUT_X_WORDS * WORD_BYTES + at], &bytes[at], WORD_BYTES);
		}
	}
}

/* A row that is taken at this edge. */
bool Bench::take_row(const Layer &layer)
{
	if (!same("rows that a command allows", 1, n_rows_ < n_allowed_, 2) ||
	    !same("rows after the last", 1, n_rows_ < layer.rows.size(), 2))
		return false;
	const Row &row = layer.rows[n_rows_];
	if (layer.mean && row.begins_block && !same("parameters before the row", 1, n_params_ > 0, 2))
		return false;
	const struct mch_requant rule = {16,      true,  false, MCH_ROUND_HALF_EVEN, 0, nullptr,
					  nullptr, false, 0,     0,                   false, MCH_FIXED, 0};
	for (int j = 0; j < DUT_COLS; j++) {
		bool saturated;
		int64_t got;
		if (layer.mean) {
			const uint64_t bits = unpack(&dut_->sum_o, j, DUT_ACC_BITS);
			const int64_t sum = mch_wrap(static_cast<int64_t>(bits), DUT_ACC_BITS);
			got = mch_requant_value(&rule, sum, 0, 16 + layer.avg.shift, 0, &saturated);
		} else {
			const int64_t code = static_cast<int64_t>(unpack(&dut_->row_o, j, DUT_OUT_BITS));
			got = mch_wrap_code(code, DUT_OUT_BITS, layer.d.x0_signed != 0);
			if (is_minifloat && got < 0)
				got = -(got + SIGN);
		}
		if (!same(layer.mean ? "mean" : "maximum", row.y[static_cast<size_t>(j)], got, 18))
			return false;
	}
	n_params_ = 0;
	return !fast_ || in_time(layer);
}

/* Without stalls a maximum comes as many cycles after the one before as its window has fetches; a mean no later than
 * that, or than 18 cycles, and 19 more for another count. A tile that follows one or two windows waits for their command. */
bool Bench::in_time(const Layer &layer)
{
	const Row &row = layer.rows[n_rows_];
	const uint64_t now = dut_.cycles(), gap = now - row_cycle_;
	row_cycle_ = now;
	if (n_rows_ == 0 || row.strip != layer.rows[n_rows_ - 1].strip || !row.is_timed || DUT_ROWS < 4)
		return true;
	if (!layer.mean)
		return same("cycles since the word before", row.fetches, static_cast<int64_t>(gap), 32);
	const bool divided = row.count != layer.rows[n_rows_ - 1].count;
	const int64_t took = static_cast<int64_t>(gap), most = (row.fetches > 18 ? row.fetches : 18) + (divided ? 19 : 0);
	return same("cycles since the mean before", took < most ? took : most, took, 32);
}

/* Outputs of the cycle that ends with the next edge, and what is taken at it. */
bool Bench::outputs(const Layer &layer)
{
	const struct mch_pooler_move no_move = {};
	const struct mch_pooler_move move = mch_pooler_done(&twin_) ? no_move : mch_pooler_move(&twin_, &in_);
	const bool en = mch_pooler_xr_en(&twin_, move);
	dut_->eval();
	const int release = mch_pooler_release(&twin_, move, 0) | mch_pooler_release(&twin_, move, 1) << 1;
	if (!same("done_o", mch_pooler_done(&twin_), dut_->done_o, 2) ||
	    !same("wait_x_o", move.wait_x, dut_->wait_x_o, 2) ||
	    !same("release_o", release, dut_->release_o, 3) || !same("xr_en_o", en, dut_->xr_en_o, 2) ||
	    !same("xr_addr_o", mch_pooler_xr_addr(&twin_), dut_->xr_addr_o, 18) ||
	    !same("param_o", twin_.param, dut_->param_o, 2) ||
	    !same("sum_valid_o", mch_pooler_sum_valid(&twin_), dut_->sum_valid_o, 2) ||
	    !same("row_valid_o", mch_pooler_row_valid(&twin_, layer.d.op), dut_->row_valid_o, 2) ||
	    !same("cmd_valid_o", twin_.cmd_valid, dut_->cmd_valid_o, 2))
		return false;
	for (int j = 0; layer.mean && dut_->sum_valid_o && j < DUT_COLS; j++) {
		const uint64_t sum = unpack(&dut_->sum_o, j, DUT_ACC_BITS);
		if (!same("sum_o", mch_pooler_sum(&twin_, j), static_cast<int64_t>(sum), DUT_ACC_BITS))
			return false;
	}
	quiet_++;
	const bool row = (dut_->row_valid_o && in_.row_ready) || (dut_->sum_valid_o && in_.sum_ready);
	if (row) {
		if (!take_row(layer))
			return false;
		n_rows_++;
		quiet_ = 0;
	}
	if (dut_->cmd_valid_o && in_.cmd_ready) {
		if (!same("commands after the last", 1, n_commands_ < layer.commands.size(), 2))
			return false;
		const Command &c = layer.commands[n_commands_++];
		if (!same("cmd_addr_o", c.addr, dut_->cmd_addr_o, 34) ||
		    !same("cmd_words_o", c.words, dut_->cmd_words_o, 8))
			return false;
		n_allowed_ += c.words;
	}
	/* They are asked for between two y blocks, and once. */
	const bool begins = n_rows_ < layer.rows.size() && layer.rows[n_rows_].begins_block;
	if (in_.param_ack && !same("parameters between y blocks", 1, n_params_ == 0 && begins, 2))
		return false;
	n_params_ += in_.param_ack;
	return same("cycles without a row", 1, quiet_ < PATIENCE, 2);
}

/* The pins of this cycle, and what the outputs say to them. */
bool Bench::before_edge(const Layer &layer)
{
	load(layer);
	in_.d = &layer.d;
	in_.row_ready = !layer.mean && !chance(&rng_, stall_);
	in_.sum_ready = layer.mean && !chance(&rng_, stall_);
	/* A strict store takes a command only when it has the rows of the one before. */
	in_.cmd_ready = (!strict_ || n_rows_ == n_allowed_) && !chance(&rng_, stall_);
	in_.param_ack = twin_.param && !chance(&rng_, fast_ ? 0 : 80);
	drive();
	return outputs(layer);
}

void Bench::drive()
{
	dut_->strip_valid_i = static_cast<uint8_t>(in_.strip_valid[0] | in_.strip_valid[1] << 1);
	dut_->strip_start_i = in_.strip_start[0] | static_cast<uint64_t>(in_.strip_start[1]) << 32;
	dut_->strip_words_i = in_.strip_words[0] | static_cast<uint64_t>(in_.strip_words[1]) << 32;
	dut_->filled_i = in_.filled[0] | static_cast<uint64_t>(in_.filled[1]) << 32;
	dut_->row_ready_i = in_.row_ready;
	dut_->sum_ready_i = in_.sum_ready;
	dut_->cmd_ready_i = in_.cmd_ready;
	dut_->param_ack_i = in_.param_ack;
	dut_->clear_i = in_.clear;
	dut_->start_i = in_.start;
	dut_->skip_i = in_.skip;
	std::memcpy(&dut_->xr_word_i, word_.data(), WORD_BYTES);
}

bool Bench::edge()
{
	const bool en = dut_->xr_en_o;
	const uint32_t addr = dut_->xr_addr_o;
	const int release = dut_->release_o;
	dut_.edge();
	covered_.sample({twin_, in_});
	mch_pooler_step(&twin_, &in_);
	mch_pooler_in plan = in_;
	plan.xr_word = nullptr;
	mch_pooler_step(&plan_, &plan);
	if (en)
		std::memcpy(word_.data(), &ram_[addr * WORD_BYTES], WORD_BYTES);
	for (int h = 0; h < 2; h++)
		if (release >> h & 1)
			free_half(h);
	return registers_agree();
}

#define MCH_TB_FIELD(member, word, low, bits) \
	dut_->d_i[word] |= (layer.d.member & static_cast<uint32_t>((UINT64_C(1) << (bits)) - 1)) << (low);

/* cut_after: cycles after which a clear ends it, or -1. */
bool Bench::layer(const Layer &layer, int cut_after)
{
	for (int i = 0; i < 32; i++)
		dut_->d_i[i] = 0;
	MCH_DESCRIPTOR_FIELDS(MCH_TB_FIELD)
	allocated_ = 0;
	n_rows_ = n_commands_ = n_params_ = n_allowed_ = 0;
	quiet_ = 0;
	if (chance(&rng_, 30)) { /* the lanes use a half */
		in_.skip = true;
		half_ = !half_;
		if (!before_edge(layer) || !edge())
			return false;
		in_.skip = false;
	}
	in_.start = true;
	do {
		if (cut_after-- == 0)
			return clear();
		if (!before_edge(layer) || !edge())
			return false;
		in_.start = false;
	} while (!mch_pooler_done(&twin_));
	return same("rows", static_cast<int64_t>(layer.rows.size()), static_cast<int64_t>(n_rows_), 32) &&
	       same("commands", static_cast<int64_t>(layer.commands.size()), static_cast<int64_t>(n_commands_), 32) &&
	       same("strips left", 0, in_.strip_valid[0] || in_.strip_valid[1], 2);
}

bool Bench::clear()
{
	in_.start = false;
	in_.clear = true;
	in_.strip_valid[0] = in_.strip_valid[1] = false;
	half_ = 0;
	drive();
	dut_->eval();
	const bool agreed = edge();
	in_.clear = false;
	drive();
	dut_->eval();
	return agreed && same("done_o", 1, dut_->done_o, 2);
}

bool Bench::one(uint64_t number)
{
	static const int some[] = {10, 50, 80};
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	fast_ = number % 3 == 0 && args_.stall_percent == 0;
	stall_ = fast_ ? 0 : args_.stall_percent ? args_.stall_percent : some[mch_rng_below(&rng_, 3)];
	strict_ = !fast_ && chance(&rng_, 50);
	if (chance(&rng_, 50)) {
		const Layer any(&rng_, false);
		idle_pins();
		in_.d = &any.d;
		if (!clear())
			return false;
	} else {
		idle_pins();
		half_ = 0;
		dut_.reset();
		mch_pooler_reset(&twin_);
		mch_pooler_reset(&plan_);
		if (!registers_agree())
			return false;
	}
	for (int n = draw(&rng_, 1, 3); n > 0; n--) {
		const Layer next(&rng_, number % 6 == 0 && DUT_X_WORDS >= 64); /* of 3 rows of 11 at least */
		if (!layer(next, chance(&rng_, 10) ? draw(&rng_, 1, 100) : -1))
			return false;
	}
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 300);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	Bench bench(args);
	for (uint64_t n = args.first; agreed && n < args.first + args.n_cases; n++, compared++)
		agreed = bench.one(n);
	return bench_end(args, watch, compared, bench.cycles(), agreed);
}
