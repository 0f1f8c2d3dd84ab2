/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_seq: lists of random descriptors with loaders, computing, a store and a bus that are slow at random, and one
 * thing that goes wrong in most of them. After every edge all outputs and registers are those of arch/seq.h; and what
 * happened, in which order, and how the run ended, is what a plain statement of it says. Spec: docs/accelerator.md "seq".
 * verilate: mch_seq sim/registers.vlt */
#include <vector>

extern "C" {
#include "arch/seq.h"
#include "tensor/report.h"
}
#include "Vmch_seq.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "sim/stimulus.h"
#include "tb/bins_control.h"
#include "tb/seq_case.h"

using namespace mch_sim;
using namespace mch_tb;

namespace
{

const mch_seq_config cfg = {DUT_ROWS, DUT_COLS, DUT_OUT_BITS, DUT_WORD_BITS, DUT_MEAN != 0, DUT_DEPTHWISE != 0};
enum { WORD_BYTES = DUT_WORD_BITS / 8, N_WORDS = 1024 / DUT_WORD_BITS };

class Bench
{
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves) { find(); }
	bool run(uint64_t number);
	uint64_t cycles() const { return dut_.cycles(); }

private:
	void find();
	void draw(uint64_t number);
	void drive();
	void drive_bus();
	void drive_units();
	bool edge();
	bool same(const char *name, uint64_t want, uint64_t got, int bits);
	bool follow();
	bool ended();
	bool lazy() { return chance(&rng_, case_.slow); }
	/* The case's state, with its descriptor: some of them last for a cycle. */
	bool now_or_never()
	{
		const bool lasts = twin_.state == MCH_SEQ_FETCH || twin_.state == MCH_SEQ_RUN;
		return twin_.state == case_.state && (twin_.state == MCH_SEQ_IDLE || dut_->index_o >= case_.at) &&
		       (!lasts || chance(&rng_, 20));
	}

	const BenchArgs &args_;
	Dut<Vmch_seq> dut_;
	Coverage<mch_tb::seq_bins::Seen> covered_{"mch_seq", mch_tb::seq_bins::list};
	std::vector<std::pair<const char *, Register>> regs_;
	mch_rng rng_{};
	uint64_t number_ = 0;
	Case case_;
	mch_seq twin_{};
	mch_seq_in in_{};
	uint8_t word_[WORD_BYTES] = {};
	/* The world around it. */
	uint32_t base_ = 0, due_ = 0, given_ = 0; /* descriptor words taken by the
						     bus, and given, in this run */
	uint32_t x_left_ = 0, w_left_ = 0, cp_left_ = 0, store_left_ = 0, ring_ = 0;
	bool computing_ = false, erred_ = false;
	bool loads_ = false, computes_ = false; /* started in this cycle */
	uint32_t next_x_ = 0, next_w_ = 0;
	/* What was seen. */
	uint32_t loaded_ = 0, computed_ = 0, dones_ = 0, errors_ = 0, clears_ = 0, resets_ = 0;
	uint32_t clears_again_ = 0; /* resets as it clears */
	bool was_clear_ = false;    /* before the edge */
};

void Bench::find()
{
	static const char *const names[] = {
		"state_q", "moved_q", "go_q",	"cp_start_q", "done_q", "error_q", "index_q",	   "owed_q",
		"ahead_q", "bad_q",   "addr_q", "watchdog_q", "ask_q",	"place_q", "error_code_q", "error_field_q"};
	VerilatedContext *const context = dut_->contextp();
	for (const char *name : names)
		regs_.push_back({name, need_register(context, "TOP.mch_seq", name)});
}

