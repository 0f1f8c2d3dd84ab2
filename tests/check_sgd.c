/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Training: gradient of a whole net, threads, checkpoints, and what is refused. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "check_main.h"
#include "sgd_trial.h"
#include "train/backprop.h"
#include "train/checkpoint.h"
#include "train/moments.h"
#include "train/params.h"
#include "train/sgd.h"

START_TEST(loss_falls)
{
	struct mch_dataset data = make_data();
	struct mch_sgd_config config = config_of(16);
	struct trial t;
	make_index = _i;
	config.n_epochs = 30;
	config.flip = false, config.max_shift = 0;
	begin(&t, &data, &config);
	const struct mch_sgd_state *state = mch_sgd_state(t.sgd);
	steps(&t, (N_IMAGES + 15) / 16);
	ck_assert_int_eq(state->epoch, 1);
	ck_assert_int_eq(state->n_done, 0);
	const double first = state->loss / N_IMAGES;
	steps(&t, -1);
	ck_assert_int_eq(state->epoch, 30);
	/* Dropout keeps the second net from being sure. */
	ck_assert_msg(first > 0.5 && state->loss / N_IMAGES < (_i ? 0.3 : 0.1), "loss %g, then %g", first,
		      state->loss / N_IMAGES);
	ck_assert_int_ge(state->n_right, N_IMAGES - (_i ? 10 : 2));
	end(&t);
	mch_dataset_free(&data);
}
END_TEST

/* Difference quotients of the loss of a whole net, for every parameter. Maxima and ReLUs have corners, so few
 * parameters may disagree where a step crosses one. */
START_TEST(gradient_of_a_net)
{
	enum { N = 6 };
	struct mch_dataset data = make_data();
	const struct mch_sgd_config config = config_of(16);
	struct trial t;
	make_index = _i;
	begin(&t, &data, &config);
	struct mch_backprop *b = mch_backprop_new(&t.net, NULL, N, &t.err);
	ck_assert_ptr_nonnull(b);
	ck_assert_int_eq(mch_dataset_f32(&data, 0, N, mch_backprop_input(b), &t.err), 0);
	const size_t n_params = mch_params_of_net(&t.net);
	float *gradient = malloc(n_params * sizeof(*gradient)), *again = malloc(n_params * sizeof(*again));
	float *moments = malloc((mch_moments_of_net(&t.net) + 1) * sizeof(*moments));
	ck_assert(gradient && again && moments);
	mch_backprop_run(b, &(struct mch_backprop_shard){N, data.labels, 1, gradient, moments, {NULL, 0, 1}});
	const struct mch_backprop_shard shard = {N, data.labels, 1, again, moments, {NULL, 0, 1}};
	size_t at = 0, n_off = 0;
	double largest = 0;
	for (int i = 0; i < t.net.n_layers; i++) {
		struct mch_params pieces[MCH_PARAMS_MAX];
		const int n = mch_params_of(&t.net, i, pieces);
		for (int j = 0; j < n; j++)
			for (size_t p = 0; p < pieces[j].n_elems; p++, at++) {
				float *v = &pieces[j].values[p];
				const float kept = *v, step = 3e-4f;
				*v = kept + step;
				const double high = mch_backprop_run(b, &shard).loss;
				*v = kept - step;
				const double low = mch_backprop_run(b, &shard).loss;
				*v = kept;
				const double want = (high - low) / (2 * (double)step);
				n_off += fabs(want - (double)gradient[at]) > 0.02 * (0.1 + fabs(want));
				largest = fmax(largest, fabs(want));
			}
	}
	ck_assert_uint_eq(at, n_params);
	ck_assert_msg(largest > 0.1 && n_off * 50 < n_params, "%zu of %zu gradients are off, the largest is %g", n_off, n_params,
		      largest);
	free(gradient), free(again), free(moments);
	mch_backprop_free(b);
	end(&t);
	mch_dataset_free(&data);
}
END_TEST

/* The running mean and variance stand for those of the batches: the trained net is right without dropout, one image
 * at a time, in the plain operators. */
