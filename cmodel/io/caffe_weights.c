/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The parameters of a Caffe network; see caffe_weights.h. The file is walked twice over: first it is looked at, and
 * everything that does not fit is found; then the values are read. */
#include "io/caffe_weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/caffe_blob.h"

/* Numbers of the fields, caffe.proto: of NetParameter, of its V2 and V1 layers. */
enum { NET_V1_LAYERS = 2, NET_LAYER = 100 };
enum { LAYER_NAME = 1, LAYER_BLOBS = 7 };
enum { V1_LAYER_V0 = 1, V1_LAYER_NAME = 4, V1_LAYER_BLOBS = 6 };
enum { BLOBS_MAX = 3 };

/* What the file has for one plan. */
struct found {
	bool is_found;
	int n_blobs; /* may be over BLOBS_MAX */
	struct mch_caffe_blob_proto blob[BLOBS_MAX];
};

struct reader {
	struct mch_caffe *caffe;
	struct mch_wire *wire;
	struct found *found; /* [n_plans] */
};

static const char mend[] = "the prototxt and the weights are from different releases, take both from one";

static struct mch_layer *layer_of(const struct reader *r, int plan)
{
	return &r->caffe->net->layers[r->caffe->plans[plan].layer];
}

/* -1: the definition has no such layer, or not one with parameters. */
static int find_plan(const struct reader *r, const char *name)
{
	for (int i = 0; i < r->caffe->n_plans; i++)
		if (strcmp(layer_of(r, i)->name, name) == 0)
			return i;
	return -1;
}

/* The name may, by the format's rules, stand anywhere in the layer. */
static char *read_name(const struct reader *r, uint32_t name_field, bool is_v1, bool *is_v0)
{
	struct mch_wire_field f;
	char *name = NULL;
	int more;
	while ((more = mch_wire_next(r->wire, &f)) == 1) {
		*is_v0 = *is_v0 || (is_v1 && f.number == V1_LAYER_V0 && f.type == MCH_WIRE_LEN);
		if (f.number != name_field || f.type != MCH_WIRE_LEN)
			continue;
		free(name);
		name = mch_wire_text(r->wire, &f);
		if (!name)
			return NULL;
	}
	if (more == 0 && !name)
		name = strdup("");
	if (more == 0 && !name)
		mch_wire_err(r->wire, "out of memory; use a machine with more");
	if (more == 0)
		return name;
	free(name);
	return NULL;
}

static int look_blobs(const struct reader *r, uint32_t blobs_field, struct found *found)
{
	struct mch_wire_field f;
	int more;
	while ((more = mch_wire_next(r->wire, &f)) == 1) {
		struct mch_caffe_blob_proto blob;
		if (f.number != blobs_field)
			continue;
		if (mch_caffe_blob_look(r->wire, &f, &blob) != 0)
			return -1;
		if (found->n_blobs < BLOBS_MAX)
			found->blob[found->n_blobs] = blob;
		found->n_blobs++;
	}
	return more;
}

static int look_layer(const struct reader *r, const struct mch_wire_field *field)
{
	const bool is_v1 = field->number == NET_V1_LAYERS;
	bool is_v0 = false;
	if (mch_wire_seek(r->wire, field->at, field->n_bytes) != 0)
		return -1;
	char *name = read_name(r, is_v1 ? V1_LAYER_NAME : LAYER_NAME, is_v1, &is_v0);
	if (!name)
		return -1;
	if (is_v0 && !name[0]) {
		free(name);
		return mch_wire_err(r->wire, "the layers are of Caffe's first format (V0); convert the file with "
					     "Caffe's "
					     "upgrade_net_proto_binary");
	}
	const int plan = find_plan(r, name);
	free(name);
	if (plan < 0)
		return 0;
	struct found *found = &r->found[plan];
	found->is_found = true;
	found->n_blobs = 0; /* of two layers of a name the last counts, as in Caffe */
	if (mch_wire_seek(r->wire, field->at, field->n_bytes) != 0)
		return -1;
	return look_blobs(r, is_v1 ? V1_LAYER_BLOBS : LAYER_BLOBS, found);
}

static int look_net(const struct reader *r)
{
	struct mch_wire_field f;
	uint64_t at = 0;
	int more, n_layers = 0;
	for (;;) {
		if (mch_wire_seek(r->wire, at, r->wire->n_bytes - at) != 0)
			return -1;
		more = mch_wire_next(r->wire, &f);
		if (more != 1)
			break;
		at = f.type == MCH_WIRE_LEN ? f.at + f.n_bytes : r->wire->at;
		if ((f.number != NET_LAYER && f.number != NET_V1_LAYERS) || f.type != MCH_WIRE_LEN)
			continue;
		n_layers++;
		if (look_layer(r, &f) != 0)
			return -1;
	}
	if (more == 0 && n_layers == 0)
		return mch_err_set(r->caffe->err, r->wire->path,
				   "has no layers; is it a .caffemodel? (a text definition is given before it)");
	return more;
}

