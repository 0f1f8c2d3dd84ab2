/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the report tells; see report_facts.h. */
#include "cli/report_facts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "io/file.h"
#include "io/hash.h"
#include "io/quant_keys.h"
#include "net/interval.h"
#include "net/layer.h"

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *share_json(int n_right, int n)
{
	const struct mch_interval i = mch_interval_95(n_right, n);
	return json_pack("{s:f, s:i, s:f, s:f}", "percent", n ? 100.0 * n_right / n : 0, "right", n_right, "low",
			 i.low, "high", i.high);
}

/* Q.json has percent: exactly so many images right. */
static json_t *told_json(double percent, int n)
{
	return n > 0 && isfinite(percent) ? share_json((int)lround(percent * n / 100), n) : json_null();
}

static json_t *accuracy_json(const struct mch_quant *quant)
{
	return json_pack("{s:i, s:o, s:o, s:o}", "images", quant->n_scored, "error_margin",
			 number(quant->error_margin), "float", told_json(quant->accuracy_float, quant->n_scored),
			 "exact", told_json(quant->accuracy_exact, quant->n_scored));
}

/* Right answers that Q.json tells of n images; -1: of another number. With images held out, those that chose and
 * those that report are told apart; together they are the test images. */
static int told_right(const struct mch_report_facts *f, int n)
{
	const json_t *choosing = json_object_get(f->search, "choosing"),
		     *reporting = json_object_get(f->search, "reporting");
	if (f->quant->n_scored == n && isfinite(f->quant->accuracy_exact))
		return (int)lround(f->quant->accuracy_exact * n / 100);
	if (json_is_true(json_object_get(f->search, "held_out")) &&
	    json_integer_value(json_object_get(choosing, "images")) +
			    json_integer_value(json_object_get(reporting, "images")) ==
		    n)
		return (int)(json_integer_value(json_object_get(choosing, "right")) +
			     json_integer_value(json_object_get(reporting, "right")));
	return -1;
}

/* Top-1 of both, how often they answer alike, how far apart their outputs are. */
static json_t *check_json(const struct mch_report_facts *f)
{
	if (!f->scored)
		return json_null();
	const int n = f->exact_answers->n_images;
	int n_same = 0;
	for (int i = 0; i < n; i++)
		n_same += f->exact_answers->prediction[i] == f->float_answers->prediction[i];
	const int told = told_right(f, n);
	json_t *check =
		json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "data", f->scored->name, "images", n, "float",
			  share_json(f->float_answers->n_top1, n), "exact", share_json(f->exact_answers->n_top1, n),
			  "agreement", share_json(n_same, n), "sqnr_db", number(f->difference->sqnr_db));
	if (check && f->exact_answers->n_outputs > 5) {
		json_object_set_new(check, "float_top5", share_json(f->float_answers->n_top5, n));
		json_object_set_new(check, "exact_top5", share_json(f->exact_answers->n_top5, n));
	}
	const char *search_hash = json_string_value(json_object_get(f->search, "scored_images_hash"));
	if (check)
		json_object_set_new(check, "is_same_images",
				    search_hash ? json_boolean(strcmp(search_hash, f->scored_hash) == 0)
						: json_null());
	/* null: Q.json was scored on another number of images. */
	if (check)
		json_object_set_new(check, "is_as_told",
				    told >= 0 ? json_boolean(told == f->exact_answers->n_top1) : json_null());
	return check;
}

struct size {
	const char *what;
	uint64_t values, bits;
};

