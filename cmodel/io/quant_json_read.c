/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a network from text; see quant_json.h. It may have been edited by hand, so all of it is checked. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/hash.h"
#include "io/quant_json.h"
#include "io/quant_keys.h"

struct reader {
	const char *path;
	const struct mch_net *net;
	struct mch_quant *quant;
	struct mch_err *err;
};

/* place: "layer conv1", or NULL for the file itself. */
static int fail(const struct reader *r, const char *place, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct reader *r, const char *place, const char *what, ...)
{
	char text[512];
	va_list args;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return mch_err_set(r->err, r->path, "%s%s%s; correct it, or run quantize again", place ? place : "",
			   place ? ": " : "", text);
}

/* object is an object, all its keys are among the words of keys (a space behind each), and all words not in brackets
 * are there. */
static int check_keys(const struct reader *r, const char *place, const char *name, json_t *object, const char *keys)
{
	char words[160], *rest = NULL;
	size_t n_known = 0;
	if (!json_is_object(object))
		return fail(r, place, "%s is no object { ... }", name);
	snprintf(words, sizeof(words), "%s", keys);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		const bool is_optional = word[0] == '?';
		const bool is_there = json_object_get(object, word + is_optional) != NULL;
		if (!is_there && !is_optional)
			return fail(r, place, "%s lacks \"%s\"", name, word);
		n_known += is_there;
	}
	if (n_known == json_object_size(object))
		return 0;
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		const size_t n = strlen(key);
		const char *at = keys;
		while (n > 0 && (at = strstr(at, key)) != NULL &&
		       ((at != keys && at[-1] != ' ' && at[-1] != '?') || (at[n] != ' ' && at[n] != '\0')))
			at += n;
		if (n == 0 || !at)
			return fail(r, place, "%s has an unknown key \"%.40s\"", name, key);
	}
	return 0;
}

static int get_int(const struct reader *r, const char *place, json_t *object, const char *key, int64_t low,
		   int64_t high, int64_t *value)
{
	json_t *v = json_object_get(object, key);
	*value = json_integer_value(v);
	if (!json_is_integer(v) || *value < low || *value > high)
		return fail(r, place, "\"%s\" is no whole number from %" PRId64 " to %" PRId64, key, low, high);
	return 0;
}

/* null is NAN. */
static int get_real(const struct reader *r, const char *place, json_t *object, const char *key, double *value)
{
	json_t *v = json_object_get(object, key);
	*value = json_is_null(v) ? NAN : json_number_value(v);
	if (!json_is_null(v) && (!json_is_number(v) || !(*value >= 0 && *value <= 100)))
		return fail(r, place, "\"%s\" is no number from 0 to 100 and not null", key);
	return 0;
}

static int get_text(const struct reader *r, const char *place, json_t *object, const char *key, const char **text)
{
	*text = json_string_value(json_object_get(object, key));
	return *text ? 0 : fail(r, place, "\"%s\" is no string", key);
}

/* A whole number, or text that is one of more than 64 bits. */
static int get_bound(const struct reader *r, const char *place, json_t *object, const char *key, mch_int128 *value)
{
	json_t *v = json_object_get(object, key);
	*value = json_integer_value(v);
	if (!json_is_integer(v) && (!json_is_string(v) || mch_wide_parse(json_string_value(v), value) != 0))
		return fail(r, place, "\"%s\" is no whole number, nor text that is one", key);
	return 0;
}

/* A format of at most 16 bits. */
static int get_format(const struct reader *r, const char *place, json_t *object, const char *key, bool only_signed,
		      struct mch_format *format)
{
	const char *text;
	if (get_text(r, place, object, key, &text) != 0)
		return -1;
	if (mch_format_parse(text, format) != 0 || format->bits > MCH_OPERAND_BITS_MAX ||
	    (only_signed && !format->is_signed))
		return fail(
			r, place,
			"\"%s\" is \"%.24s\", a format such as s8.4 with %s1 to %d bits and a fraction of -%d to %d "
			"is expected",
			key, text, only_signed ? "a sign, " : "", MCH_OPERAND_BITS_MAX, MCH_FRAC_LIMIT,
			MCH_FRAC_LIMIT);
	return 0;
}

static int read_identity(struct reader *r, json_t *root)
{
	const char *format, *hash;
	if (get_text(r, NULL, root, "format", &format) != 0 || get_text(r, NULL, root, "net_hash", &hash) != 0)
		return -1;
	if (strcmp(format, MCH_QUANT_FORMAT) != 0)
		return fail(r, NULL, "\"format\" is \"%.40s\", \"%s\" is expected", format, MCH_QUANT_FORMAT);
	mch_hash_net(r->net, r->quant->net_hash);
	if (strcmp(hash, r->quant->net_hash) != 0)
		return mch_err_set(r->err, r->path,
				   "belongs to another network (hash %.12s..., this one has %.12s...); run quantize "
				   "on this network",
				   hash, r->quant->net_hash);
	return 0;
}

