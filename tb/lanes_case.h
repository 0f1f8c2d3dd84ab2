/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Layers for the bench of mch_lanes, and the beats that they must give: the plain statement, which shares nothing
 * with the twin. Spec: docs/accelerator.md "lanes". */
#ifndef MCH_TB_LANES_CASE_H
#define MCH_TB_LANES_CASE_H

#include <algorithm>
#include <vector>

extern "C" {
#include "arch/lanes.h"
}
#include "sim/stimulus.h"

#ifndef DUT_X_COLS
#define DUT_X_COLS 1
#endif

namespace mch_tb {

using mch_sim::chance;

const int ROWS = DUT_ROWS, COLS = DUT_COLS, ELEM_BITS = DUT_ELEM_BITS, X_BITS = DUT_X_BITS, X_WORDS = DUT_X_WORDS;
const int X_COLS = DUT_X_COLS;
const int ELEM_BYTES = ELEM_BITS / 8, WORD_BYTES = COLS * ELEM_BYTES;

/* A layer in the words of its formula; the descriptor is made of these, the expected beats use these alone. */
struct Layer {
	int64_t in_h, in_w, out_p, out_q, r, s, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
	int64_t blocks[2], last[2], y_blocks, tiles;
	int64_t taps; /* not 0: depthwise */
	bool is_signed[2];
	uint64_t seed;

