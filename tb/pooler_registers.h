/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The registers of mch_pooler, each with its width and its value in the twin. */
#ifndef MCH_TB_POOLER_REGISTERS_H
#define MCH_TB_POOLER_REGISTERS_H

#include <functional>
#include <vector>

extern "C" {
#include "arch/pooler.h"
#include "fxp/sat.h"
}
#include "sim/pins.h"

namespace mch_tb {

/* n elements, of which the twin has those of its lanes. */
struct PoolerRegister {
	const char *name;
	int bits, n;
	std::function<int64_t(int)> twin;
	mch_sim::Register rtl;

	int64_t value(int i) const
	{
		uint64_t v = 0;
		const size_t bytes = rtl.elem_bytes;
		std::memcpy(&v, static_cast<const uint8_t *>(rtl.data) + bytes * static_cast<size_t>(i), bytes);
		/* The twin's are signed where its type is. */
		return twin(i) < 0 ? mch_wrap(static_cast<int64_t>(v), bits) : static_cast<int64_t>(v);
	}
};

inline std::vector<PoolerRegister> pooler_registers(VerilatedContext *context, const mch_pooler *t)
{
	const int sum_bits = t->cfg.x_bits + 16;
	std::vector<PoolerRegister> all;
	const auto lanes = [&](const char *name, int bits, std::function<int64_t(int)> twin) {
		all.push_back({name, bits, t->cfg.cols, twin, mch_sim::need_register(context, "TOP.mch_pooler", name)});
	};
	const auto add = [&](const char *name, int bits, std::function<int64_t()> twin) {
		lanes(name, bits, [twin](int) { return twin(); });
		all.back().n = 1;
	};
	int log = 0;
	while (1 << log < t->cfg.x_words)
		log++;
#define R(name, bits, value) add(#name "_q", bits, [t] { return value; })
	R(busy, 1, t->busy); R(walk, 1, t->walk); R(half, 1, t->half); R(v0, 1, t->v0); R(v1, 1, t->v1); R(v2, 1, t->v2);
	R(full, 1, t->full); R(cmd_valid, 1, t->cmd_valid); R(early, 1, t->early); R(known, 1, t->known);
	R(prod, 1, t->prod); R(param, 1, t->param); R(step, 2, t->step); R(n, 5, t->n); R(row, 26, t->row);
	R(prow, 26, t->p.row); R(srow, 26, t->s.row); R(col, 19, t->col); R(pcol, 19, t->p.col);
	R(scol, 19, t->s.col); R(q, 16, t->p.q); R(sq, 16, t->s.q); R(r, 8, t->r_tap); R(s, 8, t->s_tap);
	R(left, 24, t->left); R(sleft, 24, t->sleft); R(lane, 7, t->lane); R(tile, 16, t->tile);
	R(y, 16, t->y); R(begin, 1, t->begin); R(base, log, t->base); R(addr, 32, t->addr);
	R(yaddr, 32, t->yaddr); R(saddr, 32, t->saddr); R(off0, log, t->off0); R(half0, 1, t->half0);
	R(end0, 1, t->end0); R(tag0, 8, t->tag0); R(tag1, 8, t->tag1); R(tag2, 5, t->tag2 >> 3); R(ccount, 16, t->ccount);
	R(wcount, 16, t->wcount); R(hcount, 16, t->hcount); R(block, 1, t->block); R(count, 16, t->count);
	R(rest, 17, t->rest); R(quot, 17, t->quot); R(recip, 17, t->recip); R(cmd_addr, 32, t->cmd_addr);
	R(cmd_words, 7, t->cmd_words);
#undef R
	lanes("column_q", sum_bits, [t](int j) { return t->column[j]; });
	lanes("window_q", sum_bits, [t](int j) { return t->window[j]; });
	lanes("hold_q", sum_bits, [t](int j) { return t->hold[j]; });
	lanes("product_q", sum_bits + 17, [t](int j) { return t->product[j]; });
	return all;
}

} // namespace mch_tb

#endif
