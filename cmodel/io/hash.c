/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* SHA-256; see hash.h. */
#include "io/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/require.h"
#include "net/layer.h"

void mch_hash_begin(struct mch_hash *hash)
{
	SHA256Init(&hash->state);
}

void mch_hash_bytes(struct mch_hash *hash, const void *bytes, size_t n_bytes)
{
	SHA256Update(&hash->state, bytes, n_bytes);
}

void mch_hash_int(struct mch_hash *hash, int64_t value)
{
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
	mch_hash_bytes(hash, bytes, sizeof(bytes));
}

void mch_hash_f32(struct mch_hash *hash, const float *values, size_t n)
{
	enum { CHUNK = 256 };
	uint8_t bytes[4 * CHUNK];
	for (size_t i = 0; i < n;) {
		size_t used = 0;
		for (; i < n && used < sizeof(bytes); i++) {
			uint32_t bits;
			memcpy(&bits, &values[i], sizeof(bits));
			for (int b = 0; b < 4; b++)
				bytes[used++] = (uint8_t)(bits >> (8 * b));
		}
		mch_hash_bytes(hash, bytes, used);
	}
}

void mch_hash_text(struct mch_hash *hash, const char *text)
{
	const size_t n_bytes = strlen(text);
	mch_hash_int(hash, (int64_t)n_bytes);
	mch_hash_bytes(hash, text, n_bytes);
}

void mch_hash_end(struct mch_hash *hash, char hex[MCH_HASH_HEX])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256Final(digest, &hash->state);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int mch_hash_file(const char *path, char hex[MCH_HASH_HEX], struct mch_err *err)
{
	FILE *stream = fopen(path, "rb");
	if (!stream)
		return mch_err_set(err, path, "cannot be read (%s); check the name and its permissions",
				   strerror(errno));
	struct mch_hash hash;
	uint8_t bytes[1 << 14];
	size_t n;
	mch_hash_begin(&hash);
	while ((n = fread(bytes, 1, sizeof(bytes), stream)) > 0)
		mch_hash_bytes(&hash, bytes, n);
	const int broken = ferror(stream), reason = errno;
	fclose(stream);
	mch_hash_end(&hash, hex);
	if (broken)
		return mch_err_set(err, path, "cannot be read (%s); check the file and its disk", strerror(reason));
	return 0;
}

static void hash_ints(struct mch_hash *hash, const int *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		mch_hash_int(hash, values[i]);
}

static void hash_shape(struct mch_hash *hash, struct mch_shape s)
{
	hash_ints(hash, (const int[]){s.c, s.h, s.w}, 3);
}

static void hash_geometry(struct mch_hash *hash, const struct mch_layer *layer)
{
	if (layer->kind == MCH_CONV || layer->kind == MCH_DENSE) {
		const struct mch_conv *g = &layer->conv;
		const int values[] = {g->k,         g->r,          g->s,          g->stride_h,
				      g->stride_w,  g->pad_top,    g->pad_left,   g->pad_bottom,
				      g->pad_right, g->dilation_h, g->dilation_w, g->groups};
		hash_ints(hash, values, sizeof(values) / sizeof(values[0]));
	} else if (layer->kind == MCH_POOL_MAX || layer->kind == MCH_POOL_AVG) {
		const struct mch_pool *g = &layer->pool;
		const int values[] = {g->r,          g->s,
				      g->stride_h,   g->stride_w,
				      g->pad_top,    g->pad_left,
				      g->pad_bottom, g->pad_right,
				      g->ceil_mode,  g->count_include_pad && layer->kind == MCH_POOL_AVG};
		hash_ints(hash, values, sizeof(values) / sizeof(values[0]));
		if (g->dilation_h != 1 || g->dilation_w != 1)
			hash_ints(hash, (const int[]){g->dilation_h, g->dilation_w}, 2);
	}
}

void mch_hash_net(const struct mch_net *net, char hex[MCH_HASH_HEX])
{
	MCH_REQUIRE(net->input >= 0 && net->output >= 0, "a network is hashed after mch_net_infer");
	struct mch_hash hash;
	mch_hash_begin(&hash);
	mch_hash_text(&hash, "macchiato network 1");
	hash_shape(&hash, net->edges[net->input].shape);
	int64_t scale_bits;
	memcpy(&scale_bits, &net->transform.scale, sizeof(scale_bits));
	mch_hash_int(&hash, scale_bits);
	mch_hash_int(&hash, net->n_layers);
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		mch_hash_text(&hash, mch_layer_table[layer->kind].onnx_op);
		/* An edge is told by the layer that writes it: its number depends on the order of building. */
		mch_hash_int(&hash, layer->n_in);
		for (int e = 0; e < layer->n_in; e++)
			mch_hash_int(&hash, net->edges[layer->in[e]].producer);
		hash_geometry(&hash, layer);
		const size_t n_weights = layer->weights ? layer->n_weights : 0,
			     n_bias = layer->bias ? layer->n_bias : 0;
		mch_hash_int(&hash, (int64_t)n_weights);
		mch_hash_f32(&hash, layer->weights, n_weights);
		mch_hash_int(&hash, (int64_t)n_bias);
		mch_hash_f32(&hash, layer->bias, n_bias);
	}
	mch_hash_int(&hash, net->edges[net->output].producer);
	mch_hash_end(&hash, hex);
}
