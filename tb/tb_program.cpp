/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of whole networks on mch_top: a program that `macchiato export --program` wrote, its images run by the bare-metal driver,
 * in lock-step with the C model: every tensor of every layer against the golden memory, cycles with an ideal memory against those
 * of the plan, classes against labels. What it runs comes from the folder alone.
 * verilate: mch_top sim/registers.vlt tb/lockstep.cpp tb/top_machine.cpp tb/top_place.cpp tb/layer_case.cpp tb/hunt.cpp tb/program_report.cpp driver/libdriver.a cmodel/io/libio.a cmodel/arch/libarch.a cmodel/net/libnet.a cmodel/fast/libfast.a */
#include "tb/mult.h"
#include "tb/top_machine.h"

#include <cinttypes>

extern "C" {
#include "driver/macchiato.h"
#include "io/program_read.h"
}
#include "sim/bench.h"
#include "tb/hunt.h"
#include "sim/waves.h"
#include "tb/program_report.h"

using namespace mch_sim;
using namespace mch_tb;

namespace
{

struct Options {
	std::string program, folder, waves, json, replay;
	std::string plus; /* arguments of the RTL, with a blank before each */
	uint64_t around = 0; /* the waves are those of the cycles around this one */
	int n_images = 1, first = 0;
	int stalls = 0, latency = 0;
	uint64_t seed = 1;
	bool lockstep = true, brief = false;
};

[[noreturn]] void fail(const std::string &text)
{
	std::fprintf(stderr, "macchiato: %s\n", text.c_str());
	std::exit(FAILED);
}

Options parse(int argc, char **argv)
{
	BenchArgs names = {};
	Options o;
	o.program = names.program = argv[0];
	names.name = "tb_program";
	for (int i = 1; i < argc; i++) {
		const char *const value = std::strchr(argv[i], '=');
		const std::string key(argv[i], value ? static_cast<size_t>(value - argv[i]) : std::strlen(argv[i]));
		const auto number = [&](uint64_t high) { return bench_number(names, argv[i], value + 1, high); };
		if (key == "--program" && value)
			o.folder = value + 1;
		else if (key == "--images" && value)
			o.n_images = static_cast<int>(number(1000000));
		else if (key == "--first" && value)
			o.first = static_cast<int>(number(1000000));
		else if (key == "--stalls" && value)
			o.stalls = static_cast<int>(number(90));
		else if (key == "--latency" && value)
			o.latency = static_cast<int>(number(200));
		else if (key == "--seed" && value)
			o.seed = number(UINT32_MAX);
		else if (key == "--waves" && value)
			o.waves = value + 1;
		else if (key == "--json" && value)
			o.json = value + 1;
		else if (key == "--replay" && value)
			o.replay = value + 1;
		else if (key == "--around" && value)
			o.around = number(UINT64_C(1) << 40), waves_around(o.around);
		else if (key[0] == '+')
			dut_plusargs().push_back(argv[i]), o.plus += " " + std::string(argv[i]);
		else if (key == "--no-lockstep" && !value)
			o.lockstep = false;
		else if (key == "--brief" && !value)
			o.brief = true;
		else
			fail("tb_program: " + std::string(argv[i]) +
			     ": no such option; give --program=DIR --images=N --first=N --stalls=PERCENT --latency=N --seed=N "
			     "--waves=FILE.fst --around=CYCLE --replay=FILE.vec --json=FILE --no-lockstep --brief");
	}
	if (o.folder.empty() && o.replay.empty())
		fail("tb_program: no program; give --program=DIR, a folder that `macchiato export --program` wrote");
	return o;
}

class Bench
{
public:
	explicit Bench(const Options &o) : o_(o), machine_(o.waves, o.lockstep)
	{
		mch_err err;
		if (mch_program_folder_read(&f_, o.folder.c_str(), &err) != 0 || mch_program_folder_check(&f_, &err) != 0)
			fail(err.text);
		if (o.first + o.n_images > f_.n_images || o.n_images < 1)
			fail(o.folder + ": images " + std::to_string(o.first) + " to " + std::to_string(o.first + o.n_images - 1) +
			     " are asked for, and it holds " + std::to_string(f_.n_images) + "; export more with --images");
		check_build();
		cycles_of_.assign(static_cast<size_t>(f_.n_descriptors), 0);
	}
	~Bench() { mch_program_folder_free(&f_); }

