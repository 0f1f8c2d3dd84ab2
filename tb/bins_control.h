/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bins of the sequencer, the registers and the units that walk a layer (docs/accelerator.md). They look at the registers of the C
 * twins before an edge, and at the input pins of that cycle. */
#ifndef MCH_TB_BINS_CONTROL_H
#define MCH_TB_BINS_CONTROL_H

extern "C" {
#include "arch/issue.h"
#include "arch/lanes.h"
#include "arch/pooler.h"
#include "arch/regs.h"
#include "arch/seq.h"
}
#include "sim/coverage.h"

namespace mch_tb {

namespace seq_bins {
typedef mch_sim::SeenUnit<mch_seq, mch_seq_in> Seen;
inline bool runs(const Seen &s)
{
	return s.t.state != MCH_SEQ_IDLE && s.t.state < MCH_SEQ_DRAIN;
}
inline int op(const Seen &s)
{
	return s.t.state == MCH_SEQ_DECIDE ? s.t.d[0] & 3 : -1;
}
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("state", MCH_SEQ_IDLE, MCH_SEQ_CLEAR, s.t.state),
	MCH_BINS("soft reset in state", MCH_SEQ_IDLE, MCH_SEQ_CLEAR, s.in.reset ? s.t.state : -1),
	MCH_BINS("error code", MCH_ERROR_DESCRIPTOR, MCH_ERROR_WATCHDOG, s.t.error ? s.t.error_code : 0),
	MCH_BINS("illegal word of a descriptor", 0, 31, s.t.error && s.t.error_code == MCH_ERROR_DESCRIPTOR ? s.t.error_field : 99),
	MCH_BINS("operation", MCH_OP_STOP, MCH_OP_MEAN, op(s)),
	MCH_BINS("read error in state", MCH_SEQ_DECIDE, MCH_SEQ_FINISH, s.in.read_error ? s.t.state : -1),
	MCH_BINS("write error in state", MCH_SEQ_FETCH, MCH_SEQ_FINISH, s.in.write_error ? s.t.state : -1),
	MCH_BIN("start while busy", s.in.start && s.t.state != MCH_SEQ_IDLE),
	MCH_BIN("descriptor asked for at once", s.in.take && s.in.take_words == 1024u / static_cast<uint32_t>(s.t.cfg.word_bits)),
	MCH_BIN("descriptor asked for piece by piece", s.in.take && s.in.take_words < s.t.ask),
	MCH_BIN("request for the descriptor waits", mch_seq_req_valid(&s.t) && !s.in.take),
	MCH_BIN("BARRIER waits for the store", s.t.state == MCH_SEQ_RUN && !s.t.moved && s.in.cp_idle && (s.t.d[0] >> 4 & 1) && !s.in.store_idle),
	MCH_BIN("BARRIER with an idle store", s.t.state == MCH_SEQ_RUN && !s.t.moved && s.in.cp_idle && (s.t.d[0] >> 4 & 1) && s.in.store_idle),
	MCH_BIN("no BARRIER, and the store is busy", s.t.state == MCH_SEQ_RUN && !s.t.moved && s.in.cp_idle && !(s.t.d[0] >> 4 & 1) && !s.in.store_idle),
	MCH_BIN("waits for computing", s.t.state == MCH_SEQ_RUN && !s.t.moved && !s.in.cp_idle),
	MCH_BIN("moved on, loads on", s.t.state == MCH_SEQ_RUN && s.t.moved && !(s.in.x_done && s.in.w_done)),
	MCH_BIN("weights ahead of computing", s.t.ahead != 0),
	MCH_BIN("too many weights used", s.t.owed < 0),
	MCH_BIN("weights taken and released at once", s.in.w_take && s.in.w_release && runs(s)),
	MCH_BIN("two causes at once", runs(s) && s.in.read_error + s.in.write_error + s.in.x_overflow > 1),
	MCH_BIN("the end waits for the store", s.t.state == MCH_SEQ_FINISH && s.in.cp_idle && !s.in.store_idle),
	MCH_BIN("drains, and reads are open", s.t.state == MCH_SEQ_DRAIN && !s.in.read_idle),
	MCH_BIN("drains, and writes are open", s.t.state == MCH_SEQ_DRAIN && !s.in.write_idle),
	MCH_BIN("watchdog at 1 with progress", s.t.watchdog == 1 && s.in.progress && runs(s)),
	MCH_BIN("no watchdog", s.t.watchdog == 0 && runs(s)),
	MCH_BIN("65535 descriptors", s.t.index == 65535),
};
} // namespace seq_bins

