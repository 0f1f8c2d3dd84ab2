/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Every kind of layer through ONNX and back: the same network, the same hash, and the same bytes when it is
 * written again. */
#include "check_main.h"

#include <string.h>

#include "io/hash.h"
#include "io/onnx_read.h"
#include "io/onnx_write.h"
#include "kind_nets.h"
#include "temp.h"

static struct temp temp;

static void setup(void)
{
	temp_open(&temp);
}

static void teardown(void)
{
	temp_close(&temp);
}

static void expect_same_edges(const struct mch_net *a, const struct mch_net *b)
{
	ck_assert_int_eq(a->n_edges, b->n_edges);
	for (int e = 0; e < a->n_edges; e++) {
		ck_assert_str_eq(a->edges[e].name, b->edges[e].name);
		ck_assert_mem_eq(&a->edges[e].shape, &b->edges[e].shape, sizeof(struct mch_shape));
		ck_assert_int_eq(a->edges[e].producer, b->edges[e].producer);
	}
}

static void expect_same_layers(const struct mch_net *a, const struct mch_net *b)
{
	ck_assert_int_eq(a->n_layers, b->n_layers);
	for (int i = 0; i < a->n_layers; i++) {
		const struct mch_layer *x = &a->layers[i], *y = &b->layers[i];
		ck_assert_str_eq(x->name, y->name);
		ck_assert_msg(x->kind == y->kind, "%s: kind %d, %d expected", x->name, y->kind, x->kind);
		ck_assert_int_eq(x->n_in, y->n_in);
		for (int j = 0; j < x->n_in; j++)
			ck_assert_int_eq(x->in[j], y->in[j]);
		ck_assert_msg(x->n_weights == y->n_weights && x->n_bias == y->n_bias, "%s: %zu weights, %zu biases",
			      x->name, y->n_weights, y->n_bias);
		if (x->n_weights > 0)
			ck_assert_mem_eq(x->weights, y->weights, x->n_weights * sizeof(float));
		if (x->n_bias > 0)
			ck_assert_mem_eq(x->bias, y->bias, x->n_bias * sizeof(float));
	}
}

static void expect_same_transform(const struct mch_transform *a, const struct mch_transform *b)
{
	ck_assert(a->resize == b->resize && a->height == b->height && a->width == b->width &&
		  a->is_bgr == b->is_bgr);
	ck_assert(a->is_cropped == b->is_cropped);
	ck_assert(a->scale == b->scale && a->n_mean == b->n_mean && a->n_std == b->n_std);
	ck_assert_mem_eq(a->mean, b->mean, sizeof(a->mean));
	ck_assert_mem_eq(a->std, b->std, sizeof(a->std));
	ck_assert(a->mean_c == b->mean_c && a->mean_h == b->mean_h && a->mean_w == b->mean_w);
	ck_assert_int_eq(a->mean_image == NULL, b->mean_image == NULL);
	if (a->mean_image)
		ck_assert_mem_eq(a->mean_image, b->mean_image,
				 (size_t)(a->mean_c * a->mean_h * a->mean_w) * sizeof(float));
}

START_TEST(comes_back)
{
	struct mch_net net, back;
	struct mch_err err = {""};
	char hash[MCH_HASH_HEX], hash_back[MCH_HASH_HEX];
	size_t n_a, n_b;
	kind_nets_make(_i, &net);
	ck_assert_msg(mch_onnx_write(temp_path(&temp, "a.onnx"), &net, &err) == 0, "%s: %s", kind_nets_name(_i),
		      err.text);
	char *a = temp_read(temp.path, &n_a);
	ck_assert_msg(mch_onnx_read(temp.path, &back, &err) == 0, "%s: %s", kind_nets_name(_i), err.text);
	expect_same_edges(&net, &back);
	expect_same_layers(&net, &back);
	expect_same_transform(&net.transform, &back.transform);
	mch_hash_net(&net, hash);
	mch_hash_net(&back, hash_back);
	ck_assert_str_eq(hash, hash_back);
	/* Whatever the file tells is what came back. */
	ck_assert_int_eq(mch_onnx_write(temp_path(&temp, "b.onnx"), &back, &err), 0);
	char *b = temp_read(temp.path, &n_b);
	ck_assert_uint_eq(n_a, n_b);
	ck_assert_mem_eq(a, b, n_a);
	free(a);
	free(b);
	mch_net_free(&net);
	mch_net_free(&back);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("onnx_kinds");
	TCase *cases = tcase_create("onnx_kinds");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_loop_test(cases, comes_back, 0, kind_nets_count());
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
