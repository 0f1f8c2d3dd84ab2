/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_datapath: whole random convolutions (stride, pad, groups, dilation, several images) in lock-step with
 * arch/datapath.c, and the reassembled outputs against op/conv.h and op/requant.h; in a third of them rows of sums come between. Spec: docs/datapath.md "datapath".
 * verilate: mch_datapath sim/registers.vlt tb/lockstep.cpp tb/stream.cpp tb/stream_hunt.cpp tb/layer_case.cpp cmodel/net/libnet.a */
#include <vector>

#include "sim/waves.h"
#include "tb/mult.h"
#include "tb/stream_hunt.h"

using namespace mch_sim;

#ifndef DUT_OUT_KIND
#define DUT_OUT_KIND 0
#define DUT_OUT_EXP 0
#endif
#ifndef DUT_OUT_WRAP
#define DUT_OUT_WRAP 0
#endif

namespace {

const mch_datapath_config datapath_cfg = {
	{DUT_ROWS, DUT_COLS, DUT_X_BITS, DUT_W_BITS, {DUT_ACC_BITS, static_cast<mch_overflow>(DUT_ACC_SAT)}, mch_tb::mult_of_dut,
	 mch_tb::w_kind_of_dut, mch_tb::pack_of_dut, mch_tb::x_kind_of_dut, mch_tb::x_exp_of_dut, mch_tb::w_exp_of_dut},
	DUT_OUT_BITS,
	static_cast<mch_round>(DUT_ROUND),
	DUT_OUT_WRAP != 0,
	static_cast<mch_number>(DUT_OUT_KIND),
	DUT_OUT_EXP};

/* A random layer with its data; owns what its step points at. */
struct Layer {
	mch_layer layer = {};
	mch_step step = {};
	std::vector<int32_t> x, weights;
	std::vector<int64_t> integers; /* what the codes of weights stand for */
	std::vector<int64_t> bias;
	std::vector<int8_t> shift;
	int n;

	explicit Layer(mch_rng *rng)
	{
		static char name[] = "random";
		layer.name = name;
		layer.kind = MCH_CONV;
		step.layer = &layer;
		draw_geometry(rng);
		draw_formats(rng);
		draw_data(rng);
	}

	static int draw(mch_rng *rng, int low, int high)
	{
		return low + static_cast<int>(mch_rng_below(rng, static_cast<uint32_t>(high - low + 1)));
	}

	void draw_geometry(mch_rng *rng)
	{
		struct mch_conv &g = step.conv;
		g.groups = draw(rng, 0, 3) == 0 ? draw(rng, 2, 3) : 1;
		g.n = 1;
		g.c = g.groups * draw(rng, 1, 4);
		g.k = g.groups * draw(rng, 1, DUT_COLS + 2);
		g.r = draw(rng, 1, 3);
		g.s = draw(rng, 1, 3);
		g.stride_h = draw(rng, 1, 2);
		g.stride_w = draw(rng, 1, 2);
		g.dilation_h = draw(rng, 1, 2);
		g.dilation_w = draw(rng, 1, 2);
		g.pad_top = draw(rng, 0, 2);
		g.pad_left = draw(rng, 0, 2);
		g.pad_bottom = draw(rng, 0, 2);
		g.pad_right = draw(rng, 0, 2);
		g.h = g.dilation_h * (g.r - 1) + draw(rng, 1, 5);
		g.w = g.dilation_w * (g.s - 1) + draw(rng, 1, 5);
		/* The noise of stochastic rounding starts anew with each image: one at a time. */
		n = DUT_ROUND == MCH_ROUND_STOCHASTIC ? 1 : draw(rng, 1, 3);
	}

	void draw_formats(mch_rng *rng)
	{
		step.in_format = {draw(rng, 1, DUT_X_BITS), 0, mch_rng_below(rng, 2) != 0};
		step.weight_format = {draw(rng, 1, DUT_W_BITS), 0, true};
		if (mch_tb::is_minifloat_dut) {
			step.in_format = {DUT_X_BITS, 0, step.in_format.is_signed, mch_tb::x_kind_of_dut, DUT_X_EXP};
			step.weight_format = {DUT_W_BITS, 0, true, mch_tb::w_kind_of_dut, DUT_W_EXP};
		}
		step.out_format = {draw(rng, 1, DUT_OUT_BITS), 0, mch_rng_below(rng, 2) != 0};
		if (datapath_cfg.out_kind != MCH_FIXED)
			step.out_format = {DUT_OUT_BITS, 0, step.out_format.is_signed, datapath_cfg.out_kind, DUT_OUT_EXP};
		step.acc = datapath_cfg.array.acc;
	}

