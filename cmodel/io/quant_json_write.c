/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a network to text; see quant_json.h. */
#include "io/quant_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/outfile.h"
#include "io/hash.h"
#include "io/quant_keys.h"
#include "io/real_text.h"

/* 15 digits: as many as a decimal fraction survives, so 91.43 stays 91.43. */
static const size_t dump_flags = JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);

/* Text as a JSON string; text that is no UTF-8 cannot be one. */
static int put_text(FILE *to, const char *text, struct mch_err *err)
{
	json_t *value = json_string(text);
	if (!value)
		return mch_err_set(err, text, "the name is no UTF-8, which JSON needs; rename it");
	json_dumpf(value, to, dump_flags);
	json_decref(value);
	return 0;
}

static void put_real(FILE *to, const char *before, double value)
{
	char buf[32];
	fprintf(to, "%s%s", before, isfinite(value) ? mch_real_text(value, buf) : "null");
}

static int put_head(FILE *to, const struct mch_net *net, const struct mch_quant *quant, struct mch_err *err)
{
	char hex[MCH_HASH_HEX];
	mch_hash_net(net, hex);
	fprintf(to, "{\n\"format\": \"%s\",\n\"network\": ", MCH_QUANT_FORMAT);
	if (put_text(to, net->name ? net->name : "", err) != 0)
		return -1;
	fprintf(to, ",\n\"net_hash\": \"%s\",\n\"round\": \"%s\",\n\"seed\": %" PRIu32 ",\n", hex,
		mch_round_name(quant->round), quant->seed);
	if (quant->weight_round != MCH_ROUND_HALF_EVEN)
		fprintf(to, "\"weight_round\": \"%s\",\n", mch_round_name(quant->weight_round));
	if (quant->wraps)
		fprintf(to, "\"overflow\": \"%s\",\n", mch_quant_overflow_names[MCH_WRAP]);
	fprintf(to, "\"widths\": {");
	for (int i = 0; i < MCH_N_PARTS; i++)
		fprintf(to, "%s\"%s\": %d", i ? ", " : "", mch_quant_part_names[i], quant->width[i]);
	put_real(to, "},\n\"accuracy\": {\"float\": ", quant->accuracy_float);
	put_real(to, ", \"exact\": ", quant->accuracy_exact);
	fprintf(to, ", \"images\": %d", quant->n_scored);
	put_real(to, ", \"error_margin\": ", quant->error_margin);
	fprintf(to, "},\n");
	return 0;
}

static int put_tensors(FILE *to, const struct mch_net *net, const struct mch_quant *quant, struct mch_err *err)
{
	fprintf(to, "\"tensors\": [");
	for (int e = 0; e < net->n_edges; e++) {
		char text[16];
		fprintf(to, "%s\n  {\"name\": ", e ? "," : "");
		if (put_text(to, net->edges[e].name, err) != 0)
			return -1;
		fprintf(to, ", \"format\": \"%s\"}",
			quant->edge[e].bits ? mch_format_text(quant->edge[e], text) : MCH_QUANT_FLOAT);
	}
	fprintf(to, "\n],\n");
	return 0;
}

/* On a line of its own: there may be a thousand. */
static void put_channel_frac(FILE *to, const struct mch_layer_quant *q)
{
	fprintf(to, "\n   \"channel_frac\": [");
	for (int k = 0; k < q->n_channels; k++)
		fprintf(to, "%s%d", k ? ", " : "", q->channel_frac[k]);
	fprintf(to, "],\n   ");
}

/* A number, or text where JSON readers have no integers of so many bits. */
static void put_bound(FILE *to, mch_int128 v)
{
	char buf[MCH_WIDE_TEXT];
	const char *quote = v < INT64_MIN || v > INT64_MAX ? "\"" : "";
	fprintf(to, "%s%s%s", quote, mch_wide_text(v, buf), quote);
}

static int put_layers(FILE *to, const struct mch_net *net, const struct mch_quant *quant, struct mch_err *err)
{
	const char *comma = "";
	fprintf(to, "\"layers\": [");
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer_quant *q = &quant->layer[i];
		char text[16];
		if (!mch_quant_has_weights(&net->layers[i]))
			continue;
		fprintf(to, "%s\n  {\"name\": ", comma);
		if (put_text(to, net->layers[i].name, err) != 0)
			return -1;
		fprintf(to, ", \"weights\": \"%s\",", mch_format_text(q->weights, text));
		if (q->channel_frac)
			put_channel_frac(to, q);
		fprintf(to, "%s\"acc\": {\"bits\": %d, \"overflow\": \"%s\"}, ", q->channel_frac ? "" : " ", q->acc.bits,
			mch_quant_overflow_names[q->acc.overflow]);
		fprintf(to, "\"certificate\": {\"low\": ");
		put_bound(to, q->certificate.low);
		fprintf(to, ", \"high\": ");
		put_bound(to, q->certificate.high);
		fprintf(to, ", \"bits\": %d}}", q->certificate.bits);
		comma = ",";
	}
	fprintf(to, "\n]");
	return 0;
}

/* A line for each element of a list in an object; deeper things stay on their line. */
static void put_search(FILE *to, const json_t *search)
{
	const char *comma = "", *key;
	json_t *value, *element;
	size_t i;
	if (!json_is_object(search)) {
		json_dumpf(search, to, dump_flags);
		return;
	}
	fprintf(to, "{");
	json_object_foreach((json_t *)search, key, value)
	{
		json_t *name = json_string(key);
		fprintf(to, "%s\n  ", comma);
		json_dumpf(name, to, dump_flags);
		json_decref(name);
		fprintf(to, json_is_array(value) ? ": [" : ": ");
		if (!json_is_array(value))
			json_dumpf(value, to, dump_flags);
		json_array_foreach(value, i, element)
		{
			fprintf(to, "%s\n    ", i ? "," : "");
			json_dumpf(element, to, dump_flags);
		}
		fprintf(to, json_is_array(value) ? "\n  ]" : "");
		comma = ",";
	}
	fprintf(to, "\n}");
}

int mch_quant_json_write(const char *path, const struct mch_net *net, const struct mch_quant *quant,
			 const json_t *search, struct mch_err *err)
{
	struct mch_outfile file;
	if (mch_outfile_open(&file, path, err) != 0)
		return -1;
	if (put_head(file.stream, net, quant, err) != 0 || put_tensors(file.stream, net, quant, err) != 0 ||
	    put_layers(file.stream, net, quant, err) != 0) {
		mch_outfile_abandon(&file);
		return -1;
	}
	if (search) {
		fprintf(file.stream, ",\n\"search\": ");
		put_search(file.stream, search);
	}
	fprintf(file.stream, "\n}\n");
	return mch_outfile_commit(&file, err);
}