static int read_settings(struct reader *r, json_t *root)
{
	json_t *widths = json_object_get(root, "widths"), *accuracy = json_object_get(root, "accuracy");
	const char *round;
	int64_t v;
	if (get_text(r, NULL, root, "round", &round) != 0)
		return -1;
	if (mch_round_parse(round, &r->quant->round) != 0)
		return fail(r, NULL, "\"round\" is \"%.24s\", no rounding mode", round);
	if (json_object_get(root, "overflow")) {
		const char *overflow;
		if (get_text(r, NULL, root, "overflow", &overflow) != 0)
			return -1;
		r->quant->wraps = strcmp(overflow, mch_quant_overflow_names[MCH_WRAP]) == 0;
		if (!r->quant->wraps && strcmp(overflow, mch_quant_overflow_names[MCH_SATURATE]) != 0)
			return fail(r, NULL, "\"overflow\" is \"%.24s\", neither wrap nor saturate", overflow);
	}
	if (json_object_get(root, "weight_round")) {
		if (get_text(r, NULL, root, "weight_round", &round) != 0)
			return -1;
		if (mch_round_parse(round, &r->quant->weight_round) != 0)
			return fail(r, NULL, "\"weight_round\" is \"%.24s\", no rounding mode", round);
	}
	if (get_int(r, NULL, root, "seed", 0, UINT32_MAX, &v) != 0)
		return -1;
	r->quant->seed = (uint32_t)v;
	if (check_keys(r, NULL, "\"widths\"", widths, "conv_weights fc_weights activations") != 0)
		return -1;
	for (int i = 0; i < MCH_N_PARTS; i++) {
		if (get_int(r, "widths", widths, mch_quant_part_names[i], 0, MCH_OPERAND_BITS_MAX, &v) != 0)
			return -1;
		r->quant->width[i] = (int)v;
	}
	if (check_keys(r, NULL, "\"accuracy\"", accuracy, "float exact images error_margin") != 0 ||
	    get_real(r, "accuracy", accuracy, "float", &r->quant->accuracy_float) != 0 ||
	    get_real(r, "accuracy", accuracy, "exact", &r->quant->accuracy_exact) != 0 ||
	    get_real(r, "accuracy", accuracy, "error_margin", &r->quant->error_margin) != 0 ||
	    get_int(r, "accuracy", accuracy, "images", 0, INT32_MAX, &v) != 0)
		return -1;
	r->quant->n_scored = (int)v;
	return 0;
}

static int read_tensor(struct reader *r, json_t *entry, char *seen)
{
	const char *name, *text;
	char place[128];
	if (check_keys(r, NULL, "an entry of \"tensors\"", entry, "name format") != 0 ||
	    get_text(r, "tensors", entry, "name", &name) != 0)
		return -1;
	snprintf(place, sizeof(place), "tensor %.100s", name);
	const int edge = mch_net_find_edge(r->net, name);
	if (edge < 0 || seen[edge])
		return fail(r, place, "%s", edge < 0 ? "the network has none of that name" : "is given twice");
	seen[edge] = 1;
	text = json_string_value(json_object_get(entry, "format"));
	if (text && strcmp(text, MCH_QUANT_FLOAT) == 0)
		return 0;
	return get_format(r, place, entry, "format", false, &r->quant->edge[edge]);
}

/* The smallest must be the weights' fraction: a file that was edited in one place only is found out. */
static int read_channel_frac(struct reader *r, const char *place, json_t *list, int n_channels,
			     struct mch_layer_quant *q)
{
	json_t *element;
	size_t k;
	int least = MCH_FRAC_LIMIT;
	if (!json_is_array(list) || json_array_size(list) != (size_t)n_channels)
		return fail(r, place, "\"channel_frac\" is no list of %d numbers, one for each output channel", n_channels);
	if (mch_layer_quant_split(q, n_channels, 0) != 0)
		return mch_err_set(r->err, r->path, "out of memory; use a machine with more");
	json_array_foreach(list, k, element)
	{
		const json_int_t frac = json_integer_value(element);
		if (!json_is_integer(element) || frac < -MCH_FRAC_LIMIT || frac > MCH_FRAC_LIMIT)
			return fail(r, place, "\"channel_frac\" holds what is no whole number from -%d to %d", MCH_FRAC_LIMIT,
				    MCH_FRAC_LIMIT);
		q->channel_frac[k] = (int8_t)frac;
		least = (int)frac < least ? (int)frac : least;
	}
	if (least != q->weights.frac)
		return fail(r, place, "the smallest of \"channel_frac\" is %d, and \"weights\" has the fraction %d; they are one",
			    least, q->weights.frac);
	return 0;
}

