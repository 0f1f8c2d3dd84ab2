/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tensors: memory, shapes, and the shapes that are refused. */
#include "tensor/tensor.h"

#include "check_main.h"

START_TEST(starts_with_zeros)
{
	struct mch_tensor t;
	struct mch_err err;
	const struct mch_shape shape = {2, 3, 4, 5};
	ck_assert_int_eq(mch_tensor_init(&t, shape, (struct mch_format){8, 4, true}, &err), 0);
	ck_assert_uint_eq(mch_shape_elems(t.shape), 120);
	ck_assert_int_eq(t.format.frac, 4);
	for (size_t i = 0; i < 120; i++)
		ck_assert_int_eq(t.raw[i], 0);
	mch_tensor_free(&t);
	ck_assert_ptr_null(t.raw);
	mch_tensor_free(&t);
}
END_TEST

static void refuse(struct mch_shape shape, const char *text)
{
	struct mch_tensor t;
	struct mch_err err;
	ck_assert_int_eq(mch_tensor_init(&t, shape, (struct mch_format){8, 4, true}, &err), -1);
	ck_assert_str_eq(err.text, text);
	ck_assert_ptr_null(t.raw);
	mch_tensor_free(&t);
}

START_TEST(refuses_shapes)
{
	refuse((struct mch_shape){1, 0, 3, 3}, "tensor 1x0x3x3: a size is below 1; check the shapes of the network");
	refuse((struct mch_shape){1, 3, -1, 3},
	       "tensor 1x3x-1x3: a size is below 1; check the shapes of the network");
	/* The product, 2^64, is 0 in 64 bits: it must not be formed. */
	refuse((struct mch_shape){65536, 65536, 65536, 65536},
	       "tensor 65536x65536x65536x65536: more than 2147483647 elements; use a smaller batch or image");
	refuse((struct mch_shape){1, 2, 32768, 32768},
	       "tensor 1x2x32768x32768: more than 2147483647 elements; use a smaller batch or image");
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {starts_with_zeros, refuses_shapes};
	return CHECK_SUITE("tensor", tests);
}

int main(void)
{
	return check_main(suite);
}
