/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_sat against fxp/sat.h: every value in every output format when that is few enough, else values around
 * the rails of every format. Spec: docs/datapath.md "sat".
 * verilate: mch_sat */
extern "C" {
#include "fxp/sat.h"
#include "tensor/report.h"
}
#include "Vmch_sat.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/bins_arithmetic.h"

using namespace mch_sim;

#ifndef DUT_WRAP
#define DUT_WRAP 0
#endif

namespace {

struct Case {
	int64_t v;
	int y_bits;
	bool y_signed;
};

struct Result {
	int64_t y;
	bool sat;
};

/* 2^14 values in at most 32 formats. */
const bool exhaustive = DUT_IN_BITS <= 14;
enum { N_FORMATS = 2 * DUT_OUT_BITS };

Case make_case(uint64_t seed, uint64_t number)
{
	mch_rng rng = case_rng(seed, number);
	const uint64_t format = exhaustive ? number % N_FORMATS : mch_rng_below(&rng, N_FORMATS);
	Case c;
	c.y_bits = static_cast<int>(format / 2) + 1;
	c.y_signed = format % 2;
	if (exhaustive) {
		c.v = static_cast<int64_t>(number / N_FORMATS) + low_code(DUT_IN_BITS, true);
	} else if (chance(&rng, 50)) {
		c.v = corner(&rng, DUT_IN_BITS, true);
	} else {
		const int64_t rail = chance(&rng, 50) ? low_code(c.y_bits, c.y_signed) : high_code(c.y_bits, c.y_signed);
		c.v = into_range(rail + mch_rng_below(&rng, 5) - 2, DUT_IN_BITS, true);
	}
	return c;
}

Result run(Dut<Vmch_sat> &dut, const Case &c)
{
	dut->v_i = static_cast<uint64_t>(c.v) & (UINT64_MAX >> (64 - DUT_IN_BITS));
	dut->y_bits_i = static_cast<uint8_t>(c.y_bits);
	dut->y_signed_i = c.y_signed;
	dut.settle();
	/* All of the register counts, with the bits above the code. */
	return {c.y_signed ? mch_wrap(dut->y_o, DUT_OUT_BITS) : static_cast<int64_t>(dut->y_o), dut->sat_o != 0};
}

void report(const BenchArgs &args, uint64_t number, const Case &c, const Result &want, const Result &got)
{
	const mch_format y_format = {DUT_OUT_BITS, 0, c.y_signed}, flag = {1, 0, false};
	const mch_field in[] = {{"v", c.v, {DUT_IN_BITS, 0, true}, false},
				{"y_bits", c.y_bits, {5, 0, false}, false},
				{"y_signed", c.y_signed, flag, false}};
	const mch_field wanted[] = {{"y", want.y, y_format, false}, {"sat", want.sat, flag, false}};
	const mch_field gotten[] = {{"y", got.y, y_format, false}, {"sat", got.sat, flag, false}};
	const std::string redo = bench_redo(args, number);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_sat";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.want = wanted, m.got = gotten;
	m.n_in = 3, m.n_out = 2;
	m.at = "parameters " DUT_PARAMETERS;
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

} // namespace

int main(int argc, char **argv)
{
	const uint64_t all = exhaustive ? (UINT64_C(1) << DUT_IN_BITS) * N_FORMATS : 1000000;
	BenchArgs args = bench_args(argc, argv, all);
	Dut<Vmch_sat> dut(args.waves);
	Coverage<mch_tb::SeenSat> covered("mch_sat", mch_tb::sat_bins::list);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	if (exhaustive && args.first + args.n_cases > all)
		args.n_cases = args.first < all ? all - args.first : 0;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++) {
		const Case c = make_case(args.seed, number);
		const Result got = run(dut, c);
		Result want;
		want.y = mch_sat(c.v, c.y_bits, c.y_signed, &want.sat);
		if (DUT_WRAP != 0)
			want.y = mch_wrap_code(c.v, c.y_bits, c.y_signed);
		covered.sample({c.v, want.y, c.y_bits, c.y_signed, want.sat, DUT_WRAP != 0});
		agreed = got.y == want.y && got.sat == want.sat;
		if (!agreed)
			report(args, number, c, want, got);
	}
	return bench_end(args, watch, compared, dut.cycles(), agreed);
}
