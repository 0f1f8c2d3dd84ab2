/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Batches, shards and the update; see sgd.h. */
#include "train/sgd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/require.h"
#include "base/rng.h"
#include "fast/one_thread.h"
#include "train/backprop.h"
#include "train/first.h"
#include "train/moments.h"
#include "train/optimizer.h"
#include "train/params.h"

/* What a thread needs to run a shard. */
struct worker {
	struct mch_backprop *backprop, *teacher;
	int32_t *labels;
	float *image; /* as it is in the data */
};

/* What is left of a shard. */
struct shard {
	int n_images;
	struct mch_backprop_result result;
	float *gradient, *moments;
	int status;
	struct mch_err err;
};

struct mch_sgd {
	struct mch_net *net;
	const struct mch_dataset *data;
	struct mch_sgd_config config;
	struct mch_sgd_state state;
	int n_workers;
	struct worker worker[MCH_SGD_SHARDS];
	struct shard shard[MCH_SGD_SHARDS];
	int32_t *order; /* [n_images]: of order_epoch */
	int order_epoch;
};

/* First argument of mch_rng_stream(): what the numbers are for. Epochs count on from EPOCHS, NOISE and LOTS. */
enum { FOR_WEIGHTS, FOR_EPOCHS, FOR_LOTS = 1 << 29, FOR_NOISE = 1 << 30 };

static int check_data(const struct mch_net *net, const struct mch_dataset *data, const struct mch_sgd_config *config,
		      struct mch_err *err)
{
	const struct mch_shape want = net->edges[net->input].shape, have = data->shape;
	MCH_REQUIRE(config->n_epochs >= 1 && config->batch >= 1 && config->n_images >= 1 &&
		    config->n_images <= data->n_images, "epochs, batch and images are at least 1 and there");
	if (want.c != have.c || want.h != have.h || want.w != have.w)
		return mch_err_set(err, net->name ? net->name : "network",
				   "its input is %dx%dx%d, the images of %s are %dx%dx%d; give images of its size", want.c,
				   want.h, want.w, data->name, have.c, have.h, have.w);
	return mch_backprop_check(net, data->n_classes, err);
}

static int no_memory(const struct mch_net *net, struct mch_err *err)
{
	return mch_err_set(err, net->name ? net->name : "network", "out of memory; take a smaller batch");
}

static int make_worker(struct mch_sgd *sgd, struct worker *worker, struct mch_err *err)
{
	const int shard_max = (sgd->config.batch + MCH_SGD_SHARDS - 1) / MCH_SGD_SHARDS;
	const struct mch_quantizer *quantizer = sgd->config.quantizer;
	const struct mch_net *net = quantizer ? mch_quantizer_net(quantizer) : sgd->net;
	worker->backprop = mch_backprop_new(net, quantizer, shard_max, err);
	if (!worker->backprop)
		return -1;
	if (sgd->config.teacher && !(worker->teacher = mch_backprop_new(sgd->config.teacher, NULL, shard_max, err)))
		return -1;
	worker->labels = malloc((size_t)shard_max * sizeof(*worker->labels));
	worker->image = malloc(mch_shape_elems(sgd->data->shape) * sizeof(*worker->image));
	return worker->labels && worker->image ? 0 : no_memory(sgd->net, err);
}

static int make_shard(const struct mch_net *net, struct shard *shard, struct mch_err *err)
{
	shard->gradient = calloc(mch_params_of_net(net), sizeof(float));
	shard->moments = calloc(mch_moments_of_net(net) + 1, sizeof(float));
	return shard->gradient && shard->moments ? 0 : no_memory(net, err);
}

static int n_threads(void)
{
#ifdef _OPENMP
	return omp_get_max_threads() < MCH_SGD_SHARDS ? omp_get_max_threads() : MCH_SGD_SHARDS;
#else
	return 1;
#endif
}

