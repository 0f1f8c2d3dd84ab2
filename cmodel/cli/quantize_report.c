/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The report of a search; see quantize_report.h. */
#include "cli/quantize_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/format_text.h"
#include "cli/host_layers.h"
#include "net/interval.h"
#include "net/layer.h"

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

const char *mch_quantize_why_name(enum mch_search_why why)
{
	return why_names[why];
}

double mch_quantize_percent(const struct mch_quantize_job *job, int n_correct)
{
	return 100.0 * n_correct / job->choosing.n;
}

static const struct mch_right *right_of(const struct mch_quantize_job *job, long candidate)
{
	return &job->candidates.list[candidate].right;
}

static bool passes(const struct mch_quantize_job *job, long candidate)
{
	return right_of(job, candidate)->n_correct >= mch_search_need(&job->config);
}

/* One width for all is told as one column. */
static const char *title(const struct mch_quantize_job *job, int part)
{
	return job->config.is_net ? "all parts" : part_titles[part];
}

static int n_columns(const struct mch_quantize_job *job)
{
	return job->config.is_net ? 1 : MCH_N_PARTS;
}

/* Accuracy of each part alone. The star marks the width that was chosen from its column. */
static void print_alone(const struct mch_quantize_job *job)
{
	printf(job->config.is_net ? "\n3 Search: accuracy in %%, all parts at one width; * is the smallest, < a "
				    "bound: scoring ended "
				    "when the margin was out of reach\n"
				  : "\n3 Parts alone: accuracy in %% when one part has few bits and the others have "
				    "16; * is the part's "
				    "smallest\n  width, < a bound: scoring ended when the margin was out of reach\n");
	printf("bits");
	for (int p = 0; p < n_columns(job); p++)
		printf("  %12s ", title(job, p));
	putchar('\n');
	for (int bits = MCH_OPERAND_BITS_MAX; bits >= 1; bits--) {
		bool is_tried = false;
		for (int p = 0; p < n_columns(job); p++)
			is_tried = is_tried || job->search->alone[p][bits] >= 0;
		if (!is_tried) /* a ladder has few rungs */
			continue;
		printf("%4d", bits);
		for (int p = 0; p < n_columns(job); p++) {
			const long alone = job->search->alone[p][bits];
			char text[16];
			if (alone < 0) {
				printf("  %12s ", "-");
				continue;
			}
			snprintf(text, sizeof(text), "%s%.2f", right_of(job, alone)->is_bound ? "<" : "",
				 mch_quantize_percent(job, right_of(job, alone)->n_correct +
								   right_of(job, alone)->is_bound));
			printf("  %12s%c", text, bits == job->search->alone_width[p] ? '*' : ' ');
		}
		putchar('\n');
	}
}

static void print_accuracy(const struct mch_quantize_job *job, long candidate)
{
	const struct mch_right *right = right_of(job, candidate);
	printf("%s%6.2f %%", right->is_bound ? " <" : "  ",
	       mch_quantize_percent(job, right->n_correct + right->is_bound));
}

static void print_tries(const struct mch_quantize_job *job)
{
	printf("\n4 Combination, each scored as a whole\n%-12s  %4s  %4s  %4s  %9s\n", "", "conv", "FC", "act.",
	       "accuracy");
	for (int i = 0; i < job->search->n_tries; i++) {
		const struct mch_search_try *t = &job->search->tries[i];
		const char *verdict = isnan(job->config.error_margin) ? "no margin asked for"
				      : passes(job, t->candidate)     ? "within the margin"
								      : "misses the margin";
		printf("%-12s", why_names[t->why]);
		for (int p = 0; p < MCH_N_PARTS; p++) {
			if (job->config.has_part[p])
				printf("  %4d", t->width[p]);
			else
				printf("  %4s", "-");
		}
		print_accuracy(job, t->candidate);
		printf("  %s%s\n", verdict, t->is_taken ? ", taken" : "");
	}
}

