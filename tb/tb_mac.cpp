/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Bench of mch_mac: a row of lanes with its control pins driven at random, against fxp/mac.h step by step; every lane's bank
 * is read after each load. Spec: docs/datapath.md "mac".
 * verilate: mch_mac */
#include <vector>

extern "C" {
#include "fxp/mac.h"
#include "tensor/report.h"
}
#include "Vmch_mac.h"
#include "sim/bench.h"
#include "sim/dut.h"
#include "sim/pins.h"
#include "sim/stimulus.h"
#include "tb/bins_arithmetic.h"
#include "tb/mult.h"

using namespace mch_sim;

namespace {

enum { COLS = DUT_COLS, X_COLS = DUT_X_COLS, X_BITS = DUT_X_BITS, W_BITS = DUT_W_BITS, ACC_BITS = DUT_ACC_BITS };
const mch_acc cfg = {ACC_BITS, static_cast<mch_overflow>(DUT_ACC_SAT)};

/* What the lanes hold, as the spec's table of stages says. */
struct Model {
	int64_t product[COLS] = {}, acc[COLS] = {}, bank[COLS] = {};
	bool over[COLS] = {}, bank_over[COLS] = {};
};

struct Pins {
	bool mul, add, first, load, shift;
	int32_t x[X_COLS];
	int32_t w[COLS];
	int64_t bank[COLS];
	bool bank_over[COLS];
};

/* A minifloat that the array has taken apart: its significand, and below it the places. */
int64_t apart(int32_t v, int exp_bits)
{
	return static_cast<int64_t>(v >> exp_bits) * (INT64_C(1) << (v & ((1 << exp_bits) - 1)));
}

int32_t draw_apart(mch_rng *rng, int significand_bits, int exp_bits, int kind)
{
	const int64_t high = high_code(significand_bits, false), v = corner(rng, significand_bits + 1, true);
	const uint32_t places = mch_rng_below(rng, (1U << exp_bits) - (kind != 4));
	return static_cast<int32_t>((v < -high ? -high : v) * (INT64_C(1) << exp_bits)) | static_cast<int32_t>(places);
}

Pins draw(mch_rng *rng)
{
	Pins p = {};
	p.mul = chance(rng, 80);
	p.add = chance(rng, 80);
	p.first = chance(rng, 10);
	p.load = chance(rng, 30);
	p.shift = chance(rng, 30);
	/* Signed or unsigned in one more bit: both ends of both. */
	for (int32_t &x : p.x) {
		x = static_cast<int32_t>(corner(rng, X_BITS, chance(rng, 50)));
		if (mch_tb::is_minifloat_dut)
			x = draw_apart(rng, X_BITS - DUT_X_EXP + 1, DUT_X_EXP, DUT_X_KIND);
	}
	for (int j = 0; j < COLS; j++) {
		p.w[j] = static_cast<int32_t>(corner(rng, W_BITS, true));
		if (mch_tb::is_minifloat_dut)
			p.w[j] = draw_apart(rng, W_BITS - DUT_W_EXP, DUT_W_EXP, DUT_W_KIND);
		p.bank[j] = corner(rng, ACC_BITS, true);
		p.bank_over[j] = DUT_ACC_SAT && chance(rng, 50);
	}
	return p;
}

void step(Model *m, const Pins &p)
{
	for (int j = 0; j < COLS; j++) {
		if (p.load || p.shift) {
			m->bank[j] = p.load ? m->acc[j] : p.bank[j];
			m->bank_over[j] = p.load ? m->over[j] : p.bank_over[j];
		}
		if (p.add) {
			bool over;
			m->acc[j] = mch_acc_add(cfg, p.first ? 0 : m->acc[j], m->product[j], &over);
			m->over[j] = DUT_ACC_SAT && (over || (!p.first && m->over[j]));
		}
		if (p.mul)
			m->product[j] = mch_tb::is_minifloat_dut ? apart(p.x[j % X_COLS], DUT_X_EXP) * apart(p.w[j], DUT_W_EXP)
								 : p.x[j % X_COLS] * mch_tb::weight_of(p.w[j]);
	}
}

void cover(Coverage<mch_tb::SeenMac> *covered, const Model &m, const Pins &p)
{
	for (int j = 0; j < COLS; j++) {
		const int64_t x = mch_tb::is_minifloat_dut ? apart(p.x[j % X_COLS], DUT_X_EXP) : p.x[j % X_COLS];
		const int64_t w = mch_tb::is_minifloat_dut ? apart(p.w[j], DUT_W_EXP) : mch_tb::weight_of(p.w[j]);
		covered->sample({DUT_MULT, mch_tb::pack_of_dut, j % 2 == 1, p.mul, p.add, p.first, p.load, p.shift, x, w, X_BITS, W_BITS,
				 cfg, m.acc[j], m.product[j], m.over[j]});
	}
}

void drive(Dut<Vmch_mac> &dut, const Pins &p)
{
	uint8_t over[COLS];
	for (int j = 0; j < COLS; j++)
		over[j] = p.bank_over[j];
	dut->mul_i = p.mul;
	dut->add_i = p.add;
	dut->first_i = p.first;
	dut->load_i = p.load;
	dut->shift_i = p.shift;
	pack(&dut->x_i, p.x, X_COLS, X_BITS + 1 + mch_tb::is_minifloat_dut);
	pack(&dut->w_i, p.w, COLS, W_BITS + mch_tb::is_minifloat_dut);
	pack(&dut->bank_i, p.bank, COLS, ACC_BITS);
	pack(&dut->bank_over_i, over, COLS, 1);
}

void report(const BenchArgs &args, uint64_t number, const Pins &p, int j, int64_t want, int64_t got, bool over_want,
	    bool over_got)
{
	const mch_format acc = {ACC_BITS, 0, true}, bit = {1, 0, false};
	const mch_field in[] = {{"x", p.x[j % X_COLS], {X_BITS + 2, 0, true}, false}, {"w", p.w[j], {W_BITS + 1, 0, true}, false}};
	const mch_field wanted[] = {{"bank", want, acc, false}, {"over", over_want, bit, false}};
	const mch_field gotten[] = {{"bank", got, acc, false}, {"over", over_got, bit, false}};
	const std::string at = "lane " + std::to_string(j) + "  parameters " DUT_PARAMETERS;
	const std::string redo = bench_redo(args, number);
	mch_mismatch m = {};
	m.where = args.name;
	m.module = "mch_mac";
	m.case_number = number;
	m.seed = args.seed;
	m.in = in, m.n_in = 2;
	m.want = wanted, m.got = gotten, m.n_out = 2;
	m.at = at.c_str();
	m.redo = redo.c_str();
	mch_mismatch_print(stdout, &m);
}

/* A case is a run of edges that begins with a full load of every register. */
bool run_case(const BenchArgs &args, Dut<Vmch_mac> &dut, Coverage<mch_tb::SeenMac> *covered, uint64_t number)
{
	mch_rng rng = case_rng(args.seed, number);
	Model model;
	for (int edge = 0; edge < 64; edge++) {
		Pins p = draw(&rng);
		if (edge < 3) {
			p.mul = p.add = p.first = true;
			p.load = edge == 2;
			p.shift = false;
		}
		drive(dut, p);
		dut.edge();
		cover(covered, model, p);
		step(&model, p);
		for (int j = 0; edge >= 2 && j < COLS; j++) {
			const int64_t got = mch_wrap(static_cast<int64_t>(unpack(&dut->bank_o, j, ACC_BITS)), ACC_BITS);
			const bool over = unpack(&dut->bank_over_o, j, 1) != 0;
			if (got != model.bank[j] || over != model.bank_over[j]) {
				report(args, number, p, j, model.bank[j], got, model.bank_over[j], over);
				return false;
			}
		}
	}
	return true;
}

} // namespace

int main(int argc, char **argv)
{
	const BenchArgs args = bench_args(argc, argv, 2000);
	Dut<Vmch_mac> dut(args.waves);
	Coverage<mch_tb::SeenMac> covered("mch_mac", mch_tb::mac_bins::list);
	Stopwatch watch;
	uint64_t compared = 0;
	bool agreed = true;
	for (uint64_t number = args.first; agreed && compared < args.n_cases; number++, compared++)
		agreed = run_case(args, dut, &covered, number);
	return bench_end(args, watch, compared, dut.cycles(), agreed);
}