static int this_thread(void)
{
#ifdef _OPENMP
	return omp_get_thread_num();
#else
	return 0;
#endif
}

static int make(struct mch_sgd *sgd, struct mch_err *err)
{
	int status = 0;
	if (mch_first_weights(sgd->net, mch_rng_stream(sgd->config.seed, FOR_WEIGHTS, 0), err) != 0)
		return -1;
	sgd->state.n_params = mch_params_of_net(sgd->net);
	sgd->state.velocity = calloc(sgd->state.n_params, sizeof(float));
	const bool has_square = sgd->config.optimizer == MCH_OPTIMIZER_ADAM;
	if (has_square)
		sgd->state.square = calloc(sgd->state.n_params, sizeof(float));
	sgd->order = malloc((size_t)sgd->config.n_images * sizeof(*sgd->order));
	sgd->order_epoch = -1;
	if (!sgd->state.velocity || (has_square && !sgd->state.square) || !sgd->order)
		return no_memory(sgd->net, err);
	for (int i = 0; status == 0 && i < MCH_SGD_SHARDS; i++)
		status = make_shard(sgd->net, &sgd->shard[i], err);
	/* Memory for the images of a shard is for each thread: the gradients alone outlive a shard. */
	sgd->n_workers = n_threads();
	for (int i = 0; status == 0 && i < sgd->n_workers; i++)
		status = make_worker(sgd, &sgd->worker[i], err);
	return status;
}

struct mch_sgd *mch_sgd_new(struct mch_net *net, const struct mch_dataset *data, const struct mch_sgd_config *config,
			    struct mch_err *err)
{
	if (check_data(net, data, config, err) != 0)
		return NULL;
	struct mch_sgd *sgd = calloc(1, sizeof(*sgd));
	if (!sgd) {
		no_memory(net, err);
		return NULL;
	}
	sgd->net = net, sgd->data = data, sgd->config = *config;
	if (make(sgd, err) == 0)
		return sgd;
	mch_sgd_free(sgd);
	return NULL;
}

void mch_sgd_free(struct mch_sgd *sgd)
{
	if (!sgd)
		return;
	for (int i = 0; i < MCH_SGD_SHARDS; i++) {
		mch_backprop_free(sgd->worker[i].backprop);
		mch_backprop_free(sgd->worker[i].teacher);
		free(sgd->worker[i].labels);
		free(sgd->worker[i].image);
		free(sgd->shard[i].gradient);
		free(sgd->shard[i].moments);
	}
	free(sgd->state.velocity);
	free(sgd->state.square);
	free(sgd->order);
	free(sgd);
}

struct mch_sgd_state *mch_sgd_state(struct mch_sgd *sgd)
{
	return &sgd->state;
}

bool mch_sgd_is_done(const struct mch_sgd *sgd)
{
	return sgd->state.epoch >= sgd->config.n_epochs;
}

double mch_sgd_rate(const struct mch_sgd_config *config, double done)
{
	switch (config->policy) {
	case MCH_POLICY_STEP:
		return config->rate * (done < 0.5 ? 1 : done < 0.75 ? 0.1 : 0.01);
	case MCH_POLICY_COSINE:
		return config->rate * 0.5 * (1 + cos(3.14159265358979323846 * done));
	default:
		return config->rate;
	}
}

/* Fisher and Yates. */
static void shuffle(struct mch_sgd *sgd)
{
	struct mch_rng rng = mch_rng_stream(sgd->config.seed, FOR_EPOCHS + (uint64_t)sgd->state.epoch, UINT64_MAX);
	for (int i = 0; i < sgd->config.n_images; i++)
		sgd->order[i] = i;
	for (int i = sgd->config.n_images - 1; i > 0; i--) {
		const uint32_t j = mch_rng_below(&rng, (uint32_t)i + 1);
		const int32_t swap = sgd->order[i];
		sgd->order[i] = sgd->order[j];
		sgd->order[j] = swap;
	}
	sgd->order_epoch = sgd->state.epoch;
}

