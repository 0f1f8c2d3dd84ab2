/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* CRC-32 against its published check value and against division of polynomials bit by bit. */
#include "tensor/crc32.h"

#include "base/rng.h"
#include "check_main.h"

/* The remainder of the reflected message, one bit a step. */
static uint32_t slow_crc32(const unsigned char *bytes, size_t n_bytes)
{
	uint32_t rest = 0xffffffff;
	for (size_t bit = 0; bit < 8 * n_bytes; bit++) {
		const uint32_t in = bytes[bit / 8] >> bit % 8 & 1, out = rest & 1;
		rest = in == out ? rest / 2 : (rest / 2) ^ 0xedb88320;
	}
	return 0xffffffff - rest;
}

START_TEST(known_values)
{
	ck_assert_uint_eq(mch_crc32(0, "123456789", 9), 0xcbf43926);
	ck_assert_uint_eq(mch_crc32(0, "", 0), 0);
	ck_assert_uint_eq(mch_crc32(0, "a", 1), 0xe8b7be43);
}
END_TEST

START_TEST(in_pieces)
{
	unsigned char bytes[200];
	struct mch_rng rng = mch_rng_seed(15);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)mch_rng_next(&rng);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		const size_t cut = n / 3;
		ck_assert_uint_eq(mch_crc32(0, bytes, n), slow_crc32(bytes, n));
		ck_assert_uint_eq(mch_crc32(mch_crc32(0, bytes, cut), bytes + cut, n - cut), slow_crc32(bytes, n));
	}
}
END_TEST

START_TEST(parsing)
{
	static const char *const refused[] = {"",         "0123456",  "012345678", "0123456g",
					      "ABCDEF01", " 1234567", "0x123456"};
	uint32_t crc = 0;
	ck_assert_int_eq(mch_crc32_parse("0189abef", &crc), 0);
	ck_assert_uint_eq(crc, 0x0189abef);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ck_assert_int_eq(mch_crc32_parse(refused[i], &crc), -1);
	ck_assert_uint_eq(crc, 0x0189abef);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {known_values, in_pieces, parsing};
	return CHECK_SUITE("crc32", tests);
}

int main(void)
{
	return check_main(suite);
}
