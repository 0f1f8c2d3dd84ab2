/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of all widths of mch_round_shift and mch_sat of up to BITS bits against fxp/round_shift.h and fxp/sat.h: every value, every
 * shift, every rule, every format. Of the 65536 noises of the stochastic rule those that decide, and some by the seed. A case is
 * one set of inputs; `cases` of the summary counts results that were compared. Spec: docs/datapath.md "round_shift", "sat".
 * verilate: mch_widths */
extern "C" {
#include "fxp/round_shift.h"
#include "fxp/sat.h"
#include "tensor/report.h"
}
#include "Vmch_widths.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/stimulus.h"

using namespace mch_sim;

namespace {

enum {
	BITS = DUT_BITS,
	N_SHIFTS = MCH_SHIFT_MAX - MCH_SHIFT_MIN + 1,
	N_NOISES = 16,
	N_FORMATS = 2 * (BITS - 1),
};
const uint64_t n_values = UINT64_C(1) << BITS, n_rounds = n_values * N_SHIFTS * N_NOISES, n_sats = n_values * N_FORMATS;

/* One side of the bench has tried out its inputs of this case, or not. */
struct Tried {
	uint64_t compared;
	bool agreed;
};

void report(const BenchArgs &args, uint64_t number, const char *module, const std::string &at, const mch_field *in, int n_in,
	    const mch_field *want, const mch_field *got, int n_out)
{
	const std::string redo = bench_redo(args, number);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = module;
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.want = want, m.got = got;
	m.n_in = n_in, m.n_out = n_out;
	m.at = at.c_str();
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

/* Half of them around the carry of the lost bits, then both ends, then any. */
uint32_t noise_of(uint64_t seed, uint64_t number, int64_t v, int shift)
{
	const unsigned which = static_cast<unsigned>(number % N_NOISES);
	if (which < N_NOISES / 2) {
		const uint64_t lost = shift > 0 ? static_cast<uint64_t>(v) << (64 - shift) >> 48 : 0;
		return static_cast<uint32_t>(UINT64_C(0x10000) - lost + which - N_NOISES / 4) & 0xffff;
	}
	if (which < N_NOISES / 2 + 2)
		return which % 2 ? 0xffff : 0;
	mch_rng rng = case_rng(seed, number);
	return static_cast<uint32_t>(mch_rng_below(&rng, 0x10000));
}

/* All rules of all widths that hold v; those that read no noise once for all noises. */
Tried try_round(Dut<Vmch_widths> &dut, const BenchArgs &args, uint64_t number)
{
	const int64_t v = static_cast<int64_t>(number / (N_SHIFTS * N_NOISES)) + low_code(BITS, true);
	const int shift = static_cast<int>(number / N_NOISES % N_SHIFTS) + MCH_SHIFT_MIN;
	const uint32_t noise = noise_of(args.seed, number, v, shift);
	uint64_t compared = 0;
	dut->v_i = static_cast<uint16_t>(v & (n_values - 1));
	dut->shift_i = static_cast<uint8_t>(shift - MCH_SHIFT_MIN);
	dut->noise_i = static_cast<uint16_t>(noise);
	dut.settle();
	for (int round = number % N_NOISES ? MCH_ROUND_STOCHASTIC : 0; round < MCH_N_ROUNDS; round++) {
		const int64_t want = mch_round_shift(v, shift, static_cast<mch_round>(round), noise);
		for (int bits = BITS; bits >= 2 && v >= low_code(bits, true) && v <= high_code(bits, true); bits--, compared++) {
			const int64_t got = static_cast<int32_t>(dut->round_o[(bits - 2) * MCH_N_ROUNDS + round]);
			if (got == want)
				continue;
			const mch_format y_format = {bits + 15, 0, true};
			const mch_field in[] = {{"v", v, {bits, 0, true}, false},
						{"shift", shift, {7, 0, true}, false},
						{"noise", noise, {16, 0, false}, false}};
			const mch_field wanted = {"y", want, y_format, false}, gotten = {"y", got, y_format, false};
			report(args, number, "mch_round_shift",
			       "parameters IN_BITS=" + std::to_string(bits) + " ROUND=" + std::to_string(round), in, 3, &wanted,
			       &gotten, 1);
			return {compared + 1, false};
		}
	}
	return {compared, true};
}

/* One width into another; true when they agree. */
bool sat_agrees(Dut<Vmch_widths> &dut, const BenchArgs &args, uint64_t number, int bits, int out_bits, int wraps)
{
	const int64_t v = static_cast<int64_t>((number - n_rounds) / N_FORMATS) + low_code(BITS, true);
	const bool is_signed = dut->y_signed_i;
	const int y_bits = dut->y_bits_i;
	bool want_sat;
	int64_t want = mch_sat(v, y_bits, is_signed, &want_sat);
	if (wraps)
		want = mch_wrap_code(v, y_bits, is_signed);
	const uint32_t word = dut->sat_o[((bits - 2) * (BITS - 1) + out_bits - 1) * 2 + wraps];
	/* All of the register counts, with the bits above the code. */
	const int64_t got = is_signed ? mch_wrap(word & 0xffff, out_bits) : word & 0xffff;
	const bool got_sat = word >> 16;
	if (got == want && got_sat == want_sat)
		return true;
	const mch_format y_format = {out_bits, 0, is_signed}, flag = {1, 0, false};
	const mch_field in[] = {{"v", v, {bits, 0, true}, false},
				{"y_bits", y_bits, {5, 0, false}, false},
				{"y_signed", is_signed, flag, false}};
	const mch_field wanted[] = {{"y", want, y_format, false}, {"sat", want_sat, flag, false}};
	const mch_field gotten[] = {{"y", got, y_format, false}, {"sat", got_sat, flag, false}};
	report(args, number, "mch_sat",
	       "parameters IN_BITS=" + std::to_string(bits) + " OUT_BITS=" + std::to_string(out_bits) + " WRAP=" + std::to_string(wraps),
	       in, 3, wanted, gotten, 2);
	return false;
}

/* All widths that hold v, into all that hold the format. */
Tried try_sat(Dut<Vmch_widths> &dut, const BenchArgs &args, uint64_t number)
{
	const uint64_t step = number - n_rounds;
	const int64_t v = static_cast<int64_t>(step / N_FORMATS) + low_code(BITS, true);
	uint64_t compared = 0;
	dut->v_i = static_cast<uint16_t>(v & (n_values - 1));
	dut->y_bits_i = static_cast<uint8_t>(step % N_FORMATS / 2 + 1);
	dut->y_signed_i = step % 2;
	dut.settle();
	for (int bits = BITS; bits >= 2 && v >= low_code(bits, true) && v <= high_code(bits, true); bits--)
		for (int out_bits = dut->y_bits_i; out_bits < bits; out_bits++)
			for (int wraps = 0; wraps < 2; wraps++, compared++)
				if (!sat_agrees(dut, args, number, bits, out_bits, wraps))
					return {compared + 1, false};
	return {compared, true};
}

} // namespace

int main(int argc, char **argv)
{
	const uint64_t all = n_rounds + n_sats;
	BenchArgs args = bench_args(argc, argv, all);
	Dut<Vmch_widths> dut(args.waves);
	Stopwatch watch;
	Tried sum = {0, true};
	if (args.first + args.n_cases > all)
		args.n_cases = args.first < all ? all - args.first : 0;
	for (uint64_t number = args.first; sum.agreed && number < args.first + args.n_cases; number++) {
		const Tried tried = number < n_rounds ? try_round(dut, args, number) : try_sat(dut, args, number);
		sum = {sum.compared + tried.compared, tried.agreed};
	}
	return bench_end(args, watch, sum.compared, dut.cycles(), sum.agreed);
}
