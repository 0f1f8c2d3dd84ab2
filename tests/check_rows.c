/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Every kind of layer in training: forward is what inference computes, and backward is its derivative.
 *
 * The scalar L = sum(u * y) with fixed random u has dL/dx = backward(u). Inputs lie on a grid, and the step of the
 * difference quotients is smaller than its distance from any corner of a function. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "check_main.h"
#include "train/rows.h"

enum { N = 3, MAX_IN = 3 };

struct trial {
	struct mch_layer layer;
	struct mch_site site;
	struct mch_shape in[MAX_IN];
	float *x[MAX_IN], *dx[MAX_IN], *u;
	const float *seen[MAX_IN];
	struct mch_rng rng;
};

static float *room(size_t n)
{
	float *v = calloc(n ? n : 1, sizeof(*v));
	ck_assert_ptr_nonnull(v);
	return v;
}

static float *numbers(struct mch_rng *rng, size_t n)
{
	float *v = room(n);
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(2 * mch_rng_real(rng) - 1);
	return v;
}

static size_t elems(struct mch_shape s)
{
	return N * mch_shape_elems(s);
}

/* Odd multiples of 0.05 up to +-2.45, the inputs of a layer apart from each other; corners lie on multiples of
 * 0.1. */
static void begin(struct trial *t, const struct mch_layer *layer, int n_in, const struct mch_shape *in, int seed)
{
	struct mch_err err = {""};
	const struct mch_layer_row *row = &mch_layer_table[layer->kind];
	memset(t, 0, sizeof(*t));
	t->layer = *layer;
	t->layer.name = "layer";
	t->layer.n_in = n_in;
	t->rng = mch_rng_seed((uint64_t)seed + 50);
	for (int i = 0; i < n_in; i++) {
		t->in[i] = in[i];
		t->x[i] = room(elems(in[i]));
		t->dx[i] = room(elems(in[i]));
		t->seen[i] = t->x[i];
		for (size_t j = 0; j < elems(in[i]); j++)
			t->x[i][j] = 0.1f * (float)((int)mch_rng_below(&t->rng, 49) - 24) + 0.05f + 0.01f * (float)i;
	}
	struct mch_site *site = &t->site;
	site->run = (struct mch_layer_run){.layer = &t->layer, .n = N, .in = t->in, .x = t->seen};
	ck_assert_msg(row->infer(&t->layer, t->in, &site->run.out, &err) == 0, "%s", err.text);
	if (!t->layer.weights && t->layer.n_weights == 0)
		ck_assert_int_eq(mch_layer_alloc(&t->layer, layer->n_bias > 0, &err), 0);
	for (size_t i = 0; mch_layer_has_weights(&t->layer) && i < t->layer.n_weights; i++)
		t->layer.weights[i] = (float)(2 * mch_rng_real(&t->rng) - 1);
	for (size_t i = 0; i < t->layer.n_bias; i++)
		t->layer.bias[i] = (float)(2 * mch_rng_real(&t->rng) - 1);
	site->run.y = room(elems(site->run.out));
	t->u = numbers(&t->rng, elems(site->run.out));
	site->dy = t->u;
	site->noise = 5;
	site->dw = room(t->layer.n_weights);
	site->db = t->layer.n_bias ? room(t->layer.n_bias) : NULL;
	const struct mch_row *mine = &mch_rows[layer->kind];
	site->scratch = room(mine->scratch_elems ? mine->scratch_elems(site) : 0);
	site->kept = mine->keep_bytes ? calloc(1, mine->keep_bytes(site)) : NULL;
}

static void end(struct trial *t)
{
	for (int i = 0; i < MAX_IN; i++)
		free(t->x[i]), free(t->dx[i]);
	free(t->u), free(t->site.run.y), free(t->site.dw), free(t->site.db);
	free(t->site.scratch), free(t->site.kept);
	if (mch_layer_has_weights(&t->layer))
		free(t->layer.weights);
	free(t->layer.bias), free(t->layer.mean), free(t->layer.variance);
}

static double loss(struct trial *t)
{
	double sum = 0;
	mch_rows[t->layer.kind].forward(&t->site);
	for (size_t i = 0; i < elems(t->site.run.out); i++)
		sum += (double)t->u[i] * (double)t->site.run.y[i];
	return sum;
}

