/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats, ranges and accumulators of each layer, for the report; see report_facts.h. */
#include <math.h>
#include <stdio.h>

#include "cli/format_text.h"
#include "cli/layer_text.h"
#include "cli/report_facts.h"
#include "net/layer.h"

enum { N_BINS = 40 };

static json_t *counts_json(const uint64_t *counts, int n)
{
	json_t *list = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_integer((json_int_t)counts[i]));
	return list;
}

/* JSON has no number for infinity. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* What a format does to values. */
struct loss {
	uint64_t n_saturated, n_to_zero; /* beyond the ends; not zero, but its code is */
	double noise, power;
};

static void add_loss(struct loss *loss, struct mch_format format, const float *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const double value = (double)values[i];
		bool saturated;
		const int64_t raw = mch_format_raw(format, value, MCH_ROUND_HALF_EVEN, &saturated);
		const double real = mch_format_real(format, raw), error = value - real;
		loss->n_saturated += saturated;
		loss->n_to_zero += value != 0 && real == 0;
		loss->noise += error * error;
		loss->power += value * value;
	}
}

/* Of the smallest code: the distance of codes next to zero, but of powers of two without zero the smallest value. */
static double step_of(struct mch_format format)
{
	return mch_format_real(format, format.number == MCH_POW2_NO_ZERO ? 0 : 1);
}

static json_t *format_json(struct mch_format format)
{
	char text[32];
	return json_pack("{s:s, s:i, s:f, s:f, s:f}", "text", mch_format_text(format, text), "bits", format.bits,
			 "low", mch_format_real(format, mch_format_min(format)), "high",
			 mch_format_real(format, mch_format_max(format)), "step", step_of(format));
}

static json_t *range_json(const struct mch_range *r, const struct loss *loss)
{
	uint64_t counts[N_BINS];
	int first = 0, last = MCH_RANGE_N_LOG2 - 1;
	while (first < last && r->log2[first] == 0)
		first++;
	while (last > first && r->log2[last] == 0)
		last--;
	mch_range_histogram(r, counts, N_BINS);
	const double n = r->n_sample ? (double)r->n_sample : 1;
	return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:f, s:f, s:o, s:o, s:i, s:o}", "values",
			 (json_int_t)r->n, "zeros", (json_int_t)r->n_zero, "min", r->min, "max", r->max, "mean",
			 r->mean, "std", r->std, "looked_at", (json_int_t)r->n_sample, "saturated",
			 (json_int_t)loss->n_saturated, "to_zero", (json_int_t)loss->n_to_zero, "saturated_percent",
			 100 * (double)loss->n_saturated / n, "to_zero_percent", 100 * (double)loss->n_to_zero / n,
			 "sqnr_db", number(10 * log10(loss->power / loss->noise)), "histogram",
			 counts_json(counts, N_BINS), "log2_first", first + MCH_RANGE_LOG2_MIN, "log2",
			 counts_json(r->log2 + first, last - first + 1));
}

/* name, values, format and range of one tensor; the range is null when it was not measured. */
static json_t *tensor_json(const struct mch_report_facts *f, int edge, struct mch_format format)
{
	json_t *range = json_null();
	char shape[48];
	mch_shape_text(f->net->edges[edge].shape, shape);
	if (f->ranges) {
		const struct mch_range *r = &f->ranges->edge[edge];
		struct loss loss = {0};
		add_loss(&loss, format, r->sample, r->n_sample);
		range = range_json(r, &loss);
	}
	return json_pack("{s:s, s:s, s:I, s:o, s:o}", "name", f->net->edges[edge].name, "shape", shape, "values",
			 (json_int_t)mch_shape_elems(f->net->edges[edge].shape), "format", format_json(format),
			 "range", range);
}

