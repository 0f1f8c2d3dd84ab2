/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats as JSON: the exact text, the way back, and the exact text of what is refused. */
#include "check_main.h"

#include <math.h>
#include <string.h>

#include "io/hash.h"
#include "io/quant_json.h"
#include "small_net.h"
#include "temp.h"

static struct temp temp;
static struct mch_net net;
static struct mch_quant quant;

/* Plain formats everywhere, and in the first layer all that is out of the ordinary. */
static void setup(void)
{
	temp_open(&temp);
	small_net(&net);
	ck_assert_int_eq(mch_quant_init(&quant, &net, NULL), 0);
	for (int e = 0; e < net.n_edges; e++)
		quant.edge[e] = (struct mch_format){8, 4, true};
	quant.edge[0] = (struct mch_format){8, 9, false};
	quant.edge[1] = (struct mch_format){16, -3, true};
	quant.edge[net.output] = (struct mch_format){0, 0, false};
	for (int i = 0; i < net.n_layers; i++)
		if (net.layers[i].weights) {
			quant.layer[i].weights = (struct mch_format){4, 3, true};
			quant.layer[i].acc = (struct mch_acc){20, MCH_WRAP};
			quant.layer[i].certificate = (struct mch_certificate){-1000, 2000, 12};
		}
	quant.layer[0].acc = (struct mch_acc){48, MCH_SATURATE};
	quant.layer[0].certificate =
		(struct mch_certificate){INT64_C(-9007199254740993), INT64_C(9007199254740993), 55};
	quant.round = MCH_ROUND_STOCHASTIC;
	quant.seed = 4294967295u;
	quant.width[MCH_PART_CONV_WEIGHTS] = 4;
	quant.width[MCH_PART_FC_WEIGHTS] = 3;
	quant.width[MCH_PART_ACTIVATIONS] = 8;
	quant.accuracy_float = 91.43;
	quant.accuracy_exact = 90.1;
	quant.n_scored = 10000;
}

static void teardown(void)
{
	mch_quant_free(&quant);
	mch_net_free(&net);
	temp_close(&temp);
}

static char *written(const json_t *search)
{
	size_t n;
	struct mch_err err = {""};
	ck_assert_msg(mch_quant_json_write(temp_path(&temp, "q.json"), &net, &quant, search, &err) == 0, "%s",
		      err.text);
	return temp_read(temp.path, &n);
}

START_TEST(writes_a_line_for_each)
{
	char want[4096], hex[MCH_HASH_HEX];
	json_t *search = json_pack("{s:[{s:i, s:f}, {s:i, s:f}], s:[], s:s}", "conv_weights", "bits", 8, "score",
				   91.4, "bits", 4, "score", 90.25, "empty", "note", "x");
	char *text = written(search);
	mch_hash_net(&net, hex);
	snprintf(
		want, sizeof(want),
		"{\n\"format\": \"macchiato quant 1\",\n\"network\": \"small\",\n\"net_hash\": \"%s\",\n"
		"\"round\": \"stochastic\",\n\"seed\": 4294967295,\n"
		"\"widths\": {\"conv_weights\": 4, \"fc_weights\": 3, \"activations\": 8},\n"
		"\"accuracy\": {\"float\": 91.43, \"exact\": 90.1, \"images\": 10000, \"error_margin\": null},\n"
		"\"tensors\": [\n"
		"  {\"name\": \"data\", \"format\": \"u8.9\"},\n"
		"  {\"name\": \"conv1\", \"format\": \"s16.-3\"},\n"
		"  {\"name\": \"relu1\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"pool1\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"pool2\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"conv2\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"flat\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"fc1\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"drop\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"relu2\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"fc2\", \"format\": \"s8.4\"},\n"
		"  {\"name\": \"prob\", \"format\": \"float\"}\n"
		"],\n\"layers\": [\n"
		"  {\"name\": \"conv1\", \"weights\": \"s4.3\", \"acc\": {\"bits\": 48, \"overflow\": \"saturate\"}, "
		"\"certificate\": {\"low\": -9007199254740993, \"high\": 9007199254740993, \"bits\": 55}},\n"
		"  {\"name\": \"conv2\", \"weights\": \"s4.3\", \"acc\": {\"bits\": 20, \"overflow\": \"wrap\"}, "
		"\"certificate\": {\"low\": -1000, \"high\": 2000, \"bits\": 12}},\n"
		"  {\"name\": \"fc1\", \"weights\": \"s4.3\", \"acc\": {\"bits\": 20, \"overflow\": \"wrap\"}, "
		"\"certificate\": {\"low\": -1000, \"high\": 2000, \"bits\": 12}},\n"
		"  {\"name\": \"fc2\", \"weights\": \"s4.3\", \"acc\": {\"bits\": 20, \"overflow\": \"wrap\"}, "
		"\"certificate\": {\"low\": -1000, \"high\": 2000, \"bits\": 12}}\n"
		"],\n\"search\": {\n  \"conv_weights\": [\n    {\"bits\": 8, \"score\": 91.4},\n"
		"    {\"bits\": 4, \"score\": 90.25}\n  ],\n  \"empty\": [\n  ],\n  \"note\": \"x\"\n}\n}\n",
		hex);
	ck_assert_str_eq(text, want);
	free(text);
	json_decref(search);
}
END_TEST

