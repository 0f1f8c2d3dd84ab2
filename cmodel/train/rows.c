/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The rows that call fast/grad.h, and the table; see rows.h. */
#include "train/rows.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "fast/grad.h"

static struct mch_conv conv_of(const struct mch_site *t)
{
	struct mch_conv g = t->run.layer->conv;
	g.n = t->run.n;
	return g;
}

static size_t conv_scratch(const struct mch_site *t)
{
	const struct mch_conv g = conv_of(t);
	return mch_grad_conv_scratch_elems(&g);
}

static void conv_forward(const struct mch_site *t)
{
	const struct mch_conv g = conv_of(t);
	mch_grad_conv_forward(&g, t->run.x[0], t->run.layer->weights, t->run.layer->bias, t->scratch, t->run.y);
}

static struct mch_grad_conv conv_slopes(const struct mch_site *t)
{
	return (struct mch_grad_conv){t->run.x[0], t->run.layer->weights, t->dy, t->scratch, t->dx, t->dw, t->db};
}

static void conv_backward(const struct mch_site *t)
{
	const struct mch_conv g = conv_of(t);
	const struct mch_grad_conv slopes = conv_slopes(t);
	mch_grad_conv_backward(&g, &slopes);
}

static struct mch_grad_deconv deconv_of(const struct mch_site *t)
{
	return (struct mch_grad_deconv){conv_of(t), t->run.out.h, t->run.out.w};
}

static size_t deconv_scratch(const struct mch_site *t)
{
	const struct mch_grad_deconv g = deconv_of(t);
	return mch_grad_deconv_scratch_elems(&g);
}

static void deconv_forward(const struct mch_site *t)
{
	const struct mch_grad_deconv g = deconv_of(t);
	mch_grad_deconv_forward(&g, t->run.x[0], t->run.layer->weights, t->run.layer->bias, t->scratch, t->run.y);
}

static void deconv_backward(const struct mch_site *t)
{
	const struct mch_grad_deconv g = deconv_of(t);
	const struct mch_grad_conv slopes = conv_slopes(t);
	mch_grad_deconv_backward(&g, &slopes);
}

static struct mch_pool pool_of(const struct mch_site *t)
{
	struct mch_pool g = t->run.layer->pool;
	g.n = t->run.n;
	return g;
}

static size_t out_elems(const struct mch_site *t)
{
	return (size_t)t->run.n * mch_shape_elems(t->run.out);
}

static size_t max_keep(const struct mch_site *t)
{
	return out_elems(t) * sizeof(int32_t);
}

static void max_forward(const struct mch_site *t)
{
	const struct mch_pool g = pool_of(t);
	mch_grad_pool_max_forward(&g, t->run.x[0], t->run.y, t->kept);
}

static void max_backward(const struct mch_site *t)
{
	const struct mch_pool g = pool_of(t);
	mch_grad_pool_max_backward(&g, t->kept, t->dy, t->dx);
}

static void avg_forward(const struct mch_site *t)
{
	const struct mch_pool g = pool_of(t);
	mch_grad_pool_avg_forward(&g, t->run.x[0], t->run.y);
}

static void avg_backward(const struct mch_site *t)
{
	const struct mch_pool g = pool_of(t);
	mch_grad_pool_avg_backward(&g, t->dy, t->dx);
}

/* Kinds whose plain form is fast enough, or that compute nothing. */
static void plain_forward(const struct mch_site *t)
{
	mch_layer_table[t->run.layer->kind].run_f32(&t->run);
}

static void same_backward(const struct mch_site *t)
{
	memcpy(t->dx, t->dy, out_elems(t) * sizeof(float));
}

static void relu_forward(const struct mch_site *t)
{
	mch_grad_relu_forward(out_elems(t), t->run.x[0], t->run.y);
}

/* y tells as well as x does where the slope is 0; so does it for the clip. */
static void relu_backward(const struct mch_site *t)
{
	mch_grad_relu_backward(out_elems(t), t->run.y, t->dy, t->dx);
}

static void clip_forward(const struct mch_site *t)
{
	mch_grad_clip_forward(out_elems(t), t->run.layer->clip.low, t->run.layer->clip.high, t->run.x[0], t->run.y);
}

static void clip_backward(const struct mch_site *t)
{
	mch_grad_clip_backward(out_elems(t), t->run.layer->clip.low, t->run.layer->clip.high, t->run.y, t->dy, t->dx);
}

static void sigmoid_backward(const struct mch_site *t)
{
	mch_grad_sigmoid_backward(out_elems(t), t->run.y, t->dy, t->dx);
}

static void tanh_backward(const struct mch_site *t)
{
	mch_grad_tanh_backward(out_elems(t), t->run.y, t->dy, t->dx);
}

static struct mch_grad_planes planes_of(const struct mch_site *t)
{
	return (struct mch_grad_planes){t->run.n, t->run.out.c, t->run.out.h * t->run.out.w};
}

static void leaky_forward(const struct mch_site *t)
{
	const struct mch_grad_planes s = planes_of(t);
	const float slope = (float)t->run.layer->slope;
	mch_grad_prelu_forward(&s, 1, &slope, t->run.x[0], t->run.y);
}

static void leaky_backward(const struct mch_site *t)
{
	const struct mch_grad_planes s = planes_of(t);
	const float slope = (float)t->run.layer->slope;
	mch_grad_prelu_backward(&s, &(struct mch_grad_prelu){1, &slope, t->run.x[0], t->dy, t->dx, NULL});
}

static void prelu_forward(const struct mch_site *t)
{
	const struct mch_grad_planes s = planes_of(t);
	mch_grad_prelu_forward(&s, (int)t->run.layer->n_weights, t->run.layer->weights, t->run.x[0], t->run.y);
}

