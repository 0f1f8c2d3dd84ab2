/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bins of the units at the memory port: mch_read, mch_store, and the loaders behind it (docs/accelerator.md). They look at the
 * registers of the C twins before an edge, and at the input pins of that cycle. */
#ifndef MCH_TB_BINS_PORTS_H
#define MCH_TB_BINS_PORTS_H

extern "C" {
#include "arch/load_w.h"
#include "arch/load_x.h"
#include "arch/read.h"
#include "arch/store.h"
}
#include "sim/coverage.h"

namespace mch_tb {

struct SeenRead {
	const mch_read &t;
	const mch_read_in &in;
	const mch_read_out &out;

	int asks() const { return in.req_valid[0] + in.req_valid[1] + in.req_valid[2]; }
	bool takes() const { return out.take >= 0; }
	uint32_t asked() const { return takes() ? in.req_words[out.take] : 0; }
	uint32_t address() const { return takes() ? in.req_addr[out.take] : 0; }
	bool first() const { return t.open != 0 && t.given == 0 && t.part == 0; }
	bool last() const { return t.open != 0 && t.given == t.words[t.get] && t.part == t.last_part; }
	bool only() const { return first() && last(); }
};

namespace read_bins {
typedef SeenRead Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("burst for requester", 0, 2, s.out.take),
	MCH_BINS("word for requester", 0, 2, s.out.word_valid),
	MCH_BINS("requesters at once", 0, 3, s.asks()),
	MCH_BINS("open bursts", 0, 4, s.t.open),
	MCH_BIN("all bursts open", s.t.open == static_cast<uint32_t>(s.t.cfg.outstanding)),
	MCH_BIN("a request waits for an open burst to end", s.asks() != 0 && s.t.open == static_cast<uint32_t>(s.t.cfg.outstanding)),
	MCH_BIN("the list of bursts wraps", s.takes() && s.t.put + 1 == static_cast<uint32_t>(s.t.cfg.outstanding)),
	MCH_BIN("burst of one word", s.takes() && s.out.take_words == 1),
	MCH_BIN("longest burst", s.takes() && s.out.take_words == s.t.last_word + 1),
	MCH_BIN("burst cut at the end of a block", s.takes() && s.out.take_words < s.asked()),
	MCH_BIN("burst that ends with its block and its run", s.takes() && s.out.take_words == s.asked() &&
							      ((s.address() + s.asked()) & s.t.last_word) == 0),
	MCH_BIN("address that wraps", s.takes() && s.address() + s.out.take_words < s.address()),
	MCH_BIN("burst that begins inside a beat", s.takes() && s.t.last_slot != 0 && (s.address() & s.t.last_slot) != 0),
	MCH_BIN("burst that ends inside a beat", s.takes() && ((s.address() + s.out.take_words) & s.t.last_slot) != 0),
	MCH_BIN("AR waits", s.t.arvalid && !s.in.arready),
	MCH_BIN("AR waits, and a request behind it", s.t.arvalid && !s.in.arready && s.asks() != 0),
	MCH_BIN("AR taken and loaded again", s.t.arvalid && s.in.arready && s.takes()),
	MCH_BIN("R pauses before the first beat", s.first() && !s.in.r.valid),
	MCH_BIN("R pauses before the last beat", s.last() && !s.only() && !s.in.r.valid),
	MCH_BIN("R pauses before the only beat", s.only() && !s.in.r.valid),
	MCH_BIN("R waits for the words of a wide beat", s.in.r.valid && s.t.open != 0 && !s.out.rready),
	MCH_BIN("only beat", s.out.beat && s.only()),
	MCH_BIN("a word collected of narrow beats", s.out.word_valid >= 0 && s.t.last_part != 0),
	MCH_BIN("SLVERR", s.out.beat && s.in.r.resp == MCH_AXI_SLVERR),
	MCH_BIN("DECERR", s.out.beat && s.in.r.resp == MCH_AXI_DECERR),
	MCH_BIN("error in the first beat", s.out.error && s.first()),
	MCH_BIN("error in the last beat", s.out.error && s.last()),
	MCH_BIN("error in the middle", s.out.error && !s.first() && !s.last()),
	MCH_BIN("last word with a new burst", s.last() && s.out.word_valid >= 0 && s.takes()),
	MCH_BIN("stopped with a request", s.in.stop && s.asks() != 0),
	MCH_BIN("stopped with a burst on AR", s.in.stop && s.t.arvalid),
	MCH_BIN("stopped with open bursts", s.in.stop && s.t.open != 0 && !s.t.arvalid),
	MCH_BIN("stopped and idle", s.in.stop && s.t.open == 0),
	MCH_BIN("cleared", s.in.clear),
};
} // namespace read_bins

