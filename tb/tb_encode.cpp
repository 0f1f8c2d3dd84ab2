/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_encode against fxp/encode.h (that one against a list of all numbers: tests/check_number.c, check_encode.c): values on,
 * beside and between codes, at both ends, and of all magnitudes. Spec: docs/datapath.md "encode".
 * verilate: mch_encode */
extern "C" {
#include "fxp/encode.h"
#include "tensor/report.h"
}
#include "Vmch_encode.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/bins_arithmetic.h"

using namespace mch_sim;

namespace {

const mch_round round_mode = static_cast<mch_round>(DUT_ROUND);

struct Case {
	mch_format y;
	int64_t v;
	int shift;
	uint16_t noise;
};

/* Half of the values lie at a part of the way between two codes, or beside that by one, or by one bit of any place. */
int64_t near_code(mch_rng *rng, const Case &c)
{
	const int64_t max = mch_format_max(c.y);
	int64_t code = into_range(corner(rng, c.y.bits + 1, true), c.y.bits + 1, true);
	code = code > max ? max : code < -max ? -max : code;
	const int64_t at = mch_format_integer({c.y.bits, 0, true, c.y.number, c.y.exp_bits}, code);
	/* Of a step below or above, quarters: of the largest step, as the last run has it, too. */
	const int64_t step = INT64_C(1) << mch_rng_below(rng, 31);
	const int64_t quarters = 4 * at + static_cast<int64_t>(mch_rng_below(rng, 5)) * step;
	const int64_t unit = INT64_C(1) << (chance(rng, 50) ? mch_rng_below(rng, DUT_IN_BITS) : 0);
	const int64_t beside = (static_cast<int64_t>(mch_rng_below(rng, 3)) - 1) * unit;
	if (c.shift < 2)
		return quarters / 4 / (INT64_C(1) << (c.shift < 0 ? -c.shift : 0)) + beside;
	const __int128 v = static_cast<__int128>(quarters) * (INT64_C(1) << (c.shift - 2)) + beside;
	const __int128 limit = INT64_C(1) << 60;
	return static_cast<int64_t>(v > limit ? limit : v < -limit ? -limit : v);
}

Case draw(mch_rng *rng)
{
	Case c = {};
	c.y = {DUT_OUT_BITS, 0, chance(rng, 60), static_cast<mch_number>(DUT_OUT_KIND), DUT_OUT_EXP};
	c.shift = MCH_SHIFT_MIN + static_cast<int>(mch_rng_below(rng, MCH_SHIFT_MAX - MCH_SHIFT_MIN + 1));
	if (chance(rng, 60))
		c.shift = static_cast<int>(mch_rng_below(rng, DUT_IN_BITS));
	c.shift = c.shift > MCH_SHIFT_MAX ? MCH_SHIFT_MAX : c.shift;
	const int64_t v = chance(rng, 50) ? near_code(rng, c) : corner(rng, DUT_IN_BITS, true);
	c.v = into_range(v, DUT_IN_BITS, true);
	c.noise = static_cast<uint16_t>(mch_rng_next(rng));
	return c;
}

bool run_case(const BenchArgs &args, Dut<Vmch_encode> &dut, Coverage<mch_tb::SeenEncode> &covered, uint64_t number)
{
	mch_rng rng = case_rng(args.seed, number);
	const Case c = draw(&rng);
	dut->v_i = static_cast<uint64_t>(c.v) & (UINT64_MAX >> (64 - DUT_IN_BITS));
	dut->shift_i = static_cast<uint8_t>(c.shift - MCH_SHIFT_MIN);
	dut->noise_i = c.noise;
	dut->y_signed_i = c.y.is_signed;
	dut.settle();
	bool sat;
	const uint32_t want = mch_encode(c.y, c.v, c.shift, round_mode, c.noise, &sat);
	covered.sample({c.y, c.v, c.shift, want, sat});
	if (dut->y_o == want && dut->sat_o == sat)
		return true;
	const mch_format flag = {1, 0, false}, code = {DUT_OUT_BITS, 0, false};
	const mch_field in[] = {{"v", c.v, {DUT_IN_BITS, 0, true}, false},
				{"shift", c.shift, {7, 0, true}, false},
				{"noise", c.noise, {16, 0, false}, false},
				{"y_signed", c.y.is_signed, flag, false}};
	const mch_field wanted[] = {{"y", want, code, false}, {"sat", sat, flag, false}};
	const mch_field gotten[] = {{"y", dut->y_o, code, false}, {"sat", dut->sat_o, flag, false}};
	const std::string redo = bench_redo(args, number);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_encode";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.n_in = 4;
	m.want = wanted, m.got = gotten, m.n_out = 2;
	m.at = "parameters " DUT_PARAMETERS;
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
	return false;
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 500000);
	Dut<Vmch_encode> dut(args.waves);
	Coverage<mch_tb::SeenEncode> covered("mch_encode", mch_tb::encode_bins::list);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = run_case(args, dut, covered, number);
	return bench_end(args, watch, compared, dut.cycles(), agreed);
}