START_TEST(inference_after_training)
{
	struct mch_dataset data = make_data();
	struct mch_sgd_config config = config_of(30);
	struct trial t;
	make_index = 1;
	config.n_epochs = 30;
	config.flip = false, config.max_shift = 0;
	begin(&t, &data, &config);
	steps(&t, -1);
	float input[SIDE * SIDE], output[N_CLASSES], **values = calloc((size_t)t.net.n_edges, sizeof(*values));
	ck_assert_ptr_nonnull(values);
	values[t.net.output] = output;
	int n_right = 0;
	for (int i = 0; i < N_IMAGES; i++) {
		ck_assert_int_eq(mch_dataset_f32(&data, i, 1, input, &t.err), 0);
		ck_assert_msg(mch_net_run_f32(&t.net, 1, input, values, &t.err) == 0, "%s", t.err.text);
		n_right += mch_argmax_f32(output, N_CLASSES) == data.labels[i];
	}
	ck_assert_msg(n_right >= N_IMAGES - 8, "%d of %d are right", n_right, N_IMAGES);
	free(values);
	end(&t);
	mch_dataset_free(&data);
}
END_TEST

START_TEST(batch_norm_under_scale_is_left_alone)
{
	struct mch_dataset data = make_data();
	const struct mch_sgd_config config = config_of(16);
	struct trial t;
	make_index = 1;
	begin(&t, &data, &config);
	steps(&t, -1);
	int n_alone = 0, n_trained = 0;
	for (int i = 0; i < t.net.n_layers; i++) {
		const struct mch_layer *layer = &t.net.layers[i];
		if (layer->kind != MCH_BATCH_NORM)
			continue;
		const bool is_one = layer->weights[0] == 1.0f && layer->weights[1] == 1.0f;
		n_alone += is_one && mch_params_of_layer(&t.net, i) == 0;
		n_trained += !is_one && mch_params_of_layer(&t.net, i) == layer->n_weights + layer->n_bias;
		ck_assert(layer->mean[0] != 0.0f && layer->variance[0] > 0 && layer->variance[0] != 1.0f);
	}
	ck_assert_int_eq(n_alone, 2);
	ck_assert_int_eq(n_trained, 2);
	end(&t);
	mch_dataset_free(&data);
}
END_TEST

/* 7: uneven shards; 3: fewer images than shards; 64: two steps, the last one short. */
START_TEST(threads_do_not_matter)
{
#ifdef _OPENMP
	static const int batches[] = {7, 3, 64}, threads[] = {2, 3, 5};
	struct mch_dataset data = make_data();
	const struct mch_sgd_config config = config_of(batches[_i % 3]);
	struct trial one, many;
	make_index = _i / 3;
	omp_set_dynamic(0);
	omp_set_num_threads(1);
	begin(&one, &data, &config);
	steps(&one, -1);
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		omp_set_num_threads(threads[i]);
		begin(&many, &data, &config);
		steps(&many, -1);
		expect_same_weights(&one.net, &many.net);
		ck_assert(mch_sgd_state(one.sgd)->loss == mch_sgd_state(many.sgd)->loss);
		end(&many);
	}
	end(&one);
	mch_dataset_free(&data);
#endif
}
END_TEST

START_TEST(seed_matters)
{
	struct mch_dataset data = make_data();
	struct mch_sgd_config config = config_of(16);
	struct trial a, b;
	begin(&a, &data, &config);
	config.seed++;
	begin(&b, &data, &config);
	ck_assert(memcmp(a.net.layers[0].weights, b.net.layers[0].weights, a.net.layers[0].n_weights * sizeof(float)) != 0);
	end(&a);
	end(&b);
	mch_dataset_free(&data);
}
END_TEST

static const char identity[] = "network=small\n--epochs=3\n--batch=16\n";
static char path[] = "check_sgd.XXXXXX";

