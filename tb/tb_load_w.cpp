/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_load_w: random streams, one after another, in lock-step with arch/load_w.c; every word asked for, its
 * place in the ring and the ring's room against plain counts. Spec: docs/accelerator.md "load_w".
 * verilate: mch_load_w sim/registers.vlt */
#include <algorithm>

extern "C" {
#include "arch/load_w.h"
}
#include "Vmch_load_w.h"
#include "sim/dut.h"
#include "tb/bins_ports.h"
#include "tb/load_bench.h"

using namespace mch_sim;
using namespace mch_tb;

namespace {

/* What the unit must do: the words of all strips of a layer, in order, and how many went which way since a clear. */
struct Model {
	uint64_t to_ask = 0; /* words of all strips */
	uint32_t strip_words = 0, w_addr = 0;
	uint64_t asked = 0, landed = 0, released = 0;

	void start(const mch_descriptor &d)
	{
		const uint64_t strips = (static_cast<uint64_t>(d.pixels) + d.strip_pixels - 1) / d.strip_pixels;
		to_ask = strips * d.w_words;
		strip_words = d.w_words, w_addr = d.w_addr;
	}

	/* Words of the strip that are still to be asked for, none when nothing is; the address of the first. */
	uint64_t rest() const { return to_ask > 0 ? (to_ask - 1) % strip_words + 1 : 0; }
	uint32_t address() const { return w_addr + strip_words - static_cast<uint32_t>(rest()); }

	/* A full burst, or what remains of the strip. */
	uint32_t request() const { return static_cast<uint32_t>(std::min<uint64_t>(rest(), DUT_BURST_WORDS)); }
	bool has_room() const { return asked - released + request() <= DUT_W_WORDS; }
};

/* Edges that no layer takes which is not broken off. */
const uint64_t WHOLE = 20000;

class Bench {
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves), compare_(args, "mch_load_w", [this] { return dut_.cycles(); }), twin_()
	{
		const mch_load_w_config cfg = {DUT_W_WORDS, DUT_BURST_WORDS};
		mch_err err;
		if (mch_load_w_init(&twin_, &cfg, &err) != 0) {
			std::fprintf(stderr, "macchiato: %s\n", err.text);
			std::exit(FAILED);
		}
		const auto add = [this](const char *name, int bits, Registers::Twin twin) {
			registers_.add(dut_->contextp(), "TOP.mch_load_w", name, bits, twin);
		};
		const mch_load_w &t = twin_;
		add("busy_q", 1, [&t] { return t.busy; });
		add("addr_q", 32, [&t] { return t.addr; });
		add("run_q", 32, [&t] { return t.run; });
		add("left_q", 32, [&t] { return t.left; });
		add("used_q", 17, [&t] { return t.used; });
		add("fill_q", 17, [&t] { return t.fill; });
		add("write_q", 16, [&t] { return t.write; });
	}

	bool run(uint64_t number);
	uint64_t cycles() const { return dut_.cycles(); }
	uint64_t n_compared() const { return compare_.n_compared(); }

private:
	mch_descriptor draw_layer(bool is_wide);
	bool layer(const Pace &pace, uint64_t limit);
	void choose(const Pace &pace, bool takes);
	void tick();
	void check();

	const BenchArgs &args_;
	Dut<Vmch_load_w> dut_;
	Coverage<mch_tb::load_w_bins::Seen> covered_{"mch_load_w", mch_tb::load_w_bins::list};
	Compare compare_;
	mch_load_w twin_;
	Registers registers_;
	Model model_;
	mch_rng rng_{};
	mch_load_w_in in_{};
	mch_descriptor d_{};
	bool one_ = false, short_ = false; /* releases of one word; bursts of any length */
	uint64_t edges_ = 0;
};

/* Some 4000 words at most; none, one, and all sizes about the ring's and the burst's. Of any legal size are layers that are
 * broken off. */
mch_descriptor Bench::draw_layer(bool is_wide)
{
	mch_descriptor d = any_descriptor(&rng_);
	const uint32_t near[] = {DUT_BURST_WORDS, DUT_W_WORDS, 2 * DUT_W_WORDS, 1};
	d.w_words = chance(&rng_, 60) ? near[mch_rng_below(&rng_, 4)] + draw(&rng_, 0, 2) - 1
				      : draw(&rng_, 1, std::min(4 * DUT_W_WORDS, 2000));
	if (is_wide) /* one high bit of what remains, and then a burst */
		d.w_words = chance(&rng_, 30) ? static_cast<uint32_t>(corner(&rng_, 24, false))
					      : (1U << draw(&rng_, 0, 23)) + draw(&rng_, 0, 2 * DUT_BURST_WORDS);
	d.w_addr = static_cast<uint32_t>(corner(&rng_, 32, false));
	const uint32_t n_strips = chance(&rng_, 30) ? 1 : draw(&rng_, 1, 1 + std::min(20u, 4000 / (d.w_words + 1)));
	if (chance(&rng_, 20)) { /* wide fields; the last strip is whole, or a pixel, or all but one */
		d.strip_pixels = UINT32_MAX / n_strips - draw(&rng_, 0, 3);
		d.pixels = d.strip_pixels * (n_strips - 1) + (chance(&rng_, 50) ? d.strip_pixels - draw(&rng_, 0, 1) : 1);
	} else {
		d.strip_pixels = draw(&rng_, 1, 20);
		d.pixels = d.strip_pixels * n_strips - draw(&rng_, 0, d.strip_pixels - 1);
	}
	return d;
}

