/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The report of a search; see quantize_report.h. */
#include "cli/quantize_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/host_layers.h"
#include "io/quant_keys.h"
#include "net/layer.h"
#include "quant/formats.h"

static const char *const why_names[] = {
	[MCH_SEARCH_COMBINED] = "together",
	[MCH_SEARCH_STEP_BACK] = "one bit more",
	[MCH_SEARCH_TAKE_AWAY] = "one bit less",
};

static const char *const part_titles[MCH_N_PARTS] = {
	[MCH_PART_CONV_WEIGHTS] = "conv weights",
	[MCH_PART_FC_WEIGHTS] = "FC weights",
	[MCH_PART_ACTIVATIONS] = "activations",
};

static double percent(const struct mch_quantize_report *r, int n_correct)
{
	return 100.0 * n_correct / r->config->n_images;
}

/* Accuracy of each part alone. The star marks the width that was chosen from its column. */
static void print_alone(const struct mch_quantize_report *r)
{
	printf("\nAccuracy in %% when one part has few bits and the others have 16; * is the part's smallest "
	       "width\n");
	printf("bits");
	for (int p = 0; p < MCH_N_PARTS; p++)
		printf("  %12s ", part_titles[p]);
	putchar('\n');
	for (int bits = MCH_OPERAND_BITS_MAX; bits >= 1; bits--) {
		printf("%4d", bits);
		for (int p = 0; p < MCH_N_PARTS; p++) {
			if (r->search->alone[p][bits] < 0)
				printf("  %12s ", "-");
			else
				printf("  %12.2f%c", percent(r, r->search->alone[p][bits]),
				       bits == r->search->alone_width[p] ? '*' : ' ');
		}
		putchar('\n');
	}
}

static void print_tries(const struct mch_quantize_report *r)
{
	printf("\n%-12s  %4s  %4s  %4s  %9s\n", "All parts", "conv", "FC", "act.", "accuracy");
	for (int i = 0; i < r->search->n_tries; i++) {
		const struct mch_search_try *t = &r->search->tries[i];
		const char *verdict = isnan(r->config->error_margin)		      ? "no margin asked for"
				      : mch_search_passes(r->config, t->n_correct) ? "within the margin"
										   : "misses the margin";
		printf("%-12s", why_names[t->why]);
		for (int p = 0; p < MCH_N_PARTS; p++) {
			if (r->config->has_part[p])
				printf("  %4d", t->width[p]);
			else
				printf("  %4s", "-");
		}
		printf("  %7.2f %%  %s%s\n", percent(r, t->n_correct), verdict,
		       t->is_taken ? ", taken" : "");
	}
}

static void print_layers(const struct mch_quantize_report *r)
{
	size_t width = strlen("Layer");
	for (int i = 0; i < r->net->n_layers; i++)
		width = strlen(r->net->layers[i].name) > width ? strlen(r->net->layers[i].name) : width;
	printf("\n%-*s  %-8s  %-7s  %-7s  %-7s  %4s  %s\n", (int)width, "Layer", "kind", "weights", "input", "output",
	       "acc.",
	       "range of the accumulator, for any input");
	for (int i = 0; i < r->net->n_layers; i++) {
		const struct mch_layer *layer = &r->net->layers[i];
		const struct mch_layer_quant *q = &r->quant->layer[i];
		const struct mch_format out = r->quant->edge[layer->out[0]];
		const struct mch_format in = layer->n_in ? r->quant->edge[layer->in[0]] : out; /* a constant has none */
		char text[3][16];
		printf("%-*s  %-8s  %-7s  %-7s  %-7s", (int)width, layer->name, mch_layer_table[layer->kind].name,
		       q->weights.bits ? mch_format_text(q->weights, text[0]) : "", mch_format_text(in, text[1]),
		       out.bits ? mch_format_text(out, text[2]) : "float");
		if (q->weights.bits)
			printf("  %4d  %" PRId64 " .. %" PRId64, q->acc.bits, q->certificate.low,
			       q->certificate.high);
		putchar('\n');
	}
}

