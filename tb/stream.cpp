/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The lock-step stream; see stream.h. */
#include "tb/stream.h"

namespace mch_tb {

using mch_sim::pack;
using mch_sim::unpack;

Stream::Stream(const mch_datapath_config &cfg, const StreamOptions &options)
	: cfg_(cfg), options_(options), dut_(options.waves), twin_(), rng_(mch_rng_seed(options.seed)),
	  sum_rng_(mch_rng_seed(~options.seed)), in_(), gemm_()
{
	mch_err err;
	if (mch_datapath_init(&twin_, &cfg, &err) != 0) {
		std::fprintf(stderr, "macchiato: %s\n", err.text);
		std::exit(2);
	}
	bias_.resize(static_cast<size_t>(cfg.array.cols));
	shift_.resize(bias_.size());
	noise_.resize(bias_.size());
	sum_.resize(bias_.size());
	in_.sum = sum_.data();
	dut_.reset();
	if (options.lockstep)
		check_.reset(new Lockstep(dut_->contextp(), &twin_.array, scope() + ".u_array", &twin_, scope()));
}

/* Where the datapath is: on top, or inside the wrapper. */
std::string Stream::scope()
{
	const std::string wrapped = "TOP.mch_exported.u_datapath";
	/* Only a scope with visible registers can be found: the datapath itself has none. */
	return dut_->contextp()->scopeFind((wrapped + ".u_array").c_str()) ? wrapped : "TOP.mch_datapath";
}

template <class Model>
static auto hash_word(Model *model, int i, int) -> decltype(static_cast<uint32_t>(model->config_hash_o[i]))
{
	return model->config_hash_o[i];
}
template <class Model>
static uint32_t hash_word(Model *, int, long)
{
	return 0;
}

uint32_t Stream::config_hash_word(int i)
{
	return hash_word(dut_.operator->(), i, 0);
}

Stream::~Stream()
{
	mch_datapath_free(&twin_);
}

/* The pins that the bare datapath has alone; the wrapper ties them off. */
template <class Model>
static auto put_sums(Model *model, const mch_datapath_in &in, const mch_datapath_config &cfg, int)
	-> decltype(static_cast<void>(model->sum_valid_i))
{
	model->sum_valid_i = in.sum_valid;
	if (in.sum_valid)
		pack(&model->sum_i, in.sum, cfg.array.cols, cfg.array.acc.bits);
}
template <class Model>
static void put_sums(Model *, const mch_datapath_in &, const mch_datapath_config &, long)
{
}
template <class Model>
static auto sum_ready(Model *model, bool, int) -> decltype(static_cast<bool>(model->sum_ready_o))
{
	model->eval(); /* it is a function of out_ready_i */
	return model->sum_ready_o;
}
template <class Model>
static bool sum_ready(Model *, bool want, long)
{
	return want;
}
template <class Model>
static auto idle(Model *model, bool, int) -> decltype(static_cast<bool>(model->idle_o))
{
	return model->idle_o;
}
template <class Model>
static bool idle(Model *, bool want, long)
{
	return want;
}

/* A row of sums on the pins, in some cycles; it stands until it is taken. */
void Stream::offer_sums()
{
	if (!in_.sum_valid && mch_sim::chance(&sum_rng_, options_.sum_percent)) {
		in_.sum_valid = true;
		for (int64_t &v : sum_)
			v = mch_sim::corner(&sum_rng_, cfg_.array.acc.bits, true);
	}
	put_sums(dut_.operator->(), in_, cfg_, 0);
}

/* The row that enters the requantizers at this edge; what is loaded at the same edge is not for it. */
void Stream::enter_row()
{
	if (mch_datapath_out_valid(&twin_) && !in_.out_ready)
		return;
	if (mch_mac_array_out_valid(&twin_.array)) {
		rows_.push_back({});
	} else if (in_.sum_valid) {
		std::vector<int32_t> want(sum_.size());
		bool saturated;
		for (size_t j = 0; j < want.size(); j++)
			want[j] = step_->requant.number == MCH_FIXED
					  ? mch_requant_value(&step_->requant, sum_[j], twin_.lane[j].bias, twin_.lane[j].shift,
							      twin_.lane[j].noise, &saturated)
					  : mch_wide_code(&step_->requant, sum_[j] + twin_.lane[j].bias, twin_.lane[j].shift,
							  twin_.lane[j].noise, nullptr);
		rows_.push_back(want);
		in_.sum_valid = false;
	}
}

/* Column j of y_o. */
int32_t Stream::code_on_pins(int j)
{
	const uint64_t code = unpack(&dut_->y_o, j, cfg_.out_bits);
	const mch_format y = step_->out_format;
	if (y.number != MCH_FIXED)
		return mch_minifloat_code(y, static_cast<uint32_t>(code));
	return static_cast<int32_t>(y.is_signed ? mch_wrap(static_cast<int64_t>(code), cfg_.out_bits) : static_cast<int64_t>(code));
}

bool Stream::take_sums(const std::vector<int32_t> &want)
{
	const mch_format y = step_->out_format;
	for (int j = 0; j < cfg_.array.cols; j++) {
		const int64_t got = code_on_pins(j);
		if (got != want[static_cast<size_t>(j)]) {
			difference_ = {"y_o[" + std::to_string(j) + "] of a row of sums", -1, j, want[static_cast<size_t>(j)],
				       got, cfg_.out_bits, y.is_signed};
			return false;
		}
	}
	return true;
}

/* The row on the output pins, dropped when it lies beyond the layer. False: it was one of sums, and differs; or nothing is
 * on its way that could have become it. */
bool Stream::take_row()
{
	if (options_.sum_percent ? rows_.empty() : tile_out_ >= gemm_.n_tiles)
		return pin_agrees("out_valid_o", -1, false, true);
	if (options_.sum_percent) {
		const std::vector<int32_t> sums = rows_.front();
		rows_.pop_front();
		if (!sums.empty())
			return take_sums(sums);
	}
	const mch_tile tile = mch_gemm_tile(&gemm_, tile_out_);
	for (int j = 0; row_out_ < tile.n_pixels && j < tile.n_channels; j++) {
		y_[mch_gemm_out_index(&gemm_, tile, row_out_, j)] = code_on_pins(j);
		saturated_ += unpack(&dut_->sat_o, j, 1);
	}
	if (++row_out_ == cfg_.array.rows) {
		row_out_ = 0;
		tile_out_++;
	}
	return true;
}

/* Before the twin's step: which beat each stage is about to hold. */
void Stream::track()
{
	const mch_mac_array &a = twin_.array;
	if (!mch_mac_array_in_ready(&a))
		return;
	if (a.done)
		bank_tile_ = beat_[2].tile;
	if (a.v1)
		beat_[2] = beat_[1];
	if (a.v0)
		beat_[1] = beat_[0];
	if (in_.array.valid)
		beat_[0] = {tile_in_, term_};
}

bool Stream::pin_agrees(const char *name, int column, bool want, bool got)
{
	if (want != got)
		difference_ = {name, -1, column, want, got, 1, false};
	return want == got;
}

/* One rising edge with in_ on the pins; true while nothing differs. */
bool Stream::tick()
{
	const bool out_valid = dut_->out_valid_o;
	in_.out_ready = !mch_sim::chance(&rng_, options_.stall_percent);
	dut_->out_ready_i = in_.out_ready;
	dut_->in_valid_i = in_.array.valid;
	dut_->load_i = in_.load;
	dut_->in_first_i = in_.array.first;
	dut_->in_last_i = in_.array.last;
	if (in_.array.valid) {
		pack(&dut_->x_i, in_.array.x, cfg_.array.rows, cfg_.array.x_bits);
		pack(&dut_->w_i, in_.array.w, cfg_.array.cols, cfg_.array.w_bits);
	}
	if (options_.sum_percent)
		offer_sums();
	if (out_valid && in_.out_ready && !take_row())
		return false;
	if (!check_) {
		dut_.edge();
		return ++cycles_ < most_cycles_;
	}
	const bool want_ready = mch_datapath_sum_ready(&twin_, in_.out_ready);
	const bool ready = options_.sum_percent ? sum_ready(dut_.operator->(), want_ready, 0) : want_ready;
	dut_.edge();
	cycles_++;
	track();
	mch_datapath_in in = in_;
	if (options_.sum_percent)
		enter_row();
	covered_.sample({twin_, in});
	mch_datapath_step(&twin_, &in);
	const bool want_idle = mch_datapath_idle(&twin_);
	if (!pin_agrees("sum_ready_o", -1, want_ready, ready) ||
	    !pin_agrees("idle_o", -1, want_idle, idle(dut_.operator->(), want_idle, 0)))
		return false;
	compared_ += check_->n_values() + 4;
	if (dut_->in_ready_o != mch_datapath_in_ready(&twin_) || dut_->out_valid_o != mch_datapath_out_valid(&twin_) ||
	    check_->differs()) {
		difference_ = check_->first();
		return false;
	}
	for (int j = 0; twin_.valid3 && j < cfg_.array.cols; j++)
		if (!pin_agrees("sat_o", j, twin_.lane[j].sat, unpack(&dut_->sat_o, j, 1)))
			return false;
	return true;
}

/* Empties the pipeline: the layer's pins and the columns' parameters may then change. */
bool Stream::drain()
{
	in_.array.valid = false;
	while (tile_out_ < tile_in_ || !rows_.empty() || in_.sum_valid)
		if (!tick())
			return false;
	return true;
}

bool Stream::load(const mch_step &step, const mch_tile &tile)
{
	for (int j = 0; j < cfg_.array.cols; j++) {
		const bool used = j < tile.n_channels;
		bias_[static_cast<size_t>(j)] = used ? step.bias[tile.channel0 + j] : 0;
		shift_[static_cast<size_t>(j)] = used ? step.shift[tile.channel0 + j] : 0;
		noise_[static_cast<size_t>(j)] = mch_lfsr_seed(step.requant.seed, tile.channel0 + j);
	}
	in_.array.valid = false;
	in_.load = true;
	in_.bias = bias_.data();
	in_.shift = shift_.data();
	in_.noise = noise_.data();
	std::vector<int> codes;
	for (const int8_t shift : shift_)
		codes.push_back(shift - MCH_SHIFT_MIN);
	pack(&dut_->bias_i, bias_.data(), cfg_.array.cols, cfg_.array.acc.bits);
	pack(&dut_->shift_i, codes.data(), cfg_.array.cols, 6);
	pack(&dut_->noise_i, noise_.data(), cfg_.array.cols, 16);
	const bool same = tick();
	in_.load = false;
	return same;
}

bool Stream::run(const mch_step &step, int n, const int32_t *x, int32_t *y)
{
	struct mch_conv conv = step.conv;
	conv.n = n;
	gemm_ = mch_gemm_plan(&conv, cfg_.array.rows, cfg_.array.cols);
	const size_t terms = mch_conv_terms(&conv);
	const size_t rows = static_cast<size_t>(cfg_.array.rows), cols = static_cast<size_t>(cfg_.array.cols);
	step_ = &step, x_ = x, y_ = y;
	tile_in_ = tile_out_ = 0;
	term_ = 0;
	row_out_ = 0;
	layer_start_ = cycles_;
	x_beats_.resize(terms * rows);
	w_beats_.resize(terms * cols);
	dut_->x_signed_i = in_.array.x_signed = step.in_format.is_signed;
	dut_->relu_i = step.requant.relu;
	dut_->y_signed_i = step.requant.out_signed;
	dut_->y_bits_i = static_cast<uint8_t>(step.requant.out_bits);
	twin_.layer.relu = step.requant.relu;
	twin_.layer.y_signed = step.requant.out_signed;
	twin_.layer.y_bits = step.requant.out_bits;
	loaded_channel_ = -1;
	for (uint64_t t = 0; t < gemm_.n_tiles; t++) {
		const mch_tile tile = mch_gemm_tile(&gemm_, t);
		if (tile.channel0 != loaded_channel_) {
			if (!drain() || !load(step, tile))
				return false;
			loaded_channel_ = tile.channel0;
		}
		mch_gemm_operands(&gemm_, t, x, step.weights, x_beats_.data(), w_beats_.data());
		if (cfg_.array.mult == MCH_MULT_MINIFLOAT) {
			for (int32_t &v : x_beats_)
				v = static_cast<int32_t>(mch_minifloat_memory(step.in_format, v));
			for (int32_t &v : w_beats_)
				v = static_cast<int32_t>(mch_minifloat_memory(step.weight_format, v));
		}
		for (term_ = 0; term_ < terms;) {
			const bool taken = dut_->in_ready_o;
			in_.array.valid = !mch_sim::chance(&rng_, options_.stall_percent);
			in_.array.first = term_ == 0;
			in_.array.last = term_ + 1 == terms;
			in_.array.x = &x_beats_[term_ * rows];
			in_.array.w = &w_beats_[term_ * cols];
			if (!tick())
				return false;
			if (taken && in_.array.valid) {
				term_++;
				macs_ += rows * cols;
			}
		}
		tile_in_ = t + 1;
	}
	return drain();
}

std::string Stream::hint(const int32_t *y)
{
	const bool is_plain = cfg_.array.mult == MCH_MULT_INTEGER && step_->requant.number == MCH_FIXED;
	std::vector<int32_t> room(2 * mch_conv_terms(&gemm_.conv));
	char text[MCH_HINT_BYTES];
	if (!is_plain)
		return "";
	const mch_hint_unit unit = {step_->acc, cfg_.array.x_bits, cfg_.array.w_bits, step_->in_format.is_signed, false, &step_->requant};
	const mch_hint_conv c = {gemm_.conv, unit, cfg_.array.rows, cfg_.array.cols, false, x_, step_->weights, y, room.data()};
	const char *const found = mch_conv_hint(&c, text);
	return found ? found : "";
}

std::string Stream::hint()
{
	if (!step_)
		return "";
	const struct mch_conv &g = gemm_.conv;
	std::vector<int32_t> y(static_cast<size_t>(g.n) * static_cast<size_t>(g.k * mch_conv_p(&g) * mch_conv_q(&g)));
	const mch_step *const step = step_;
	dut_.mute();
	check_.reset();
	options_.sum_percent = 0;
	in_.sum_valid = false;
	put_sums(dut_.operator->(), in_, cfg_, 0);
	rows_.clear();
	most_cycles_ = cycles_ + 16 * gemm_.n_cycles + 4096; /* far more than the stalls make; what stands still explains nothing */
	dut_.reset();
	return run(*step, g.n, x_, y.data()) ? hint(y.data()) : "";
}

std::string Stream::position() const
{
	if (!step_)
		return "";
	const auto is = [this](const char *part) { return difference_.name.find(part) != std::string::npos; };
	const int rows = cfg_.array.rows;
	int row = difference_.row > 0 ? difference_.row : 0;
	const int col = difference_.col > 0 ? difference_.col : 0;
	Beat at = beat_[is("product_q") ? 1 : is("acc_q") || is(".over_q") ? 2 : 0];
	std::string term = "  term " + std::to_string(at.term) + " of " + std::to_string(mch_conv_terms(&gemm_.conv));
	if (is("bank")) {
		at.tile = bank_tile_;
		row += rows - twin_.array.n_out;
		term = "";
	} else if (is("u_requant")) {
		/* The rows in the requantizers follow the one on the pins. */
		at.tile = tile_out_;
		const int older = (is("y_q") || is("sat_q") ? 0 : twin_.valid3) + (is("sum_q") ? twin_.valid2 : 0);
		row = row_out_ + older;
		for (int i = 0; i < older && i < static_cast<int>(rows_.size()); i++)
			row -= !rows_[static_cast<size_t>(i)].empty();
		at.tile += static_cast<uint64_t>(row / rows);
		row %= rows;
		term = "";
	}
	const mch_tile tile = mch_gemm_tile(&gemm_, at.tile < gemm_.n_tiles ? at.tile : gemm_.n_tiles - 1);
	const int q_size = mch_conv_q(&gemm_.conv), p_size = mch_conv_p(&gemm_.conv), m = tile.pixel0 + row;
	char text[256];
	std::snprintf(text, sizeof(text), "layer %s  n=%d k=%d p=%d q=%d%s  tile %llu  cycle %llu  ", step_->layer->name,
		      m / (p_size * q_size), tile.channel0 + col, m / q_size % p_size, m % q_size, term.c_str(),
		      static_cast<unsigned long long>(at.tile), static_cast<unsigned long long>(dut_.cycles()));
	const bool is_beyond = row >= tile.n_pixels || col >= tile.n_channels;
	return text + difference_.name + (is_beyond ? "  (beyond the layer's edge: fed zeros, its result is dropped)" : "");
}

} // namespace mch_tb
