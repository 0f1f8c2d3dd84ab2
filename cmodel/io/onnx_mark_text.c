/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of a mark as text; see onnx_mark_text.h. "key=value" with a blank between, lists with commas. */
#include "io/onnx_mark_text.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/real_text.h"
#include "net/layer.h"

enum { REAL_BYTES = 32, KIND_BYTES = 24 };

/* The kind's name as one word. */
static void kind_text(enum mch_kind kind, char buf[KIND_BYTES])
{
	snprintf(buf, KIND_BYTES, "%s", mch_layer_table[kind].name);
	for (char *c = buf; *c; c++)
		*c = *c == ' ' ? '_' : *c;
}

static void put_ints(FILE *to, const char *key, size_t n, const int *values)
{
	fprintf(to, " %s=", key);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s%d", i ? "," : "", values[i]);
}

static void put_real(FILE *to, const char *key, double value)
{
	char text[REAL_BYTES];
	fprintf(to, " %s=%s", key, mch_real_text(value, text));
}

static void put_pool(FILE *to, const struct mch_pool *g)
{
	const int window[] = {g->r, g->s, g->stride_h, g->stride_w, g->dilation_h, g->dilation_w};
	const int pads[] = {g->pad_top, g->pad_left, g->pad_bottom, g->pad_right};
	put_ints(to, "window", 6, window);
	put_ints(to, "pads", 4, pads);
	put_ints(to, "modes", 2, (const int[]){g->ceil_mode, g->count_include_pad});
}

static void put_gather(FILE *to, const struct mch_gather *g)
{
	put_ints(to, "size", 3, (const int[]){g->n_c, g->n_h, g->n_w});
	put_ints(to, "at", (size_t)g->n_c + (size_t)g->n_h + (size_t)g->n_w, g->at);
	put_real(to, "fill", (double)g->fill);
}

static void put_layer(FILE *to, const struct mch_layer *layer)
{
	char text[REAL_BYTES];
	switch (layer->kind) {
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		put_pool(to, &layer->pool);
		break;
	case MCH_LRN:
		put_ints(to, "size", 1, &layer->lrn.size);
		put_real(to, "alpha", layer->lrn.alpha);
		put_real(to, "beta", layer->lrn.beta);
		break;
	case MCH_BATCH_NORM:
		put_real(to, "epsilon", layer->norm.epsilon);
		break;
	case MCH_SUM:
		for (int i = 0; layer->weights && i < layer->n_in; i++)
			fprintf(to, "%s%s", i ? "," : " times=", mch_real_text((double)layer->weights[i], text));
		break;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		put_gather(to, &layer->gather);
		break;
	case MCH_TRANSPOSE:
		put_ints(to, "order", 3, layer->order);
		break;
	case MCH_RESHAPE:
	case MCH_CONSTANT:
		put_ints(to, "shape", 3, (const int[]){layer->shape.c, layer->shape.h, layer->shape.w});
		break;
	default:
		break;
	}
}

char *mch_onnx_mark_text(const struct mch_emit *e, int n_names, const char *const *names)
{
	char *text = NULL, kind[KIND_BYTES];
	size_t n_bytes;
	FILE *to = open_memstream(&text, &n_bytes);
	if (!to)
		return NULL;
	fprintf(to, "in=");
	for (int i = 0; i < e->layer->n_in; i++) {
		int at = 0;
		while (at < n_names && strcmp(names[at], e->in[i]) != 0)
			at++;
		fprintf(to, "%s%d", i ? "," : "", at);
	}
	kind_text(e->layer->kind, kind);
	fprintf(to, " rank=%d kind=%s", e->rank[e->layer->out[0]], kind);
	put_layer(to, e->layer);
	const bool is_broken = ferror(to) != 0;
	if (fclose(to) == 0 && !is_broken)
		return text;
	free(text);
	return NULL;
}

/* The text behind "key=", or NULL. */
static const char *find(const struct mch_onnx_mark *mark, const char *key)
{
	const size_t n = strlen(key);
	for (const char *word = mark->text; word; word = strchr(word, ' ')) {
		word += *word == ' ';
		if (strncmp(word, key, n) == 0 && word[n] == '=')
			return word + n + 1;
	}
	return NULL;
}

/* The numbers of a list: how many, or -1 when they are not from low to high, or over `room`. */
static int get_ints(const struct mch_onnx_mark *mark, const char *key, int low, int high, size_t room, int *values)
{
	const char *text = find(mark, key);
	size_t n = 0;
	while (text && *text && *text != ' ') {
		char *end;
		const long v = strtol(text, &end, 10);
		if (end == text || v < low || v > high || n == room || (*end && *end != ' ' && *end != ','))
			return -1;
		values[n++] = (int)v;
		text = end + (*end == ',');
	}
	return text ? (int)n : -1;
}

/* The number at *text, which goes on behind it and a comma. */
static int next_real(const char **text, double *value)
{
	char word[REAL_BYTES];
	const size_t n = strcspn(*text, " ,");
	if (n == 0 || n >= sizeof(word))
		return -1;
	memcpy(word, *text, n);
	word[n] = '\0';
	*text += n + ((*text)[n] == ',');
	return mch_real_parse(word, value);
}