void Bench::draw(uint64_t number)
{
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	case_ = Case();
	static const int some[] = {0, 0, 30, 80};
	case_.slow = args_.stall_percent ? args_.stall_percent : some[mch_rng_below(&rng_, 4)];
	case_.trouble = static_cast<Trouble>(mch_rng_below(&rng_, 16));
	if (case_.trouble >= ENDLESS) /* the rules are many */
		case_.trouble = chance(&rng_, 50) ? FIELD : NONE;
	case_.twice = chance(&rng_, 50);
	case_.state = case_.trouble == RESET ? static_cast<int>(mch_rng_below(&rng_, MCH_SEQ_CLEAR + 1))
					     : MCH_SEQ_FETCH + static_cast<int>(mch_rng_below(&rng_, 5));
	if (number % 500 == 107 && args_.stall_percent == 0) /* it takes long */
		case_.trouble = ENDLESS, case_.slow = 0;
	const uint32_t n = case_.trouble == ENDLESS ? 1 : 1 + mch_rng_below(&rng_, 5);
	for (uint32_t i = 0; i < n; i++)
		case_.list.push_back(legal(&rng_, 1 + mch_rng_below(&rng_, 3)));
	Words stop;
	if (chance(&rng_, 50)) /* of the end only bits that no field has count */
		stop = legal(&rng_, MCH_OP_STOP);
	case_.list.push_back(stop);
	case_.at = mch_rng_below(&rng_, n);
	Words &victim = case_.list[case_.at];
	if (case_.trouble == LEFT || case_.trouble == TOO_MANY || case_.trouble == STUCK) {
		const bool last = case_.trouble == TOO_MANY && case_.at + 1 == n;
		victim = legal(&rng_, MCH_OP_CONV);
		if (last) /* nobody's words are left to take */
			case_.trouble = LEFT;
		else if (case_.trouble == TOO_MANY)
			case_.list[case_.at + 1] = legal(&rng_, MCH_OP_CONV);
	}
	if (case_.trouble == FIELD)
		spoil(&rng_, chance(&rng_, 10) ? &case_.list.back() : &victim);
	if (case_.trouble == ENDLESS)
		case_.list.pop_back();
}

void Bench::drive_bus()
{
	in_.take = dut_->req_valid_o && !lazy() && !twin_.error;
	in_.take_words = 1 + mch_rng_below(&rng_, chance(&rng_, 50) ? 1 : N_WORDS);
	if (in_.take && in_.take_words > dut_->req_words_o)
		in_.take_words = dut_->req_words_o;
	in_.word_valid = given_ < due_ && !lazy();
	in_.word = word_;
	for (uint8_t &b : word_)
		b = static_cast<uint8_t>(mch_rng_next(&rng_));
	const bool dead = case_.trouble == DEAD && dut_->index_o > case_.at;
	if (dead && dut_->busy_o && !dut_->draining_o)
		in_.take = in_.word_valid = false;
	if (in_.word_valid) {
		const uint32_t n = static_cast<uint32_t>(case_.list.size());
		const Words &d = case_.list[given_ / N_WORDS % n];
		for (int i = 0; i < WORD_BYTES; i++) {
			const uint32_t at = given_ % N_WORDS * WORD_BYTES + static_cast<uint32_t>(i);
			word_[i] = static_cast<uint8_t>(d.w[at / 4] >> (at % 4 * 8));
		}
	}
	in_.read_idle = given_ == due_ && !(dut_->draining_o && lazy());
	in_.write_idle = store_left_ == 0 && !(dut_->draining_o && lazy());
}

/* Loaders, computing and store do what they would, by counts alone. */
void Bench::drive_units()
{
	const bool dead = case_.trouble == DEAD && dut_->index_o > case_.at;
	const bool mine = computed_ == case_.at + 1, loading = loaded_ == case_.at + 1;
	const bool left = mine && case_.trouble == LEFT, more = mine && case_.trouble == TOO_MANY;
	in_.x_done = x_left_ == 0;
	in_.w_done = w_left_ == 0;
	in_.x_overflow = case_.trouble == OVERFLOW && loading && !erred_ && x_left_ == 1;
	in_.w_take = false;
	in_.w_release = false;
	in_.cp_idle = !computing_;
	in_.store_idle = store_left_ == 0;
	const bool stuck = case_.trouble == STUCK && loading && w_left_ == 1;
	if (w_left_ && !in_.take && !dead && !lazy() && !stuck) {
		in_.w_take = true;
		in_.take_words = 1 + mch_rng_below(&rng_, w_left_ - (case_.trouble == STUCK && loading ? 1 : 0));
	}
	const uint32_t keep = left ? 1 : 0;
	const uint32_t own = loaded_ > computed_ ? static_cast<uint32_t>(twin_.owed > 0 ? twin_.owed : 0) : ring_;
	const uint32_t may = more ? ring_ : own;
	if (computing_ && may > keep && !dead && !lazy()) {
		in_.w_release = true;
		in_.w_release_words = 1 + mch_rng_below(&rng_, may - keep);
	}
	const bool fails = now_or_never() && !erred_;
	in_.read_error = case_.trouble == READ_ERROR && fails;
	in_.write_error = (case_.trouble == WRITE_ERROR || (case_.twice && in_.read_error)) && fails;
	in_.x_overflow |= case_.trouble == WRITE_ERROR && case_.twice && fails;
	const bool again = resets_ == 1 && case_.twice && mch_seq_stop(&twin_) && chance(&rng_, 50);
	in_.reset = case_.trouble == RESET && (again || (resets_ == 0 && now_or_never()));
	/* Some buses are so slow that progress comes in the last cycle that the watchdog leaves. */
	in_.progress = !dead && (chance(&rng_, case_.twice ? 50 : 3) || twin_.watchdog == 1);
}