	bool run_image(int i);
	bool finish(const Stopwatch &watch);

private:
	void check_build();
	bool run_list(const mch_folder_part &part);
	bool compare(int image);
	bool report(TopFailure f, const std::string &layer = "");
	int64_t plan_cycles(const mch_folder_part &part) const;
	int answer(const std::vector<uint8_t> &mem) const;
	void print_layers() const;

	const Options &o_;
	TopMachine machine_;
	mch_program_folder f_{};
	mch_driver driver_{};
	std::vector<uint8_t> memory_, golden_, before_; /* before_: as the list found it */
	std::vector<uint64_t> cycles_of_; /* of each descriptor, last image */
	int image_ = 0, part_ = 0, n_right_ = 0, n_labels_ = 0;
	uint64_t n_compared_ = 0, list_cycles_ = 0, macs_ = 0;
	bool cycles_agree_ = true;
};

/* A bench that is built for other parameters would fail everywhere. */
void Bench::check_build()
{
	const mch_accel_config want = f_.cfg, got = top_config();
	if (want.rows != got.rows || want.cols != got.cols || want.x_bits != got.x_bits || want.w_bits != got.w_bits ||
	    want.out_bits != got.out_bits || want.acc_bits != got.acc_bits || want.round != got.round ||
	    want.mem_bits != got.mem_bits || want.x_words != got.x_words || want.w_words != got.w_words || want.mult != got.mult ||
	    want.x_kind != got.x_kind || want.x_exp != got.x_exp || want.w_kind != got.w_kind || want.w_exp != got.w_exp)
		fail(o_.folder + ": made for another build than this bench (" DUT_PARAMETERS "); run it with scripts/run-program");
	const mch_driver_build build = {DUT_ROWS, DUT_COLS, DUT_X_BITS, DUT_W_BITS, DUT_OUT_BITS, DUT_ACC_BITS, DUT_ROUND,
					DUT_MULT, DUT_MEM_BITS, DUT_X_WORDS, DUT_W_WORDS, DUT_X_KIND, DUT_X_EXP, DUT_W_KIND, DUT_W_EXP};
	machine_.connect(4096, AxiMemoryOptions(), true);
	if (mch_driver_init(&driver_, 0, &build) != MCH_DRIVER_OK)
		fail("tb_program: the registers tell of another build; this is a fault of mch_regs or of the bench");
}

/* The command for the shell, without waves. */
std::string redo_of(const Options &o, int image)
{
	std::string redo = o.program;
	if (o.replay.empty())
		redo += " --program=" + o.folder + " --first=" + std::to_string(image) + " --stalls=" + std::to_string(o.stalls) +
			" --latency=" + std::to_string(o.latency) + " --seed=" + std::to_string(o.seed);
	else
		redo += " --replay=" + o.replay;
	return redo + (o.lockstep ? "" : " --no-lockstep") + o.plus;
}

bool Bench::report(TopFailure f, const std::string &layer)
{
	ProgramRun run;
	run.folder = &f_, run.part = part_ < f_.n_parts ? part_ : 0, run.image = image_, run.seed = o_.seed;
	run.memory = before_.data();
	run.redo = redo_of(o_, image_);
	run.stem = o_.program;
	run.hunts = o_.waves.empty(), run.lockstep = o_.lockstep;
	if (o_.around)
		machine_.run_out(WAVES_AFTER);
	program_report(machine_, run, f, layer);
	return false;
}

int64_t Bench::plan_cycles(const mch_folder_part &part) const
{
	mch_err err;
	mch_top plan;
	const mch_accel_config cfg = top_config();
	std::vector<uint8_t> bytes(machine_.memory_size());
	std::copy(memory_.begin(), memory_.end(), bytes.begin());
	if (mch_top_init(&plan, &cfg, false, &err) != 0)
		fail(err.text);
	const int64_t cycles = mch_top_run(&plan, part.list, bytes.data(), bytes.size(), UINT64_MAX, nullptr, 0, &err);
	mch_top_free(&plan);
	if (cycles < 0)
		fail(err.text);
	return cycles;
}

bool Bench::run_list(const mch_folder_part &part)
{
	AxiMemoryOptions memory;
	memory.seed = o_.seed + static_cast<uint64_t>(image_);
	memory.latency = o_.latency;
	memory.ar_stall = memory.r_stall = memory.aw_stall = memory.w_stall = memory.b_stall = o_.stalls;
	before_ = memory_;
	machine_.connect(memory_.size(), memory, false);
	std::copy(memory_.begin(), memory_.end(), machine_.memory().data());
	mch_driver_irq_enable(&driver_, true, true);
	if (mch_driver_start(&driver_, part.list, 1000000) != MCH_DRIVER_OK && !machine_.failed())
		return report({"the driver cannot start", 1, 0, 1, false});
	uint64_t since = machine_.cycles();
	int done = -1;
	while (!machine_.irq() && machine_.cycle())
		if (machine_.twin().seq.cp_start || machine_.twin().seq.done) {
			if (done >= 0 && done < part.n)
				cycles_of_[static_cast<size_t>(part.first + done)] = machine_.cycles() - since;
			done++;
			since = machine_.cycles();
		}
	const mch_driver_result result = mch_driver_wait(&driver_, 1000);
	if (machine_.failed())
		return report(machine_.failure());
	if (result != MCH_DRIVER_OK) {
		mch_driver_status s;
		mch_driver_get_status(&driver_, &s);
		return report({std::string("stopped: ") + mch_driver_error_text(s.error), MCH_ERROR_NONE, s.error, 4, false});
	}
	mch_driver_counters c;
	mch_driver_get_counters(&driver_, &c);
	list_cycles_ += c.cycles;
	if (o_.stalls == 0 && o_.latency == 0 && plan_cycles(part) != static_cast<int64_t>(c.cycles))
		return report({"CYCLES against the plan's", plan_cycles(part), c.cycles, 32, false});
	const uint8_t *bytes = machine_.memory().data();
	std::copy(bytes, bytes + memory_.size(), memory_.begin());
	return true;
}

bool Bench::compare(int image)
{
	mch_folder_difference at;
	for (int t = 0; t < f_.n_tensors; t++)
		n_compared_ += static_cast<uint64_t>(f_.tensor[t].c) * static_cast<uint64_t>(f_.tensor[t].h * f_.tensor[t].w);
	if (!mch_program_folder_differs(&f_, golden_.data(), memory_.data(), &at))
		return true;
	const mch_folder_tensor &t = f_.tensor[at.tensor];
	Place place;
	for (part_ = f_.n_parts - 1; part_ > 0 && f_.part[part_].is_host; part_--) /* before_ is that of the last list */
		;
	for (int d = f_.part[part_].n - 1; d >= 0; d--) {
		const mch_folder_descriptor &made = f_.descriptor[f_.part[part_].first + d];
		if (std::strcmp(made.layer, t.layer) == 0)
			place.descriptor = d, place.d = made.d;
	}
	return report({"tensor of layer " + std::string(t.layer), at.want, at.got, t.format.bits, t.format.is_signed, -1, -1, place},
		      "layer " + std::string(t.layer) + " n=" + std::to_string(image) + " k=" + std::to_string(at.c) + " p=" + std::to_string(at.h) +
			      " q=" + std::to_string(at.w));
}

/* The largest output; the first of equals. */
int Bench::answer(const std::vector<uint8_t> &mem) const
{
	const mch_folder_tensor &t = f_.tensor[f_.output];
	int best = 0;
	int32_t most = INT32_MIN;
	for (int c = 0; c < t.c; c++) {
		const int32_t v = mch_accel_get_code(mem.data(), mch_folder_element(&f_, &t, c, 0, 0),
						     mch_accel_elem_bytes(&f_.cfg), t.format);
		if (v > most)
			most = v, best = c;
	}
	return best;
}

bool Bench::run_image(int i)
{
	mch_err err;
	image_ = i;
	memory_.assign(f_.memory, f_.memory + static_cast<size_t>(f_.n_words) * f_.word_bytes);
	golden_.resize(memory_.size());
	if (mch_program_folder_input(&f_, i, memory_.data(), &err) != 0 || mch_program_folder_golden(&f_, i, golden_.data(), &err) != 0)
		fail(err.text);
	for (part_ = 0; part_ < f_.n_parts; part_++) {
		const mch_folder_part &part = f_.part[part_];
		if (part.is_host)
			mch_program_folder_copy(&f_, part.tensor, golden_.data(), memory_.data());
		else if (!run_list(part))
			return false;
	}
	if (!compare(i))
		return false;
	for (int d = 0; d < f_.n_descriptors; d++)
		macs_ += f_.descriptor[d].macs;
	if (f_.label[i] >= 0) {
		n_labels_++;
		n_right_ += answer(memory_) == f_.label[i];
	}
	return true;
}

void Bench::print_layers() const
{
	const double lanes = static_cast<double>(DUT_ROWS) * DUT_COLS;
	std::printf("%-40s %12s %12s %8s\n", "layer", "MACs", "cycles", "used");
	for (int d = 0; d < f_.n_descriptors;) {
		const char *layer = f_.descriptor[d].layer;
		uint64_t macs = 0, cycles = 0;
		for (; d < f_.n_descriptors && std::strcmp(f_.descriptor[d].layer, layer) == 0; d++)
			macs += f_.descriptor[d].macs, cycles += cycles_of_[static_cast<size_t>(d)];
		std::printf("%-40s %12" PRIu64 " %12" PRIu64 " %6.1f %%\n", layer, macs, cycles,
			    cycles ? 100 * static_cast<double>(macs) / (lanes * static_cast<double>(cycles)) : 0.0);
	}
}

bool Bench::finish(const Stopwatch &watch)
{
	const double seconds = watch.seconds(), lanes = static_cast<double>(DUT_ROWS) * DUT_COLS;
	const double khz = static_cast<double>(machine_.cycles()) / seconds / 1e3, mac_s = static_cast<double>(macs_) / seconds;
	const double used = static_cast<double>(macs_) / (lanes * static_cast<double>(list_cycles_));
	if (!o_.brief && o_.lockstep)
		print_layers();
	std::printf("images      %d, %.2f s each%s\n", o_.n_images, seconds / o_.n_images, o_.lockstep ? ", in lock-step" : "");
	if (n_labels_)
		std::printf("right       %d of %d\n", n_right_, n_labels_);
	std::printf("agreed      %" PRIu64 " elements of all tensors; %" PRIu64 " values after each of %" PRIu64 " edges\n", n_compared_,
		    machine_.n_values(), machine_.cycles());
	std::printf("cycles      %" PRIu64 " an image%s; %.1f %% of the products of %dx%d\n",
		    list_cycles_ / static_cast<uint64_t>(o_.n_images),
		    o_.stalls == 0 && o_.latency == 0 ? ", those of the plan" : "", 100 * used, DUT_ROWS, DUT_COLS);
	std::printf("simulation  %.0f kHz, %.1f M MAC/s\n", khz, mac_s / 1e6);
	/* For scripts/sim, as the other benches end. */
	std::printf("tb_program: seed=%" PRIu64 " cases=%" PRIu64 " cycles=%" PRIu64 " khz=%.0f mac_per_s=%.0f result=%s\n", o_.seed,
		    n_compared_, machine_.cycles(), khz, mac_s, n_compared_ ? "agreed" : "NOTHING COMPARED");
	if (o_.json.empty())
		return true;
	std::FILE *const file = std::fopen(o_.json.c_str(), "w");
	if (!file)
		fail(o_.json + ": cannot be written; name another file for --json");
	std::fprintf(file,
		     "{\"images\": %d, \"right\": %d, \"elements\": %" PRIu64 ", \"cycles\": %" PRIu64
		     ", \"utilisation\": %.4f, \"khz\": %.1f, \"mac_per_s\": %.0f, \"seconds\": %.3f}\n",
		     o_.n_images, n_right_, n_compared_, list_cycles_, used, khz, mac_s, seconds);
	return std::fclose(file) == 0;
}

/* A case that a report saved: exit status. */
int replay(const Options &o)
{
	const Stopwatch watch;
	const mch_accel_config cfg = top_config();
	LayerCase c;
	LayerImage image;
	std::string why;
	if (!c.load(o.replay, cfg, &why))
		fail(why);
	if (!image_of(cfg, c, &image))
		fail(o.replay + ": fits no strip of this build; run it with the bench that saved it");
	TopMachine machine(o.waves, o.lockstep);
	if (run_image(machine, image) &&
	    outputs_of(cfg, image.d, c, machine.memory().data()) == c.want(cfg)) {
		std::printf("agreed      %s: %zu outputs, %" PRIu64 " cycles, %.2f s\n", o.replay.c_str(), c.n_out(), machine.cycles(),
			    watch.seconds());
		return AGREED;
	}
	ProgramRun run;
	run.redo = redo_of(o, 0), run.stem = o.program;
	run.hunts = o.waves.empty(), run.lockstep = o.lockstep;
	if (o.around)
		machine.run_out(WAVES_AFTER);
	TopFailure f = machine.failure();
	if (!machine.failed())
		f.name = "outputs";
	program_report(machine, run, f, "");
	return MISMATCH;
}

} // namespace

int main(int argc, char **argv)
{
	const Options o = parse(argc, argv);
	if (!o.replay.empty())
		return replay(o);
	Bench bench(o);
	const Stopwatch watch;
	for (int i = o.first; i < o.first + o.n_images; i++)
		if (!bench.run_image(i))
			return MISMATCH;
	return bench.finish(watch) ? AGREED : FAILED;
}
