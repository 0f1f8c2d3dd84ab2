/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_lanes: random layers, one after the other, over a buffer that fills at random; every register and output
 * with arch/lanes.c at every edge, every beat with the convolution's plain statement, and the cycles of layers
 * that nothing delays. Spec: docs/accelerator.md "lanes".
 * verilate: mch_lanes sim/registers.vlt */
#include <vector>

extern "C" {
#include "arch/lanes.h"
#include "fxp/sat.h"
#include "tensor/report.h"
}
#include "Vmch_lanes.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "sim/stimulus.h"
#include "tb/bins_control.h"
#include "tb/lanes_case.h"
#include "tb/lanes_registers.h"

using namespace mch_sim;
using namespace mch_tb;

namespace {

const mch_lanes_config cfg = {ROWS, COLS, ELEM_BITS, X_BITS, X_WORDS, X_COLS};

class Bench {
public:
	explicit Bench(const BenchArgs &args);
	~Bench() { mch_lanes_free(&twin_); }
	bool run_case(uint64_t number);
	uint64_t cycles() const { return dut_.cycles(); }
	uint64_t n_timed() const { return n_timed_; }

private:
	struct Half {
		bool valid;
		int64_t start, words, filled, total;
	};

	bool layer(bool smooth);
	bool edge();
	bool outputs_agree();
	bool registers_agree();
	bool beat_agrees();
	bool cycles_agree(int64_t cycles);
	void load(bool smooth);
	void drive();
	void read_and_release(std::vector<uint8_t> *word);
	bool clear();
	bool wrong(const Named &n, const char *hint);

