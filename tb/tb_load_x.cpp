/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_load_x: random layers, one after another, in lock-step with arch/load_x.c; every word asked for and
 * every place written against the list of them that the specification gives. Spec: docs/accelerator.md "load_x".
 * verilate: mch_load_x sim/registers.vlt */
#include <deque>

extern "C" {
#include "arch/load_x.h"
}
#include "Vmch_load_x.h"
#include "sim/dut.h"
#include "tb/bins_ports.h"
#include "tb/load_bench.h"
#include "tb/load_x_layer.h"

using namespace mch_sim;
using namespace mch_tb;

namespace {

/* What the unit must do, said in whole strips and words: no registers of its own. */
class Model {
public:
	struct Place {
		bool half;
		uint32_t offset;
	};

	void clear()
	{
		*this = Model();
	}

	/* One edge with these pins. */
	void edge(const mch_load_x_in &in, const Layer *layer)
	{
		if (in.clear) {
			clear();
			return;
		}
		cycle_++;
		overflow = false;
		const bool opens = layer_ && opened_ < layer_->strips.size() && !stopped_ && !asking() &&
				   cycle_ >= ready_ && in.go && !valid[half_] && to_land_[half_] == 0;
		for (int h = 0; h < 2; h++)
			valid[h] = valid[h] && !in.release[h];
		if (in.word_valid) {
			filled[on_way.front().half]++;
			to_land_[on_way.front().half]--;
			on_way.pop_front();
		}
		if (in.take)
			take(in.take_words);
		if (in.start) {
			layer_ = layer;
			opened_ = 0;
			ready_ = cycle_ + 12;
		}
		if (opens)
			open();
	}

	bool asking() const { return to_ask_ > 0 && !stopped_; }
	bool done() const { return !stopped_ && (!layer_ || (opened_ == layer_->strips.size() && !asking())); }
	bool stopped() const { return stopped_; }
	bool landed(int h) const { return to_land_[h] == 0; }
	uint32_t address() const { return layer_->address(block_, strip().start + word_); }
	uint32_t run() const { return strip().words - word_; }

	bool valid[2] = {}, overflow = false;
	uint32_t start[2] = {}, words[2] = {}, filled[2] = {};
	std::deque<Place> on_way;

private:
	const Strip &strip() const { return layer_->strips[opened_ - 1]; }

	void open()
	{
		const Strip &s = layer_->strips[opened_];
		if (s.words > DUT_X_WORDS) {
			overflow = stopped_ = true;
			return;
		}
		opened_++;
		valid[half_] = true;
		start[half_] = s.start;
		words[half_] = s.words;
		filled[half_] = 0;
		to_land_[half_] = to_ask_ = static_cast<uint64_t>(s.words) * layer_->blocks();
		block_ = word_ = offset_ = 0;
		ready_ = cycle_ + 11;
		half_ = !half_;
	}

	void take(uint32_t n)
	{
		for (uint32_t i = 0; i < n; i++)
			on_way.push_back({!half_, offset_++});
		to_ask_ -= n;
		word_ += n;
		if (word_ < strip().words)
			return;
		word_ = 0;
		block_++;
		if (to_ask_ > 0 && offset_ + strip().words > DUT_X_WORDS)
			overflow = stopped_ = true;
		if (to_ask_ == 0 && ready_ < cycle_ + 3)
			ready_ = cycle_ + 3;
	}

	const Layer *layer_ = nullptr;
	size_t opened_ = 0;
	bool half_ = false, stopped_ = false; /* half_: the next strip's */
	uint64_t to_ask_ = 0, to_land_[2] = {};
	uint32_t block_ = 0, word_ = 0, offset_ = 0;
	uint64_t cycle_ = 0, ready_ = 0;
};

class Bench {
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves), compare_(args, "mch_load_x", [this] { return dut_.cycles(); }), twin_()
	{
		const mch_load_x_config cfg = {DUT_X_WORDS};
		mch_err err;
		if (mch_load_x_init(&twin_, &cfg, &err) != 0) {
			std::fprintf(stderr, "macchiato: %s\n", err.text);
			std::exit(FAILED);
		}
		find_registers();
	}