static void expect_gradient(struct trial *t, const char *what, float *v, size_t n, const float *gradient)
{
	const float step = 0.004f;
	double largest = 0;
	for (size_t i = 0; i < n; i++) {
		const float kept = v[i];
		v[i] = kept + step;
		const double high = loss(t);
		v[i] = kept - step;
		const double low = loss(t);
		v[i] = kept;
		const double want = (high - low) / (2 * (double)step), got = (double)gradient[i];
		ck_assert_msg(fabs(got - want) <= 4e-3 * (1 + fabs(want)),
			      "%s: %s[%zu]: gradient %g, difference quotient %g",
			      mch_layer_table[t->layer.kind].name, what, i, got, want);
		largest = fmax(largest, fabs(want));
	}
	ck_assert_msg(n == 0 || largest > 1e-3, "%s: %s has no influence", mch_layer_table[t->layer.kind].name, what);
}

/* In training batch norm takes the moments of what it sees, dropout drops. */
static void expect_inference(struct trial *t)
{
	const size_t n = elems(t->site.run.out);
	if (t->layer.kind == MCH_BATCH_NORM || t->layer.kind == MCH_DROPOUT)
		return;
	float *want = room(n);
	struct mch_layer_run run = t->site.run;
	loss(t);
	run.y = want;
	mch_layer_table[t->layer.kind].run_f32(&run);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(fabs((double)want[i] - (double)t->site.run.y[i]) < 1e-5 * (1 + fabs((double)want[i])),
			      "%s: y[%zu] is %g, in inference %g", mch_layer_table[t->layer.kind].name, i,
			      (double)t->site.run.y[i], (double)want[i]);
	free(want);
}

static void check(const struct mch_layer *layer, int n_in, const struct mch_shape *in, int seed)
{
	struct trial t;
	begin(&t, layer, n_in, in, seed);
	expect_inference(&t);
	loss(&t);
	for (int j = 0; j < n_in; j++) {
		t.site.which = j;
		t.site.dx = t.dx[j];
		mch_rows[layer->kind].backward(&t.site);
	}
	for (int j = 0; j < n_in; j++)
		expect_gradient(&t, "x", t.x[j], elems(in[j]), t.dx[j]);
	if (mch_layer_has_weights(&t.layer)) {
		expect_gradient(&t, "weights", t.layer.weights, t.layer.n_weights, t.site.dw);
		expect_gradient(&t, "bias", t.layer.bias, t.layer.n_bias, t.site.db);
		/* The first layer of a net wants no dx, and the rest does not change by that. */
		float *kept = room(t.layer.n_weights);
		memcpy(kept, t.site.dw, t.layer.n_weights * sizeof(*kept));
		loss(&t);
		t.site.dx = NULL;
		mch_rows[layer->kind].backward(&t.site);
		ck_assert_mem_eq(kept, t.site.dw, t.layer.n_weights * sizeof(*kept));
		free(kept);
	}
	end(&t);
}

