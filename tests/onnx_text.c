/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Models from text, networks as text; see onnx_text.h. */
#include "onnx_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/layer.h"

struct bytes {
	uint8_t *at;
	size_t n;
};

enum { N_CONSTANTS = 32 };

/* Messages under construction; constants also as they are, for attributes. */
struct model {
	struct bytes graph;
	int64_t opset;
	struct {
		char name[32];
		struct bytes tensor;
	} constants[N_CONSTANTS];
	int n_constants;
};

static void fail(const char *what, const char *where)
{
	fprintf(stderr, "onnx_text: %s: \"%s\"\n", what, where);
	exit(99);
}

static void put(struct bytes *b, const void *from, size_t n)
{
	b->at = realloc(b->at, b->n + n + 1);
	if (!b->at)
		fail("out of memory", "");
	if (n > 0)
		memcpy(b->at + b->n, from, n);
	b->n += n;
}

static void put_varint(struct bytes *b, uint64_t v)
{
	for (; v > 127; v >>= 7)
		put(b, &(uint8_t){(uint8_t)(v | 128)}, 1);
	put(b, &(uint8_t){(uint8_t)v}, 1);
}

static void put_int(struct bytes *b, unsigned field, int64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, (uint64_t)v);
}

static void put_float(struct bytes *b, unsigned field, float v)
{
	put_varint(b, field << 3 | 5);
	put(b, &v, sizeof(v));
}

static void put_bytes(struct bytes *b, unsigned field, const void *from, size_t n)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, n);
	put(b, from, n);
}

static void put_text(struct bytes *b, unsigned field, const char *text)
{
	put_bytes(b, field, text, strlen(text));
}

/* The part becomes a field, and is freed. */
static void put_part(struct bytes *b, unsigned field, struct bytes *part)
{
	put_bytes(b, field, part->at, part->n);
	free(part->at);
	*part = (struct bytes){NULL, 0};
}

/* "2x4", "-": calls back for each; N is -1. Their product. */
static int64_t dims(const char *text, struct bytes *b, bool as_shape)
{
	int64_t product = 1;
	char copy[64], *rest = copy, *word;
	snprintf(copy, sizeof(copy), "%s", strcmp(text, "-") == 0 ? "" : text);
	while ((word = strtok_r(rest, "x", &rest)) != NULL) {
		struct bytes dim = {NULL, 0};
		const int64_t v = atoll(word);
		product *= v;
		if (!as_shape) {
			put_int(b, 1, v);
			continue;
		}
		if (word[0] == 'N')
			put_text(&dim, 2, "N");
		else
			put_int(&dim, 1, v);
		put_part(b, 1, &dim);
	}
	return product;
}