	const BenchArgs &args_;
	Dut<Vmch_lanes> dut_;
	Coverage<mch_tb::SeenLanes> covered_{"mch_lanes", mch_tb::lanes_bins::list};
	LanesRegisters registers_;
	mch_lanes twin_ = {};
	mch_lanes_in in_ = {};
	mch_descriptor d_ = {};
	mch_rng rng_ = {};
	uint64_t number_ = 0;
	Layer layer_ = {};
	std::vector<Beat> beats_;
	size_t at_ = 0;           /* next beat */
	Half half_[2] = {};
	int load_half_ = 0;
	int64_t loaded_ = 0, n_strips_ = 0, released_ = 0; /* strips of the layer */
	std::vector<uint8_t> ram_;
	std::vector<uint8_t> word_, next_word_; /* the RAM's output register */
	uint64_t n_timed_ = 0;
};

Bench::Bench(const BenchArgs &args)
	: args_(args), dut_(args.waves), ram_(2 * X_WORDS * WORD_BYTES), word_(WORD_BYTES)
{
	mch_err err;
	if (mch_lanes_init(&twin_, &cfg, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		std::exit(FAILED);
	}
	dut_.reset();
	registers_.find(dut_->contextp());
}

bool Bench::wrong(const Named &n, const char *hint)
{
	const mch_format format = {n.bits, 0, false};
	const mch_field want = {n.name, static_cast<int64_t>(n.want), format, false};
	const mch_field got = {n.name, static_cast<int64_t>(n.got), format, false};
	const mch_format size = {24, 0, false};
	const mch_field in[] = {{"in_h", layer_.in_h, size, false},
				{"in_w", layer_.in_w, size, false},
				{"out_q", layer_.out_q, size, false},
				{"kernel_r", layer_.r, size, false},
				{"kernel_s", layer_.s, size, false},
				{"taps", layer_.taps, size, false}};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_lanes." + std::string(n.name), dut_.cycles());
	const std::string at = "beat " + std::to_string(at_) + " of " + std::to_string(beats_.size()) + "  cycle " +
			       std::to_string(dut_.cycles()) + "  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name;
	m.module = "mch_lanes";
	m.case_number = number_;
	m.seed = args_.seed;
	m.in = in, m.n_in = 6;
	m.want = &want, m.got = &got, m.n_out = 1;
	m.at = at.c_str();
	m.hint = hint;
	m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	return false;
}

bool Bench::registers_agree()
{
	const Named n = registers_.first(twin_);
	if (n.want != n.got)
		return wrong(n, "the twin's register differs after the edge");
	const size_t bytes = static_cast<size_t>(ROWS) * WORD_BYTES;
	const bool next = std::memcmp(registers_.next(), twin_.next, bytes) == 0;
	if (!next || std::memcmp(registers_.cur(), twin_.cur, bytes) != 0)
		return wrong({next ? "cur_q" : "next_q", 1, 0, 1}, "the lanes' words differ from the twin's");
	return true;
}

/* Against the plain statement. */
bool Bench::beat_agrees()
{
	if (!dut_->beat_valid_o)
		return true;
	if (at_ >= beats_.size())
		return wrong({"beat_valid_o", 0, 1, 1}, "more beats than the layer has");
	const Beat &b = beats_[at_];
	const Named pins[] = {{"beat_signed_o", b.pins.is_signed, dut_->beat_signed_o, 1},
			      {"beat_first_o", b.pins.first, dut_->beat_first_o, 1},
			      {"beat_last_o", b.pins.last, dut_->beat_last_o, 1},
			      {"beat_param_o", b.pins.param, dut_->beat_param_o, 1},
			      {"beat_release_o", b.pins.release, dut_->beat_release_o, 1},
			      {"beat_words_o", static_cast<uint64_t>(b.pins.words), dut_->beat_words_o, 7}};
	for (const Named &n : pins)
		if (n.want != n.got)
			return wrong(n, "not the beat of the layer's plain statement");
	int32_t x[ROWS * X_COLS];
	mch_lanes_x(&twin_, x);
	for (int i = 0; i < ROWS * X_COLS; i++) {
		const uint64_t want = x_of(layer_, b, i / X_COLS, i % X_COLS), got = unpack(&dut_->x_o, i, X_BITS);
		if (want != got)
			return wrong({"x_o", want, got, X_BITS}, "not the code of the layer's plain statement");
		if (mch_wrap_code(static_cast<int64_t>(got), X_BITS, b.pins.is_signed) != x[i])
			return wrong({"x_o", static_cast<uint64_t>(x[i] & 0xffff), got, X_BITS}, "not the twin's code");
	}
	return true;
}

bool Bench::outputs_agree()
{
	const mch_lanes_move m = mch_lanes_moves(&twin_, &in_);
	const mch_lanes_beat b = mch_lanes_beat_pins(&twin_);
	const bool en = mch_lanes_xr_en(&twin_, m);
	const uint64_t release = mch_lanes_release(&twin_, m, 0) | mch_lanes_release(&twin_, m, 1) << 1;
	const Named pins[] = {{"done_o", mch_lanes_done(&twin_), dut_->done_o, 1},
			      {"wait_x_o", mch_lanes_wait_x(&twin_), dut_->wait_x_o, 1},
			      {"release_o", release, dut_->release_o, 2},
			      {"xr_en_o", en, dut_->xr_en_o, 1},
			      {"xr_addr_o", mch_lanes_xr_addr(&twin_), dut_->xr_addr_o, 18},
			      {"beat_valid_o", b.valid, dut_->beat_valid_o, 1},
			      {"beat_signed_o", b.is_signed, dut_->beat_signed_o, 1},
			      {"beat_first_o", b.first, dut_->beat_first_o, 1},
			      {"beat_last_o", b.last, dut_->beat_last_o, 1},
			      {"beat_param_o", b.param, dut_->beat_param_o, 1},
			      {"beat_release_o", b.release, dut_->beat_release_o, 1},
			      {"beat_words_o", static_cast<uint64_t>(b.words), dut_->beat_words_o, 7}};
	for (const Named &n : pins)
		if (n.want != n.got)
			return wrong(n, "the twin's pin differs");
	return beat_agrees();
}

/* The loader: takes a free half for the next strip, and lets its words land. */
void Bench::load(bool smooth)
{
	Half &free = half_[load_half_];
	if (!free.valid && loaded_ < n_strips_ && (smooth || chance(&rng_, 30))) {
		free = {true, layer_.start(loaded_), layer_.end(loaded_) - layer_.start(loaded_), 0, 0};
		free.total = free.words * layer_.n_blocks();
		loaded_++;
		load_half_ ^= 1;
	}
	for (int h = 0; h < 2; h++) {
		Half &half = half_[h];
		if (!half.valid || (!smooth && chance(&rng_, 40)))
			continue;
		const int64_t n = smooth ? half.total : draw(&rng_, 0, 6);
		for (int64_t i = 0; i < n && half.filled < half.total; i++, half.filled++) {
			uint8_t *const out = ram_.data() + (h * X_WORDS + half.filled) * WORD_BYTES;
			for (int c = 0; c < COLS; c++) {
				const int64_t position = half.start + half.filled % half.words;
				const uint32_t v = layer_.element(half.filled / half.words, position, c);
				std::memcpy(out + c * ELEM_BYTES, &v, ELEM_BYTES);
			}
		}
	}
}

void Bench::drive()
{
	uint32_t pins[3][2];
	for (int h = 0; h < 2; h++) {
		in_.strip_valid[h] = half_[h].valid;
		in_.strip_start[h] = pins[0][h] = static_cast<uint32_t>(half_[h].start);
		in_.strip_words[h] = pins[1][h] = static_cast<uint32_t>(half_[h].words);
		in_.filled[h] = pins[2][h] = static_cast<uint32_t>(half_[h].filled);
	}
	in_.d = &d_;
	in_.xr_word = word_.data();
	dut_->clear_i = in_.clear;
	dut_->start_i = in_.start;
	dut_->skip_i = in_.skip;
	dut_->beat_take_i = in_.beat_take;
	dut_->strip_valid_i = static_cast<uint8_t>(in_.strip_valid[0] | in_.strip_valid[1] << 1);
	pack(&dut_->strip_start_i, pins[0], 2, 32);
	pack(&dut_->strip_words_i, pins[1], 2, 32);
	pack(&dut_->filled_i, pins[2], 2, 32);
	std::memcpy(&dut_->xr_word_i, word_.data(), WORD_BYTES);
	uint32_t words[32] = {};
#define MCH_TB_PUT(member, word, low, bits) words[word] |= d_.member << low;
	MCH_DESCRIPTOR_FIELDS(MCH_TB_PUT)
#undef MCH_TB_PUT
	std::memcpy(&dut_->d_i, words, sizeof(words));
}

/* What the pins ask of the RAM and of the halves at the coming edge. A half that is free is spoiled. */
void Bench::read_and_release(std::vector<uint8_t> *word)
{
	const mch_lanes_move m = mch_lanes_moves(&twin_, &in_);
	if (mch_lanes_xr_en(&twin_, m))
		std::memcpy(word->data(), &ram_[mch_lanes_xr_addr(&twin_) * static_cast<size_t>(WORD_BYTES)], WORD_BYTES);
	for (int h = 0; h < 2; h++)
		if (mch_lanes_release(&twin_, m, h)) {
			half_[h].valid = false;
			released_++;
			const int spoil = static_cast<int>(mch_rng_below(&rng_, 256));
			std::memset(ram_.data() + h * X_WORDS * WORD_BYTES, spoil, X_WORDS * WORD_BYTES);
		}
}

bool Bench::edge()
{
	drive();
	dut_->clk_i = 0;
	dut_->eval();
	if (!outputs_agree())
		return false;
	next_word_ = word_;
	read_and_release(&next_word_);
	dut_.edge();
	covered_.sample({twin_, in_});
	mch_lanes_step(&twin_, &in_);
	word_.swap(next_word_);
	at_ += in_.beat_take;
	in_.clear = in_.start = in_.skip = in_.beat_take = false;
	return registers_agree();
}

/* A clear forgets the strips, too. */
bool Bench::clear()
{
	in_.clear = true;
	if (!edge())
		return false;
	half_[0] = half_[1] = {};
	load_half_ = 0;
	at_ = beats_.size();
	loaded_ = n_strips_ = 0;
	return true;
}

/* A layer that is not delayed takes exactly cycles_of(); a strip after another may cost a cycle more. */
bool Bench::cycles_agree(int64_t cycles)
{
	const int64_t least = cycles_of(beats_), most = least + n_strips_ - 1;
	if (cycles >= least && cycles <= most)
		return true;
	return wrong({"cycles", static_cast<uint64_t>(least), static_cast<uint64_t>(cycles), 40},
		     "a bubble: a word takes max(ROWS, channels), docs/accelerator.md \"lanes\"");
}

bool Bench::layer(bool smooth)
{
	layer_ = draw_layer(&rng_);
	d_ = descriptor_of(layer_);
	beats_ = beats_of(layer_);
	at_ = 0;
	loaded_ = released_ = 0;
	n_strips_ = layer_.n_strips();
	const int some = static_cast<int>(draw(&rng_, 0, 3)) * 20;
	const int stalls = smooth ? 0 : args_.stall_percent ? args_.stall_percent : some;
	const bool cleared = !smooth && chance(&rng_, 10);
	for (int i = static_cast<int>(draw(&rng_, 0, 3)); !smooth && i > 0; i--)
		load(false);
	/* Strips of which each takes long enough for the next to be there. */
	const bool timed = smooth && (n_strips_ == 1 || ROWS * layer_.n_blocks() * layer_.r * layer_.s > 8);
	if (smooth)
		load(true), load(true);
	const uint64_t begin = dut_.cycles();
	in_.start = true;
	if (!edge())
		return false;
	for (uint64_t quiet = 0; !mch_lanes_done(&twin_); quiet++) {
		load(smooth);
		const bool valid = dut_->beat_valid_o;
		in_.beat_take = valid && !chance(&rng_, stalls);
		quiet = in_.beat_take ? 0 : quiet;
		if (quiet > 400000)
			return wrong({"beat_valid_o", 1, 0, 1}, "no beat for 400000 cycles");
		if (cleared && chance(&rng_, 2))
			return clear();
		if (!edge())
			return false;
	}
	const int64_t cycles = static_cast<int64_t>(dut_.cycles() - begin);
	if (at_ != beats_.size())
		return wrong({"done_o", 0, 1, 1}, "done before the layer's last beat");
	if (released_ != n_strips_)
		return wrong({"release_o", static_cast<uint64_t>(n_strips_), static_cast<uint64_t>(released_), 32},
			     "a pulse for every strip");
	n_timed_ += timed;
	return !timed || cycles_agree(cycles);
}

/* A case: layers one after the other, without a reset; between them the pooler may have used up strips. */
bool Bench::run_case(uint64_t number)
{
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	drive(); /* no pin moves data in the reset */
	dut_.reset();
	mch_lanes_reset(&twin_);
	half_[0] = half_[1] = {};
	load_half_ = 0;
	for (int i = 0; i < 3; i++) {
		if (!layer(chance(&rng_, 40)))
			return false;
		for (int64_t skips = draw(&rng_, 0, 2); skips > 0; skips--) {
			in_.skip = true;
			load_half_ ^= 1;
			if (!edge())
				return false;
		}
	}
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 100);
	Bench bench(args);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = bench.run_case(number);
	std::printf("%" PRIu64 " layers without delay took the stated cycles\n", bench.n_timed());
	return bench_end(args, watch, compared, bench.cycles(), agreed);
}
