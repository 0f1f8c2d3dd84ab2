/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_round_shift against fxp/round_shift.h: every value at every shift when that is few enough, else ties,
 * corners and their neighbours. Spec: docs/datapath.md "round_shift".
 * verilate: mch_round_shift */
extern "C" {
#include "fxp/round_shift.h"
#include "tensor/report.h"
}
#include "Vmch_round_shift.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/bins_arithmetic.h"

using namespace mch_sim;

namespace {

enum { N_SHIFTS = MCH_SHIFT_MAX - MCH_SHIFT_MIN + 1, NOISES = DUT_ROUND == MCH_ROUND_STOCHASTIC ? 16 : 1 };

struct Case {
	int64_t v;
	int shift;
	uint32_t noise;
};

/* 2^12 values, 64 shifts and, for the stochastic mode, 16 noises each: 4 million. */
const bool exhaustive = DUT_IN_BITS <= 12;

/* The noises that decide: around the carry of the lost bits, and their extremes. */
uint32_t noise_near(mch_rng *rng, int64_t v, int shift)
{
	if (chance(rng, 25))
		return static_cast<uint32_t>(corner(rng, 16, false));
	const uint64_t lost = shift > 0 ? static_cast<uint64_t>(v) << (64 - shift) >> 48 : 0;
	return static_cast<uint32_t>(UINT64_C(0x10000) - lost + mch_rng_below(rng, 3) - 1) & 0xffff;
}

Case make_case(uint64_t seed, uint64_t number)
{
	mch_rng rng = case_rng(seed, number);
	Case c;
	if (exhaustive) {
		const uint64_t step = number / NOISES;
		c.shift = static_cast<int>(step % N_SHIFTS) + MCH_SHIFT_MIN;
		c.v = static_cast<int64_t>(step / N_SHIFTS) + low_code(DUT_IN_BITS, true);
	} else {
		c.shift = static_cast<int>(mch_rng_below(&rng, N_SHIFTS)) + MCH_SHIFT_MIN;
		c.v = corner(&rng, DUT_IN_BITS, true);
		if (chance(&rng, 60))
			c.v = into_range(tie(&rng, corner(&rng, 1 + (int)mch_rng_below(&rng, DUT_IN_BITS), true), c.shift),
					 DUT_IN_BITS, true);
	}
	c.noise = noise_near(&rng, c.v, c.shift);
	return c;
}

int64_t sign_extended(uint64_t word, int bits)
{
	return static_cast<int64_t>(word << (64 - bits)) >> (64 - bits);
}

void report(const BenchArgs &args, uint64_t number, const Case &c, int64_t want, int64_t got)
{
	const mch_format shift_format = {7, 0, true}, y_format = {DUT_IN_BITS + 15, 0, true};
	const mch_field in[] = {{"v", c.v, {DUT_IN_BITS, 0, true}, false},
				{"shift", c.shift, shift_format, false},
				{"noise", c.noise, {16, 0, false}, false}};
	const mch_field wanted = {"y", want, y_format, false}, gotten = {"y", got, y_format, false};
	const std::string redo = bench_redo(args, number);
	std::string at = "parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_round_shift";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.want = &wanted, m.got = &gotten;
	m.n_in = 3, m.n_out = 1;
	m.at = at.c_str();
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

} // namespace

int main(int argc, char **argv)
{
	const uint64_t all = exhaustive ? (UINT64_C(1) << DUT_IN_BITS) * N_SHIFTS * NOISES : 1000000;
	BenchArgs args = bench_args(argc, argv, all);
	Dut<Vmch_round_shift> dut(args.waves);
	Coverage<mch_tb::SeenRound> covered("mch_round_shift", mch_tb::round_bins::list);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	if (exhaustive && args.first + args.n_cases > all)
		args.n_cases = args.first < all ? all - args.first : 0;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++) {
		const Case c = make_case(args.seed, number);
		dut->v_i = static_cast<uint64_t>(c.v) & ((UINT64_C(1) << DUT_IN_BITS) - 1);
		dut->shift_i = static_cast<uint8_t>(c.shift - MCH_SHIFT_MIN);
		dut->noise_i = static_cast<uint16_t>(c.noise);
		dut.settle();
		const int64_t want = mch_round_shift(c.v, c.shift, static_cast<mch_round>(DUT_ROUND), c.noise);
		const int64_t got = sign_extended(dut->y_o, DUT_IN_BITS + 15);
		covered.sample({DUT_IN_BITS, c.v, c.shift, c.noise, static_cast<mch_round>(DUT_ROUND), want});
		agreed = got == want;
		if (!agreed)
			report(args, number, c, want, got);
	}
	return bench_end(args, watch, compared, dut.cycles(), agreed);
}
