/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_requant against op/requant.h. Values stream through it with stalls and gaps, the channel's parameters
 * change on the way, and after every edge valid_o, and y_o and sat_o with it, must be what a pipeline of three stages
 * holds: that checks the latency and the throughput of its header. Spec: docs/datapath.md "requant".
 * verilate: mch_requant */
#include <vector>

extern "C" {
#include "fxp/encode.h"
#include "op/hint.h"
#include "op/requant.h"
#include "tensor/report.h"
}
#include "Vmch_requant.h"
#include "sim/waves.h"
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/bins_arithmetic.h"

using namespace mch_sim;

#ifndef DUT_OUT_KIND
#define DUT_OUT_KIND 0
#define DUT_OUT_EXP 0
#endif
#ifndef DUT_OUT_WRAP
#define DUT_OUT_WRAP 0
#endif

namespace {

/* A case is one value. A layer's format holds for 128 of them, a channel's parameters for 16. A layer starts with an
 * empty pipeline, so a case is repeated by running its layer alone, to the end: what spoils
 * a value may come later than the value. */
enum { LAYER_CASES = 128, CHANNEL_CASES = 16, STAGES = 3 };

struct Channel {
	int64_t bias;
	int shift;
	uint16_t noise;
};

struct Value {
	bool valid = false;
	uint64_t number = 0;
	Channel channel{};
	int64_t acc = 0;
	int32_t y = 0;
	bool sat = false;
};

uint64_t word(int64_t value, int bits)
{
	return static_cast<uint64_t>(value) & (UINT64_MAX >> (64 - bits));
}

class Bench {
public:
	explicit Bench(const BenchArgs &args) : args_(args), dut_(args.waves) {}

	bool run();
	uint64_t compared() const { return compared_; }
	uint64_t cycles() const { return dut_.cycles(); }

private:
	bool layer(uint64_t number);
	bool in_flight_reset(uint64_t number);
	bool edge(bool en, bool load, bool valid, int64_t acc, uint64_t number);
	bool check(bool moved);
	int32_t value(int64_t acc, bool *sat) const;
	bool end_layer();
	void report(const Value &want, bool valid, int32_t y, bool sat, uint64_t cycle, const char *hint);
	void new_layer();
	Channel new_channel();
	int64_t decided_by_noise(int64_t code);
	int64_t new_acc();