void Bench::drive()
{
	drive_bus();
	drive_units();
	dut_->start_i = in_.start;
	dut_->reset_i = in_.reset;
	dut_->list_i = in_.list;
	dut_->watchdog_i = in_.watchdog;
	dut_->take_i = in_.take;
	dut_->w_take_i = in_.w_take;
	dut_->take_words_i = static_cast<uint16_t>(in_.take_words);
	dut_->word_valid_i = in_.word_valid;
	std::memcpy(&dut_->word_i, word_, WORD_BYTES);
	dut_->x_done_i = in_.x_done;
	dut_->w_done_i = in_.w_done;
	dut_->x_overflow_i = in_.x_overflow;
	dut_->cp_idle_i = in_.cp_idle;
	dut_->store_idle_i = in_.store_idle;
	dut_->w_release_i = in_.w_release;
	dut_->w_release_words_i = static_cast<uint16_t>(in_.w_release_words);
	dut_->read_error_i = in_.read_error;
	dut_->write_error_i = in_.write_error;
	dut_->progress_i = in_.progress;
	dut_->read_idle_i = in_.read_idle;
	dut_->write_idle_i = in_.write_idle;
}

bool Bench::same(const char *name, uint64_t want, uint64_t got, int bits)
{
	if (want == got)
		return true;
	const mch_format format = {bits, 0, false};
	const mch_field wanted = {name, static_cast<int64_t>(want), format, false};
	const mch_field gotten = {name, static_cast<int64_t>(got), format, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, "TOP.mch_seq." + std::string(name), dut_.cycles());
	static const char *const troubles[N_TROUBLES] = {
		"none",	      "illegal field", "overflow", "weights left", "weights missing", "stuck weights",
		"read error", "write error",   "dead bus", "reset",	   "endless list"};
	const std::string at = "cycle " + std::to_string(dut_.cycles()) + ", trouble: " + troubles[case_.trouble] +
			       ", descriptor " + std::to_string(case_.at + 1) + " of " +
			       std::to_string(case_.list.size()) + ", error " + std::to_string(dut_->error_code_o) +
			       "  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name, m.module = "mch_seq", m.case_number = number_, m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str(), m.redo = redo.c_str(), m.see = see.c_str();
	mch_mismatch_print(stdout, &m), dut_.run_out();
	return false;
}

/* One rising edge of both; everything compared. */
bool Bench::edge()
{
	const mch_seq &t = twin_;
	was_clear_ = dut_->clear_o;
	covered_.sample({twin_, in_});
	mch_seq_step(&twin_, &in_);
	dut_.edge();
	const uint32_t owed = static_cast<uint32_t>(t.owed) & 0x3ffff;
	const uint64_t want[] = {static_cast<uint64_t>(t.state),
				 t.moved,
				 t.go,
				 t.cp_start,
				 t.done,
				 t.error,
				 t.index,
				 owed,
				 t.ahead,
				 t.bad,
				 t.addr,
				 t.watchdog,
				 t.ask,
				 t.place,
				 t.error_code,
				 t.error_field};
	for (size_t i = 0; i < regs_.size(); i++)
		if (!same(regs_[i].first, want[i], regs_[i].second.value(), 32))
			return false;
	for (int i = 0; i < 32; i++)
		if (!same("ld_d_o word", unpack(t.d, i, 32), dut_->ld_d_o[i], 32) ||
		    !same("cp_d_o word", unpack(t.cp_d, i, 32), dut_->cp_d_o[i], 32))
			return false;
	return same("req_valid_o", mch_seq_req_valid(&t), dut_->req_valid_o, 1) &&
	       same("req_addr_o", t.addr, dut_->req_addr_o, 32) &&
	       same("req_words_o", t.ask, dut_->req_words_o, 16) &&
	       same("ld_start_o", mch_seq_ld_start(&t), dut_->ld_start_o, 1) &&
	       same("x_go_o", t.go, dut_->x_go_o, 1) && same("cp_start_o", t.cp_start, dut_->cp_start_o, 1) &&
	       same("stop_o", mch_seq_stop(&t), dut_->stop_o, 1) &&
	       same("clear_o", mch_seq_clear(&t), dut_->clear_o, 1) &&
	       same("busy_o", mch_seq_busy(&t), dut_->busy_o, 1) &&
	       same("draining_o", mch_seq_draining(&t), dut_->draining_o, 1) &&
	       same("done_o", t.done, dut_->done_o, 1) && same("error_o", t.error, dut_->error_o, 1) &&
	       same("error_code_o", t.error_code, dut_->error_code_o, 4) &&
	       same("error_field_o", t.error_field, dut_->error_field_o, 8) &&
	       same("index_o", t.index, dut_->index_o, 16);
}