static const struct mch_layer one_input[] = {
	{.kind = MCH_RELU},
	{.kind = MCH_CLIP, .clip = {-0.7f, 1.2f}},
	{.kind = MCH_CLIP, .clip = {0, INFINITY}},
	{.kind = MCH_LEAKY_RELU, .slope = 0.1},
	{.kind = MCH_PRELU},
	{.kind = MCH_SIGMOID},
	{.kind = MCH_TANH},
	{.kind = MCH_BATCH_NORM, .norm = {.epsilon = 1e-3}, .n_bias = 1},
	{.kind = MCH_BATCH_NORM, .norm = {.epsilon = 1}},
	{.kind = MCH_SCALE, .n_bias = 1},
	{.kind = MCH_SCALE},
	{.kind = MCH_LRN, .lrn = {.size = 3, .alpha = 0.9, .beta = 0.75, .k = 1}},
	{.kind = MCH_LRN, .lrn = {.size = 2, .alpha = 0.5, .beta = 0.6, .k = 2}},
	{.kind = MCH_LRN, .lrn = {.size = 3, .alpha = 2, .beta = 0.5, .k = 5, .is_within = true}},
	{.kind = MCH_FLATTEN},
	{.kind = MCH_RESHAPE, .shape = {1, 5, 2, 12}},
	{.kind = MCH_TRANSPOSE, .order = {2, 0, 1}},
	{.kind = MCH_TRANSPOSE, .order = {1, 0, 2}},
	{.kind = MCH_DROPOUT, .dropout_ratio = 0.4},
	{.kind = MCH_POOL_AVG,
	 .pool = {.r = 6, .s = 5, .stride_h = 1, .stride_w = 1, .dilation_h = 1, .dilation_w = 1}},
	{.kind = MCH_CONV,
	 .conv = {.k = 8, .r = 3, .s = 3, .stride_h = 2, .stride_w = 1, .pad_top = 1, .pad_left = 1, .pad_right = 1,
		  .dilation_h = 1, .dilation_w = 1, .groups = 4},
	 .n_bias = 8},
	{.kind = MCH_DENSE, .conv = {.k = 3}, .n_bias = 3},
	{.kind = MCH_DECONV,
	 .conv = {.k = 3, .r = 3, .s = 2, .stride_h = 2, .stride_w = 2, .pad_top = 1, .pad_left = 0, .pad_bottom = 1,
		  .dilation_h = 1, .dilation_w = 1, .groups = 1},
	 .n_bias = 3, .out_pad_h = 1, .out_pad_w = 1},
	{.kind = MCH_DECONV,
	 .conv = {.k = 4, .r = 2, .s = 3, .stride_h = 1, .stride_w = 3, .pad_right = 2, .dilation_h = 2,
		  .dilation_w = 1, .groups = 2}},
	{.kind = MCH_DECONV,
	 .conv = {.k = 8, .r = 3, .s = 3, .stride_h = 2, .stride_w = 1, .pad_top = 1, .dilation_h = 1,
		  .dilation_w = 1, .groups = 4}},
};

START_TEST(layers_with_one_input)
{
	const struct mch_shape in = {1, 4, 6, 5};
	check(&one_input[_i], 1, &in, _i);
}
END_TEST

static float coefficients[MAX_IN] = {1.5f, -0.5f, 2};

static const struct {
	struct mch_layer layer;
	int n_in;
	struct mch_shape in[MAX_IN];
} many_inputs[] = {
	{{.kind = MCH_SUM}, 2, {{1, 3, 4, 2}, {1, 3, 4, 2}}},
	{{.kind = MCH_SUM, .weights = coefficients, .n_weights = 3}, 3, {{1, 3, 2, 2}, {1, 3, 2, 2}, {1, 3, 2, 2}}},
	{{.kind = MCH_SUM, .weights = coefficients, .n_weights = 3}, 3, {{1, 3, 1, 1}, {1, 1, 2, 3}, {1, 3, 2, 3}}},
	{{.kind = MCH_PROD}, 3, {{1, 3, 2, 2}, {1, 3, 2, 2}, {1, 3, 2, 2}}},
	{{.kind = MCH_PROD}, 2, {{1, 3, 4, 2}, {1, 3, 1, 1}}},
	{{.kind = MCH_MAX}, 3, {{1, 3, 2, 2}, {1, 3, 2, 2}, {1, 3, 2, 2}}},
	{{.kind = MCH_CONCAT, .axis = 1}, 3, {{1, 1, 2, 3}, {1, 4, 2, 3}, {1, 2, 2, 3}}},
	{{.kind = MCH_CONCAT, .axis = 2}, 2, {{1, 2, 2, 3}, {1, 2, 3, 3}}},
	{{.kind = MCH_CONCAT, .axis = 3}, 2, {{1, 2, 2, 3}, {1, 2, 2, 1}}},
};

START_TEST(layers_with_many_inputs)
{
	check(&many_inputs[_i].layer, many_inputs[_i].n_in, many_inputs[_i].in, _i);
}
END_TEST

/* One shared slope; its gradient is the sum over the channels. */
START_TEST(prelu_of_one_slope)
{
	const struct mch_shape in = {1, 4, 3, 3};
	float slope = 0.3f;
	struct trial t;
	begin(&t, &(struct mch_layer){.kind = MCH_PRELU, .weights = &slope, .n_weights = 1}, 1, &in, 1);
	expect_inference(&t);
	loss(&t);
	t.site.dx = t.dx[0];
	mch_rows[MCH_PRELU].backward(&t.site);
	expect_gradient(&t, "x", t.x[0], elems(in), t.dx[0]);
	expect_gradient(&t, "weights", &slope, 1, t.site.dw);
	t.layer.weights = NULL;
	end(&t);
}
END_TEST