static int get_real(const struct mch_onnx_mark *mark, const char *key, double *value)
{
	const char *text = find(mark, key);
	return text ? next_real(&text, value) : -1;
}

int mch_onnx_mark_kind(struct mch_onnx_mark *mark)
{
	const char *text = find(mark, "kind");
	const size_t n = text ? strcspn(text, " ") : 0;
	mark->is_alias = n == 5 && strncmp(text, "alias", 5) == 0;
	mark->rank = 0;
	if (mark->is_alias)
		return 0;
	for (int kind = 0; kind < MCH_N_KINDS; kind++) {
		char name[KIND_BYTES];
		kind_text((enum mch_kind)kind, name);
		if (strlen(name) != n || strncmp(text, name, n) != 0)
			continue;
		mark->kind = (enum mch_kind)kind;
		return get_ints(mark, "rank", 2, 4, 1, &mark->rank) == 1 && mark->rank != 3 ? 0 : -1;
	}
	return -1;
}

int mch_onnx_mark_order(const struct mch_onnx_mark *mark, int n_values, size_t room, int *order)
{
	return get_ints(mark, "in", 0, n_values - 1, room, order);
}

static int get_pool(const struct mch_onnx_mark *mark, struct mch_pool *g)
{
	enum { LARGE = 1 << 20 }; /* what mch_net_infer takes is less */
	int w[6], p[4], m[2];
	if (get_ints(mark, "window", 1, LARGE, 6, w) != 6 || get_ints(mark, "pads", 0, LARGE, 4, p) != 4 ||
	    get_ints(mark, "modes", 0, 1, 2, m) != 2)
		return -1;
	*g = (struct mch_pool){.n = 1,
			       .r = w[0],
			       .s = w[1],
			       .stride_h = w[2],
			       .stride_w = w[3],
			       .pad_top = p[0],
			       .pad_left = p[1],
			       .pad_bottom = p[2],
			       .pad_right = p[3],
			       .dilation_h = w[4],
			       .dilation_w = w[5],
			       .ceil_mode = m[0],
			       .count_include_pad = m[1]};
	return 0;
}

static int get_gather(const struct mch_onnx_mark *mark, struct mch_gather *g)
{
	const size_t text_bytes = strlen(mark->text); /* a list cannot have more numbers than it has letters */
	int size[3];
	double fill;
	if (get_ints(mark, "size", 1, INT_MAX / 4, 3, size) != 3 || get_real(mark, "fill", &fill) != 0)
		return -1;
	const size_t n = (size_t)size[0] + (size_t)size[1] + (size_t)size[2];
	if (n > text_bytes || mch_gather_alloc(g, size[0], size[1], size[2], NULL) != 0)
		return -1;
	g->fill = (float)fill;
	return get_ints(mark, "at", -1, INT_MAX, n, g->at) == (int)n ? 0 : -1;
}

static int get_lrn(const struct mch_onnx_mark *mark, struct mch_lrn *lrn)
{
	*lrn = (struct mch_lrn){.k = 1, .is_within = true};
	return get_ints(mark, "size", 1, INT_MAX, 1, &lrn->size) == 1 &&
			       get_real(mark, "alpha", &lrn->alpha) == 0 && get_real(mark, "beta", &lrn->beta) == 0
		       ? 0
		       : -1;
}

static int get_times(const struct mch_onnx_mark *mark, struct mch_layer *layer)
{
	const char *text = find(mark, "times");
	if (!text)
		return 0;
	layer->weights = calloc((size_t)layer->n_in, sizeof(*layer->weights));
	layer->n_weights = (size_t)layer->n_in;
	for (int i = 0; layer->weights && i < layer->n_in; i++) {
		double value;
		if (next_real(&text, &value) != 0 || fabs(value) > (double)FLT_MAX)
			return -1;
		layer->weights[i] = (float)value;
	}
	return layer->weights ? 0 : -1;
}

static int get_layer(const struct mch_onnx_mark *mark, struct mch_layer *layer)
{
	int shape[3];
	switch (mark->kind) {
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		return get_pool(mark, &layer->pool);
	case MCH_LRN:
		return get_lrn(mark, &layer->lrn);
	case MCH_BATCH_NORM:
		return get_real(mark, "epsilon", &layer->norm.epsilon);
	case MCH_SUM:
		return get_times(mark, layer);
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		return get_gather(mark, &layer->gather);
	case MCH_TRANSPOSE:
		return get_ints(mark, "order", 0, 2, 3, layer->order) == 3 ? 0 : -1;
	case MCH_RESHAPE:
	case MCH_CONSTANT:
		if (get_ints(mark, "shape", 1, INT_MAX, 3, shape) != 3)
			return -1;
		layer->shape = (struct mch_shape){1, shape[0], shape[1], shape[2]};
		return 0;
	case MCH_SCALE:
	case MCH_PROD:
	case MCH_MAX:
	case MCH_FLATTEN:
		return 0;
	default:
		return -1;
	}
}

int mch_onnx_mark_apply(const struct mch_onnx_mark *mark, struct mch_layer *layer, struct mch_err *err)
{
	return get_layer(mark, layer) == 0
		       ? 0
		       : mch_err_set(err, "mark", "\"%.80s\" is damaged; convert the model again", mark->text);
}