/* The world after an edge, and what may happen in it: descriptors in their
 * order, each loaded whole, computed after it is loaded, one at a time; with
 * BARRIER no activations before the store has written all of the ones before.
 */
bool Bench::follow()
{
	due_ += in_.take ? in_.take_words : 0;
	given_ += in_.word_valid;
	w_left_ -= in_.w_take ? in_.take_words : 0;
	ring_ += (in_.w_take ? in_.take_words : 0) - (in_.w_release ? in_.w_release_words : 0);
	erred_ |= in_.x_overflow || in_.read_error || in_.write_error;
	resets_ += in_.reset;
	clears_again_ += in_.reset && was_clear_;
	const bool dead = case_.trouble == DEAD && dut_->index_o > case_.at && !dut_->draining_o;
	const bool waits = x_left_ && !dut_->x_go_o;
	if (x_left_ && !waits && !dead && !lazy())
		x_left_--;
	if (store_left_ && !dead && !lazy())
		store_left_--;
	if (computing_ && !dead && !lazy() && (x_left_ == 0 || loaded_ > computed_) && cp_left_ > 0)
		cp_left_--;
	const bool cut = computed_ == case_.at + 1 &&
			 (case_.trouble == STUCK || case_.trouble == LEFT || case_.trouble == TOO_MANY);
	const uint32_t rest = cut ? 0 : static_cast<uint32_t>(twin_.owed > 0 ? twin_.owed : 0);
	const bool over =
		cut && case_.trouble == TOO_MANY && twin_.owed >= 0; /* it waits for words of the next one */
	const bool loading_on = loaded_ == computed_ && (w_left_ > 0 || x_left_ > 0) &&
				!(cut && case_.trouble == STUCK && w_left_ == 1);
	if (computing_ && cp_left_ == 0 && rest == 0 && !loading_on && !over && !(in_.w_release || in_.w_take))
		computing_ = false, store_left_ = mch_rng_below(&rng_, 9);
	/* A unit is busy from the cycle after its start. */
	if (loads_)
		x_left_ = next_x_, w_left_ = next_w_;
	computing_ |= computes_;
	loads_ = computes_ = false;
	if (dut_->ld_start_o) {
		if (!same("descriptors computed before the next is loaded", loaded_, computed_, 32) ||
		    !same("loaders that are busy at a start", 0, x_left_ || w_left_, 1) ||
		    !same("descriptor that is loaded", loaded_, dut_->index_o - 1u, 32))
			return false;
		const Words &d = case_.list[loaded_ % case_.list.size()];
		for (int i = 0; i < 32; i++)
			if (!same("word of the descriptor that is loaded", d.w[i], dut_->ld_d_o[i], 32))
				return false;
		loaded_++;
		loads_ = true;
		next_x_ = 1 + mch_rng_below(&rng_, case_.trouble == ENDLESS ? 2 : 20);
		const uint32_t most = case_.trouble == ENDLESS ? 2 : chance(&rng_, 20) ? 32000 : 40;
		next_w_ = d.w[21] ? 2 + mch_rng_below(&rng_, most) : 0;
	}
	if (dut_->cp_start_o) {
		const Words &d = case_.list[computed_ % case_.list.size()];
		if (!same("descriptor that is computed", computed_ + 1, loaded_, 32) ||
		    !same("computing at a start", 0, computing_, 1) ||
		    !same("unwritten words at a start with BARRIER", 0,
			  (d.w[0] >> 4 & 1) && store_left_ > 0 && !in_.store_idle, 1))
			return false;
		for (int i = 0; i < 32; i++)
			if (!same("word of the descriptor that is computed", d.w[i], dut_->cp_d_o[i], 32))
				return false;
		computed_++;
		computes_ = true;
		cp_left_ = 1 + mch_rng_below(&rng_, case_.trouble == ENDLESS ? 2 : 30);
	}
	dones_ += dut_->done_o;
	errors_ += dut_->error_o;
	if (dut_->clear_o)
		computing_ = loads_ = computes_ = false, x_left_ = w_left_ = ring_ = 0, clears_++;
	if (x_left_ && !dut_->stop_o) {
		const bool barrier = case_.list[(loaded_ - 1) % case_.list.size()].w[0] >> 4 & 1;
		if (!same("x_go_o while the activations are loaded", !barrier || loaded_ == computed_, dut_->x_go_o,
			  1))
			return false;
	}
	return same("request while stopped", 0, dut_->stop_o && dut_->req_valid_o, 1);
}

