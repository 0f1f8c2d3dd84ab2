/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX operators on tensors of any rank: random shapes against loops that know nothing of images. */
#include "check_main.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "io/onnx_read.h"
#include "onnx_text.h"

enum { RANK_MAX = 6, ELEMS_MAX = 4096, N_ROUNDS = 300 };

struct tensor {
	int rank, dims[RANK_MAX], n;
	float v[ELEMS_MAX];
};

static struct mch_rng rng;

static int below(int n)
{
	return (int)mch_rng_below(&rng, (uint32_t)n);
}

static void random_tensor(struct tensor *t, int rank, const int *dims)
{
	t->rank = rank;
	t->n = 1;
	for (int i = 0; i < rank; i++)
		t->n *= t->dims[i] = dims ? dims[i] : 1 + below(4);
	for (int i = 0; i < t->n; i++)
		t->v[i] = (float)(below(2000) - 1000) / 256;
}

/* The index of element i in each dimension, and back. */
static void unravel(const struct tensor *t, int i, int *at)
{
	for (int d = t->rank - 1; d >= 0; d--) {
		at[d] = i % t->dims[d];
		i /= t->dims[d];
	}
}

static int ravel(const struct tensor *t, const int *at)
{
	int i = 0;
	for (int d = 0; d < t->rank; d++)
		i = i * t->dims[d] + at[d];
	return i;
}

static const char *dims_text(const struct tensor *t, char *text)
{
	text[0] = '\0';
	for (int d = 0; d < t->rank; d++)
		sprintf(text + strlen(text), "%s%d", d ? "x" : "", t->dims[d]);
	return text;
}

/* Reads the model without a batch and runs it on x (and z, when given); 0, or -1 when it is refused. */
static int run(const char *model, const struct tensor *x, struct tensor *z, struct tensor *y, struct mch_err *err)
{
	const struct mch_onnx_options options = {.no_batch = true};
	struct mch_net net;
	size_t n;
	uint8_t *bytes = onnx_text_model(model, &n);
	const int status = mch_onnx_parse_options("net", bytes, n, &options, &net, err);
	free(bytes);
	if (status != 0)
		return -1;
	float **values = calloc((size_t)net.n_edges, sizeof(*values));
	ck_assert_ptr_nonnull(values);
	for (int e = 0; e < net.n_edges; e++)
		if (net.edges[e].producer < 0 && e != net.input)
			values[e] = z->v;
	y->n = (int)mch_shape_elems(net.edges[net.output].shape);
	values[net.output] = y->v;
	ck_assert_int_eq(mch_net_run_f32(&net, 1, x->v, values, err), 0);
	free(values);
	mch_net_free(&net);
	return 0;
}

static void expect(const char *model, const struct tensor *want, const struct tensor *got)
{
	ck_assert_msg(want->n == got->n, "%s: %d elements, %d expected", model, got->n, want->n);
	for (int i = 0; i < want->n; i++)
		ck_assert_msg(fabsf(want->v[i] - got->v[i]) <= 1e-5f + 1e-5f * fabsf(want->v[i]),
			      "%s: element %d is %g, %g expected", model, i, (double)got->v[i], (double)want->v[i]);
}

