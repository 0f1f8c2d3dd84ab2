/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A random layer for the bench of mch_issue: its beats, its words of weights, its commands and its cycles, by a plain
 * statement of docs/accelerator.md "Words, tensors, tiles, strips". */
#ifndef MCH_TB_ISSUE_LAYER_H
#define MCH_TB_ISSUE_LAYER_H

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

extern "C" {
#include "arch/map.h"
#include "fxp/round_shift.h"
}
#include "sim/stimulus.h"

namespace mch_tb
{

#ifndef DUT_X_COLS
#define DUT_X_COLS 1
#endif

enum {
	ROWS = DUT_ROWS,
	N_X = ROWS * DUT_X_COLS,
	COLS = DUT_COLS,
	ELEM_BYTES = DUT_ELEM_BITS / 8,
	WORD_BYTES = COLS * ELEM_BYTES,
	W_WORDS = DUT_W_WORDS,
	BIAS_WORDS = (DUT_ACC_BITS + DUT_ELEM_BITS - 1) / DUT_ELEM_BITS,
	PARAM = BIAS_WORDS + 1 + (DUT_ROUND == MCH_ROUND_STOCHASTIC ? 16 / DUT_ELEM_BITS : 0),
	NO_PARAM = -1,
};

typedef std::array<uint8_t, WORD_BYTES> Word;

struct Beat {
	std::array<int32_t, N_X> x;
	bool is_signed, first, last, param, release;
	uint32_t words;
	size_t weight; /* its word in the stream */
	int params; /* of a tile's last beat: first word of those that it brings, or NO_PARAM */
};

struct Command {
	uint32_t addr, words;
};

struct Layer {
	mch_descriptor d = {};
	bool pool = false;
	size_t n_terms = 1, n_strips = 1;
	std::deque<Beat> beats;
	std::deque<Command> commands;
	std::deque<int> requests; /* of the pool: where in the stream */
	uint64_t cycles = 0; /* without any wait */
	bool timed = false;
};

inline int draw(mch_rng *rng, int low, int high)
{
	return low + static_cast<int>(mch_rng_below(rng, static_cast<uint32_t>(high - low + 1)));
}

inline uint64_t mask(uint64_t v, int bits)
{
	return v & (UINT64_MAX >> (64 - bits));
}

/* The y block's tiles in a strip; its weights are the stream's from `at` on. */
inline void make_tiles(mch_rng *rng, Layer *l, uint32_t strip, uint32_t y_block, size_t at)
{
	const uint32_t first = strip * l->d.tiles * ROWS, all = l->d.pixels;
	for (uint32_t t = 0; t < l->d.tiles && first + t * ROWS < all; t++) {
		const uint32_t pixel = first + t * ROWS, left = all - pixel, words = std::min<uint32_t>(left, ROWS);
		const bool ends = t + 1 == l->d.tiles || left <= ROWS;
		for (size_t i = 0; i < l->n_terms; i++) {
			Beat b = {};
			b.is_signed = mch_sim::chance(rng, 50);
			for (int32_t &x : b.x)
				x = static_cast<int32_t>(mch_sim::corner(rng, DUT_X_BITS, b.is_signed));
			b.first = i == 0, b.last = i + 1 == l->n_terms;
			b.param = b.first && t == 0, b.release = ends, b.words = words;
			b.weight = at + i;
			b.params = b.last && t == 0 ? static_cast<int>(at) - PARAM : static_cast<int>(NO_PARAM);
			l->beats.push_back(b);
		}
		l->commands.push_back({l->d.y_addr + y_block * l->d.y_step + pixel, words});
		l->cycles += l->n_terms;
		if (t == 0)
			l->cycles += PARAM;
		if (t == 0 && ends) /* the next y block's parameters wait for these to be loaded */
			l->cycles += 4;
	}
}

inline Layer make_layer(mch_rng *rng, bool ideal, std::vector<Word> *stream)
{
	Layer l;
	mch_descriptor &d = l.d;
	l.pool = mch_sim::chance(rng, 20);
	static const int some[] = {1, 1, 2, 3, 5};
	d.tiles = static_cast<uint32_t>(some[mch_rng_below(rng, 5)]);
	d.y_blocks = static_cast<uint32_t>(some[mch_rng_below(rng, 5)]);
	l.n_strips = static_cast<size_t>(draw(rng, 1, 3));
	d.strip_pixels = d.tiles * ROWS;
	d.pixels = static_cast<uint32_t>(l.n_strips - 1) * d.strip_pixels + 1 + mch_rng_below(rng, d.strip_pixels);
	/* As many y blocks as the field can say, or strips of so many tiles that hold few pixels; of few beats. */
	const bool is_huge = W_WORDS >= 4096 && mch_sim::chance(rng, 10);
	if (is_huge) {
		l.n_strips = 1;
		d.y_blocks = mch_sim::chance(rng, 50) ? static_cast<uint32_t>(draw(rng, 32768, 65535)) : 1;
		d.tiles = static_cast<uint32_t>(draw(rng, 1, 65535));
		d.strip_pixels = d.tiles * ROWS;
		d.pixels = 1 + mch_rng_below(rng, ROWS);
	}
	d.y_addr = static_cast<uint32_t>(mch_rng_next(rng));
	d.y_step = static_cast<uint32_t>(mch_rng_next(rng));
	/* Short tiles that the bank stalls, tiles that hide it, a whole ring, more than a ring. */
	static const int terms[] = {1, 2, 4, ROWS, ROWS + 1, ROWS + 5, 40, W_WORDS};
	const int n_terms = is_huge ? 1 : terms[mch_rng_below(rng, 8)], most = d.tiles == 1 ? 3 * W_WORDS : W_WORDS;
	l.n_terms = static_cast<size_t>(n_terms > 300 ? 300 : n_terms > most ? most : n_terms);
	for (uint32_t strip = 0; strip < l.n_strips; strip++)
		for (uint32_t b = 0; b < d.y_blocks; b++) {
			const size_t at = stream->size();
			for (size_t i = 0; i < PARAM + (l.pool ? 0 : l.n_terms); i++) {
				Word w;
				for (uint8_t &byte : w)
					byte = static_cast<uint8_t>(mch_sim::corner(rng, 8, false));
				stream->push_back(w);
			}
			if (l.pool)
				l.requests.push_back(static_cast<int>(at));
			else
				make_tiles(rng, &l, strip, b, at + PARAM);
		}
	/* Nobody waits for the last y block's parameters. */
	if (!l.pool && d.pixels - static_cast<uint32_t>(l.n_strips - 1) * d.strip_pixels <= ROWS)
		l.cycles -= 4;
	l.timed = ideal && !l.pool && W_WORDS >= 16 && l.n_terms >= ROWS + 1 && l.n_terms >= 4;
	return l;
}

/* The array's flags of docs/datapath.md "mac_array", with the parameters that a tile brings. */
class ArrayFlags
{
public:
	bool ready() const { return !(done_.valid && n_out_ > 0); }
	bool empty() const { return !v0_.valid && !v1_.valid && !done_.valid && n_out_ == 0; }

	/* Parameters of the tile that enters the bank at the edge to come, or NO_PARAM. */
	int enters() const { return done_.valid && n_out_ == 0 ? done_.params : static_cast<int>(NO_PARAM); }

	/* A rising edge with the beat that is taken, or nullptr. */
	void edge(const Beat *taken, bool out_ready)
	{
		const bool en = ready();
		if (en && done_.valid)
			n_out_ = ROWS;
		else if (n_out_ > 0 && out_ready)
			n_out_--;
		if (!en)
			return;
		done_ = v1_;
		done_.valid = v1_.valid && v1_.last;
		v1_ = v0_;
		v0_ = taken ? Flag{true, taken->last, taken->params} : Flag();
	}

private:
	struct Flag {
		bool valid = false, last = false;
		int params = NO_PARAM;
	};
	Flag v0_, v1_, done_;
	int n_out_ = 0;
};

} // namespace mch_tb

#endif