static int fail(const struct reader *r, const struct mch_layer *layer, const char *what, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct reader *r, const struct mch_layer *layer, const char *what, ...)
{
	char where[600];
	va_list args;
	snprintf(where, sizeof(where), "%s: layer %s", r->wire->path, layer->name);
	va_start(args, what);
	mch_err_set_list(r->caffe->err, where, what, args);
	va_end(args);
	return -1;
}

/* Every layer of the definition that the file has not, at once. */
static int check_all_found(const struct reader *r)
{
	char names[400] = "";
	size_t used = 0;
	int n_missing = 0, n_named = 0;
	for (int i = 0; i < r->caffe->n_plans; i++) {
		if (r->found[i].is_found && r->found[i].n_blobs > 0)
			continue;
		const char *name = layer_of(r, i)->name;
		n_missing++;
		if (n_named == n_missing - 1 && used + strlen(name) + 3 < sizeof(names)) {
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", name);
			n_named++;
		}
	}
	if (n_missing == 0)
		return 0;
	char more[32] = "";
	if (n_named < n_missing)
		snprintf(more, sizeof(more), " and %d more", n_missing - n_named);
	return mch_err_set(r->caffe->err, r->wire->path, "has no parameters for %s %s%s of %s; %s",
			   n_missing == 1 ? "layer" : "layers", names, more, r->caffe->path, mend);
}

/* Dims of blob b as the definition has it; their number. */
static int want_dims(const struct reader *r, int plan, int b, int64_t dim[4])
{
	const struct mch_layer *layer = layer_of(r, plan);
	const struct mch_conv *g = &layer->conv;
	const enum mch_caffe_blobs blobs = r->caffe->plans[plan].blobs;
	if (!mch_layer_is_mac(layer)) {
		dim[0] = blobs == MCH_CAFFE_NORM    ? (b == 2 ? 1 : layer->norm.channels)
			 : layer->kind == MCH_PRELU ? (int64_t)layer->n_weights
						    : layer->norm.channels;
		return 1;
	}
	if (b == 1) {
		dim[0] = g->k;
		return 1;
	}
	if (layer->kind == MCH_DENSE) {
		const bool is_turned = blobs == MCH_CAFFE_TRANSPOSED;
		dim[0] = is_turned ? g->c : g->k, dim[1] = is_turned ? g->k : g->c;
		return 2;
	}
	const bool is_deconv = layer->kind == MCH_DECONV;
	dim[0] = is_deconv ? g->c : g->k, dim[1] = (is_deconv ? g->k : g->c) / g->groups, dim[2] = g->r,
	dim[3] = g->s;
	return 4;
}

/* "weights" or "biases" and the like, for messages. */
static const char *blob_name(enum mch_caffe_blobs blobs, int b)
{
	static const char *const norm[] = {"means", "variances", "factors"};
	return blobs == MCH_CAFFE_NORM ? norm[b] : blobs == MCH_CAFFE_BIAS || b == 1 ? "biases" : "weights";
}

static int check_blob(const struct reader *r, int plan, int b)
{
	const struct mch_caffe_blob_proto *blob = &r->found[plan].blob[b];
	const char *name = blob_name(r->caffe->plans[plan].blobs, b);
	char want_text[MCH_CAFFE_BLOB_TEXT], found_text[MCH_CAFFE_BLOB_TEXT];
	int64_t dim[4] = {0};
	const int n_axes = want_dims(r, plan, b, dim);
	if (mch_caffe_blob_is(blob, n_axes, dim))
		return 0;
	int64_t n_want = 1;
	for (int i = 0; i < n_axes; i++)
		n_want *= dim[i];
	return fail(r, layer_of(r, plan), "%lld %s expected (%s), %llu found (%s); %s", (long long)n_want, name,
		    mch_caffe_blob_text(n_axes, dim, want_text), (unsigned long long)blob->n_elems,
		    mch_caffe_blob_text(blob->n_axes, blob->dim, found_text), mend);
}

static int check_blobs(const struct reader *r, int plan)
{
	const enum mch_caffe_blobs blobs = r->caffe->plans[plan].blobs;
	const struct mch_layer *layer = layer_of(r, plan);
	const int want = blobs == MCH_CAFFE_NORM ? 3 : blobs == MCH_CAFFE_BIAS ? 1 : 1 + (layer->n_bias > 0);
	if (r->found[plan].n_blobs != want)
		return fail(r, layer, "%d blobs expected (%s%s), %d found; %s", want, blob_name(blobs, 0),
			    want == 3   ? ", variances, factor"
			    : want == 2 ? ", biases"
					: "",
			    r->found[plan].n_blobs, mend);
	for (int b = 0; b < want; b++)
		if (check_blob(r, plan, b) != 0)
			return -1;
	return 0;
}

