/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_top: programs of random networks, run by the bare-metal driver over a memory with latency and stalls, in lock-step
 * with the C model; every word of memory against the interpreter of programs; cycles with an ideal memory against those of a
 * plan. Most cases go wrong once on purpose (a soft reset, an error of the bus, a bus that dies, an illegal
 * descriptor), must end in the state that the specification says, and then run well.
 * verilate: mch_top sim/registers.vlt tb/lockstep.cpp tb/top_machine.cpp tb/top_place.cpp tests/librandom.a driver/libdriver.a cmodel/arch/libarch.a cmodel/net/libnet.a cmodel/fast/libfast.a */
#include "tb/mult.h"
#include "tb/top_machine.h"

extern "C" {
#include "arch/program.h"
#include "arch/program_run.h"
#include "driver/macchiato.h"
#include "tests/random_graph.h"
}
#include "sim/waves.h"

using namespace mch_sim;
using namespace mch_tb;

namespace
{

enum Trouble { NONE, RESET, READ_ERROR, WRITE_ERROR, DEAD, ILLEGAL, N_TROUBLES };
const char *const trouble_names[N_TROUBLES] = {"none", "soft reset", "read error", "write error", "dead bus", "illegal descriptor"};
enum { WATCHDOG = 3000, POLLS = 2000000 };

class Bench
{
public:
	explicit Bench(const BenchArgs &args) : args_(args), machine_(args.waves, true) {}
	~Bench() { release(); }

	/* False after a mismatch. */
	bool run(uint64_t number);
	uint64_t n_lists = 0, n_words = 0, n_troubles[N_TROUBLES] = {};
	uint64_t cycles() const { return machine_.cycles(); }

private:
	bool make_program();
	void release();
	bool run_list(const mch_program_part &part, bool with_trouble);
	AxiMemoryOptions draw_memory();
	void start_memory(const AxiMemoryOptions &options, bool reset);
	bool good_run(const mch_program_part &part, bool reset);
	bool troubled_run(const mch_program_part &part, Trouble trouble);
	bool expect(const char *name, uint64_t want, uint64_t got);
	bool memory_agrees();
	std::string place(const TopFailure &f) const;
	bool report(TopFailure f);
	mch_driver_result run_driver(uint32_t list, uint32_t watchdog);
	uint64_t word_bytes() const { return mch_accel_word_bytes(&program_.cfg); }