/* What was taken, and the number of tries that were undone between. */
static void print_steps(const struct mch_quantize_job *job)
{
	int n_undone = 0;
	printf("\n4 Combination, each scored as a whole: %zu scores%s\n%-9s  %7s  %14s  %10s\n", job->mixed.n_steps,
	       job->mixed.is_cut_short ? ", then --max-scores ended it" : "", "step", "changed",
	       mch_cost_name(job->args->search.cost), "accuracy");
	for (size_t i = 0; i < job->mixed.n_steps; i++) {
		const struct mch_mixed_step *step = &job->mixed.steps[i];
		if (!step->is_taken) {
			n_undone++;
			continue;
		}
		printf("%-9s  %7d  %14.6g", mch_mixed_why_name(step->why), step->n_moves,
		       job->points[step->candidate].cost);
		print_accuracy(job, step->candidate);
		if (n_undone)
			printf("  after %d that missed the margin", n_undone);
		putchar('\n');
		n_undone = 0;
	}
	if (n_undone)
		printf("%-9s  %7d that missed the margin, undone\n", "", n_undone);
}

static void print_front(const struct mch_quantize_job *job)
{
	char unit[64];
	snprintf(unit, sizeof(unit), "%s", mch_cost_name(job->args->search.cost));
	printf("\nAccuracy against cost (%s): # on the front, o beaten%s\n", unit, ", . a bound");
	mch_pareto_plot(stdout, job->points, job->candidates.n, job->choosing.n, unit);
}

static void print_layers(const struct mch_quantize_job *job)
{
	size_t width = strlen("Layer");
	for (int i = 0; i < job->net.n_layers; i++)
		width = strlen(job->net.layers[i].name) > width ? strlen(job->net.layers[i].name) : width;
	printf("\n%-*s  %-8s  %-9s  %-7s  %-7s  %4s  %s\n", (int)width, "Layer", "kind", "weights", "input", "output",
	       "acc.", "range of the accumulator, for any input");
	for (int i = 0; i < job->net.n_layers; i++) {
		const struct mch_layer *layer = &job->net.layers[i];
		const struct mch_layer_quant *q = &job->quant.layer[i];
		const struct mch_format out = job->quant.edge[layer->out[0]];
		const struct mch_format in =
			layer->n_in ? job->quant.edge[layer->in[0]] : out; /* a constant has none */
		char text[3][MCH_FORMAT_TEXT];
		printf("%-*s  %-8s  %-9s  %-7s  %-7s", (int)width, layer->name, mch_layer_table[layer->kind].name,
		       q->weights.bits ? mch_weights_text(q, text[0]) : "", mch_format_text(in, text[1]),
		       out.bits ? mch_format_text(out, text[2]) : "float");
		if (q->weights.bits) {
			char low[MCH_WIDE_TEXT], high[MCH_WIDE_TEXT];
			printf("  %4d  %s .. %s", q->acc.bits, mch_wide_text(q->certificate.low, low),
			       mch_wide_text(q->certificate.high, high));
		}
		putchar('\n');
	}
}

static void print_images(const struct mch_quantize_job *job)
{
	if (job->reporting.first > 0)
		printf("images      %d choose, %d others report, drawn with seed %" PRIu32 "\n", job->choosing.n,
		       job->reporting.n, job->args->seed);
	else
		printf("images      %d choose and report: the result's accuracy flatters, being the best of many "
		       "tries; --holdout "
		       "tells\n            apart\n",
		       job->reporting.n);
}

static void print_gain(const struct mch_quantize_job *job, const char *what, const struct mch_gain *gain)
{
	if (gain->is_measured)
		printf("%-15s %.2f %% without, %.2f %% with (%+.2f points), at the widths of the result%s\n", what,
		       mch_quantize_percent(job, gain->without), mch_quantize_percent(job, gain->with),
		       mch_quantize_percent(job, gain->with - gain->without),
		       gain->is_undone ? ": undone, it would miss the margin" : "");
}