/* Slice, pad and upsample in one: some indexes twice, some never, some outside. */
START_TEST(gather)
{
	static int at[] = {2, -1, 0, 2, 1, 1, 3, -1, 0, 4, 4, 2, 1};
	const struct mch_shape in = {1, 3, 4, 5};
	static const enum mch_kind kinds[] = {MCH_SLICE, MCH_PAD, MCH_UPSAMPLE};
	check(&(struct mch_layer){.kind = kinds[_i], .gather = {4, 5, 4, at, 0.5f}}, 1, &in, _i);
}
END_TEST

START_TEST(batch_norm_normalizes)
{
	const struct mch_shape in = {1, 2, 7, 3};
	struct trial t;
	begin(&t, &(struct mch_layer){.kind = MCH_BATCH_NORM, .norm = {.epsilon = 1e-5}, .n_bias = 1}, 1, &in, 1);
	for (size_t i = 0; i < elems(in); i++) /* far from 0: the variance must not drown */
		t.x[0][i] += 300;
	loss(&t);
	for (int c = 0; c < in.c; c++) {
		double sum = 0, squares = 0;
		for (int n = 0; n < N; n++)
			for (int i = 0; i < in.h * in.w; i++) {
				const double y = (double)t.site.run.y[(n * in.c + c) * in.h * in.w + i];
				const double v = (y - (double)t.layer.bias[c]) / (double)t.layer.weights[c];
				sum += v, squares += v * v;
			}
		const double n = N * in.h * in.w;
		ck_assert_double_eq_tol(sum / n, 0, 1e-3);
		ck_assert_double_eq_tol(squares / n, 1, 1e-3);
		ck_assert_double_eq_tol((double)((float *)t.site.kept)[c], 300, 1);
	}
	end(&t);
}
END_TEST

START_TEST(batch_norm_of_equal_values)
{
	const struct mch_shape in = {1, 1, 2, 2};
	struct trial t;
	begin(&t, &(struct mch_layer){.kind = MCH_BATCH_NORM, .n_bias = 1}, 1, &in, 1);
	for (size_t i = 0; i < elems(in); i++)
		t.x[0][i] = 0.5f;
	loss(&t);
	t.site.dx = t.dx[0];
	mch_rows[MCH_BATCH_NORM].backward(&t.site);
	for (size_t i = 0; i < elems(in); i++)
		ck_assert(t.site.run.y[i] == t.layer.bias[0] && t.dx[0][i] == 0.0f);
	ck_assert(t.site.dw[0] == 0.0f);
	end(&t);
}
END_TEST

START_TEST(dropout_keeps_the_mean)
{
	const struct mch_shape in = {1, 10, 40, 40};
	struct trial t;
	begin(&t, &(struct mch_layer){.kind = MCH_DROPOUT, .dropout_ratio = 0.25}, 1, &in, 1);
	size_t n_dropped = 0;
	loss(&t);
	float *first = room(elems(in));
	memcpy(first, t.site.run.y, elems(in) * sizeof(*first));
	for (size_t i = 0; i < elems(in); i++) {
		const float y = t.site.run.y[i];
		ck_assert(y == 0.0f || fabsf(y - t.x[0][i] / 0.75f) < 1e-5f);
		n_dropped += y == 0.0f;
	}
	ck_assert_double_eq_tol((double)n_dropped / (double)elems(in), 0.25, 0.01);
	loss(&t); /* the same noise, the same mask */
	ck_assert_mem_eq(first, t.site.run.y, elems(in) * sizeof(*first));
	t.site.noise++;
	loss(&t);
	ck_assert(memcmp(first, t.site.run.y, elems(in) * sizeof(*first)) != 0);
	free(first);
	end(&t);
}
END_TEST

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *make_suite(void)
{
	Suite *suite = suite_create("rows");
	TCase *cases = tcase_create("layers in training");
	tcase_add_loop_test(cases, layers_with_one_input, 0, N_OF(one_input));
	tcase_add_loop_test(cases, layers_with_many_inputs, 0, N_OF(many_inputs));
	tcase_add_test(cases, prelu_of_one_slope);
	tcase_add_loop_test(cases, gather, 0, 3);
	tcase_add_test(cases, batch_norm_normalizes);
	tcase_add_test(cases, batch_norm_of_equal_values);
	tcase_add_test(cases, dropout_keeps_the_mean);
	suite_add_tcase(suite, cases);
	return suite;
}

int main(void)
{
	return check_main(make_suite);
}