namespace regs_bins {
typedef mch_sim::SeenUnit<mch_regs, mch_regs_in> Seen;
inline bool writes(const Seen &s)
{
	return s.t.aw_full && s.t.w_full && !s.t.bvalid;
}
inline bool commands(const Seen &s)
{
	return writes(s) && s.t.wstrb == 15 && s.t.awaddr == MCH_REG_CONTROL;
}
inline bool acks(const Seen &s)
{
	return writes(s) && s.t.wstrb == 15 && s.t.awaddr == MCH_REG_IRQ;
}
inline bool reads(const Seen &s)
{
	return s.in.arvalid && !s.t.rvalid;
}
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("register read", 0, 16, reads(s) && s.in.araddr % 4 == 0 ? s.in.araddr / 4 : -1),
	MCH_BINS("register written", 0, 16, writes(s) && s.t.wstrb == 15 && s.t.awaddr % 4 == 0 ? static_cast<int>(s.t.awaddr / 4) : -1),
	MCH_BIN("read of no register", reads(s) && s.in.araddr > MCH_REG_WRITE_BEATS),
	MCH_BIN("read inside a register", reads(s) && s.in.araddr % 4 != 0),
	MCH_BIN("write of no register", writes(s) && s.t.awaddr > MCH_REG_WRITE_BEATS),
	MCH_BIN("write inside a register", writes(s) && s.t.awaddr % 4 != 0),
	MCH_BIN("write of a part of a word", writes(s) && s.t.wstrb != 15 && s.t.wstrb != 0),
	MCH_BIN("write of no bytes", writes(s) && s.t.wstrb == 0),
	MCH_BIN("address before data", s.t.aw_full && !s.t.w_full),
	MCH_BIN("data before address", !s.t.aw_full && s.t.w_full),
	MCH_BIN("address and data at once", s.in.awvalid && s.in.wvalid && !s.t.aw_full && !s.t.w_full),
	MCH_BIN("B waits", s.t.bvalid && !s.in.bready),
	MCH_BIN("R waits", s.t.rvalid && !s.in.rready),
	MCH_BIN("a read beside a write", reads(s) && writes(s)),
	MCH_BIN("start", commands(s) && s.t.wdata % 4 == 1 && !s.in.busy),
	MCH_BIN("start while busy", commands(s) && s.t.wdata % 4 == 1 && s.in.busy),
	MCH_BIN("start with a reset", commands(s) && s.t.wdata % 4 == 3),
	MCH_BIN("reset while busy", commands(s) && s.t.wdata % 4 == 2 && s.in.busy),
	MCH_BINS("error code", 1, 6, s.in.error ? s.in.error_code : 0),
	MCH_BIN("done", s.in.done),
	MCH_BIN("interrupt of the end, enabled", s.t.irq & s.t.irq_enable & 1),
	MCH_BIN("interrupt of an error, enabled", s.t.irq & s.t.irq_enable & 2),
	MCH_BIN("interrupt that is not enabled", (s.t.irq & ~s.t.irq_enable) != 0),
	MCH_BIN("done as it is acknowledged", acks(s) && s.in.done),
	MCH_BIN("error as it is acknowledged", acks(s) && s.in.error),
	MCH_BIN("counters stand", !s.t.run && s.in.beat),
};
} // namespace regs_bins

struct SeenLanes {
	const mch_lanes &t;
	const mch_lanes_in &in;

	mch_lanes_move m() const { return mch_lanes_moves(&t, &in); }
	bool fetches() const { return t.walk && m().step; }
	/* Of the position that stage 0 takes. */
	int64_t row() const { return signed_of(t.pixel.row + t.roff, 26); }
	int64_t col() const { return signed_of(t.pixel.col + t.coff, 19); }
	bool inside() const { return static_cast<uint32_t>(t.lane) < t.tleft; }
	bool last_tile() const { return t.tleft <= static_cast<uint32_t>(t.cfg.rows); }
	uint32_t strip_pixels() const { return in.d->tiles * static_cast<uint32_t>(t.cfg.rows); }
	bool tile_begins() const { return fetches() && t.lane == 0 && t.first; }

