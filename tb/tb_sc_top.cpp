/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of the SystemC models: the driver (driver/macchiato.h) runs programs on sim/tlm_accelerator.h and on the RTL
 * behind sim/tlm_rtl.h, each with a memory of its own. Both must answer alike: results, memories word for word, status,
 * interrupts, the counters that both know; the estimated cycles are within a factor. A case is a good list, or one of
 * which a descriptor is spoilt (enum Trouble), or one that is reset; and accesses that are errors. With an even seed
 * memories are slow, and without DMI. Spec: docs/accelerator.md "SystemC".
 * verilate: --sc mch_top cmodel/arch/libarch.a cmodel/net/libnet.a cmodel/fast/libfast.a driver/libdriver.a */
#include <cstdlib>
#include <systemc>

extern "C" {
#include "tensor/report.h"
}
#include "driver/macchiato.h"
#include "sim/bench.h"
#include "sim/tlm_accelerator.h"
#include "sim/tlm_memory.h"
#include "sim/tlm_rtl.h"
#include "tb/mult.h"
#include "tb/sc_network.h"

using namespace mch_tb;
using namespace mch_sim;
using sc_core::sc_time;

namespace {

enum { PERIOD_NS = 2, MEMORY_BYTES = 1 << 20, POLLS = 1000, WATCHDOG = 5000, CYCLES_MAX = 1 << 19 };
enum { CYCLES_FACTOR = 2 }; /* the estimate is at most so many times too small or too large */
enum Trouble { NONE, FIELD, READ_OUTSIDE, WRITE_OUTSIDE, STRIP, WEIGHTS_LEFT, WEIGHTS_MISSING, RESET, N_TROUBLES };
const uintptr_t base[2] = {0x40000000, 0x50000000};

mch_accel_config config()
{
	mch_accel_config cfg = mch_accel_config();
	cfg.rows = DUT_ROWS, cfg.cols = DUT_COLS;
	cfg.x_bits = DUT_X_BITS, cfg.w_bits = DUT_W_BITS, cfg.out_bits = DUT_OUT_BITS, cfg.acc_bits = DUT_ACC_BITS;
	cfg.round = static_cast<mch_round>(DUT_ROUND);
	cfg.mem_bits = DUT_MEM_BITS, cfg.x_words = DUT_X_WORDS, cfg.w_words = DUT_W_WORDS;
	set_numbers(&cfg);
	return cfg;
}

const mch_accel_config cfg = config();

sc_time period()
{
	return sc_time(PERIOD_NS, sc_core::SC_NS);
}

/* How a list ended. */
struct Result {
	mch_driver_result result;
	mch_driver_status status;
	mch_driver_counters counters;
	uint32_t irq;
};

class Bench : public sc_core::sc_module {
public:
	SC_HAS_PROCESS(Bench);
	Bench(const sc_core::sc_module_name &name, const BenchArgs &args)
		: sc_module(name), args_(args), tlm_("tlm", cfg, period()), rtl_("rtl", period()),
		  is_slow_(args.seed % 2 == 0), tlm_memory_("tlm_memory", MEMORY_BYTES, !is_slow_, latency()),
		  rtl_memory_("rtl_memory", MEMORY_BYTES, false, latency())
	{
		bus_[0].bind(tlm_.control);
		bus_[1].bind(rtl_.control);
		tlm_.memory.bind(tlm_memory_.socket);
		rtl_.memory.bind(rtl_memory_.socket);
		tlm_.irq(irq_[0]);
		rtl_.irq(irq_[1]);
		SC_THREAD(run_cases);
	}

	void open_waves() { waves_.open(rtl_.dut(), args_.waves); }
	int status() const { return status_; }

	/* The bus: the driver's accesses, and others; disabled: a byte of it that is not, or -1. */
	tlm::tlm_response_status access(uintptr_t address, bool is_write, uint32_t *value, size_t bytes = 4,
					int disabled = -1)
	{
		const int which = address >= base[1];
		tlm::tlm_generic_payload trans;
		sc_time delay = sc_core::SC_ZERO_TIME;
		uint8_t enable[4] = {TLM_BYTE_ENABLED, TLM_BYTE_ENABLED, TLM_BYTE_ENABLED, TLM_BYTE_ENABLED};
		plain_payload(&trans, is_write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, address - base[which],
			      value, bytes);
		if (disabled >= 0) {
			enable[disabled] = TLM_BYTE_DISABLED;
			trans.set_byte_enable_ptr(enable);
			trans.set_byte_enable_length(4);
		}
		bus_[which]->b_transport(trans, delay);
		sc_core::wait(delay);
		return trans.get_response_status();
	}