struct SeenStore {
	const mch_store &t;
	const mch_store_in &in;

	bool row() const { return in.row_valid && mch_store_row_ready(&t) && !t.stop; }
	const mch_store_command &command() const { return t.command[t.cmd_get]; }
	bool wvalid() const { return t.ratio_log == 0 ? t.fifo_valid : t.wvalid; }
	bool wlast() const { return t.ratio_log == 0 ? t.info_out.last && t.part + 1 == 1u << t.parts_log : t.wlast; }
	bool keeps() const { return row() && t.row < command().words; }
	uint32_t at() const { return t.row == 0 ? command().addr : t.at; }
	uint32_t all() const { return (1u << (1u << t.ratio_log)) - 1; }
	bool part_beat() const { return t.ratio_log != 0 && t.ratio_log < 4 && t.wvalid && t.have != all(); }
};

namespace store_bins {
typedef SeenStore Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("commands that wait", 0, MCH_STORE_COMMANDS, s.t.commands),
	MCH_BINS("whole bursts that wait", 0, MCH_STORE_BURSTS, s.t.bursts),
	MCH_BIN("a command waits for room", s.in.cmd_valid && !mch_store_cmd_ready(&s.t)),
	MCH_BIN("a row waits for its command", s.in.row_valid && s.t.commands == 0 && !s.t.stop),
	MCH_BIN("a row waits for the FIFO", s.in.row_valid && s.t.commands != 0 && s.t.words == static_cast<uint32_t>(s.t.cfg.depth)),
	MCH_BIN("a row waits for AW", s.in.row_valid && s.t.commands != 0 && s.t.bursts == MCH_STORE_BURSTS),
	MCH_BIN("a first row waits", s.in.row_valid && s.t.row == 0 && s.t.commands != 0 && !mch_store_row_ready(&s.t)),
	MCH_BIN("a last row waits", s.in.row_valid && s.t.commands != 0 && s.t.row + 1 == s.command().words && !mch_store_row_ready(&s.t)),
	MCH_BIN("command of one word", s.in.cmd_valid && s.in.cmd.words == 1),
	MCH_BIN("command of as many words as rows", s.row() && s.command().rows && s.command().words == static_cast<uint32_t>(s.t.cfg.rows)),
	MCH_BIN("command of 64 words", s.in.cmd_valid && s.in.cmd.words == 64),
	MCH_BIN("a row that is dropped", s.row() && !s.keeps()),
	MCH_BIN("rows as many as words", s.row() && !s.command().rows),
	MCH_BIN("a word that ends a block", s.keeps() && (s.at() & s.t.last_word) == s.t.last_word && s.t.row + 1 < s.command().words),
	MCH_BIN("a command that ends with its block", s.keeps() && (s.at() & s.t.last_word) == s.t.last_word && s.t.row + 1 == s.command().words),
	MCH_BIN("a command and a row at once", s.row() && s.in.cmd_valid && mch_store_cmd_ready(&s.t)),
	MCH_BIN("the list of commands wraps", s.in.cmd_valid && mch_store_cmd_ready(&s.t) && s.t.cmd_put == MCH_STORE_COMMANDS - 1),
	MCH_BIN("the FIFO wraps", s.keeps() && s.t.put + 1 == static_cast<uint32_t>(s.t.cfg.depth)),
	MCH_BIN("the list of bursts wraps", s.t.bursts != 0 && s.t.burst_get == MCH_STORE_BURSTS - 1),
	MCH_BIN("burst of one beat", s.t.awvalid && s.t.awlen == 0),
	MCH_BIN("longest burst", s.t.awvalid && s.t.awlen + 1 == static_cast<uint32_t>(s.t.cfg.burst)),
	MCH_BIN("AW waits", s.t.awvalid && !s.in.awready),
	MCH_BIN("AW taken and loaded again", s.t.awvalid && s.in.awready && s.t.bursts != 0),
	MCH_BIN("all bursts open", s.t.open == MCH_STORE_OPEN),
	MCH_BIN("a burst waits for an open one to end", s.t.open == MCH_STORE_OPEN && s.t.bursts != 0),
	MCH_BIN("W waits with a beat in the middle", s.wvalid() && !s.wlast() && !s.in.wready),
	MCH_BIN("W waits with a last beat", s.wvalid() && s.wlast() && !s.in.wready),
	MCH_BIN("W before its AW is taken", s.wvalid() && s.t.awvalid && !s.in.awready),
	MCH_BIN("beats of a wide word, W waits with its first", s.t.parts_log != 0 && s.t.fifo_valid && s.t.part == 0 && !s.in.wready),
	MCH_BIN("strobes of a part of a beat, from within", s.part_beat() && !(s.t.have & 1)),
	MCH_BIN("strobes of a part of a beat, to within", s.part_beat() && (s.t.have & 1)),
	MCH_BIN("the next word comes as a wide beat leaves", s.t.wvalid && s.in.wready && s.t.fifo_valid),
	MCH_BIN("SLVERR", s.in.b.valid && s.in.b.resp == MCH_AXI_SLVERR),
	MCH_BIN("DECERR", s.in.b.valid && s.in.b.resp == MCH_AXI_DECERR),
	MCH_BIN("an answer as a burst is put on AW", s.in.b.valid && s.t.bursts != 0 && !s.t.awvalid && !s.in.stop),
	MCH_BIN("stopped with a burst on AW", s.in.stop && s.t.awvalid),
	MCH_BIN("stopped with whole bursts that wait", s.in.stop && !s.t.stop && s.t.bursts != 0),
	MCH_BIN("stopped in the middle of a command", s.in.stop && !s.t.stop && s.t.row != 0),
	MCH_BIN("stopped, commands are dropped", s.t.stop && s.in.cmd_valid),
	MCH_BIN("stopped, rows are dropped", s.t.stop && s.in.row_valid),
	MCH_BIN("cleared", s.in.clear),
};
} // namespace store_bins