	bool run(uint64_t number);
	uint64_t cycles() const { return dut_.cycles(); }
	uint64_t n_compared() const { return compare_.n_compared(); }

private:
	void find_registers();
	bool layer(const Layer &l, const Pace &pace, uint64_t limit);
	void drain(const Pace &pace);
	void choose(const Pace &pace, bool takes);
	void tick(const Layer *l);
	void check();

	const BenchArgs &args_;
	Dut<Vmch_load_x> dut_;
	Coverage<mch_tb::load_x_bins::Seen> covered_{"mch_load_x", mch_tb::load_x_bins::list};
	Compare compare_;
	mch_load_x twin_;
	Registers registers_;
	Model model_;
	mch_rng rng_{};
	mch_load_x_in in_{};
	mch_descriptor d_{};
	bool early_ = false, short_ = false; /* releases come before the words; bursts of any length */
	uint64_t edges_ = 0;
};

void Bench::find_registers()
{
	const auto add = [this](const char *name, int bits, Registers::Twin twin, int index = -1) {
		registers_.add(dut_->contextp(), "TOP.mch_load_x", name, bits, twin, index);
	};
	const mch_load_x &t = twin_;
	add("step_q", 4, [&t] { return t.step; });
	add("low_q", 34, [&t] { return t.low; });
	add("high_q", 34, [&t] { return t.high; });
	add("from_q", 32, [&t] { return t.from; });
	add("left_q", 32, [&t] { return t.left; });
	add("column_q", 17, [&t] { return t.column; });
	add("last_q", 1, [&t] { return t.last; });
	add("next_q", 1, [&t] { return t.next; });
	add("ask_q", 1, [&t] { return t.ask; });
	add("second_q", 1, [&t] { return t.second; });
	add("overflow_q", 1, [&t] { return t.overflow; });
	add("valid_q", 2, [&t] { return t.valid[0] + 2 * t.valid[1]; });
	add("addr_q", 32, [&t] { return t.addr; });
	add("block_q", 32, [&t] { return t.block; });
	add("other_q", 32, [&t] { return t.other; });
	add("blocks_q", 16, [&t] { return t.blocks; });
	add("run_q", 17, [&t] { return t.run; });
	add("asked_q", 17, [&t] { return t.asked; });
	add("total_q", 17, [&t] { return t.total; });
	for (int h = 0; h < 2; h++) {
		add("start_q", 32, [&t, h] { return t.start[h]; }, h);
		add("words_q", 17, [&t, h] { return t.words[h]; }, h);
		add("filled_q", 17, [&t, h] { return t.filled[h]; }, h);
	}
}

/* The pins of the next edge, all but start and clear: what mch_read, memory and whoever reads the strips may do now. */
void Bench::choose(const Pace &pace, bool takes)
{
	in_.take = takes && dut_->req_valid_o && chance(&rng_, pace.take);
	in_.take_words = draw(&rng_, 0, 65535);
	if (in_.take)
		in_.take_words = burst_of(&rng_, dut_->req_addr_o, dut_->req_words_o, 16, short_);
	in_.word_valid = !model_.on_way.empty() && chance(&rng_, pace.answer);
	in_.go = chance(&rng_, pace.go);
	for (int h = 0; h < 2; h++) {
		in_.release[h] = model_.valid[h] && (model_.landed(h) || early_) && chance(&rng_, pace.release);
	}
}

void Bench::tick(const Layer *l)
{
	in_.d = &d_;
	dut_->start_i = in_.start;
	dut_->clear_i = in_.clear;
	dut_->go_i = in_.go;
	dut_->take_i = in_.take;
	dut_->take_words_i = static_cast<uint16_t>(in_.take_words);
	dut_->word_valid_i = in_.word_valid;
	dut_->release_i = static_cast<uint8_t>(in_.release[0] + 2 * in_.release[1]);
	dut_.edge();
	edges_++;
	covered_.sample({twin_, in_});
	mch_load_x_step(&twin_, &in_);
	model_.edge(in_, l);
	check();
}

