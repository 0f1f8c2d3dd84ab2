/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Gradients of fast/grad.h against central differences, forward against a plain sum, over many geometries.
 *
 * The scalar L = sum(u * f(x)) with fixed random u has dL/dx = backward(u). Every operator but the softmax loss is
 * linear, or linear around a point without ties, so a central difference is exact up to float rounding. */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "check_main.h"
#include "fast/grad.h"

static struct mch_rng rng;

static float *numbers(size_t n)
{
	float *v = malloc((n ? n : 1) * sizeof(*v));
	ck_assert_ptr_nonnull(v);
	for (size_t i = 0; i < n; i++)
		v[i] = (float)(2 * mch_rng_real(&rng) - 1);
	return v;
}

/* A shuffled ramp of step 0.25: no two values closer than that, none closer than 0.125 to zero. */
static float *distinct(size_t n)
{
	float *v = numbers(n);
	for (size_t i = 0; i < n; i++)
		v[i] = 0.25f * ((float)i - (float)(n / 2)) + 0.125f;
	for (size_t i = n - 1; i > 0; i--) {
		const size_t j = mch_rng_below(&rng, (uint32_t)i + 1);
		const float swap = v[i];
		v[i] = v[j];
		v[j] = swap;
	}
	return v;
}

/* An operator as the test sees it: its parameters in v, its output's elements, and how to run it. */
struct subject {
	void (*run)(const void *self, float *y);
	const void *self;
	size_t n_out;
};

static double weighted(const struct subject *f, const float *u, float *y)
{
	double sum = 0;
	f->run(f->self, y);
	for (size_t i = 0; i < f->n_out; i++)
		sum += (double)u[i] * (double)y[i];
	return sum;
}

/* Every element of the argument v is moved by +-step. */
static void expect_gradient(const char *what, const struct subject *f, const float *u, float *v, size_t n, float step,
			    const float *gradient)
{
	float *y = numbers(f->n_out);
	for (size_t i = 0; i < n; i++) {
		const float kept = v[i];
		v[i] = kept + step;
		const double high = weighted(f, u, y);
		v[i] = kept - step;
		const double low = weighted(f, u, y);
		v[i] = kept;
		const double want = (high - low) / (2 * (double)step), got = (double)gradient[i];
		ck_assert_msg(fabs(got - want) <= 2e-3 * (1 + fabs(want)), "%s[%zu]: gradient %g, difference quotient %g",
			      what, i, got, want);
	}
	free(y);
}

struct conv_case {
	struct mch_conv g;
	const char *what;
	float *x, *w, *bias, *scratch;
};

