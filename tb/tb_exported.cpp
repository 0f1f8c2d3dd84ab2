/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of a whole exported network: its real layers, with real images, through the RTL that the exported Verilog header
 * builds, in lock-step with the C twin; every layer's output against the plain operators; classes against labels.
 * What it runs comes from the export alone: header, memory images, manifest. It refuses to start when they differ.
 * verilate: mch_exported sim/registers.vlt tb/lockstep.cpp tb/stream.cpp tb/stream_hunt.cpp tb/layer_case.cpp cmodel/io/libio.a cmodel/net/libnet.a cmodel/fast/libfast.a */
#include <algorithm>
#include <cinttypes>
#include <vector>

#include <unistd.h>

#define MCH_CONFIG_LAYERS
#include "macchiato_config.h"

extern "C" {
#include "io/accel_read.h"
#include "net/dataset.h"
}
#include "sim/waves.h"
#include "tb/stream_hunt.h"

using namespace mch_sim;

namespace {

struct Options {
	std::string program, accel = "accel";
	int n_images = MCH_N_IMAGES;
	int stall_percent = 0;
	uint64_t seed = 1;
	bool lockstep = true, quiet = false, brief = false;
	std::string waves, json, replay;
};

[[noreturn]] void fail(const char *text)
{
	std::fprintf(stderr, "macchiato: %s\n", text);
	std::exit(FAILED);
}

bool value_of(const char *arg, const char *key, const char **value)
{
	const size_t n = std::strlen(key);
	if (std::strncmp(arg, key, n) != 0 || arg[n] != '=')
		return false;
	*value = arg + n + 1;
	return true;
}

Options parse(int argc, char **argv)
{
	BenchArgs names;
	Options o;
	names.program = argv[0];
	o.program = argv[0];
	names.name = "tb_exported";
	for (int i = 1; i < argc; i++) {
		const char *v = nullptr;
		if (value_of(argv[i], "--accel", &v))
			o.accel = v;
		else if (value_of(argv[i], "--images", &v))
			o.n_images = static_cast<int>(bench_number(names, argv[i], v, MCH_N_IMAGES));
		else if (value_of(argv[i], "--stalls", &v))
			o.stall_percent = static_cast<int>(bench_number(names, argv[i], v, 90));
		else if (value_of(argv[i], "--seed", &v))
			o.seed = bench_number(names, argv[i], v, UINT32_MAX);
		else if (value_of(argv[i], "--waves", &v))
			o.waves = v;
		else if (value_of(argv[i], "--around", &v))
			waves_around(bench_number(names, argv[i], v, UINT64_C(1) << 40));
		else if (value_of(argv[i], "--replay", &v))
			o.replay = v;
		else if (value_of(argv[i], "--json", &v))
			o.json = v;
		else if (std::strcmp(argv[i], "--no-lockstep") == 0)
			o.lockstep = false;
		else if (std::strcmp(argv[i], "--brief") == 0)
			o.brief = true;
		else
			fail((std::string("tb_exported: ") + argv[i] +
			      ": no such option; give --accel=DIR --images=N --stalls=PERCENT --seed=N --waves=FILE.fst --around=CYCLE --replay=FILE.vec --json=FILE "
			      "--no-lockstep --brief")
				     .c_str());
	}
	if (o.n_images < 1)
		fail("tb_exported: the export holds no images, so there is nothing to compare; export with --data and --images=20");
	return o;
}

/* One layer of the exported table as a step, with the parameters of its memory images. */
struct Layer {
	mch_layer layer = {};
	mch_step step = {};
	mch_accel_params params = {};
	uint64_t cycles = 0, mismatches = 0, compared = 0, saturated = 0;
	bool on_array = false;

	void init(const mch_config_layer &c, const std::string &accel)
	{
		layer.name = const_cast<char *>(c.name);
		layer.kind = static_cast<mch_kind>(c.kind);
		on_array = c.terms > 0;
		step.layer = &layer;
		step.in_format = {c.x_bits, c.x_frac, c.x_signed != 0};
		step.out_format = {c.y_bits, c.y_frac, c.y_signed != 0};
		step.conv = {1, c.c, c.h, c.w, c.k, c.r, c.s, c.stride_h, c.stride_w, c.pad_top, c.pad_left, c.pad_bottom,
			     c.pad_right, c.dilation_h, c.dilation_w, c.groups};
		step.pool = {1, c.c, c.h, c.w, c.r, c.s, c.stride_h, c.stride_w, c.pad_top, c.pad_left, c.pad_bottom,
			     c.pad_right, c.dilation_h, c.dilation_w, c.ceil_mode != 0, c.count_pad != 0};
		step.requant = {c.y_bits, c.y_signed != 0, c.relu != 0, static_cast<mch_round>(MCH_ROUND),
				static_cast<uint32_t>(MCH_SEED), nullptr, nullptr, false, 0, 0, MCH_OUT_WRAP != 0};
		/* The mean has no noise source: see docs/datapath.md "pool". */
		step.avg = {c.y_bits, c.y_signed != 0,
			    MCH_ROUND == MCH_ROUND_STOCHASTIC ? MCH_ROUND_HALF_EVEN : static_cast<mch_round>(MCH_ROUND),
			    c.x_frac - c.y_frac};
		if (on_array)
			load(c, accel);
		else if (layer.kind == MCH_RELU)
			lone_relu(c);
	}