	static int64_t signed_of(uint32_t v, int bits) { return static_cast<int32_t>(v << (32 - bits)) >> (32 - bits); }
};

namespace lanes_bins {
typedef SeenLanes Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BIN("padding above", s.fetches() && s.inside() && s.row() < 0),
	MCH_BIN("padding below", s.fetches() && s.inside() && s.row() >= s.in.d->map_words),
	MCH_BIN("padding left", s.fetches() && s.inside() && s.col() < 0),
	MCH_BIN("padding right", s.fetches() && s.inside() && s.col() >= s.in.d->in_w),
	MCH_BIN("padding above and left", s.fetches() && s.inside() && s.row() < 0 && s.col() < 0),
	MCH_BIN("padding below and right", s.fetches() && s.inside() && s.row() >= s.in.d->map_words && s.col() >= s.in.d->in_w),
	MCH_BIN("lane without a pixel", s.fetches() && !s.inside()),
	MCH_BIN("first position of the map", s.fetches() && s.row() == 0 && s.col() == 0),
	MCH_BIN("stride", s.tile_begins() && s.in.d->stride_w > 1),
	MCH_BIN("dilation", s.tile_begins() && s.in.d->dilation_w > 1 && s.in.d->kernel_s > 1),
	MCH_BIN("kernel of 1x1", s.tile_begins() && s.in.d->kernel_r == 1 && s.in.d->kernel_s == 1),
	MCH_BIN("depthwise, a walk of one tap", s.tile_begins() && s.t.cfg.x_cols > 1 && s.in.d->taps == 1),
	MCH_BIN("depthwise, a walk of several taps", s.tile_begins() && s.t.cfg.x_cols > 1 && s.in.d->taps > 1),
	MCH_BIN("depthwise, a walk that ends in the next row", s.fetches() && s.t.lane >= s.t.cfg.rows && s.t.pixel.col == 0),
	MCH_BIN("depthwise, a walk that ends behind the map", s.fetches() && s.t.lane >= s.t.cfg.rows && !s.inside()),
	MCH_BIN("only tile of the map", s.tile_begins() && s.last_tile() && s.t.tleft == s.in.d->pixels),
	MCH_BIN("last tile, whole", s.tile_begins() && s.t.tleft == static_cast<uint32_t>(s.t.cfg.rows) && s.t.tleft < s.in.d->pixels),
	MCH_BIN("last tile, partial", s.tile_begins() && s.last_tile() && s.t.tleft < static_cast<uint32_t>(s.t.cfg.rows)),
	MCH_BIN("tile over the end of a row", s.fetches() && s.t.lane > 0 && s.t.pixel.col == 0),
	MCH_BIN("only strip", s.tile_begins() && s.t.sleft == s.in.d->pixels && s.t.sleft <= s.strip_pixels()),
	MCH_BIN("first of several strips", s.tile_begins() && s.t.sleft == s.in.d->pixels && s.t.sleft > s.strip_pixels()),
	MCH_BIN("last strip, whole", s.tile_begins() && s.t.sleft < s.in.d->pixels && s.t.sleft == s.strip_pixels()),
	MCH_BIN("last strip, partial", s.tile_begins() && s.t.sleft < s.in.d->pixels && s.t.sleft < s.strip_pixels()),
	MCH_BINS("strip in half", 0, 1, s.m().enter ? s.t.half : -1),
	MCH_BINS("release of half", 0, 1, mch_lanes_release(&s.t, s.m(), 0) ? 0 : mch_lanes_release(&s.t, s.m(), 1) ? 1 : -1),
	MCH_BIN("second tensor", s.fetches() && s.t.second),
	MCH_BIN("later y block", s.fetches() && s.t.y > 0),
	MCH_BIN("partial channel block", s.t.cur_valid && s.t.cur_info.channel_last + 1 < s.t.cfg.cols),
	MCH_BIN("full channel block", s.t.cur_valid && s.t.cur_info.channel_last + 1 == s.t.cfg.cols),
	MCH_BIN("one channel", s.t.cur_valid && s.t.cur_info.channel_last == 0),
	MCH_BIN("signed", s.t.cur_valid && s.t.cur_info.is_signed),
	MCH_BIN("unsigned", s.t.cur_valid && !s.t.cur_info.is_signed),
	MCH_BIN("waits for a strip", s.t.more && !s.t.walk && !s.in.strip_valid[s.t.half]),
	MCH_BIN("waits for a word", s.t.v0 && !s.t.zero0 && s.t.off0 >= s.in.filled[s.t.half0]),
	MCH_BIN("reads the word that landed last", s.t.v0 && !s.t.zero0 && s.t.off0 + 1 == s.in.filled[s.t.half0] && s.m().go0),
	MCH_BIN("first beat of a tile waits", mch_lanes_beat_pins(&s.t).valid && mch_lanes_beat_pins(&s.t).first && !s.in.beat_take),
	MCH_BIN("last beat of a tile waits", mch_lanes_beat_pins(&s.t).valid && mch_lanes_beat_pins(&s.t).last && !s.in.beat_take),
	MCH_BIN("only beat of a tile", s.in.beat_take && mch_lanes_beat_pins(&s.t).first && mch_lanes_beat_pins(&s.t).last),
	MCH_BIN("words swapped behind the last beat", s.m().swap && s.t.cur_valid),
	MCH_BIN("no words behind the last beat", s.in.beat_take && mch_lanes_top(&s.t) && !s.t.full),
	MCH_BIN("skip", s.in.skip),
	MCH_BIN("cleared while busy", s.in.clear && s.t.busy),
};
} // namespace lanes_bins