START_TEST(reads_back_the_same)
{
	json_t *search = json_pack("{s:[i, i]}", "a", 1, 2), *search_back;
	struct mch_quant back;
	struct mch_err err = {""};
	free(written(search));
	ck_assert_msg(mch_quant_json_read(temp.path, &net, &back, &search_back, &err) == 0, "%s", err.text);
	ck_assert_int_eq(back.round, quant.round);
	ck_assert_uint_eq(back.seed, quant.seed);
	ck_assert_mem_eq(back.width, quant.width, sizeof(quant.width));
	ck_assert(back.accuracy_float == quant.accuracy_float && back.accuracy_exact == quant.accuracy_exact);
	ck_assert(isnan(back.error_margin) && back.n_scored == 10000);
	for (int e = 0; e < net.n_edges; e++)
		ck_assert(back.edge[e].bits == quant.edge[e].bits && back.edge[e].frac == quant.edge[e].frac &&
			  back.edge[e].is_signed == quant.edge[e].is_signed);
	for (int i = 0; i < net.n_layers; i++) {
		const struct mch_layer_quant *a = &back.layer[i], *b = &quant.layer[i];
		ck_assert(a->weights.bits == b->weights.bits && a->weights.frac == b->weights.frac);
		ck_assert(a->acc.bits == b->acc.bits && a->acc.overflow == b->acc.overflow);
		ck_assert(a->certificate.low == b->certificate.low && a->certificate.high == b->certificate.high &&
			  a->certificate.bits == b->certificate.bits);
	}
	ck_assert(json_equal(search, search_back));
	json_decref(search);
	json_decref(search_back);
	mch_quant_free(&back);
	quant.wraps = true;
	free(written(NULL));
	ck_assert_msg(mch_quant_json_read(temp.path, &net, &back, NULL, &err) == 0, "%s", err.text);
	ck_assert(back.wraps);
	mch_quant_free(&back);
	quant.wraps = false;
	/* No search in, none out; and who does not want it need not take it. */
	free(written(NULL));
	ck_assert_int_eq(mch_quant_json_read(temp.path, &net, &back, &search_back, &err), 0);
	ck_assert_ptr_null(search_back);
	mch_quant_free(&back);
	ck_assert_int_eq(mch_quant_json_read(temp.path, &net, &back, NULL, &err), 0);
	mch_quant_free(&back);
}
END_TEST

static const char again[] = "; correct it, or run quantize again";

/* What stands for `from` in the written file, and the message behind "q.json: ", without the advice. */
static const struct {
	const char *from, *to, *message;
} bad[] = {
	{"\"seed\"", "\"sead\"", "the file lacks \"seed\""},
	{"\"seed\": 4294967295", "\"seed\": 1, \"x\": 2", "the file has an unknown key \"x\""},
	{"\"seed\": 4294967295", "\"seed\": 1, \"form\": 2", "the file has an unknown key \"form\""},
	{"4294967295", "4294967296", "\"seed\" is no whole number from 0 to 4294967295"},
	{"quant 1", "quant 2", "\"format\" is \"macchiato quant 2\", \"macchiato quant 1\" is expected"},
	{"\"stochastic\"", "\"up\"", "\"round\" is \"up\", no rounding mode"},
	{"\"stochastic\"", "3", "\"round\" is no string"},
	{"\"fc_weights\": 3", "\"fc_weights\": 17", "widths: \"fc_weights\" is no whole number from 0 to 16"},
	{"91.43", "101", "accuracy: \"float\" is no number from 0 to 100 and not null"},
	{"\"u8.9\"", "\"u17.9\"",
	 "tensor data: \"format\" is \"u17.9\", a format such as s8.4 with 1 to 16 bits and a fraction of -64 to 64 "
	 "is expected"},
	{"\"u8.9\"", "\"8.9\"",
	 "tensor data: \"format\" is \"8.9\", a format such as s8.4 with 1 to 16 bits and a fraction of -64 to 64 is "
	 "expected"},
	{"\"u8.9\"", "7", "tensor data: \"format\" is no string"},
	{"\"s4.3\"", "\"u4.3\"",
	 "layer conv1: \"weights\" is \"u4.3\", a format such as s8.4 with a sign, 1 to 16 bits and a fraction of "
	 "-64 to 64 is "
	 "expected"},
	{"{\"name\": \"data\"", "{\"name\": \"date\"", "tensor date: the network has none of that name"},
	{"{\"name\": \"relu1\", \"format\"", "{\"name\": \"data\", \"format\"", "tensor data: is given twice"},
	{",\n  {\"name\": \"prob\", \"format\": \"float\"}", "", "tensor \"prob\" is missing"},
	{"{\"name\": \"conv1\", \"weights\"", "{\"name\": \"relu1\", \"weights\"", "layer relu1: has no weights"},
	{"{\"name\": \"conv1\", \"weights\"", "{\"name\": \"conv9\", \"weights\"",
	 "layer conv9: the network has none of that name"},
	{"{\"name\": \"conv1\", \"weights\"", "{\"name\": \"conv2\", \"weights\"", "layer conv2: is given twice"},
	{"\"bits\": 48", "\"bits\": 109", "layer conv1: \"bits\" is no whole number from 0 to 108"},
	{"\"bits\": 48", "\"bits\": 1", "layer conv1: \"acc\" is neither 0 nor 2 to 108 bits, wrap or saturate"},
	{"\"saturate\"", "\"clip\"", "layer conv1: \"acc\" is neither 0 nor 2 to 108 bits, wrap or saturate"},
	{"\"acc\": {", "\"acc\": {\"mode\": 1, ", "layer conv1: \"acc\" has an unknown key \"mode\""},
	{"\"low\": -1000", "\"low\": 2001", "layer conv2: \"low\" of the certificate is above \"high\""},
	{"\"low\": -1000", "\"low\": 0.5",
	 "layer conv2: \"low\" is no whole number, nor text that is one"},
	{"\"tensors\": [", "\"tensors\": {}, \"old\": [", "the file has an unknown key \"old\""},
};

