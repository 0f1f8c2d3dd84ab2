/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The smallest layer that still fails: parts of every axis are taken away as long as it does (delta debugging, Zeller and Hildebrandt
 * 2002), then values go towards 0. Deterministic: it counts runs, not time. */
#ifndef MCH_TB_SHRINK_H
#define MCH_TB_SHRINK_H

#include "tb/layer_case.h"

namespace mch_tb
{

template <class Fails> class Shrinker
{
public:
	/* Fails: bool (const LayerCase &). */
	Shrinker(const LayerCase &c, Fails fails, int most_runs) : case_(c), fails_(fails), left_(most_runs) {}

	LayerCase run()
	{
		for (size_t before = 0; before != case_.elements() && left_ > 0;) {
			before = case_.elements();
			plainer();
			for (int axis : {K, C, H, W, R, S})
				reduce(axis);
		}
		quieter();
		return case_;
	}
	int left() const { return left_; }

private:
	enum Axis { K, C, H, W, R, S };

	bool accept(const LayerCase &c)
	{
		if (left_ <= 0 || mch_conv_p(&c.conv) < 1 || mch_conv_q(&c.conv) < 1)
			return false;
		left_--;
		if (!fails_(c))
			return false;
		case_ = c;
		return true;
	}

	static int *length(struct mch_conv &g, int axis)
	{
		int *const all[] = {&g.k, &g.c, &g.h, &g.w, &g.r, &g.s};
		return all[axis];
	}

	/* v [a][n][b] without the indices [first, first + count) of the middle. */
	template <class T> static std::vector<T> cut(const std::vector<T> &v, int n, size_t b, int first, int count)
	{
		std::vector<T> kept;
		for (size_t i = 0; i < v.size(); i++) {
			const int at = static_cast<int>(i / b % static_cast<size_t>(n));
			if (at < first || at >= first + count)
				kept.push_back(v[i]);
		}
		return kept;
	}

	LayerCase without(int axis, int first, int count)
	{
		LayerCase c = case_;
		const struct mch_conv &g = case_.conv;
		const int n = *length(c.conv, axis);
		const size_t rs = static_cast<size_t>(g.r * g.s), hw = static_cast<size_t>(g.h * g.w);
		if (axis == K) {
			c.w = cut(c.w, n, static_cast<size_t>(g.c) * rs, first, count);
			c.bias = cut(c.bias, n, 1, first, count), c.shift = cut(c.shift, n, 1, first, count);
		} else if (axis == C) {
			c.w = cut(c.w, n, rs, first, count), c.x = cut(c.x, n, hw, first, count);
		} else if (axis == H || axis == W) {
			c.x = cut(c.x, n, axis == H ? static_cast<size_t>(g.w) : 1, first, count);
		} else {
			c.w = cut(c.w, n, axis == R ? static_cast<size_t>(g.s) : 1, first, count);
		}
		*length(c.conv, axis) -= count;
		return c;
	}

	void reduce(int axis)
	{
		for (int chunk = *length(case_.conv, axis) - 1; chunk >= 1; chunk /= 2)
			for (int first = 0; first < *length(case_.conv, axis);) {
				const int n = *length(case_.conv, axis), count = chunk < n - first ? chunk : n - first;
				if (count >= n || !accept(without(axis, first, count)))
					first += chunk;
			}
	}

	/* Small shifts, which make large results of few terms; no stride, no dilation, no padding. */
	void plainer()
	{
		for (int shift : {0, 1, 2, 4}) {
			LayerCase c = case_;
			c.shift.assign(c.shift.size(), static_cast<int8_t>(shift));
			if (c.shift == case_.shift || accept(c))
				break;
		}
		const auto set = [this](int mch_conv::*field, int value) {
			LayerCase c = case_;
			if (c.conv.*field != value) {
				c.conv.*field = value;
				accept(c);
			}
		};
		for (int mch_conv::*field : {&mch_conv::stride_h, &mch_conv::stride_w, &mch_conv::dilation_h, &mch_conv::dilation_w})
			set(field, 1);
		for (int mch_conv::*field : {&mch_conv::pad_top, &mch_conv::pad_left, &mch_conv::pad_bottom, &mch_conv::pad_right})
			set(field, 0);
	}

	template <class T> void towards_zero(std::vector<T> LayerCase::*values)
	{
		for (size_t i = 0; i < (case_.*values).size(); i++) {
			LayerCase c = case_;
			T &v = (c.*values)[i];
			if (v == 0)
				continue;
			v = 0;
			if (accept(c))
				continue;
			for (T half = static_cast<T>((case_.*values)[i] / 2); half != 0; half = static_cast<T>((case_.*values)[i] / 2)) {
				(c.*values)[i] = half;
				if (!accept(c))
					break;
			}
		}
	}

	void quieter()
	{
		towards_zero(&LayerCase::w);
		towards_zero(&LayerCase::x);
		towards_zero(&LayerCase::bias);
	}

	LayerCase case_;
	Fails fails_;
	int left_;
};

template <class Fails> LayerCase shrink(const LayerCase &c, Fails fails, int most_runs)
{
	return Shrinker<Fails>(c, fails, most_runs).run();
}

} // namespace mch_tb

#endif
