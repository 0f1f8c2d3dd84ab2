/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What mch_read must do, said plainly and apart from its twin: which burst is taken, its address and length on AR,
 * every word in order with the bytes of its address. By divisions and queues, as docs/accelerator.md "read" says it.
 */
#ifndef MCH_TB_READ_STATEMENT_H
#define MCH_TB_READ_STATEMENT_H

#include <deque>
#include <string>
#include <vector>

extern "C" {
#include "arch/read.h"
}

namespace mch_tb {

/* The pins of a cycle, settled. */
struct ReadSeen {
	const mch_read_in *in;
	uint32_t take, take_words, word_valid; /* one-hot, number, one-hot */
	const uint8_t *word;
	bool idle, error, rready, arvalid;
	uint64_t araddr;
	uint32_t arlen;
};

class ReadStatement {
public:
	/* image: the bytes of memory; they appear again and again through all addresses. */
	ReadStatement(const mch_read_config &cfg, const std::vector<uint8_t> &image)
	    : image_(image), mem_(cfg.mem_bits / 8), word_(cfg.word_bits / 8), block_(cfg.burst * mem_),
	      mask_((UINT64_C(1) << cfg.addr_bits) - 1), outstanding_(static_cast<size_t>(cfg.outstanding))
	{
	}

	/* After a reset, or a clear: nothing is open, nothing has been taken. */
	void begin()
	{
		open_.clear(), on_ar_.clear();
		n_open_ = 0;
		won_ = Burst();
		given_ = words_taken = first_win = last_word = single_beats = 0;
	}

	bool idle() const { return open_.empty() && on_ar_.empty(); }

	/* False: what, want and got say the first that is wrong. `now` is the cycle. */
	bool holds(const ReadSeen &s, uint64_t now)
	{
		return same("idle_o, while bursts are open", open_.empty(), s.idle) && ar_holds(s) &&
		       same("error_o for this beat", s.in->r.valid && s.rready && s.in->r.resp >= MCH_AXI_SLVERR,
			    s.error) &&
		       word_holds(s, now) && take_holds(s) && win(s, now);
	}

	std::string what;
	uint64_t want = 0, got = 0;
	uint64_t words_taken = 0, first_win = 0, last_word = 0; /* their number; cycles */
	uint64_t single_beats = 0;                              /* bursts of one beat */

private:
	struct Burst {
		uint32_t who = 0; /* one-hot */
		uint64_t addr = 0, words = 0;
	};

	bool same(const std::string &name, uint64_t wanted, uint64_t found)
	{
		what = name, want = wanted, got = found;
		return wanted == found;
	}

	bool ar_holds(const ReadSeen &s)
	{
		if (!same("arvalid_o", !on_ar_.empty(), s.arvalid) || !s.arvalid)
			return !s.arvalid && on_ar_.empty();
		const Burst &b = on_ar_.front();
		const uint64_t start = b.addr * word_, end = start + b.words * word_;
		if (!same("address of the burst", start / mem_ * mem_ & mask_, s.araddr) ||
		    !same("beats of the burst", (end - 1) / mem_ - start / mem_ + 1, s.arlen + 1u))
			return false;
		if (s.in->arready)
			on_ar_.pop_front();
		return true;
	}

	/* Words come in the order of the bursts. */
	bool word_holds(const ReadSeen &s, uint64_t now)
	{
		if (s.word_valid == 0)
			return true;
		if (!same("requester of the word", open_.empty() ? 0 : open_.front().who, s.word_valid))
			return false;
		const Burst &b = open_.front();
		const uint64_t at = (b.addr + given_) * word_ % image_.size();
		for (uint64_t i = 0; i < word_; i++)
			if (s.word[i] != image_[at + i])
				return same("byte " + std::to_string(i) + " of word " +
						    std::to_string(b.addr + given_),
					    image_[at + i], s.word[i]);
		last_word = now;
		if (++given_ == b.words) {
			open_.pop_front();
			given_ = 0;
		}
		return true;
	}

	/* Who won in the cycle before is told so. */
	bool take_holds(const ReadSeen &s)
	{
		return same("requester of the burst", won_.who, s.take) &&
		       (won_.who == 0 || same("words of the burst", won_.words, s.take_words));
	}

	/* The lowest that asks wins, when there is a place, and not twice in a row; its burst ends where a block of memory or the
	 * run does. */
	bool win(const ReadSeen &s, uint64_t now)
	{
		uint32_t who = 0;
		while (who < MCH_READ_REQUESTERS && (!s.in->req_valid[who] || won_.who == 1u << who))
			who++;
		won_ = Burst();
		/* An AR that was taken in this cycle has left the list; a burst that ended in it still has its place.
		 */
		const bool may = !s.in->stop && who < MCH_READ_REQUESTERS && on_ar_.empty() && n_open_ < outstanding_;
		if (may) {
			const uint64_t addr = s.in->req_addr[who], start = addr * word_;
			const uint64_t to_block = block_ - start % block_, to_end = s.in->req_words[who] * word_;
			won_ = {1u << who, addr, (to_block < to_end ? to_block : to_end) / word_};
			if (words_taken == 0)
				first_win = now;
			words_taken += won_.words;
			single_beats += won_.words * word_ <= mem_;
			on_ar_.push_back(won_);
			open_.push_back(won_);
		}
		n_open_ = open_.size();
		return true;
	}

	const std::vector<uint8_t> &image_;
	uint64_t mem_, word_, block_, mask_; /* bytes of a beat, of a word, of a block of bursts; addresses */
	size_t outstanding_, n_open_ = 0;    /* the second as it was before this cycle */
	std::deque<Burst> on_ar_, open_;     /* taken and not yet on the bus; taken and not yet given */
	uint64_t given_ = 0;                 /* words of the oldest */
	Burst won_;                          /* in the cycle before */
};

} // namespace mch_tb

#endif
