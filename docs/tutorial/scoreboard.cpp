// The array of the tutorial in a bench in C++: the model expects, the scoreboard compares.
//
// usage: scoreboard [first]     against the first version of the array: rounded half up, and wrapping
//        scoreboard self        the scoreboard's own faults: nothing compared, something left, something unexpected, unstable
#include <cstring>

#include "Vmy_array.h"
#include "sim/scoreboard.h"
#include "sim/stimulus.h"
extern "C" {
#include "fxp/mac.h"
#include "op/requant.h"
}

using mch_sim::Scoreboard;
using mch_sim::Signal;

static Scoreboard make()
{
	const mch_format sum = {18, 11, true, MCH_FIXED, 0}, y = {8, 4, true, MCH_FIXED, 0};
	return Scoreboard("scoreboard", "my_array", {Signal{"acc", sum, false}, Signal{"bias", sum, false}}, {Signal{"y", y, true}});
}

static void tick(Vmy_array *dut)
{
	dut->clk = 1;
	dut->eval();
	dut->clk = 0;
	dut->eval();
}

// One sum of four products in each cell.
static void run(Vmy_array *dut, Scoreboard *board, mch_rng *rng, const struct mch_requant *rule)
{
	int64_t acc[2][2] = {};
	const int64_t bias[2] = {mch_sim::corner(rng, 18, true), mch_sim::corner(rng, 18, true)};
	dut->bias = static_cast<uint64_t>(bias[1]) << 18 & 0xfffffffff | (bias[0] & 0x3ffff);
	for (int t = 0; t < 4; t++) {
		int32_t x[2], w[2];
		bool over;
		for (int i = 0; i < 2; i++) {
			x[i] = static_cast<int32_t>(mch_sim::corner(rng, 8, true));
			w[i] = static_cast<int32_t>(mch_sim::corner(rng, 8, true));
		}
		for (int cell = 0; cell < 4; cell++)
			acc[cell / 2][cell % 2] = mch_mac({18, MCH_WRAP}, acc[cell / 2][cell % 2], x[cell / 2], w[cell % 2], &over);
		dut->start = t == 0;
		dut->x = static_cast<uint16_t>((x[1] & 255) << 8 | (x[0] & 255));
		dut->w = static_cast<uint16_t>((w[1] & 255) << 8 | (w[0] & 255));
		tick(dut);
	}
	for (int cell = 0; cell < 4; cell++) {
		bool saturated;
		const int64_t sum = acc[cell / 2][cell % 2], b = bias[cell % 2];
		board->expect({sum, b}, {mch_requant_value(rule, sum, b, 7, 0, &saturated)},
			      "row " + std::to_string(cell / 2) + ", column " + std::to_string(cell % 2));
		board->cycle(true, true, {static_cast<int8_t>(dut->y >> 8 * cell)});
	}
}

// Each of these must be seen.
static int judge_itself()
{
	Scoreboard empty = make(), left = make(), unexpected = make(), unstable = make();
	left.expect({0, 0}, {1});
	unexpected.got({1});
	unstable.expect({0, 0}, {1});
	unstable.cycle(true, false, {2});
	unstable.cycle(true, true, {1});
	return empty.end() == 99 && left.end() == 1 && unexpected.end() == 1 && unstable.end() == 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
	const bool is_first = argc > 1 && std::strcmp(argv[1], "first") == 0;
	struct mch_requant rule = {};
	rule.out_bits = 8;
	rule.out_signed = true;
	rule.round = is_first ? MCH_ROUND_HALF_UP : MCH_ROUND_HALF_EVEN;
	rule.wraps = is_first;
	if (argc > 1 && std::strcmp(argv[1], "self") == 0)
		return judge_itself();
	Vmy_array dut;
	dut.clk = 0;
	dut.eval(); // a first evaluation sees no edge
	Scoreboard board = make();
	mch_rng rng = mch_rng_seed(1);
	for (int i = 0; i < 10000; i++)
		run(&dut, &board, &rng, &rule);
	return board.end();
}
