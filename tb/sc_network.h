/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Small networks by chance, in integers, as programs for one build: convolutions, pools, dense layers, one behind the
 * other. Holds no expected values. */
#ifndef MCH_TB_SC_NETWORK_H
#define MCH_TB_SC_NETWORK_H

#include <cmath>
#include <string>
#include <vector>

extern "C" {
#include "arch/program.h"
}
#include "sim/stimulus.h"

namespace mch_tb {

class ScNetwork {
public:
	ScNetwork(mch_rng *rng, const mch_accel_config &cfg) : rng_(rng), cfg_(cfg)
	{
		mch_net_init(&net);
		net.input = mch_net_add_edge(&net, "data", {1, between(1, 5), between(4, 13), between(4, 13)}, &err);
		int edge = net.input;
		for (int i = between(1, 3); i > 0 && edge >= 0; i--) {
			edge = mch_sim::chance(rng_, 60) ? append_conv(edge) : append_pool(edge);
			if (edge >= 0 && mch_sim::chance(rng_, 40))
				edge = append(MCH_RELU, edge);
		}
		if (edge >= 0 && mch_sim::chance(rng_, 50))
			edge = append_dense(edge);
		is_built_ = edge >= 0 && quantize() && mch_qnet_build(&q, &net, &quant, &err) == 0;
		const mch_program_options options = mch_program_options();
		is_program_ = is_built_ && mch_program_build(&program, &q, &cfg, &options, &err) == 0;
	}

