/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Where mch_top is; see top_place.h. */
#include "tb/top_place.h"

namespace mch_tb
{

void TopPlace::track(const mch_top &t)
{
	const mch_datapath &d = t.datapath;
	const mch_mac_array &a = d.array;
	if (t.seq.cp_start)
		next_ = {static_cast<int>(t.seq.index) - 1, t.seq.cp, 0};
	lanes_.assign(d.lane, d.lane + cfg_.cols);
	if (a.n_out > 0)
		bank_row_.assign(a.bank, a.bank + cfg_.cols);
	if (!d.valid3 || mch_store_row_ready(&t.store)) {
		row_[2] = row_[1];
		row_[1] = row_[0];
		row_[0] = {bank_, cfg_.rows - a.n_out};
	}
	if (!mch_mac_array_in_ready(&a))
		return;
	if (a.done)
		bank_ = stage_[2];
	if (a.v1)
		stage_[2] = stage_[1], x_[2].swap(x_[1]), w_[2].swap(w_[1]);
	if (a.v0) {
		stage_[1] = stage_[0];
		x_[1].assign(a.x, a.x + cfg_.rows), w_[1].assign(a.w, a.w + cfg_.cols);
	}
	if (t.issue.in_valid) {
		stage_[0] = next_;
		next_.n++;
	}
}

/* Beats come strip by strip, y block by y block, tile by tile. */
void TopPlace::set_tile(const Beat &beat, int row, Place *p) const
{
	const mch_descriptor &d = beat.d;
	p->descriptor = beat.descriptor;
	p->d = d;
	p->terms = static_cast<int64_t>(mch_descriptor_beats(&d, &cfg_));
	if (beat.descriptor < 0 || p->terms == 0)
		return;
	const uint64_t rows = static_cast<uint64_t>(cfg_.rows);
	uint64_t tile = beat.n / static_cast<uint64_t>(p->terms);
	p->tile = static_cast<int64_t>(tile);
	for (uint64_t i = 0; i < mch_descriptor_strips(&d); i++) {
		const mch_strip strip = mch_descriptor_strip(&d, i);
		const uint64_t tiles = (strip.n_pixels + rows - 1) / rows;
		if (tile < tiles * d.y_blocks) {
			p->y_block = static_cast<int>(tile / tiles);
			p->pixel = static_cast<int64_t>(strip.first + tile % tiles * rows) + row;
			return;
		}
		tile -= tiles * d.y_blocks;
	}
}

/* And in a tile x block by x block, row and column of the kernel, channel. */
void TopPlace::set_term(const Beat &beat, Place *p) const
{
	if (p->terms == 0)
		return;
	const mch_descriptor &d = beat.d;
	uint64_t left = beat.n % static_cast<uint64_t>(p->terms);
	p->term = static_cast<int64_t>(left);
	if (d.taps) { /* runs of channels, taps of a walk, phases, rows */
		const auto runs = static_cast<uint64_t>(cfg_.cols / mch_accel_x_cols(&cfg_)), walk = left / runs / d.taps;
		p->x_block = p->y_block;
		p->c = p->column < 0 ? static_cast<int>(left % runs) * mch_accel_x_cols(&cfg_) : p->column;
		p->s = static_cast<int>(walk % d.kernel_s + left / runs % d.taps * d.stride_w);
		p->r = static_cast<int>(walk / d.kernel_s);
		return;
	}
	for (uint32_t b = 0; b < mch_descriptor_blocks(&d); b++) {
		const uint64_t channels = mch_descriptor_channels(&d, &cfg_, b), all = channels * d.kernel_r * d.kernel_s;
		if (left < all) {
			p->x_block = static_cast<int>(b);
			p->c = static_cast<int>(left % channels);
			p->s = static_cast<int>(left / channels % d.kernel_s);
			p->r = static_cast<int>(left / channels / d.kernel_s);
			return;
		}
		left -= all;
	}
}

void TopPlace::set_operands(const mch_top &t, const std::string &name, int row, int column, int64_t want, Place *p) const
{
	const auto is = [&name](const char *part) { return name.find(part) != std::string::npos; };
	const size_t j = static_cast<size_t>(column < 0 ? 0 : column), n = static_cast<size_t>(mch_accel_x_cols(&cfg_));
	const size_t i = static_cast<size_t>(row < 0 ? 0 : row) * n + j % n;
	const mch_format x_format = {cfg_.x_bits + 1, 0, true}, w_format = {cfg_.w_bits, 0, true}, acc = {cfg_.acc_bits, 0, true};
	const int stage = is("product_q") ? 1 : 2;
	if (is("u_requant")) {
		const mch_datapath_lane &lane = lanes_[j];
		if (is("sum_q") && bank_row_.size() > j)
			p->in = {{"acc", bank_row_[j], acc, false}, {"bias", lane.bias, acc, false}};
		else if (is("round_q"))
			p->in = {{"sum", lane.sum, {cfg_.acc_bits + 1, 0, true}, false}, {"shift", lane.shift1, {6, 0, true}, false}};
		else if (is(".y_q") || is("sat_q"))
			p->in = {{"rounded", lane.round, {cfg_.acc_bits + 1, 0, true}, false},
				 {"y_bits", t.datapath.layer.y_bits, {5, 0, false}, false},
				 {"y_signed", t.datapath.layer.y_signed, {1, 0, false}, false}};
	} else if ((is("product_q") || is("acc_q")) && x_[stage].size() > i && w_[stage].size() > j) {
		const int64_t x = x_[stage][i], w = w_[stage][j];
		if (stage == 2 && cfg_.mult == MCH_MULT_INTEGER) /* the sum before it: it wraps, so this is exact */
			p->in.push_back({"acc", p->term == 0 ? 0 : mch_wrap(want - x * w, cfg_.acc_bits), acc, false});
		p->in.push_back({"x", x, x_format, false});
		p->in.push_back({"w", w, w_format, false});
	}
}

Place TopPlace::of(const mch_top &t, const std::string &name, int row, int column, int64_t want) const
{
	const auto is = [&name](const char *part) { return name.find(part) != std::string::npos; };
	Place p;
	p.column = column;
	if (is("u_datapath")) {
		const int stage = is("product_q") ? 1 : is("acc_q") || is(".over_q") ? 2 : 0;
		if (is("bias_q") || is(".shift_q"))
			set_tile(bank_, 0, &p);
		else if (is("bank"))
			set_tile(bank_, (row < 0 ? 0 : row) + cfg_.rows - t.datapath.array.n_out, &p);
		else if (is("u_requant")) {
			const Row &r = row_[is("sum_q") || is("shift1_q") ? 0 : is("round_q") ? 1 : 2];
			set_tile(r.beat, r.row, &p);
		} else {
			set_tile(stage_[stage], row < 0 ? 0 : row, &p);
			set_term(stage_[stage], &p);
		}
		if (p.d.op == MCH_OP_CONV)
			set_operands(t, name, row, column, want, &p);
	} else if (is("u_load") || is("u_read")) {
		p.descriptor = static_cast<int>(t.seq.index) - 1; /* that is loaded */
		p.d = t.seq.ld;
	} else {
		p.descriptor = next_.descriptor;
		p.d = next_.d;
		if (is("u_lanes") || is("u_issue")) {
			set_tile(next_, 0, &p);
			set_term(next_, &p);
		}
	}
	return p;
}

} // namespace mch_tb
