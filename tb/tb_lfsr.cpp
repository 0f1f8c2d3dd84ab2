/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_lfsr against fxp/lfsr.h: a full period with the register moving and holding at random, then random
 * loads; the state is compared after every edge, so latency 1 is checked by each. Spec: docs/datapath.md "lfsr".
 * verilate: mch_lfsr */
extern "C" {
#include "fxp/lfsr.h"
#include "tensor/report.h"
}
#include "Vmch_lfsr.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/bins_arithmetic.h"

using namespace mch_sim;

namespace {

/* A case is one edge. After the first case of all, whose edge loads, 2^17 pass without a load: more than a period. */
enum { PERIOD_CASES = 1 << 17 };

struct Case {
	bool load, en;
	uint16_t seed;
};

Case make_case(const BenchArgs &args, uint64_t number)
{
	mch_rng rng = case_rng(args.seed, number);
	Case c;
	c.load = number == 0 || (number > PERIOD_CASES && chance(&rng, 10));
	c.en = !chance(&rng, args.stall_percent);
	c.seed = static_cast<uint16_t>(corner(&rng, 16, false));
	if (c.seed == 0)
		c.seed = mch_lfsr_seed(static_cast<uint32_t>(args.seed), static_cast<int>(number & 0xff));
	return c;
}

void report(const BenchArgs &args, uint64_t number, const Case &c, uint16_t before, uint16_t want, uint16_t got)
{
	const mch_format word = {16, 0, false}, flag = {1, 0, false};
	const mch_field in[] = {{"state", before, word, false},
				{"load", c.load, flag, false},
				{"seed", c.seed, word, false},
				{"en", c.en, flag, false}};
	const mch_field wanted = {"noise", want, word, false}, gotten = {"noise", got, word, false};
	const std::string redo = bench_redo(args, number);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_lfsr";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.want = &wanted, m.got = &gotten;
	m.n_in = 4, m.n_out = 1;
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

void edge(Dut<Vmch_lfsr> &dut, const Case &c)
{
	dut->load_i = c.load;
	dut->seed_i = c.seed;
	dut->en_i = c.en;
	dut.edge();
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, PERIOD_CASES + 100000);
	Dut<Vmch_lfsr> dut(args.waves);
	Stopwatch watch;
	uint64_t compared = 0, moved = 0;
	uint16_t loaded = 0;
	Coverage<mch_tb::SeenLfsr> covered("mch_lfsr", mch_tb::lfsr_bins::list);
	bool agreed = true;
	uint16_t state = 0;
	/* A case alone starts from the state that the twin has there, loaded by an edge of its own. */
	for (uint64_t number = 0; number < args.first; number++) {
		const Case c = make_case(args, number);
		state = c.load ? c.seed : c.en ? mch_lfsr_next(state) : state;
	}
	if (args.first > 0)
		edge(dut, {true, false, state});
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++) {
		const Case c = make_case(args, number);
		const uint16_t want = c.load ? c.seed : c.en ? mch_lfsr_next(state) : state;
		covered.sample({c.load, c.en, c.seed, state, moved, loaded});
		edge(dut, c);
		const uint16_t got = dut->noise_o;
		agreed = got == want;
		if (!agreed)
			report(args, number, c, state, want, got);
		moved = c.load ? 0 : moved + c.en;
		loaded = c.load ? c.seed : loaded;
		state = want;
	}
	return bench_end(args, watch, compared, dut.cycles(), agreed);
}