	static int32_t code(mch_rng *rng, mch_format f)
	{
		const int64_t v = corner(rng, f.bits, f.is_signed);
		if (f.number == MCH_FIXED)
			return static_cast<int32_t>(v);
		const int64_t min = mch_format_min(f), max = mch_format_max(f);
		return static_cast<int32_t>(v < min ? min : v > max ? max : v);
	}

	void draw_data(mch_rng *rng)
	{
		const struct mch_conv &g = step.conv;
		x.resize(static_cast<size_t>(n * g.c * g.h * g.w));
		for (int32_t &v : x)
			v = code(rng, step.in_format);
		weights.resize(static_cast<size_t>(g.k) * mch_conv_terms(&g));
		for (int32_t &v : weights)
			v = code(rng, step.weight_format);
		for (const int32_t v : weights)
			integers.push_back(mch_tb::is_minifloat_dut ? mch_format_integer(step.weight_format, v) : mch_tb::weight_of(v));
		for (int k = 0; k < g.k; k++) {
			bias.push_back(corner(rng, DUT_ACC_BITS, true) >> mch_rng_below(rng, DUT_ACC_BITS));
			/* Mostly near the shift that leaves the output's width; all shifts now and then. */
			const int near = mch_mac_array_product_bits(&datapath_cfg.array) - out_bits() + draw(rng, -4, 4);
			const int s = draw(rng, 0, 7) == 0 ? draw(rng, MCH_SHIFT_MIN, MCH_SHIFT_MAX) : near;
			shift.push_back(static_cast<int8_t>(s < MCH_SHIFT_MIN ? MCH_SHIFT_MIN : s));
		}
		step.weights = weights.data();
		step.bias = bias.data();
		step.shift = shift.data();
		step.requant = {step.out_format.bits, step.out_format.is_signed, mch_rng_below(rng, 2) != 0,
				datapath_cfg.round, static_cast<uint32_t>(mch_rng_next(rng)), bias.data(), shift.data(),
				false, 0, 0, datapath_cfg.out_wraps, step.out_format.number, step.out_format.exp_bits};
	}

	/* Of the integer of the largest code. */
	int out_bits() const
	{
		if (step.out_format.number == MCH_FIXED)
			return step.out_format.bits;
		int bits = 1;
		while (mch_format_integer(step.out_format, mch_format_max(step.out_format)) >> bits)
			bits++;
		return bits;
	}

