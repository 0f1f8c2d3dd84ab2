/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The cases of tb/tb_pooler.cpp: random pools, the strips that a loader would lay out, and what must come out, in
 * order: by op/pool.h over the whole tensor and the formulas of docs/accelerator.md, not by the twin. */
#ifndef MCH_TB_POOLER_CASE_H
#define MCH_TB_POOLER_CASE_H

#include <vector>

extern "C" {
#include "arch/map.h"
#include "op/pool.h"
}
#include "sim/stimulus.h"

namespace mch_tb {

using mch_sim::chance;
using mch_sim::corner;

#ifndef DUT_X_KIND
#define DUT_X_KIND 0
#endif
enum { is_minifloat = DUT_X_KIND != 0, SIGN = 1 << (DUT_X_BITS - 1) };
enum { ELEM_BYTES = DUT_ELEM_BITS / 8, WORD_BYTES = DUT_COLS * ELEM_BYTES };

inline int draw(mch_rng *rng, int low, int high)
{
	return low + static_cast<int>(mch_rng_below(rng, static_cast<uint32_t>(high - low + 1)));
}

/* Where the pooler's words are in the map, as the loader is told: the contract's formula. */
struct Strip {
	int64_t start, words; /* of a block */
	std::vector<uint8_t> bytes;
};

/* What must come out, in order. */
struct Row {
	std::vector<int32_t> y;
	bool begins_block; /* parameters come before it */
	int strip;
	int fetches;
	int count;        /* positions that a mean divides by */
	bool is_timed; /* no bubble lies before it */
};
struct Command {
	uint32_t addr;
	uint32_t words;
};

struct Layer {
	mch_pool g = {};
	struct mch_pool_avg avg = {};
	mch_descriptor d = {};
	bool mean = false, is_huge = false;
	int blocks = 1, n_p = 0, n_q = 0;
	std::vector<int32_t> x, y;
	std::vector<Strip> strips;
	std::vector<Row> rows;
	std::vector<Command> commands;

	Layer(mch_rng *rng, bool like_squeezenet)
	{
		is_huge = !like_squeezenet && DUT_X_WORDS >= 65536 && chance(rng, 40);
		do
			if (is_huge)
				draw_huge(rng);
			else
				draw_geometry(rng, like_squeezenet);
		while (!is_legal() || !describe(rng));
		compute(rng);
		lay_out(rng);
		order();
	}

	void draw_geometry(mch_rng *rng, bool like_squeezenet)
	{
		const int most = draw(rng, 1, 4);
		mean = !like_squeezenet && !is_minifloat && chance(rng, 50);
		g.n = 1;
		blocks = draw(rng, 1, 3);
		g.c = blocks * DUT_COLS;
		g.r = draw(rng, 1, most);
		g.s = draw(rng, 1, most);
		g.stride_h = draw(rng, 1, 3);
		g.stride_w = chance(rng, 50) && g.s > 1 ? g.s - 1 : draw(rng, 1, 4);
		g.dilation_h = chance(rng, 25) ? 2 : 1;
		g.dilation_w = chance(rng, 25) ? 2 : 1;
		g.pad_top = draw(rng, 0, 2);
		g.pad_left = draw(rng, 0, 2);
		g.pad_bottom = draw(rng, 0, 2);
		g.pad_right = draw(rng, 0, 2);
		g.h = draw(rng, 1, 9);
		g.w = draw(rng, 1, 12);
		g.ceil_mode = chance(rng, 50);
		g.count_include_pad = chance(rng, 50);
		if (mean && chance(rng, 25)) { /* the whole map, or a row of it */
			g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = 0;
			g.dilation_h = g.dilation_w = 1;
			g.w = draw(rng, 1, 30);
			g.r = chance(rng, 50) ? g.h : 1;
			g.s = g.w;
		}
		if (like_squeezenet) {
			g.r = g.s = 3;
			g.stride_h = g.stride_w = 2;
			g.dilation_h = g.dilation_w = 1;
			g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = 0;
			g.h = 5;
			g.w = draw(rng, 11, 16);
			g.ceil_mode = true;
		}
		n_p = mch_pool_p(&g);
		n_q = mch_pool_q(&g);
	}