	void load(const mch_config_layer &c, const std::string &accel)
	{
		mch_err err;
		const std::string file = c.weights_file;
		const std::string stem = file.substr(0, file.rfind(".weights.mem"));
		if (mch_accel_read_params(accel.c_str(), stem.c_str(), &params, &err) != 0)
			fail(err.text);
		if (params.n_weights != static_cast<size_t>(c.k) * static_cast<size_t>(c.terms) ||
		    params.n_channels != static_cast<size_t>(c.k))
			fail("tb_exported: a memory image is not of the size that the header states; export again");
		step.weight_format = {c.w_bits, c.w_frac, true};
		step.acc = {c.acc_bits, static_cast<mch_overflow>(c.acc_sat)};
		step.weights = params.weights;
		step.requant.bias = step.bias = params.bias;
		step.requant.shift = step.shift = params.shift;
	}

	void lone_relu(const mch_config_layer &c)
	{
		step.pool.c = c.c;
		relu_bias.assign(static_cast<size_t>(c.c), 0);
		relu_shift.assign(static_cast<size_t>(c.c), static_cast<int8_t>(c.x_frac - c.y_frac));
		step.requant.bias = relu_bias.data();
		step.requant.shift = relu_shift.data();
	}

	std::vector<int64_t> relu_bias;
	std::vector<int8_t> relu_shift;
};

std::vector<int64_t> image(const std::string &accel, const char *file, size_t n_words)
{
	int64_t *words;
	size_t n;
	mch_err err;
	if (mch_accel_read_image(accel.c_str(), file, &words, &n, &err) != 0)
		fail(err.text);
	if (n < n_words)
		fail("tb_exported: an image file is shorter than the header states; export again");
	const std::vector<int64_t> all(words, words + n);
	std::free(words);
	return all;
}

class Network {
public:
	explicit Network(const Options &o)
		: o_(o), config_{{MCH_ROWS, MCH_COLS, MCH_X_BITS, MCH_W_BITS,
				  {MCH_ACC_BITS, static_cast<mch_overflow>(MCH_ACC_SAT)}},
				 MCH_OUT_BITS,
				 static_cast<mch_round>(MCH_ROUND), MCH_OUT_WRAP != 0},
		  layers_(MCH_N_LAYERS), outputs_(MCH_N_LAYERS)
	{
		mch_err err;
		if (mch_accel_check_skew(o.accel.c_str(), MCH_CONFIG_HASH, &err) != 0)
			fail(err.text);
		mch_tb::StreamOptions stream_options;
		stream_options.seed = o.seed;
		stream_options.stall_percent = o.stall_percent;
		stream_options.lockstep = o.lockstep;
		stream_options.waves = o.waves;
		stream_.reset(new mch_tb::Stream(config_, stream_options));
		check_rtl_hash();
		for (size_t i = 0; i < layers_.size(); i++)
			layers_[i].init(mch_config_layers[i], o.accel);
		const size_t elems = static_cast<size_t>(MCH_INPUT_C) * MCH_INPUT_H * MCH_INPUT_W;
		const std::vector<int64_t> codes = image(o.accel, "images.mem", elems * MCH_N_IMAGES);
		images_.assign(codes.begin(), codes.begin() + static_cast<ptrdiff_t>(elems) * o.n_images);
	}

	/* All images together, so that fully connected layers fill the array's rows; a stochastic net one by one, since its
	 * noise starts anew with each image. */
	bool run()
	{
		Stopwatch watch;
		const int at_once = MCH_ROUND == MCH_ROUND_STOCHASTIC ? 1 : o_.n_images;
		for (int first = 0; first < o_.n_images; first += at_once)
			for (size_t i = 0; i < layers_.size(); i++)
				if (!run_layer(i, first, at_once))
					return false;
		seconds_ = watch.seconds();
		return true;
	}

	int finish(bool streamed);