	const BenchArgs &args_;
	Dut<Vmch_requant> dut_;
	mch_rng rng_{};
	struct mch_requant format_ {}; /* struct: there is a function of that name */
	Channel now_{}, next_{};
	Value stage_[STAGES];
	std::vector<mch_hint_seen> seen_; /* of this layer, agreed or not: what a hint must explain */
	bool differs_ = false; /* a value of this layer; the first one: */
	Value first_;
	int32_t first_y_ = 0;
	bool first_sat_ = false;
	uint64_t first_cycle_ = 0;
	uint64_t compared_ = 0;
	Coverage<mch_tb::SeenRequant> covered_{"mch_requant", mch_tb::requant_bins::list};
};

void Bench::new_layer()
{
	format_.out_bits = 1 + static_cast<int>(mch_rng_below(&rng_, DUT_OUT_BITS));
	if (chance(&rng_, 50) || DUT_OUT_KIND)
		format_.out_bits = DUT_OUT_BITS;
	format_.out_signed = chance(&rng_, 50);
	format_.relu = chance(&rng_, 40);
	format_.round = static_cast<mch_round>(DUT_ROUND);
	format_.wraps = DUT_OUT_WRAP != 0;
	dut_->relu_i = format_.relu;
	dut_->y_signed_i = format_.out_signed;
	dut_->y_bits_i = static_cast<uint8_t>(format_.out_bits);
}

/* Half of the shifts are such that y is neither 0 nor always at a rail. */
Channel Bench::new_channel()
{
	const int n_shifts = MCH_SHIFT_MAX - MCH_SHIFT_MIN + 1, useful = DUT_ACC_BITS - format_.out_bits;
	Channel c;
	c.bias = chance(&rng_, 30) ? 0 : corner(&rng_, DUT_ACC_BITS, true);
	c.shift = MCH_SHIFT_MIN + static_cast<int>(mch_rng_below(&rng_, n_shifts));
	if (useful > 0 && chance(&rng_, 50))
		c.shift = 1 + static_cast<int>(mch_rng_below(&rng_, static_cast<uint32_t>(useful) + 1));
	c.noise = mch_lfsr_seed(static_cast<uint32_t>(mch_rng_next(&rng_)), 0);
	return c;
}

/* What is lost of code * 2^shift + this makes, with the noise of the value, the carry that rounds up, or just fails to. */
int64_t Bench::decided_by_noise(int64_t code)
{
	const int64_t lost = 65536 - now_.noise + static_cast<int64_t>(mch_rng_below(&rng_, 3)) - 1;
	const int64_t kept = into_range(code, 62 - now_.shift, true) * (INT64_C(1) << now_.shift);
	return kept + (now_.shift > 16 ? lost * (INT64_C(1) << (now_.shift - 16)) : lost >> (16 - now_.shift));
}

/* Aimed at the sum: ties, codes and the noise's carry, most of them near those that y can hold. */
int64_t Bench::new_acc()
{
	if (chance(&rng_, 25))
		return corner(&rng_, DUT_ACC_BITS, true);
	const int wider = static_cast<int>(mch_rng_below(&rng_, 2));
	const int64_t code = corner(&rng_, format_.out_bits + wider, format_.out_signed || chance(&rng_, 50));
	if (DUT_ROUND == MCH_ROUND_STOCHASTIC && DUT_OUT_KIND == 0 && now_.shift > 0 && chance(&rng_, 50))
		return into_range(decided_by_noise(code) - now_.bias, DUT_ACC_BITS, true);
	return into_range(tie(&rng_, code, now_.shift) - now_.bias, DUT_ACC_BITS, true);
}

/* What y_o shows of acc: a code, of a minifloat as memory has it. */
int32_t Bench::value(int64_t acc, bool *sat) const
{
	if (DUT_OUT_KIND == 0)
		return mch_requant_value(&format_, acc, now_.bias, now_.shift, now_.noise, sat);
	const mch_format y = {DUT_OUT_BITS, 0, format_.out_signed, static_cast<mch_number>(DUT_OUT_KIND), DUT_OUT_EXP};
	return static_cast<int32_t>(mch_encode(y, mch_requant_sum(format_.relu, acc, now_.bias), now_.shift, format_.round, now_.noise,
					       sat));
}

/* One edge of the module and of the pipeline that it must be. What is loaded counts from the next edge on. */
bool Bench::edge(bool en, bool load, bool valid, int64_t acc, uint64_t number)
{
	dut_->en_i = en;
	dut_->load_i = load;
	dut_->bias_i = word(next_.bias, DUT_ACC_BITS);
	dut_->shift_i = static_cast<uint8_t>(next_.shift - MCH_SHIFT_MIN);
	dut_->noise_i = next_.noise;
	dut_->valid_i = valid;
	dut_->acc_i = word(acc, DUT_ACC_BITS);
	const bool stands = stage_[2].valid, stands_sat = stage_[2].sat;
	if (en) {
		stage_[2] = stage_[1];
		stage_[1] = stage_[0];
		stage_[0] = Value();
		stage_[0].number = number;
		if (valid) {
			Value &v = stage_[0];
			v.valid = true, v.acc = acc, v.channel = now_;
			v.y = value(acc, &v.sat);
			now_.noise = mch_lfsr_next(now_.noise);
		}
	}
	const Value &v = stage_[0];
	covered_.sample({en, load, stands, stands_sat, en && valid, v.acc, v.channel.bias, v.channel.shift, v.y, v.sat, format_,
			 DUT_ACC_BITS});
	if (load)
		now_ = next_;
	dut_.edge();
	return check(en);
}

bool Bench::check(bool moved)
{
	const Value &want = stage_[STAGES - 1];
	const int32_t y = format_.out_signed && DUT_OUT_KIND == 0 ? static_cast<int32_t>(mch_wrap(dut_->y_o, DUT_OUT_BITS)) : dut_->y_o;
	const bool valid = dut_->valid_o, sat = dut_->sat_o;
	const bool idle = !(stage_[0].valid || stage_[1].valid || stage_[2].valid);
	if (valid != want.valid || dut_->idle_o != idle) {
		if (end_layer())
			report(want, valid, y, sat, dut_.cycles(),
			       valid != want.valid ? "latency or a stall: three edges with en_i high, docs/datapath.md \"requant\"" : nullptr);
		return false;
	}
	if (moved && valid)
		seen_.push_back({0, nullptr, nullptr, want.acc, want.channel.bias, want.channel.shift, want.channel.noise, y, sat});
	if (valid && (y != want.y || sat != want.sat) && !differs_) {
		differs_ = true;
		first_ = want, first_y_ = y, first_sat_ = sat, first_cycle_ = dut_.cycles();
	}
	compared_ += moved && valid && want.number >= args_.first && compared_ < args_.n_cases;
	return true;
}

bool Bench::layer(uint64_t layer_number)
{
	uint64_t number = layer_number * LAYER_CASES;
	const uint64_t end = number + LAYER_CASES;
	rng_ = case_rng(args_.seed, layer_number);
	seen_.clear();
	new_layer();
	next_ = new_channel();
	if (!edge(chance(&rng_, 50), true, false, 0, number))
		return false;
	/* A channel is loaded with its predecessor's last value, or while the pipeline moves or stands between them. */
	bool must_load = false;
	int64_t acc = new_acc();
	while (number < end) {
		const bool last = number % CHANNEL_CASES == CHANNEL_CASES - 1;
		const bool en = !chance(&rng_, args_.stall_percent), valid = !must_load && !chance(&rng_, 15);
		const bool load = must_load || (last && valid && en && chance(&rng_, 50));
		if (load)
			next_ = new_channel();
		if (!edge(en, load, valid, acc, number))
			return false;
		if (en && valid) {
			must_load = last && !load;
			number++;
		} else {
			must_load = must_load && !load;
		}
		if ((en && valid) || load)
			acc = new_acc();
	}
	for (int i = 0; i < STAGES; i++)
		if (!edge(true, false, false, 0, number - 1))
			return false;
	return in_flight_reset(number - 1) && end_layer();
}

/* Values that meet a reset never come out. They are no cases; a mismatch among them is told as the last case's. */
bool Bench::in_flight_reset(uint64_t number)
{
	const uint64_t compared = compared_;
	bool agreed = true;
	for (int i = 0; agreed && i < STAGES; i++)
		agreed = edge(true, false, true, new_acc(), number);
	dut_.reset();
	for (Value &v : stage_)
		v = Value(), v.number = number;
	agreed = agreed && check(false);
	for (int i = 0; agreed && i < STAGES; i++)
		agreed = edge(true, false, false, 0, number);
	compared_ = compared;
	return agreed;
}

bool Bench::run()
{
	dut_->en_i = 0;
	dut_->load_i = 0;
	dut_->valid_i = 0;
	dut_.reset();
	for (uint64_t n = args_.first / LAYER_CASES; compared_ < args_.n_cases; n++)
		if (!layer(n))
			return false;
	return true;
}

/* False, and the report of the first value that differs, with the rule that explains all values of the layer. */
bool Bench::end_layer()
{
	if (!differs_)
		return true;
	const mch_hint_unit unit = {{}, 0, 0, false, true, &format_};
	char hint[MCH_HINT_BYTES];
	report(first_, true, first_y_, first_sat_, first_cycle_,
	       DUT_OUT_KIND == 0 ? mch_hint(&unit, seen_.data(), static_cast<int>(seen_.size()), hint) : nullptr);
	return false;
}

void Bench::report(const Value &want, bool valid, int32_t y, bool sat, uint64_t cycle, const char *hint)
{
	const mch_format acc = {DUT_ACC_BITS, 0, true}, flag = {1, 0, false}, noise = {16, 0, false};
	const mch_format code = {DUT_OUT_BITS, 0, format_.out_signed && DUT_OUT_KIND == 0};
	const mch_field in[] = {{"acc", want.acc, acc, false},
				{"bias", want.channel.bias, acc, false},
				{"shift", want.channel.shift, {7, 0, true}, false},
				{"noise", want.channel.noise, noise, false},
				{"relu", format_.relu, flag, false},
				{"y_bits", format_.out_bits, {5, 0, false}, false},
				{"y_signed", format_.out_signed, flag, false}};
	const mch_field wanted[] = {{"valid", want.valid, flag, false},
				    {"y", want.y, code, false},
				    {"sat", want.sat, flag, false}};
	const mch_field gotten[] = {{"valid", valid, flag, false}, {"y", y, code, false}, {"sat", sat, flag, false}};
	const std::string redo = bench_redo(args_, want.number);
	const std::string at = "cycle " + std::to_string(cycle) + "  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name;
	m.module = "mch_requant";
	m.case_number = want.number;
	m.seed = args_.seed;
	m.in = in, m.want = wanted, m.got = gotten;
	m.n_in = 7, m.n_out = 3;
	m.at = at.c_str();
	m.hint = hint;
	const std::string see = bench_see(args_, want.number, "TOP.mch_requant.y_q", cycle);
	m.see = see.c_str();
	dut_.run_out();
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 200000);
	Bench bench(args);
	Stopwatch watch;
	const bool agreed = bench.run();
	return bench_end(args, watch, bench.compared(), bench.cycles(), agreed);
}
