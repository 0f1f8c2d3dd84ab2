/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Where in its list mch_top is: for each stage of the datapath the descriptor, tile, pixels and step of the reduction that its registers
 * hold, kept beside the C model. It knows the order of work of docs/accelerator.md alone. */
#ifndef MCH_TB_TOP_PLACE_H
#define MCH_TB_TOP_PLACE_H

#include <string>
#include <vector>

extern "C" {
#include "arch/descriptor.h"
#include "arch/top.h"
#include "tensor/report.h"
}

namespace mch_tb
{

/* What a register held. -1: no such thing of it. */
struct Place {
	int descriptor = -1; /* of the list, from 0 */
	mch_descriptor d = {};
	int64_t tile = -1;        /* of all that the descriptor computes, in order */
	int64_t pixel = -1;       /* of the map, row by row; may be beyond it */
	int y_block = -1, column = -1;
	int64_t term = -1, terms = 0; /* beat of the tile */
	int x_block = -1, c = -1, r = -1, s = -1; /* of the term; c within its block */
	std::vector<mch_field> in; /* operands */
};

class TopPlace
{
public:
	explicit TopPlace(const mch_accel_config &cfg) : cfg_(cfg) {}

	/* Before every step of the twin. */
	void track(const mch_top &t);

	/* What the register held that differs, after the step; row and column as tb/lockstep.h tells them, -1 of none. */
	Place of(const mch_top &t, const std::string &name, int row, int column, int64_t want) const;

private:
	struct Beat {
		int descriptor = -1;
		mch_descriptor d = {};
		uint64_t n = 0; /* of the descriptor's beats */
	};
	struct Row {
		Beat beat;
		int row = 0;
	};
	void set_tile(const Beat &beat, int row, Place *p) const;
	void set_term(const Beat &beat, Place *p) const;
	void set_operands(const mch_top &t, const std::string &name, int row, int column, int64_t want, Place *p) const;

	mch_accel_config cfg_;
	Beat next_;                /* the beat that the array takes next */
	Beat stage_[3], bank_;     /* operands, product, sum; the tile in the bank */
	Row row_[3];               /* sum, rounded, y of the requantizers */
	std::vector<int32_t> x_[3], w_[3]; /* of the three stages' beats */
	std::vector<mch_datapath_lane> lanes_; /* before the edge */
	std::vector<int64_t> bank_row_;
};

} // namespace mch_tb

#endif
