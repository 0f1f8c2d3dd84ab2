/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* From gradients to parameters; see optimizer.h. */
#include "train/optimizer.h"

#include <math.h>

#include "fast/snap.h"
#include "train/params.h"

enum { PART = 4096 };

/* A run of parameters, with the mean gradient of each. */
struct part {
	size_t n;
	float decay;
	float *w;
	float g[PART];
};

static void mean_gradient(const struct mch_update *u, size_t offset, struct part *part)
{
	const float scale = 1.0f / (float)u->n_images;
	for (size_t i = 0; i < part->n; i++)
		part->g[i] = u->gradient[0][offset + i];
	for (int shard = 1; shard < u->n_shards; shard++)
		for (size_t i = 0; i < part->n; i++)
			part->g[i] += u->gradient[shard][offset + i];
	for (size_t i = 0; i < part->n; i++)
		part->g[i] *= scale;
	if (u->place)
		mch_snap_backward(part->n, u->place + offset, part->g);
}

static void momentum(const struct mch_update *u, const struct part *part, float *restrict velocity)
{
	const float rate = (float)u->rate, share = (float)u->momentum;
	float *restrict w = part->w;
	for (size_t i = 0; i < part->n; i++) {
		velocity[i] = share * velocity[i] + part->g[i] + part->decay * w[i];
		w[i] -= rate * velocity[i];
	}
}

static void adam(const struct mch_update *u, const struct part *part, float *restrict velocity, float *restrict square)
{
	const float b1 = (float)u->momentum, b2 = (float)MCH_ADAM_BETA2, rate = (float)u->rate;
	const float up1 = (float)(1 / (1 - pow(u->momentum, (double)u->step)));
	const float up2 = (float)(1 / (1 - pow(MCH_ADAM_BETA2, (double)u->step)));
	float *restrict w = part->w;
	for (size_t i = 0; i < part->n; i++) {
		const float g = part->g[i];
		velocity[i] = b1 * velocity[i] + (1 - b1) * g;
		square[i] = b2 * square[i] + (1 - b2) * g * g;
		const float step = velocity[i] * up1 / (sqrtf(square[i] * up2) + (float)MCH_ADAM_EPSILON);
		w[i] -= rate * (step + part->decay * w[i]);
	}
}

/* Elementwise, so the parts that threads take cannot change it. */
static void update_piece(const struct mch_update *u, const struct mch_params *piece, size_t offset, float *velocity,
			 float *square)
{
	const size_t n_parts = (piece->n_elems + PART - 1) / PART;
#pragma omp parallel for schedule(static) if (n_parts > 4)
	for (size_t i = 0; i < n_parts; i++) {
		const size_t at = i * PART, left = piece->n_elems - at;
		struct part part;
		part.n = left < PART ? left : PART;
		part.w = piece->values + at;
		part.decay = piece->is_decayed ? (float)u->decay : 0;
		mean_gradient(u, offset + at, &part);
		if (u->optimizer == MCH_OPTIMIZER_ADAM)
			adam(u, &part, velocity + offset + at, square + offset + at);
		else
			momentum(u, &part, velocity + offset + at);
	}
}

void mch_update(struct mch_net *net, const struct mch_update *u, float *velocity, float *square)
{
	size_t offset = 0;
	for (int i = 0; i < net->n_layers; i++) {
		struct mch_params pieces[MCH_PARAMS_MAX];
		const int n = mch_params_of(net, i, pieces);
		for (int j = 0; j < n; offset += pieces[j++].n_elems)
			update_piece(u, &pieces[j], offset, velocity, square);
	}
}
