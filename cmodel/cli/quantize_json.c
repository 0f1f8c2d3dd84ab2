/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A search as JSON and CSV; see quantize_report.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "cli/host_layers.h"
#include "cli/quantize_report.h"
#include "io/quant_keys.h"
#include "io/real_text.h"
#include "net/interval.h"

static json_t *setting_json(const struct mch_quantize_job *job, const int8_t *setting)
{
	char *text = malloc((size_t)job->knobs.n + 1);
	if (!text)
		return NULL;
	mch_knobs_text(setting, job->knobs.n, text);
	json_t *value = json_string(text);
	free(text);
	return value;
}

static json_t *widths_json(const struct mch_quantize_job *job, const int *width)
{
	json_t *object = json_object();
	for (int p = 0; p < MCH_N_PARTS; p++)
		json_object_set_new(object, mch_quant_part_names[p],
				    json_integer(job->config.has_part[p] || job->config.is_net ? width[p] : 0));
	return object;
}

/* Accuracies of each part alone, or the bounds of those that were not scored to the end. */
static json_t *alone_json(const struct mch_quantize_job *job, bool is_bound)
{
	json_t *list = json_array();
	for (int bits = MCH_OPERAND_BITS_MAX; bits >= 1 && !job->config.fixed; bits--) {
		json_t *row = json_pack("{s:i}", "bits", bits);
		for (int p = 0; p < MCH_N_PARTS; p++) {
			const long alone = job->search->alone[job->config.is_net ? 0 : p][bits];
			if (alone >= 0 && job->candidates.list[alone].right.is_bound == is_bound)
				json_object_set_new(row, mch_quant_part_names[p],
						    json_real(mch_quantize_percent(
							    job, job->candidates.list[alone].right.n_correct)));
		}
		if (json_object_size(row) > 1)
			json_array_append_new(list, row);
		else
			json_decref(row);
	}
	return list;
}

static json_t *tries_json(const struct mch_quantize_job *job)
{
	json_t *list = json_array();
	for (int i = 0; i < job->search->n_tries; i++) {
		const struct mch_search_try *t = &job->search->tries[i];
		const struct mch_right *right = &job->candidates.list[t->candidate].right;
		json_array_append_new(
			list, json_pack("{s:s, s:o, s:f, s:b, s:b, s:i}", "why", mch_quantize_why_name(t->why),
					"widths", widths_json(job, t->width), "accuracy",
					mch_quantize_percent(job, right->n_correct), "is_bound", (int)right->is_bound,
					"taken", (int)t->is_taken, "candidate", (int)t->candidate));
	}
	return list;
}

static json_t *steps_json(const struct mch_quantize_job *job)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->mixed.n_steps; i++) {
		const struct mch_mixed_step *step = &job->mixed.steps[i];
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:b}", "why", mch_mixed_why_name(step->why),
						      "changed", step->n_moves, "candidate", (int)step->candidate,
						      "taken", (int)step->is_taken));
	}
	return list;
}

static json_t *knobs_json(const struct mch_quantize_job *job)
{
	json_t *list = json_array();
	for (int k = 0; k < job->knobs.n; k++) {
		const struct mch_knob *knob = &job->knobs.knob[k];
		json_t *tensors = json_array();
		for (int e = 0; e < job->net.n_edges && !knob->is_weights; e++)
			if (job->formats.group[e] == knob->index)
				json_array_append_new(tensors, json_string(job->net.edges[e].name));
		json_t *row = json_pack("{s:s, s:s, s:s, s:i}", "name", knob->name, "kind",
					knob->is_weights ? "weights" : "tensors", "part",
					mch_quant_part_names[knob->part], "bits", job->setting[k]);
		if (!knob->is_weights)
			json_object_set(row, "tensors", tensors);
		json_decref(tensors);
		json_array_append_new(list, row);
	}
	return list;
}

