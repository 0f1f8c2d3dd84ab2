/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A layer as a case; see layer_case.h. */
#include "tb/layer_case.h"

#include <cstdio>
#include <cstring>

extern "C" {
#include "arch/program.h"
#include "op/hint_conv.h"
#include "tensor/vec.h"
}

namespace mch_tb
{

static size_t size(int a, int b = 1, int c = 1, int d = 1)
{
	return static_cast<size_t>(a) * static_cast<size_t>(b) * static_cast<size_t>(c) * static_cast<size_t>(d);
}

size_t LayerCase::n_out() const
{
	return size(conv.k, mch_conv_p(&conv), mch_conv_q(&conv));
}

/* What op/hint_conv.h asks for. */
struct Judged {
	struct mch_requant requant{};
	std::vector<int32_t> room;
	mch_hint_conv c{};
	Judged(const mch_accel_config &cfg, const LayerCase &l, const int32_t *got) : room(2 * mch_conv_terms(&l.conv))
	{
		requant.out_bits = l.y_bits, requant.out_signed = l.y_signed, requant.relu = l.relu, requant.round = cfg.round;
		requant.wraps = l.unit.out_wraps;
		requant.bias = l.bias.data(), requant.shift = l.shift.data();
		c.conv = l.conv;
		c.unit = {{cfg.acc_bits, l.unit.saturates ? MCH_SATURATE : MCH_WRAP}, cfg.x_bits, cfg.w_bits, l.x_signed, false, &requant};
		c.rows = cfg.rows, c.cols = cfg.cols, c.by_words = l.unit.by_words;
		c.x = l.x.data(), c.w = l.w.data(), c.got = got, c.room = room.data();
	}
};

std::vector<int32_t> LayerCase::want(const mch_accel_config &cfg) const
{
	const Judged j(cfg, *this, nullptr);
	std::vector<int32_t> y(n_out());
	for (size_t i = 0; i < y.size(); i++)
		y[i] = mch_conv_want(&j.c, i);
	return y;
}

std::string LayerCase::hint(const mch_accel_config &cfg, const std::vector<int32_t> &got) const
{
	const Judged j(cfg, *this, got.data());
	char text[MCH_HINT_BYTES];
	const char *const found = mch_conv_hint(&j.c, text);
	return found ? found : "";
}

/* The geometry that the descriptor's steps stand for. Negative padding below and on the right: what no window reads. */
static bool geometry_of(const mch_descriptor &d, int cols, struct mch_conv *g)
{
	if (d.op != MCH_OP_CONV || d.taps != 0 || d.x1_blocks != 0 || d.map_words % d.in_w != 0 || d.row_step % d.in_w != 0 || d.tap_step % d.in_w != 0 ||
	    d.pad_words % d.in_w != 0 || d.pixels % d.out_q != 0)
		return false;
	const auto n = [](uint32_t v) { return static_cast<int>(v); };
	*g = {};
	g->n = g->groups = 1;
	g->c = n(d.x0_blocks - 1) * cols + n(d.x0_last), g->h = n(d.map_words / d.in_w), g->w = n(d.in_w);
	g->k = n(d.y_blocks) * cols, g->r = n(d.kernel_r), g->s = n(d.kernel_s);
	g->stride_h = n(d.row_step / d.in_w), g->stride_w = n(d.stride_w);
	g->dilation_h = n(d.tap_step / d.in_w), g->dilation_w = n(d.dilation_w);
	g->pad_top = n(d.pad_words / d.in_w), g->pad_left = n(d.pad_left);
	g->pad_bottom = (n(d.pixels / d.out_q) - 1) * g->stride_h + g->dilation_h * (g->r - 1) + 1 - g->h - g->pad_top;
	g->pad_right = (n(d.out_q) - 1) * g->stride_w + g->dilation_w * (g->s - 1) + 1 - g->w - g->pad_left;
	return true;
}

/* Calls f(output channel, x channel or -1, its index in w) with the number of the stream's element, in the stream's order. */
template <class F> static void walk_weights(const mch_accel_config &cfg, const struct mch_conv &g, F f)
{
	const int cols = cfg.cols;
	uint64_t word = 0;
	for (int k0 = 0; k0 < g.k; k0 += cols) {
		word += static_cast<uint64_t>(mch_accel_param_words(&cfg));
		for (int c0 = 0; c0 < g.c; c0 += cols)
			for (int rs = 0; rs < g.r * g.s; rs++)
				for (int c = c0; c < c0 + cols && c < g.c; c++, word++)
					for (int j = 0; j < cols && k0 + j < g.k; j++)
						f(word * static_cast<uint64_t>(cols) + static_cast<uint64_t>(j),
						  size(k0 + j, g.c, g.r * g.s) + size(c, g.r * g.s) + static_cast<size_t>(rs));
	}
}

/* Elements of channel k's parameters: the word of the block's first, and the column. */
static uint64_t param_element(const mch_accel_config &cfg, const struct mch_conv &g, int k, int i)
{
	const uint64_t block_words = static_cast<uint64_t>(mch_accel_param_words(&cfg)) + mch_conv_terms(&g);
	return (static_cast<uint64_t>(k / cfg.cols) * block_words + static_cast<uint64_t>(i)) * static_cast<uint64_t>(cfg.cols) +
	       static_cast<uint64_t>(k % cfg.cols);
}

static uint64_t element(const mch_accel_config &cfg, uint32_t addr, uint32_t step, int channel, int pixel)
{
	const uint64_t cols = static_cast<uint64_t>(cfg.cols), c = static_cast<uint64_t>(channel);
	return (addr + c / cols * step + static_cast<uint64_t>(pixel)) * cols + c % cols;
}

bool case_of(const mch_accel_config &cfg, const mch_descriptor &d, const uint8_t *memory, LayerCase *c)
{
	const int bytes = mch_accel_elem_bytes(&cfg), n_bias = mch_accel_bias_words(&cfg);
	struct mch_conv &g = c->conv;
	if (cfg.mult != MCH_MULT_INTEGER || cfg.round == MCH_ROUND_STOCHASTIC || !geometry_of(d, cfg.cols, &g))
		return false;
	const uint8_t *const stream = memory + static_cast<size_t>(d.w_addr) * mch_accel_word_bytes(&cfg);
	c->x_signed = d.x0_signed, c->y_signed = d.y_signed, c->relu = d.relu, c->y_bits = static_cast<int>(d.y_bits);
	c->x.clear(), c->bias.clear(), c->shift.clear();
	for (int i = 0; i < g.c; i++)
		for (int pixel = 0; pixel < g.h * g.w; pixel++)
			c->x.push_back(mch_accel_get(memory, element(cfg, d.x0_addr, d.x_step, i, pixel), bytes, c->x_signed));
	for (int k = 0; k < g.k; k++) {
		uint64_t bias = 0;
		for (int i = 0; i < n_bias; i++)
			bias |= static_cast<uint64_t>(static_cast<uint32_t>(mch_accel_get(stream, param_element(cfg, g, k, i), bytes, false)))
				<< (8 * bytes * i);
		c->bias.push_back(mch_wrap(static_cast<int64_t>(bias), cfg.acc_bits));
		c->shift.push_back(static_cast<int8_t>(mch_accel_get(stream, param_element(cfg, g, k, n_bias), bytes, false) % 64 + MCH_SHIFT_MIN));
	}
	c->w.assign(size(g.k, g.c, g.r, g.s), 0);
	walk_weights(cfg, g, [&](uint64_t e, size_t at) { c->w[at] = mch_accel_get(stream, e, bytes, true); });
	return true;
}

static mch_descriptor descriptor_of(const mch_accel_config &cfg, const LayerCase &c)
{
	const struct mch_conv &g = c.conv;
	const auto n = [](int v) { return static_cast<uint32_t>(v); };
	const int p = mch_conv_p(&g), q = mch_conv_q(&g), cols = cfg.cols, x_blocks = (g.c + cols - 1) / cols;
	mch_descriptor d = {};
	d.op = MCH_OP_CONV;
	d.relu = c.relu, d.x0_signed = c.x_signed, d.y_signed = c.y_signed, d.y_bits = n(c.y_bits);
	d.x_step = n(g.h * g.w), d.x0_blocks = n(x_blocks), d.x0_last = n(g.c - (x_blocks - 1) * cols);
	d.in_w = n(g.w), d.out_q = n(q), d.kernel_r = n(g.r), d.kernel_s = n(g.s);
	d.y_blocks = n((g.k + cols - 1) / cols);
	d.stride_w = n(g.stride_w), d.dilation_w = n(g.dilation_w), d.pad_left = n(g.pad_left);
	d.pixels = n(p * q), d.row_step = n(g.stride_h * g.w), d.tap_step = n(g.dilation_h * g.w);
	d.pad_words = n(g.pad_top * g.w), d.map_words = n(g.h * g.w);
	d.reach = n(((g.r - 1) * g.dilation_h + 1) * g.w), d.q_end = n(q * g.stride_w);
	d.y_addr = d.x_step * d.x0_blocks, d.y_step = d.pixels;
	d.w_addr = d.y_addr + d.y_step * d.y_blocks;
	d.w_words = d.y_blocks * (n(mch_accel_param_words(&cfg)) + n(static_cast<int>(mch_conv_terms(&g))));
	return d;
}

bool image_of(const mch_accel_config &cfg, const LayerCase &c, LayerImage *image)
{
	const struct mch_conv &g = c.conv;
	const int bytes = mch_accel_elem_bytes(&cfg), n_bias = mch_accel_bias_words(&cfg);
	mch_descriptor &d = image->d;
	d = descriptor_of(cfg, c);
	if (mch_program_tiles(&d, &cfg, 0, false) != 0 || mch_descriptor_misfit(&d))
		return false;
	const uint32_t words = mch_descriptor_words(&cfg);
	image->list = (d.w_addr + d.w_words + words - 1) / words * words;
	image->memory.assign(static_cast<size_t>(image->list + 2 * words) * mch_accel_word_bytes(&cfg), 0);
	uint8_t *const memory = image->memory.data();
	uint8_t *const stream = memory + static_cast<size_t>(d.w_addr) * mch_accel_word_bytes(&cfg);
	for (int i = 0; i < g.c; i++)
		for (int pixel = 0; pixel < g.h * g.w; pixel++)
			mch_accel_put(memory, element(cfg, d.x0_addr, d.x_step, i, pixel), bytes, c.x[size(i, g.h, g.w) + static_cast<size_t>(pixel)]);
	for (int k = 0; k < static_cast<int>(d.y_blocks) * cfg.cols; k++) {
		const uint64_t bias = k < g.k ? static_cast<uint64_t>(c.bias[static_cast<size_t>(k)]) : 0;
		for (int i = 0; i < n_bias; i++)
			mch_accel_put(stream, param_element(cfg, g, k, i), bytes, static_cast<int64_t>(bias >> (8 * bytes * i) & 0xffff));
		mch_accel_put(stream, param_element(cfg, g, k, n_bias), bytes, (k < g.k ? c.shift[static_cast<size_t>(k)] : 0) - MCH_SHIFT_MIN);
	}
	walk_weights(cfg, g, [&](uint64_t e, size_t at) { mch_accel_put(stream, e, bytes, c.w[at]); });
	mch_descriptor_pack(&d, memory + static_cast<size_t>(image->list) * mch_accel_word_bytes(&cfg));
	return true;
}

std::vector<int32_t> outputs_of(const mch_accel_config &cfg, const mch_descriptor &d, const LayerCase &c, const uint8_t *memory)
{
	std::vector<int32_t> y;
	for (int k = 0; k < c.conv.k; k++)
		for (int pixel = 0; pixel < static_cast<int>(d.pixels); pixel++)
			y.push_back(mch_accel_get(memory, element(cfg, d.y_addr, d.y_step, k, pixel), mch_accel_elem_bytes(&cfg), c.y_signed));
	return y;
}

/* The file: all of the geometry in one word. */
enum { N_GEOMETRY = 16, N_FIELDS = 6 };

static bool header_of(const LayerCase &c, const mch_accel_config &cfg, mch_vec_header *h)
{
	const mch_format formats[N_FIELDS] = {{16, 0, true},	       {cfg.x_bits, 0, c.x_signed}, {cfg.w_bits, 0, true},
					      {cfg.acc_bits, 0, true}, {7, 0, true},		    {c.y_bits, 0, c.y_signed}};
	const size_t counts[N_FIELDS] = {N_GEOMETRY, c.x.size(), c.w.size(), c.bias.size(), c.shift.size(), c.n_out()};
	static const char *const names[N_FIELDS] = {"shape", "x", "w", "bias", "shift", "y"};
	*h = {};
	std::snprintf(h->op, sizeof(h->op), "layer");
	h->n_in = N_FIELDS - 1, h->n_fields = N_FIELDS, h->n_cases = 1;
	for (int i = 0; i < N_FIELDS; i++) {
		if (counts[i] * static_cast<size_t>(formats[i].bits) > MCH_VEC_WORD_BITS_MAX)
			return false;
		std::snprintf(h->field[i].name, sizeof(h->field[i].name), "%s", names[i]);
		h->field[i].format = formats[i], h->field[i].count = static_cast<int>(counts[i]);
	}
	return true;
}

/* The word `shape`, both ways. */
template <class F> static void each_shape(struct mch_conv &g, F f)
{
	int *const all[N_GEOMETRY - 1] = {&g.c,	       &g.h,	   &g.w,	&g.k,	     &g.r,	   &g.s,	  &g.stride_h, &g.stride_w,
					  &g.pad_top,  &g.pad_left, &g.pad_bottom, &g.pad_right, &g.dilation_h, &g.dilation_w, &g.groups};
	for (size_t i = 0; i < N_GEOMETRY - 1; i++)
		f(i, all[i]);
}

bool LayerCase::save(const std::string &path, const std::string &redo, const mch_accel_config &cfg, std::string *why) const
{
	mch_vec_header h;
	mch_err err = {};
	if (!header_of(*this, cfg, &h)) {
		*why = "is too large for a word of a vector file";
		return false;
	}
	struct mch_conv g = conv;
	std::vector<int64_t> shape(N_GEOMETRY), wide[N_FIELDS];
	each_shape(g, [&](size_t i, const int *v) { shape[i] = *v; });
	shape[N_GEOMETRY - 1] = relu;
	std::snprintf(h.comment, sizeof(h.comment), "one layer; shape: c h w k r s, stride, pad (top left bottom right), dilation, groups, relu");
	std::snprintf(h.redo, sizeof(h.redo), "%.250s", redo.c_str() + redo.rfind('/', redo.find(' ')) + 1);
	const std::vector<int32_t> y = want(cfg);
	wide[0] = shape, wide[1].assign(x.begin(), x.end()), wide[2].assign(w.begin(), w.end()), wide[3] = bias;
	wide[4].assign(shift.begin(), shift.end()), wide[5].assign(y.begin(), y.end());
	const int64_t *values[N_FIELDS];
	for (int i = 0; i < N_FIELDS; i++)
		values[i] = wide[i].data();
	std::FILE *const file = std::fopen(path.c_str(), "w");
	mch_vec_writer out;
	const bool ok = file && mch_vec_write_begin(&out, file, &h, &err) == 0 && mch_vec_write_case(&out, values, &err) == 0 &&
			mch_vec_write_end(&out, &err) == 0;
	if (!file || std::fclose(file) != 0 || !ok) {
		*why = file ? err.text : "cannot be written";
		return false;
	}
	return true;
}

bool LayerCase::load(const std::string &path, const mch_accel_config &cfg, std::string *why)
{
	mch_err err = {};
	mch_vec_reader in = {};
	std::FILE *const file = std::fopen(path.c_str(), "r");
	*why = "cannot be opened";
	if (!file)
		return false;
	bool ok = mch_vec_read_begin(&in, file, path.c_str(), &err) == 0;
	if (ok && (std::strcmp(in.header.op, "layer") != 0 || in.header.n_fields != N_FIELDS || in.header.n_cases != 1 ||
		   in.header.field[0].count != N_GEOMETRY)) {
		mch_err_set(&err, path.c_str(), "holds no layer; give a file that a bench saved");
		ok = false;
	}
	std::vector<int64_t> wide[N_FIELDS];
	int64_t *values[N_FIELDS];
	for (int i = 0; ok && i < N_FIELDS; i++) {
		wide[i].resize(static_cast<size_t>(in.header.field[i].count));
		values[i] = wide[i].data();
	}
	/* The closing line, too: it has the checksum. */
	ok = ok && mch_vec_read_case(&in, values, &err) == 1 && mch_vec_read_case(&in, values, &err) == 0;
	if (ok) {
		each_shape(conv, [&](size_t i, int *v) { *v = static_cast<int>(wide[0][i]); });
		conv.n = 1;
		relu = wide[0][N_GEOMETRY - 1] != 0;
		x.assign(wide[1].begin(), wide[1].end()), w.assign(wide[2].begin(), wide[2].end());
		bias = wide[3], shift.assign(wide[4].begin(), wide[4].end());
		x_signed = in.header.field[1].format.is_signed;
		y_bits = in.header.field[5].format.bits, y_signed = in.header.field[5].format.is_signed;
		mch_vec_header h;
		ok = conv.groups == 1 && conv.c > 0 && conv.h > 0 && conv.w > 0 && conv.k > 0 && conv.r > 0 && conv.s > 0 &&
		     x.size() == size(conv.c, conv.h, conv.w) && w.size() == size(conv.k, conv.c, conv.r, conv.s) && mch_conv_p(&conv) > 0 &&
		     mch_conv_q(&conv) > 0 && header_of(*this, cfg, &h) && std::memcmp(h.field, in.header.field, sizeof(h.field)) == 0;
		if (!ok)
			mch_err_set(&err, path.c_str(), "is no layer of this build; run it with the bench that saved it");
	}
	*why = err.text;
	mch_vec_read_free(&in);
	std::fclose(file);
	return ok;
}

} // namespace mch_tb