/* Channels with fractions of their own: the ends are those of the coarsest, the step that of the finest. */
static json_t *weight_format_json(const struct mch_layer_quant *lq)
{
	char text[MCH_FORMAT_TEXT];
	struct mch_format finest = lq->weights;
	json_t *json = format_json(lq->weights), *fractions = json_array();
	for (int k = 0; k < lq->n_channels; k++) {
		finest.frac = mch_layer_quant_frac(lq, k) > finest.frac ? mch_layer_quant_frac(lq, k) : finest.frac;
		json_array_append_new(fractions, json_integer(mch_layer_quant_frac(lq, k)));
	}
	json_object_set_new(json, "text", json_string(mch_weights_text(lq, text)));
	json_object_set_new(json, "step", json_real(step_of(finest)));
	json_object_set_new(json, "channel_frac", lq->n_channels > 0 ? json_incref(fractions) : json_null());
	json_decref(fractions);
	return json;
}

static json_t *weights_json(const struct mch_report_facts *f, const struct mch_step *step)
{
	const struct mch_layer *layer = step->layer;
	const struct mch_layer_quant *lq = &f->quant->layer[step->layer_index];
	struct mch_range range = {0};
	struct loss loss = {0};
	if (step->form != MCH_FORM_MAC)
		return json_null();
	mch_range_add(&range, layer->weights, layer->n_weights);
	mch_range_finish(&range);
	range.sample = layer->weights;
	range.n_sample = layer->n_weights;
	const size_t n_channels = (size_t)step->conv.k, terms = layer->n_weights / n_channels;
	for (size_t k = 0; k < n_channels; k++) {
		struct mch_format format = lq->weights;
		format.frac = mch_layer_quant_frac(lq, (int)k);
		add_loss(&loss, format, layer->weights + k * terms, terms);
	}
	return json_pack("{s:I, s:I, s:o, s:o}", "values", (json_int_t)layer->n_weights, "biases",
			 (json_int_t)(layer->bias ? layer->n_bias : 0), "format", weight_format_json(lq), "range",
			 range_json(&range, &loss));
}

/* Beyond 63 bits the nearest real number. */
static json_t *bound_json(mch_int128 v)
{
	return v >= INT64_MIN && v <= INT64_MAX ? json_integer((json_int_t)v) : json_real(mch_wide_real(v));
}

static json_t *accumulator_json(const struct mch_report_facts *f, const struct mch_step *step)
{
	const struct mch_certificate *c = &f->quant->layer[step->layer_index].certificate;
	if (step->form != MCH_FORM_MAC)
		return json_null();
	return json_pack("{s:i, s:s, s:{s:o, s:o, s:i}}", "bits", step->acc.bits, "overflow",
			 step->acc.overflow == MCH_SATURATE ? "saturate" : "wrap", "certificate", "low",
			 bound_json(c->low), "high", bound_json(c->high), "bits", c->bits);
}

json_t *mch_report_input(const struct mch_report_facts *f)
{
	return tensor_json(f, f->q->input, f->q->input_format);
}

static json_t *step_json(const struct mch_report_facts *f, const struct mch_step *step)
{
	const struct mch_layer *layer = step->layer;
	char geometry[MCH_LAYER_TEXT];
	mch_layer_text(f->net, layer, geometry);
	json_t *inputs = json_array();
	for (int i = 0; i < layer->n_in; i++)
		if (json_array_append_new(inputs, json_string(f->net->edges[layer->in[i]].name)) != 0) {
			json_decref(inputs);
			return NULL;
		}
	return json_pack("{s:s, s:s, s:s, s:s?, s:b, s:o, s:I, s:o, s:o, s:o}", "name", layer->name, "kind",
			 mch_layer_table[layer->kind].name, "geometry", geometry, "fused",
			 step->clip   ? "clip"
			 : step->relu ? "relu"
				      : NULL,
			 "is_host", (int)(step->form == MCH_FORM_HOST), "inputs", inputs, "macs",
			 (json_int_t)mch_layer_macs(layer), "weights", weights_json(f, step), "accumulator",
			 accumulator_json(f, step), "output", tensor_json(f, step->out, step->out_format));
}

json_t *mch_report_layers(const struct mch_report_facts *f)
{
	json_t *list = json_array();
	for (int i = 0; list && i < f->q->n_steps; i++)
		if (json_array_append_new(list, step_json(f, &f->q->steps[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}
