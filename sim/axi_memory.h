/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* An AXI4 memory for benches: ideal (cycle by cycle as cmodel/arch/ideal_memory.h), or with latencies, stalls, errors
 * and a death, all drawn from a seed. It sees pins as plain structures, so one object serves the RTL and its twin.
 * Holds no expected values.
 *
 *   AxiMemory memory(n_bytes, beat_bytes, options);
 *   each cycle: memory.pins() go to the pins of the accelerator; then, its pins settled, memory.step(master) is the
 * edge.
 *
 * Transactions are answered in order. Pins depend on nothing of their own cycle. */
#ifndef MCH_SIM_AXI_MEMORY_H
#define MCH_SIM_AXI_MEMORY_H

#include <algorithm>
#include <deque>
#include <vector>

#include "sim/stimulus.h"

extern "C" {
#include "arch/axi.h"
}

namespace mch_sim {

struct AxiMemoryOptions {
	uint64_t seed = 1;
	int latency = 0; /* each transaction waits 0 to so many cycles more, 0..200 */
	int ar_stall = 0, r_stall = 0, aw_stall = 0, w_stall = 0, b_stall = 0; /* percent of cycles */
	uint64_t error_low = 0, error_high = 0; /* a beat with its address in [low, high) is answered by error_resp */
	int error_resp = MCH_AXI_SLVERR;
	uint64_t dead_cycle = UINT64_MAX; /* from here on nothing is taken, and no new valid comes */
};

/* Latency and stalls as a test wants them: none, little, much, or one channel alone. */
inline AxiMemoryOptions axi_random_options(mch_rng *rng)
{
	static const int latencies[] = {0, 3, 30, 200}, stalls[] = {0, 0, 20, 50, 90};
	AxiMemoryOptions o;
	o.seed = mch_rng_next(rng);
	o.latency = latencies[mch_rng_below(rng, 4)];
	for (int *stall : {&o.ar_stall, &o.r_stall, &o.aw_stall, &o.w_stall, &o.b_stall})
		*stall = stalls[mch_rng_below(rng, 5)];
	return o;
}

class AxiMemory {
public:
	/* beat_bytes is a power of two up to 64; n_bytes is a whole number of beats. */
	AxiMemory(size_t n_bytes, size_t beat_bytes, const AxiMemoryOptions &options = AxiMemoryOptions())
	    : bytes_(n_bytes), r_data_(beat_bytes), beat_bytes_(beat_bytes), options_(options),
	      rng_(mch_rng_seed(options.seed))
	{
		reset();
	}
	AxiMemory(const AxiMemory &) = delete;
	AxiMemory &operator=(const AxiMemory &) = delete;

	/* As after making, with the bytes as they are. */
	void reset()
	{
		reads_.clear(), writes_.clear(), w_.clear(), b_.clear();
		pins_ = mch_axi_slave();
		pins_.r.data = r_data_.data();
		read_beat_ = write_beat_ = 0;
		write_resp_ = MCH_AXI_OKAY;
		cycle_ = 0;
		drive_ready();
	}

	uint8_t *data() { return bytes_.data(); }
	const uint8_t *data() const { return bytes_.data(); }
	size_t size() const { return bytes_.size(); }

	/* Of this cycle. */
	const mch_axi_slave &pins() const { return pins_; }

	/* Nothing is owed: no burst is open. */
	bool idle() const
	{
		return reads_.empty() && writes_.empty() && w_.empty() && b_.empty() && !pins_.r.valid &&
		       !pins_.b.valid;
	}

	/* One rising edge with the master's pins. Writes come before the read of a beat that is loaded at the same
	 * edge. */
	void step(const mch_axi_master &in)
	{
		if (in.aw.valid && pins_.awready)
			writes_.push_back(burst(in.aw));
		if (in.w.valid && pins_.wready)
			w_.push_back({std::vector<uint8_t>(in.w.data, in.w.data + beat_bytes_), in.w.strb});
		if (in.ar.valid && pins_.arready)
			reads_.push_back(burst(in.ar));
		cycle_++; /* from here on: the cycle to come */
		while (!writes_.empty() && !w_.empty())
			write_beat();
		step_b(in.bready);
		step_r(in.rready);
		drive_ready();
	}

private:
	enum { N_BURSTS = 32, N_W_BEATS = 64 };
	struct Burst {
		uint64_t addr;
		unsigned len;
		uint64_t not_before;
	};
	struct WriteBeat {
		std::vector<uint8_t> data;
		uint64_t strb;
	};
	struct Answer {
		uint8_t resp;
		uint64_t not_before;
	};

