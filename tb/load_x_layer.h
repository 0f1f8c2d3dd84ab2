/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A random layer for the bench of mch_load_x, with its strips as docs/accelerator.md "Words, tensors, tiles, strips"
 * defines them: of the layer's pixels, by division, where the unit adds. */
#ifndef MCH_TB_LOAD_X_LAYER_H
#define MCH_TB_LOAD_X_LAYER_H

#include <algorithm>

#include "tb/load_bench.h"

namespace mch_tb {

struct Strip {
	uint32_t start, words; /* of each block */
};

struct Layer {
	mch_descriptor d;
	std::vector<Strip> strips;

	explicit Layer(mch_rng *rng)
	{
		/* One layer in eight may be such that strips do not fit. */
		const bool may_burst = mch_sim::chance(rng, 12);
		for (int i = 0; i < 40; i++) {
			strips.clear();
			d = any_descriptor(rng);
			stride_h_ = 0;
			if (mch_sim::chance(rng, 75))
				draw_geometry(rng);
			else
				draw_wild(rng);
			if (may_burst && mch_sim::chance(rng, 50))
				draw_many_blocks(rng);
			make_strips();
			if (may_burst || fits())
				return;
		}
	}

	uint32_t blocks() const { return d.x0_blocks + d.x1_blocks; }

	/* The word of a block in memory. */
	uint32_t address(uint32_t block, uint32_t word) const
	{
		const uint32_t base = block < d.x0_blocks ? d.x0_addr : d.x1_addr;
		return base + (block < d.x0_blocks ? block : block - d.x0_blocks) * d.x_step + word;
	}

	/* Every row that a window of the strip reads is in the strip: that is what the formula is for. */
	bool holds_its_rows() const
	{
		for (uint64_t p = 0; stride_h_ > 0 && p < d.pixels; p++) {
			const Strip &s = strips[p / d.strip_pixels];
			for (int64_t r = 0; r < d.kernel_r; r++) {
				const int64_t row = static_cast<int64_t>(p / d.out_q) * stride_h_ - pad_top_ + r * dilation_h_;
				if (row >= 0 && row < in_h_ &&
				    (row * d.in_w < s.start || (row + 1) * d.in_w > int64_t{s.start} + s.words))
					return false;
			}
		}
		return true;
	}

private:
	bool fits() const
	{
		for (const Strip &s : strips)
			if (static_cast<uint64_t>(s.words) * blocks() > DUT_X_WORDS)
				return false;
		return true;
	}

	/* A convolution or pool with all fields as they belong together. */
	void draw_geometry(mch_rng *rng)
	{
		const uint32_t most = mch_sim::chance(rng, 20) ? 1 : 8;
		const uint32_t wide = mch_sim::chance(rng, 10) ? std::max(8u, DUT_X_WORDS / 4u) : most;
		d.in_w = draw(rng, 1, wide);
		d.kernel_r = draw(rng, 1, std::min(most, 4u));
		dilation_h_ = draw(rng, 1, 2);
		stride_h_ = draw(rng, 1, 4);
		pad_top_ = draw(rng, 0, 3);
		const uint32_t reach = (d.kernel_r - 1) * dilation_h_ + 1, pad_bottom = draw(rng, 0, 3);
		in_h_ = draw(rng, 1, most);
		if (in_h_ + pad_top_ + pad_bottom < reach)
			in_h_ = reach;
		const uint32_t out_p = (in_h_ + pad_top_ + pad_bottom - reach) / stride_h_ + 1;
		d.out_q = draw(rng, 1, most);
		d.pixels = out_p * d.out_q;
		d.row_step = stride_h_ * d.in_w;
		d.pad_words = pad_top_ * d.in_w;
		d.map_words = in_h_ * d.in_w;
		d.reach = reach * d.in_w;
		draw_rest(rng);
	}

	/* Far rows and wide fields, which no map of few words has: pixels of few rows that lie far apart. */
	void draw_wild(mch_rng *rng)
	{
		const uint32_t n_rows = draw(rng, 1, 6), near = draw(rng, 0, n_rows);
		d.out_q = mch_sim::chance(rng, 20) ? draw(rng, 65000, 65535) : draw(rng, 1, 9);
		d.pixels = n_rows * d.out_q - draw(rng, 0, d.out_q - 1);
		d.row_step = static_cast<uint32_t>(mch_sim::corner(rng, 32, false)) / n_rows;
		d.reach = draw(rng, 0, std::max(1, DUT_X_WORDS / 2));
		d.pad_words = mch_sim::chance(rng, 50) ? draw(rng, 0, 20) : near * d.row_step + draw(rng, 0, 2);
		d.map_words = UINT32_MAX - draw(rng, 0, 3);
		if (mch_sim::chance(rng, 80)) /* its end is near the last strip's start, so that this one fits */
			d.map_words = (n_rows - 1) * d.row_step - d.pad_words + draw(rng, 0, 5);
		draw_rest(rng);
		if (mch_sim::chance(rng, 50))
			d.strip_pixels = d.out_q;
		set_strip_fields();
	}

	void draw_rest(mch_rng *rng)
	{
		d.strip_pixels = draw(rng, 1, 16) * draw(rng, 1, 3);
		if (d.out_q > 1000) /* not thousands of strips */
			d.strip_pixels *= 1000;
		if (mch_sim::chance(rng, 15))
			d.strip_pixels = d.pixels;
		d.x0_blocks = draw(rng, 1, mch_sim::chance(rng, 30) ? 1 : 5);
		d.x1_blocks = mch_sim::chance(rng, 50) ? 0 : draw(rng, 1, 4);
		if (DUT_X_WORDS > 256 && mch_sim::chance(rng, 5))
			d.x0_blocks = draw(rng, 1, DUT_X_WORDS / 8);
		d.x0_addr = static_cast<uint32_t>(mch_sim::corner(rng, 32, false));
		set_strip_fields();
	}

	/* More blocks than a half holds: as many as the field can say. */
	void draw_many_blocks(mch_rng *rng)
	{
		const uint32_t many = static_cast<uint32_t>(mch_sim::corner(rng, 16, false));
		if (mch_sim::chance(rng, 50))
			d.x0_blocks = many | 1;
		else
			d.x1_blocks = many;
	}

	void set_strip_fields()
	{
		d.strip_q = d.strip_pixels % d.out_q;
		d.strip_rows = d.strip_pixels / d.out_q * d.row_step;
	}

	void make_strips()
	{
		const auto row = [this](uint64_t p) { return static_cast<int64_t>(p / d.out_q * d.row_step); };
		const int64_t map = d.map_words, zero = 0;
		for (uint64_t p = 0; p < d.pixels; p += d.strip_pixels) {
			const bool last = p + d.strip_pixels >= d.pixels;
			const int64_t start = std::min(map, std::max(zero, row(p) - d.pad_words));
			const int64_t reached = row(p + d.strip_pixels - 1) - d.pad_words + d.reach;
			const int64_t end = last ? map : std::min(map, std::max(start, reached));
			strips.push_back({static_cast<uint32_t>(start), static_cast<uint32_t>(end - start)});
		}
	}

	int64_t stride_h_ = 0, dilation_h_ = 1, pad_top_ = 0, in_h_ = 0;
};

} // namespace mch_tb

#endif