static const struct conv_case conv_cases[] = {
	{.g = {2, 3, 7, 6, 4, 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 1}, .what = "plain"},
	{.g = {2, 3, 7, 6, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1}, .what = "pad"},
	{.g = {2, 2, 9, 8, 3, 3, 3, 2, 3, 1, 2, 0, 1, 1, 1, 1}, .what = "stride, uneven pad"},
	{.g = {1, 4, 6, 7, 6, 3, 2, 1, 1, 1, 0, 1, 0, 1, 1, 2}, .what = "groups"},
	{.g = {2, 4, 5, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 4}, .what = "depthwise"},
	{.g = {2, 2, 9, 11, 3, 3, 3, 1, 2, 2, 3, 2, 3, 2, 3, 1}, .what = "dilation"},
	{.g = {2, 4, 10, 9, 2, 2, 3, 2, 2, 1, 2, 2, 1, 2, 1, 2}, .what = "all at once"},
	{.g = {2, 5, 3, 4, 6, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1}, .what = "pointwise"},
	{.g = {2, 4, 3, 4, 6, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 2}, .what = "pointwise, groups"},
	{.g = {2, 3, 5, 5, 4, 1, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1}, .what = "pointwise, stride"},
	{.g = {2, 2, 3, 3, 4, 3, 3, 1, 1, 4, 4, 4, 4, 1, 1, 1}, .what = "pad beyond the kernel"},
	{.g = {3, 2, 3, 4, 5, 3, 4, 1, 1, 0, 0, 0, 0, 1, 1, 1}, .what = "kernel is the input"},
	{.g = {3, 2, 3, 4, 5, 3, 4, 1, 1, 0, 0, 0, 0, 1, 1, 1}, .what = "dense"},
	{.g = {3, 12, 1, 1, 5, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1}, .what = "dense of a vector"},
	{.g = {3, 5, 9, 8, 5, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 5}, .what = "depthwise, stride 2"},
	{.g = {2, 3, 9, 7, 6, 3, 2, 2, 3, 1, 0, 0, 2, 1, 1, 3}, .what = "depthwise, two outputs a channel, uneven"},
	{.g = {2, 3, 11, 12, 3, 3, 3, 2, 3, 2, 3, 2, 3, 3, 2, 3}, .what = "depthwise, stride and dilation"},
	{.g = {2, 2, 7, 40, 2, 5, 7, 1, 1, 2, 3, 2, 3, 1, 1, 2}, .what = "depthwise, long rows"},
	{.g = {2, 2, 6, 6, 2, 1, 1, 4, 5, 0, 0, 0, 0, 1, 1, 2}, .what = "depthwise, stride beyond the kernel"},
	{.g = {2, 2, 3, 3, 2, 3, 3, 1, 1, 4, 4, 4, 4, 1, 1, 2}, .what = "depthwise, pad beyond the kernel"},
	{.g = {1, 2, 12, 11, 2, 9, 8, 1, 1, 0, 0, 0, 0, 1, 1, 2}, .what = "depthwise, too many taps"},
	{.g = {2, 2, 4, 5, 3, 3, 3, 1, 1, 2, 1, 2, 1, 1, 1, 1}, .what = "as wide as the input, higher"},
	{.g = {2, 2, 6, 4, 3, 2, 5, 1, 1, 0, 4, 0, 0, 2, 1, 1}, .what = "as wide as the input, lower"},
	{.g = {1, 2, 3, 2, 3, 9, 5, 1, 1, 6, 2, 6, 2, 1, 1, 1}, .what = "as wide as the input, kernel beyond it"},
	{.g = {2, 2, 1, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1}, .what = "kernel larger than the input"},
};

static void run_conv(const void *self, float *y)
{
	const struct conv_case *t = self;
	mch_grad_conv_forward(&t->g, t->x, t->w, t->bias, t->scratch, y);
}