	/* Taken at this edge: may be answered from the next cycle on. */
	Burst burst(const mch_axi_address &a)
	{
		return {a.addr & ~static_cast<uint64_t>(beat_bytes_ - 1), a.len, cycle_ + 1 + wait()};
	}

	uint64_t wait()
	{
		return options_.latency > 0 ? mch_rng_below(&rng_, static_cast<uint32_t>(options_.latency) + 1) : 0;
	}

	bool dead() const { return cycle_ >= options_.dead_cycle; }

	uint8_t resp(uint64_t at) const
	{
		if (at + beat_bytes_ > bytes_.size())
			return MCH_AXI_DECERR;
		return at >= options_.error_low && at < options_.error_high
			       ? static_cast<uint8_t>(options_.error_resp)
			       : static_cast<uint8_t>(MCH_AXI_OKAY);
	}

	void write_beat()
	{
		const Burst &burst = writes_.front();
		const uint64_t at = burst.addr + write_beat_ * beat_bytes_;
		const uint8_t answer = resp(at);
		if (answer != MCH_AXI_OKAY)
			write_resp_ = std::max(write_resp_, answer);
		if (at + beat_bytes_ <= bytes_.size())
			for (size_t i = 0; i < beat_bytes_; i++)
				if (w_.front().strb >> i & 1)
					bytes_[at + i] = w_.front().data[i];
		w_.pop_front();
		if (write_beat_++ == burst.len) {
			b_.push_back({write_resp_, std::max(cycle_, burst.not_before)});
			writes_.pop_front();
			write_beat_ = 0;
			write_resp_ = MCH_AXI_OKAY;
		}
	}

	void step_b(bool ready)
	{
		if (pins_.b.valid && ready)
			pins_.b.valid = false;
		if (pins_.b.valid || b_.empty() || b_.front().not_before > cycle_ || dead() ||
		    chance(&rng_, options_.b_stall))
			return;
		pins_.b = {true, b_.front().resp};
		b_.pop_front();
	}

	void step_r(bool ready)
	{
		mch_axi_r &r = pins_.r;
		if (r.valid && ready)
			r.valid = false;
		if (r.valid || reads_.empty() || reads_.front().not_before > cycle_ || dead() ||
		    chance(&rng_, options_.r_stall))
			return;
		const uint64_t at = reads_.front().addr + read_beat_ * beat_bytes_;
		r.valid = true;
		r.resp = resp(at);
		for (size_t i = 0; i < beat_bytes_; i++)
			r_data_[i] = at + i < bytes_.size() ? bytes_[at + i] : 0;
		r.last = read_beat_ == reads_.front().len;
		read_beat_++;
		if (r.last) {
			reads_.pop_front();
			read_beat_ = 0;
		}
	}

	void drive_ready()
	{
		pins_.arready = !dead() && reads_.size() < N_BURSTS && !chance(&rng_, options_.ar_stall);
		pins_.awready = !dead() && writes_.size() + b_.size() < N_BURSTS && !chance(&rng_, options_.aw_stall);
		pins_.wready = !dead() && w_.size() < N_W_BEATS && !chance(&rng_, options_.w_stall);
	}

	std::vector<uint8_t> bytes_, r_data_;
	size_t beat_bytes_;
	AxiMemoryOptions options_;
	mch_rng rng_;
	std::deque<Burst> reads_, writes_;
	std::deque<WriteBeat> w_;
	std::deque<Answer> b_;
	mch_axi_slave pins_ = {};
	unsigned read_beat_ = 0, write_beat_ = 0; /* of the oldest burst */
	uint8_t write_resp_ = MCH_AXI_OKAY;
	uint64_t cycle_ = 0;
};

} // namespace mch_sim

#endif
