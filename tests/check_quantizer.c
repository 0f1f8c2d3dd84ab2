/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tuning: forward computes the very codes of the integer network, backward passes straight through what did not saturate. */
#include "train/quantizer.h"

#include <math.h>
#include <string.h>

#include "check_main.h"
#include "fast/snap.h"
#include "net/layer.h"
#include "random_graph.h"
#include "train/backprop.h"
#include "train/params.h"
#include "train/rows.h"

static float random_float(struct mch_rng *rng, int frac)
{
	const double wide = mch_rng_real(rng) * 6 - 3;
	return (float)ldexp(mch_rng_below(rng, 3) ? wide * 40000 : round(wide * 16) / 2, -frac);
}

/* Of every kind of number, every width, every rounding. */
START_TEST(snap_is_the_code_s_value)
{
	enum { N = 3000 }; /* so that formats of few codes are tabled, those of many not */
	struct mch_rng rng = mch_rng_seed(1);
	float x[N], y[N];
	uint8_t place[N];
	int n_saturated = 0;
	for (int trial = 0; trial < 1000; trial++) {
		const enum mch_number number = (enum mch_number)mch_rng_below(&rng, MCH_N_NUMBERS);
		const bool is_pow2 = number == MCH_POW2 || number == MCH_POW2_NO_ZERO;
		const int exp_bits = 1 + (int)mch_rng_below(&rng, 4);
		const struct mch_format f = {
			.bits = number == MCH_FIXED ? 1 + (int)mch_rng_below(&rng, 16)
				: is_pow2	    ? 2 + (int)mch_rng_below(&rng, 4)
						    : 2 + exp_bits + (int)mch_rng_below(&rng, 4),
			.frac = (int)mch_rng_below(&rng, 41) - 20,
			.is_signed = number != MCH_FIXED || mch_rng_below(&rng, 2),
			.number = number,
			.exp_bits = number == MCH_FIXED || is_pow2 ? 0 : exp_bits};
		const enum mch_round round = (enum mch_round)mch_rng_below(&rng, MCH_ROUND_STOCHASTIC);
		for (int i = 0; i < N; i++)
			x[i] = random_float(&rng, f.frac);
		for (int i = 0; i < N / 4; i++) { /* ends, codes, the middles between, and the floats beside them */
			const int64_t code = mch_format_min(f) + (int64_t)mch_rng_below(&rng, 1 << f.bits);
			const double at = mch_format_real(f, code > mch_format_max(f) ? mch_format_max(f) : code);
			const double step = (mch_rng_below(&rng, 2) ? at - mch_format_real(f, mch_format_max(f) - 1)
								    : ldexp(1, -f.frac)) / (1 + mch_rng_below(&rng, 2));
			x[i] = nextafterf((float)(at + step), (float[]){-INFINITY, (float)(at + step), INFINITY}[i % 3]);
		}
		x[0] = 0, x[1] = INFINITY, x[2] = -INFINITY, x[3] = -0.0f, x[4] = 1e-40f;
		memset(place, MCH_SNAP_INSIDE, sizeof(place));
		place[5] = MCH_SNAP_HELD;
		mch_snap(f, round, N, x, y, place);
		for (int i = 0; i < N; i++) {
			bool saturated;
			const double want = mch_format_real(f, mch_format_raw(f, (double)x[i], round, &saturated));
			const uint8_t where = !saturated		? MCH_SNAP_INSIDE
					      : (double)x[i] > want ? MCH_SNAP_ABOVE
								    : MCH_SNAP_BELOW;
			ck_assert_msg((double)y[i] == want && place[i] == (i == 5 ? MCH_SNAP_HELD : where),
				      "number %d, %d bits, frac %d, round %d, %a: %a, not %a", (int)number, f.bits, f.frac,
				      (int)round, (double)x[i], (double)y[i], want);
			n_saturated += saturated;
		}
	}
	ck_assert_int_gt(n_saturated, 10000);
	x[0] = NAN;
	mch_snap((struct mch_format){8, 0, true, MCH_FIXED, 0}, MCH_ROUND_HALF_EVEN, 1, x, y, place);
	ck_assert(isnan(y[0]));
}
END_TEST