namespace load_w_bins {
typedef mch_sim::SeenUnit<mch_load_w, mch_load_w_in> Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BIN("layer without weights", s.in.start && s.in.d->w_words == 0),
	MCH_BIN("layer of one word", s.in.start && s.in.d->w_words == 1),
	MCH_BIN("layer longer than the ring", s.in.start && s.in.d->w_words > static_cast<uint32_t>(s.t.cfg.w_words)),
	MCH_BIN("layer of one strip", s.in.start && s.in.d->pixels <= s.in.d->strip_pixels),
	MCH_BIN("layer behind another whose words are in the ring", s.in.start && s.t.fill != 0),
	MCH_BIN("layer while words of another are on the way", s.in.start && s.t.used != s.t.fill),
	MCH_BIN("strip read again", s.in.take && s.in.take_words == s.t.run && s.t.left > s.in.d->strip_pixels),
	MCH_BIN("last strip ends", s.in.take && s.in.take_words == s.t.run && s.t.left <= s.in.d->strip_pixels),
	MCH_BIN("last strip, as long as the others", s.in.take && s.in.take_words == s.t.run && s.t.left == s.in.d->strip_pixels),
	MCH_BIN("request of a full burst", s.in.take && mch_load_w_req_words(&s.t) == static_cast<uint32_t>(s.t.cfg.burst_words)),
	MCH_BIN("request of the strip's rest", s.in.take && s.t.run < static_cast<uint32_t>(s.t.cfg.burst_words)),
	MCH_BIN("burst shorter than its request", s.in.take && s.in.take_words < mch_load_w_req_words(&s.t)),
	MCH_BIN("waits for room", s.t.busy && !mch_load_w_req_valid(&s.t)),
	MCH_BIN("request that is not taken", mch_load_w_req_valid(&s.t) && !s.in.take),
	MCH_BIN("all room promised", s.t.used == static_cast<uint32_t>(s.t.cfg.w_words)),
	MCH_BIN("ring full", s.t.fill == static_cast<uint32_t>(s.t.cfg.w_words)),
	MCH_BIN("ring wraps", s.in.word_valid && s.t.write + 1 == static_cast<uint32_t>(s.t.cfg.w_words)),
	MCH_BIN("released, nothing", s.in.release && s.in.release_words == 0),
	MCH_BIN("released, one word", s.in.release && s.in.release_words == 1),
	MCH_BIN("released, all", s.in.release && s.in.release_words == s.t.fill && s.t.fill > 1),
	MCH_BIN("released as a word lands", s.in.release && s.in.word_valid),
	MCH_BIN("released as a burst is taken", s.in.release && s.in.take),
	MCH_BIN("cleared while busy", s.in.clear && s.t.busy),
	MCH_BIN("cleared when done", s.in.clear && !s.t.busy),
};
} // namespace load_w_bins

