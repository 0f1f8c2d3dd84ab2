/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parser of protobuf text: what it understands, and the exact text of what it refuses. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "io/prototxt.h"

/* The tree on one line: name:scalar, name:"string", name{ ... }. */
static void dump(const struct mch_prototxt *message, char *to, size_t room)
{
	for (const struct mch_prototxt *f = message->first; f; f = f->next) {
		size_t used = strlen(to);
		if (f->kind == MCH_PROTOTXT_MESSAGE) {
			snprintf(to + used, room - used, "%s{ ", f->name);
			dump(f, to, room);
			used = strlen(to);
			snprintf(to + used, room - used, "} ");
		} else {
			const char *quote = f->kind == MCH_PROTOTXT_STRING ? "\"" : "";
			snprintf(to + used, room - used, "%s:%s%s%s ", f->name, quote, f->text, quote);
		}
	}
}

static const struct {
	const char *text, *tree;
} good[] = {
	{"", ""},
	{"# only a comment", ""},
	{"a: 1", "a:1 "},
	{"a:1 b:2;c:3,d:4", "a:1 b:2 c:3 d:4 "},
	{"a: -1 b: - 2.5e-3 c: .5f d: 0x1F e: +1", NULL},
	{"a: -1 b: - 2.5e-3 c: .5f d: 0x1F", "a:-1 b:-2.5e-3 c:.5f d:0x1F "},
	{"m { a: 1 }", "m{ a:1 } "},
	{"m: { a: 1 } n < b: x > o{}", "m{ a:1 } n{ b:x } o{ } "},
	{"m { # c\n a: 1 # }\n}\n", "m{ a:1 } "},
	{"a: [1, 2,3] b: [] c: ['x', \"y\"]", "a:1 a:2 a:3 c:\"x\" c:\"y\" "},
	{"m [ { a: 1 }, < b: 2 > ]", "m{ a:1 } m{ b:2 } "},
	{"a: 'x' \"y\"\n 'z'", "a:\"xyz\" "},
	{"a: \"it's\" b: 'say \"x\"'", "a:\"it's\" b:\"say \"x\"\" "},
	{"a: '\\\\ \\' \\\" \\x41\\101\\u00e9\\U0001F600'", "a:\"\\ ' \" AA\xc3\xa9\xf0\x9f\x98\x80\" "},
	{"type: CONVOLUTION b: true c: inf d: -inf", "type:CONVOLUTION b:true c:inf d:-inf "},
};

START_TEST(understands)
{
	char tree[512] = "";
	struct mch_err err = {""};
	struct mch_prototxt *root = mch_prototxt_parse("t", good[_i].text, strlen(good[_i].text), &err);
	if (!good[_i].tree) {
		ck_assert_ptr_null(root);
		return;
	}
	ck_assert_msg(root != NULL, "%s: %s", good[_i].text, err.text);
	dump(root, tree, sizeof(tree));
	mch_prototxt_free(root);
	ck_assert_str_eq(tree, good[_i].tree);
}
END_TEST

static const struct {
	const char *text, *error;
} bad[] = {
	{"a", "t:1: \":\" is expected after a, the end of the file found; add it"},
	{"\n\na 1", "t:3: \":\" is expected after a, \"1\" found; add it"},
	{"a: }", "t:1: a value is expected for a, \"}\" found; correct the definition"},
	{"a:", "t:1: a value is expected for a, the end of the file found; correct the definition"},
	{"}", "t:1: the name of a field is expected, \"}\" found; correct the definition"},
	{"a: 1\n5: 2", "t:2: the name of a field is expected, \"5\" found; correct the definition"},
	{"[a.b]: 2", "t:1: the name of a field is expected, \"[\" found; correct the definition"},
	{"a: 1\nm {\n n {\n }\n", "t:2: m { has no closing }; add it"},
	{"m < a: 1 }", "t:1: the name of a field is expected, \"}\" found; correct the definition"},
	{"\na: 'x\n'", "t:2: a string has no closing ' on its line; add it"},
	{"a: 'x", "t:1: a string has no closing ' on its line; add it"},
	{"a: '\\q'", "t:1: a backslash before \"q\" is no escape; write \\\\ for a backslash"},
	{"a: '\\", "t:1: a backslash before the end of the file is no escape; write \\\\ for a backslash"},
	{"a: '\\777'", "t:1: an octal escape is over \\377; correct the string"},
	{"a: '\\u12'", "t:1: the escape \\u lacks digits or is no character; correct the string"},
	{"a: [1 2]", "t:1: \",\" or \"]\" is expected in the list of a, \"2\" found; correct the definition"},
	{"a: [1", "t:1: \",\" or \"]\" is expected in the list of a, the end of the file found; correct the "
		  "definition"},
	{"a [1]", "t:1: \":\" is expected after a, \"1\" found; add it"},
	{"\x01", "t:1: the name of a field is expected, the byte 01 found; correct the definition"},
};