/* One image as float input, moved and mirrored; what moves in from outside is 0: the mean, or black without one. */
static int load_image(const struct mch_sgd *sgd, int image, float *room, float *to, struct mch_err *err)
{
	const struct mch_shape s = sgd->data->shape;
	const float *from = room;
	if (mch_dataset_f32(sgd->data, image, 1, room, err) != 0)
		return -1;
	struct mch_rng rng = mch_rng_stream(sgd->config.seed, FOR_EPOCHS + (uint64_t)sgd->state.epoch, (uint64_t)image);
	const uint32_t places = 2 * (uint32_t)sgd->config.max_shift + 1;
	const int down = (int)mch_rng_below(&rng, places) - sgd->config.max_shift;
	const int right = (int)mch_rng_below(&rng, places) - sgd->config.max_shift;
	const bool mirrored = sgd->config.flip && mch_rng_below(&rng, 2);
	for (int c = 0; c < s.c; c++, from += s.h * s.w)
		for (int h = 0; h < s.h; h++)
			for (int w = 0; w < s.w; w++) {
				const int y = h - down, x = mirrored ? s.w - 1 - w + right : w - right;
				const bool is_inside = y >= 0 && y < s.h && x >= 0 && x < s.w;
				*to++ = is_inside ? from[y * s.w + x] : 0;
			}
	return 0;
}

/* What the teacher answers to the images of a shard; NULL: there is none. */
static const float *ask(const struct mch_sgd *sgd, struct worker *worker, int n)
{
	if (!worker->teacher)
		return NULL;
	memcpy(mch_backprop_input(worker->teacher), mch_backprop_input(worker->backprop),
	       (size_t)n * mch_shape_elems(sgd->data->shape) * sizeof(float));
	return mch_backprop_logits(worker->teacher, n);
}

/* Images [first, first + n_images) of the epoch's order. 0, or -1 with the shard's err when one cannot be read. */
static int run_shard(const struct mch_sgd *sgd, struct worker *worker, struct shard *shard, int first)
{
	float *input = mch_backprop_input(worker->backprop);
	const size_t elems = mch_shape_elems(sgd->data->shape);
	shard->result = (struct mch_backprop_result){0, 0};
	if (shard->n_images == 0)
		return 0;
	for (int i = 0; i < shard->n_images; i++) {
		const int image = sgd->order[first + i];
		if (load_image(sgd, image, worker->image, input + (size_t)i * elems, &shard->err) != 0)
			return -1;
		worker->labels[i] = sgd->data->labels[image];
	}
	struct mch_rng noise = mch_rng_stream(sgd->config.seed, FOR_NOISE + (uint64_t)sgd->state.epoch, (uint64_t)first);
	const struct mch_backprop_shard images = {shard->n_images, worker->labels, mch_rng_next(&noise), shard->gradient,
						  shard->moments,
						  {ask(sgd, worker, shard->n_images), sgd->config.share,
						   sgd->config.temperature}};
	shard->result = mch_backprop_run(worker->backprop, &images);
	return 0;
}

/* What a batch weighs in the running mean and variance: step t of the first 200 weighs in proportion to t, so that
 * what the first weights made is soon forgotten, then all decay alike. A short batch weighs less. */
static double moments_share(const struct mch_sgd *sgd, int n)
{
	const struct mch_sgd_config *c = &sgd->config;
	const double steps_of_epoch = (c->n_images + c->batch - 1) / c->batch;
	const double step = sgd->state.epoch * steps_of_epoch + sgd->state.n_done / c->batch;
	const double share = 2 / (step + 2), full = c->batch < c->n_images ? c->batch : c->n_images;
	return (share > 0.01 ? share : 0.01) * n / full;
}