namespace pooler_bins {
typedef mch_sim::SeenUnit<mch_pooler, mch_pooler_in> Seen;
inline bool goes(const Seen &s)
{
	return !mch_pooler_done(&s.t) && mch_pooler_move(&s.t, &s.in).go;
}
inline bool row_waits(const Seen &s)
{
	return s.t.full && !mch_pooler_done(&s.t) && mch_pooler_row_valid(&s.t, s.in.d->op) && !s.in.row_ready;
}
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("operation", MCH_OP_MAX, MCH_OP_MEAN, goes(s) ? static_cast<int>(s.in.d->op) : -1),
	MCH_BINS("step", MCH_POOLER_IDLE, MCH_POOLER_MULTIPLY, s.t.step),
	MCH_BINS("strip in half", 0, 1, !mch_pooler_done(&s.t) && mch_pooler_move(&s.t, &s.in).enter ? s.t.half : -1),
	MCH_BIN("window clipped above", goes(s) && s.t.row < 0),
	MCH_BIN("window clipped below", goes(s) && s.t.row >= static_cast<int32_t>(s.in.d->map_words)),
	MCH_BIN("window clipped left", goes(s) && s.t.col < 0),
	MCH_BIN("window clipped right", goes(s) && s.t.col >= static_cast<int32_t>(s.in.d->in_w)),
	MCH_BIN("maximum of padding", goes(s) && s.in.d->op == MCH_OP_MAX && s.t.col < 0),
	MCH_BIN("mean that counts padding", goes(s) && s.in.d->op == MCH_OP_MEAN && s.in.d->count_pad && (s.t.row < 0 || s.t.col < 0)),
	MCH_BIN("mean that does not count padding", goes(s) && s.in.d->op == MCH_OP_MEAN && !s.in.d->count_pad && (s.t.row < 0 || s.t.col < 0)),
	MCH_BIN("window of one", goes(s) && s.in.d->kernel_r == 1 && s.in.d->kernel_s == 1),
	MCH_BIN("a column shared with the window before", goes(s) && s.t.r_tap == 0 && s.t.s_tap == 1 && s.in.d->stride_w + 1 == s.in.d->kernel_s),
	MCH_BIN("dilation", goes(s) && s.in.d->dilation_w > 1 && s.in.d->kernel_s > 1),
	MCH_BIN("partial tile", s.t.cmd_valid && s.t.cmd_words < static_cast<uint32_t>(s.t.cfg.rows)),
	MCH_BIN("whole tile", s.t.cmd_valid && s.t.cmd_words == static_cast<uint32_t>(s.t.cfg.rows)),
	MCH_BIN("only strip", goes(s) && s.t.sleft == s.in.d->pixels && s.t.sleft <= s.in.d->strip_pixels),
	MCH_BIN("later strip", goes(s) && s.t.sleft < s.in.d->pixels),
	MCH_BIN("later y block", goes(s) && s.t.y > 0),
	MCH_BIN("waits for a strip", s.t.busy && !s.t.walk && !s.in.strip_valid[s.t.half]),
	MCH_BIN("waits for a word", s.t.v0 && !(s.t.tag0 & MCH_POOLER_ZERO) && s.t.off0 >= s.in.filled[s.t.half0]),
	MCH_BIN("the command waits", s.t.cmd_valid && !s.in.cmd_ready),
	MCH_BIN("a row waits", row_waits(s)),
	MCH_BIN("a sum waits", mch_pooler_sum_valid(&s.t) && !s.in.sum_ready),
	MCH_BIN("a sum waits for its parameters", s.t.prod && s.t.param),
	MCH_BIN("the same count again", s.t.full && s.t.known && s.t.count == s.t.hcount),
	MCH_BIN("another count", s.t.full && s.t.known && s.t.count != s.t.hcount),
	MCH_BIN("an empty count", s.t.full && s.t.hcount == 0),
	MCH_BIN("skip", s.in.skip),
	MCH_BIN("cleared while busy", s.in.clear && !mch_pooler_done(&s.t)),
};
} // namespace pooler_bins