/* Training can take it: all kinds have rows, and the logits are where the integers end. */
static bool is_trainable(const struct mch_net *net)
{
	const struct mch_layer *last = &net->layers[net->n_layers - 1];
	const bool is_softmax = last->kind == MCH_SOFTMAX || last->kind == MCH_LOG_SOFTMAX;
	for (int i = 0; i < net->n_layers - is_softmax; i++)
		if (!mch_rows[net->layers[i].kind].forward)
			return false;
	return mch_net_integer_end(net, NULL) == (is_softmax ? last->in[0] : net->output);
}

/* Fractions for the channels of some layers; for qnet the layer's own is the smallest. */
static void split_channels(struct mch_rng *rng, const struct mch_net *net, struct mch_quant *quant)
{
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer_quant *lq = &quant->layer[i];
		if (mch_layer_form(&net->layers[i]) != MCH_FORM_MAC || mch_rng_below(rng, 2))
			continue;
		const int n = net->layers[i].conv.k;
		ck_assert_int_eq(mch_layer_quant_split(lq, n, lq->weights.frac), 0);
		for (int k = 1; k < n; k++)
			lq->channel_frac[k] = (int8_t)(lq->weights.frac + (int)mch_rng_below(rng, 3));
		lq->acc.bits = 0;
	}
}

/* Values compared: 0 when the graph's sums are too wide for a float. Weights lie off their grids. */
static size_t compare_forward(uint64_t seed, bool is_by_lot)
{
	enum { N = 3 };
	const struct random_format narrow = {.in_bits_max = 6, .weight_bits_max = 6, .has_numbers = seed % 2};
	struct mch_rng rng = mch_rng_seed(seed);
	struct mch_err err = {""};
	struct mch_net net;
	struct mch_quant quant, of_twin;
	struct mch_qnet q;
	const char *names[64];
	size_t n_values = 0;
	random_graph(&rng, &net);
	random_graph_quant(&rng, &narrow, &net, &quant);
	split_channels(&rng, &net, &quant);
	for (int i = 0; i < net.n_layers; i++)
		for (size_t j = 0; mch_layer_form(&net.layers[i]) == MCH_FORM_MAC && j < net.layers[i].n_weights; j++)
			net.layers[i].weights[j] *= (float)(1 + 0.2 * mch_rng_real(&rng));
	struct mch_quantizer *z = is_trainable(&net) ? mch_quantizer_new(&net, &quant, &err) : NULL;
	if (z && is_by_lot)
		mch_quantizer_round_by_lot(z, seed);
	if (z && mch_quantizer_inexact(z, names, &err) == 0) {
		const struct mch_net *twin = mch_quantizer_net(z);
		ck_assert_int_eq(mch_quant_copy(&of_twin, &quant, &err), 0);
		ck_assert_msg(mch_qnet_build(&q, is_by_lot ? twin : &net, &of_twin, &err) == 0, "%s", err.text);
		struct mch_backprop *b = mch_backprop_new(twin, z, N, &err);
		ck_assert_ptr_nonnull(b);
		const size_t n_in = N * mch_shape_elems(net.edges[net.input].shape);
		const size_t n_out = N * mch_shape_elems(net.edges[q.output].shape);
		int32_t *x = malloc(n_in * sizeof(*x)), *want = malloc(n_out * sizeof(*want));
		float *input = mch_backprop_input(b);
		for (size_t i = 0; i < n_in; i++) {
			input[i] = random_float(&rng, q.input_format.frac + 12);
			x[i] = (int32_t)mch_format_raw(q.input_format, (double)input[i], MCH_ROUND_HALF_EVEN, NULL);
		}
		ck_assert_int_eq(mch_qnet_run(&q, N, x, want, NULL, NULL, &err), 0);
		const float *got = mch_backprop_logits(b, N);
		for (size_t i = 0; i < n_out; i++) {
			const double real = mch_format_real(quant.edge[q.output], want[i]);
			ck_assert_msg((double)got[i] == real, "seed %llu, value %zu: %g, not %g", (unsigned long long)seed, i,
				      (double)got[i], real);
		}
		n_values = n_out;
		free(x), free(want);
		mch_backprop_free(b);
		mch_qnet_free(&q);
		mch_quant_free(&of_twin);
	}
	mch_quantizer_free(z);
	mch_quant_free(&quant);
	mch_net_free(&net);
	return n_values;
}