	void fail_access() { bad_accesses_++; }

private:
	sc_time latency() const { return (is_slow_ ? 15 : 0) * period(); }
	void run_cases();
	bool run_case(uint64_t number);
	bool run_list(uint32_t list);
	bool run_reset(uint32_t list);
	bool bad_accesses();
	bool memories(uint64_t words);
	void set(uint64_t byte, uint32_t value);
	bool same(const char *name, int64_t want, int64_t got, int bits = 32);
	void spoil(mch_program *p);
	Result run_one(int which, uint32_t list);
	void put(const std::vector<int32_t> &input, const mch_program &p);

	const BenchArgs &args_;
	TlmAccelerator tlm_;
	TlmRtl rtl_;
	bool is_slow_;
	TlmMemory tlm_memory_, rtl_memory_;
	tlm_utils::simple_initiator_socket<Bench, 32> bus_[2];
	sc_core::sc_signal<bool> irq_[2];
	ScWaves waves_;
	mch_rng rng_ = {};
	mch_driver driver_[2] = {};
	uint64_t number_ = 0, compared_ = 0, bad_accesses_ = 0;
	enum { N_ENDS = 7 };
	Trouble trouble_ = NONE;
	mch_driver_result driver_result_ = MCH_DRIVER_OK;
	uint64_t ends_[N_ENDS] = {}; /* by STATUS_ERROR */
	std::string at_;
	double seconds_ = 0; /* of the host, in lists that the RTL runs */
	uint64_t lists_ = 0, list_cycles_ = 0;
	int status_ = FAILED;
};

Bench *bench_of_driver;

bool Bench::same(const char *name, int64_t want, int64_t got, int bits)
{
	compared_++;
	if (want == got)
		return true;
	const mch_format format = {bits, 0, want < 0 || got < 0};
	const mch_field wanted = {name, want, format, false};
	const mch_field gotten = {name, got, format, false};
	const std::string redo = bench_redo(args_, number_);
	static const char *const troubles[N_TROUBLES] = {"none", "illegal field", "read outside", "write outside", "strip",
							 "weights left", "weights missing", "reset"};
	const std::string at = "cycle " + std::to_string(rtl_.cycles()) + ", trouble: " + troubles[trouble_] + at_ +
			       "  parameters " DUT_PARAMETERS;
	mch_mismatch m = {};
	m.where = args_.name, m.module = "mch_top", m.case_number = number_, m.seed = args_.seed;
	m.want = &wanted, m.got = &gotten, m.n_out = 1;
	m.at = at.c_str(), m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
	return false;
}

Result Bench::run_one(int which, uint32_t list)
{
	Result r = Result();
	mch_driver *const d = &driver_[which];
	const Stopwatch watch;
	mch_driver_irq_enable(d, true, true);
	r.result = mch_driver_start(d, list, WATCHDOG);
	if (r.result == MCH_DRIVER_OK) {
		if (!irq_[which].read())
			sc_core::wait(CYCLES_MAX * period(), irq_[which].posedge_event());
		r.result = mch_driver_wait(d, POLLS);
	}
	if (which == 1)
		seconds_ += watch.seconds();
	mch_driver_get_status(d, &r.status);
	mch_driver_get_counters(d, &r.counters);
	r.irq = mch_driver_irq_acknowledge(d);
	sc_core::wait(period()); /* irq_o follows */
	return r;
}

/* The model that is loosely timed says what the RTL must have done. */
bool Bench::run_list(uint32_t list)
{
	const Result want = run_one(0, list), got = run_one(1, list);
	const bool is_done = want.result == MCH_DRIVER_OK;
	driver_result_ = want.result;
	ends_[want.status.error % N_ENDS]++;
	const bool is_exact = cfg.mem_bits <= 8 * static_cast<int>(mch_accel_word_bytes(&cfg));
	if (!same("result", want.result, got.result) || !same("STATUS_ERROR", want.status.error, got.status.error, 4) ||
	    !same("STATUS_FIELD", want.status.field, got.status.field, 8) ||
	    !same("STATUS_DONE", want.status.done, got.status.done, 1) || !same("IRQ", want.irq, got.irq, 2) ||
	    !same("irq_o", irq_[0].read(), irq_[1].read(), 1))
		return false;
	/* What goes wrong while a layer computes may find the next descriptor taken. */
	const uint32_t e = want.status.error;
	const bool is_of_loads = is_done || e == MCH_ERROR_DESCRIPTOR || e == MCH_ERROR_STRIP || e == MCH_ERROR_READ;
	if (is_of_loads && !same("STATUS_INDEX", want.status.index, got.status.index, 16))
		return false;
	if (!is_done)
		return true;
	lists_++;
	list_cycles_ += got.counters.cycles;
	const uint64_t w = want.counters.cycles, g = got.counters.cycles;
	if (!same("BEATS", want.counters.beats, got.counters.beats) ||
	    !same("estimated cycles within their factor", 1,
		  is_slow_ || (w <= CYCLES_FACTOR * g && g <= CYCLES_FACTOR * w), 1))
		return false;
	return !is_exact || (same("READ_BEATS", want.counters.read_beats, got.counters.read_beats) &&
			     same("WRITE_BEATS", want.counters.write_beats, got.counters.write_beats));
}

/* A reset while the list runs, or after its end, leaves both idle. */
bool Bench::run_reset(uint32_t list)
{
	const double cycles = mch_rng_below(&rng_, 2000);
	for (int i = 0; i < 2; i++) {
		mch_driver *const d = &driver_[i];
		if (!same("start", MCH_DRIVER_OK, mch_driver_start(d, list, 0)))
			return false;
		sc_core::wait(cycles * period());
		if (!same("reset", MCH_DRIVER_OK, mch_driver_reset(d, POLLS)))
			return false;
		const mch_driver_result is = mch_driver_poll(d);
		if (!same("done or stopped after a reset", 1, is == MCH_DRIVER_STOPPED || is == MCH_DRIVER_OK, 1))
			return false;
	}
	return true;
}

bool Bench::bad_accesses()
{
	for (int i = 0; i < 10; i++) {
		const bool is_write = chance(&rng_, 50);
		uint32_t address = mch_rng_below(&rng_, 0x60), value[2] = {0, 0}, values[2];
		const size_t bytes = chance(&rng_, 80) ? 4 : mch_rng_below(&rng_, 2) ? 2 : 8;
		const int disabled = bytes == 4 && chance(&rng_, 20) ? static_cast<int>(mch_rng_below(&rng_, 4)) : -1;
		tlm::tlm_response_status answers[2];
		if (chance(&rng_, 70))
			address &= ~3u;
		if (chance(&rng_, 5))
			address += 0x100;
		if (address == MCH_REG_CONTROL) /* what it does is not the point here */
			continue;
		for (int k = 0; k < 2; k++) {
			value[0] = address == MCH_REG_IRQ_ENABLE ? 3 : 0x1234;
			answers[k] = access(base[k] + address, is_write, value, bytes, disabled);
			values[k] = address < MCH_REG_CYCLES && address != MCH_REG_STATUS && !is_write ? value[0] : 0;
		}
		at_ = std::string(is_write ? ", write of " : ", read of ") + std::to_string(bytes) + " bytes, address " +
		      std::to_string(address) + (disabled >= 0 ? ", not all of them" : "");
		if (!same("response", answers[0], answers[1], 8) ||
		    !same("register", values[0], values[1]))
			return false;
	}
	at_.clear();
	return true;
}

bool Bench::memories(uint64_t words)
{
	const uint64_t word = mch_accel_word_bytes(&cfg), bytes = std::min<uint64_t>(words * word, MEMORY_BYTES);
	for (uint64_t i = 0; i < bytes; i++)
		if (tlm_memory_.data()[i] != rtl_memory_.data()[i]) {
			at_ = ", word " + std::to_string(i / word) + " of memory, byte " + std::to_string(i % word);
			return same("memory", tlm_memory_.data()[i], rtl_memory_.data()[i], 8);
		}
	compared_ += words;
	return true;
}

void Bench::put(const std::vector<int32_t> &input, const mch_program &p)
{
	std::memset(tlm_memory_.data(), 0, MEMORY_BYTES);
	mch_program_load(&p, tlm_memory_.data());
	mch_program_put_input(&p, input.data(), tlm_memory_.data());
	std::memcpy(rtl_memory_.data(), tlm_memory_.data(), MEMORY_BYTES);
}

void Bench::set(uint64_t byte, uint32_t value)
{
	std::memcpy(tlm_memory_.data() + byte, &value, 4);
	std::memcpy(rtl_memory_.data() + byte, &value, 4);
}

/* One descriptor of the list in both memories. Addresses outside are outside in words of any size. */
void Bench::spoil(mch_program *p)
{
	static const uint32_t words[] = {4, 6, 7, 8, 9, 10, 13, 16, 26, 31};
	const uint32_t last = static_cast<uint32_t>(p->n_descriptors) - 1;
	const uint32_t outside = MEMORY_BYTES / 4 + mch_rng_below(&rng_, 999);
	const uint32_t index = trouble_ == WEIGHTS_MISSING ? last : mch_rng_below(&rng_, last + 1);
	const uint64_t list = p->part[0].list * static_cast<uint64_t>(mch_accel_word_bytes(&cfg));
	const uint64_t at = list + index * static_cast<uint64_t>(MCH_DESCRIPTOR_BYTES);
	const mch_descriptor &d = p->descriptor[index].d;
	const uint32_t word = words[mch_rng_below(&rng_, 10)];
	switch (trouble_) {
	case FIELD:
		set(at + 4 * word, word > 25 ? 1u << mch_rng_below(&rng_, 32) : 0);
		break;
	case READ_OUTSIDE:
		set(at + 4 * (d.w_words && chance(&rng_, 50) ? 20 : 1), outside);
		break;
	case WRITE_OUTSIDE:
		set(at + 4 * 22, outside);
		break;
	case STRIP: /* so many blocks, all of them the same words */
		set(at + 4 * 3, 0);
		set(at + 4 * 4, 0xffff);
		break;
	case WEIGHTS_LEFT:
		set(at + 4 * 21, d.w_words ? d.w_words + 1 : 0);
		break;
	case WEIGHTS_MISSING: /* nobody's words come after them, so it waits for ever */
		set(at + 4 * 21, d.w_words ? d.w_words - 1 : 0);
		break;
	default:
		break;
	}
}

bool Bench::run_case(uint64_t number)
{
	number_ = number;
	rng_ = case_rng(args_.seed, number);
	trouble_ = static_cast<Trouble>(chance(&rng_, 50) ? 0 : mch_rng_below(&rng_, N_TROUBLES));
	ScNetwork network(&rng_, cfg);
	mch_program *const p = &network.program;
	if (!network.is_program() || static_cast<uint64_t>(p->n_words) * mch_accel_word_bytes(&cfg) > MEMORY_BYTES)
		return true;
	const std::vector<int32_t> input = network.random_input();
	const uint32_t list = p->part[0].list;
	put(input, *p);
	spoil(p);
	if (trouble_ == RESET && !run_reset(list))
		return false;
	if (trouble_ == RESET)
		put(input, *p);
	if (!run_list(list) || !bad_accesses() || !same("accesses of the driver that are errors", 0, static_cast<int64_t>(bad_accesses_)))
		return false;
	return driver_result_ != MCH_DRIVER_OK || memories(p->n_words);
}

void Bench::run_cases()
{
	const mch_driver_build build = {DUT_ROWS,  DUT_COLS,     DUT_X_BITS,  DUT_W_BITS,  DUT_OUT_BITS, DUT_ACC_BITS,
					DUT_ROUND, DUT_MULT, DUT_MEM_BITS, DUT_X_WORDS, DUT_W_WORDS, DUT_X_KIND,
					DUT_X_EXP, DUT_W_KIND, DUT_W_EXP};
	const Stopwatch watch;
	uint64_t n = 0;
	bool agreed = true;
	bench_of_driver = this, number_ = args_.first;
	for (int i = 0; i < 2; i++)
		agreed = agreed && same("driver's init", MCH_DRIVER_OK, mch_driver_init(&driver_[i], base[i], &build));
	compared_ = 0;
	for (; agreed && n < args_.n_cases; n++)
		agreed = run_case(args_.first + n);
	static const char *const ends[N_ENDS] = {"done", "descriptor", "strip", "weights", "read", "write", "watchdog"};
	for (int i = 0; i < N_ENDS; i++)
		std::printf("%s %s %" PRIu64, i ? "," : "  ends:", ends[i], ends_[i]);
	if (lists_)
		std::printf("\n  whole lists: %" PRIu64 ", of %" PRIu64 " cycles; RTL %.1f kHz while they run", lists_,
			    list_cycles_ / lists_, static_cast<double>(list_cycles_) / seconds_ / 1e3);
	std::printf("\n");
	status_ = bench_end(args_, watch, lists_ || !agreed ? n : 0, rtl_.cycles(), agreed);
	sc_core::sc_stop();
}

} // namespace

uint32_t mch_read32(uintptr_t address)
{
	uint32_t value = 0;
	if (bench_of_driver->access(address, false, &value) != tlm::TLM_OK_RESPONSE)
		bench_of_driver->fail_access();
	return value;
}

void mch_write32(uintptr_t address, uint32_t value)
{
	if (bench_of_driver->access(address, true, &value) != tlm::TLM_OK_RESPONSE)
		bench_of_driver->fail_access();
}

int sc_main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 100);
	Bench bench("bench", args);
	if (!args.waves.empty())
		bench.open_waves();
	sc_core::sc_start();
	return bench.status();
}

/* The library's own main prints a banner, and the end of the simulation is no news: the output is the bench's. */
int main(int argc, char **argv)
{
	setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 1);
	sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
	sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
	Verilated::traceEverOn(true);
	return sc_core::sc_elab_and_sim(argc, argv);
}
