/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The C side of macchiato_pkg under hostile arguments, without a simulator: each call gives 0, or -1 with one message, and touches
 * nothing beyond its arrays (a build with sanitizers sees that). What the functions compute: tb/dpi_test.sv. */
#include "dpi/macchiato_dpi.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"

/* An open array as this program has it, with the two functions of a simulator that the library calls. */
struct array {
	void *data;
	int n;
};
void *svGetArrayPtr(void *array);
int svSize(void *array, int dimension);

void *svGetArrayPtr(void *array)
{
	return ((struct array *)array)->data;
}

int svSize(void *array, int dimension)
{
	ck_assert_int_eq(dimension, 1);
	return ((struct array *)array)->n;
}

enum { ELEMS_MAX = 40, N_FUNCTIONS = 27 };
static struct mch_rng rng;

static int below(int n)
{
	return (int)mch_rng_below(&rng, (uint32_t)n);
}

/* Mostly small, so that calls succeed, too. */
static int number(void)
{
	static const int corner[] = {INT_MIN, -65536, -32769, -16, -1, 5, 16, 17, 47, 48, 49, 50, 64, 65, 32768, 65536, 1 << 24,
				     (1 << 24) + 1, INT_MAX};
	return below(12) == 0 ? corner[below(sizeof(corner) / sizeof(corner[0]))] : below(3);
}

static long long wide(void)
{
	const long long v = (long long)(mch_rng_next(&rng) >> below(64));
	return below(2) ? v : below(100) == 0 ? LLONG_MIN : -(v / 2);
}

/* n ints as a packed struct, of an allocation of its own; mostly a legal geometry. */
static uint32_t *packed(int n)
{
	uint32_t *words = malloc((size_t)n * sizeof(*words));
	for (int i = 0; i < n; i++)
		words[i] = (uint32_t)(below(12) == 0 ? number() : 1 + below(2));
	return words;
}

/* mch_out_s, mostly a legal one. */
static uint32_t *packed_out(void)
{
	static const int high[] = {3, 5, 2, 5, 2, 2, 12}; /* out_exp .. out_bits */
	uint32_t *words = packed(7);
	for (int i = 0; i < 7; i++)
		if (below(20) != 0)
			words[i] = (uint32_t)below(high[i]);
	return words;
}

/* Elements of `size` bytes; now and then there are none, or one is out of range. */
static struct array *array(size_t size)
{
	struct array *a = malloc(sizeof(*a));
	a->n = below(20) == 0 ? 0 : 1 + below(ELEMS_MAX);
	a->data = malloc((size_t)(a->n + 1) * size);
	for (int i = 0; i < a->n; i++) {
		const long long v = below(200) == 0 ? wide() : below(64) - 32;
		const int narrow = (int)v;
		memcpy((char *)a->data + (size_t)i * size, size == sizeof(v) ? (const void *)&v : &narrow, size);
	}
	return a;
}

static void release(struct array *a)
{
	free(a->data);
	free(a);
}

struct arguments {
	uint32_t *of, *in, *out;
	struct array *i1, *i2, *l1, *l2;
	unsigned char flag, bit;
	long long y;
	int code;
};

static int call_number(int function, struct arguments *a)
{
	switch (function) {
	case 0:
		return mch_dpi_sat(wide(), number(), a->flag, &a->y, &a->bit);
	case 1:
		return mch_dpi_wrap(wide(), number(), a->flag, &a->y);
	case 2:
		return mch_dpi_round_shift(wide(), number(), number(), number(), &a->y);
	case 3:
		return mch_dpi_encode(a->out, wide(), number(), number(), &a->code, &a->bit);
	case 4:
		return mch_dpi_lfsr_seed(number(), number(), &a->code);
	case 5:
		return mch_dpi_lfsr_next(number(), &a->code);
	case 6:
		return mch_dpi_mac(a->in, number(), number(), number(), &a->y, &a->bit);
	case 7:
		return mch_dpi_dot(a->in, number(), a->i1, a->i2, &a->y, &a->bit);
	case 8:
		return mch_dpi_requant(a->out, wide(), wide(), number(), number(), &a->code, &a->bit);
	default:
		mch_dpi_requant_hint(a->out, wide(), wide(), number(), number(), number(), a->flag);
		return mch_dpi_report_in("x", wide(), number(), a->flag);
	}
}

static int call_operator(int function, struct arguments *a)
{
	switch (function) {
	case 10:
		return mch_dpi_requant_tensor(a->out, number(), number(), number(), a->l1, a->i1, a->l2, a->i2, &a->y);
	case 11:
		return mch_dpi_conv(a->of, a->in, a->i1, a->i2, a->l1, &a->y);
	case 12:
		return mch_dpi_conv_pixel(a->of, a->in, a->i1, a->i2, number(), number(), number(), number(), &a->y, &a->bit);
	case 13:
		return mch_dpi_dense(a->in, a->i1, a->i2, a->l1, &a->y);
	case 14:
		return mch_dpi_pool_max(a->of, a->i1, a->i2);
	case 15:
		return mch_dpi_pool_avg(a->of, a->out, number(), a->i1, a->i2);
	case 16:
		return mch_dpi_eltwise(number(), number(), number(), a->flag, a->i1, a->i2, a->l1);
	case 17:
		mch_dpi_report_about("a", "b", "", "", wide(), wide());
		return mch_dpi_report_out("a name that is longer than those that a report has room for", wide(), wide(), number(), a->flag);
	default:
		return mch_dpi_report_in(NULL, wide(), number(), a->flag);
	}
}