struct SeenIssue {
	const mch_issue &t;
	const mch_issue_in &in;
	const mch_issue_out &out;

	bool only() const { return t.first && t.last; }
	bool waits() const { return t.in_valid && !in.in_ready; }
	bool takes_word() const { return out.wr_en; }
};

namespace issue_bins {
typedef SeenIssue Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BIN("first beat waits for the array", s.waits() && s.t.first && !s.t.last),
	MCH_BIN("last beat waits for the array", s.waits() && s.t.last && !s.t.first),
	MCH_BIN("only beat waits for the array", s.waits() && s.only()),
	MCH_BIN("a beat in the middle waits for the array", s.waits() && !s.t.first && !s.t.last),
	MCH_BIN("only beat", s.t.in_valid && s.in.in_ready && s.only()),
	MCH_BIN("signed beat", s.t.in_valid && s.t.is_signed),
	MCH_BIN("unsigned beat", s.t.in_valid && !s.t.is_signed),
	MCH_BIN("waits for weights", s.out.wait_w),
	MCH_BIN("waits for weights with a first beat", s.out.wait_w && s.in.beat_first),
	MCH_BIN("waits for weights with a last beat", s.out.wait_w && s.in.beat_last),
	MCH_BIN("waits for the output", s.out.wait_out),
	MCH_BIN("a command waits", s.t.cmd_valid && !s.in.cmd_ready),
	MCH_BIN("a last beat waits for the command before", s.t.cmd_valid && !s.in.cmd_ready && s.in.beat_valid && s.in.beat_last),
	MCH_BIN("a command of a partial tile", s.t.cmd_valid && s.t.cmd_words < static_cast<uint32_t>(s.t.cfg.rows)),
	MCH_BIN("the ring wraps", s.takes_word() && s.t.rd + 1 == static_cast<uint32_t>(s.t.cfg.w_words)),
	MCH_BIN("weights read again for the next tile", s.out.beat_take && s.in.beat_last && !s.out.release && s.t.off != 0),
	MCH_BIN("weights released word by word", s.out.beat_take && s.out.release),
	MCH_BIN("parameters taken", s.out.wr_en && !s.out.beat_take),
	MCH_BIN("parameters loaded by the array's mark", s.out.load && !s.out.pool_param_ack),
	MCH_BIN("parameters for the pooler", s.out.pool_param_ack),
	MCH_BIN("parameters wait for those before", s.t.pend && s.t.claimed && s.in.beat_valid && s.in.beat_first && s.in.beat_param),
	MCH_BIN("start", s.in.start),
	MCH_BIN("cleared", s.in.clear),
};
} // namespace issue_bins

} // namespace mch_tb

#endif
