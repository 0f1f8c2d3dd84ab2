/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Values replayed by other rules; see hint.h. */
#include "op/hint.h"

#include <stdio.h>

#include "op/hint_rules.h"

/* A code read in another way. Halves of an odd width: the upper one is the shorter. */
static int32_t read_code(int32_t code, int bits, bool is_signed, enum mch_hint_read how)
{
	const uint32_t mask = (UINT32_C(1) << bits) - 1, raw = (uint32_t)code & mask;
	const int half = bits / 2;
	switch (how) {
	case MCH_READ_SIGNED: return (int32_t)mch_wrap_code(code, bits, true);
	case MCH_READ_UNSIGNED: return (int32_t)mch_wrap_code(code, bits, false);
	case MCH_READ_HALVES: return (int32_t)mch_wrap_code((int64_t)((raw >> half | raw << (bits - half)) & mask), bits, is_signed);
	default: return code;
	}
}

int64_t mch_hint_sum(const struct mch_hint_unit *unit, const struct mch_hint_trial *t, const struct mch_hint_seen *seen,
		     bool *over)
{
	int64_t acc = seen->acc;
	if (seen->n_terms > 0 && t->acc.bits < unit->acc.bits)
		acc = mch_wrap(acc, t->acc.bits);
	*over = false;
	for (int i = t->lost_first; i < seen->n_terms - t->lost_last; i++) {
		const int32_t x = seen->x[i < t->x_late ? i : i - t->x_late], w = seen->w[i < t->w_late ? i : i - t->w_late];
		bool o;
		acc = mch_mac(t->acc, acc, read_code(x, unit->x_bits, unit->x_signed, t->x_read),
			      read_code(w, unit->w_bits, true, t->w_read), &o);
		*over |= o;
	}
	return acc;
}

int64_t mch_hint_value(const struct mch_hint_unit *unit, const struct mch_hint_trial *t, const struct mch_hint_seen *seen,
		       bool *flag)
{
	bool over, saturated;
	int64_t acc = mch_hint_sum(unit, t, seen, &over);
	*flag = over && !t->no_flag;
	if (!unit->requant)
		return acc;
	int64_t bias = t->no_bias ? 0 : t->minus_bias ? -seen->bias : seen->bias;
	if (t->unsigned_bits) {
		acc = mch_wrap_code(acc + bias, t->unsigned_bits, false);
		bias = 0;
	}
	if (t->early_relu && acc < 0) {
		acc = 0;
		bias = t->early_relu_all ? 0 : bias;
	}
	const int shift = (t->no_shift ? 0 : t->back_shift ? -seen->shift : seen->shift) + t->more_shift;
	const uint32_t noise = t->next_noise ? mch_lfsr_next((uint16_t)seen->noise) : seen->noise;
	struct mch_requant rule = t->requant;
	rule.wraps |= t->wraps;
	const int held = shift < MCH_SHIFT_MIN ? MCH_SHIFT_MIN : shift > MCH_SHIFT_MAX ? MCH_SHIFT_MAX : shift;
	const int32_t y = mch_requant_value(&rule, acc, bias, held, noise, &saturated);
	*flag = saturated && !t->no_flag;
	return y;
}

bool mch_hint_explains(const struct mch_hint_unit *unit, const struct mch_hint_trial *t, const struct mch_hint_seen *seen)
{
	bool flag;
	const int64_t y = mch_hint_value(unit, t, seen, &flag);
	if (unit->has_flag && flag != seen->flag)
		return false;
	if (!unit->requant)
		return mch_wrap(y, unit->acc.bits) == mch_wrap(seen->got, unit->acc.bits);
	const int bits = unit->requant->out_bits;
	return mch_wrap(y, bits) == mch_wrap(seen->got, bits);
}

int64_t mch_hint_want(const struct mch_hint_unit *unit, const struct mch_hint_seen *seen, bool *flag)
{
	const struct mch_hint_trial t = mch_hint_contract(unit);
	bool f;
	const int64_t want = mch_hint_value(unit, &t, seen, &f);
	if (flag)
		*flag = f;
	return want;
}

struct values {
	const struct mch_hint_unit *unit;
	const struct mch_hint_seen *seen;
	int n;
};

static bool all_explained(const void *context, const struct mch_hint_trial *t)
{
	const struct values *v = context;
	for (int i = 0; i < v->n; i++) {
		const int shift = (t->back_shift ? -v->seen[i].shift : v->seen[i].shift) + t->more_shift;
		if (shift < MCH_SHIFT_MIN || shift > MCH_SHIFT_MAX || !mch_hint_explains(v->unit, t, &v->seen[i]))
			return false;
	}
	return true;
}

const char *mch_hint(const struct mch_hint_unit *unit, const struct mch_hint_seen *seen, int n, char *text)
{
	const struct mch_hint_trial contract = mch_hint_contract(unit);
	const struct values v = {unit, seen, n};
	bool differs = false;
	for (int i = 0; i < n && !differs; i++) {
		bool flag;
		differs = mch_hint_want(unit, &seen[i], &flag) != seen[i].got || (unit->has_flag && flag != seen[i].flag);
	}
	if (!differs)
		return NULL;
	if (all_explained(&v, &contract)) {
		snprintf(text, MCH_HINT_BYTES, "the code agrees; the bits above it do not extend it: docs/datapath.md \"sat\"");
		return text;
	}
	return mch_hint_search(&contract, mch_hint_n_plain, all_explained, &v, text);
}