static void prelu_backward(const struct mch_site *t)
{
	const struct mch_grad_planes s = planes_of(t);
	const struct mch_layer *layer = t->run.layer;
	mch_grad_prelu_backward(&s, &(struct mch_grad_prelu){(int)layer->n_weights, layer->weights, t->run.x[0], t->dy,
							     t->dx, t->dw});
}

static size_t norm_keep(const struct mch_site *t)
{
	return 3 * (size_t)t->run.out.c * sizeof(float);
}

static struct mch_grad_norm norm_of(const struct mch_site *t)
{
	const struct mch_layer *layer = t->run.layer;
	const float *kept = t->kept;
	struct mch_grad_norm norm = {.w = layer->weights, .bias = layer->bias, .x = t->run.x[0], .dy = t->dy,
				     .dx = t->dx, .dw = t->dw, .db = t->db};
	if (layer->kind == MCH_BATCH_NORM)
		norm.mean = kept, norm.recip = kept + 2 * (size_t)t->run.out.c, norm.is_batch = true;
	return norm;
}

static void norm_forward(const struct mch_site *t)
{
	const struct mch_grad_planes s = planes_of(t);
	const struct mch_grad_norm norm = norm_of(t);
	if (norm.is_batch) {
		float *mean = t->kept, *variance = mean + s.c, *recip = variance + s.c;
		mch_grad_moments(&s, t->run.x[0], mean, variance);
		for (int c = 0; c < s.c; c++) {
			const double base = (double)variance[c] + t->run.layer->norm.epsilon;
			recip[c] = base > 0 ? (float)(1 / sqrt(base)) : 0; /* no epsilon, and all values the same */
		}
	}
	mch_grad_norm_forward(&s, &norm, t->run.y);
}

static void norm_backward(const struct mch_site *t)
{
	const struct mch_grad_planes s = planes_of(t);
	const struct mch_grad_norm norm = norm_of(t);
	mch_grad_norm_backward(&s, &norm);
}

static size_t dropout_keep(const struct mch_site *t)
{
	return out_elems(t) * sizeof(float);
}

/* What stays is scaled up, so that inference has nothing to do (Srivastava et al., 2014, as Caffe does it). */
static void dropout_forward(const struct mch_site *t)
{
	const double ratio = t->run.layer->dropout_ratio;
	const float up = (float)(1 / (1 - ratio));
	struct mch_rng rng = mch_rng_seed(t->noise);
	float *factor = t->kept;
	for (size_t i = 0; i < out_elems(t); i++)
		factor[i] = mch_rng_real(&rng) < ratio ? 0 : up;
	mch_grad_multiply(out_elems(t), t->run.x[0], factor, t->run.y);
}

static void dropout_backward(const struct mch_site *t)
{
	mch_grad_multiply(out_elems(t), t->dy, t->kept, t->dx);
}

const struct mch_row mch_rows[MCH_N_KINDS] = {
	[MCH_CONV] = {conv_forward, conv_backward, NULL, conv_scratch, false, false},
	[MCH_DENSE] = {conv_forward, conv_backward, NULL, conv_scratch, false, false},
	[MCH_DECONV] = {deconv_forward, deconv_backward, NULL, deconv_scratch, false, false},
	[MCH_RELU] = {relu_forward, relu_backward, NULL, NULL, true, true},
	[MCH_CLIP] = {clip_forward, clip_backward, NULL, NULL, true, true},
	[MCH_LEAKY_RELU] = {leaky_forward, leaky_backward, NULL, NULL, false, false},
	[MCH_PRELU] = {prelu_forward, prelu_backward, NULL, NULL, false, false},
	[MCH_SIGMOID] = {plain_forward, sigmoid_backward, NULL, NULL, true, true},
	[MCH_TANH] = {plain_forward, tanh_backward, NULL, NULL, true, true},
	[MCH_POOL_MAX] = {max_forward, max_backward, max_keep, NULL, false, false},
	[MCH_POOL_AVG] = {avg_forward, avg_backward, NULL, NULL, false, false},
	[MCH_LRN] = {plain_forward, mch_row_lrn_backward, NULL, mch_row_lrn_scratch, false, false},
	[MCH_BATCH_NORM] = {norm_forward, norm_backward, norm_keep, NULL, false, false},
	[MCH_SCALE] = {norm_forward, norm_backward, NULL, NULL, false, false},
	[MCH_SUM] = {mch_row_sum_forward, mch_row_eltwise_backward, NULL, NULL, false, false},
	[MCH_PROD] = {plain_forward, mch_row_eltwise_backward, NULL, NULL, false, false},
	[MCH_MAX] = {plain_forward, mch_row_eltwise_backward, NULL, NULL, false, false},
	[MCH_CONCAT] = {plain_forward, mch_row_concat_backward, NULL, NULL, false, false},
	[MCH_SLICE] = {plain_forward, mch_row_gather_backward, NULL, NULL, false, false},
	[MCH_PAD] = {plain_forward, mch_row_gather_backward, NULL, NULL, false, false},
	[MCH_UPSAMPLE] = {plain_forward, mch_row_gather_backward, NULL, NULL, false, false},
	[MCH_FLATTEN] = {plain_forward, same_backward, NULL, NULL, false, false},
	[MCH_RESHAPE] = {plain_forward, same_backward, NULL, NULL, false, false},
	[MCH_TRANSPOSE] = {plain_forward, mch_row_transpose_backward, NULL, NULL, false, false},
	[MCH_DROPOUT] = {dropout_forward, dropout_backward, dropout_keep, NULL, true, false},
	[MCH_CONSTANT] = {plain_forward, same_backward, NULL, NULL, false, false},
};
