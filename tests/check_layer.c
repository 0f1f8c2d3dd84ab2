/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Every kind of layer: shape and plain float values against the oracle, and values by hand. */
#include "net/layer.h"

#include <math.h>

#include "check_main.h"
#include "oracle/slow_layers.h"
#include "random_dag.h"

enum { N_IMAGES_MAX = 3 };

/* Layer i of a network that has run: every value within float rounding of the oracle's. */
static void compare_layer(const struct mch_net *net, int i, int n, float *const *values, unsigned seed)
{
	const struct mch_layer *layer = &net->layers[i];
	struct mch_shape in[8];
	const float *x[8];
	ck_assert_int_le(layer->n_in, 8);
	for (int j = 0; j < layer->n_in; j++) {
		in[j] = net->edges[layer->in[j]].shape;
		x[j] = values[layer->in[j]];
	}
	const struct mch_shape want = slow_layer_shape(layer, in), got = net->edges[layer->out[0]].shape;
	ck_assert_msg(want.c == got.c && want.h == got.h && want.w == got.w && got.n == 1,
		      "seed %u, layer %d (%s): want %dx%dx%d, got %dx%dx%d", seed, i,
		      mch_layer_table[layer->kind].name, want.c, want.h, want.w, got.c, got.h, got.w);
	const size_t elems = (size_t)n * mch_shape_elems(got);
	double *y = malloc(elems * sizeof(*y));
	ck_assert_ptr_nonnull(y);
	slow_layer(layer, n, in, x, y);
	for (size_t e = 0; e < elems; e++) {
		const double value = (double)values[layer->out[0]][e];
		ck_assert_msg(fabs(value - y[e]) <= 2e-6 * fabs(y[e]) + 1e-6,
			      "seed %u, layer %d (%s), value %zu: want %.9g, got %.9g", seed, i,
			      mch_layer_table[layer->kind].name, e, y[e], value);
	}
	free(y);
}

static void compare_net(struct mch_rng *rng, const struct mch_net *net, unsigned seed)
{
	struct mch_err err = {""};
	const int n = 1 + (int)mch_rng_below(rng, N_IMAGES_MAX);
	float **values = calloc((size_t)net->n_edges, sizeof(*values));
	ck_assert_ptr_nonnull(values);
	for (int e = 0; e < net->n_edges; e++)
		values[e] = random_values(rng, (size_t)n * mch_shape_elems(net->edges[e].shape));
	float *x = random_values(rng, (size_t)n * mch_shape_elems(net->edges[net->input].shape));
	ck_assert_msg(mch_net_run_f32(net, n, x, values, &err) == 0, "%s", err.text);
	for (int i = 0; i < net->n_layers; i++)
		compare_layer(net, i, n, values, seed);
	for (int e = 0; e < net->n_edges; e++)
		free(values[e]);
	free(values);
	free(x);
}

/* Each kind as the first layers, on geometry whose corners are likely; then whole networks. */
START_TEST(agrees_with_the_oracle)
{
	enum { N_NETS = 25 };
	for (unsigned seed = 0; seed < N_NETS; seed++) {
		struct mch_rng rng = mch_rng_seed(seed * MCH_N_KINDS + (unsigned)_i);
		struct mch_net net;
		random_dag(&rng, 2, &net);
		random_dag_append(&rng, (enum mch_kind)_i, &net);
		compare_net(&rng, &net, seed);
		mch_net_free(&net);
	}
}
END_TEST

START_TEST(networks_agree_with_the_oracle)
{
	enum { N_NETS = 200 };
	int n_seen[MCH_N_KINDS] = {0};
	for (unsigned seed = 0; seed < N_NETS; seed++) {
		struct mch_rng rng = mch_rng_seed(seed);
		struct mch_net net;
		random_dag(&rng, 10, &net);
		compare_net(&rng, &net, seed);
		for (int i = 0; i < net.n_layers; i++)
			n_seen[net.layers[i].kind]++;
		mch_net_free(&net);
	}
	for (int k = 0; k < MCH_N_KINDS; k++)
		ck_assert_msg(n_seen[k] > 5, "%s: only %d", mch_layer_table[k].name, n_seen[k]);
}
END_TEST

static float map(struct mch_layer layer, float x)
{
	return mch_layer_map(&layer, 0, x);
}

/* Where a formula taken literally would leave what float holds. */
START_TEST(values_at_the_ends)
{
	const struct mch_layer sigmoid = {.kind = MCH_SIGMOID}, tangent = {.kind = MCH_TANH};
	ck_assert(map(sigmoid, -1000) == 0 && map(sigmoid, 1000) == 1 && map(sigmoid, 0) == 0.5f);
	ck_assert(map(tangent, -1000) == -1 && map(tangent, 1000) == 1);
	const struct mch_layer crossed = {.kind = MCH_CLIP, .clip = {2, 1}};
	ck_assert(map(crossed, -5) == 1 && map(crossed, 5) == 1); /* as ONNX has it */
	const struct mch_layer leaky = {.kind = MCH_LEAKY_RELU, .slope = (double)0.1f};
	ck_assert(map(leaky, -3) == 0.1f * -3.0f && map(leaky, 3) == 3);
	const struct mch_layer normal = {.kind = MCH_SOFTMAX, .n_in = 1},
			       logarithm = {.kind = MCH_LOG_SOFTMAX, .n_in = 1};
	const struct mch_shape shape = {1, 3, 1, 1};
	const float x[3] = {1e30f, 1e30f, -1e30f}, *in[1] = {x};
	float y[3];
	mch_run_softmax(&(struct mch_layer_run){&normal, 1, &shape, shape, in, y});
	ck_assert(y[0] == 0.5f && y[1] == 0.5f && y[2] == 0);
	mch_run_softmax(&(struct mch_layer_run){&logarithm, 1, &shape, shape, in, y});
	ck_assert_double_eq_tol((double)y[0], -log(2), 1e-7);
	ck_assert(y[2] < -1e30f && isfinite(y[2]));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("layer");
	TCase *cases = tcase_create("layer");
	tcase_add_loop_test(cases, agrees_with_the_oracle, 0, MCH_N_KINDS);
	tcase_add_test(cases, networks_agree_with_the_oracle);
	tcase_add_test(cases, values_at_the_ends);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	return check_main(suite);
}
