/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Streams a layer's operands through a verilated mch_datapath and, in lock-step, through its C twin. */
#ifndef MCH_TB_STREAM_H
#define MCH_TB_STREAM_H

#include <deque>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "arch/gemm.h"
#include "fxp/encode.h"
#include "fxp/lfsr.h"
#include "net/qnet.h"
#include "op/hint_conv.h"
#include "op/requant.h"
#include "op/wide.h"
}
#include DUT_HEADER /* "Vmch_datapath.h", or that of a wrapper with the same pins: see scripts/verilate */
#include "sim/dut.h"
#include "sim/stimulus.h"
#include "tb/bins_array.h"
#include "tb/lockstep.h"

namespace mch_tb {

struct StreamOptions {
	uint64_t seed = 1;
	int stall_percent = 0; /* of cycles, on the input and on the output, each on its own */
	int sum_percent = 0;   /* of cycles that offer a row of sums, to a module that has the pins */
	bool lockstep = true;  /* false: the RTL alone, for the speed comparison */
	std::string waves;     /* FILE.fst, or empty */
};

class Stream {
public:
	Stream(const mch_datapath_config &cfg, const StreamOptions &options);
	~Stream();
	Stream(const Stream &) = delete;
	Stream &operator=(const Stream &) = delete;

	/* Runs a conv or dense step on n images: x raw NCHW in, y raw NKPQ out. False when a register or a pin differed: then
	 * difference() tells which. A stochastic layer must come one image at a time: its noise starts anew with each. */
	bool run(const mch_step &step, int n, const int32_t *x, int32_t *y);

	/* Word i of the pins config_hash_o, which sim/mch_exported.v has; 0 for the bare datapath. */
	uint32_t config_hash_word(int i);

	const Difference &difference() const { return difference_; }
	/* What in the layer the differing register held: "n=0 k=3 p=12 q=4  term 17 of 500  tile 5  cycle 5211  TOP...". */
	std::string position() const;
	/* The rule that explains every output of the layer, or "" (op/hint_conv.h): outputs of the RTL, or after a run that returned false
	 * those that it makes when it is left alone, from a reset on. */
	std::string hint(const int32_t *y);
	std::string hint(); /* position() is that of the failure no more */

	uint64_t cycles() const { return cycles_; }
	uint64_t edges() const { return dut_.cycles(); } /* those of resets, too: as waves count */
	void run_out() { dut_.run_out(); }
	uint64_t layer_cycles() const { return cycles_ - layer_start_; }
	uint64_t macs() const { return macs_; } /* done by the array: beats x ROWS x COLS */
	uint64_t values_compared() const { return compared_; }
	uint64_t saturated() const { return saturated_; }

private:
	std::string scope();
	bool tick();
	bool load(const mch_step &step, const mch_tile &tile);
	bool drain();
	bool take_row();
	bool pin_agrees(const char *name, int column, bool want, bool got);
	int32_t code_on_pins(int j);
	bool take_sums(const std::vector<int32_t> &want);
	void offer_sums();
	void enter_row();
	void track();

	mch_datapath_config cfg_;
	StreamOptions options_;
	mch_sim::Dut<DUT_MODEL> dut_;
	mch_datapath twin_;
	mch_sim::Coverage<SeenDatapath> covered_{"mch_datapath", datapath_bins::list};
	std::unique_ptr<Lockstep> check_;
	mch_rng rng_, sum_rng_;
	mch_datapath_in in_;
	Difference difference_;
	std::vector<int32_t> x_beats_, w_beats_;
	std::vector<int64_t> bias_;
	std::vector<int8_t> shift_;
	std::vector<uint16_t> noise_;
	std::vector<int64_t> sum_;
	/* Rows in the requantizers, the oldest first: the codes that a row of sums must become; none for one of the array. */
	std::deque<std::vector<int32_t>> rows_;
	const mch_step *step_ = nullptr;
	mch_gemm gemm_;
	const int32_t *x_ = nullptr;
	int32_t *y_ = nullptr;
	/* Which beat each operand, product and sum register was loaded from, and whose tile is in the bank: for position(). */
	struct Beat {
		uint64_t tile;
		size_t term;
	};
	Beat beat_[3] = {};
	uint64_t bank_tile_ = 0;
	uint64_t tile_in_ = 0, tile_out_ = 0;
	size_t term_ = 0;
	int row_out_ = 0;
	int loaded_channel_ = -1;
	uint64_t most_cycles_ = UINT64_MAX; /* that it may take */
	uint64_t cycles_ = 0, layer_start_ = 0, macs_ = 0, compared_ = 0, saturated_ = 0;
};

} // namespace mch_tb

#endif
