/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* mch_top beside its C model; see top_machine.h. */
#include "tb/top_machine.h"

#include "sim/pins.h"
#include "tb/mult.h"

extern "C" {
#include "driver/macchiato.h"
}

static mch_tb::TopMachine *bus;

/* The platform's part of the driver: its addresses are offsets. */
uint32_t mch_read32(uintptr_t address)
{
	return bus->read(static_cast<uint32_t>(address));
}
void mch_write32(uintptr_t address, uint32_t value)
{
	bus->write(static_cast<uint32_t>(address), value);
}

namespace mch_tb
{

using namespace mch_sim;

enum { BEAT_BYTES = DUT_MEM_BITS / 8 };

mch_accel_config top_config()
{
	mch_accel_config c = {};
	c.rows = DUT_ROWS, c.cols = DUT_COLS;
	c.x_bits = DUT_X_BITS, c.w_bits = DUT_W_BITS, c.out_bits = DUT_OUT_BITS, c.acc_bits = DUT_ACC_BITS;
	c.round = static_cast<mch_round>(DUT_ROUND);
	c.mem_bits = DUT_MEM_BITS;
	c.x_words = DUT_X_WORDS, c.w_words = DUT_W_WORDS;
	set_numbers(&c);
	return c;
}

TopMachine::TopMachine(const std::string &waves, bool lockstep) : dut_(waves), lockstep_on_(lockstep), check_(BEAT_BYTES)
{
	const mch_accel_config cfg = top_config();
	mch_err err;
	if (mch_top_init(&twin_, &cfg, true, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		std::exit(2);
	}
	if (lockstep)
		find();
	bus = this;
}

TopMachine::~TopMachine()
{
	mch_top_free(&twin_);
	bus = nullptr;
}

template <class T> void TopMachine::steer(const char *unit, const char *name, const T *twin)
{
	const std::string scope = std::string("TOP.mch_top.") + unit;
	steered_.push_back({scope + "." + name, need_register(dut_->contextp(), scope.c_str(), name), twin, sizeof(T)});
}

/* Registers that steer: of each unit those that say where it stands. What they carry is in the datapath's and on the pins; every
 * register of a unit is compared by the bench of its own. */
void TopMachine::find()
{
	const mch_top &t = twin_;
	lockstep_.reset(new Lockstep(dut_->contextp(), &t.datapath.array, "TOP.mch_top.u_datapath.u_array", &t.datapath,
				     "TOP.mch_top.u_datapath"));
	steer("u_seq", "index_q", &t.seq.index);
	steer("u_seq", "moved_q", &t.seq.moved);
	steer("u_seq", "go_q", &t.seq.go);
	steer("u_seq", "addr_q", &t.seq.addr);
	steer("u_read", "open_q", &t.read.open);
	steer("u_read", "put_q", &t.read.put);
	steer("u_read", "get_q", &t.read.get);
	steer("u_read", "given_q", &t.read.given);
	steer("u_load_x", "next_q", &t.load_x.next);
	steer("u_load_x", "ask_q", &t.load_x.ask);
	steer("u_load_x", "addr_q", &t.load_x.addr);
	steer("u_load_x", "left_q", &t.load_x.left);
	steer("u_load_x", "run_q", &t.load_x.run);
	steer("u_load_w", "busy_q", &t.load_w.busy);
	steer("u_load_w", "addr_q", &t.load_w.addr);
	steer("u_load_w", "fill_q", &t.load_w.fill);
	steer("u_load_w", "used_q", &t.load_w.used);
	steer("u_lanes", "busy_q", &t.lanes.busy);
	steer("u_lanes", "walk_q", &t.lanes.walk);
	steer("u_lanes", "half_q", &t.lanes.half);
	steer("u_lanes", "v0_q", &t.lanes.v0);
	steer("u_lanes", "v1_q", &t.lanes.v1);
	steer("u_lanes", "full_q", &t.lanes.full);
	steer("u_lanes", "cur_valid_q", &t.lanes.cur_valid);
	steer("u_lanes", "off0_q", &t.lanes.off0);
	steer("u_lanes", "block_q", &t.lanes.block);
	steer("u_lanes", "tile_q", &t.lanes.tile);
	steer("u_lanes", "y_q", &t.lanes.y);
	steer("u_pooler", "busy_q", &t.pooler.busy);
	steer("u_pooler", "half_q", &t.pooler.half);
	steer("u_pooler", "full_q", &t.pooler.full);
	steer("u_pooler", "off0_q", &t.pooler.off0);
	steer("u_issue", "in_valid_q", &t.issue.in_valid);
	steer("u_issue", "pend_q", &t.issue.pend);
	steer("u_issue", "rd_q", &t.issue.rd);
	steer("u_issue", "off_q", &t.issue.off);
	steer("u_issue", "cmd_addr_q", &t.issue.cmd_addr);
	steer("u_store", "commands_q", &t.store.commands);
	steer("u_store", "words_q", &t.store.words);
	steer("u_store", "bursts_q", &t.store.bursts);
	steer("u_store", "open_q", &t.store.open);
	n_values_ = lockstep_->n_values() + steered_.size();
}

void TopMachine::connect(size_t n_bytes, const AxiMemoryOptions &options, bool reset)
{
	memory_.reset(new AxiMemory((n_bytes + BEAT_BYTES - 1) / BEAT_BYTES * BEAT_BYTES, BEAT_BYTES, options));
	lite_ = mch_regs_in();
	if (reset) {
		drive_pins();
		dut_.reset();
		mch_top_reset(&twin_);
		check_.reset();
		lite_check_.reset();
	}
}

/* Inputs for the coming edge. */
void TopMachine::drive_pins()
{
	const mch_axi_slave &s = memory_->pins();
	dut_->m_arready_i = s.arready;
	dut_->m_awready_i = s.awready;
	dut_->m_wready_i = s.wready;
	dut_->m_rvalid_i = s.r.valid;
	dut_->m_rresp_i = s.r.resp & 3;
	dut_->m_rlast_i = s.r.last;
	dut_->m_bvalid_i = s.b.valid;
	dut_->m_bresp_i = s.b.resp & 3;
	if (s.r.valid)
		std::memcpy(&dut_->m_rdata_i, s.r.data, BEAT_BYTES);
	dut_->s_awvalid_i = lite_.awvalid;
	dut_->s_awaddr_i = lite_.awaddr;
	dut_->s_wvalid_i = lite_.wvalid;
	dut_->s_wdata_i = lite_.wdata;
	dut_->s_wstrb_i = lite_.wstrb & 15;
	dut_->s_bready_i = lite_.bready;
	dut_->s_arvalid_i = lite_.arvalid;
	dut_->s_araddr_i = lite_.araddr;
	dut_->s_rready_i = lite_.rready;
	dut_->clk_i = 0;
}

mch_axi_master TopMachine::rtl_master()
{
	mch_axi_master m = {};
	m.ar = {dut_->m_arvalid_o != 0, dut_->m_araddr_o, dut_->m_arlen_o, dut_->m_arsize_o, dut_->m_arburst_o};
	m.aw = {dut_->m_awvalid_o != 0, dut_->m_awaddr_o, dut_->m_awlen_o, dut_->m_awsize_o, dut_->m_awburst_o};
	m.w.valid = dut_->m_wvalid_o;
	if (m.w.valid) {
		std::memcpy(w_beat_, &dut_->m_wdata_o, BEAT_BYTES);
		m.w.strb = dut_->m_wstrb_o;
		m.w.last = dut_->m_wlast_o;
	}
	m.w.data = w_beat_;
	m.rready = dut_->m_rready_o;
	m.bready = dut_->m_bready_o;
	return m;
}

bool TopMachine::agree(const char *name, uint64_t want, uint64_t got, int bits)
{
	if (want != got)
		fail({std::string("mch_top.") + name, static_cast<int64_t>(want), static_cast<int64_t>(got), bits, false, -1, -1, {}});
	return want == got;
}

bool TopMachine::pins_agree(const mch_axi_master &rtl)
{
	mch_axi_master want = {};
	mch_top_drive(&twin_, &want);
	const mch_regs &r = twin_.regs;
	const bool a = agree("m_arvalid_o", want.ar.valid, rtl.ar.valid, 1) && agree("m_awvalid_o", want.aw.valid, rtl.aw.valid, 1) &&
		       agree("m_wvalid_o", want.w.valid, rtl.w.valid, 1) && agree("m_rready_o", want.rready, rtl.rready, 1) &&
		       agree("m_bready_o", want.bready, rtl.bready, 1) && agree("irq_o", mch_regs_irq(&r), dut_->irq_o, 1) &&
		       agree("s_bvalid_o", r.bvalid, dut_->s_bvalid_o, 1) && agree("s_rvalid_o", r.rvalid, dut_->s_rvalid_o, 1);
	if (!a)
		return false;
	if (rtl.ar.valid && !(agree("m_araddr_o", want.ar.addr, rtl.ar.addr, 32) && agree("m_arlen_o", want.ar.len, rtl.ar.len, 8)))
		return false;
	if (rtl.aw.valid && !(agree("m_awaddr_o", want.aw.addr, rtl.aw.addr, 32) && agree("m_awlen_o", want.aw.len, rtl.aw.len, 8)))
		return false;
	if (r.rvalid && !(agree("s_rdata_o", r.rdata, dut_->s_rdata_o, 32) && agree("s_rresp_o", r.rresp, dut_->s_rresp_o, 2)))
		return false;
	if (!rtl.w.valid)
		return true;
	if (!agree("m_wstrb_o", want.w.strb, rtl.w.strb, BEAT_BYTES) || !agree("m_wlast_o", want.w.last, rtl.w.last, 1))
		return false;
	for (int i = 0; i < BEAT_BYTES; i++)
		if (rtl.w.strb >> i & 1 && want.w.data[i] != rtl.w.data[i])
			return agree(("m_wdata_o byte " + std::to_string(i) + " for address " + std::to_string(rtl.aw.addr)).c_str(),
				     want.w.data[i], rtl.w.data[i], 8);
	return true;
}

bool TopMachine::registers_agree()
{
	for (const Steered &s : steered_) {
		uint64_t want = 0;
		std::memcpy(&want, s.twin, s.bytes);
		if (want != s.rtl.value()) {
			fail({s.name, static_cast<int64_t>(want), static_cast<int64_t>(s.rtl.value()), 32, false, -1, -1, {}});
			return false;
		}
	}
	if (!lockstep_->differs())
		return true;
	const Difference d = lockstep_->first();
	fail({d.name, d.want, d.got, d.bits, d.is_signed, d.row, d.col, {}});
	return false;
}

void TopMachine::fail(const TopFailure &f)
{
	if (!failed_)
		failure_ = f;
	if (!failed_ && lockstep_on_)
		failure_.place = place_.of(twin_, f.name, f.row, f.column, f.want);
	failed_ = true;
}

void TopMachine::run_out(int n)
{
	const TopFailure failure = failure_;
	const bool failed = failed_, lockstep = lockstep_on_;
	failed_ = lockstep_on_ = false;
	while (n-- > 0 && cycle())
		;
	failure_ = failure, failed_ = failed, lockstep_on_ = lockstep;
}

bool TopMachine::cycle()
{
	if (failed_)
		return false;
	drive_pins();
	dut_->eval(); /* rready of wide beats, and what else hangs on pins */
	const mch_axi_master m = rtl_master();
	if (lockstep_on_ && !pins_agree(m))
		return false;
	check_.cycle(m, memory_->pins());
	AxiLitePins lite = {lite_.awvalid, dut_->s_awready_o != 0, lite_.wvalid,  dut_->s_wready_o != 0, dut_->s_bvalid_o != 0,
			    lite_.bready,  lite_.arvalid,	   dut_->s_arready_o != 0, dut_->s_rvalid_o != 0, lite_.rready,
			    lite_.awaddr,  lite_.wdata,		   lite_.araddr,  dut_->s_rdata_o,	  lite_.wstrb,
			    dut_->s_bresp_o, dut_->s_rresp_o};
	lite_check_.cycle(lite);
	for (const std::string *text : {&check_.violation(), &lite_check_.violation()})
		if (!text->empty()) {
			fail({"bus rule: " + *text, 0, 1, 1, false, -1, -1, {}});
			return false;
		}
	if (lockstep_on_) {
		const mch_top_in in = {lite_, &memory_->pins()};
		place_.track(twin_);
		mch_top_step(&twin_, &in);
	}
	dut_.edge();
	memory_->step(m);
	cycles_++;
	return !lockstep_on_ || registers_agree();
}

bool TopMachine::lazy()
{
	return slow_ > 0 && chance(&rng_, slow_);
}

void TopMachine::slow_control(int percent, uint64_t seed)
{
	slow_ = percent;
	rng_ = mch_rng_seed(seed);
}

uint32_t TopMachine::read(uint32_t address, int *resp)
{
	uint32_t value = 0;
	lite_.araddr = static_cast<uint8_t>(address);
	lite_.arvalid = true;
	for (bool answered = false; !answered && !failed_;) {
		drive_pins();
		dut_->eval();
		const bool taken = lite_.arvalid && dut_->s_arready_o;
		lite_.rready = !lazy();
		answered = dut_->s_rvalid_o && lite_.rready;
		value = dut_->s_rdata_o;
		if (resp)
			*resp = dut_->s_rresp_o;
		cycle();
		if (taken)
			lite_.arvalid = false;
	}
	lite_.rready = false;
	return value;
}

int TopMachine::write(uint32_t address, uint32_t value)
{
	int resp = 0;
	lite_.awaddr = static_cast<uint8_t>(address);
	lite_.wdata = value;
	lite_.wstrb = 15;
	lite_.awvalid = lite_.wvalid = true;
	for (bool answered = false; !answered && !failed_;) {
		drive_pins();
		dut_->eval();
		const bool aw_taken = lite_.awvalid && dut_->s_awready_o, w_taken = lite_.wvalid && dut_->s_wready_o;
		lite_.bready = !lazy();
		answered = dut_->s_bvalid_o && lite_.bready;
		resp = dut_->s_bresp_o;
		cycle();
		if (aw_taken)
			lite_.awvalid = false;
		if (w_taken)
			lite_.wvalid = false;
	}
	lite_.bready = false;
	return resp;
}

} // namespace mch_tb