	size_t n_out() const
	{
		return static_cast<size_t>(n) * static_cast<size_t>(step.conv.k * mch_conv_p(&step.conv) * mch_conv_q(&step.conv));
	}
};

void report(const BenchArgs &args, uint64_t number, const mch_field *in, int n_in, int64_t want, int64_t got,
	    mch_format format, const std::string &at, const std::string &hint = "", const std::string &see = "",
	    const std::string &replayed = "")
{
	const mch_field wanted = {"value", want, format, false}, gotten = {"value", got, format, false};
	const std::string redo = replayed.empty() ? bench_redo(args, number)
						  : std::string(args.program) + " --replay=" + replayed + " --stalls=" +
							    std::to_string(args.stall_percent) + bench_waves(args.name);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_datapath";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.n_in = n_in;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str();
	m.hint = hint.empty() ? nullptr : hint.c_str();
	m.see = see.c_str();
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

/* The plain operators on numbers of any kind. */
void run_wide(const Layer &layer, int32_t *y)
{
	const mch_format x = layer.step.in_format;
	std::vector<int64_t> integers, weights(layer.integers.begin(), layer.integers.end());
	for (int64_t code = mch_format_min(x); code <= mch_format_max(x); code++)
		integers.push_back(mch_format_integer(x, code));
	const std::vector<mch_int128> bias(layer.bias.begin(), layer.bias.end());
	struct mch_wide_mac m = {layer.step.conv, layer.step.acc, integers.data(), mch_format_min(x), weights.data(), bias.data(),
			  &layer.step.requant};
	m.conv.n = layer.n;
	mch_wide_mac(&m, layer.x.data(), y, nullptr);
}

/* Reassembled outputs against the plain operators. */
bool outputs_agree(const BenchArgs &args, uint64_t number, const Layer &layer, const std::vector<int32_t> &y, mch_tb::Stream &stream)
{
	std::vector<int64_t> acc(layer.n_out());
	std::vector<int32_t> want(layer.n_out());
	mch_step step = layer.step;
	std::vector<int32_t> integers(layer.integers.begin(), layer.integers.end());
	step.weights = integers.data();
	if (datapath_cfg.out_kind == MCH_FIXED && !mch_tb::is_minifloat_dut)
		mch_step_run(&step, layer.n, layer.x.data(), acc.data(), want.data(), nullptr);
	else
		run_wide(layer, want.data());
	const size_t pixels = static_cast<size_t>(mch_conv_p(&layer.step.conv) * mch_conv_q(&layer.step.conv));
	for (size_t i = 0; i < want.size(); i++) {
		if (want[i] == y[i])
			continue;
		const std::string hint = stream.hint(y.data());
		const size_t k = i / pixels % static_cast<size_t>(layer.step.conv.k);
		const mch_field in[] = {{"acc", acc[i], {DUT_ACC_BITS, 0, true}, false},
					{"bias", layer.bias[k], {DUT_ACC_BITS, 0, true}, false},
					{"shift", layer.shift[k], {7, 0, true}, false}};
		report(args, number, in, 3, want[i], y[i], layer.step.out_format,
		       "n=" + std::to_string(i / pixels / static_cast<size_t>(layer.step.conv.k)) + " k=" + std::to_string(k) +
			       " pixel " + std::to_string(i % pixels) + "  parameters " DUT_PARAMETERS, hint);
		return false;
	}
	return true;
}

/* A layer that a report saved; its stalls are those of the options. */
int replay(const BenchArgs &args, const std::string &path)
{
	const Stopwatch watch;
	const mch_tb::StreamReplay saved(datapath_cfg, path);
	mch_tb::StreamOptions options;
	options.stall_percent = args.stall_percent, options.waves = args.waves;
	mch_tb::Stream stream(datapath_cfg, options);
	const bool agreed = saved.run(&stream);
	if (!agreed) {
		const mch_tb::Difference &d = stream.difference();
		report(args, 0, nullptr, 0, d.want, d.got, {d.bits, 0, d.is_signed}, stream.position(), "", "", path);
	}
	return bench_end(args, watch, 1, stream.cycles(), agreed);
}

} // namespace

int main(int argc, char **argv)
{
	const std::string file = bench_replay(&argc, argv);
	const BenchArgs args = bench_args(argc, argv, 100);
	if (!file.empty())
		return replay(args, file);
	Stopwatch watch;
	uint64_t compared = 0, cycles = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++) {
		mch_rng rng = case_rng(args.seed, number);
		static const int some[] = {0, 0, 10, 50};
		mch_tb::StreamOptions options;
		options.seed = mch_rng_next(&rng);
		options.stall_percent = args.stall_percent ? args.stall_percent : some[mch_rng_below(&rng, 4)];
		options.waves = args.waves;
		options.sum_percent = number % 3 == 0 ? 25 : 0;
		Layer layer(&rng);
		std::vector<int32_t> y(layer.n_out());
		mch_tb::Stream stream(datapath_cfg, options);
		agreed = stream.run(layer.step, layer.n, layer.x.data(), y.data());
		if (!agreed) {
			const mch_tb::Difference &d = stream.difference();
			const std::string at = stream.position();
			std::string see = bench_see(args, number, d.name, stream.edges());
			stream.run_out();
			if (args.waves.empty() && see.find(".vec") == std::string::npos) {
				const std::string small = mch_tb::stream_smallest(datapath_cfg, options.stall_percent, layer.step, layer.n, layer.x.data(),
										  std::string(args.program) + ".vec", bench_redo(args, number));
				see += (see.empty() || small.empty() ? "" : ", ") + small;
			}
			report(args, number, nullptr, 0, d.want, d.got, {d.bits, 0, d.is_signed}, at, stream.hint(), see);
		} else if (options.sum_percent == 0 || DUT_ROUND != MCH_ROUND_STOCHASTIC) {
			/* A row of sums takes a step of the noise, which the plain statement of a stochastic layer does not know. */
			agreed = outputs_agree(args, number, layer, y, stream);
		}
		cycles += stream.cycles();
	}
	return bench_end(args, watch, compared, cycles, agreed);
}
