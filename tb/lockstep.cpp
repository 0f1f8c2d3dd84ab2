/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Lock-step comparison; see lockstep.h. */
#include "tb/lockstep.h"

namespace mch_tb {

using mch_sim::need_register;
using mch_sim::Register;

/* One source for several vector widths, as in arch/mac_array.c. */
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define MCH_TB_CLONES __attribute__((optimize("O3"), target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MCH_TB_CLONES
#endif

/* Verilator keeps a register of b bits in the next larger word, the bits above b zero: so the twin's value is masked. A
 * nonzero result means that some element differs. */
template <class Rtl, class Twin>
inline __attribute__((always_inline)) uint64_t rows_differ(const void *const *rtl, const Twin *twin, int rows, int cols,
							   uint64_t mask)
{
	Rtl differ = 0;
	for (int i = 0; i < rows; i++, twin += cols) {
		const Rtl *row = static_cast<const Rtl *>(rtl[i]);
		for (int j = 0; j < cols; j++)
			differ |= static_cast<Rtl>((static_cast<Rtl>(twin[j]) & static_cast<Rtl>(mask)) ^ row[j]);
	}
	return differ;
}

#define MCH_TB_DIFFER(name, rtl_type, twin_type)                                                            \
	MCH_TB_CLONES static uint64_t name(const void *const *rtl, const twin_type *twin, int rows, int cols, \
					   uint64_t mask)                                                   \
	{                                                                                                   \
		return rows_differ<rtl_type>(rtl, twin, rows, cols, mask);                                  \
	}
MCH_TB_DIFFER(differ_sums_8, uint8_t, int64_t)
MCH_TB_DIFFER(differ_sums_16, uint16_t, int64_t)
MCH_TB_DIFFER(differ_sums_32, uint32_t, int64_t)
MCH_TB_DIFFER(differ_sums_64, uint64_t, int64_t)
MCH_TB_DIFFER(differ_products_8, uint8_t, int32_t)
MCH_TB_DIFFER(differ_products_16, uint16_t, int32_t)
MCH_TB_DIFFER(differ_products_32, uint32_t, int32_t)
#undef MCH_TB_DIFFER

static uint64_t mask_of(int bits)
{
	return bits >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << bits) - 1;
}

static int64_t read_element(const void *row, size_t elem_bytes, int col, int bits)
{
	uint64_t v = 0;
	std::memcpy(&v, static_cast<const uint8_t *>(row) + elem_bytes * static_cast<size_t>(col), elem_bytes);
	const uint64_t sign = UINT64_C(1) << (bits - 1);
	return static_cast<int64_t>((v ^ sign) - sign);
}

/* Registers of the requantizers, in the order of twin_lane(). */
static const char *const lane_names[] = {"bias_q", "shift_q", "sum_q", "shift1_q", "round_q", "y_q", "sat_q"};
enum { N_LANE_REGISTERS = 7 };
static const char *const control_names[] = {"v0_q",     "v1_q",    "done_q",  "n_out_q",
					    "first0_q", "last0_q", "first1_q", "last1_q"};
enum { N_CONTROL = 8 };

Lockstep::Lockstep(VerilatedContext *context, const mch_mac_array *array, const std::string &scope,
		   const mch_datapath *datapath, const std::string &lanes_scope)
	: a_(array), datapath_(datapath), scope_(scope)
{
	const mch_mac_array_config &c = array->cfg;
	const bool saturates = c.acc.overflow == MCH_SATURATE;
	for (const char *name : control_names)
		control_.push_back({scope + "." + name, need_register(context, scope.c_str(), name), 7});
	x_ = need_register(context, scope.c_str(), "x_q");
	w_ = need_register(context, scope.c_str(), "w_q");
	for (int i = 0; i < c.rows; i++) {
		const std::string row = scope + ".g_row[" + std::to_string(i) + "].u_mac";
		const Register product = need_register(context, row.c_str(), "product_q"), acc = need_register(context, row.c_str(), "acc_q");
		product_.push_back(product.data);
		acc_.push_back(acc.data);
		bank_.push_back(need_register(context, row.c_str(), "bank_q").data);
		product_bytes_ = product.elem_bytes;
		sum_bytes_ = acc.elem_bytes;
		if (saturates) {
			over_.push_back(need_register(context, (row + ".g_saturate").c_str(), "over_q").data);
			bank_over_.push_back(need_register(context, (row + ".g_saturate").c_str(), "bank_over_q").data);
		}
	}
	product_mask_ = mask_of(mch_mac_array_product_bits(&c));
	sum_mask_ = mask_of(c.acc.bits);
	const auto differ = [](size_t bytes) {
		return bytes == 8 ? differ_sums_64 : bytes == 4 ? differ_sums_32 : bytes == 2 ? differ_sums_16 : differ_sums_8;
	};
	differ_sums_ = differ(sum_bytes_);
	differ_wide_products_ = differ(product_bytes_);
	differ_products_ = product_bytes_ == 4	 ? differ_products_32
			   : product_bytes_ == 2 ? differ_products_16
						 : differ_products_8;
	packed_.assign(static_cast<size_t>(c.cols) * 2 + 16, 0);
	const uint64_t n = static_cast<uint64_t>(c.rows) * static_cast<uint64_t>(c.cols);
	n_values_ = N_CONTROL + static_cast<uint64_t>(c.rows * c.x_cols + c.cols) + (saturates ? 5 : 3) * n;
	for (int i = 0; datapath && i < N_LANE_REGISTERS; i++) {
		const int sum_bits = c.acc.bits + 1;
		const bool is_fixed = datapath->cfg.out_kind == MCH_FIXED;
		const int round_bits = is_fixed ? sum_bits + 15 : datapath->cfg.out_bits + 1;
		const int bits[] = {c.acc.bits, 6, sum_bits, 6, round_bits, datapath->cfg.out_bits, 1};
		LaneRegister lane = {lane_names[i], {}, 0, bits[i]};
		for (int j = 0; j < c.cols; j++) {
			const std::string col = lanes_scope + ".g_col[" + std::to_string(j) + "].u_requant";
			const Register r = need_register(context, col.c_str(), lane_names[i]);
			lane.rtl.push_back(r.data);
			lane.elem_bytes = r.elem_bytes;
		}
		lane_.push_back(lane);
		n_values_ += static_cast<uint64_t>(c.cols);
	}
	lanes_scope_ = lanes_scope;
	for (int i = 0; datapath && i < 3; i++) {
		const std::string name = "valid" + std::to_string(i + 1) + "_q";
		valid_[i] = need_register(context, (lanes_scope + ".g_col[0].u_requant").c_str(), name.c_str());
		n_values_++;
	}
}

uint64_t Lockstep::twin_control(int i) const
{
	const uint64_t value[] = {a_->v0,     a_->v1,	 a_->done,   static_cast<uint64_t>(a_->n_out),
				  a_->first0, a_->last0, a_->first1, a_->last1};
	return value[i];
}

uint64_t Lockstep::twin_lane(const mch_datapath_lane &lane, int i)
{
	switch (i) {
	case 0: return static_cast<uint64_t>(lane.bias);
	case 1: return static_cast<uint64_t>(lane.shift - MCH_SHIFT_MIN);
	case 2: return static_cast<uint64_t>(lane.sum);
	case 3: return static_cast<uint64_t>(lane.shift1 - MCH_SHIFT_MIN);
	case 4: return static_cast<uint64_t>(lane.round);
	case 5: return static_cast<uint64_t>(static_cast<int64_t>(lane.y));
	default: return lane.sat;
	}
}

static bool flags_differ(const std::vector<const void *> &rtl, const bool *twin, int cols)
{
	for (const void *row : rtl) {
		uint64_t flags = 0;
		for (int j = 0; j < cols; j++)
			flags |= static_cast<uint64_t>(*twin++) << j;
		if (std::memcmp(row, &flags, static_cast<size_t>(cols + 7) / 8) != 0)
			return true;
	}
	return false;
}

bool Lockstep::array_differs() const
{
	const mch_mac_array_config &c = a_->cfg;
	bool control = false;
	for (int i = 0; i < N_CONTROL; i++)
		control |= *static_cast<const uint8_t *>(control_[static_cast<size_t>(i)].rtl.data) != twin_control(i);
	const void *x_rows[] = {x_.data};
	const uint64_t x_mask = mask_of(c.x_bits + 1);
	const uint64_t x = x_.elem_bytes == 4	? rows_differ<uint32_t>(x_rows, a_->x, 1, c.rows * c.x_cols, x_mask)
			   : x_.elem_bytes == 2 ? rows_differ<uint16_t>(x_rows, a_->x, 1, c.rows * c.x_cols, x_mask)
						: rows_differ<uint8_t>(x_rows, a_->x, 1, c.rows * c.x_cols, x_mask);
	mch_sim::pack(packed_.data(), a_->w, c.cols, c.w_bits);
	const bool w = std::memcmp(packed_.data(), w_.data, static_cast<size_t>(c.cols * c.w_bits + 7) / 8) != 0;
	const uint64_t product = c.mult == MCH_MULT_MINIFLOAT
					 ? differ_wide_products_(product_.data(), a_->product_wide, c.rows, c.cols, product_mask_)
					 : differ_products_(product_.data(), a_->product, c.rows, c.cols, product_mask_);
	if (control || x || w || product ||
	    differ_sums_(acc_.data(), a_->acc, c.rows, c.cols, sum_mask_) ||
	    differ_sums_(bank_.data(), a_->bank, c.rows, c.cols, sum_mask_))
		return true;
	return c.acc.overflow == MCH_SATURATE &&
	       (flags_differ(over_, a_->over, c.cols) || flags_differ(bank_over_, a_->bank_over, c.cols));
}

/* One register of all columns; `twin` picks the value out of a lane. */
template <class Rtl, class Twin>
static uint64_t columns_differ(const std::vector<const void *> &rtl, const mch_datapath_lane *lane, uint64_t mask, Twin twin)
{
	Rtl differ = 0;
	for (size_t j = 0; j < rtl.size(); j++)
		differ |= static_cast<Rtl>((static_cast<Rtl>(twin(lane[j])) & static_cast<Rtl>(mask)) ^
					   *static_cast<const Rtl *>(rtl[j]));
	return differ;
}

template <class Twin>
static uint64_t columns_differ_any(const std::vector<const void *> &rtl, size_t elem_bytes, const mch_datapath_lane *lane,
				   uint64_t mask, Twin twin)
{
	switch (elem_bytes) {
	case 1: return columns_differ<uint8_t>(rtl, lane, mask, twin);
	case 2: return columns_differ<uint16_t>(rtl, lane, mask, twin);
	case 4: return columns_differ<uint32_t>(rtl, lane, mask, twin);
	default: return columns_differ<uint64_t>(rtl, lane, mask, twin);
	}
}

bool Lockstep::lanes_differ() const
{
	const uint8_t valid = static_cast<uint8_t>(datapath_->valid1 | datapath_->valid2 << 1 | datapath_->valid3 << 2);
	uint8_t rtl_valid = 0;
	for (int i = 0; i < 3; i++)
		rtl_valid = static_cast<uint8_t>(rtl_valid | *static_cast<const uint8_t *>(valid_[i].data) << i);
	uint64_t differ = valid ^ rtl_valid;
	const auto check = [&](int i, auto twin) {
		const LaneRegister &r = lane_[static_cast<size_t>(i)];
		differ |= columns_differ_any(r.rtl, r.elem_bytes, datapath_->lane, mask_of(r.bits), twin);
	};
	check(0, [](const mch_datapath_lane &l) { return l.bias; });
	check(1, [](const mch_datapath_lane &l) { return l.shift - MCH_SHIFT_MIN; });
	check(2, [](const mch_datapath_lane &l) { return l.sum; });
	check(3, [](const mch_datapath_lane &l) { return l.shift1 - MCH_SHIFT_MIN; });
	check(4, [](const mch_datapath_lane &l) { return l.round; });
	check(5, [](const mch_datapath_lane &l) { return l.y; });
	check(6, [](const mch_datapath_lane &l) { return l.sat; });
	return differ != 0;
}

bool Lockstep::rows_first(const char *name, const std::vector<const void *> &rtl, size_t elem_bytes, int bits,
			  int64_t (*twin)(const mch_mac_array *, size_t), Difference *d) const
{
	const int cols = a_->cfg.cols;
	for (int i = 0; i < a_->cfg.rows; i++)
		for (int j = 0; j < cols; j++) {
			const int64_t got = read_element(rtl[static_cast<size_t>(i)], elem_bytes, j, bits);
			const int64_t want = twin(a_, static_cast<size_t>(i * cols + j));
			if (got != want) {
				*d = {scope_ + ".g_row[" + std::to_string(i) + "].u_mac." + name + "[" +
					      std::to_string(j) + "]",
				      i, j, want, got, bits, true};
				return true;
			}
		}
	return false;
}

bool Lockstep::flags_first(const char *name, const std::vector<const void *> &rtl, const bool *twin, Difference *d) const
{
	for (size_t i = 0; i < rtl.size(); i++)
		for (int j = 0; j < a_->cfg.cols; j++, twin++) {
			const bool got = mch_sim::unpack(rtl[i], j, 1) != 0;
			if (got != *twin) {
				*d = {scope_ + ".g_row[" + std::to_string(i) + "].u_mac.g_saturate." + name + "[" +
					      std::to_string(j) + "]",
				      static_cast<int>(i), j, *twin, got, 1, false};
				return true;
			}
		}
	return false;
}

Difference Lockstep::first() const
{
	const mch_mac_array_config &c = a_->cfg;
	Difference d;
	for (int i = 0; i < N_CONTROL; i++) {
		const uint64_t got = control_[static_cast<size_t>(i)].rtl.value();
		if (got != twin_control(i))
			return {control_[static_cast<size_t>(i)].name, -1, -1, static_cast<int64_t>(twin_control(i)),
				static_cast<int64_t>(got), 7, false};
	}
	for (int i = 0; i < c.rows * c.x_cols; i++) {
		const int64_t got = read_element(x_.data, x_.elem_bytes, i, c.x_bits + 1);
		if (got != mch_wrap(a_->x[i], c.x_bits + 1)) /* of minifloats the highest bit is no sign */
			return {scope_ + ".x_q[" + std::to_string(i) + "]", i / c.x_cols, -1, a_->x[i], got, c.x_bits + 1, true};
	}
	for (int j = 0; j < c.cols; j++) {
		const uint64_t got = mch_sim::unpack(w_.data, j, c.w_bits);
		if (got != (static_cast<uint64_t>(static_cast<int64_t>(a_->w[j])) & mask_of(c.w_bits)))
			return {scope_ + ".w_q[" + std::to_string(j) + "]", -1, j, a_->w[j],
				mch_wrap(static_cast<int64_t>(got), c.w_bits), c.w_bits, true};
	}
	if (rows_first("product_q", product_, product_bytes_, mch_mac_array_product_bits(&c),
		       [](const mch_mac_array *a, size_t i) {
			       return a->cfg.mult == MCH_MULT_MINIFLOAT ? a->product_wide[i] : int64_t{a->product[i]};
		       }, &d) ||
	    rows_first("acc_q", acc_, sum_bytes_, c.acc.bits,
		       [](const mch_mac_array *a, size_t i) { return a->acc[i]; }, &d) ||
	    rows_first("bank_q", bank_, sum_bytes_, c.acc.bits,
		       [](const mch_mac_array *a, size_t i) { return a->bank[i]; }, &d))
		return d;
	for (int i = 0; i < static_cast<int>(lane_.size()); i++)
		for (int j = 0; j < c.cols; j++) {
			const LaneRegister &r = lane_[static_cast<size_t>(i)];
			const bool is_signed = i == 0 || i == 2 || i == 4 || (i == 5 && datapath_->layer.y_signed);
			const uint64_t want = twin_lane(datapath_->lane[j], i) & mask_of(r.bits);
			const int64_t got = read_element(r.rtl[static_cast<size_t>(j)], r.elem_bytes, 0, 64);
			if (static_cast<uint64_t>(got) == want)
				continue;
			/* The report's formats end at 49 bits; a longer register shows its low bits. */
			const int bits = r.bits < 49 ? r.bits : 49;
			const auto shown = [&](uint64_t v) {
				return is_signed ? mch_wrap(static_cast<int64_t>(v), bits)
						 : static_cast<int64_t>(v & mask_of(bits));
			};
			return {lanes_scope_ + ".g_col[" + std::to_string(j) + "].u_requant." + r.name, -1, j,
				shown(want), shown(static_cast<uint64_t>(got)), bits, is_signed};
		}
	const bool valid[] = {datapath_ && datapath_->valid1, datapath_ && datapath_->valid2, datapath_ && datapath_->valid3};
	for (int i = 0; datapath_ && i < 3; i++)
		if ((valid_[i].value() != 0) != valid[i])
			return {lanes_scope_ + ".g_col[0].u_requant.valid" + std::to_string(i + 1) + "_q", -1, 0, valid[i],
				!valid[i], 1, false};
	flags_first("over_q", over_, a_->over, &d) || flags_first("bank_over_q", bank_over_, a_->bank_over, &d);
	return d;
}

} // namespace mch_tb