/* How the run must have ended. */
bool Bench::ended()
{
	uint32_t code = MCH_ERROR_NONE, field = 0, index = static_cast<uint32_t>(case_.list.size()), done = 1;
	switch (case_.trouble) {
	case FIELD:
		for (uint32_t i = 0; i < case_.list.size() && done; i++) {
			const int bad = first_illegal(case_.list[i]);
			if (bad >= 0)
				code = MCH_ERROR_DESCRIPTOR, field = static_cast<uint32_t>(bad), index = i + 1,
				done = 0;
			else if ((case_.list[i].w[0] & 3) == MCH_OP_STOP)
				index = i + 1, i = static_cast<uint32_t>(case_.list.size());
		}
		break;
	case ENDLESS:
		code = MCH_ERROR_DESCRIPTOR, index = 65535, done = 0;
		break;
	case OVERFLOW:
		code = MCH_ERROR_STRIP, done = 0;
		break;
	case LEFT:
	case TOO_MANY:
	case STUCK:
		code = MCH_ERROR_WEIGHTS, done = 0;
		break;
	case READ_ERROR:
		if (erred_)
			code = MCH_ERROR_READ, done = 0;
		break;
	case WRITE_ERROR:
		if (erred_)
			code = MCH_ERROR_WRITE, done = 0;
		break;
	case DEAD:
		code = MCH_ERROR_WATCHDOG, done = 0;
		break;
	case RESET:
		if (resets_)
			return same("ends of a run that was reset", 0, errors_, 32) &&
			       same("clears", 1 + clears_again_, clears_, 32);
		break;
	default:
		break;
	}
	const bool exact = case_.trouble == NONE || case_.trouble == FIELD || case_.trouble == ENDLESS;
	return same("ends with done", done, dones_, 32) && same("ends with an error", !done, errors_, 32) &&
	       same("clears", 1, clears_, 32) && (done || same("error's code", code, dut_->error_code_o, 4)) &&
	       (done || same("error's field", field, dut_->error_field_o, 8)) &&
	       (!exact || same("descriptors taken", index, dut_->index_o, 16));
}

bool Bench::run(uint64_t number)
{
	mch_err err;
	draw(number);
	if (twin_.cfg.rows == 0) {
		mch_seq_init(&twin_, &cfg, &err);
		in_ = mch_seq_in();
		dut_->start_i = 0;
		dut_.reset();
	}
	due_ = given_ = x_left_ = w_left_ = cp_left_ = store_left_ = ring_ = 0;
	loaded_ = computed_ = dones_ = errors_ = clears_ = resets_ = clears_again_ = 0;
	computing_ = erred_ = false;
	in_.list = static_cast<uint32_t>(mch_rng_next(&rng_));
	in_.watchdog = case_.trouble == DEAD || chance(&rng_, 50) ? 22 + mch_rng_below(&rng_, 50)
		       : chance(&rng_, 50)			? 0
								: static_cast<uint32_t>(mch_rng_next(&rng_)) | 1u << 20;
	const uint64_t limit = dut_.cycles() + (case_.trouble == ENDLESS ? 3000000 : 50000);
	for (uint32_t idle = case_.trouble == RESET ? 0 : mch_rng_below(&rng_, 3); idle > 0; idle--) {
		drive();
		if (!edge())
			return false;
	}
	in_.start = true;
	do {
		drive();
		if (!edge() || !follow())
			return false;
		in_.start = chance(&rng_, 5); /* ignored while busy */
		if (!same("cycles without an end", 0, dut_.cycles() > limit, 1))
			return false;
	} while (dut_->busy_o);
	return ended();
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 600);
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