static int read_blob(const struct reader *r, int plan, int b, float *to)
{
	const struct mch_caffe_blob_proto *blob = &r->found[plan].blob[b];
	if (mch_caffe_blob_read(r->wire, blob, to) != 0)
		return -1;
	for (uint64_t i = 0; i < blob->n_elems; i++)
		if (!isfinite(to[i]))
			return fail(r, layer_of(r, plan),
				    "value %llu of the %s is no number; the file is damaged, take it anew",
				    (unsigned long long)i, blob_name(r->caffe->plans[plan].blobs, b));
	return 0;
}

/* Mean and variance are sums over `factor` batches; 0 batches: nothing was learnt, both are 0. */
static int read_norm(const struct reader *r, int plan)
{
	struct mch_layer *layer = layer_of(r, plan);
	float factor;
	if (read_blob(r, plan, 0, layer->mean) != 0 || read_blob(r, plan, 1, layer->variance) != 0 ||
	    read_blob(r, plan, 2, &factor) != 0)
		return -1;
	const float scale = factor == 0 ? 0 : 1 / factor;
	for (size_t i = 0; i < layer->n_weights; i++) {
		layer->weights[i] = 1;
		layer->mean[i] *= scale;
		layer->variance[i] *= scale;
		if (!isfinite(layer->mean[i]) || !isfinite(layer->variance[i]) || layer->variance[i] < 0)
			return fail(r, layer,
				    "mean %g and variance %g of channel %zu are not usable; the file is damaged, "
				    "take "
				    "it anew",
				    (double)layer->mean[i], (double)layer->variance[i], i);
	}
	return 0;
}

/* The file's [c][k] becomes [k][c]. */
static int transpose(const struct reader *r, int plan)
{
	struct mch_layer *layer = layer_of(r, plan);
	const size_t n_c = (size_t)layer->conv.c, n_k = (size_t)layer->conv.k;
	float *turned = malloc(layer->n_weights * sizeof(float));
	if (!turned)
		return fail(r, layer, "out of memory for %zu weights; use a machine with more", layer->n_weights);
	for (size_t k = 0; k < n_k; k++)
		for (size_t c = 0; c < n_c; c++)
			turned[k * n_c + c] = layer->weights[c * n_k + k];
	free(layer->weights);
	layer->weights = turned;
	return 0;
}

static int read_layer(const struct reader *r, int plan)
{
	struct mch_layer *layer = layer_of(r, plan);
	const size_t n_slopes = layer->n_weights; /* PReLU: of all channels, or one for all */
	if (mch_layer_alloc(layer, layer->n_bias > 0, r->caffe->err) != 0)
		return -1;
	if (layer->kind == MCH_PRELU)
		layer->n_weights = n_slopes;
	switch (r->caffe->plans[plan].blobs) {
	case MCH_CAFFE_NORM:
		return read_norm(r, plan);
	case MCH_CAFFE_BIAS:
		for (size_t i = 0; i < layer->n_weights; i++)
			layer->weights[i] = 1;
		return read_blob(r, plan, 0, layer->bias);
	default:
		if (read_blob(r, plan, 0, layer->weights) != 0 ||
		    (layer->n_bias > 0 && read_blob(r, plan, 1, layer->bias) != 0))
			return -1;
		return r->caffe->plans[plan].blobs == MCH_CAFFE_TRANSPOSED ? transpose(r, plan) : 0;
	}
}

static int read_all(const struct reader *r)
{
	if (look_net(r) != 0 || check_all_found(r) != 0)
		return -1;
	for (int i = 0; i < r->caffe->n_plans; i++)
		if (check_blobs(r, i) != 0)
			return -1;
	for (int i = 0; i < r->caffe->n_plans; i++)
		if (read_layer(r, i) != 0)
			return -1;
	return 0;
}

int mch_caffe_read_weights(struct mch_caffe *caffe, const char *path)
{
	struct reader r = {.caffe = caffe, .wire = malloc(sizeof(*r.wire))};
	r.found = calloc((size_t)caffe->n_plans + 1, sizeof(*r.found));
	int status;
	if (!r.wire || !r.found) {
		status = mch_err_set(caffe->err, path, "out of memory; use a machine with more");
	} else {
		status = mch_wire_open(r.wire, path, caffe->err);
		if (status == 0)
			status = read_all(&r);
		mch_wire_close(r.wire);
	}
	free(r.wire);
	free(r.found);
	return status;
}