void Bench::check()
{
	Compare &c = compare_;
	if (c.failed())
		return;
	c.position("cycle " + std::to_string(edges_) + " of the case, cycle " + std::to_string(dut_.cycles()));
	registers_.compare(&c);
	c.same("done_o (twin)", mch_load_x_done(&twin_), dut_->done_o, 1);
	c.same("xw_addr_o (twin)", mch_load_x_xw_addr(&twin_), dut_->xw_addr_o);
	c.same("xw_en_o", in_.word_valid, dut_->xw_en_o, 1);
	c.same("done_o", model_.done(), dut_->done_o, 1);
	c.same("overflow_o", model_.overflow, dut_->overflow_o, 1);
	c.same("req_valid_o", model_.asking(), dut_->req_valid_o, 1);
	if (model_.asking()) {
		c.same("req_addr_o", model_.address(), dut_->req_addr_o);
		c.same("req_words_o", model_.run(), dut_->req_words_o, 16);
	}
	if (!model_.on_way.empty()) {
		const Model::Place &p = model_.on_way.front();
		c.same("xw_addr_o", (p.half ? DUT_X_WORDS : 0) + p.offset, dut_->xw_addr_o);
	}
	c.same("strip_valid_o", model_.valid[0] + 2u * model_.valid[1], dut_->strip_valid_o, 2);
	for (int h = 0; h < 2; h++) {
		if (!model_.valid[h])
			continue;
		const std::string half = h ? "[1]" : "[0]";
		c.same("strip_start_o" + half, model_.start[h], dut_->strip_start_o >> (32 * h) & UINT32_MAX);
		c.same("strip_words_o" + half, model_.words[h], dut_->strip_words_o >> (32 * h) & UINT32_MAX);
		c.same("filled_o" + half, model_.filled[h], dut_->filled_o >> (32 * h) & UINT32_MAX);
	}
}

/* Until the layer is done, or has overflowed or was broken off after `limit` edges (false). Words may be on the way. */
bool Bench::layer(const Layer &l, const Pace &pace, uint64_t limit)
{
	while (!chance(&rng_, pace.start) && !compare_.failed()) {
		d_ = any_descriptor(&rng_);
		drive_descriptor(&dut_->d_i, d_);
		choose(pace, true);
		tick(nullptr);
	}
	d_ = l.d;
	drive_descriptor(&dut_->d_i, d_);
	choose(pace, true);
	in_.start = true;
	tick(&l);
	in_.start = false;
	for (uint64_t i = 0; i < limit && !compare_.failed(); i++) {
		if (model_.done() || model_.stopped())
			return !model_.stopped();
		choose(pace, true);
		tick(&l);
	}
	return false;
}

/* No more bursts; what is on the way lands. Often the next edge comes at once. */
void Bench::drain(const Pace &pace)
{
	for (uint32_t i = draw(&rng_, 0, 3); (i < 3 || !model_.on_way.empty()) && !compare_.failed(); i++) {
		choose(pace, false);
		tick(nullptr);
	}
}

/* Some layers without a clear between them, then a clear or a reset. */
bool Bench::run(uint64_t number)
{
	rng_ = case_rng(args_.seed, number);
	compare_.begin(number);
	edges_ = 0;
	in_ = {};
	dut_->clear_i = dut_->start_i = 0;
	dut_.reset();
	mch_load_x_reset(&twin_);
	model_.clear();
	check();
	const Pace pace(&rng_, args_.stall_percent);
	early_ = chance(&rng_, 30);
	short_ = chance(&rng_, 30);
	const uint32_t n_layers = draw(&rng_, 1, 4);
	std::deque<Layer> layers;
	bool goes_on = true;
	for (uint32_t i = 0; i < n_layers && goes_on && !compare_.failed(); i++) {
		layers.emplace_back(&rng_);
		const uint64_t limit = chance(&rng_, 15) ? draw(&rng_, 0, chance(&rng_, 50) ? 1 : 200) : 20000;
		compare_.same("rows that the strips hold", 1, layers.back().holds_its_rows(), 1);
		goes_on = layer(layers.back(), pace, limit);
	}
	drain(pace);
	in_ = {};
	in_.clear = true;
	tick(nullptr);
	in_.clear = false;
	tick(nullptr);
	return !compare_.failed();
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 2000);
	Bench bench(args);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = bench.run(number);
	return bench_end(args, watch, bench.n_compared() > 0 ? compared : 0, bench.cycles(), agreed);
}
