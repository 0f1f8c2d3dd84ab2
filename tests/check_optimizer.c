/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Steps of momentum and Adam against their formulas, and whole runs of tuning: threads, checkpoints. */
#include "train/optimizer.h"

#include <math.h>
#include <string.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/rng.h"
#include "check_main.h"
#include "fast/snap.h"
#include "train/checkpoint.h"
#include "train/params.h"
#include "train/sgd.h"

enum { SIDE = 4, HIDDEN = 300, N_CLASSES = 3, N_IMAGES = 50 };

/* Wide enough that threads share an update. */
static void make_net(struct mch_net *net, uint64_t seed)
{
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(seed);
	mch_net_init(net);
	net->input = mch_net_add_edge(net, "data", (struct mch_shape){1, 1, SIDE, SIDE}, &err);
	ck_assert_int_eq(mch_net_add_layer(net, "fc1", MCH_DENSE, net->input, NULL, &err), 0);
	ck_assert_int_eq(mch_net_add_layer(net, "relu", MCH_RELU, net->layers[0].out[0], NULL, &err), 1);
	ck_assert_int_eq(mch_net_add_layer(net, "fc2", MCH_DENSE, net->layers[1].out[0], NULL, &err), 2);
	net->layers[0].conv = mch_dense_geometry(1, 1, HIDDEN);
	net->layers[2].conv = mch_dense_geometry(1, 1, N_CLASSES);
	ck_assert_msg(mch_net_infer(net, &err) == 0, "%s", err.text);
	for (int i = 0; i < 3; i += 2) {
		ck_assert_int_eq(mch_layer_alloc(&net->layers[i], 1, &err), 0);
		for (size_t j = 0; j < net->layers[i].n_weights; j++)
			net->layers[i].weights[j] = (float)(mch_rng_real(&rng) - 0.5) / 4;
	}
}

/* The formulas of optimizer.h in double, one parameter. */
static void slow_step(const struct mch_update *u, double g, bool is_decayed, double *w, double *v, double *s)
{
	const double decay = is_decayed ? u->decay : 0;
	if (u->optimizer == MCH_OPTIMIZER_MOMENTUM) {
		*v = u->momentum * *v + g + decay * *w;
		*w -= u->rate * *v;
		return;
	}
	*v = u->momentum * *v + (1 - u->momentum) * g;
	*s = MCH_ADAM_BETA2 * *s + (1 - MCH_ADAM_BETA2) * g * g;
	const double m_hat = *v / (1 - pow(u->momentum, (double)u->step)), s_hat = *s / (1 - pow(0.999, (double)u->step));
	*w -= u->rate * (m_hat / (sqrt(s_hat) + 1e-8) + decay * *w);
}