static void make_path(void)
{
	const int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

/* Stopped after any number of steps, in the middle of an epoch, at its end, at the very end. */
START_TEST(checkpoint_goes_on)
{
	static const int stops[] = {0, 2, 6, 9, 18};
	struct mch_dataset data = make_data();
	const struct mch_sgd_config config = config_of(16);
	struct trial whole, first, second;
	make_path();
	make_index = _i / 5;
	begin(&whole, &data, &config);
	steps(&whole, -1);
	begin(&first, &data, &config);
	steps(&first, stops[_i % 5]);
	ck_assert_msg(mch_checkpoint_write(path, identity, &first.net, mch_sgd_state(first.sgd), NULL, &first.err) == 0, "%s",
		      first.err.text);
	begin(&second, &data, &config);
	ck_assert_msg(mch_checkpoint_read(path, identity, &second.net, mch_sgd_state(second.sgd), NULL, &second.err) == 0, "%s",
		      second.err.text);
	steps(&second, -1);
	expect_same_weights(&whole.net, &second.net);
	ck_assert(mch_sgd_state(whole.sgd)->loss == mch_sgd_state(second.sgd)->loss);
	ck_assert(mch_sgd_state(whole.sgd)->n_right == mch_sgd_state(second.sgd)->n_right);
	unlink(path);
	end(&whole), end(&first), end(&second);
	mch_dataset_free(&data);
}
END_TEST

static void expect_refused(struct trial *t, const char *who, const char *want)
{
	char text[600];
	snprintf(text, sizeof(text), "%s: %s", path, want);
	t->err.text[0] = '\0';
	ck_assert_int_eq(mch_checkpoint_read(path, who, &t->net, mch_sgd_state(t->sgd), NULL, &t->err), -1);
	ck_assert_str_eq(t->err.text, text);
}

START_TEST(checkpoint_is_refused)
{
	static const char damaged[] = "is no checkpoint, or is damaged; remove it to begin anew";
	struct mch_dataset data = make_data();
	const struct mch_sgd_config config = config_of(16);
	struct trial t, untouched;
	make_path();
	begin(&t, &data, &config);
	begin(&untouched, &data, &config);
	expect_refused(&t, identity, damaged); /* empty */
	steps(&untouched, 3);
	ck_assert_int_eq(mch_checkpoint_write(path, identity, &untouched.net, mch_sgd_state(untouched.sgd), NULL, &t.err), 0);
	end(&untouched);
	begin(&untouched, &data, &config);
	expect_refused(&t, "network=small\n--epochs=3\n--batch=32\n",
		       "is of a run with --batch=16, this one has --batch=32; give the same, or remove the checkpoint to begin "
		       "anew");
	expect_refused(&t, "network=other\n--epochs=30\n--batch=32\n",
		       "is of a run with network=small, this one has network=other; give the same, or remove the checkpoint to "
		       "begin anew");

	/* Every byte counts, and none may be missing or too many. */
	FILE *stream = fopen(path, "r+b");
	ck_assert_ptr_nonnull(stream);
	fseek(stream, 0, SEEK_END);
	const long n_bytes = ftell(stream);
	for (long at = 0; at < n_bytes; at += at < 200 ? 1 : 97) {
		fseek(stream, at, SEEK_SET);
		const int byte = fgetc(stream);
		fseek(stream, at, SEEK_SET);
		fputc(byte ^ 4, stream);
		fflush(stream);
		expect_refused(&t, identity, damaged);
		fseek(stream, at, SEEK_SET);
		fputc(byte, stream);
		fflush(stream);
	}
	fseek(stream, 0, SEEK_END);
	fputc(0, stream);
	fclose(stream);
	expect_refused(&t, identity, damaged);
	ck_assert_int_eq(truncate(path, n_bytes - 1), 0);
	expect_refused(&t, identity, damaged);
	ck_assert_int_eq(truncate(path, 30), 0);
	expect_refused(&t, identity, damaged);
	expect_same_weights(&t.net, &untouched.net);
	unlink(path);
	expect_refused(&t, identity, "is not there (No such file or directory); leave out --resume to begin anew");
	end(&t), end(&untouched);
	mch_dataset_free(&data);
}
END_TEST

static void expect_no_training(struct mch_net *net, const struct mch_dataset *data, const char *want)
{
	struct mch_err err = {""};
	const struct mch_sgd_config config = config_of(16);
	ck_assert_ptr_null(mch_sgd_new(net, data, &config, &err));
	ck_assert_str_eq(err.text, want);
	mch_net_free(net);
}

START_TEST(nets_are_refused)
{
	struct mch_dataset data = make_data();
	struct mch_net net;
	begin_net(&net);
	add_weights(&net, "conv1", MCH_CONV, 4, 3);
	add(&net, "soft", MCH_SOFTMAX);
	add(&net, "drop", MCH_DROPOUT);
	add(&net, "log", MCH_LOG_SOFTMAX);
	add_weights(&net, "fc", MCH_DENSE, N_CLASSES, 1);
	end_net(&net);
	expect_no_training(&net, &data, "small: layers without a gradient: soft (softmax), log (log softmax); take them out to "
			   "train, a softmax may only be the last layer");

	begin_net(&net);
	add(&net, "relu", MCH_RELU);
	end_net(&net);
	expect_no_training(&net, &data, "small: has no weights to train; give a network with conv or dense layers");

	begin_net(&net);
	add_weights(&net, "fc", MCH_DENSE, 2, 1);
	end_net(&net);
	expect_no_training(&net, &data, "small: its output is 2x1x1, the data has 3 classes; give the last layer 3 outputs");

	data.shape.w = 5;
	make_net(&net, 0);
	expect_no_training(&net, &data, "small: its input is 1x10x10, the images of bars are 1x10x5; give images of its size");
	mch_dataset_free(&data);
}
END_TEST

START_TEST(divergence_is_told)
{
	struct mch_dataset data = make_data();
	struct mch_sgd_config config = config_of(16);
	struct trial t;
	config.rate = 1e18;
	begin(&t, &data, &config);
	int status = 0;
	while (status == 0 && !mch_sgd_is_done(t.sgd))
		status = mch_sgd_step(t.sgd, &t.err);
	ck_assert_int_eq(status, -1);
	ck_assert_str_eq(t.err.text, "small: the loss is no finite number any more in epoch 1; give a smaller learning rate");
	end(&t);
	mch_dataset_free(&data);
}
END_TEST

START_TEST(rates)
{
	struct mch_sgd_config c = {.rate = 2, .policy = MCH_POLICY_FIXED};
	ck_assert_double_eq(mch_sgd_rate(&c, 0.9), 2);
	c.policy = MCH_POLICY_STEP;
	ck_assert_double_eq(mch_sgd_rate(&c, 0.49), 2);
	ck_assert_double_eq_tol(mch_sgd_rate(&c, 0.5), 0.2, 1e-12);
	ck_assert_double_eq_tol(mch_sgd_rate(&c, 0.75), 0.02, 1e-12);
	c.policy = MCH_POLICY_COSINE;
	ck_assert_double_eq(mch_sgd_rate(&c, 0), 2);
	ck_assert_double_eq_tol(mch_sgd_rate(&c, 0.5), 1, 1e-12);
	ck_assert_double_eq_tol(mch_sgd_rate(&c, 1), 0, 1e-12);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("sgd");
	TCase *cases = tcase_create("training");
	tcase_add_loop_test(cases, loss_falls, 0, 2);
	tcase_add_loop_test(cases, gradient_of_a_net, 0, 2);
	tcase_add_loop_test(cases, threads_do_not_matter, 0, 2 * 3);
	tcase_add_test(cases, inference_after_training);
	tcase_add_test(cases, batch_norm_under_scale_is_left_alone);
	tcase_add_test(cases, seed_matters);
	tcase_add_loop_test(cases, checkpoint_goes_on, 0, 2 * 5);
	tcase_add_test(cases, checkpoint_is_refused);
	tcase_add_test(cases, nets_are_refused);
	tcase_add_test(cases, divergence_is_told);
	tcase_add_test(cases, rates);
	suite_add_tcase(suite, cases);
	return suite;
}

int main(void)
{
	return check_main(make_suite);
}