/* Writes the file with the first `from` replaced. */
static void damage(const char *from, const char *to)
{
	char *text = written(NULL), changed[8192];
	const char *at = strstr(text, from);
	ck_assert_msg(at != NULL, "%s is not in the file", from);
	const int n = snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	temp_write(&temp, "q.json", changed, (size_t)n);
	free(text);
}

static void expect_error(const char *message)
{
	struct mch_quant back;
	struct mch_err err = {""};
	ck_assert_int_eq(mch_quant_json_read(temp.path, &net, &back, NULL, &err), -1);
	ck_assert(back.edge == NULL && back.layer == NULL);
	ck_assert_uint_gt(strlen(err.text), strlen(temp.path));
	ck_assert_str_eq(err.text + strlen(temp.path), message);
}

START_TEST(refuses)
{
	char message[512];
	damage(bad[_i].from, bad[_i].to);
	snprintf(message, sizeof(message), ": %s%s", bad[_i].message, again);
	expect_error(message);
}
END_TEST

START_TEST(refuses_another_network)
{
	char before[MCH_HASH_HEX], after[MCH_HASH_HEX], message[256];
	free(written(NULL));
	mch_hash_net(&net, before);
	net.layers[0].weights[0] += 1;
	mch_hash_net(&net, after);
	snprintf(message, sizeof(message),
		 ": belongs to another network (hash %.12s..., this one has %.12s...); run quantize on this network",
		 before, after);
	expect_error(message);
}
END_TEST

START_TEST(refuses_broken_text)
{
	struct mch_quant back;
	struct mch_err err = {""};
	size_t n;
	char *text = written(NULL);
	n = strlen(text);
	for (size_t cut = 0; cut + 1 < n; cut++) { /* the last byte is a line feed that nobody misses */
		temp_write(&temp, "q.json", text, cut);
		ck_assert_int_eq(mch_quant_json_read(temp.path, &net, &back, NULL, &err), -1);
		ck_assert_ptr_nonnull(strstr(err.text, "q.json:"));
	}
	free(text);
	damage("\"seed\": 4294967295", "\"seed\": 1, \"seed\": 2");
	ck_assert_int_eq(mch_quant_json_read(temp.path, &net, &back, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "q.json:6: is no JSON here (duplicate object key"));
}
END_TEST

START_TEST(leaves_no_partial_file)
{
	struct mch_err err = {""};
	net.layers[0].name[0] = '\xff';
	ck_assert_int_eq(mch_quant_json_write(temp_path(&temp, "q.json"), &net, &quant, NULL, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "the name is no UTF-8, which JSON needs; rename it"));
	ck_assert_int_eq(temp_count(&temp), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("quant_json");
	TCase *cases = tcase_create("quant_json");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, writes_a_line_for_each);
	tcase_add_test(cases, reads_back_the_same);
	tcase_add_loop_test(cases, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(cases, refuses_another_network);
	tcase_add_test(cases, refuses_broken_text);
	tcase_add_test(cases, leaves_no_partial_file);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
