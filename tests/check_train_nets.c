/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The residual and the depthwise network that the kit ships: they have the published structure, and learn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "io/net_read.h"
#include "net/lower.h"
#include "train/params.h"
#include "train/sgd.h"

enum { N_IMAGES = 60, N_CLASSES = 10, SIDE = 32, BATCH = 20 };

static const struct {
	const char *file;
	size_t macs, n_params; /* of one image; batch norm's are in the scale layers */
	int n_depthwise, n_sums, n_lowered; /* layers that are left when the hardware's net is made */
	double loss; /* share of the first epoch's that is left; a deep net without shortcuts is slow to begin */
	int n_right;
} nets[] = {
	{"resnet8.prototxt", 12501632, 78042, 0, 3, 22, 0.25, 54},
	{"mobilenet_v1.prototxt", 12038656, 215642, 13, 0, 57, 0.8, 15},
};

static void read_net(int i, struct mch_net *net)
{
	char path[1000];
	struct mch_err err = {""};
	const char *folder = getenv("top_srcdir");
	ck_assert_ptr_nonnull(folder);
	snprintf(path, sizeof(path), "%s/tests/nets/%s", folder, nets[i].file);
	mch_net_init(net);
	ck_assert_msg(mch_net_read(path, NULL, net, NULL, &err) == 0, "%s", err.text);
}

/* Of every class the same share: stripes whose direction, width and colour are its own, in noise. */
static void make_data(struct mch_dataset *data)
{
	struct mch_rng rng = mch_rng_seed(1);
	*data = (struct mch_dataset){.n_images = N_IMAGES, .n_classes = N_CLASSES, .shape = {1, 3, SIDE, SIDE}};
	data->name = strdup("stripes");
	data->pixels = malloc((size_t)N_IMAGES * 3 * SIDE * SIDE);
	data->labels = malloc(N_IMAGES * sizeof(*data->labels));
	ck_assert(data->name && data->pixels && data->labels);
	uint8_t *at = data->pixels;
	for (int i = 0; i < N_IMAGES; i++) {
		const int label = data->labels[i] = i % N_CLASSES;
		for (int c = 0; c < 3; c++)
			for (int h = 0; h < SIDE; h++)
				for (int w = 0; w < SIDE; w++) {
					const int along = label % 2 ? h : w;
					const int is_lit = along / (1 + label / 4) % 2 && c != label % 3;
					*at++ = (uint8_t)(mch_rng_below(&rng, 120) + (is_lit ? 120 : 0));
				}
	}
}

START_TEST(structure)
{
	struct mch_net net;
	struct mch_err err = {""};
	size_t macs = 0;
	int n_depthwise = 0, n_sums = 0;
	read_net(_i, &net);
	for (int i = 0; i < net.n_layers; i++) {
		const struct mch_layer *layer = &net.layers[i];
		macs += mch_layer_macs(layer);
		if (layer->kind == MCH_CONV)
			n_depthwise += layer->conv.groups > 1 && layer->conv.groups == layer->conv.c;
		n_sums += layer->kind == MCH_SUM;
	}
	ck_assert_uint_eq(macs, nets[_i].macs);
	ck_assert_uint_eq(mch_params_of_net(&net), nets[_i].n_params);
	ck_assert_int_eq(n_depthwise, nets[_i].n_depthwise);
	ck_assert_int_eq(n_sums, nets[_i].n_sums);
	ck_assert_msg(mch_net_lower(&net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(net.n_layers, nets[_i].n_lowered);
	mch_net_free(&net);
}
END_TEST

START_TEST(learns)
{
	struct mch_net net;
	struct mch_dataset data;
	struct mch_err err = {""};
	const struct mch_sgd_config config = {.n_epochs = 14, .batch = BATCH, .n_images = N_IMAGES, .rate = 0.05,
					      .momentum = 0.9, .decay = 5e-4, .policy = MCH_POLICY_COSINE, .seed = 1, .temperature = 1};
	read_net(_i, &net);
	make_data(&data);
	data.transform = &net.transform;
	struct mch_sgd *sgd = mch_sgd_new(&net, &data, &config, &err);
	ck_assert_msg(sgd, "%s", err.text);
	double first = 0;
	while (!mch_sgd_is_done(sgd)) {
		ck_assert_msg(mch_sgd_step(sgd, &err) == 0, "%s", err.text);
		if (mch_sgd_state(sgd)->epoch == 1 && first == 0.0)
			first = mch_sgd_state(sgd)->loss / N_IMAGES;
	}
	const double last = mch_sgd_state(sgd)->loss / N_IMAGES;
	ck_assert_msg(first > 1 && last < nets[_i].loss * first, "loss %g, then %g", first, last);
	ck_assert_int_ge(mch_sgd_state(sgd)->n_right, nets[_i].n_right);
	mch_sgd_free(sgd);
	mch_dataset_free(&data);
	mch_net_free(&net);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("train nets");
	TCase *cases = tcase_create("nets");
	tcase_add_loop_test(cases, structure, 0, 2);
	tcase_add_loop_test(cases, learns, 0, 2);
	suite_add_tcase(suite, cases);
	return suite;
}

int main(void)
{
	return check_main(make_suite);
}