	const BenchArgs &args_;
	TopMachine machine_;
	mch_driver driver_{};
	uint64_t number_ = 0;
	Trouble trouble_ = NONE;
	mch_rng rng_{};
	mch_net net_{};
	mch_quant quant_{};
	mch_qnet q_{};
	mch_program program_{};
	bool made_ = false;
	int first_ = 0; /* descriptor of the list */
	std::vector<uint8_t> before_, after_; /* memory before and after a list */
};

/* A random network that the build can run: false when this one cannot. */
bool Bench::make_program()
{
	mch_err err;
	const int bits = DUT_X_BITS < DUT_W_BITS ? DUT_X_BITS : DUT_W_BITS;
	const random_format f = {bits, bits, 0, 0, all_tensors_of_dut, all_weights_of_dut, false};
	release();
	if (chance(&rng_, 50)) {
		random_net(&rng_, &net_);
		random_quant(&rng_, &f, &net_, &quant_);
	} else {
		random_graph(&rng_, &net_);
		random_graph_quant(&rng_, &f, &net_, &quant_);
	}
	quant_.round = static_cast<mch_round>(DUT_ROUND);
	const mch_accel_config cfg = top_config();
	mch_program_options options = {};
	options.allow_host = true;
	options.keep = chance(&rng_, 50);
	options.layout = static_cast<int>(mch_rng_below(&rng_, 4));
	made_ = true;
	if (mch_qnet_build(&q_, &net_, &quant_, &err) != 0)
		return false;
	return mch_program_build(&program_, &q_, &cfg, &options, &err) == 0;
}

void Bench::release()
{
	if (!made_)
		return;
	mch_program_free(&program_);
	mch_qnet_free(&q_);
	mch_quant_free(&quant_);
	mch_net_free(&net_);
	program_ = mch_program(), q_ = mch_qnet(), quant_ = mch_quant(), net_ = mch_net();
	made_ = false;
}

/* The layer and what of it; of a failure that has no place, the descriptor. */
std::string Bench::place(const TopFailure &f) const
{
	const Place &p = f.place;
	const int d = first_ + (p.descriptor < 0 ? static_cast<int>(machine_.twin().seq.index) - 1 : p.descriptor);
	if (d < 0 || d >= program_.n_descriptors)
		return "no layer";
	std::string text = std::string("layer ") + q_.steps[program_.descriptor[d].step].layer->name + " (descriptor " + std::to_string(d) + ")";
	const auto add = [&text](const char *name, int64_t value) {
		text += value < 0 ? "" : std::string(" ") + name + "=" + std::to_string(value);
	};
	if (p.pixel >= 0 && p.pixel < p.d.pixels) {
		add("k", p.column < 0 ? -1 : p.y_block * DUT_COLS + p.column);
		add("p", p.pixel / p.d.out_q), add("q", p.pixel % p.d.out_q);
	}
	add("c", p.x_block < 0 ? -1 : p.x_block * DUT_COLS + p.c);
	add("r", p.r), add("s", p.s), add("term", p.term), add("tile", p.tile);
	return text;
}

bool Bench::report(TopFailure f)
{
	const mch_format format = {f.bits, 0, f.is_signed};
	const mch_field want = {"value", f.want, format, false}, got = {"value", f.got, format, false};
	const std::string redo = bench_redo(args_, number_);
	const std::string see = bench_see(args_, number_, f.name, machine_.edges());
	const std::string at = place(f) + "  cycle " + std::to_string(machine_.edges()) + "  " + f.name + "  trouble: " +
			       trouble_names[trouble_] + "  parameters " DUT_PARAMETERS;
	machine_.run_out(WAVES_AFTER);
	mch_mismatch m = {};
	m.where = args_.name, m.module = "mch_top", m.case_number = number_, m.seed = args_.seed;
	m.in = f.place.in.data(), m.n_in = static_cast<int>(f.place.in.size());
	m.want = &want, m.got = &got, m.n_out = 1;
	m.at = at.c_str(), m.redo = redo.c_str();
	m.see = see.c_str();
	mch_mismatch_print(stdout, &m);
	return false;
}

bool Bench::expect(const char *name, uint64_t want, uint64_t got)
{
	if (machine_.failed())
		return report(machine_.failure());
	return want == got || report({name, static_cast<int64_t>(want), static_cast<int64_t>(got), 32, false});
}

bool Bench::memory_agrees()
{
	if (machine_.failed())
		return report(machine_.failure());
	const uint8_t *got = machine_.memory().data();
	for (size_t i = 0; i < after_.size(); i++)
		if (got[i] != after_[i])
			return report({"memory, byte " + std::to_string(i % word_bytes()) + " of word " +
					       std::to_string(i / word_bytes()),
				       after_[i], got[i], 8, false});
	n_words += after_.size() / word_bytes();
	return true;
}

void Bench::start_memory(const AxiMemoryOptions &options, bool reset)
{
	machine_.connect(before_.size(), options, reset);
	std::copy(before_.begin(), before_.end(), machine_.memory().data());
}

/* Starts, and waits for the interrupt as firmware would. */
mch_driver_result Bench::run_driver(uint32_t list, uint32_t watchdog)
{
	mch_driver_irq_enable(&driver_, true, true);
	const mch_driver_result started = mch_driver_start(&driver_, list, watchdog);
	if (started != MCH_DRIVER_OK)
		return started;
	for (uint64_t n = 0; !machine_.irq() && n < 20000000 && machine_.cycle(); n++)
		;
	return mch_driver_wait(&driver_, POLLS);
}

bool Bench::good_run(const mch_program_part &part, bool reset)
{
	mch_err err;
	const bool ideal = args_.stall_percent == 0 && chance(&rng_, 50);
	start_memory(ideal ? AxiMemoryOptions() : draw_memory(), reset);
	const mch_driver_result result = run_driver(part.list, 0);
	if (!expect("driver's result", MCH_DRIVER_OK, result) || !memory_agrees())
		return false;
	n_lists++;
	mch_driver_counters counters;
	mch_driver_get_counters(&driver_, &counters);
	uint64_t beats = 0;
	for (int i = part.first; i < part.first + part.n; i++)
		beats += program_.descriptor[i].beats;
	if (!expect("BEATS", beats, counters.beats) || !ideal)
		return !machine_.failed();
	mch_top plan;
	const mch_accel_config cfg = top_config();
	std::vector<uint8_t> bytes(machine_.memory().size());
	std::copy(before_.begin(), before_.end(), bytes.begin());
	int64_t cycles = -1;
	if (mch_top_init(&plan, &cfg, false, &err) == 0) {
		cycles = mch_top_run(&plan, part.list, bytes.data(), bytes.size(), 100000000, nullptr, 0, &err);
		mch_top_free(&plan);
	}
	return expect("CYCLES", static_cast<uint64_t>(cycles), counters.cycles);
}

AxiMemoryOptions Bench::draw_memory()
{
	AxiMemoryOptions o = axi_random_options(&rng_);
	if (args_.stall_percent > 0)
		o.ar_stall = o.r_stall = o.aw_stall = o.w_stall = o.b_stall = args_.stall_percent;
	return o;
}

/* A run that goes wrong, and how it must end. */
bool Bench::troubled_run(const mch_program_part &part, Trouble trouble)
{
	AxiMemoryOptions o = draw_memory();
	mch_driver_status s;
	uint32_t code = MCH_ERROR_NONE, field = 0;
	const mch_program_descriptor &last = program_.descriptor[part.first + part.n - 1];
	if (trouble == READ_ERROR) {
		o.error_low = program_.image_addr * word_bytes(), o.error_high = before_.size();
		code = MCH_ERROR_READ;
	} else if (trouble == WRITE_ERROR) {
		o.error_low = last.d.y_addr * word_bytes(), o.error_high = o.error_low + word_bytes();
		code = MCH_ERROR_WRITE;
	} else if (trouble == DEAD) {
		o.dead_cycle = 200 + mch_rng_below(&rng_, 2000);
	}
	start_memory(o, false);
	if (trouble == ILLEGAL) {
		uint8_t *d = machine_.memory().data() + (part.list * word_bytes()) + 128 * mch_rng_below(&rng_, static_cast<uint32_t>(part.n));
		const mch_seq_config cfg = {DUT_ROWS, DUT_COLS, DUT_OUT_BITS, static_cast<int>(word_bytes() * 8), !is_minifloat_dut};
		const uint32_t word = 9 + mch_rng_below(&rng_, 3);
		std::memset(d + 4 * static_cast<size_t>(word), 0, 4); /* no pixels, no row step, no tap step */
		const uint32_t bad = mch_seq_illegal(&cfg, d);
		if (bad == 0)
			return report({"an illegal descriptor is legal", 1, 0, 1, false});
		code = MCH_ERROR_DESCRIPTOR;
		field = static_cast<uint32_t>(__builtin_ctz(bad));
	}
	if (trouble == RESET || trouble == DEAD) {
		if (mch_driver_start(&driver_, part.list, trouble == DEAD ? WATCHDOG : 0) != MCH_DRIVER_OK)
			return expect("start", 1, 0);
		const uint32_t n = trouble == DEAD ? 4 * WATCHDOG + 8000 : mch_rng_below(&rng_, 4000);
		for (uint32_t i = 0; i < n && machine_.cycle(); i++)
			;
		if (trouble == RESET) {
			/* A list may have come to its end before. */
			const mch_driver_result result = mch_driver_reset(&driver_, POLLS), state = mch_driver_poll(&driver_);
			return expect("soft reset", MCH_DRIVER_OK, result) &&
			       expect("stopped or done after a soft reset", true,
				      state == MCH_DRIVER_STOPPED || state == MCH_DRIVER_OK);
		}
		mch_driver_get_status(&driver_, &s);
		/* Done before the bus died, or stopped by the watchdog: then it waits for answers, or owed none. */
		return expect("dead bus", true, s.done || s.error == MCH_ERROR_WATCHDOG);
	}
	const mch_driver_result result = run_driver(part.list, 0);
	mch_driver_get_status(&driver_, &s);
	return expect("driver's result", MCH_DRIVER_ERROR, result) && expect("error", code, s.error) && expect("field", field, s.field);
}

bool Bench::run_list(const mch_program_part &part, bool with_trouble)
{
	mch_err err;
	const mch_accel_config cfg = top_config();
	after_ = before_;
	const mch_accel_memory mem = {after_.data(), program_.n_words, nullptr};
	if (mch_program_run(&cfg, part.list, &mem, nullptr, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s: case %" PRIu64 ": %s\n", args_.name, number_, err.text);
		return false;
	}
	first_ = part.first;
	trouble_ = with_trouble && part.n > 0 ? static_cast<Trouble>(mch_rng_below(&rng_, N_TROUBLES)) : NONE;
	/* Where memory is used again, or a beat holds words of two tensors, what is written last may have been read before. */
	if (trouble_ == WRITE_ERROR && (!program_.options.keep || DUT_MEM_BITS / 8 > word_bytes()))
		trouble_ = READ_ERROR;
	n_troubles[trouble_]++;
	if (trouble_ != NONE && !troubled_run(part, trouble_))
		return false;
	/* After a dead bus only power helps. */
	return good_run(part, trouble_ == DEAD);
}

bool Bench::run(uint64_t number)
{
	mch_err err;
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	machine_.slow_control(chance(&rng_, 50) ? 40 : 0, mch_rng_next(&rng_));
	for (int tries = 0; !make_program(); tries++)
		if (tries == 100) {
			std::fprintf(stderr, "macchiato: %s: no random network fits this build; give larger buffers\n", args_.name);
			return false;
		}
	before_.assign(program_.n_words * word_bytes(), 0);
	for (uint8_t &b : before_)
		b = static_cast<uint8_t>(mch_rng_next(&rng_));
	std::vector<int32_t> input(mch_shape_elems(net_.edges[q_.input].shape));
	for (int32_t &x : input)
		x = random_code(&rng_, q_.input_format);
	mch_program_load(&program_, before_.data());
	mch_program_put_input(&program_, input.data(), before_.data());
	start_memory(AxiMemoryOptions(), number == args_.first);
	const mch_driver_build build = {DUT_ROWS, DUT_COLS, DUT_X_BITS, DUT_W_BITS, DUT_OUT_BITS, DUT_ACC_BITS, DUT_ROUND,
					DUT_MULT, DUT_MEM_BITS, DUT_X_WORDS, DUT_W_WORDS, DUT_X_KIND, DUT_X_EXP, DUT_W_KIND, DUT_W_EXP};
	if (!expect("driver's build", MCH_DRIVER_OK, mch_driver_init(&driver_, 0, &build)))
		return false;
	for (int i = 0; i < program_.n_parts; i++) {
		if (program_.part[i].is_host) {
			if (mch_program_host_step(&program_, program_.part[i].step, before_.data(), &err) != 0)
				return false;
			continue;
		}
		if (!run_list(program_.part[i], true))
			return false;
		before_ = after_;
	}
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 30);
	const Stopwatch watch;
	Bench bench(args);
	bool agreed = true;
	uint64_t n = 0;
	for (; agreed && n < args.n_cases; n++)
		agreed = bench.run(args.first + n);
	if (agreed) {
		std::printf("%s: %" PRIu64 " lists, %" PRIu64 " words of memory;", args.name, bench.n_lists, bench.n_words);
		for (int t = 0; t < N_TROUBLES; t++)
			std::printf(" %s %" PRIu64, trouble_names[t], bench.n_troubles[t]);
		std::printf("\n");
	}
	return bench_end(args, watch, bench.n_words, bench.cycles(), agreed);
}
