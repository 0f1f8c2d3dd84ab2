/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_issue: random layers; the bench plays the lanes, the ring with its RAM, the array's flags, the pooler
 * and the store. In every cycle all pins, and after every edge the control registers, are those of arch/issue.h. By a
 * plain statement, too: which pairs of operands enter the array, with which parameters each tile enters its bank,
 * which commands the store gets, and, where nothing waits, in how many cycles. Spec: docs/accelerator.md "issue".
 * verilate: mch_issue sim/registers.vlt */
#include <deque>
#include <functional>
#include <vector>

extern "C" {
#include "arch/issue.h"
#include "tensor/report.h"
}
#include "Vmch_issue.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "tb/bins_control.h"
#include "tb/issue_layer.h"

using namespace mch_sim;
using namespace mch_tb;

namespace
{

class Bench
{
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves) { start_twin(); }
	~Bench() { mch_issue_free(&twin_); }

	bool run_case(uint64_t number);
	uint64_t cycles() const { return cycles_; }

private:
	struct Place {
		const char *name;
		Register rtl;
		std::function<uint64_t(const mch_issue &)> twin;
	};

	void start_twin();
	void reset_world();
	bool run_layer(Layer l, uint64_t limit);
	void drive(const Layer &l);
	bool cycle(Layer *l);
	bool pins_agree();
	bool data_agree();
	bool array_agrees(Layer *l);
	bool load_agrees(const Layer &l);
	bool params_agree(int at);
	bool handshakes_agree(Layer *l);
	void edge(Layer *l);
	bool registers_agree();
	bool differ(const std::string &what, uint64_t want, uint64_t got);
	bool same(const char *what, uint64_t want, uint64_t got) { return want == got || differ(what, want, got); }
	uint64_t element(size_t word, int j) const
	{
		const Word &w = stream_[word];
		return ELEM_BYTES == 1 ? w[j] : static_cast<uint64_t>(w[2 * j] | w[2 * j + 1] << 8);
	}

	const BenchArgs &args_;
	Dut<Vmch_issue> dut_;
	Coverage<mch_tb::SeenIssue> covered_{"mch_issue", mch_tb::issue_bins::list};
	mch_issue twin_{};
	mch_issue_in in_{};
	mch_issue_out out_{};
	std::vector<Place> places_;
	uint64_t number_ = 0, cycles_ = 0, now_ = 0;
	mch_rng rng_{};
	bool ideal_ = false;
	int gap_ = 0, land_ = 0, stall_out_ = 0, stall_cmd_ = 0;
	std::vector<Word> stream_; /* of all layers, in the order of landing */
	std::vector<Word> ring_ = std::vector<Word>(W_WORDS);
	Word ram_{}; /* the RAM's output */
	size_t landed_ = 0, released_ = 0;
	bool beat_stands_ = false, asks_ = false;
	std::deque<Beat> on_way_; /* taken, not yet in the array */
	std::deque<Command> sent_;
	ArrayFlags array_;
	uint64_t first_stand_ = 0, last_take_ = 0;
	bool stood_ = false;
};

void Bench::start_twin()
{
	static const mch_issue_config cfg = {DUT_ROWS,
					     DUT_COLS,
					     DUT_ELEM_BITS,
					     DUT_X_BITS,
					     DUT_W_BITS,
					     DUT_ACC_BITS,
					     static_cast<mch_round>(DUT_ROUND),
					     DUT_W_WORDS, DUT_X_COLS};
	mch_err err = {};
	if (mch_issue_init(&twin_, &cfg, &err)) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		std::exit(FAILED);
	}