	~ScNetwork()
	{
		if (is_program_)
			mch_program_free(&program);
		if (is_built_)
			mch_qnet_free(&q);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
	ScNetwork(const ScNetwork &) = delete;
	ScNetwork &operator=(const ScNetwork &) = delete;

	/* There is a program, of one list; else err says why not. */
	bool is_program() const { return is_program_ && program.n_parts == 1; }

	std::vector<int32_t> random_input()
	{
		const mch_shape s = net.edges[q.input].shape;
		std::vector<int32_t> codes(static_cast<size_t>(s.c) * s.h * s.w);
		for (int32_t &code : codes)
			code = random_code(q.input_format);
		return codes;
	}

	mch_net net = {};
	mch_quant quant = {};
	mch_qnet q = {};
	mch_program program = {};
	mch_err err = {};

private:
	int between(int low, int high) { return low + static_cast<int>(mch_rng_below(rng_, high - low + 1)); }

	int32_t random_code(mch_format f)
	{
		if (f.number == MCH_FIXED)
			return static_cast<int32_t>(mch_sim::corner(rng_, f.bits, f.is_signed));
		const int low = static_cast<int>(mch_format_min(f)), high = static_cast<int>(mch_format_max(f));
		const int pick = between(0, 7);
		return pick == 0 ? low : pick == 1 ? high : between(low, high);
	}

	static mch_format number(int bits, bool is_signed, mch_number kind, int exp_bits)
	{
		return {bits, 0, is_signed, kind, exp_bits};
	}

	/* Of the integers that codes stand for, with their sign. */
	static int integer_bits(mch_format f)
	{
		return f.number == MCH_FIXED ? f.bits
					     : mch_wide_bits(-mch_format_integer(f, mch_format_max(f)),
							     mch_format_integer(f, mch_format_max(f)));
	}

	/* Its output edge, or -1: what was made before ends the network then. */
	int append(mch_kind kind, int in, const struct mch_conv *conv = nullptr, const mch_pool *pool = nullptr)
	{
		const std::string name = "layer" + std::to_string(net.n_layers);
		const int i = mch_net_add_layer(&net, name.c_str(), kind, in, nullptr, &err);
		if (i < 0)
			return -1;
		mch_layer *const layer = &net.layers[i];
		if (conv)
			layer->conv = *conv;
		if (pool)
			layer->pool = *pool;
		net.output = -1;
		if (mch_net_infer(&net, &err) != 0 || mch_layer_alloc(layer, mch_sim::chance(rng_, 70), &err) != 0)
			return -1;
		return layer->out[0];
	}

	int append_conv(int in)
	{
		struct mch_conv g = {};
		g.groups = 1;
		if (mch_sim::chance(rng_, 25))
			g.groups = net.edges[in].shape.c;
		g.k = g.groups * between(1, g.groups > 1 ? 2 : 21);
		g.r = between(1, 3), g.s = between(1, 3);
		g.stride_h = between(1, 2), g.stride_w = between(1, 2);
		g.dilation_h = g.dilation_w = 1;
		g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = between(0, 1);
		return append(MCH_CONV, in, &g);
	}

	/* The mean of a stochastic build is the host's, and most means of minifloats. */
	int append_pool(int in)
	{
		const mch_shape shape = net.edges[in].shape;
		mch_pool g = {};
		g.r = std::min(between(2, 3), shape.h), g.s = std::min(between(2, 3), shape.w);
		g.stride_h = between(1, 2), g.stride_w = between(1, 2);
		g.dilation_h = g.dilation_w = 1;
		const bool is_mean = cfg_.round != MCH_ROUND_STOCHASTIC && !mch_accel_is_minifloat(&cfg_) && mch_sim::chance(rng_, 50);
		return append(is_mean ? MCH_POOL_AVG : MCH_POOL_MAX, in, nullptr, &g);
	}

	int append_dense(int in)
	{
		struct mch_conv g = {};
		g.k = between(1, 20);
		return append(MCH_DENSE, in, &g);
	}

	/* Outputs have about the width of the sums, so that they neither all vanish nor all saturate. */
	void quantize_weights(mch_layer *layer, mch_layer_quant *lq, mch_format x, mch_format *y)
	{
		lq->weights = number(cfg_.w_bits, true, cfg_.mult == MCH_MULT_SHIFT ? MCH_POW2 : cfg_.w_kind, cfg_.w_exp);
		const int terms = static_cast<int>(std::log2(static_cast<double>(mch_conv_terms(&layer->conv))));
		const int shift = integer_bits(x) + integer_bits(lq->weights) + terms - integer_bits(*y) - between(0, 5);
		y->frac = static_cast<int8_t>(between(0, 8));
		lq->weights.frac = static_cast<int8_t>(y->frac - x.frac + std::min(std::max(shift, 0), static_cast<int>(MCH_SHIFT_MAX)));
		for (size_t i = 0; i < layer->n_weights; i++)
			layer->weights[i] = static_cast<float>(mch_format_real(lq->weights, random_code(lq->weights)));
		for (size_t i = 0; i < layer->n_bias; i++)
			layer->bias[i] = static_cast<float>(2 * mch_rng_real(rng_) - 1);
	}

	bool quantize()
	{
		if (mch_quant_init(&quant, &net, &err) != 0)
			return false;
		quant.round = cfg_.round;
		quant.seed = static_cast<uint32_t>(mch_rng_next(rng_));
		const int bits = std::min(cfg_.x_bits, cfg_.out_bits);
		quant.edge[net.input] = number(bits, mch_sim::chance(rng_, 50), cfg_.x_kind, cfg_.x_exp);
		quant.edge[net.input].frac = 4;
		for (int i = 0; i < net.n_layers; i++) {
			mch_layer *const layer = &net.layers[i];
			const mch_format x = quant.edge[layer->in[0]];
			mch_format *const y = &quant.edge[layer->out[0]];
			*y = x;
			if (layer->weights) {
				*y = number(bits, mch_sim::chance(rng_, 50), cfg_.x_kind, cfg_.x_exp);
				quantize_weights(layer, &quant.layer[i], x, y);
			}
		}
		return true;
	}

	mch_rng *rng_;
	const mch_accel_config &cfg_;
	bool is_built_ = false, is_program_ = false;
};

} // namespace mch_tb

#endif