	int64_t pixels() const { return out_p * out_q; }
	int64_t n_blocks() const { return blocks[0] + blocks[1]; }
	int64_t strip_pixels() const { return tiles * ROWS; }
	int64_t n_strips() const { return (pixels() + strip_pixels() - 1) / strip_pixels(); }
	int64_t channels(int64_t b) const
	{
		return b == blocks[0] - 1 ? last[0] : b == n_blocks() - 1 ? last[1] : COLS;
	}
	int64_t start(int64_t strip) const
	{
		return std::max<int64_t>(0, (strip * strip_pixels() / out_q * stride_h - pad_top) * in_w);
	}
	int64_t end(int64_t strip) const
	{
		const int64_t bottom = (strip + 1) * strip_pixels() - 1;
		if (bottom >= pixels() - 1)
			return in_h * in_w;
		const int64_t row = bottom / out_q * stride_h - pad_top + reach();
		return std::min(in_h * in_w, std::max(start(strip), row * in_w));
	}
	/* Rows from a pixel's first to its strip's last; the taps of a row's last pixels lie in the next row. */
	int64_t reach() const { return (r - 1) * dilation_h + 1 + (taps > 1 ? stride_h : 0); }
	bool fits() const
	{
		for (int64_t i = 0; i < n_strips(); i++)
			if (n_blocks() * (end(i) - start(i)) > X_WORDS || start(i) > end(i))
				return false;
		return true;
	}
	/* Codes of the input: no memory holds maps of 2^24 words. */
	uint32_t element(int64_t block, int64_t position, int64_t c) const
	{
		mch_rng rng = mch_rng_seed(seed ^ static_cast<uint64_t>((block << 40) ^ (position << 8) ^ c));
		return static_cast<uint32_t>(mch_rng_next(&rng) >> (64 - ELEM_BITS));
	}
};

inline int64_t draw(mch_rng *rng, int64_t low, int64_t high)
{
	return low + mch_rng_below(rng, static_cast<uint32_t>(high - low + 1));
}

/* Shapes whose rows lie far apart: positions up to 2^24. A strip is a part of a row, so it fits all the same. */
inline void spread(mch_rng *rng, Layer *l)
{
	l->out_q = ROWS * draw(rng, 1, 2);
	l->tiles = 1;
	l->out_p = draw(rng, 2, 3);
	l->s = draw(rng, 1, 2);
	l->r = l->dilation_h = 1;
	l->in_w = std::max<int64_t>(1, l->out_q * l->stride_w - l->pad_left);
	l->stride_h = ((1 << 24) - 1) / l->in_w / l->out_p;
	l->in_h = l->stride_h * (l->out_p - 1) + draw(rng, 1, 2); /* the last strip goes to the end of the map */
	l->pad_top = 0;
}

/* What a field can say and a half can hold: many blocks, y blocks or tiles, large windows, far taps; of few beats each. */
inline void enlarge(mch_rng *rng, Layer *l)
{
	const int64_t kind = draw(rng, 0, 4);
	l->r = l->s = l->stride_h = l->stride_w = l->dilation_h = l->dilation_w = l->out_p = l->out_q = l->in_h = l->in_w = 1;
	l->pad_top = l->pad_left = 0;
	l->blocks[0] = l->y_blocks = l->tiles = l->last[0] = 1;
	l->blocks[1] = 0;
	if (kind == 0) {
		l->blocks[0] = draw(rng, 32768, 65535);
	} else if (kind == 1) {
		l->y_blocks = draw(rng, 32768, 65535);
	} else if (kind == 2) {
		l->out_q = l->in_w = draw(rng, 32768, 65535);
		l->tiles = (l->out_q + ROWS - 1) / ROWS;
	} else if (kind == 3) {
		l->r = l->in_h = draw(rng, 127, 255);
		l->s = l->in_w = draw(rng, 127, 255);
	} else {
		l->in_h = draw(rng, 1, 255), l->in_w = draw(rng, 1, 255);
		l->r = draw(rng, 1, 2), l->s = draw(rng, 1, 2);
		l->dilation_h = draw(rng, 1, 255), l->dilation_w = draw(rng, 1, 255);
		l->pad_top = draw(rng, 0, 255), l->pad_left = draw(rng, 0, 255);
		l->stride_h = draw(rng, 1, 255), l->stride_w = draw(rng, 1, 255);
		l->out_p = draw(rng, 1, 4), l->out_q = draw(rng, 1, 4);
		l->tiles = draw(rng, 1, 16);
	}
}

inline Layer draw_layer(mch_rng *rng)
{
	for (;;) {
		Layer l = {};
		l.r = chance(rng, 40) ? 1 : draw(rng, 1, 3);
		l.s = chance(rng, 40) ? 1 : draw(rng, 1, 4);
		l.stride_h = draw(rng, 1, 3);
		l.stride_w = draw(rng, 1, 3);
		l.dilation_h = draw(rng, 1, 2);
		l.dilation_w = draw(rng, 1, 2);
		l.pad_top = draw(rng, 0, 3);
		l.pad_left = draw(rng, 0, 3);
		l.out_p = draw(rng, 1, 6);
		l.out_q = chance(rng, 20) ? 1 : draw(rng, 1, chance(rng, 20) ? 3 * ROWS : 9);
		/* With bottom and right padding of 0..2, or rows and columns that no window reads. */
		l.in_h = (l.out_p - 1) * l.stride_h + (l.r - 1) * l.dilation_h + 1 - l.pad_top + draw(rng, -2, 2);
		l.in_w = (l.out_q - 1) * l.stride_w + (l.s - 1) * l.dilation_w + 1 - l.pad_left + draw(rng, -2, 2);
		l.blocks[0] = draw(rng, 1, 3);
		l.blocks[1] = chance(rng, 60) ? 0 : draw(rng, 1, 2);
		for (int i = 0; i < 2; i++) {
			l.last[i] = chance(rng, 50) ? COLS : draw(rng, 1, COLS);
			l.is_signed[i] = chance(rng, 50);
		}
		if (l.blocks[1] == 0)
			l.last[1] = draw(rng, 0, COLS);
		l.y_blocks = draw(rng, 1, 3);
		l.tiles = draw(rng, 1, 3);
		if (X_COLS > 1 && chance(rng, 40)) {
			l.taps = chance(rng, 20) ? 1 : draw(rng, 1, std::min<int64_t>(l.out_q, chance(rng, 10) ? 20 : 5));
			l.blocks[1] = 0;
			l.y_blocks = l.blocks[0];
		}
		l.seed = mch_rng_next(rng);
		if (chance(rng, 15))
			spread(rng, &l);
		else if (X_WORDS >= 65536 && chance(rng, 30))
			enlarge(rng, &l);
		if (l.in_h >= 1 && l.in_w >= 1 && l.fits())
			return l;
	}
}

inline mch_descriptor descriptor_of(const Layer &l)
{
	mch_descriptor d = {};
	const auto u = [](int64_t v) { return static_cast<uint32_t>(v); };
	d.op = MCH_OP_CONV;
	d.x0_signed = l.is_signed[0], d.x1_signed = l.is_signed[1];
	d.x0_blocks = u(l.blocks[0]), d.x1_blocks = u(l.blocks[1]);
	d.x0_last = u(l.last[0]), d.x1_last = u(l.last[1]);
	d.in_w = u(l.in_w), d.out_q = u(l.out_q);
	d.kernel_r = u(l.r), d.kernel_s = u(l.s);
	d.y_blocks = u(l.y_blocks);
	d.stride_w = u(l.stride_w), d.dilation_w = u(l.dilation_w), d.pad_left = u(l.pad_left);
	d.pixels = u(l.pixels());
	d.row_step = u(l.stride_h * l.in_w), d.tap_step = u(l.dilation_h * l.in_w);
	d.pad_words = u(l.pad_top * l.in_w), d.map_words = u(l.in_h * l.in_w);
	d.q_end = u(l.out_q * l.stride_w);
	d.tiles = u(l.tiles);
	d.taps = u(l.taps);
	return d;
}

/* One beat, in the order of docs/accelerator.md. */
struct Beat {
	int64_t block, r, s, t, c, pixel;
	mch_lanes_beat pins;
};

inline std::vector<Beat> beats_of(const Layer &l)
{
	std::vector<Beat> beats;
	for (int64_t first = 0; first < l.pixels(); first += l.strip_pixels()) {
		const int64_t end = std::min(l.pixels(), first + l.strip_pixels());
		for (int64_t y = 0; y < l.y_blocks; y++)
			for (int64_t pixel = first; pixel < end; pixel += ROWS) {
				const size_t begin = beats.size();
				const int words = static_cast<int>(std::min<int64_t>(ROWS, end - pixel));
				mch_lanes_beat pins = {};
				pins.valid = true;
				pins.release = pixel + ROWS >= end;
				pins.words = words;
				const auto word = [&](int64_t b, int64_t i, int64_t t, int64_t channels, int64_t step) {
					pins.is_signed = l.is_signed[b >= l.blocks[0]];
					for (int64_t c = 0; c < channels; c += step)
						beats.push_back({b, i / l.s, i % l.s, t, c, pixel, pins});
				};
				for (int64_t i = 0; l.taps && i < l.r * l.s; i++)
					for (int64_t t = 0; t < l.taps; t++)
						word(y, i, t, COLS, X_COLS);
				for (int64_t b = 0; !l.taps && b < l.n_blocks(); b++)
					for (int64_t i = 0; i < l.r * l.s; i++)
						word(b, i, 0, l.channels(b), 1);
				beats[begin].pins.first = true;
				beats[begin].pins.param = pixel == first;
				beats.back().pins.last = true;
			}
	}
	return beats;
}

/* Of a lane, for column k and all those a multiple of X_COLS further. */
inline uint64_t x_of(const Layer &l, const Beat &b, int lane, int k)
{
	const int64_t pixel = b.pixel + lane + b.t;
	const int64_t h = pixel / l.out_q * l.stride_h - l.pad_top + b.r * l.dilation_h;
	const int64_t w = pixel % l.out_q * l.stride_w - l.pad_left + b.s * l.dilation_w;
	if (pixel >= l.pixels() || h < 0 || h >= l.in_h || w < 0 || w >= l.in_w)
		return 0;
	return l.element(b.block, h * l.in_w + w, l.taps ? b.c + k : b.c) & ((UINT64_C(1) << X_BITS) - 1);
}

/* Cycles from the start's to the last beat's, when nothing delays: a word takes max(ROWS, channels), or, when the next is of the
 * same depthwise walk, its beats alone; the last of all its channels; in front of them the start's, the strip's and ROWS + 4 - 1 to the first beat. */
inline int64_t cycles_of(const std::vector<Beat> &beats)
{
	int64_t cycles = 1 + ROWS + 4;
	for (size_t i = 0; i < beats.size();) {
		int64_t n = 0;
		do
			n++, i++;
		while (i < beats.size() && beats[i].c > 0);
		cycles += i < beats.size() && beats[i].t == 0 ? std::max<int64_t>(ROWS, n) : n;
	}
	return cycles;
}

} // namespace mch_tb

#endif