START_TEST(forward_is_the_integer_network)
{
	int n_compared[2] = {0}; /* fixed point, other numbers */
	for (uint64_t seed = 1; seed <= 800; seed++)
		n_compared[seed % 2] += compare_forward(seed, seed % 8 < 2) > 0;
	ck_assert_msg(n_compared[0] > 120 && n_compared[1] > 30, "only %d and %d graphs were compared", n_compared[0],
		      n_compared[1]);
}
END_TEST

/* dense 3 -> 4, ReLU, dense 4 -> 2, in few bits. */
enum { X = 3, H = 4, Y = 2 };

struct small {
	struct mch_net net;
	struct mch_quant quant;
};

static void make_small(struct small *s, struct mch_rng *rng)
{
	struct mch_err err = {""};
	mch_net_init(&s->net);
	s->net.input = mch_net_add_edge(&s->net, "data", (struct mch_shape){1, X, 1, 1}, &err);
	ck_assert_int_eq(mch_net_add_layer(&s->net, "fc1", MCH_DENSE, s->net.input, NULL, &err), 0);
	ck_assert_int_eq(mch_net_add_layer(&s->net, "relu", MCH_RELU, s->net.layers[0].out[0], NULL, &err), 1);
	ck_assert_int_eq(mch_net_add_layer(&s->net, "fc2", MCH_DENSE, s->net.layers[1].out[0], NULL, &err), 2);
	s->net.layers[0].conv = mch_dense_geometry(1, 1, H);
	s->net.layers[2].conv = mch_dense_geometry(1, 1, Y);
	ck_assert_msg(mch_net_infer(&s->net, &err) == 0, "%s", err.text);
	ck_assert_int_eq(mch_quant_init(&s->quant, &s->net, &err), 0);
	for (int i = 0; i < 3; i += 2) {
		struct mch_layer *layer = &s->net.layers[i];
		ck_assert_int_eq(mch_layer_alloc(layer, 1, &err), 0);
		for (size_t j = 0; j < layer->n_weights; j++)
			layer->weights[j] = (float)(mch_rng_real(rng) * 3 - 1.5); /* s3.1 ends at 1.5 and -2 */
		for (size_t j = 0; j < layer->n_bias; j++)
			layer->bias[j] = (float)(mch_rng_real(rng) - 0.5);
		s->quant.layer[i].weights = (struct mch_format){3, 1, true, MCH_FIXED, 0};
	}
	s->net.layers[0].weights[0] = 2.25f; /* beyond the end */
	s->quant.edge[0] = (struct mch_format){4, 2, true, MCH_FIXED, 0};
	s->quant.edge[1] = s->quant.edge[2] = (struct mch_format){3, 1, false, MCH_FIXED, 0}; /* 0 .. 3.5 */
	s->quant.edge[3] = (struct mch_format){5, 1, true, MCH_FIXED, 0};
}

static void free_small(struct small *s)
{
	mch_quant_free(&s->quant);
	mch_net_free(&s->net);
}