/* Signal to noise of the logits in dB, one knob at a width and the others at 16 bits. */
static json_t *sensitivity_json(const struct mch_quantize_job *job)
{
	json_t *list = json_array();
	for (int k = 0; k < job->knobs.n; k++)
		for (int bits = MCH_OPERAND_BITS_MAX; bits >= 1; bits--) {
			const double noise = job->noise_measured[k * MCH_MIXED_WIDTHS + bits];
			if (!isnan(noise))
				json_array_append_new(
					list, json_pack("{s:i, s:i, s:o}", "knob", k, "bits", bits, "sqnr_db",
							noise > 0 ? json_real(-10 * log10(noise)) : json_null()));
		}
	return list;
}

static json_t *candidates_json(const struct mch_quantize_job *job)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->candidates.n; i++) {
		const struct mch_candidate *c = &job->candidates.list[i];
		json_array_append_new(list,
				      json_pack("{s:o, s:i, s:i, s:b, s:f}", "widths", setting_json(job, c->setting),
						"right", c->right.n_correct, "images", c->right.n_seen, "is_bound",
						(int)c->right.is_bound, "cost", job->points[i].cost));
	}
	return list;
}

static json_t *front_json(const struct mch_quantize_job *job)
{
	json_t *list = json_array();
	for (size_t i = 0; i < job->n_front; i++)
		json_array_append_new(list, json_integer((json_int_t)job->front[i]));
	return list;
}

static json_t *part_json(int n_right, int n_float_right, int n)
{
	const struct mch_interval exact = mch_interval_95(n_right, n), of_float = mch_interval_95(n_float_right, n);
	return json_pack("{s:i, s:i, s:f, s:[f,f], s:i, s:f, s:[f,f]}", "images", n, "right", n_right, "accuracy",
			 100.0 * n_right / n, "interval_95", exact.low, exact.high, "float_right", n_float_right,
			 "float_accuracy", 100.0 * n_float_right / n, "float_interval_95", of_float.low,
			 of_float.high);
}

static void set_gain(json_t *root, const char *key, const struct mch_quantize_job *job, const struct mch_gain *gain)
{
	if (gain->is_measured)
		json_object_set_new(root, key, json_pack("{s:f, s:f, s:b}", "without", mch_quantize_percent(job, gain->without),
							 "with", mch_quantize_percent(job, gain->with), "undone",
							 (int)gain->is_undone));
}

/* Which images chose the result, which report it, and what these say. */
static void put_images(const struct mch_quantize_job *job, json_t *root)
{
	json_t *choosing = part_json(job->n_correct, job->choosing.n_float_correct, job->choosing.n);
	json_t *reporting = part_json(job->report.n_correct, job->reporting.n_float_correct, job->reporting.n);
	json_object_set_new(choosing, "first", json_integer(job->choosing.first));
	json_object_set_new(reporting, "first", json_integer(job->reporting.first));
	json_object_set_new(reporting, "agreement", json_real(100.0 * job->report.n_agree / job->reporting.n));
	json_object_set_new(reporting, "sqnr_db",
			    isfinite(job->report.sqnr_db) ? json_real(job->report.sqnr_db) : json_null());
	if (job->report.n_narrow)
		json_object_set_new(reporting, "overflows",
				    json_pack("{s:i, s:I}", "layers", job->report.n_narrow, "steps",
					      (json_int_t)job->report.n_overflows));
	json_object_set_new(root, "held_out", json_boolean(job->reporting.first > 0));
	set_gain(root, "equalization", job, &job->of_equalization);
	set_gain(root, "compensation", job, &job->of_compensation);
	set_gain(root, "bias_correction", job, &job->of_bias_correction);
	json_object_set_new(root, "choosing", choosing);
	json_object_set_new(root, "reporting", reporting);
}