/* Objects that may be none, or of the other kind, and the rest; vectors as wide as those of the package. */
static int call_twin(int function, void *twin, struct arguments *a)
{
	static uint32_t vector[96], other[96], flags[2];
	unsigned char pin[4];
	for (int i = 0; i < 96; i++)
		vector[i] = (uint32_t)mch_rng_next(&rng);
	switch (function) {
	case 19:
		return mch_dpi_array_step(twin, a->flag, a->flag, a->bit, a->bit, a->flag, vector, vector + 32);
	case 20:
		return mch_dpi_array_pins(twin, &pin[0], &pin[1], &pin[2], other, flags);
	case 21:
		if (mch_dpi_datapath_pins(twin, a->flag, &pin[0], &pin[1], &pin[2], &pin[3], other, flags) != 0)
			return -1;
		return mch_dpi_datapath_load(twin, vector, vector, vector);
	case 22:
		if (mch_dpi_datapath_sum(twin, vector) != 0)
			return -1;
		return mch_dpi_datapath_step(twin, a->flag, a->flag, a->bit, a->flag, vector, vector + 32);
	case 23:
		return mch_dpi_integer(number(), a->flag, number(), number(), number(), &a->y);
	case 24:
		return mch_dpi_acc_add(a->in, number(), wide(), &a->y, &a->bit);
	case 25:
		return mch_dpi_array_check(twin, a->flag, a->bit, a->flag, vector, vector, &pin[0]);
	default:
		return mch_dpi_datapath_check(twin, a->flag, a->bit, a->flag, a->bit, a->flag, vector, vector, &pin[0]);
	}
}

/* One line, with advice. */
static void check_message(void)
{
	const char *text = mch_dpi_error(), *colon = strstr(text, ": ");
	ck_assert_msg(colon && strstr(colon, "; ") && !strchr(text, '\n'), "message: %s", text);
}

static void *twins[4]; /* array, datapath, none, none any more */

START_TEST(hostile_arguments)
{
	int n_taken[N_FUNCTIONS] = {0}, n_refused[N_FUNCTIONS] = {0};
	rng = mch_rng_seed(1);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout)); /* reports, of this process alone */
	for (int i = 0; i < 200000; i++) {
		struct arguments a = {packed(16), packed(2), packed_out(), array(sizeof(int)), array(sizeof(int)), array(sizeof(long long)),
				      array(sizeof(long long)), (unsigned char)below(2), (unsigned char)below(2), 0, 0};
		const int f = i % N_FUNCTIONS;
		const int status = f < 10 ? call_number(f, &a) : f < 19 ? call_operator(f, &a) : call_twin(f, twins[below(4)], &a);
		ck_assert(status == 0 || status == -1);
		if (status != 0)
			check_message();
		*(status == 0 ? &n_taken[f] : &n_refused[f]) += 1;
		free(a.of);
		free(a.in);
		free(a.out);
		release(a.i1);
		release(a.i2);
		release(a.l1);
		release(a.l2);
	}
	for (int f = 0; f < N_FUNCTIONS; f++)
		ck_assert_msg(n_taken[f] > 0 && n_refused[f] > 0, "function %d: %d taken, %d refused", f, n_taken[f], n_refused[f]);
}
END_TEST

START_TEST(hostile_configurations)
{
	int n_taken = 0;
	rng = mch_rng_seed(2);
	for (int i = 0; i < 100000; i++) {
		uint32_t *config = packed(17);
		void *twin = NULL;
		const int which = below(2);
		const int status = which ? mch_dpi_array_new(config + 5, &twin) : mch_dpi_datapath_new(config, &twin);
		if (status != 0)
			check_message();
		else if (which ? mch_dpi_array_free(twin) != 0 : mch_dpi_datapath_free(twin) != 0)
			ck_abort_msg("what was made is not ended");
		n_taken += status == 0;
		free(config);
	}
	ck_assert_int_gt(n_taken, 0);
}
END_TEST

static void make_twins(void)
{
	/* The last field is lowest: 5 x 3, 7 and 6 bits, accumulators of 45; outputs of 11. */
	const uint32_t array_of[12] = {0, 0, 0, 0, 0, 0, 0, 45, 6, 7, 3, 5};
	uint32_t datapath_of[17] = {0, 0, 0, 3, 11};
	memcpy(datapath_of + 5, array_of, sizeof(array_of));
	ck_assert_int_eq(mch_dpi_array_new(array_of, &twins[0]), 0);
	ck_assert_int_eq(mch_dpi_datapath_new(datapath_of, &twins[1]), 0);
	ck_assert_int_eq(mch_dpi_array_new(array_of, &twins[3]), 0);
	ck_assert_int_eq(mch_dpi_array_free(twins[3]), 0);
}

static void free_twins(void)
{
	ck_assert_int_eq(mch_dpi_array_free(twins[0]), 0);
	ck_assert_int_eq(mch_dpi_datapath_free(twins[1]), 0);
}

static Suite *suite(void)
{
	Suite *s = suite_create("dpi");
	TCase *tcase = tcase_create("dpi");
	tcase_add_checked_fixture(tcase, make_twins, free_twins);
	tcase_add_test(tcase, hostile_arguments);
	tcase_add_test(tcase, hostile_configurations);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return check_main(suite);
}