	/* What a field can say and a half can hold: a long row, many blocks, a large window, far taps. */
	void draw_huge(mch_rng *rng)
	{
		const int kind = draw(rng, 0, 5);
		g = mch_pool();
		blocks = g.n = g.r = g.s = g.h = g.w = g.stride_h = g.stride_w = g.dilation_h = g.dilation_w = 1;
		mean = !is_minifloat && (kind == 2 || chance(rng, 20));
		g.count_include_pad = chance(rng, 50);
		if (kind == 0) {
			g.w = draw(rng, 32768, 65535);
		} else if (kind == 1) {
			blocks = draw(rng, 32768, 65535);
		} else if (kind == 2) {
			g.h = g.r = draw(rng, 127, 255);
			g.w = g.s = draw(rng, 127, 32768 / g.r < 255 ? 32768 / g.r : 255);
		} else {
			g.h = draw(rng, 1, 255), g.w = draw(rng, 1, 255);
			g.r = draw(rng, 1, 2), g.s = draw(rng, 1, 2);
			g.dilation_h = draw(rng, 1, 255), g.dilation_w = draw(rng, 1, 255);
			g.pad_top = g.r > 1 ? draw(rng, 0, g.dilation_h) : 0, g.pad_left = g.s > 1 ? draw(rng, 0, g.dilation_w) : 0;
			g.pad_bottom = draw(rng, 0, g.pad_top), g.pad_right = draw(rng, 0, g.pad_left);
			g.stride_h = draw(rng, 20, 255), g.stride_w = draw(rng, 20, 255);
		}
		g.c = blocks * DUT_COLS;
		n_p = mch_pool_p(&g);
		n_q = mch_pool_q(&g);
	}

	bool is_legal() const
	{
		if (n_p < 1 || n_q < 1)
			return false;
		for (int p = 0; p < n_p; p++) {
			const mch_window rows_of = mch_pool_rows(&g, p);
			for (int q = 0; q < n_q; q++) {
				const mch_window cols_of = mch_pool_cols(&g, q);
				if (!mch_window_positions(&rows_of) || !mch_window_positions(&cols_of))
					return false;
			}
		}
		return true;
	}

	/* False: a strip of one tile does not fit the half. */
	bool describe(mch_rng *rng)
	{
		const auto u = [](int v) { return static_cast<uint32_t>(v); };
		d.op = mean ? MCH_OP_MEAN : MCH_OP_MAX;
		d.x0_signed = chance(rng, 50);
		d.in_w = u(g.w);
		d.out_q = u(n_q);
		d.kernel_r = u(g.r);
		d.kernel_s = u(g.s);
		d.x0_blocks = d.y_blocks = u(blocks);
		d.stride_w = u(g.stride_w);
		d.dilation_w = u(g.dilation_w);
		d.pad_left = u(g.pad_left);
		d.pixels = u(n_p * n_q);
		d.row_step = u(g.stride_h * g.w);
		d.tap_step = u(g.dilation_h * g.w);
		d.pad_words = u(g.pad_top * g.w);
		d.map_words = u(g.h * g.w);
		d.reach = u(((g.r - 1) * g.dilation_h + 1) * g.w);
		d.y_addr = static_cast<uint32_t>(mch_rng_next(rng));
		d.y_step = static_cast<uint32_t>(mch_rng_next(rng));
		d.count_words = u((g.count_include_pad ? g.h + g.pad_bottom : g.h) * g.w);
		d.count_w = u(g.count_include_pad ? g.w + g.pad_right : g.w);
		d.count_pad = g.count_include_pad;
		const int all = (n_p * n_q + DUT_ROWS - 1) / DUT_ROWS;
		for (int tiles = is_huge ? all / draw(rng, 1, 2) : draw(rng, 1, all + 1); tiles > 0; tiles--) {
			d.tiles = u(tiles);
			d.strip_pixels = u(tiles * DUT_ROWS);
			if (cut())
				return true;
		}
		return false;
	}