static int read_layer(struct reader *r, json_t *entry, char *seen)
{
	const char *name, *overflow;
	char place[128];
	int64_t v;
	if (check_keys(r, NULL, "an entry of \"layers\"", entry, "name weights ?channel_frac acc certificate") != 0 ||
	    get_text(r, "layers", entry, "name", &name) != 0)
		return -1;
	snprintf(place, sizeof(place), "layer %.100s", name);
	const int index = mch_net_find_layer(r->net, name);
	if (index < 0 || seen[index] || !mch_quant_has_weights(&r->net->layers[index]))
		return fail(r, place, "%s",
			    index < 0     ? "the network has none of that name"
			    : seen[index] ? "is given twice"
					  : "has no weights");
	seen[index] = 1;
	struct mch_layer_quant *q = &r->quant->layer[index];
	json_t *acc = json_object_get(entry, "acc"), *certificate = json_object_get(entry, "certificate");
	json_t *channel_frac = json_object_get(entry, "channel_frac");
	if (get_format(r, place, entry, "weights", true, &q->weights) != 0 ||
	    (channel_frac &&
	     read_channel_frac(r, place, channel_frac, r->net->layers[index].conv.k, q) != 0) ||
	    check_keys(r, place, "\"acc\"", acc, "bits overflow") != 0 ||
	    get_int(r, place, acc, "bits", 0, MCH_WIDE_BITS_MAX, &v) != 0 ||
	    get_text(r, place, acc, "overflow", &overflow) != 0)
		return -1;
	q->acc.bits = (int)v;
	q->acc.overflow = strcmp(overflow, mch_quant_overflow_names[MCH_SATURATE]) == 0 ? MCH_SATURATE : MCH_WRAP;
	if (v == 1 || strcmp(overflow, mch_quant_overflow_names[q->acc.overflow]) != 0)
		return fail(r, place, "\"acc\" is neither 0 nor 2 to %d bits, wrap or saturate", MCH_WIDE_BITS_MAX);
	if (check_keys(r, place, "\"certificate\"", certificate, "low high bits") != 0 ||
	    get_bound(r, place, certificate, "low", &q->certificate.low) != 0 ||
	    get_bound(r, place, certificate, "high", &q->certificate.high) != 0 ||
	    get_int(r, place, certificate, "bits", 0, 128, &v) != 0)
		return -1;
	q->certificate.bits = (int)v;
	return q->certificate.low <= q->certificate.high
		       ? 0
		       : fail(r, place, "\"low\" of the certificate is above \"high\"");
}

/* All tensors and all layers with weights, each once, in any order. */
static int read_lists(struct reader *r, json_t *root)
{
	json_t *tensors = json_object_get(root, "tensors"), *layers = json_object_get(root, "layers"), *entry;
	size_t i;
	char *seen = calloc((size_t)r->net->n_edges + (size_t)r->net->n_layers, 1);
	char *seen_layer = seen + r->net->n_edges;
	int status = seen ? 0 : mch_err_set(r->err, r->path, "out of memory; use a machine with more");
	if (status == 0 && (!json_is_array(tensors) || !json_is_array(layers)))
		status = fail(r, NULL, "\"tensors\" and \"layers\" are not both lists [ ... ]");
	if (status == 0)
		json_array_foreach(tensors, i, entry) if (status == 0) status = read_tensor(r, entry, seen);
	if (status == 0)
		json_array_foreach(layers, i, entry) if (status == 0) status = read_layer(r, entry, seen_layer);
	for (int e = 0; status == 0 && e < r->net->n_edges; e++)
		if (!seen[e])
			status = fail(r, NULL, "tensor \"%.100s\" is missing", r->net->edges[e].name);
	for (int l = 0; status == 0 && l < r->net->n_layers; l++)
		if (!seen_layer[l] && mch_quant_has_weights(&r->net->layers[l]))
			status = fail(r, NULL, "layer \"%.100s\" is missing", r->net->layers[l].name);
	free(seen);
	return status;
}

static json_t *load(const char *path, struct mch_err *err)
{
	enum { LIMIT_BYTES = 64 << 20 };
	char *text;
	size_t n_bytes;
	json_error_t why;
	if (mch_file_read(path, LIMIT_BYTES, &text, &n_bytes, err) != 0)
		return NULL;
	json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &why);
	free(text);
	if (!root) {
		char where[512];
		snprintf(where, sizeof(where), "%s:%d", path, why.line);
		mch_err_set(err, where, "is no JSON here (%s); correct it, or run quantize again", why.text);
	}
	return root;
}

int mch_quant_json_read(const char *path, const struct mch_net *net, struct mch_quant *quant, json_t **search,
			struct mch_err *err)
{
	struct reader r = {path, net, quant, err};
	if (search)
		*search = NULL;
	memset(quant, 0, sizeof(*quant));
	json_t *root = load(path, err);
	if (!root)
		return -1;
	int status = mch_quant_init(quant, net, err);
	if (status == 0)
		status = check_keys(&r, NULL, "the file", root,
				    "format network net_hash round ?weight_round ?overflow seed widths accuracy tensors layers ?search");
	if (status == 0 &&
	    (read_identity(&r, root) != 0 || read_settings(&r, root) != 0 || read_lists(&r, root) != 0))
		status = -1;
	if (status == 0 && search)
		*search = json_incref(json_object_get(root, "search"));
	if (status != 0)
		mch_quant_free(quant);
	json_decref(root);
	return status;
}
