/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* SHA-256 of texts, files and networks: known digests, and a change of anything that counts. */
#include "check_main.h"

#include <string.h>

#include "io/hash.h"
#include "small_net.h"
#include "temp.h"

/* From FIPS 180-4's examples. */
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

START_TEST(agrees_with_the_standard)
{
	struct mch_hash hash;
	char hex[MCH_HASH_HEX];
	mch_hash_begin(&hash);
	mch_hash_end(&hash, hex);
	ck_assert_str_eq(hex, of_nothing);
	mch_hash_begin(&hash);
	mch_hash_bytes(&hash, "a", 1);
	mch_hash_bytes(&hash, "bc", 2);
	mch_hash_end(&hash, hex);
	ck_assert_str_eq(hex, of_abc);
}
END_TEST

START_TEST(feeds_the_same_bytes_on_every_machine)
{
	struct mch_hash hash;
	char hex[MCH_HASH_HEX], want[MCH_HASH_HEX];
	float values[300];
	uint8_t bytes[8 + 4 * 300];
	const uint8_t number[8] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		      one_and_half[4] = {0, 0, 0xc0, 0x3f};
	for (int i = 0; i < 300; i++) {
		values[i] = 1.5f;
		memcpy(bytes + 8 + 4 * i, one_and_half, 4);
	}
	memcpy(bytes, number, 8);
	mch_hash_begin(&hash);
	mch_hash_int(&hash, -2);
	mch_hash_f32(&hash, values, 300);
	mch_hash_end(&hash, hex);
	mch_hash_begin(&hash);
	mch_hash_bytes(&hash, bytes, sizeof(bytes));
	mch_hash_end(&hash, want);
	ck_assert_str_eq(hex, want);
}
END_TEST

START_TEST(separates_texts)
{
	struct mch_hash hash;
	char one[MCH_HASH_HEX], two[MCH_HASH_HEX];
	mch_hash_begin(&hash);
	mch_hash_text(&hash, "ab");
	mch_hash_text(&hash, "c");
	mch_hash_end(&hash, one);
	mch_hash_begin(&hash);
	mch_hash_text(&hash, "a");
	mch_hash_text(&hash, "bc");
	mch_hash_end(&hash, two);
	ck_assert_str_ne(one, two);
}
END_TEST

START_TEST(hashes_files)
{
	struct temp temp;
	struct mch_err err = {""};
	char hex[MCH_HASH_HEX];
	temp_open(&temp);
	ck_assert_int_eq(mch_hash_file(temp_write(&temp, "abc", "abc", 3), hex, &err), 0);
	ck_assert_str_eq(hex, of_abc);
	ck_assert_int_eq(mch_hash_file(temp_path(&temp, "none"), hex, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "none: cannot be read (No such file or directory)"));
	ck_assert_int_eq(mch_hash_file(temp.dir, hex, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "cannot be read (Is a directory)"));
	temp_close(&temp);
}
END_TEST

/* Each changes one thing of the small network. The result says whether the hash must change. */
static bool change_weight(struct mch_net *net)
{
	net->layers[0].weights[3] += 1e-6f;
	return true;
}

static bool change_bias(struct mch_net *net)
{
	net->layers[0].bias[3] = 0;
	return true;
}

static bool drop_bias(struct mch_net *net)
{
	free(net->layers[0].bias);
	net->layers[0].bias = NULL;
	net->layers[0].n_bias = 0;
	return true;
}

static bool change_scale(struct mch_net *net)
{
	net->transform.scale = 0.5;
	return true;
}

static bool change_pad(struct mch_net *net)
{
	net->layers[0].conv.pad_left = 1;
	return true;
}

static bool change_ceil(struct mch_net *net)
{
	net->layers[2].pool.ceil_mode = false;
	return true;
}

static bool change_kind(struct mch_net *net)
{
	net->layers[1].kind = MCH_DROPOUT;
	return true;
}

static bool change_wire(struct mch_net *net)
{
	net->layers[3].in[0] = net->layers[1].out[0];
	return true;
}

static bool change_names(struct mch_net *net)
{
	strcpy(net->name, "other");
	strcpy(net->layers[0].name, "CONV1");
	strcpy(net->edges[0].name, "DATA");
	return false;
}

static bool (*const changes[])(struct mch_net *net) = {change_weight, change_bias, drop_bias,
						       change_scale,  change_pad,  change_ceil,
						       change_kind,   change_wire, change_names};

START_TEST(tells_networks_apart)
{
	struct mch_net net;
	char before[MCH_HASH_HEX], after[MCH_HASH_HEX];
	small_net(&net);
	mch_hash_net(&net, before);
	mch_hash_net(&net, after);
	ck_assert_str_eq(before, after);
	const bool differs = changes[_i](&net);
	mch_hash_net(&net, after);
	ck_assert_int_eq(strcmp(before, after) != 0, differs);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("hash");
	TCase *cases = tcase_create("hash");
	tcase_add_test(cases, agrees_with_the_standard);
	tcase_add_test(cases, feeds_the_same_bytes_on_every_machine);
	tcase_add_test(cases, separates_texts);
	tcase_add_test(cases, hashes_files);
	tcase_add_loop_test(cases, tells_networks_apart, 0, sizeof(changes) / sizeof(changes[0]));
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