static int type_of(const char *name)
{
	static const char *const names[] = {"",      "float", "uint8", "int8",  "uint16",
					    "int16", "int32", "int64", "string"};
	for (int i = 1; i < 9; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return atoi(name);
}

/* in x 1x4 [type], out y. */
static void read_info(struct model *m, unsigned field, char *rest)
{
	const char *name = strtok_r(rest, " ", &rest), *size = strtok_r(rest, " ", &rest),
		   *type = strtok_r(rest, " ", &rest);
	struct bytes info = {NULL, 0}, type_proto = {NULL, 0}, tensor = {NULL, 0}, shape = {NULL, 0};
	put_text(&info, 1, name);
	if (size) {
		put_int(&tensor, 1, type ? type_of(type) : 1);
		dims(size, &shape, true);
		put_part(&tensor, 2, &shape);
		put_part(&type_proto, 1, &tensor);
		put_part(&info, 2, &type_proto);
	}
	put_part(&m->graph, field, &info);
}

/* type: 1 or 7; others are lists of int32, as their bits. */
static void read_constant(struct model *m, int type, char *rest)
{
	const bool is_float = type == 1;
	const char *name = strtok_r(rest, " ", &rest), *size = strtok_r(rest, " ", &rest), *word;
	struct bytes t = {NULL, 0};
	const int64_t n = dims(size, &t, false);
	bool is_ramp = false;
	if (m->n_constants == N_CONSTANTS || strcmp(strtok_r(rest, " ", &rest), "=") != 0)
		fail("a constant", name);
	put_int(&t, 2, type);
	put_text(&t, 8, name);
	for (int64_t i = 0; i < n; i++) {
		word = is_ramp ? "" : strtok_r(rest, " ", &rest);
		is_ramp = is_ramp || (word && strcmp(word, "ramp") == 0);
		if (!word)
			fail("too few values", name);
		if (is_float)
			put_float(&t, 4, is_ramp ? (float)(i + 1) : strtof(word, NULL));
		else
			put_int(&t, type == 7 ? 7 : 5, is_ramp ? i + 1 : atoll(word));
	}
	put_bytes(&m->graph, 5, t.at, t.n);
	snprintf(m->constants[m->n_constants].name, sizeof(m->constants[0].name), "%s", name);
	m->constants[m->n_constants++].tensor = t;
}

static void read_typed(struct model *m, char *rest)
{
	const int type = type_of(strtok_r(rest, " ", &rest));
	read_constant(m, type, rest);
}

static void read_list(struct bytes *a, char *text)
{
	const bool is_float = strchr(text, '.') != NULL;
	char *rest = text + 1, *word;
	while ((word = strtok_r(rest, ",]", &rest)) != NULL) {
		if (is_float)
			put_float(a, 7, strtof(word, NULL));
		else
			put_int(a, 8, atoll(word));
	}
	put_int(a, 20, is_float ? 6 : 7);
}

static void read_attribute(const struct model *m, struct bytes *node, char *word)
{
	char *value = strchr(word, '=');
	struct bytes a = {NULL, 0};
	*value++ = '\0';
	put_text(&a, 1, word);
	if (value[0] == '[') {
		read_list(&a, value);
	} else if (value[0] == '@') {
		int i = 0;
		while (i < m->n_constants && strcmp(m->constants[i].name, value + 1) != 0)
			i++;
		if (i == m->n_constants)
			fail("no such constant", value);
		put_bytes(&a, 5, m->constants[i].tensor.at, m->constants[i].tensor.n);
		put_int(&a, 20, 4);
	} else if (strchr("-0123456789", value[0])) {
		if (strchr(value, '.'))
			put_float(&a, 2, strtof(value, NULL));
		else
			put_int(&a, 3, atoll(value));
		put_int(&a, 20, strchr(value, '.') ? 1 : 2);
	} else {
		put_text(&a, 4, value);
		put_int(&a, 20, 3);
	}
	put_part(node, 5, &a);
}

static void read_node(struct model *m, const char *op, char *rest)
{
	struct bytes node = {NULL, 0};
	bool is_output = false;
	char *word;
	const char *colon = strchr(op, ':'); /* domain:operator */
	put_text(&node, 4, colon ? colon + 1 : op);
	if (colon)
		put_bytes(&node, 7, op, (size_t)(colon - op));
	while ((word = strtok_r(rest, " ", &rest)) != NULL) {
		if (strcmp(word, "->") == 0)
			is_output = true;
		else if (strchr(word, '='))
			read_attribute(m, &node, word);
		else
			put_text(&node, is_output ? 2 : 1, strcmp(word, "_") == 0 ? "" : word);
	}
	put_part(&m->graph, 1, &node);
}

uint8_t *onnx_text_model(const char *text, size_t *n)
{
	struct model m = {.opset = 13};
	struct bytes model = {NULL, 0}, set = {NULL, 0};
	char *copy = strdup(text), *rest = copy, *line;
	while ((line = strtok_r(rest, ";\n", &rest)) != NULL) {
		char *words = line;
		const char *first = strtok_r(words, " \t", &words);
		if (!first)
			continue;
		if (strcmp(first, "opset") == 0)
			m.opset = atoll(words);
		else if (strcmp(first, "in") == 0)
			read_info(&m, 11, words);
		else if (strcmp(first, "out") == 0)
			read_info(&m, 12, words);
		else if (strcmp(first, "f") == 0 || strcmp(first, "i") == 0)
			read_constant(&m, first[0] == 'f' ? 1 : 7, words);
		else if (strcmp(first, "t") == 0)
			read_typed(&m, words);
		else
			read_node(&m, first, words);
	}
	free(copy);
	for (int i = 0; i < m.n_constants; i++)
		free(m.constants[i].tensor.at);
	put_text(&m.graph, 2, "net");
	put_int(&set, 2, m.opset);
	put_int(&model, 1, 8);
	put_part(&model, 7, &m.graph);
	put_part(&model, 8, &set);
	*n = model.n;
	return model.at;
}

struct line {
	char *text;
	size_t room, used;
};

static void say(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct line *l, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(l->text + l->used, l->room - l->used, format, args);
	va_end(args);
	l->used += (size_t)n < l->room - l->used ? (size_t)n : l->room - l->used - 1;
}

static void say_values(struct line *l, const char *name, const float *values, size_t n)
{
	for (size_t i = 0; values && i < n && i < 8; i++)
		say(l, "%s%.4g", i ? "," : name, (double)values[i]);
	if (values && n > 8)
		say(l, "...");
}

static void say_window(struct line *l, const int kernel[2], const int stride[2], const int pad[4],
		       const int dilation[2])
{
	say(l, " k%dx%d", kernel[0], kernel[1]);
	if (stride[0] != 1 || stride[1] != 1)
		say(l, " s%dx%d", stride[0], stride[1]);
	if (pad[0] || pad[1] || pad[2] || pad[3])
		say(l, " p%d,%d,%d,%d", pad[0], pad[1], pad[2], pad[3]);
	if (dilation[0] != 1 || dilation[1] != 1)
		say(l, " d%dx%d", dilation[0], dilation[1]);
}

static void say_gather(struct line *l, const struct mch_gather *g)
{
	const int n = g->n_c + g->n_h + g->n_w;
	for (int i = 0; i < n; i++)
		say(l, "%s%d", i == 0 ? " " : i == g->n_c || i == g->n_c + g->n_h ? "/" : ",", g->at[i]);
	if (g->fill != 0)
		say(l, " fill %g", (double)g->fill);
}

static void say_layer(struct line *l, const struct mch_layer *layer)
{
	const struct mch_conv *c = &layer->conv;
	const struct mch_pool *p = &layer->pool;
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DECONV:
		say_window(l, (const int[]){c->r, c->s}, (const int[]){c->stride_h, c->stride_w},
			   (const int[]){c->pad_top, c->pad_left, c->pad_bottom, c->pad_right},
			   (const int[]){c->dilation_h, c->dilation_w});
		say(l, c->groups > 1 ? " g%d" : "", c->groups);
		if (layer->out_pad_h || layer->out_pad_w)
			say(l, " o%dx%d", layer->out_pad_h, layer->out_pad_w);
		break;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		say_window(l, (const int[]){p->r, p->s}, (const int[]){p->stride_h, p->stride_w},
			   (const int[]){p->pad_top, p->pad_left, p->pad_bottom, p->pad_right},
			   (const int[]){p->dilation_h, p->dilation_w});
		say(l, "%s%s", p->ceil_mode ? " ceil" : "", p->count_include_pad ? " count" : "");
		break;
	case MCH_CLIP:
		say(l, " %g..%g", (double)layer->clip.low, (double)layer->clip.high);
		break;
	case MCH_LEAKY_RELU:
		say(l, " %g", layer->slope);
		break;
	case MCH_LRN:
		say(l, " %d %g %g %g", layer->lrn.size, layer->lrn.alpha, layer->lrn.beta, layer->lrn.k);
		break;
	case MCH_BATCH_NORM:
		say(l, " %g", layer->norm.epsilon);
		break;
	case MCH_CONCAT:
		say(l, " on %d", layer->axis);
		break;
	case MCH_TRANSPOSE:
		say(l, " %d%d%d", layer->order[0], layer->order[1], layer->order[2]);
		break;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		say_gather(l, &layer->gather);
		break;
	default:
		break;
	}
	say_values(l, " w=", layer->weights, layer->n_weights);
	say_values(l, " b=", layer->bias, layer->n_bias);
	say_values(l, " m=", layer->mean, layer->n_weights);
	say_values(l, " v=", layer->variance, layer->n_weights);
}

void onnx_text_of(const struct mch_net *net, char *text, size_t room)
{
	struct line l = {text, room, 0};
	text[0] = '\0';
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const struct mch_shape s = net->edges[layer->out[0]].shape;
		say(&l, "%s%s %dx%dx%d", i ? " | " : "", mch_layer_table[layer->kind].name, s.c, s.h, s.w);
		say_layer(&l, layer);
	}
}
