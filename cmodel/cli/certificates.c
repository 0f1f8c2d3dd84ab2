/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Certificates as text, as JSON, and their witnesses as files; see certificates.h. */
#include "cli/certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/npy_write.h"
#include "net/witness.h"

/* The next step with weights at or behind *i, else NULL. */
static const struct mch_step *next_mac(const struct mch_qnet *q, int *i)
{
	while (*i < q->n_steps && q->steps[*i].form != MCH_FORM_MAC)
		(*i)++;
	return *i < q->n_steps ? &q->steps[(*i)++] : NULL;
}

static const char *overflow_name(const struct mch_step *step)
{
	return step->acc.overflow == MCH_SATURATE ? "saturate" : "wrap";
}

static void print_bound(const struct mch_bound *at)
{
	char text[48], value[MCH_WIDE_TEXT];
	snprintf(text, sizeof(text), "%d,%d,%d", at->k, at->p, at->q);
	printf("  %15s  %-11s", mch_wide_text(at->value, value), text);
}

void mch_certificates_print(const struct mch_qnet *q)
{
	size_t width = strlen("layer");
	const struct mch_step *step;
	for (int i = 0; (step = next_mac(q, &i));)
		width = strlen(step->layer->name) > width ? strlen(step->layer->name) : width;
	printf("%-*s  %-8s  %-8s  %9s  %15s  %-11s  %15s  %-11s  %4s  %s\n", (int)width, "layer", "input", "weights",
	       "terms", "low", "at k,p,q", "high", "at k,p,q", "bits", "accumulator");
	for (int i = 0; (step = next_mac(q, &i));) {
		const struct mch_witness w = mch_step_witness(step);
		char in[24], weights[24];
		printf("%-*s  %-8s  %-8s  %9zu", (int)width, step->layer->name, mch_format_text(step->in_format, in),
		       mch_format_text(step->weight_format, weights), mch_conv_terms(&step->conv));
		print_bound(&w.low);
		print_bound(&w.high);
		printf("  %4d  %d bits", w.bits, step->acc.bits);
		if (step->acc.bits < w.bits)
			printf(", can overflow: %s", overflow_name(step));
		putchar('\n');
	}
}

/* Beyond 63 bits a text, as in Q.json. */
static json_t *bound_json(const struct mch_bound *at)
{
	char buf[MCH_WIDE_TEXT];
	const bool is_wide = at->value < INT64_MIN || at->value > INT64_MAX;
	json_t *value = is_wide ? json_string(mch_wide_text(at->value, buf)) : json_integer((json_int_t)at->value);
	return json_pack("{s:o, s:i, s:i, s:i}", "value", value, "k", at->k, "p", at->p, "q", at->q);
}

json_t *mch_certificates_json(const struct mch_qnet *q)
{
	json_t *list = json_array();
	const struct mch_step *step;
	int n = 0;
	for (int i = 0; (step = next_mac(q, &i)); n++) {
		const struct mch_witness w = mch_step_witness(step);
		char in[24], weights[24];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:i, s:{s:i, s:s}}", "name", step->layer->name,
					"input", mch_format_text(step->in_format, in), "weights",
					mch_format_text(step->weight_format, weights), "terms",
					(json_int_t)mch_conv_terms(&step->conv), "low", bound_json(&w.low), "high",
					bound_json(&w.high), "bits", w.bits, "accumulator", "bits", step->acc.bits,
					"overflow", overflow_name(step)));
	}
	if (json_array_size(list) == (size_t)n)
		return list;
	json_decref(list);
	return NULL;
}

static int write_witness(const struct mch_qnet *q, const struct mch_step *step, const char *file, struct mch_err *err)
{
	const struct mch_witness w = mch_step_witness(step);
	/* As the layer sees it: a dense layer has its terms in one line. */
	const struct mch_shape shape = {2, step->conv.c, step->conv.h, step->conv.w};
	const size_t n_elems = mch_shape_elems(shape) / 2;
	int32_t *x = malloc(2 * n_elems * sizeof(*x));
	if (!x)
		return mch_err_set(err, q->net->name, "out of memory; use a machine with more");
	mch_witness_input(step, &w.low, false, x);
	mch_witness_input(step, &w.high, true, x + n_elems);
	const int status = mch_npy_write(file, shape, x, err);
	free(x);
	return status;
}

int mch_certificates_write(const struct mch_qnet *q, const char *layer_and_file, struct mch_err *err)
{
	const char *colon = strrchr(layer_and_file, ':');
	const size_t n = colon ? (size_t)(colon - layer_and_file) : 0;
	const struct mch_step *step;
	if (n == 0 || colon[1] == '\0')
		return mch_err_set(err, "--witness", "\"%.200s\" is no layer and file; give conv1:witness.npy",
				   layer_and_file);
	for (int i = 0; (step = next_mac(q, &i));)
		if (strlen(step->layer->name) == n && memcmp(step->layer->name, layer_and_file, n) == 0)
			return write_witness(q, step, colon + 1, err);
	return mch_err_set(err, "--witness", "no layer \"%.*s\" has weights; see --certificates",
			   (int)(n < 200 ? n : 200), layer_and_file);
}