	/* A layer that a report saved: exit status. */
	int replay()
	{
		const mch_tb::StreamReplay saved(config_, o_.replay);
		const mch_tb::Difference &d = stream_->difference();
		const bool agreed = saved.run(stream_.get());
		if (!agreed)
			report(d.want, d.got, {d.bits, 0, d.is_signed}, stream_->position());
		std::printf("%s: %s\n", o_.replay.c_str(), agreed ? "agreed" : "MISMATCH");
		return agreed ? AGREED : MISMATCH;
	}

private:
	/* The hash that the Verilog header put on the pins against that of the C header. */
	void check_rtl_hash()
	{
		char text[65] = "";
		for (int word = 7; word >= 0; word--)
			std::snprintf(text + 8 * (7 - word), 9, "%08x", static_cast<unsigned>(stream_->config_hash_word(word)));
		if (std::strcmp(text, MCH_CONFIG_HASH) != 0)
			fail("macchiato_config.vh: the RTL was built with the header of another export; build it again");
	}

	bool run_layer(size_t i, int first, int n)
	{
		Layer &l = layers_[i];
		const mch_config_layer &c = mch_config_layers[i];
		const size_t in_elems = static_cast<size_t>(c.c) * static_cast<size_t>(c.h) * static_cast<size_t>(c.w);
		const size_t out_elems = static_cast<size_t>(c.k) * static_cast<size_t>(c.p) * static_cast<size_t>(c.q);
		const int32_t *x = (c.source < 0 ? images_.data() : outputs_[static_cast<size_t>(c.source)].data()) +
				   static_cast<size_t>(first) * in_elems;
		outputs_[i].resize(static_cast<size_t>(o_.n_images) * out_elems);
		int32_t *y = outputs_[i].data() + static_cast<size_t>(first) * out_elems;
		std::vector<int64_t> acc(static_cast<size_t>(n) * (out_elems > in_elems ? out_elems : in_elems));
		if (!l.on_array) {
			mch_step_run(&l.step, n, x, acc.data(), y, nullptr);
			return true;
		}
		if (!o_.quiet)
			std::fprintf(stderr, "\r\033[K%s", c.name);
		Stopwatch watch;
		const uint64_t saturated_before = stream_->saturated();
		const bool same = stream_->run(l.step, n, x, y);
		stream_seconds_ += watch.seconds();
		l.cycles += stream_->layer_cycles();
		if (!same) {
			const mch_tb::Difference &d = stream_->difference();
			const std::string at = stream_->position();
			if (o_.waves.empty())
				see_ = mch_tb::stream_see(config_, o_.stall_percent, l.step, n, x, redo(), o_.program, *stream_);
			stream_->run_out();
			report(d.want, d.got, {d.bits, 0, d.is_signed}, at, stream_->hint());
			l.mismatches++;
			return false;
		}
		std::vector<int32_t> want(static_cast<size_t>(n) * out_elems);
		mch_events events = {};
		mch_step_run(&l.step, n, x, acc.data(), want.data(), &events);
		for (size_t at = 0; at < want.size(); at++, l.compared++)
			if (want[at] != y[at] && l.mismatches++ == 0)
				report(want[at], y[at], l.step.out_format,
				       std::string("layer ") + c.name + "  output element " + std::to_string(at), stream_->hint(y));
		/* Saturation is data: the RTL's flags against the model's count. */
		const uint64_t saturated = stream_->saturated() - saturated_before;
		const uint64_t saturated_want = events.n_sat_low + events.n_sat_high;
		l.saturated += saturated;
		if (saturated != saturated_want && l.mismatches++ == 0)
			report(static_cast<int64_t>(saturated_want), static_cast<int64_t>(saturated), {49, 0, false},
			       std::string("layer ") + c.name + "  number of saturated outputs");
		return true;
	}

	/* The command that repeats the run. */
	std::string redo() const
	{
		return o_.program + " --accel=" + o_.accel + " --seed=" + std::to_string(o_.seed) + " --images=" + std::to_string(o_.n_images) +
		       " --stalls=" + std::to_string(o_.stall_percent) + (o_.replay.empty() ? "" : " --replay=" + o_.replay);
	}

	void report(int64_t want, int64_t got, mch_format format, const std::string &at, const std::string &hint = "") const
	{
		const mch_field wanted = {"value", want, format, false}, gotten = {"value", got, format, false};
		const std::string again = redo() + bench_waves("exported");
		mch_mismatch m = {};
		m.where = o_.accel.c_str();
		m.module = "mch_datapath";
		m.seed = o_.seed;
		m.want = &wanted, m.got = &gotten, m.n_out = 1;
		m.at = at.c_str();
		m.hint = hint.empty() ? nullptr : hint.c_str();
		m.see = see_.c_str();
		m.redo = again.c_str();
		mch_mismatch_print(stdout, &m);
	}

	int n_right(const int32_t *logits, const std::vector<int64_t> &labels) const
	{
		int right = 0;
		for (int i = 0; i < o_.n_images; i++)
			right += mch_argmax_raw(logits + static_cast<size_t>(i) * MCH_N_CLASSES, MCH_N_CLASSES) ==
				 labels[static_cast<size_t>(i)];
		return right;
	}