void Bench::choose(const Pace &pace, bool takes)
{
	const uint32_t fill = dut_->fill_o;
	in_.take = takes && dut_->req_valid_o && chance(&rng_, pace.take);
	in_.take_words = in_.take ? burst_of(&rng_, dut_->req_addr_o, dut_->req_words_o, DUT_BURST_WORDS, short_)
				  : draw(&rng_, 0, 65535);
	in_.word_valid = model_.landed < model_.asked && chance(&rng_, pace.answer);
	in_.release = fill > 0 && chance(&rng_, pace.release);
	in_.release_words = in_.release ? one_ ? 1 : draw(&rng_, 0, fill) : draw(&rng_, 0, DUT_W_WORDS);
}

void Bench::tick()
{
	in_.d = &d_;
	dut_->start_i = in_.start;
	dut_->clear_i = in_.clear;
	dut_->take_i = in_.take;
	dut_->take_words_i = static_cast<uint16_t>(in_.take_words);
	dut_->word_valid_i = in_.word_valid;
	dut_->release_i = in_.release;
	dut_->release_words_i = static_cast<uint16_t>(in_.release_words);
	if (in_.word_valid)
		compare_.same("ww_addr_o", model_.landed % DUT_W_WORDS, dut_->ww_addr_o, 16);
	dut_.edge();
	edges_++;
	covered_.sample({twin_, in_});
	mch_load_w_step(&twin_, &in_);
	if (in_.take) {
		model_.asked += in_.take_words;
		model_.to_ask -= in_.take_words;
	}
	model_.landed += in_.word_valid;
	model_.released += in_.release ? in_.release_words : 0;
	if (in_.start)
		model_.start(d_);
	if (in_.clear)
		model_ = Model();
	check();
}

void Bench::check()
{
	Compare &c = compare_;
	if (c.failed())
		return;
	c.position("cycle " + std::to_string(edges_) + " of the case, cycle " + std::to_string(dut_.cycles()));
	registers_.compare(&c);
	c.same("done_o (twin)", mch_load_w_done(&twin_), dut_->done_o, 1);
	c.same("req_valid_o (twin)", mch_load_w_req_valid(&twin_), dut_->req_valid_o, 1);
	c.same("req_words_o (twin)", mch_load_w_req_words(&twin_), dut_->req_words_o, 16);
	c.same("ww_en_o", in_.word_valid, dut_->ww_en_o, 1);
	c.same("ww_addr_o (twin)", twin_.write, dut_->ww_addr_o, 16);
	c.same("done_o", model_.to_ask == 0, dut_->done_o, 1);
	c.same("fill_o", model_.landed - model_.released, dut_->fill_o, 17);
	c.same("the ring holds what was asked for", 1, model_.asked - model_.released <= DUT_W_WORDS, 1);
	c.same("req_valid_o", model_.to_ask > 0 && model_.has_room(), dut_->req_valid_o, 1);
	if (dut_->req_valid_o && model_.to_ask > 0) {
		c.same("req_words_o", model_.request(), dut_->req_words_o, 16);
		c.same("req_addr_o", model_.address(), dut_->req_addr_o);
	}
}

/* Until all is asked for, or `limit` edges have passed (false). Words are still on the way, and in the ring. */
bool Bench::layer(const Pace &pace, uint64_t limit)
{
	while (!chance(&rng_, pace.start) && !compare_.failed()) {
		d_ = any_descriptor(&rng_);
		drive_descriptor(&dut_->d_i, d_);
		choose(pace, true);
		tick();
	}
	d_ = draw_layer(limit < WHOLE && chance(&rng_, 70));
	drive_descriptor(&dut_->d_i, d_);
	choose(pace, true);
	in_.start = true;
	tick();
	in_.start = false;
	for (uint64_t i = 0; i < limit && !compare_.failed(); i++) {
		if (model_.to_ask == 0)
			return true;
		choose(pace, true);
		tick();
	}
	return false;
}

/* Some layers without a clear between them, then a clear; the next case begins with a reset. */
bool Bench::run(uint64_t number)
{
	rng_ = case_rng(args_.seed, number);
	compare_.begin(number);
	edges_ = 0;
	in_ = {};
	dut_->clear_i = dut_->start_i = 0;
	dut_.reset();
	mch_load_w_reset(&twin_);
	model_ = Model();
	check();
	const Pace pace(&rng_, args_.stall_percent);
	one_ = chance(&rng_, 50);
	short_ = chance(&rng_, 30);
	const uint32_t n_layers = draw(&rng_, 1, 4);
	bool goes_on = true;
	for (uint32_t i = 0; i < n_layers && goes_on && !compare_.failed(); i++)
		goes_on = layer(pace, chance(&rng_, 30) ? draw(&rng_, 1, 200) : WHOLE);
	for (int i = 0; (i < 3 || model_.landed < model_.asked) && !compare_.failed(); i++) {
		choose(pace, false);
		tick();
	}
	in_ = {};
	in_.clear = true;
	tick();
	in_.clear = false;
	tick();
	return !compare_.failed();
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 1000);
	Bench bench(args);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = bench.run(number);
	return bench_end(args, watch, bench.n_compared() > 0 ? compared : 0, bench.cycles(), agreed);
}