START_TEST(transposes)
{
	static struct tensor x, want, y;
	struct mch_err err = {""};
	char model[512], text[64], perm[64] = "";
	for (int round = 0; round < N_ROUNDS; round++) {
		int order[RANK_MAX] = {0}, at[RANK_MAX], from[RANK_MAX];
		random_tensor(&x, 1 + below(RANK_MAX), NULL);
		want.rank = x.rank;
		want.n = x.n;
		for (int i = 0; i < x.rank; i++) {
			const int j = below(i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		perm[0] = '\0';
		for (int i = 0; i < x.rank; i++) {
			want.dims[i] = x.dims[order[i]];
			sprintf(perm + strlen(perm), "%s%d", i ? "," : "", order[i]);
		}
		for (int i = 0; i < want.n; i++) {
			unravel(&want, i, at);
			for (int d = 0; d < x.rank; d++)
				from[order[d]] = at[d];
			want.v[i] = x.v[ravel(&x, from)];
		}
		snprintf(model, sizeof(model), "in x %s; Transpose x -> y perm=[%s]; out y", dims_text(&x, text),
			 perm);
		ck_assert_msg(run(model, &x, NULL, &y, &err) == 0, "%s: %s", model, err.text);
		expect(model, &want, &y);
	}
}
END_TEST

START_TEST(broadcasts)
{
	static struct tensor x, z, want, y;
	struct mch_err err = {""};
	char model[512], text[64], text_z[64];
	int n_done = 0;
	for (int round = 0; round < N_ROUNDS; round++) {
		int dims[RANK_MAX], at[RANK_MAX], of_x[RANK_MAX], of_z[RANK_MAX];
		const int rank = 1 + below(5), rank_z = 1 + below(rank);
		random_tensor(&want, rank, NULL);
		for (int i = 0; i < rank; i++)
			dims[i] = i < rank - rank_z || below(3) ? want.dims[i] : 1;
		random_tensor(&x, rank, dims);
		for (int i = 0; i < rank_z; i++) {
			const int side = want.dims[rank - rank_z + i],
				  is_one = dims[rank - rank_z + i] == side && !below(3);
			dims[rank - rank_z + i] = is_one ? 1 : side;
		}
		random_tensor(&z, rank_z, dims + rank - rank_z);
		for (int i = 0; i < want.n; i++) {
			unravel(&want, i, at);
			for (int d = 0; d < rank; d++)
				of_x[d] = x.dims[d] == 1 ? 0 : at[d];
			for (int d = 0; d < rank_z; d++)
				of_z[d] = z.dims[d] == 1 ? 0 : at[d + rank - rank_z];
			want.v[i] = x.v[ravel(&x, of_x)] - z.v[ravel(&z, of_z)];
		}
		snprintf(model, sizeof(model), "in x %s; in z %s; Sub x z -> y; out y", dims_text(&x, text),
			 dims_text(&z, text_z));
		if (run(model, &x, &z, &y, &err) == 0) {
			expect(model, &want, &y);
			n_done++;
		} else {
			ck_assert_msg(strstr(err.text, "separate runs of dimensions") != NULL, "%s: %s", model,
				      err.text);
		}
	}
	ck_assert_int_gt(n_done, N_ROUNDS / 2);
}
END_TEST

START_TEST(reduces)
{
	static struct tensor x, want, y;
	struct mch_err err = {""};
	char model[512], text[64], axes[64];
	for (int round = 0; round < N_ROUNDS; round++) {
		int at[RANK_MAX], n_share = 1;
		random_tensor(&x, 1 + below(5), NULL);
		want = x;
		want.n = 1;
		axes[0] = '\0';
		for (int d = 0; d < x.rank; d++) {
			if (d == 0 || below(2)) {
				n_share *= x.dims[d];
				want.dims[d] = 1;
				sprintf(axes + strlen(axes), "%s%d", axes[0] ? "," : "", d - (below(2) ? x.rank : 0));
			}
			want.n *= want.dims[d];
		}
		memset(want.v, 0, sizeof(want.v));
		for (int i = 0; i < x.n; i++) {
			unravel(&x, i, at);
			for (int d = 0; d < x.rank; d++)
				at[d] = want.dims[d] == 1 ? 0 : at[d];
			want.v[ravel(&want, at)] += x.v[i] / (float)n_share;
		}
		snprintf(model, sizeof(model), "in x %s; ReduceMean x -> y axes=[%s] keepdims=%d; out y",
			 dims_text(&x, text), axes, below(2));
		ck_assert_msg(run(model, &x, NULL, &y, &err) == 0, "%s: %s", model, err.text);
		expect(model, &want, &y);
	}
}
END_TEST

START_TEST(joins)
{
	static struct tensor x, z, want, y;
	struct mch_err err = {""};
	char model[512], text[64], text_z[64];
	for (int round = 0; round < N_ROUNDS; round++) {
		int at[RANK_MAX];
		random_tensor(&x, 1 + below(5), NULL);
		z = x;
		const int axis = below(x.rank);
		z.dims[axis] = 1 + below(3);
		random_tensor(&z, z.rank, z.dims);
		want = x;
		want.dims[axis] += z.dims[axis];
		want.n = x.n + z.n;
		for (int i = 0; i < want.n; i++) {
			unravel(&want, i, at);
			const bool is_second = at[axis] >= x.dims[axis];
			at[axis] -= is_second ? x.dims[axis] : 0;
			want.v[i] = is_second ? z.v[ravel(&z, at)] : x.v[ravel(&x, at)];
		}
		snprintf(model, sizeof(model), "in x %s; in z %s; Concat x z -> y axis=%d; out y",
			 dims_text(&x, text), dims_text(&z, text_z), axis);
		ck_assert_msg(run(model, &x, &z, &y, &err) == 0, "%s: %s", model, err.text);
		expect(model, &want, &y);
	}
}
END_TEST

START_TEST(normalizes)
{
	static struct tensor x, want, y;
	struct mch_err err = {""};
	char model[512], text[64];
	for (int round = 0; round < N_ROUNDS; round++) {
		int at[RANK_MAX];
		random_tensor(&x, 1 + below(5), NULL);
		want = x;
		const int axis = below(x.rank);
		for (int i = 0; i < x.n; i++) {
			double sum = 0;
			unravel(&x, i, at);
			for (at[axis] = 0; at[axis] < x.dims[axis]; at[axis]++)
				sum += exp((double)x.v[ravel(&x, at)]);
			want.v[i] = (float)(exp((double)x.v[i]) / sum);
		}
		snprintf(model, sizeof(model), "in x %s; Softmax x -> y axis=%d; out y", dims_text(&x, text), axis);
		ck_assert_msg(run(model, &x, NULL, &y, &err) == 0, "%s: %s", model, err.text);
		expect(model, &want, &y);
	}
}
END_TEST

static void setup(void)
{
	rng = mch_rng_seed(3);
}

static Suite *suite(void)
{
	Suite *s = suite_create("onnx_tensors");
	TCase *c = tcase_create("onnx_tensors");
	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, transposes);
	tcase_add_test(c, broadcasts);
	tcase_add_test(c, reduces);
	tcase_add_test(c, joins);
	tcase_add_test(c, normalizes);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return check_main(suite);
}
