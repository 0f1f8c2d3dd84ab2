/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Codes taken over from earlier passes: every score is the one of a pass that takes over none, whatever changed between
 * them, in little memory, when passes end early, and by two threads. */
#ifdef _OPENMP
#include <omp.h>
#endif

#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "net/layer.h"
#include "net/score.h"
#include "random_graph.h"

enum { N = 23 };

static void random_dataset(struct mch_rng *rng, const struct mch_net *net, struct mch_dataset *data)
{
	const struct mch_shape shape = net->edges[net->input].shape;
	*data = (struct mch_dataset){.n_images = N, .n_classes = 10, .shape = shape, .transform = &net->transform};
	data->pixels = malloc(N * mch_shape_elems(shape));
	data->labels = malloc(N * sizeof(*data->labels));
	ck_assert(data->pixels && data->labels);
	for (size_t i = 0; i < N * mch_shape_elems(shape); i++)
		data->pixels[i] = (uint8_t)mch_rng_below(rng, 256);
	for (int i = 0; i < N; i++)
		data->labels[i] = (int32_t)mch_rng_below(rng, 3);
}

/* One layer's weights, or one of the rules, are another from here on. */
static void change(struct mch_rng *rng, struct mch_net *net, struct mch_quant *quant)
{
	const int i = (int)mch_rng_below(rng, (uint32_t)net->n_layers);
	if (mch_rng_below(rng, 8) == 0)
		quant->round = (enum mch_round)mch_rng_below(rng, MCH_N_ROUNDS);
	else if (mch_rng_below(rng, 8) == 0)
		quant->seed++;
	else if (mch_layer_is_mac(&net->layers[i]))
		quant->layer[i].weights.frac += mch_rng_next(rng) & 1 ? 1 : -1;
}

/* Scores of a walk through formats, with a prefix and without. Steps that were skipped are counted. */
static size_t walk(uint64_t seed, size_t limit)
{
	struct mch_rng rng = mch_rng_seed(seed);
	const struct random_format f = {8, 8, 0, 0};
	struct mch_net net;
	struct mch_quant quant;
	struct mch_dataset data;
	struct mch_err err = {""};
	size_t n_skipped = 0;
	random_graph(&rng, &net);
	net.transform.scale = 1 / 256.0;
	random_graph_quant(&rng, &f, &net, &quant);
	random_dataset(&rng, &net, &data);
	struct mch_prefix *prefix = mch_prefix_new(&net, N, limit);
	ck_assert_ptr_nonnull(prefix);
	for (int i = 0; i < 12; i++) {
		const struct mch_score_config config = {
			.data = &data, .n = N, .need = mch_rng_next(&rng) & 1 ? 0 : (int)mch_rng_below(&rng, N)};
		struct mch_qnet q;
		struct mch_answers want, got;
		const int of_layer = mch_qnet_build(&q, &net, &quant, &err);
		if (of_layer == 0) { /* else the changes lead to a bias of too many bits */
			const struct mch_model model = {.net = &net, .q = &q};
			struct mch_model taking = model;
			taking.prefix = prefix;
			taking.quant = &quant;
			ck_assert_msg(mch_score_run(&model, &config, &want, &err) == 0, "%s", err.text);
			ck_assert_msg(mch_score_run(&taking, &config, &got, &err) == 0, "%s", err.text);
			n_skipped += (size_t)mch_prefix_n_skipped(prefix);
			ck_assert_int_eq(want.n_images, got.n_images);
			ck_assert_msg(memcmp(want.rank, got.rank, (size_t)want.n_images * sizeof(*want.rank)) == 0,
				      "seed %llu, pass %d", (unsigned long long)seed, i);
			ck_assert_uint_le(mch_prefix_bytes(prefix), limit);
			mch_answers_free(&want);
			mch_answers_free(&got);
			mch_qnet_free(&q);
		}
		change(&rng, &net, &quant);
	}
	mch_prefix_free(prefix);
	mch_dataset_free(&data);
	mch_quant_free(&quant);
	mch_net_free(&net);
	return n_skipped;
}

START_TEST(same_scores)
{
	size_t n_skipped = 0;
	for (uint64_t seed = 1; seed <= 30; seed++)
		n_skipped += walk(seed, 1 << 28);
	ck_assert_uint_gt(n_skipped, 100);
}
END_TEST

START_TEST(same_scores_in_little_memory)
{
	size_t n_skipped = 0;
	for (uint64_t seed = 1; seed <= 30; seed++)
		n_skipped += walk(seed, seed % 2 ? 5000 : 20000);
	ck_assert_uint_gt(n_skipped, 10);
}
END_TEST

START_TEST(same_scores_by_two_threads)
{
#ifdef _OPENMP
	omp_set_num_threads(2);
#endif
	for (uint64_t seed = 100; seed <= 130; seed++)
		walk(seed, 1 << 20);
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {same_scores, same_scores_in_little_memory, same_scores_by_two_threads};
	return CHECK_SUITE("prefix", tests);
}

int main(void)
{
	return check_main(suite);
}
