/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Cases of mch_datapath; see stream_hunt.h. */
#include "tb/stream_hunt.h"

#include "sim/waves.h"
#include "tb/shrink.h"

namespace mch_tb {

enum { MOST_RUNS = 2000 };

mch_accel_config stream_config(const mch_datapath_config &cfg)
{
	mch_accel_config c = {};
	c.rows = cfg.array.rows, c.cols = cfg.array.cols;
	c.x_bits = cfg.array.x_bits, c.w_bits = cfg.array.w_bits, c.out_bits = cfg.out_bits, c.acc_bits = cfg.array.acc.bits;
	c.round = cfg.round;
	c.mult = cfg.array.mult;
	return c;
}

LayerUnit stream_unit(const mch_datapath_config &cfg)
{
	return {cfg.array.acc.overflow == MCH_SATURATE, cfg.out_wraps, false};
}

CaseStep::CaseStep(const mch_datapath_config &cfg, const LayerCase &c) : c_(c)
{
	static char name[] = "case";
	layer_.name = name;
	layer_.kind = MCH_CONV;
	step_.layer = &layer_;
	step_.conv = c.conv;
	step_.in_format = {cfg.array.x_bits, 0, c.x_signed};
	step_.weight_format = {cfg.array.w_bits, 0, true};
	step_.out_format = {c.y_bits, 0, c.y_signed};
	step_.acc = cfg.array.acc;
	step_.weights = c_.w.data(), step_.bias = c_.bias.data(), step_.shift = c_.shift.data();
	step_.requant.out_bits = c.y_bits, step_.requant.out_signed = c.y_signed, step_.requant.relu = c.relu;
	step_.requant.round = cfg.round, step_.requant.wraps = cfg.out_wraps;
	step_.requant.bias = step_.bias, step_.requant.shift = step_.shift;
}

/* Weights between groups are zero: so the case has none. */
bool case_of_step(const mch_datapath_config &cfg, const mch_step &step, const int32_t *x, LayerCase *c)
{
	const struct mch_conv &g = step.conv;
	const int per_group = g.c / g.groups, rs = g.r * g.s;
	if (cfg.array.mult != MCH_MULT_INTEGER || cfg.out_kind != MCH_FIXED || cfg.round == MCH_ROUND_STOCHASTIC)
		return false;
	c->unit = stream_unit(cfg);
	c->conv = g;
	c->conv.n = c->conv.groups = 1;
	c->x_signed = step.in_format.is_signed, c->y_signed = step.out_format.is_signed;
	c->relu = step.requant.relu, c->y_bits = step.out_format.bits;
	c->x.assign(x, x + static_cast<ptrdiff_t>(g.c) * g.h * g.w);
	c->bias.assign(step.bias, step.bias + g.k);
	c->shift.assign(step.shift, step.shift + g.k);
	c->w.assign(static_cast<size_t>(g.k) * static_cast<size_t>(g.c * rs), 0);
	for (int k = 0; k < g.k; k++) {
		const int first = k / (g.k / g.groups) * per_group;
		const int32_t *const from = step.weights + static_cast<ptrdiff_t>(k) * per_group * rs;
		std::copy(from, from + per_group * rs, c->w.begin() + (static_cast<ptrdiff_t>(k) * g.c + first) * rs);
	}
	return true;
}

static bool fails(const mch_datapath_config &cfg, const StreamOptions &options, const LayerCase &c)
{
	const CaseStep step(cfg, c);
	std::vector<int32_t> y(c.n_out());
	Stream stream(cfg, options);
	return !stream.run(step.step(), 1, c.x.data(), y.data());
}

StreamReplay::StreamReplay(const mch_datapath_config &cfg, const std::string &path) : cfg_(cfg)
{
	std::string why;
	c_.unit = stream_unit(cfg);
	if (!c_.load(path, stream_config(cfg), &why)) {
		std::fprintf(stderr, "macchiato: %s\n", why.c_str());
		std::exit(2);
	}
	step_.reset(new CaseStep(cfg, c_));
}

bool StreamReplay::run(Stream *stream) const
{
	std::vector<int32_t> y(c_.n_out());
	return stream->run(step_->step(), 1, c_.x.data(), y.data()) && y == c_.want(stream_config(cfg_));
}

static std::string image_smallest(const mch_datapath_config &cfg, int stall_percent, const LayerCase &c, const std::string &path,
				  const std::string &redo)
{
	StreamOptions options;
	options.stall_percent = stall_percent;
	std::string why;
	const auto try_it = [&](const LayerCase &smaller) { return fails(cfg, options, smaller); };
	if (!try_it(c))
		return "";
	const LayerCase small = shrink(c, try_it, MOST_RUNS);
	if (!small.save(path, redo, stream_config(cfg), &why))
		return "";
	return path + " (" + std::to_string(small.elements()) + " of " + std::to_string(c.elements()) + " elements" +
	       (stall_percent ? ", --stalls=" + std::to_string(stall_percent) : "") + ")";
}

std::string stream_smallest(const mch_datapath_config &cfg, int stall_percent, const mch_step &step, int n, const int32_t *x,
			    const std::string &path, const std::string &redo)
{
	std::string found;
	for (int stalls : {0, stall_percent})
		for (int i = 0; i < n && found.empty(); i++) {
			LayerCase c;
			if (case_of_step(cfg, step, x + static_cast<ptrdiff_t>(i) * step.conv.c * step.conv.h * step.conv.w, &c))
				found = image_smallest(cfg, stalls, c, path, redo);
		}
	return found;
}

std::string stream_see(const mch_datapath_config &cfg, int stall_percent, const mch_step &step, int n, const int32_t *x,
		       const std::string &redo, const std::string &stem, const Stream &stream)
{
	const std::string waves = mch_sim::waves_again(redo, stem, stream.difference().name, stream.edges());
	const std::string small = stream_smallest(cfg, stall_percent, step, n, x, stem + ".vec", redo);
	return waves + (waves.empty() || small.empty() ? "" : ", ") + small;
}

} // namespace mch_tb
