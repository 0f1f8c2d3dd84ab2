/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Three random requesters of mch_read: runs of words anywhere, often next to the end of a block of bursts. */
#ifndef MCH_TB_READ_ASKERS_H
#define MCH_TB_READ_ASKERS_H

#include "sim/stimulus.h"

extern "C" {
#include "arch/read.h"
}

namespace mch_tb {

struct AskersPlan {
	int pause;            /* percent of cycles in which a requester that may ask begins to */
	uint64_t longest;     /* words of a run */
	int runs;             /* of each requester, at most */
	uint64_t block_words; /* of a longest burst */
	bool cut;             /* somebody stops them: runs of any length at all, most of few bits */
};

class ReadAskers {
public:
	/* New runs; what was asked for and not taken is forgotten. */
	void begin(mch_rng *rng, const AskersPlan &plan)
	{
		plan_ = plan;
		const uint32_t most = static_cast<uint32_t>(plan.runs);
		for (Asker &a : asker_) {
			a = Asker();
			a.runs = mch_sim::chance(rng, 80) ? 1 + mch_rng_below(rng, most) : 0;
		}
		asker_[mch_rng_below(rng, MCH_READ_REQUESTERS)].runs = most;
	}

	/* Drives the pins of this cycle. Those that mean nothing hold anything. */
	void ask(mch_rng *rng, mch_read_in *in)
	{
		for (int i = 0; i < MCH_READ_REQUESTERS; i++) {
			Asker &a = asker_[i];
			if (a.left == 0 && a.runs > 0)
				new_run(rng, &a);
			if (!a.asks)
				a.asks = a.left > 0 && mch_sim::chance(rng, plan_.pause);
			in->req_valid[i] = a.asks;
			in->req_addr[i] = a.asks ? a.addr : static_cast<uint32_t>(mch_rng_next(rng));
			in->req_words[i] = a.asks ? a.left : 1 + mch_rng_below(rng, 65535);
		}
	}

	/* A burst of requester `who` was taken; it asks on at once when no pauses are wanted. */
	void take(int who, uint32_t words)
	{
		Asker &a = asker_[who];
		a.addr += words;
		a.left -= words;
		a.asks = a.left > 0 && plan_.pause == 100;
	}

	bool done() const
	{
		for (const Asker &a : asker_)
			if (a.left > 0 || a.runs > 0)
				return false;
		return true;
	}

private:
	struct Asker {
		bool asks = false;
		uint32_t addr = 0, left = 0; /* words; addresses wrap */
		uint32_t runs = 0;           /* still to begin */
	};

	void new_run(mch_rng *rng, Asker *a)
	{
		const uint32_t longest = static_cast<uint32_t>(plan_.longest);
		a->runs--;
		a->left = mch_sim::chance(rng, 50) ? longest : 1 + mch_rng_below(rng, longest);
		/* What is left of a run before its last burst is told by one high bit of its words, each in turn. */
		if (plan_.cut)
			a->left = (1U << mch_rng_below(rng, 16)) | (1 + mch_rng_below(rng, 8));
		a->addr = static_cast<uint32_t>(mch_rng_next(rng));
		if (mch_sim::chance(rng, 50))
			a->addr = (a->addr | static_cast<uint32_t>(plan_.block_words - 1)) - mch_rng_below(rng, 2);
		if (mch_sim::chance(rng, 3)) /* over the end of all addresses */
			a->addr = UINT32_MAX - mch_rng_below(rng, a->left);
	}

	AskersPlan plan_{};
	Asker asker_[MCH_READ_REQUESTERS];
};

} // namespace mch_tb

#endif