#define PLACE(field)                                                                                                 \
	places_.push_back(                                                                                           \
		{#field "_q", Register(), [](const mch_issue &t) { return static_cast<uint64_t>(t.field); }})
	PLACE(in_valid), PLACE(cmd_valid), PLACE(pend), PLACE(claimed), PLACE(param), PLACE(count), PLACE(mark);
	PLACE(mark0), PLACE(mark1), PLACE(done), PLACE(rd), PLACE(off);
	PLACE(strip_addr), PLACE(block_addr), PLACE(tile_addr), PLACE(left);
#undef PLACE
	for (Place &p : places_)
		p.rtl = need_register(dut_->contextp(), "TOP.mch_issue", p.name);
}

bool Bench::differ(const std::string &what, uint64_t want, uint64_t got)
{
	const mch_field wanted = {what.c_str(), static_cast<int64_t>(want), {48, 0, false}, false};
	const mch_field gotten = {what.c_str(), static_cast<int64_t>(got), {48, 0, false}, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_issue." + what, dut_.cycles());
	const std::string at = "cycle " + std::to_string(now_) + " of the case  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name;
	m.module = "mch_issue";
	m.case_number = number_;
	m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str();
	m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	return false;
}

void Bench::drive(const Layer &l)
{
	beat_stands_ = !l.beats.empty() && (beat_stands_ || !chance(&rng_, gap_));
	asks_ = !l.requests.empty() && (asks_ || chance(&rng_, 40));
	static const Beat nothing = {};
	const Beat &b = beat_stands_ ? l.beats.front() : nothing;
	in_.beat_valid = beat_stands_;
	in_.beat_signed = b.is_signed, in_.beat_first = b.first, in_.beat_last = b.last;
	in_.beat_param = b.param, in_.beat_release = b.release, in_.beat_words = b.words;
	in_.x = b.x.data();
	in_.w_fill = static_cast<uint32_t>(landed_ - released_);
	in_.w_word = ram_.data();
	in_.pool_param = asks_;
	in_.in_ready = array_.ready();
	in_.cmd_ready = !chance(&rng_, stall_cmd_);
	dut_->clear_i = in_.clear, dut_->start_i = in_.start;
	dut_->beat_valid_i = in_.beat_valid, dut_->beat_signed_i = b.is_signed, dut_->beat_first_i = b.first;
	dut_->beat_last_i = b.last, dut_->beat_param_i = b.param, dut_->beat_release_i = b.release;
	dut_->beat_words_i = static_cast<uint8_t>(b.words);
	pack(&dut_->x_i, b.x.data(), N_X, DUT_X_BITS);
	std::memcpy(&dut_->w_fill_i, &in_.w_fill, sizeof(dut_->w_fill_i));
	std::memcpy(&dut_->w_word_i, ram_.data(), WORD_BYTES);
	dut_->pool_param_i = in_.pool_param, dut_->in_ready_i = in_.in_ready, dut_->cmd_ready_i = in_.cmd_ready;
	uint32_t *const d = reinterpret_cast<uint32_t *>(&dut_->d_i);
	d[7] = l.d.y_blocks << 16;
	d[17] = l.d.strip_pixels, d[22] = l.d.y_addr, d[23] = l.d.y_step;
	in_.d = &l.d;
	dut_->clk_i = 0;
	dut_->eval();
}

bool Bench::pins_agree()
{
	const mch_issue &t = twin_;
	const int waits = out_.beat_take + out_.wait_w + out_.wait_out;
	return same("beat_take_o", out_.beat_take, dut_->beat_take_o) && same("wr_en_o", out_.wr_en, dut_->wr_en_o) &&
	       same("wr_addr_o", t.rd, dut_->wr_addr_o) && same("release_o", out_.release, dut_->release_o) &&
	       same("release_words_o", 1, dut_->release_words_o) && same("load_o", out_.load, dut_->load_o) &&
	       same("pool_param_ack_o", out_.pool_param_ack, dut_->pool_param_ack_o) &&
	       same("in_valid_o", t.in_valid, dut_->in_valid_o) &&
	       same("cmd_valid_o", t.cmd_valid, dut_->cmd_valid_o) && same("wait_w_o", out_.wait_w, dut_->wait_w_o) &&
	       same("wait_out_o", out_.wait_out, dut_->wait_out_o) &&
	       same("done_o", mch_issue_done(&t), dut_->done_o) && data_agree() &&
	       same("take, wait_w and wait_out, of a beat that stands", in_.beat_valid, static_cast<uint64_t>(waits));
}

/* Data pins where they mean something; the parameters always. */
bool Bench::data_agree()
{
	const mch_issue &t = twin_;
	if (t.cmd_valid && !(same("cmd_addr_o", t.cmd_addr, dut_->cmd_addr_o) &&
			     same("cmd_words_o", t.cmd_words, dut_->cmd_words_o)))
		return false;
	int64_t bias[COLS];
	int8_t shift[COLS];
	uint16_t noise[COLS];
	int32_t w[COLS];
	mch_issue_params(&t, bias, shift, noise);
	mch_issue_w(&t, in_.w_word, w);
	for (int j = 0; j < COLS; j++)
		if (!(same("w_o", mask(static_cast<uint64_t>(w[j]), DUT_W_BITS), unpack(&dut_->w_o, j, DUT_W_BITS)) &&
		      same("bias_o", mask(static_cast<uint64_t>(bias[j]), DUT_ACC_BITS),
			   unpack(&dut_->bias_o, j, DUT_ACC_BITS)) &&
		      same("shift_o", static_cast<uint64_t>(shift[j] + 15), unpack(&dut_->shift_o, j, 6)) &&
		      same("noise_o", noise[j], unpack(&dut_->noise_o, j, 16))))
			return false;
	if (!t.in_valid)
		return true;
	for (int i = 0; i < N_X; i++)
		if (!same("x_o", mask(static_cast<uint64_t>(t.x[i]), DUT_X_BITS), unpack(&dut_->x_o, i, DUT_X_BITS)))
			return false;
	return same("in_first_o", t.first, dut_->in_first_o) && same("in_last_o", t.last, dut_->in_last_o) &&
	       same("x_signed_o", t.is_signed, dut_->x_signed_o);
}

/* The pins' parameters are those of the stream's words from `at` on. */
bool Bench::params_agree(int at)
{
	const size_t word = static_cast<size_t>(at);
	for (int j = 0; j < COLS; j++) {
		uint64_t bias = 0, noise = 0;
		for (int i = 0; i < BIAS_WORDS; i++)
			bias |= element(word + static_cast<size_t>(i), j) << (i * DUT_ELEM_BITS);
		for (int i = BIAS_WORDS + 1; i < PARAM; i++)
			noise |= element(word + static_cast<size_t>(i), j) << ((i - BIAS_WORDS - 1) * DUT_ELEM_BITS);
		if (!same("bias loaded", mask(bias, DUT_ACC_BITS), unpack(&dut_->bias_o, j, DUT_ACC_BITS)) ||
		    !same("shift loaded", element(word + BIAS_WORDS, j) & 63, unpack(&dut_->shift_o, j, 6)) ||
		    !same("noise loaded", noise, unpack(&dut_->noise_o, j, 16)))
			return false;
	}
	return true;
}

/* Loaded when, and only when, a tile that brings parameters enters the bank, or the pooler asked. */
bool Bench::load_agrees(const Layer &l)
{
	if (l.pool)
		return same("load_o with the pooler's ack", dut_->pool_param_ack_o, dut_->load_o) &&
		       (!dut_->load_o || (same("ack of a request", asks_, 1) && params_agree(l.requests.front())));
	const int params = array_.enters();
	return same("load_o as the tile enters the bank", params != NO_PARAM, dut_->load_o) &&
	       (params == NO_PARAM || params_agree(params));
}

/* What enters the array is the next beat with its own weights. */
bool Bench::array_agrees(Layer *l)
{
	if (!load_agrees(*l))
		return false;
	if (!dut_->in_valid_o || !in_.in_ready)
		return true;
	if (on_way_.empty())
		return differ("beats for the array", 1, 0);
	const Beat &b = on_way_.front();
	for (int i = 0; i < N_X; i++)
		if (!same("x of the next beat", mask(static_cast<uint64_t>(b.x[i]), DUT_X_BITS),
			  unpack(&dut_->x_o, i, DUT_X_BITS)))
			return false;
	for (int j = 0; j < COLS; j++)
		if (!same("w of the next beat", mask(element(b.weight, j), DUT_W_BITS),
			  unpack(&dut_->w_o, j, DUT_W_BITS)))
			return false;
	return same("first", b.first, dut_->in_first_o) && same("last", b.last, dut_->in_last_o) &&
	       same("sign of x", b.is_signed, dut_->x_signed_o);
}

bool Bench::handshakes_agree(Layer *l)
{
	if (dut_->wr_en_o && !same("words to read", 1, landed_ > released_))
		return false;
	if (dut_->cmd_valid_o && in_.cmd_ready) {
		if (l->commands.empty())
			return differ("commands", 1, 0);
		const Command c = l->commands.front();
		if (!same("address of the tile", c.addr, dut_->cmd_addr_o) ||
		    !same("pixels of the tile", c.words, dut_->cmd_words_o))
			return false;
		l->commands.pop_front();
	}
	return true;
}

/* The world around the unit at the rising edge. */
void Bench::edge(Layer *l)
{
	const bool take_in = dut_->in_valid_o && in_.in_ready;
	array_.edge(take_in ? &on_way_.front() : nullptr, !chance(&rng_, stall_out_));
	if (take_in)
		on_way_.pop_front();
	if (beat_stands_ && !stood_)
		stood_ = true, first_stand_ = now_;
	if (dut_->beat_take_o) {
		on_way_.push_back(l->beats.front());
		l->beats.pop_front();
		beat_stands_ = false;
		last_take_ = now_;
	}
	if (dut_->pool_param_ack_o)
		l->requests.pop_front(), asks_ = false;
	if (dut_->wr_en_o)
		ram_ = ring_[dut_->wr_addr_o];
	const bool room = landed_ - released_ < W_WORDS;
	if (dut_->release_o)
		released_++;
	if (room && landed_ < stream_.size() && !chance(&rng_, land_)) {
		ring_[landed_ % W_WORDS] = stream_[landed_];
		landed_++;
	}
}

bool Bench::registers_agree()
{
	for (const Place &p : places_)
		if (!same(p.name, p.twin(twin_), p.rtl.value()))
			return false;
	return true;
}

bool Bench::cycle(Layer *l)
{
	drive(*l);
	mch_issue_eval(&twin_, &in_, &out_);
	if (!pins_agree() || !array_agrees(l) || !handshakes_agree(l))
		return false;
	covered_.sample({twin_, in_, out_});
	mch_issue_step(&twin_, &in_, &out_);
	edge(l); /* the twin's pins lie in what this changes */
	dut_.edge();
	now_++, cycles_++;
	return registers_agree();
}

void Bench::reset_world()
{
	landed_ = released_ = 0;
	beat_stands_ = asks_ = false;
	on_way_.clear();
	array_ = ArrayFlags();
	for (Word &w : ring_)
		w.fill(0x5a);
}

/* A copy of the layer, to its end or for so many cycles. */
bool Bench::run_layer(Layer l, uint64_t limit)
{
	const uint64_t start = now_;
	stood_ = false;
	in_.start = true;
	std::deque<Beat> beats; /* none stands in the cycle of start */
	beats.swap(l.beats);
	if (!cycle(&l))
		return false;
	beats.swap(l.beats);
	in_.start = false;
	while (ideal_ && landed_ < stream_.size() && landed_ - released_ < W_WORDS) {
		ring_[landed_ % W_WORDS] = stream_[landed_];
		landed_++;
	}
	while (!l.beats.empty() || !l.requests.empty() || !l.commands.empty() || !on_way_.empty() ||
	       !array_.empty() || !dut_->done_o) {
		if (now_ - start >= limit)
			return true;
		if (now_ - start > 40000000)
			return differ("the layer's end", 1, 0);
		if (!cycle(&l))
			return false;
	}
	return !l.timed || same("cycles from the first beat to the last", l.cycles, last_take_ - first_stand_ + 1);
}

bool Bench::run_case(uint64_t number)
{
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	static const int some[] = {0, 0, 20, 50, 90};
	ideal_ = args_.stall_percent == 0 && chance(&rng_, 40);
	for (int *stall : {&gap_, &land_, &stall_out_, &stall_cmd_})
		*stall = ideal_ ? 0 : args_.stall_percent ? args_.stall_percent : some[mch_rng_below(&rng_, 5)];
	stream_.clear();
	std::vector<Layer> layers;
	for (int n = draw(&rng_, 1, 4); n > 0; n--)
		layers.push_back(make_layer(&rng_, ideal_, &stream_));
	reset_world();
	in_ = mch_issue_in();
	drive(Layer());
	dut_.reset();
	mch_issue_reset(&twin_);
	now_ = 0;
	if (chance(&rng_, 20)) { /* what a clear breaks off leaves nothing behind */
		if (!run_layer(layers[0], mch_rng_below(&rng_, 200)))
			return false;
		reset_world();
		in_.clear = true;
		drive(Layer());
		mch_issue_eval(&twin_, &in_, &out_);
		covered_.sample({twin_, in_, out_});
		mch_issue_step(&twin_, &in_, &out_);
		dut_.edge();
		in_.clear = false;
		if (!registers_agree())
			return false;
	}
	for (const Layer &l : layers)
		if (!run_layer(l, UINT64_MAX))
			return false;
	return same("words released", stream_.size(), released_);
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