/* Every shard of images [first, first + n) of the order. 0, or -1 with err. */
static int run_shards(struct mch_sgd *sgd, int first, int n, struct mch_err *err)
{
#pragma omp parallel num_threads(sgd->n_workers)
	{
		mch_one_thread();
#pragma omp for schedule(dynamic, 1)
		for (int i = 0; i < MCH_SGD_SHARDS; i++) {
			struct shard *shard = &sgd->shard[i];
			const int begin = (int)((int64_t)n * i / MCH_SGD_SHARDS);
			shard->n_images = (int)((int64_t)n * (i + 1) / MCH_SGD_SHARDS) - begin;
			shard->status = run_shard(sgd, &sgd->worker[this_thread()], shard, first + begin);
		}
	}
	for (int i = 0; i < MCH_SGD_SHARDS; i++) {
		const struct shard *shard = &sgd->shard[i];
		if (shard->status != 0)
			return *err = shard->err, -1;
		sgd->state.loss += shard->result.loss;
		sgd->state.n_right += shard->result.n_right;
	}
	return 0;
}

/* What the shards found goes into the network: n images from `first` of the epoch's order. */
static void update(struct mch_sgd *sgd, int first, int n)
{
	const struct mch_sgd_config *config = &sgd->config;
	const int64_t steps_of_epoch = (config->n_images + config->batch - 1) / config->batch;
	const double done = (sgd->state.epoch + (double)first / config->n_images) / config->n_epochs;
	struct mch_update u = {.optimizer = config->optimizer,
			       .rate = mch_sgd_rate(config, done),
			       .momentum = config->momentum,
			       .decay = config->decay,
			       .step = sgd->state.epoch * steps_of_epoch + first / config->batch + 1,
			       .n_images = n,
			       .place = config->quantizer ? mch_quantizer_places(config->quantizer) : NULL};
	const float *moments[MCH_SGD_SHARDS];
	int n_images[MCH_SGD_SHARDS];
	for (int i = 0; i < MCH_SGD_SHARDS; i++) {
		const struct shard *shard = &sgd->shard[i];
		/* With fewer images than shards some had none, and no gradient. */
		if (shard->n_images == 0)
			continue;
		moments[u.n_shards] = shard->moments;
		n_images[u.n_shards] = shard->n_images;
		u.gradient[u.n_shards++] = shard->gradient;
	}
	mch_moments_update(sgd->net, &(struct mch_moments){u.n_shards, moments, n_images}, moments_share(sgd, n));
	mch_update(sgd->net, &u, sgd->state.velocity, sgd->state.square);
}

static void quantize(const struct mch_sgd *sgd, int first)
{
	struct mch_rng lots = mch_rng_stream(sgd->config.seed, FOR_LOTS + (uint64_t)sgd->state.epoch, (uint64_t)first);
	if (sgd->config.is_by_lot)
		mch_quantizer_round_by_lot(sgd->config.quantizer, mch_rng_next(&lots));
	else
		mch_quantizer_round(sgd->config.quantizer);
}

int mch_sgd_step(struct mch_sgd *sgd, struct mch_err *err)
{
	struct mch_sgd_state *state = &sgd->state;
	const struct mch_sgd_config *config = &sgd->config;
	MCH_REQUIRE(!mch_sgd_is_done(sgd), "no step after the last");
	if (sgd->order_epoch != state->epoch)
		shuffle(sgd);
	if (state->n_done == 0)
		state->loss = 0, state->n_right = 0;
	const int first = state->n_done, left = config->n_images - first;
	const int n = left < config->batch ? left : config->batch;
	if (config->quantizer)
		quantize(sgd, first);
	if (run_shards(sgd, first, n, err) != 0)
		return -1;
	if (!isfinite(state->loss))
		return mch_err_set(err, sgd->net->name ? sgd->net->name : "network",
				   "the loss is no finite number any more in epoch %d; give a smaller learning rate",
				   state->epoch + 1);
	update(sgd, first, n);
	state->n_done += n;
	if (state->n_done == config->n_images)
		state->n_done = 0, state->epoch++;
	return 0;
}
