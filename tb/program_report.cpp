/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The report of a program's mismatch; see program_report.h. */
#include "tb/program_report.h"

#include <cinttypes>
#include <cstdlib>
#include <cstring>

#include "sim/bench.h"
#include "sim/waves.h"
#include "tb/hunt.h"

using namespace mch_sim;

namespace mch_tb
{

/* The channel that element `column` of a word holds: of the tensor of the folder in which the word lies, made by `layer`, or of any. */
static int channel_at(const mch_program_folder &f, const char *layer, uint64_t word, int column)
{
	for (int i = 0; i < f.n_tensors; i++) {
		const mch_folder_tensor &t = f.tensor[i];
		const uint64_t map = static_cast<uint64_t>(t.h) * static_cast<uint64_t>(t.w);
		for (int b = 0; (!layer || std::strcmp(t.layer, layer) == 0) && b < t.blocks; b++) {
			const uint64_t first = t.addr + static_cast<uint64_t>(b) * t.step;
			for (int c = 0; word >= first && word < first + map && c < t.c; c++)
				if (t.slot[c] == b * f.cfg.cols + column)
					return c;
		}
	}
	return -1;
}

static std::string number(const char *name, int64_t value)
{
	return value < 0 ? "" : std::string(" ") + name + "=" + std::to_string(value);
}

std::string place_text(const ProgramRun &run, const Place &place, std::string *more)
{
	const mch_descriptor &d = place.d;
	std::string text = "one layer";
	int k = place.y_block * top_config().cols + place.column, c = place.x_block * top_config().cols + place.c;
	const bool is_map = place.pixel >= 0 && d.out_q > 0;
	if (run.folder) {
		const mch_folder_part &part = run.folder->part[run.part];
		if (place.descriptor < 0 || place.descriptor >= part.n)
			return "";
		const char *const layer = run.folder->descriptor[part.first + place.descriptor].layer;
		text = std::string("layer ") + layer;
		if (is_map)
			k = channel_at(*run.folder, layer, d.y_addr + static_cast<uint64_t>(place.y_block) * d.y_step + static_cast<uint64_t>(place.pixel),
				       place.column);
		if (place.x_block >= 0)
			c = channel_at(*run.folder, nullptr, d.x0_addr + static_cast<uint64_t>(place.x_block) * d.x_step, place.c);
	}
	text += number("n", run.image);
	if (is_map && place.pixel < d.pixels)
		text += number("k", place.column < 0 ? -1 : k) + number("p", place.pixel / d.out_q) + number("q", place.pixel % d.out_q);
	if (place.term >= 0)
		*more += number("c", c) + number("r", place.r) + number("s", place.s) + "  term " + std::to_string(place.term) + " of " +
			 std::to_string(place.terms);
	if (place.tile >= 0)
		*more += "  tile " + std::to_string(place.tile);
	if (is_map && (place.pixel >= d.pixels || (place.column >= 0 && k < 0)))
		*more += "  (beyond the layer's edge: its result is dropped)";
	return text;
}

/* Fraction bits of what the register holds, where that is a number of the layer: of results those of its tensor, of sums and
 * products as many more as the shift of the column drops. */
static bool fraction(const ProgramRun &run, const TopFailure &f, int *frac)
{
	const auto is = [&f](const char *part) { return f.name.find(part) != std::string::npos; };
	const bool is_result = is(".y_q") || is(".round_q"), is_sum = is(".sum_q") || is(".acc_q") || is(".bank_q") || is(".product_q");
	const Place &p = f.place;
	if (!run.folder || (!is_result && !is_sum) || p.descriptor < 0 || p.y_block < 0 || p.column < 0 || p.d.op != MCH_OP_CONV)
		return false;
	const mch_program_folder &folder = *run.folder;
	const mch_accel_config &cfg = folder.cfg;
	const char *const layer = folder.descriptor[folder.part[run.part].first + p.descriptor].layer;
	const uint64_t words = static_cast<uint64_t>(mch_accel_param_words(&cfg)) + static_cast<uint64_t>(p.terms);
	const uint64_t word = p.d.w_addr + static_cast<uint64_t>(p.y_block) * words + static_cast<uint64_t>(mch_accel_bias_words(&cfg));
	const int code = mch_accel_get(run.memory, word * static_cast<uint64_t>(cfg.cols) + static_cast<uint64_t>(p.column),
				       mch_accel_elem_bytes(&cfg), false);
	for (int i = 0; i < folder.n_tensors; i++)
		if (std::strcmp(folder.tensor[i].layer, layer) == 0 && folder.tensor[i].format.number == MCH_FIXED) {
			*frac = folder.tensor[i].format.frac + (is_sum ? code % 64 + MCH_SHIFT_MIN : 0);
			return true;
		}
	return false;
}

/* The layer alone: its hint, and the smallest case that fails, saved. */
static std::string layer_alone(const ProgramRun &run, const Place &place, std::string *hint)
{
	const mch_accel_config cfg = top_config();
	LayerImage image;
	LayerCase c, small;
	std::string why;
	const mch_folder_part &part = run.folder->part[run.part];
	if (place.descriptor < 0 || place.descriptor >= part.n ||
	    !image_of_descriptor(cfg, run.memory, run.folder->n_words, part.list, place.descriptor, &image) ||
	    !case_of(cfg, image.d, image.memory.data(), &c))
		return "";
	*hint = hint_of(image, c);
	const std::string path = run.stem + ".vec";
	if (!run.lockstep || !smallest(c, &small) || !small.save(path, run.redo, cfg, &why))
		return "";
	return path + " (" + std::to_string(small.elements()) + " of " + std::to_string(c.elements()) + " elements)";
}

void program_report(TopMachine &machine, const ProgramRun &run, TopFailure f, const std::string &layer)
{
	const uint64_t cycle = machine.edges();
	mch_format format = {f.bits, 0, f.is_signed};
	const bool is_real = fraction(run, f, &format.frac);
	const mch_field want = {"value", f.want, format, is_real}, got = {"value", f.got, format, is_real};
	std::string more, hint, see;
	std::string place = layer.empty() ? place_text(run, f.place, &more) : layer;
	if (run.hunts) {
		see = run.lockstep ? waves_again(run.redo, run.stem, f.name, cycle) : "";
		const std::string small = run.folder ? layer_alone(run, f.place, &hint) : "";
		see += (see.empty() || small.empty() ? "" : ", ") + small;
	}
	const std::string where = "tb_program: " + place + (place.empty() ? "cycle " : ", cycle ") + std::to_string(cycle);
	const std::string at = place + more + "  cycle " + std::to_string(cycle) + "  " + f.name, redo = run.redo + bench_waves(run.stem);
	mch_mismatch m = {};
	m.where = where.c_str(), m.module = "mch_top", m.case_number = static_cast<uint64_t>(run.image), m.seed = run.seed;
	m.in = f.place.in.data(), m.n_in = static_cast<int>(f.place.in.size());
	m.want = &want, m.got = &got, m.n_out = 1;
	m.at = at.c_str(), m.redo = redo.c_str();
	m.hint = hint.empty() ? nullptr : hint.c_str();
	m.see = see.c_str();
	mch_mismatch_print(stdout, &m);
}

} // namespace mch_tb