static size_t out_elems(const struct mch_conv *g)
{
	return (size_t)g->n * (size_t)g->k * (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
}

static struct conv_case conv_begin(int i)
{
	struct conv_case t = conv_cases[i];
	const struct mch_conv *g = &t.g;
	rng = mch_rng_seed((uint64_t)i + 1);
	t.x = numbers((size_t)g->n * (size_t)g->c * (size_t)g->h * (size_t)g->w);
	t.w = numbers((size_t)g->k * mch_conv_terms(g));
	t.bias = numbers((size_t)g->k);
	t.scratch = numbers(mch_grad_conv_scratch_elems(g));
	return t;
}

static void conv_end(struct conv_case *t)
{
	free(t->x), free(t->w), free(t->bias), free(t->scratch);
}

START_TEST(conv_forward)
{
	struct conv_case t = conv_begin(_i);
	const struct mch_conv *g = &t.g;
	const size_t n_terms = mch_conv_terms(g);
	float *y = numbers(out_elems(g)), *at = y;
	run_conv(&t, y);
	for (int n = 0; n < g->n; n++)
		for (int k = 0; k < g->k; k++)
			for (int p = 0; p < mch_conv_p(g); p++)
				for (int q = 0; q < mch_conv_q(g); q++) {
					double want = (double)t.bias[k];
					for (size_t term = 0; term < n_terms; term++) {
						const ptrdiff_t x = mch_conv_x_index(g, n, k, p, q, term);
						if (x >= 0)
							want += (double)t.x[x] * (double)t.w[(size_t)k * n_terms + term];
					}
					ck_assert_msg(fabs((double)*at - want) < 1e-5, "%s n=%d k=%d p=%d q=%d: %g, want %g",
						      t.what, n, k, p, q, (double)*at, want);
					at++;
				}
	ck_assert_int_gt(at - y, 0);
	free(y);
	conv_end(&t);
}
END_TEST

/* The slopes by the plain walk that defines a convolution. */
static void expect_slopes(const struct conv_case *t, const float *u, const float *dx, const float *dw)
{
	const struct mch_conv *g = &t->g;
	const size_t n_x = (size_t)g->n * (size_t)g->c * (size_t)g->h * (size_t)g->w, n_terms = mch_conv_terms(g);
	const size_t n_w = (size_t)g->k * n_terms, pixels = (size_t)mch_conv_p(g) * (size_t)mch_conv_q(g);
	double *want_x = calloc(n_x, sizeof(*want_x)), *want_w = calloc(n_w, sizeof(*want_w));
	ck_assert(want_x && want_w);
	for (size_t i = 0; i < out_elems(g); i++) {
		const int pixel = (int)(i % pixels), k = (int)(i / pixels) % g->k, n = (int)(i / pixels) / g->k;
		for (size_t term = 0; term < n_terms; term++) {
			const size_t w = (size_t)k * n_terms + term;
			const int p = pixel / mch_conv_q(g), q = pixel % mch_conv_q(g);
			const ptrdiff_t x = mch_conv_x_index(g, n, k, p, q, term);
			if (x < 0)
				continue;
			want_x[x] += (double)u[i] * (double)t->w[w];
			want_w[w] += (double)u[i] * (double)t->x[x];
		}
	}
	for (size_t i = 0; i < n_x; i++)
		ck_assert_msg(fabs((double)dx[i] - want_x[i]) < 1e-5, "%s: dx[%zu]", t->what, i);
	for (size_t i = 0; i < n_w; i++)
		ck_assert_msg(fabs((double)dw[i] - want_w[i]) < 1e-4, "%s: dw[%zu]", t->what, i);
	free(want_x), free(want_w);
}

START_TEST(conv_backward)
{
	struct conv_case t = conv_begin(_i);
	const struct mch_conv *g = &t.g;
	const size_t n_x = (size_t)g->n * (size_t)g->c * (size_t)g->h * (size_t)g->w;
	const size_t n_w = (size_t)g->k * mch_conv_terms(g), n_y = out_elems(g);
	float *u = numbers(n_y), *dx = numbers(n_x), *dw = numbers(n_w), *db = numbers((size_t)g->k);
	const struct subject f = {run_conv, &t, n_y};
	mch_grad_conv_backward(g, &(struct mch_grad_conv){t.x, t.w, u, t.scratch, dx, dw, db});
	expect_gradient("dx", &f, u, t.x, n_x, 0.5f, dx);
	expect_gradient("dw", &f, u, t.w, n_w, 0.5f, dw);
	expect_gradient("db", &f, u, t.bias, (size_t)g->k, 0.5f, db);

	expect_slopes(&t, u, dx, dw);

	/* The first layer of a net wants no dx, some layers have no bias: the rest must not change. */
	float *again = numbers(n_w);
	mch_grad_conv_backward(g, &(struct mch_grad_conv){t.x, t.w, u, t.scratch, NULL, again, NULL});
	for (size_t i = 0; i < n_w; i++)
		ck_assert(again[i] == dw[i]);
	free(u), free(dx), free(dw), free(db), free(again);
	conv_end(&t);
}
END_TEST

struct pool_case {
	struct mch_pool g;
	const char *what;
	float *x;
	int32_t *at; /* max only */
};

static const struct pool_case pool_cases[] = {
	{.g = {2, 3, 6, 8, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, false, false}, .what = "2x2"},
	{.g = {2, 2, 7, 6, 3, 2, 2, 1, 0, 0, 0, 0, 1, 1, false, false}, .what = "overlapping"},
	{.g = {1, 2, 7, 8, 3, 3, 2, 2, 0, 0, 0, 0, 1, 1, true, false}, .what = "ceil mode"},
	{.g = {2, 2, 7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, true, false}, .what = "pad, ceil mode"},
	{.g = {2, 2, 7, 6, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, true, true}, .what = "pad counts, ceil mode"},
	{.g = {2, 2, 5, 6, 3, 3, 1, 2, 1, 0, 2, 1, 1, 1, false, true}, .what = "uneven pad counts"},
	{.g = {2, 3, 4, 5, 4, 5, 1, 1, 0, 0, 0, 0, 1, 1, false, false}, .what = "global"},
	{.g = {2, 2, 8, 9, 3, 2, 2, 1, 2, 1, 1, 2, 2, 3, true, true}, .what = "holes, pad counts"},
	{.g = {1, 3, 7, 8, 2, 3, 1, 2, 0, 1, 0, 1, 3, 2, false, false}, .what = "holes"},
};

static void run_max(const void *self, float *y)
{
	const struct pool_case *t = self;
	mch_grad_pool_max_forward(&t->g, t->x, y, t->at);
}

static void run_avg(const void *self, float *y)
{
	const struct pool_case *t = self;
	mch_grad_pool_avg_forward(&t->g, t->x, y);
}

static size_t pool_out_elems(const struct mch_pool *g)
{
	return (size_t)g->n * (size_t)g->c * (size_t)mch_pool_p(g) * (size_t)mch_pool_q(g);
}

START_TEST(pool)
{
	struct pool_case t = pool_cases[_i];
	const struct mch_pool *g = &t.g;
	rng = mch_rng_seed((uint64_t)_i + 100);
	const size_t n_x = (size_t)g->n * (size_t)g->c * (size_t)g->h * (size_t)g->w, n_y = pool_out_elems(g);
	float *u = numbers(n_y), *dx = numbers(n_x), *y = numbers(n_y);
	t.x = distinct(n_x);
	t.at = calloc(n_y, sizeof(*t.at));

	run_max(&t, y);
	mch_grad_pool_max_backward(g, t.at, u, dx);
	expect_gradient("max dx", &(struct subject){run_max, &t, n_y}, u, t.x, n_x, 0.1f, dx);

	run_avg(&t, y);
	mch_grad_pool_avg_backward(g, u, dx);
	expect_gradient("average dx", &(struct subject){run_avg, &t, n_y}, u, t.x, n_x, 0.5f, dx);
	/* The values too: a constant stays itself, less what counted padding takes away. */
	for (size_t i = 0; i < n_x; i++)
		t.x[i] = 3;
	run_max(&t, y);
	ck_assert(y[0] == 3.0f && y[n_y - 1] == 3.0f);
	run_avg(&t, y);
	const struct mch_window rows = mch_pool_rows(g, 0), cols = mch_pool_cols(g, 0);
	const double inside = (double)mch_window_positions(&rows) * mch_window_positions(&cols);
	ck_assert_double_eq_tol((double)y[0], 3 * inside / ((double)rows.extent * cols.extent), 1e-5);
	free(u), free(dx), free(y), free(t.x), free(t.at);
}
END_TEST

START_TEST(max_takes_the_first_of_equals)
{
	const struct mch_pool g = {1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 1, 1, false, false};
	const float x[4] = {1, 5, 5, 5}, dy = 2;
	float y, dx[4];
	int32_t at;
	mch_grad_pool_max_forward(&g, x, &y, &at);
	mch_grad_pool_max_backward(&g, &at, &dy, dx);
	ck_assert(y == 5.0f && at == 1);
	ck_assert(dx[0] == 0.0f && dx[1] == 2.0f && dx[2] == 0.0f && dx[3] == 0.0f);
}
END_TEST

static float *relu_x;

static void run_relu(const void *self, float *y)
{
	mch_grad_relu_forward(*(const size_t *)self, relu_x, y);
}

START_TEST(relu)
{
	const size_t n = 37;
	rng = mch_rng_seed(7);
	relu_x = distinct(n);
	float *u = numbers(n), *dx = numbers(n);
	mch_grad_relu_backward(n, relu_x, u, dx);
	expect_gradient("relu dx", &(struct subject){run_relu, &n, n}, u, relu_x, n, 0.1f, dx);
	relu_x[0] = 0;
	mch_grad_relu_backward(n, relu_x, u, dx);
	ck_assert(dx[0] == 0.0f);
	free(u), free(dx), free(relu_x);
}
END_TEST

START_TEST(softmax_loss)
{
	enum { N = 5, CLASSES = 7 };
	float x[N * CLASSES], dx[N * CLASSES], unused[N * CLASSES];
	const int32_t labels[N] = {0, 6, 3, 3, 1};
	const float scale = 0.25f, step = 1e-2f;
	rng = mch_rng_seed(8);
	for (int i = 0; i < N * CLASSES; i++)
		x[i] = (float)(6 * mch_rng_real(&rng) - 3);
	mch_grad_softmax_loss(N, CLASSES, x, labels, 1, scale, dx);
	for (int i = 0; i < N * CLASSES; i++) {
		const float kept = x[i];
		x[i] = kept + step;
		const double high = mch_grad_softmax_loss(N, CLASSES, x, labels, 1, 1, unused);
		x[i] = kept - step;
		const double low = mch_grad_softmax_loss(N, CLASSES, x, labels, 1, 1, unused);
		x[i] = kept;
		/* The error of the quotient is step^2 / 6 times a third derivative below 1/4. */
		ck_assert_double_eq_tol((double)dx[i], (double)scale * (high - low) / (2 * (double)step), 2e-5);
	}
	/* Even scores: every class has the same chance. */
	for (int i = 0; i < CLASSES; i++)
		x[i] = 1000;
	ck_assert_double_eq_tol(mch_grad_softmax_loss(1, CLASSES, x, labels, 1, 1, dx), log(CLASSES), 1e-6);
	/* Far apart, beyond what exp() can hold. */
	x[0] = -1000;
	ck_assert_double_eq_tol(mch_grad_softmax_loss(1, CLASSES, x, labels, 1, 1, dx), 2000 + log(CLASSES - 1), 1e-3);
	ck_assert(dx[0] == -1.0f);
}
END_TEST

/* Both losses at temperatures, by difference quotients; the teacher's adds to what is there, and is 0 for its own answers. */
START_TEST(temperatures)
{
	enum { N = 4, CLASSES = 6, SIZE = N * CLASSES };
	float x[SIZE], z[SIZE], dx[SIZE], unused[SIZE] = {0};
	const int32_t labels[N] = {0, 5, 3, 3};
	const float step = 1e-2f;
	const double t = (double[]){0.5, 1, 4}[_i];
	rng = mch_rng_seed(8);
	for (int i = 0; i < SIZE; i++) {
		x[i] = (float)(6 * mch_rng_real(&rng) - 3);
		z[i] = (float)(6 * mch_rng_real(&rng) - 3);
	}
	mch_grad_softmax_loss(N, CLASSES, x, labels, t, 0.75f, dx);
	mch_grad_teacher_loss(N, CLASSES, x, z, t, 0.25f, dx);
	for (int i = 0; i < SIZE; i++) {
		const float kept = x[i];
		double loss[2];
		for (int side = 0; side < 2; side++) {
			x[i] = side ? kept + step : kept - step;
			loss[side] = 0.75 * mch_grad_softmax_loss(N, CLASSES, x, labels, t, 1, unused) +
				     0.25 * mch_grad_teacher_loss(N, CLASSES, x, z, t, 1, unused);
		}
		x[i] = kept;
		ck_assert_double_eq_tol((double)dx[i], (loss[1] - loss[0]) / (2 * (double)step), 2e-4);
	}
	ck_assert_double_eq_tol(mch_grad_teacher_loss(N, CLASSES, x, x, t, 1, unused), 0, 1e-12);
	ck_assert_double_gt(mch_grad_teacher_loss(N, CLASSES, x, z, t, 1, unused), 0.1);
}
END_TEST

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *make_suite(void)
{
	Suite *suite = suite_create("grad");
	TCase *cases = tcase_create("gradients");
	tcase_add_loop_test(cases, conv_forward, 0, N_OF(conv_cases));
	tcase_add_loop_test(cases, conv_backward, 0, N_OF(conv_cases));
	tcase_add_loop_test(cases, pool, 0, N_OF(pool_cases));
	tcase_add_test(cases, max_takes_the_first_of_equals);
	tcase_add_test(cases, relu);
	tcase_add_test(cases, softmax_loss);
	tcase_add_loop_test(cases, temperatures, 0, 3);
	suite_add_tcase(suite, cases);
	return suite;
}

int main(void)
{
	return check_main(make_suite);
}