static json_t *sizes_json(const struct mch_report_facts *f)
{
	struct size weights = {"weights", 0, 0}, biases = {"biases", 0, 0}, all = {"tensors, each once", 0, 0};
	struct size largest = {"largest tensor", 0, 0};
	json_t *list = json_array();
	for (int i = -1; i < f->q->n_steps; i++) {
		const struct mch_step *step = i < 0 ? NULL : &f->q->steps[i];
		const int edge = step ? step->out : f->q->input;
		const struct mch_format format = step ? step->out_format : f->q->input_format;
		const uint64_t elems = mch_shape_elems(f->net->edges[edge].shape),
			       bits = elems * (uint64_t)format.bits;
		all.values += elems;
		all.bits += bits;
		if (bits > largest.bits) {
			largest.bits = bits;
			largest.values = elems;
		}
		if (!step || step->form != MCH_FORM_MAC)
			continue;
		weights.values += step->layer->n_weights;
		weights.bits += step->layer->n_weights * (uint64_t)step->weight_format.bits;
		const uint64_t n_bias = step->layer->bias ? step->layer->n_bias : 0;
		biases.values += n_bias;
		biases.bits += n_bias * (uint64_t)step->acc.bits;
	}
	const struct size *const sizes[] = {&weights, &biases, &all, &largest};
	for (int i = 0; i < 4; i++)
		json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I}", "what", sizes[i]->what, "values",
						      (json_int_t)sizes[i]->values, "float_bits",
						      (json_int_t)(32 * sizes[i]->values), "bits",
						      (json_int_t)sizes[i]->bits));
	return list;
}

static json_t *work_json(const struct mch_report_facts *f)
{
	uint64_t macs = 0, bit_ops = 0;
	int acc_bits = 0;
	for (int i = 0; i < f->q->n_steps; i++) {
		const struct mch_step *step = &f->q->steps[i];
		if (step->form != MCH_FORM_MAC)
			continue;
		const uint64_t n = mch_layer_macs(step->layer);
		macs += n;
		bit_ops += n * (uint64_t)step->weight_format.bits * (uint64_t)step->in_format.bits;
		acc_bits = step->acc.bits > acc_bits ? step->acc.bits : acc_bits;
	}
	return json_pack("{s:I, s:I, s:i, s:I}", "macs", (json_int_t)macs, "bit_ops", (json_int_t)bit_ops,
			 "widest_accumulator", acc_bits, "weights_saturated",
			 (json_int_t)f->q->n_weights_saturated);
}

static json_t *host_json(const struct mch_net *net)
{
	json_t *list = json_array();
	for (int i = 0; list && i < net->n_layers; i++)
		if (mch_net_is_host_layer(net, i) &&
		    json_array_append_new(list, json_pack("{s:s, s:s}", "name", net->layers[i].name, "kind",
							  mch_layer_table[net->layers[i].kind].name)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *widths_json(const struct mch_quant *quant)
{
	json_t *widths = json_object();
	for (int p = 0; p < MCH_N_PARTS; p++)
		json_object_set_new(widths, mch_quant_part_names[p], json_integer(quant->width[p]));
	return widths;
}

static json_t *ranges_json(const struct mch_report_facts *f)
{
	return f->ranges ? json_pack("{s:s, s:i}", "data", f->measured->name, "images", f->ranges->n_images)
			 : json_null();
}

json_t *mch_report_facts(const struct mch_report_facts *f, struct mch_err *err)
{
	char net_hash[MCH_HASH_HEX], quant_hash[MCH_HASH_HEX];
	mch_hash_net(f->net, net_hash);
	if (mch_hash_file(f->args->quant, quant_hash, err) != 0)
		return NULL;
	json_t *search = f->search ? json_deep_copy(f->search) : json_null();
	json_t *root = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"format", "macchiato report 1", "network", f->net->name ? f->net->name : "", "net_file",
		mch_file_name(f->args->net.path), "net_hash", net_hash, "quant_file", mch_file_name(f->args->quant),
		"quant_hash", quant_hash, "round", mch_round_name(f->quant->round), "seed",
		(json_int_t)f->quant->seed, "widths", widths_json(f->quant), "accuracy", accuracy_json(f->quant),
		"check", check_json(f), "sizes", sizes_json(f), "work", work_json(f), "host_layers",
		host_json(f->net), "ranges", ranges_json(f), "input", mch_report_input(f), "layers",
		mch_report_layers(f), "search", search);
	if (!root)
		mch_err_set(err, f->args->net.path, "a name is no UTF-8, which the page needs; rename it");
	return root;
}
