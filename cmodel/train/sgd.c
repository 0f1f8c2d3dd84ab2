/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Batches, shards and the update; see sgd.h. */
#include "train/sgd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "fast/one_thread.h"
#include "train/backprop.h"

struct mch_sgd {
	struct mch_net *net;
	const struct mch_dataset *data;
	struct mch_sgd_config config;
	struct mch_sgd_state state;
	struct mch_backprop *shard[MCH_SGD_SHARDS];
	int32_t *labels[MCH_SGD_SHARDS];
	int32_t *order; /* [n_images]: of order_epoch */
	int order_epoch;
	float *image[MCH_SGD_SHARDS]; /* as it is in the data */
	struct mch_err err[MCH_SGD_SHARDS];
};

/* A generator of its own for every (seed, a, b): no order of use can change a number. */
static struct mch_rng stream(uint64_t seed, uint64_t a, uint64_t b)
{
	struct mch_rng rng = mch_rng_seed(seed);
	rng = mch_rng_seed(mch_rng_next(&rng) + a);
	return mch_rng_seed(mch_rng_next(&rng) + b);
}

/* First argument of stream(): what the numbers are for. Epochs count on from EPOCHS. */
enum { FOR_WEIGHTS, FOR_EPOCHS };

/* Does a ReLU see these values before any other weights do? */
static bool feeds_relu(const struct mch_net *net, int edge)
{
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		if (layer->in[0] != edge || layer->kind == MCH_CONV || layer->kind == MCH_DENSE)
			continue;
		if (layer->kind == MCH_RELU || feeds_relu(net, layer->out[0]))
			return true;
	}
	return false;
}

static int first_weights(struct mch_net *net, uint64_t seed, struct mch_err *err)
{
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_layer *layer = &net->layers[i];
		if ((layer->kind != MCH_CONV && layer->kind != MCH_DENSE) || layer->weights)
			continue;
		if (mch_layer_alloc(layer, layer->n_bias > 0, err) != 0)
			return -1;
		struct mch_rng rng = stream(seed, FOR_WEIGHTS, (uint64_t)i);
		const double gain = feeds_relu(net, layer->out[0]) ? 6 : 3;
		const double limit = sqrt(gain / (double)mch_conv_terms(&layer->conv));
		for (size_t w = 0; w < layer->n_weights; w++)
			layer->weights[w] = (float)(limit * (2 * mch_rng_real(&rng) - 1));
	}
	return 0;
}

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

