/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Widths as a list; see knobs.h. */
#include "quant/knobs.h"

#include <stdlib.h>
#include <string.h>

static const char digits[] = "0123456789abcdefg";

int mch_knobs_init(struct mch_knobs *knobs, const struct mch_formats *formats, struct mch_err *err)
{
	const struct mch_net *net = formats->net;
	*knobs = (struct mch_knobs){.formats = formats};
	knobs->knob = calloc((size_t)net->n_layers + (size_t)net->n_edges + 1, sizeof(*knobs->knob));
	if (!knobs->knob)
		return mch_err_set(err, net->name ? net->name : "network", "out of memory; use a machine with more");
	for (int i = 0; i < net->n_layers; i++) {
		const int part = mch_formats_part(&net->layers[i]);
		if (part >= 0)
			knobs->knob[knobs->n++] =
				(struct mch_knob){true, i, (enum mch_part)part, net->layers[i].name};
	}
	for (int e = 0; e < net->n_edges; e++)
		if (formats->group[e] == e)
			knobs->knob[knobs->n++] =
				(struct mch_knob){false, e, MCH_PART_ACTIVATIONS, net->edges[e].name};
	return 0;
}

void mch_knobs_free(struct mch_knobs *knobs)
{
	free(knobs->knob);
	*knobs = (struct mch_knobs){0};
}

int mch_knobs_width(const struct mch_knobs *knobs, int knob, int bits)
{
	const struct mch_format_policy *policy = &knobs->formats->policy;
	return mch_format_policy_width(knobs->knob[knob].is_weights ? &policy->weights : &policy->activations, bits);
}

void mch_knobs_spread(const struct mch_knobs *knobs, const int width[MCH_N_PARTS], int8_t *setting)
{
	for (int k = 0; k < knobs->n; k++)
		setting[k] = (int8_t)mch_knobs_width(knobs, k, width[knobs->knob[k].part]);
}

void mch_knobs_widths(const struct mch_knobs *knobs, const int8_t *setting, struct mch_widths *widths)
{
	memset(widths->weights, 0, (size_t)widths->n_layers);
	for (int k = 0; k < knobs->n; k++) {
		if (knobs->knob[k].is_weights)
			widths->weights[knobs->knob[k].index] = setting[k];
		else
			widths->edge[knobs->knob[k].index] = setting[k];
	}
	for (int e = 0; e < widths->n_edges; e++)
		widths->edge[e] = widths->edge[knobs->formats->group[e]];
}

void mch_knobs_text(const int8_t *setting, int n, char *text)
{
	for (int k = 0; k < n; k++)
		text[k] = digits[setting[k]];
	text[n] = '\0';
}

int mch_knobs_parse(const char *text, int n, int8_t *setting)
{
	for (int k = 0; k < n; k++) {
		const char *found = text[k] ? strchr(digits + 1, text[k]) : NULL;
		if (!found)
			return -1;
		setting[k] = (int8_t)(found - digits);
	}
	return text[n] == '\0' ? 0 : -1;
}