namespace load_x_bins {
typedef mch_sim::SeenUnit<mch_load_x, mch_load_x_in> Seen;
const mch_sim::Bin<Seen> list[] = {
	MCH_BINS("step", MCH_LOAD_X_IDLE, MCH_LOAD_X_STOP, s.t.step),
	MCH_BINS("cleared in step", MCH_LOAD_X_IDLE, MCH_LOAD_X_STOP, s.in.clear ? s.t.step : -1),
	MCH_BINS("allocates half", 0, 1, s.t.step == MCH_LOAD_X_OPEN && s.in.go && !s.t.valid[s.t.next] ? s.t.next : -1),
	MCH_BIN("both halves hold strips", s.t.valid[0] && s.t.valid[1]),
	MCH_BIN("waits for the half", s.t.step == MCH_LOAD_X_OPEN && s.t.valid[s.t.next] && s.in.go),
	MCH_BIN("waits for its last words to land", s.t.step == MCH_LOAD_X_OPEN && !s.t.valid[s.t.next] && mch_load_x_land(&s.t) == s.t.next),
	MCH_BIN("waits for go", s.t.step == MCH_LOAD_X_OPEN && !s.in.go && !s.t.valid[s.t.next]),
	MCH_BIN("waits for the requests of the strip before", s.t.step == MCH_LOAD_X_ADDR0 && s.t.ask),
	MCH_BIN("strip that begins in the padding", s.t.step == MCH_LOAD_X_START && s.t.low < 0),
	MCH_BIN("strip that begins at row 0", s.t.step == MCH_LOAD_X_START && s.t.low == 0),
	MCH_BIN("strip that begins below row 0", s.t.step == MCH_LOAD_X_START && s.t.low > 0 && s.t.low < s.in.d->map_words),
	MCH_BIN("strip that begins behind the map", s.t.step == MCH_LOAD_X_START && s.t.low >= s.in.d->map_words),
	MCH_BIN("strip that ends before the map", s.t.step == MCH_LOAD_X_END && !s.t.last && s.t.high < s.in.d->map_words),
	MCH_BIN("strip that ends behind the map", s.t.step == MCH_LOAD_X_END && !s.t.last && s.t.high > s.in.d->map_words),
	MCH_BIN("only strip", s.t.step == MCH_LOAD_X_LEFT && s.t.left == s.in.d->pixels && s.t.left <= s.in.d->strip_pixels),
	MCH_BIN("first of several strips", s.t.step == MCH_LOAD_X_LEFT && s.t.left == s.in.d->pixels && s.t.left > s.in.d->strip_pixels),
	MCH_BIN("strip in the middle", s.t.step == MCH_LOAD_X_LEFT && s.t.left < s.in.d->pixels && s.t.left > s.in.d->strip_pixels),
	MCH_BIN("last strip, whole", s.t.step == MCH_LOAD_X_LEFT && s.t.left < s.in.d->pixels && s.t.left == s.in.d->strip_pixels),
	MCH_BIN("last strip, partial", s.t.step == MCH_LOAD_X_LEFT && s.t.left < s.in.d->pixels && s.t.left < s.in.d->strip_pixels),
	MCH_BIN("next strip in a new row", s.t.step == MCH_LOAD_X_WRAP && s.t.column >= s.in.d->out_q),
	MCH_BIN("next strip in the same row", s.t.step == MCH_LOAD_X_WRAP && s.t.column < s.in.d->out_q),
	MCH_BIN("strip that ends with a row", s.t.step == MCH_LOAD_X_BACK && s.t.column == 0),
	MCH_BIN("strip without words", s.t.step == MCH_LOAD_X_OPEN && s.t.high == 0 && s.in.go),
	MCH_BIN("strip that fills its half", s.t.asked == static_cast<uint32_t>(s.t.cfg.x_words)),
	MCH_BIN("one block too long", s.t.step == MCH_LOAD_X_OPEN && s.t.high > s.t.cfg.x_words),
	MCH_BIN("a later block does not fit", s.t.overflow && s.t.asked != 0 && s.t.run <= static_cast<uint32_t>(s.t.cfg.x_words)),
	MCH_BIN("burst that ends a block", s.in.take && s.in.take_words == s.t.run),
	MCH_BIN("burst within a block", s.in.take && s.in.take_words < s.t.run),
	MCH_BIN("next block of the tensor", s.in.take && s.in.take_words == s.t.run && s.t.blocks > 1),
	MCH_BIN("on to the second tensor", s.in.take && s.in.take_words == s.t.run && s.t.blocks == 1 && s.t.second),
	MCH_BIN("request that is not taken", s.t.ask && !s.in.take),
	MCH_BIN("released as a word lands", (s.in.release[0] || s.in.release[1]) && s.in.word_valid),
	MCH_BIN("both released at once", s.in.release[0] && s.in.release[1]),
	MCH_BIN("released before all has landed", (s.in.release[0] && s.t.filled[0] < s.t.words[0]) || (s.in.release[1] && s.t.filled[1] < s.t.words[1])),
	MCH_BIN("words of two strips on the way", s.t.filled[s.t.next] != s.t.total && s.t.asked != 0),
};
} // namespace load_x_bins

} // namespace mch_tb

#endif