/* *way: 0 inside; 1 above, -1 below: the sign of slopes that lead back. */
static double code_value(int bits, int frac, bool is_signed, double real, int *way)
{
	const double low = is_signed ? -ldexp(1, bits - 1) : 0, high = ldexp(1, bits - is_signed) - 1;
	const double code = nearbyint(ldexp(real, frac));
	*way = (code > high) - (code < low);
	return ldexp(code < low ? low : code > high ? high : code, -frac);
}

/* The gradient of one image, written out: what passes, passes as if nothing had been rounded. */
static void slow_gradient(const struct small *s, const float *image, int label, double *gradient)
{
	const struct mch_layer *one = &s->net.layers[0], *two = &s->net.layers[2];
	double x[X], h[H], z[Y], dz[Y], *dw1 = gradient, *db1 = dw1 + H * X, *dw2 = db1 + H, *db2 = dw2 + Y * H, sum = 0;
	int h_way[H], z_way[Y], unused;
	bool h_is_held[H];
	for (int i = 0; i < X; i++)
		x[i] = code_value(4, 2, true, (double)image[i], &unused);
	for (int k = 0; k < H; k++) {
		double acc = code_value(48, 3, true, (double)one->bias[k], &unused);
		for (int i = 0; i < X; i++)
			acc += x[i] * code_value(3, 1, true, (double)one->weights[k * X + i], &unused);
		h[k] = code_value(3, 1, false, fmax(acc, 0), &h_way[k]);
		h_is_held[k] = acc <= 0;
	}
	for (int k = 0; k < Y; k++) {
		double acc = code_value(48, 2, true, (double)two->bias[k], &unused);
		for (int i = 0; i < H; i++)
			acc += h[i] * code_value(3, 1, true, (double)two->weights[k * H + i], &unused);
		z[k] = code_value(5, 1, true, acc, &z_way[k]);
	}
	for (int k = 0; k < Y; k++)
		sum += exp(z[k]);
	for (int k = 0; k < Y; k++) {
		dz[k] = exp(z[k]) / sum - (k == label);
		dz[k] = dz[k] * z_way[k] < 0 ? 0 : dz[k];
		db2[k] += dz[k];
		for (int i = 0; i < H; i++)
			dw2[k * H + i] += dz[k] * h[i];
	}
	for (int k = 0; k < H; k++) {
		double dh = 0;
		for (int i = 0; i < Y && !h_is_held[k]; i++)
			dh += dz[i] * code_value(3, 1, true, (double)two->weights[i * H + k], &unused);
		dh = dh * h_way[k] < 0 ? 0 : dh;
		db1[k] += dh;
		for (int i = 0; i < X; i++)
			dw1[k * X + i] += dh * x[i];
	}
}

START_TEST(gradient_goes_straight_through)
{
	enum { N = 8, N_PARAMS = H * X + H + Y * H + Y };
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed((uint64_t)_i + 1);
	struct small s;
	make_small(&s, &rng);
	struct mch_quantizer *q = mch_quantizer_new(&s.net, &s.quant, &err);
	ck_assert_msg(q, "%s", err.text);
	struct mch_backprop *b = mch_backprop_new(mch_quantizer_net(q), q, N, &err);
	ck_assert_ptr_nonnull(b);
	double want[N_PARAMS] = {0};
	float got[N_PARAMS], moments[1], image[N][X];
	int32_t labels[N];
	for (int i = 0; i < N; i++) {
		labels[i] = (int32_t)mch_rng_below(&rng, Y);
		for (int j = 0; j < X; j++)
			image[i][j] = (float)(mch_rng_real(&rng) * 5 - 2.5);
		slow_gradient(&s, image[i], labels[i], want);
	}
	ck_assert_uint_eq(mch_params_of_net(&s.net), N_PARAMS);
	memcpy(mch_backprop_input(b), image, sizeof(image));
	mch_backprop_run(b, &(struct mch_backprop_shard){.n = N, .labels = labels, .gradient = got, .moments = moments,
						    .loss = {NULL, 0, 1}});
	for (int i = 0; i < N_PARAMS; i++)
		ck_assert_msg(fabs((double)got[i] - want[i]) < 1e-5, "parameter %d: %g, not %g", i, (double)got[i], want[i]);
	for (int i = 0; i < H * X; i++)
		ck_assert_int_eq(mch_quantizer_places(q)[i], s.net.layers[0].weights[i] >= 1.75f ? MCH_SNAP_ABOVE
											      : MCH_SNAP_INSIDE);
	ck_assert_int_eq(mch_quantizer_places(q)[0], MCH_SNAP_ABOVE);
	mch_backprop_free(b);
	mch_quantizer_free(q);
	free_small(&s);
}
END_TEST