START_TEST(steps_are_the_formula)
{
	enum { N_STEPS = 30, N_SHARDS = 3 };
	struct mch_net net;
	struct mch_rng rng = mch_rng_seed(3);
	make_net(&net, 1);
	const size_t n = mch_params_of_net(&net), n_first = net.layers[0].n_weights;
	float *velocity = calloc(n, sizeof(float)), *square = calloc(n, sizeof(float)), *gradient[N_SHARDS];
	double *w = calloc(n, sizeof(double)), *v = calloc(n, sizeof(double)), *s = calloc(n, sizeof(double));
	uint8_t *place = malloc(n);
	for (int i = 0; i < N_SHARDS; i++)
		gradient[i] = malloc(n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		place[i] = (uint8_t)mch_rng_below(&rng, 4);
	for (size_t i = 0; i < n_first; i++)
		w[i] = (double)net.layers[0].weights[i];
	for (int step = 1; step <= N_STEPS; step++) {
		struct mch_update u = {.optimizer = _i % 2 ? MCH_OPTIMIZER_ADAM : MCH_OPTIMIZER_MOMENTUM, .rate = 0.01,
				       .momentum = 0.8, .decay = 0.1, .step = step, .n_images = 7, .n_shards = N_SHARDS,
				       .place = _i / 2 ? place : NULL};
		for (size_t i = 0; i < n; i++) {
			double g = 0;
			for (int j = 0; j < N_SHARDS; j++) {
				gradient[j][i] = (float)(mch_rng_real(&rng) * 4 - 2);
				g += (double)gradient[j][i] / 7;
			}
			if (u.place && place[i] != MCH_SNAP_INSIDE && (place[i] == MCH_SNAP_HELD || (place[i] == MCH_SNAP_ABOVE) == (g < 0)))
				g = 0;
			if (i < n_first)
				slow_step(&u, g, true, &w[i], &v[i], &s[i]);
		}
		for (int j = 0; j < N_SHARDS; j++)
			u.gradient[j] = gradient[j];
		mch_update(&net, &u, velocity, u.optimizer == MCH_OPTIMIZER_ADAM ? square : NULL);
		for (size_t i = 0; i < n_first; i++)
			ck_assert_msg(fabs((double)net.layers[0].weights[i] - w[i]) < 2e-5, "step %d, weight %zu: %g, not %g", step,
				      i, (double)net.layers[0].weights[i], w[i]);
	}
	for (int i = 0; i < N_SHARDS; i++)
		free(gradient[i]);
	free(velocity), free(square), free(w), free(v), free(s), free(place);
	mch_net_free(&net);
}
END_TEST

/* The class is the brightest third. */
static struct mch_dataset make_data(void)
{
	static const struct mch_transform transform = {.scale = 1.0 / 128};
	struct mch_rng rng = mch_rng_seed(9);
	struct mch_dataset data = {.n_images = N_IMAGES, .n_classes = N_CLASSES, .shape = {1, 1, SIDE, SIDE},
				   .transform = &transform};
	data.name = strdup("thirds");
	data.pixels = malloc(N_IMAGES * SIDE * SIDE);
	data.labels = malloc(N_IMAGES * sizeof(*data.labels));
	for (int i = 0; i < N_IMAGES; i++) {
		data.labels[i] = i % N_CLASSES;
		for (int p = 0; p < SIDE * SIDE; p++)
			data.pixels[i * SIDE * SIDE + p] =
				(uint8_t)(mch_rng_below(&rng, 90) + (p * N_CLASSES / (SIDE * SIDE) == i % N_CLASSES ? 150 : 0));
	}
	return data;
}

/* A run of tuning: its own shadow. */
struct trial {
	struct mch_net net, teacher;
	struct mch_quant quant;
	struct mch_quantizer *quantizer;
	struct mch_sgd *sgd;
	struct mch_err err;
};

static void begin(struct trial *t, const struct mch_dataset *data, enum mch_optimizer optimizer)
{
	make_net(&t->net, 1);
	make_net(&t->teacher, 2);
	t->err.text[0] = '\0';
	ck_assert_int_eq(mch_quant_init(&t->quant, &t->net, &t->err), 0);
	t->quant.edge[0] = (struct mch_format){4, 3, false, MCH_FIXED, 0};
	t->quant.edge[1] = t->quant.edge[2] = (struct mch_format){4, 3, false, MCH_FIXED, 0};
	t->quant.edge[3] = (struct mch_format){6, 2, true, MCH_FIXED, 0};
	t->quant.layer[0].weights = t->quant.layer[2].weights = (struct mch_format){4, 6, true, MCH_POW2, 0};
	t->quantizer = mch_quantizer_new(&t->net, &t->quant, &t->err);
	ck_assert_msg(t->quantizer, "%s", t->err.text);
	const struct mch_sgd_config config = {
		.n_epochs = 6, .batch = 16, .n_images = N_IMAGES, .rate = optimizer == MCH_OPTIMIZER_ADAM ? 0.003 : 0.03,
		.momentum = 0.9, .decay = 1e-3, .policy = MCH_POLICY_STEP, .seed = 3,
		.optimizer = optimizer, .quantizer = t->quantizer, .is_by_lot = optimizer == MCH_OPTIMIZER_ADAM,
		.teacher = &t->teacher, .share = 0.1, .temperature = 2};
	t->sgd = mch_sgd_new(&t->net, data, &config, &t->err);
	ck_assert_msg(t->sgd, "%s", t->err.text);
}

static void steps(struct trial *t, int n)
{
	for (int i = 0; i != n && !mch_sgd_is_done(t->sgd); i++)
		ck_assert_msg(mch_sgd_step(t->sgd, &t->err) == 0, "%s", t->err.text);
}

static void end(struct trial *t)
{
	mch_sgd_free(t->sgd);
	mch_quantizer_free(t->quantizer);
	mch_quant_free(&t->quant);
	mch_net_free(&t->net);
	mch_net_free(&t->teacher);
}

static void expect_same(const struct trial *a, const struct trial *b)
{
	for (int i = 0; i < 3; i += 2) {
		const struct mch_layer *x = &a->net.layers[i], *y = &b->net.layers[i];
		ck_assert(memcmp(x->weights, y->weights, x->n_weights * sizeof(float)) == 0);
		ck_assert(memcmp(x->bias, y->bias, x->n_bias * sizeof(float)) == 0);
	}
	ck_assert(mch_sgd_state(a->sgd)->loss == mch_sgd_state(b->sgd)->loss);
}

static const enum mch_optimizer optimizers[] = {MCH_OPTIMIZER_MOMENTUM, MCH_OPTIMIZER_ADAM};

START_TEST(it_learns_with_any_number_of_threads)
{
	struct mch_dataset data = make_data();
	struct trial one, two;
#ifdef _OPENMP
	omp_set_num_threads(1);
#endif
	begin(&one, &data, optimizers[_i]);
	steps(&one, 4);
	const double first = mch_sgd_state(one.sgd)->loss;
	steps(&one, -1);
	ck_assert_msg(mch_sgd_state(one.sgd)->loss < first && mch_sgd_state(one.sgd)->n_right > 40, "%lld of %d right",
		      (long long)mch_sgd_state(one.sgd)->n_right, N_IMAGES);
#ifdef _OPENMP
	omp_set_num_threads(3);
#endif
	begin(&two, &data, optimizers[_i]);
	steps(&two, -1);
	expect_same(&one, &two);
	end(&one), end(&two);
	mch_dataset_free(&data);
}
END_TEST

START_TEST(checkpoint_goes_on)
{
	static const char identity[] = "network=small\n";
	static const int stops[] = {1, 4, 10};
	char path[] = "check_optimizer.XXXXXX";
	double reals[2] = {0.25, NAN}, reals_back[2] = {0, 0};
	float floats[3] = {1, -2, 3}, floats_back[3] = {0};
	const struct mch_checkpoint_more more = {2, 3, reals, floats}, back = {2, 3, reals_back, floats_back};
	const struct mch_checkpoint_more longer = {1, 3, reals_back, floats_back};
	struct mch_dataset data = make_data();
	struct trial whole, first, second;
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	begin(&whole, &data, optimizers[_i / 3]);
	steps(&whole, -1);
	begin(&first, &data, optimizers[_i / 3]);
	steps(&first, stops[_i % 3]);
	ck_assert_int_eq(mch_checkpoint_write(path, identity, &first.net, mch_sgd_state(first.sgd), &more, &first.err), 0);
	begin(&second, &data, optimizers[_i / 3]);
	struct mch_sgd_state *state = mch_sgd_state(second.sgd);
	ck_assert_int_eq(mch_checkpoint_read(path, identity, &second.net, state, &longer, &second.err), -1);
	ck_assert_int_eq(mch_checkpoint_read(path, identity, &second.net, state, NULL, &second.err), -1);
	ck_assert_msg(mch_checkpoint_read(path, identity, &second.net, state, &back, &second.err) == 0, "%s", second.err.text);
	ck_assert(reals_back[0] == 0.25 && isnan(reals_back[1]) && memcmp(floats, floats_back, sizeof(floats)) == 0);
	steps(&second, -1);
	expect_same(&whole, &second);
	unlink(path);
	end(&whole), end(&first), end(&second);
	mch_dataset_free(&data);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("optimizer");
	TCase *tcase = tcase_create("optimizer");
	tcase_add_loop_test(tcase, steps_are_the_formula, 0, 4);
	tcase_add_loop_test(tcase, it_learns_with_any_number_of_threads, 0, 2);
	tcase_add_loop_test(tcase, checkpoint_goes_on, 0, 6);
	suite_add_tcase(s, tcase);
	return s;
}

int main(void)
{
	return check_main(suite);
}