static int make(struct mch_sgd *sgd, struct mch_err *err)
{
	const int shard_max = (sgd->config.batch + MCH_SGD_SHARDS - 1) / MCH_SGD_SHARDS;
	if (first_weights(sgd->net, sgd->config.seed, err) != 0)
		return -1;
	sgd->state.n_params = mch_backprop_n_params(sgd->net);
	sgd->state.velocity = calloc(sgd->state.n_params, sizeof(float));
	sgd->order = malloc((size_t)sgd->config.n_images * sizeof(*sgd->order));
	sgd->order_epoch = -1;
	if (!sgd->state.velocity || !sgd->order)
		return no_memory(sgd->net, err);
	for (int i = 0; i < MCH_SGD_SHARDS; i++) {
		sgd->shard[i] = mch_backprop_new(sgd->net, shard_max, err);
		if (!sgd->shard[i])
			return -1;
		sgd->labels[i] = malloc((size_t)shard_max * sizeof(*sgd->labels[i]));
		sgd->image[i] = malloc(mch_shape_elems(sgd->data->shape) * sizeof(*sgd->image[i]));
		if (!sgd->labels[i] || !sgd->image[i])
			return no_memory(sgd->net, err);
	}
	return 0;
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
		mch_backprop_free(sgd->shard[i]);
		free(sgd->labels[i]);
		free(sgd->image[i]);
	}
	free(sgd->state.velocity);
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
	struct mch_rng rng = stream(sgd->config.seed, FOR_EPOCHS + (uint64_t)sgd->state.epoch, UINT64_MAX);
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
static int load_image(struct mch_sgd *sgd, int shard, int image, float *to)
{
	const struct mch_shape s = sgd->data->shape;
	const float *from = sgd->image[shard];
	if (mch_dataset_f32(sgd->data, image, 1, sgd->image[shard], &sgd->err[shard]) != 0)
		return -1;
	struct mch_rng rng = stream(sgd->config.seed, FOR_EPOCHS + (uint64_t)sgd->state.epoch, (uint64_t)image);
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

/* Images [first, first + n) of the epoch's order. 0, or -1 with the shard's err when one cannot be read. */
static int run_shard(struct mch_sgd *sgd, int shard, int first, int n, struct mch_backprop_result *result)
{
	float *input = mch_backprop_input(sgd->shard[shard]);
	const size_t elems = mch_shape_elems(sgd->data->shape);
	*result = (struct mch_backprop_result){0, 0};
	if (n == 0)
		return 0;
	for (int i = 0; i < n; i++) {
		const int image = sgd->order[first + i];
		if (load_image(sgd, shard, image, input + (size_t)i * elems) != 0)
			return -1;
		sgd->labels[shard][i] = sgd->data->labels[image];
	}
	*result = mch_backprop_run(sgd->shard[shard], n, sgd->labels[shard]);
	return 0;
}

struct update {
	float rate, momentum, decay, scale; /* scale: 1 / images of the batch */
	int n_shards;                       /* that had images */
	const float *gradient[MCH_SGD_SHARDS];
};

static void update_range(const struct update *u, size_t offset, size_t n, float decay, float *restrict w,
			 float *restrict velocity)
{
	for (size_t i = 0; i < n; i++) {
		float sum = u->gradient[0][offset + i];
		for (int shard = 1; shard < u->n_shards; shard++)
			sum += u->gradient[shard][offset + i];
		velocity[i] = u->momentum * velocity[i] + sum * u->scale + decay * w[i];
		w[i] -= u->rate * velocity[i];
	}
}

/* Elementwise, so the pieces that threads take cannot change it. */
static void update(struct mch_sgd *sgd, const struct update *u)
{
	enum { PIECE = 16384 };
	size_t offset = 0;
	for (int i = 0; i < sgd->net->n_layers; i++) {
		struct mch_layer *layer = &sgd->net->layers[i];
		if (mch_layer_params(layer) == 0)
			continue;
		const size_t n_pieces = (layer->n_weights + PIECE - 1) / PIECE;
#pragma omp parallel for schedule(static) if (n_pieces > 1)
		for (size_t piece = 0; piece < n_pieces; piece++) {
			const size_t at = piece * PIECE;
			const size_t n = layer->n_weights - at < PIECE ? layer->n_weights - at : PIECE;
			update_range(u, offset + at, n, u->decay, layer->weights + at,
				     sgd->state.velocity + offset + at);
		}
		offset += layer->n_weights;
		update_range(u, offset, layer->n_bias, 0, layer->bias, sgd->state.velocity + offset);
		offset += layer->n_bias;
	}
}

int mch_sgd_step(struct mch_sgd *sgd, struct mch_err *err)
{
	struct mch_sgd_state *state = &sgd->state;
	const struct mch_sgd_config *config = &sgd->config;
	struct mch_backprop_result results[MCH_SGD_SHARDS];
	int status[MCH_SGD_SHARDS];
	MCH_REQUIRE(!mch_sgd_is_done(sgd), "no step after the last");
	if (sgd->order_epoch != state->epoch)
		shuffle(sgd);
	if (state->n_done == 0)
		state->loss = 0, state->n_right = 0;
	const int first = state->n_done, left = config->n_images - first;
	const int n = left < config->batch ? left : config->batch;
#pragma omp parallel
	{
		mch_one_thread();
#pragma omp for schedule(dynamic, 1)
		for (int i = 0; i < MCH_SGD_SHARDS; i++) {
			const int begin = (int)((int64_t)n * i / MCH_SGD_SHARDS);
			const int end = (int)((int64_t)n * (i + 1) / MCH_SGD_SHARDS);
			status[i] = run_shard(sgd, i, first + begin, end - begin, &results[i]);
		}
	}
	for (int i = 0; i < MCH_SGD_SHARDS; i++)
		if (status[i] != 0)
			return *err = sgd->err[i], -1;
	const double done = (state->epoch + (double)first / config->n_images) / config->n_epochs;
	struct update u = {.rate = (float)mch_sgd_rate(config, done), .momentum = (float)config->momentum,
			   .decay = (float)config->decay, .scale = 1.0f / (float)n};
	for (int i = 0; i < MCH_SGD_SHARDS; i++) {
		state->loss += results[i].loss;
		state->n_right += results[i].n_right;
		/* With fewer images than shards some had none, and no gradient. */
		if ((int64_t)n * (i + 1) / MCH_SGD_SHARDS > (int64_t)n * i / MCH_SGD_SHARDS)
			u.gradient[u.n_shards++] = mch_backprop_gradient(sgd->shard[i]);
	}
	if (!isfinite(state->loss))
		return mch_err_set(err, sgd->net->name ? sgd->net->name : "network",
				   "the loss is no finite number any more in epoch %d; give a smaller learning rate",
				   state->epoch + 1);
	update(sgd, &u);
	state->n_done += n;
	if (state->n_done == config->n_images)
		state->n_done = 0, state->epoch++;
	return 0;
}
