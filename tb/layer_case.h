/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* One convolution (or dense layer) as a case of its own: taken out of a program's memory, put into one, kept as a vector file
 * (docs/vectors.md "layer"), and judged by op/hint_conv.h. Multiplying builds that round without noise. */
#ifndef MCH_TB_LAYER_CASE_H
#define MCH_TB_LAYER_CASE_H

#include <string>
#include <vector>

extern "C" {
#include "arch/descriptor.h"
#include "op/conv.h"
}

namespace mch_tb
{

/* A program of one descriptor. */
struct LayerImage {
	std::vector<uint8_t> memory;
	uint32_t list = 0;
	mch_descriptor d = {};
};

/* What a build fixes and mch_accel_config has not: those of mch_top are the first. */
struct LayerUnit {
	bool saturates = false; /* the accumulator */
	bool out_wraps = false;
	bool by_words = true; /* the order of terms: op/hint_conv.h */
};

struct LayerCase {
	LayerUnit unit;
	struct mch_conv conv = {}; /* n and groups are 1 */
	bool x_signed = false, y_signed = false, relu = false;
	int y_bits = 8;
	std::vector<int32_t> x, w;   /* [c][h][w], [k][c][r][s] */
	std::vector<int64_t> bias;   /* [k] */
	std::vector<int8_t> shift;   /* [k] */

	size_t elements() const { return x.size() + w.size(); }
	size_t n_out() const;
	/* The contract's outputs [k][p][q]; and the rule that makes `got` of the case, or "". */
	std::vector<int32_t> want(const mch_accel_config &cfg) const;
	std::string hint(const mch_accel_config &cfg, const std::vector<int32_t> &got) const;

	/* Both with the case's unit, which no file has. False with *why when the file cannot be written or read, or is none of this kind, or the case is too large for one. */
	bool save(const std::string &path, const std::string &redo, const mch_accel_config &cfg, std::string *why) const;
	bool load(const std::string &path, const mch_accel_config &cfg, std::string *why);
};

/* What descriptor d does with this memory: false where it is no such case. */
bool case_of(const mch_accel_config &cfg, const mch_descriptor &d, const uint8_t *memory, LayerCase *c);

/* False where no strip fits the build. */
bool image_of(const mch_accel_config &cfg, const LayerCase &c, LayerImage *image);

/* The outputs of d in memory, [k][p][q]. */
std::vector<int32_t> outputs_of(const mch_accel_config &cfg, const mch_descriptor &d, const LayerCase &c, const uint8_t *memory);

} // namespace mch_tb

#endif