	bool cut()
	{
		const int64_t map = d.map_words, n = d.pixels;
		strips.clear();
		for (int64_t first = 0; first < n; first += d.strip_pixels) {
			const bool last = first + d.strip_pixels >= n;
			const int64_t low = first / n_q * d.row_step - d.pad_words;
			const int64_t high = (first + d.strip_pixels - 1) / n_q * d.row_step - d.pad_words + d.reach;
			const int64_t start = low > 0 ? (low < map ? low : map) : 0;
			const int64_t reach = high > start ? high : start;
			const int64_t end = last || reach > map ? map : reach;
			if ((end - start) * blocks > DUT_X_WORDS)
				return false;
			strips.push_back({start, end - start, {}});
		}
		return true;
	}

	void compute(mch_rng *rng)
	{
		x.resize(static_cast<size_t>(g.c * g.h * g.w));
		y.resize(static_cast<size_t>(g.c * n_p * n_q));
		for (int32_t &v : x)
			do
				v = static_cast<int32_t>(corner(rng, DUT_X_BITS, d.x0_signed));
			while (is_minifloat && v == -SIGN); /* no magnitude has so many bits */
		avg = {16, true, MCH_ROUND_HALF_EVEN, draw(rng, -15, 2)};
		if (mean)
			mch_pool_avg(&g, &avg, x.data(), y.data(), nullptr);
		else
			mch_pool_max(&g, x.data(), y.data());
	}

	void lay_out(mch_rng *rng)
	{
		const int map = g.h * g.w;
		for (Strip &s : strips)
			for (int b = 0; b < blocks; b++)
				for (int64_t at = s.start; at < s.start + s.words; at++)
					for (int j = 0; j < DUT_COLS; j++) {
						int32_t v = x[static_cast<size_t>((b * DUT_COLS + j) * map + at)];
						if (is_minifloat && v < 0)
							v = SIGN - v;
						/* What is above X_BITS is not looked at. */
						v ^= static_cast<int32_t>(mch_rng_next(rng) << DUT_X_BITS);
						for (int i = 0; i < ELEM_BYTES; i++)
							s.bytes.push_back(static_cast<uint8_t>(v >> 8 * i));
					}
	}

	void order()
	{
		const int n = n_p * n_q, strip = static_cast<int>(d.strip_pixels);
		const bool shares = g.s > 1 && g.stride_w == g.s - 1 && g.dilation_w == 1;
		for (int first = 0; first < n; first += strip)
			for (int b = 0; b < blocks; b++) {
				const int end = first + strip < n ? first + strip : n;
				int before = 0; /* windows of the tile before; of a y block's first it is not asked */
				for (int m = first; m < end; m++) {
					Row row = {{}, m == first, first / strip, g.r * g.s, 0, true};
					row.count = mch_pool_rows(&g, m / n_q).extent * mch_pool_cols(&g, m % n_q).extent;
					if (shares && m > first && m % n_q)
						row.fetches = g.r * (g.s - 1);
					for (int j = 0; j < DUT_COLS; j++)
						row.y.push_back(y[static_cast<size_t>((b * DUT_COLS + j) * n + m)]);
					if ((m - first) % DUT_ROWS == 0) {
						const int words = end - m < DUT_ROWS ? end - m : DUT_ROWS;
						const uint32_t block = static_cast<uint32_t>(b), pixel = static_cast<uint32_t>(m);
						commands.push_back({d.y_addr + block * d.y_step + pixel,
								    static_cast<uint32_t>(words)});
						row.is_timed = before >= 3;
						before = words;
					}
					rows.push_back(row);
				}
			}
	}
};

} // namespace mch_tb

#endif