json_t *mch_quantize_search_json(const struct mch_quantize_job *job)
{
	const struct mch_quantize_options *args = job->args;
	char policy[MCH_FORMAT_POLICY_TEXT];
	json_t *root = json_pack("{s:s, s:i, s:s, s:s, s:o, s:s, s:s, s:[i,i], s:i, s:i}", "formats",
				 mch_format_policy_text(&args->policy, policy), "range_images", job->n_ranges, "range_images_hash",
				 job->train_hash, "scored_images_hash", job->test_hash, "host_layers",
				 mch_host_layers_json(&job->net), "granularity",
				 mch_granularity_name(args->search.granularity), "cost",
				 mch_cost_name(args->search.cost), "array", args->hardware.rows, args->hardware.cols,
				 "bus_bits", args->hardware.bus_bits, "need", mch_search_need(&job->config));
	if (!root)
		return NULL;
	put_images(job, root);
	json_object_set_new(root, "alone", alone_json(job, false));
	json_object_set_new(root, "alone_bounds", alone_json(job, true));
	json_object_set_new(root, "alone_widths", widths_json(job, job->search->alone_width));
	json_object_set_new(root, "together", tries_json(job));
	json_object_set_new(root, "knobs", knobs_json(job));
	json_object_set_new(root, "sensitivity_images", json_integer(job->n_sensitivity));
	json_object_set_new(root, "sensitivity", sensitivity_json(job));
	json_object_set_new(root, "steps", steps_json(job));
	json_object_set_new(root, "candidates", candidates_json(job));
	json_object_set_new(root, "front", front_json(job));
	json_object_set_new(root, "result", json_integer((json_int_t)job->candidate));
	return root;
}

json_t *mch_quantize_json(const struct mch_quantize_job *job, bool is_found)
{
	const int widest = job->candidates.list[job->search->widest].right.n_correct;
	const int exact = is_found ? job->n_correct : job->candidates.list[job->candidate].right.n_correct;
	json_t *root = json_pack("{s:s, s:b, s:i, s:o, s:f, s:f, s:f}", "network", job->net.name, "found",
				 (int)is_found, "images", job->choosing.n, "error_margin",
				 isnan(job->config.error_margin) ? json_null() : json_real(job->config.error_margin),
				 "accuracy_float", mch_quantize_percent(job, job->choosing.n_float_correct),
				 "accuracy_16_bits", mch_quantize_percent(job, widest), "accuracy_exact",
				 mch_quantize_percent(job, exact));
	if (is_found && root) {
		json_object_set_new(root, "output", json_string(job->args->output));
		json_object_set_new(root, "widths", widths_json(job, job->quant.width));
		json_object_set_new(root, "search", mch_quantize_search_json(job));
	}
	return root;
}

int mch_quantize_write_pareto(const struct mch_quantize_job *job, const char *path, struct mch_err *err)
{
	struct mch_outfile file;
	char *text = malloc((size_t)job->knobs.n + 1), cost[32];
	if (!text)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	if (mch_outfile_open(&file, path, err) != 0) {
		free(text);
		return -1;
	}
	fprintf(file.stream, "candidate,%s,right,images,is_bound,accuracy,low_95,high_95,is_front,is_result,widths\n",
		mch_cost_name(job->args->search.cost));
	for (size_t i = 0; i < job->candidates.n; i++) {
		const struct mch_candidate *c = &job->candidates.list[i];
		const struct mch_interval interval = mch_interval_95(c->right.n_correct, job->choosing.n);
		mch_knobs_text(c->setting, job->knobs.n, text);
		fprintf(file.stream, "%zu,%s,%d,%d,%d,", i, mch_real_text(job->points[i].cost, cost),
			c->right.n_correct, c->right.n_seen, (int)c->right.is_bound);
		if (c->right.is_bound)
			fprintf(file.stream, ",,,");
		else
			fprintf(file.stream, "%.4f,%.4f,%.4f,", mch_quantize_percent(job, c->right.n_correct),
				interval.low, interval.high);
		fprintf(file.stream, "%d,%d,%s\n", (int)job->points[i].is_front, (long)i == job->candidate, text);
	}
	free(text);
	return mch_outfile_commit(&file, err);
}