/* Up or down by lot: a neighbour, the mean is kept, the seed decides. */
START_TEST(rounding_by_lot)
{
	enum { N = 4000 };
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(7);
	struct small s;
	make_small(&s, &rng);
	struct mch_quantizer *q = mch_quantizer_new(&s.net, &s.quant, &err);
	ck_assert_msg(q, "%s", err.text);
	const float *shadow = s.net.layers[2].weights, *twin = mch_quantizer_net(q)->layers[2].weights;
	float first[Y * H];
	double sum[Y * H] = {0};
	for (int i = 0; i < N; i++) {
		mch_quantizer_round_by_lot(q, (uint64_t)i);
		for (int j = 0; j < Y * H; j++) {
			sum[j] += (double)twin[j];
			ck_assert(fabsf(twin[j] - shadow[j]) < 0.5f);
		}
		if (i == 0)
			memcpy(first, twin, sizeof(first));
	}
	for (int j = 0; j < Y * H; j++)
		ck_assert_msg(fabs(sum[j] / N - (double)shadow[j]) < 0.03, "mean %g of %g", sum[j] / N, (double)shadow[j]);
	ck_assert(memcmp(first, twin, sizeof(first)) != 0);
	mch_quantizer_round_by_lot(q, 0);
	ck_assert(memcmp(first, twin, sizeof(first)) == 0);
	mch_quantizer_round(q);
	for (int j = 0; j < Y * H; j++)
		ck_assert(twin[j] == rintf(shadow[j] * 2) / 2);
	mch_quantizer_free(q);
	free_small(&s);
}
END_TEST

/* Wide sums and narrow accumulators are named. */
START_TEST(what_is_not_exact_is_named)
{
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(7);
	const char *names[3];
	struct small s;
	make_small(&s, &rng);
	struct mch_quantizer *q = mch_quantizer_new(&s.net, &s.quant, &err);
	ck_assert_int_eq(mch_quantizer_inexact(q, names, &err), 0);
	mch_quantizer_free(q);
	s.quant.layer[2].acc = (struct mch_acc){3, MCH_SATURATE};
	s.quant.edge[0] = (struct mch_format){16, 14, true, MCH_FIXED, 0};
	s.quant.layer[0].weights = (struct mch_format){16, 13, true, MCH_FIXED, 0};
	q = mch_quantizer_new(&s.net, &s.quant, &err);
	ck_assert_int_eq(mch_quantizer_inexact(q, names, &err), 2);
	ck_assert_str_eq(names[0], "fc1");
	ck_assert_str_eq(names[1], "fc2");
	mch_quantizer_free(q);
	s.quant.layer[0].weights.bits = 17;
	ck_assert_ptr_null(mch_quantizer_new(&s.net, &s.quant, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "fc1"));
	free_small(&s);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {snap_is_the_code_s_value, forward_is_the_integer_network, rounding_by_lot,
					     what_is_not_exact_is_named};
	Suite *s = CHECK_SUITE("quantizer", tests);
	TCase *many = tcase_create("gradient");
	tcase_add_loop_test(many, gradient_goes_straight_through, 0, 20);
	suite_add_tcase(s, many);
	return s;
}

int main(void)
{
	return check_main(suite);
}
