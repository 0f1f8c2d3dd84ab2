/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* mch_top with a memory and the driver, beside its C model: after every edge all pins of both ports, the registers that
 * steer the units and every register of the datapath are compared, and both buses' rules are checked.
 * The driver's accesses (driver/macchiato.h) go to the machine that was made last. */
#ifndef MCH_TB_TOP_MACHINE_H
#define MCH_TB_TOP_MACHINE_H

#include <memory>
#include <string>
#include <vector>

#include DUT_HEADER

extern "C" {
#include "arch/top.h"
#include "tensor/report.h"
}
#include "sim/axi_check.h"
#include "sim/axi_memory.h"
#include "sim/dut.h"
#include "tb/lockstep.h"
#include "tb/top_place.h"

namespace mch_tb
{

/* What the machine was built with; the accumulators wrap. */
mch_accel_config top_config();

struct TopFailure {
	std::string name = "none"; /* what differs, hierarchical; or the bus and its broken rule */
	int64_t want = 0, got = 0;
	int bits = 1;
	bool is_signed = false;
	int row = -1, column = -1; /* of a register of the datapath */
	Place place;               /* in the list, in lock-step */
};

class TopMachine
{
public:
	/* lockstep: 0 none (pins of the bus alone are checked), 1 everything. */
	TopMachine(const std::string &waves, bool lockstep);
	~TopMachine();
	TopMachine(const TopMachine &) = delete;

	/* A new memory, with what the bus then does; as after power-on when `reset`. */
	void connect(size_t n_bytes, const mch_sim::AxiMemoryOptions &options, bool reset);
	mch_sim::AxiMemory &memory() { return *memory_; }
	size_t memory_size() const { return memory_->size(); }
	const mch_top &twin() const { return twin_; }

	/* One cycle. False after the first failure, and nothing moves from then on. */
	bool cycle();
	bool irq() { return dut_->irq_o; }
	uint64_t cycles() const { return cycles_; }
	uint64_t edges() const { return dut_.cycles(); } /* those of resets, too: as waves count */
	/* A few edges more of the RTL alone, for waves. */
	void run_out(int n);
	bool failed() const { return failed_; }
	const TopFailure &failure() const { return failure_; }
	uint64_t n_values() const { return n_values_; } /* compared in each cycle */

	/* One access of AXI4-Lite; resp is MCH_AXI_*. */
	uint32_t read(uint32_t address, int *resp = nullptr);
	int write(uint32_t address, uint32_t value);

	/* percent of cycles in which the driver's side of AXI4-Lite waits. */
	void slow_control(int percent, uint64_t seed);

private:
	struct Steered {
		std::string name;
		mch_sim::Register rtl;
		const void *twin;
		size_t bytes;
	};
	template <class T> void steer(const char *unit, const char *name, const T *twin);
	void find();
	void drive_pins();
	mch_axi_master rtl_master();
	bool pins_agree(const mch_axi_master &rtl);
	bool agree(const char *name, uint64_t want, uint64_t got, int bits);
	bool registers_agree();
	void fail(const TopFailure &f);
	bool lazy();

	mch_sim::Dut<DUT_MODEL> dut_;
	mch_top twin_{};
	bool lockstep_on_, failed_ = false;
	std::unique_ptr<Lockstep> lockstep_;
	TopPlace place_{top_config()};
	std::vector<Steered> steered_;
	std::unique_ptr<mch_sim::AxiMemory> memory_;
	mch_sim::AxiCheck check_;
	mch_sim::AxiLiteCheck lite_check_;
	mch_regs_in lite_{}; /* what the driver's side drives */
	mch_rng rng_ = mch_rng_seed(1);
	int slow_ = 0;
	uint8_t w_beat_[MCH_AXI_BEAT_BYTES_MAX] = {};
	TopFailure failure_;
	uint64_t cycles_ = 0, n_values_ = 0;
};

} // namespace mch_tb

#endif
