/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Certificates are tight on all layers of published networks, whose files lie beside the sources, in ../shared/data. */
#include "check_main.h"

#include <stdio.h>
#include <unistd.h>

#include "io/net_read.h"
#include "net/lower.h"
#include "tight.h"

static char data_dir[512];

static const char *in_data(const char *name)
{
	static char path[2][700];
	static int next;
	char *buf = path[next++ % 2];
	snprintf(buf, sizeof(path[0]), "%.500s/%.180s", data_dir, name);
	return buf;
}

static const struct {
	const char *net, *weights;
	int n_layers; /* with weights, lowered */
} published[] = {
	{"lenet/lenet.prototxt", "lenet/lenet_iter_10000.caffemodel", 4},
	{"cifar10_quick/cifar10_quick.prototxt", "cifar10_quick/cifar10_quick_iter_5000.caffemodel", 5},
	{"cifar10_full/cifar10_full.prototxt", "cifar10_full/cifar10_full_iter_70000.caffemodel", 4},
	{"squeezenet_v1.0/deploy.prototxt", "squeezenet_v1.0/squeezenet_v1.0.caffemodel", 26},
	{"squeezenet_v1.1/squeezenet_v1.1.onnx", NULL, 26},
	{"googlenet/deploy.prototxt", "googlenet/bvlc_googlenet.caffemodel", 58},
};

START_TEST(tight_on_published_nets)
{
	static const struct mch_format formats[] = {
		{.bits = 8, .frac = 4, .is_signed = true}, {.bits = 8, .frac = 4}, {.bits = 3, .frac = 1}};
	struct mch_net net;
	struct mch_err err = {""};
	const char *weights = published[_i].weights ? in_data(published[_i].weights) : NULL;
	ck_assert_msg(mch_net_read(in_data(published[_i].net), weights, &net, NULL, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_net_lower(&net, &err) == 0, "%s", err.text);
	for (int f = 0; f < 3; f++) {
		struct tight seen = {0};
		const struct mch_format w = {.bits = f == 2 ? 4 : 8, .is_signed = true};
		check_tight_net(&net, formats[f], w, f == 1, &seen);
		ck_assert_int_eq(seen.n_layers, published[_i].n_layers);
		ck_assert_int_eq(seen.n_narrow, seen.n_layers);
	}
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("witness_nets");
	TCase *cases = tcase_create("witness_nets");
	tcase_add_loop_test(cases, tight_on_published_nets, 0, sizeof(published) / sizeof(published[0]));
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	const char *top = getenv("top_srcdir"), *elsewhere = getenv("MACCHIATO_DATA");
	if (elsewhere)
		snprintf(data_dir, sizeof(data_dir), "%s", elsewhere);
	else
		snprintf(data_dir, sizeof(data_dir), "%s/../shared/data", top ? top : ".");
	if (access(in_data("googlenet/deploy.prototxt"), R_OK) != 0) {
		printf("SKIP: no published networks in %s; set MACCHIATO_DATA to the folder that has them\n", data_dir);
		return 77;
	}
	return check_main(suite);
}