	void print_table() const;
	void write_json(double khz, double mac_per_s) const;

	Options o_;
	mch_datapath_config config_;
	std::unique_ptr<mch_tb::Stream> stream_;
	std::vector<Layer> layers_;
	std::vector<std::vector<int32_t>> outputs_;
	std::vector<int32_t> images_;
	std::string see_;
	double seconds_ = 0, stream_seconds_ = 0;
};

void Network::print_table() const
{
	std::printf("%-10s %-7s %-7s %-7s %8s %12s %10s %10s %10s %10s\n", "layer", "x", "w", "y", "acc bits", "MACs/image",
		    "cycles", "saturated", "compared", "mismatches");
	for (size_t i = 0; i < layers_.size(); i++) {
		const Layer &l = layers_[i];
		char x[16], w[16], y[16];
		if (!l.on_array)
			continue;
		mch_format_text(l.step.in_format, x);
		mch_format_text(l.step.weight_format, w);
		mch_format_text(l.step.out_format, y);
		std::printf("%-10s %-7s %-7s %-7s %8d %12llu %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
			    l.layer.name, x, w, y, l.step.acc.bits, mch_config_layers[i].macs, l.cycles, l.saturated,
			    l.compared, l.mismatches);
	}
}

void Network::write_json(double khz, double mac_per_s) const
{
	std::FILE *f = std::fopen(o_.json.c_str(), "w");
	if (!f || std::fprintf(f, "{\"khz\": %.1f, \"mac_per_s\": %.0f, \"cycles\": %" PRIu64 ", \"lockstep\": %s}\n", khz,
			       mac_per_s, stream_->cycles(), o_.lockstep ? "true" : "false") < 0 ||
	    std::fclose(f) != 0)
		fail((o_.json + ": cannot be written; name another file for --json").c_str());
}

int Network::finish(bool streamed)
{
	if (!o_.quiet)
		std::fprintf(stderr, "\r\033[K");
	uint64_t mismatches = 0, compared = 0;
	for (const Layer &l : layers_) {
		mismatches += l.mismatches;
		compared += l.compared;
	}
	if (!streamed)
		return MISMATCH;
	if (!o_.brief)
		print_table();
	const std::vector<int64_t> labels = image(o_.accel, "labels.mem", MCH_N_IMAGES);
	const std::vector<int64_t> golden64 = image(o_.accel, "logits.mem", static_cast<size_t>(MCH_N_IMAGES) * MCH_N_CLASSES);
	const std::vector<int32_t> golden(golden64.begin(), golden64.end());
	const std::vector<int32_t> &rtl = outputs_[MCH_OUTPUT_SOURCE];
	const bool same_logits = std::equal(rtl.begin(), rtl.end(), golden.begin());
	const int right_rtl = n_right(rtl.data(), labels), right_golden = n_right(golden.data(), labels);
	std::printf("%d images: right by the RTL's outputs %d, by the exact model's %d; logits %s\n", o_.n_images, right_rtl,
		    right_golden, same_logits ? "identical" : "DIFFER");
	const double khz = static_cast<double>(stream_->cycles()) / stream_seconds_ / 1e3;
	const double mac_per_s = static_cast<double>(stream_->macs()) / stream_seconds_;
	std::printf("%s: %" PRIu64 " cycles, %.0f kHz, %.0f M MAC/s, %" PRIu64 " register values compared, stalls %d %%, seed %"
		    PRIu64 "\n", o_.lockstep ? "lock-step" : "RTL alone", stream_->cycles(), khz, mac_per_s / 1e6,
		    stream_->values_compared(), o_.stall_percent, o_.seed);
	std::printf("hash %.16s: C header, Verilog header and manifest agree, images verified\n", MCH_CONFIG_HASH);
	if (!o_.json.empty())
		write_json(khz, mac_per_s);
	const bool pass = mismatches == 0 && same_logits && right_rtl == right_golden;
	const int status = !pass ? MISMATCH : compared == 0 ? NOTHING_COMPARED : AGREED;
	std::printf("tb_exported: seed=%" PRIu64 " cases=%" PRIu64 " cycles=%" PRIu64 " khz=%.0f result=%s\n", o_.seed, compared,
		    stream_->cycles(), khz, pass ? (compared ? "agreed" : "NOTHING COMPARED") : "MISMATCH");
	return status;
}

} // namespace

int main(int argc, char **argv)
{
	Options o = parse(argc, argv);
	o.quiet = !isatty(STDERR_FILENO);
	Network net(o);
	if (!o.replay.empty())
		return net.replay();
	return net.finish(net.run());
}