static void print_share(const char *what, int n_right, int n)
{
	const struct mch_interval i = mch_interval_95(n_right, n);
	printf("%-11s %.2f %% (%d of %d images), 95 %% interval %.2f to %.2f %%\n", what, 100.0 * n_right / n,
	       n_right, n, i.low, i.high);
}

static void print_report(const struct mch_quantize_job *job)
{
	const struct mch_image_part *part = &job->reporting;
	printf("\nOn the images that report\n");
	print_share("float", part->n_float_correct, part->n);
	print_share("integers", job->report.n_correct, part->n);
	printf("agreement   %.2f %% of the images are answered as in float\n", 100.0 * job->report.n_agree / part->n);
	printf("logits      signal to noise %.2f dB\n", job->report.sqnr_db);
	if (job->report.n_narrow)
		printf("overflows   %" PRIu64 " steps (%.1f an image), in %d layer%s whose accumulator is narrower than its "
		       "certificate\n", job->report.n_overflows, (double)job->report.n_overflows / part->n,
		       job->report.n_narrow, job->report.n_narrow > 1 ? "s" : "");
}

/* The smallest and the largest width of the weights or the tensors. */
static void print_span(const struct mch_quantize_job *job, bool is_weights, const char *what)
{
	int low = MCH_OPERAND_BITS_MAX, high = 0;
	for (int k = 0; k < job->knobs.n; k++) {
		if (job->knobs.knob[k].is_weights != is_weights)
			continue;
		low = job->setting[k] < low ? job->setting[k] : low;
		high = job->setting[k] > high ? job->setting[k] : high;
	}
	if (high)
		printf(" %d- to %d-bit %s,", low, high, what);
}

static void print_result(const struct mch_quantize_job *job)
{
	const int exact = job->n_correct;
	print_gain(job, "equalization", &job->of_equalization);
	print_gain(job, "compensation", &job->of_compensation);
	print_gain(job, "bias correction", &job->of_bias_correction);
	printf("cost        %.6g %s\n", job->points[job->candidate].cost, mch_cost_name(job->args->search.cost));
	printf("result     ");
	if (job->args->search.granularity == MCH_GRANULARITY_LAYER) {
		print_span(job, true, "weights");
		print_span(job, false, "activations");
	} else {
		for (int p = 0; p < MCH_N_PARTS; p++)
			if (job->quant.width[p])
				printf(" %d-bit %s,", job->search->width[p], part_titles[p]);
	}
	printf(" %.2f %% (%+.2f points", mch_quantize_percent(job, exact),
	       mch_quantize_percent(job, exact - job->choosing.n_float_correct));
	if (!isnan(job->config.error_margin))
		printf(", margin %g", job->config.error_margin);
	printf(")\n");
}

void mch_quantize_print(const struct mch_quantize_job *job)
{
	const int n = job->choosing.n, n_float = job->choosing.n_float_correct;
	const int widest = right_of(job, job->search->widest)->n_correct;
	printf("network     %s\n", job->net.name);
	print_images(job);
	printf("\n1 Ranges: of the weights, and of every tensor over %d training images (macchiato ranges)\n",
	       job->n_ranges);
	char policy[MCH_FORMAT_POLICY_TEXT];
	printf("2 Activations: formats for every width, %s\n", mch_format_policy_text(&job->args->policy, policy));
	printf("float       %.2f %% (%d of %d images)\n", mch_quantize_percent(job, n_float), n_float, n);
	printf("16 bits     %.2f %% (%d), all parts\n", mch_quantize_percent(job, widest), widest);
	if (!job->config.fixed)
		print_alone(job);
	if (job->args->search.granularity == MCH_GRANULARITY_LAYER)
		print_steps(job);
	else
		print_tries(job);
	if (job->candidates.n > 2)
		print_front(job);
	print_layers(job);
	print_report(job);
	printf("\n5 Fine-tuning: not done\n");
	mch_host_layers_print(&job->net);
	print_result(job);
}