void mch_quantize_print(const struct mch_quantize_report *r)
{
	const int n = r->config->n_images, float_correct = r->config->n_float_correct, exact = r->search->n_correct;
	const int widest = r->search->known[MCH_OPERAND_BITS_MAX][MCH_OPERAND_BITS_MAX][MCH_OPERAND_BITS_MAX];
	printf("network     %s\n", r->net->name);
	printf("float       %.2f %% (%d of %d images)\n", percent(r, float_correct), float_correct, n);
	printf("16 bits     %.2f %% (%d), all parts\n", percent(r, widest), widest);
	if (!r->config->fixed)
		print_alone(r);
	print_tries(r);
	print_layers(r);
	putchar('\n');
	mch_host_layers_print(r->net);
	printf("result     ");
	for (int p = 0; p < MCH_N_PARTS; p++)
		if (r->config->has_part[p])
			printf(" %d-bit %s,", r->search->width[p], part_titles[p]);
	printf(" %.2f %% (%+.2f points", percent(r, exact), percent(r, exact - float_correct));
	if (!isnan(r->config->error_margin))
		printf(", margin %g", r->config->error_margin);
	printf(")\n");
}

static json_t *widths_json(const struct mch_quantize_report *r, const int *width)
{
	json_t *object = json_object();
	for (int p = 0; p < MCH_N_PARTS; p++)
		json_object_set_new(object, mch_quant_part_names[p],
				    json_integer(r->config->has_part[p] ? width[p] : 0));
	return object;
}

static json_t *alone_json(const struct mch_quantize_report *r)
{
	json_t *list = json_array();
	for (int bits = MCH_OPERAND_BITS_MAX; bits >= 1 && !r->config->fixed; bits--) {
		json_t *row = json_pack("{s:i}", "bits", bits);
		for (int p = 0; p < MCH_N_PARTS; p++)
			if (r->search->alone[p][bits] >= 0)
				json_object_set_new(row, mch_quant_part_names[p],
						    json_real(percent(r, r->search->alone[p][bits])));
		json_array_append_new(list, row);
	}
	return list;
}

static json_t *tries_json(const struct mch_quantize_report *r)
{
	json_t *list = json_array();
	for (int i = 0; i < r->search->n_tries; i++) {
		const struct mch_search_try *t = &r->search->tries[i];
		json_array_append_new(list, json_pack("{s:s, s:o, s:f, s:b}", "why", why_names[t->why], "widths",
						      widths_json(r, t->width), "accuracy", percent(r, t->n_correct),
						      "taken", (int)t->is_taken));
	}
	return list;
}

json_t *mch_quantize_search_json(const struct mch_quantize_report *r)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:o}", "fraction", mch_fraction_name(r->rule),
			 "range_images", r->n_ranges, "range_images_hash", r->train_hash, "scored_images_hash",
			 r->test_hash, "host_layers", mch_host_layers_json(r->net), "alone", alone_json(r), "alone_widths",
			 widths_json(r, r->search->alone_width), "together", tries_json(r));
}

json_t *mch_quantize_json(const struct mch_quantize_report *r, bool is_found)
{
	const int widest = r->search->known[MCH_OPERAND_BITS_MAX][MCH_OPERAND_BITS_MAX][MCH_OPERAND_BITS_MAX];
	json_t *root = json_pack("{s:s, s:b, s:i, s:o, s:f, s:f, s:f}", "network", r->net->name, "found",
				 (int)is_found, "images", r->config->n_images, "error_margin",
				 isnan(r->config->error_margin) ? json_null() : json_real(r->config->error_margin),
				 "accuracy_float", percent(r, r->config->n_float_correct),
				 "accuracy_16_bits", percent(r, widest), "accuracy_exact",
				 percent(r, r->search->n_correct));
	if (is_found && root) {
		json_object_set_new(root, "output", json_string(r->output));
		json_object_set_new(root, "widths", widths_json(r, r->search->width));
		json_object_set_new(root, "search", mch_quantize_search_json(r));
	}
	return root;
}