START_TEST(refuses)
{
	struct mch_err err = {""};
	ck_assert_ptr_null(mch_prototxt_parse("t", bad[_i].text, strlen(bad[_i].text), &err));
	ck_assert_str_eq(err.text, bad[_i].error);
}
END_TEST

START_TEST(limits_depth)
{
	char text[4 * MCH_PROTOTXT_DEPTH_MAX + 16];
	struct mch_err err = {""};
	for (int depth = MCH_PROTOTXT_DEPTH_MAX; depth <= MCH_PROTOTXT_DEPTH_MAX + 1; depth++) {
		text[0] = '\0';
		for (int i = 0; i < depth; i++)
			strcat(text, "m{");
		for (int i = 0; i < depth; i++)
			strcat(text, "}");
		struct mch_prototxt *root = mch_prototxt_parse("t", text, strlen(text), &err);
		ck_assert((root != NULL) == (depth == MCH_PROTOTXT_DEPTH_MAX));
		mch_prototxt_free(root);
	}
	ck_assert_str_eq(err.text, "t:1: messages are nested over 64 deep; this is no sensible definition");
}
END_TEST

START_TEST(reads_values)
{
	static const char text[] = "i: 12 h: -0x10 big: 3000000000 r: 2.5f\n t: true f: 0 s: 'x' m { } nan: nan";
	struct mch_err err = {""};
	struct mch_prototxt *root = mch_prototxt_parse("t", text, strlen(text), &err);
	ck_assert_ptr_nonnull(root);
	int i, b;
	double r;
	const char *s;
	ck_assert(mch_prototxt_int("t", mch_prototxt_find(root, "i"), 0, 12, &i, &err) == 0 && i == 12);
	ck_assert(mch_prototxt_int("t", mch_prototxt_find(root, "h"), -16, 0, &i, &err) == 0 && i == -16);
	ck_assert(mch_prototxt_real("t", mch_prototxt_find(root, "r"), &r, &err) == 0 && r == 2.5);
	ck_assert(mch_prototxt_bool("t", mch_prototxt_find(root, "t"), &b, &err) == 0 && b == 1);
	ck_assert(mch_prototxt_bool("t", mch_prototxt_find(root, "f"), &b, &err) == 0 && b == 0);
	ck_assert(mch_prototxt_string("t", mch_prototxt_find(root, "s"), &s, &err) == 0 && strcmp(s, "x") == 0);
	ck_assert(mch_prototxt_message("t", mch_prototxt_find(root, "m"), &err) == 0);
	ck_assert_int_eq(mch_prototxt_int("t", mch_prototxt_find(root, "i"), 0, 11, &i, &err), -1);
	ck_assert_str_eq(err.text, "t:1: i is 12, a whole number from 0 to 11 is expected; correct the definition");
	ck_assert_int_eq(mch_prototxt_int("t", mch_prototxt_find(root, "big"), 0, 11, &i, &err), -1);
	ck_assert_int_eq(mch_prototxt_int("t", mch_prototxt_find(root, "r"), 0, 11, &i, &err), -1);
	ck_assert_int_eq(mch_prototxt_bool("t", mch_prototxt_find(root, "i"), &b, &err), -1);
	ck_assert_int_eq(mch_prototxt_real("t", mch_prototxt_find(root, "nan"), &r, &err), -1);
	ck_assert_int_eq(mch_prototxt_string("t", mch_prototxt_find(root, "t"), &s, &err), -1);
	ck_assert_str_eq(err.text, "t:2: t is true, a string in quotes is expected; correct the definition");
	ck_assert_int_eq(mch_prototxt_real("t", mch_prototxt_find(root, "m"), &r, &err), -1);
	ck_assert_str_eq(err.text, "t:2: m is a message { ... }, a number is expected; correct the definition");
	mch_prototxt_free(root);
}
END_TEST

/* Any bytes give a tree or an error, never a crash: short texts of the characters that mean something. */
START_TEST(survives_noise)
{
	static const char letters[] = "ab:{}<>[],;'\"\\#\n -1.0xu";
	struct mch_rng rng = mch_rng_seed(1);
	int n_trees = 0;
	for (int i = 0; i < 20000; i++) {
		char text[24];
		const size_t n = mch_rng_below(&rng, sizeof(text));
		struct mch_err err = {""};
		for (size_t j = 0; j < n; j++)
			text[j] = letters[mch_rng_below(&rng, sizeof(letters))]; /* the NUL too */
		struct mch_prototxt *root = mch_prototxt_parse("t", text, n, &err);
		ck_assert((root != NULL) == (err.text[0] == '\0'));
		n_trees += root != NULL;
		mch_prototxt_free(root);
	}
	ck_assert_int_gt(n_trees, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("prototxt");
	TCase *cases = tcase_create("prototxt");
	tcase_add_loop_test(cases, understands, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(cases, refuses, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(cases, limits_depth);
	tcase_add_test(cases, reads_values);
	tcase_add_test(cases, survives_noise);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
