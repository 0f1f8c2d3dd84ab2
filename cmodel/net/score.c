/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Networks over a data set; see score.h. The images are cut into batches whatever the threads, each thread has
 * engines of its own, and a batch's results lie where only it writes. */
#include "net/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "fast/one_thread.h"

enum { N_MODELS_MAX = 2 };

/* A pass of one model or two over the images. */
struct pass {
	const struct mch_score_config *config;
	const struct mch_model *models[N_MODELS_MAX];
	int edge[N_MODELS_MAX]; /* that is looked at */
	int n_models, batch;
	size_t n_outputs;
	/* Images first .. first + n - 1 of the pass: y[m] is [n][n_outputs]. Called by several threads at once. */
	void (*take)(void *ctx, int first, int n, float *const *y);
	/* Of a batch that was taken: answers that count against the limit. NULL: none do. */
	int (*count)(const void *ctx, int first, int n);
	void *ctx;
	int limit; /* the pass ends with the batch in which more than this count */
	/* Shared by the threads, in a critical region: */
	int n_done, failed; /* the first batch that failed */
	int *counted;       /* [n_batches]: what count() said, -1 before */
	int n_whole, n_counted; /* batches 0 .. n_whole - 1 are counted, to n_counted */
	int end;                /* no batch behind it is wanted */
	uint64_t n_overflows; /* of the first model */
	struct mch_err err;
	struct mch_engine *first[N_MODELS_MAX]; /* of the thread that began; the others have twins of them */
};

/* A thread's share of a pass. */
struct worker {
	struct mch_engine *engine[N_MODELS_MAX];
	float *y[N_MODELS_MAX];
};

static int open_worker(struct worker *w, const struct pass *pass, struct mch_err *err)
{
	for (int m = 0; m < pass->n_models; m++) {
		w->engine[m] = pass->first[m] ? mch_engine_twin(pass->first[m], err)
					      : mch_engine_new(pass->models[m], pass->edge[m], pass->batch, err);
		if (!w->engine[m])
			return -1;
		w->y[m] = malloc((size_t)pass->batch * pass->n_outputs * sizeof(*w->y[m]));
		if (!w->y[m])
			return mch_err_set(err, "score", "out of memory; use a machine with more");
	}
	return 0;
}

static void close_worker(struct worker *w)
{
	for (int m = 0; m < N_MODELS_MAX; m++) {
		mch_engine_free(w->engine[m]);
		free(w->y[m]);
	}
}

static int run_batch(struct worker *w, const struct pass *pass, int first, int n, struct mch_err *err)
{
	for (int m = 0; m < pass->n_models; m++)
		if (mch_engine_run(w->engine[m], pass->config->data, pass->config->first + first, n, w->y[m],
				   err) != 0)
			return -1;
	pass->take(pass->ctx, first, n, w->y);
	return 0;
}

/* The end is where the batches in their order pass the limit, whatever order they came in. */
static void count_batch(struct pass *pass, int batch, int n, int n_batches)
{
	pass->counted[batch] = pass->count(pass->ctx, batch * pass->batch, n);
	while (pass->n_whole < n_batches && pass->counted[pass->n_whole] >= 0 && pass->n_counted <= pass->limit)
		pass->n_counted += pass->counted[pass->n_whole++];
	if (pass->n_counted > pass->limit && pass->n_whole <= pass->end)
		pass->end = pass->n_whole - 1;
}

static void report(struct pass *pass, int batch, int n, int status, const struct mch_err *err)
{
	const int n_batches = (pass->config->n + pass->batch - 1) / pass->batch;
#pragma omp critical(mch_score)
	{
		pass->n_done += n;
		if (status != 0 && batch < pass->failed) {
			pass->failed = batch;
			pass->err = *err;
		}
		if (status == 0 && pass->count)
			count_batch(pass, batch, n, n_batches);
		if (status == 0 && pass->config->progress)
			pass->config->progress(pass->config->ctx, pass->n_done, pass->config->n);
	}
}

static bool is_wanted(struct pass *pass, int batch)
{
	bool is_before;
#pragma omp critical(mch_score)
	is_before = batch < pass->failed && batch <= pass->end;
	return is_before;
}

static void run_batches(struct pass *pass, struct worker *w, int n_batches)
{
	struct mch_err why = {""};
	/* In order, so that all batches before one that fails have been begun, and the first failure is found. */
#pragma omp for schedule(monotonic : dynamic)
	for (int i = 0; i < n_batches; i++) {
		const int first = i * pass->batch, rest = pass->config->n - first;
		const int count = rest < pass->batch ? rest : pass->batch;
		if (is_wanted(pass, i))
			report(pass, i, count, run_batch(w, pass, first, count, &why), &why);
	}
}

static int run_pass(struct pass *pass, struct mch_err *err)
{
	const int n = pass->config->n, n_batches = (n + pass->batch - 1) / pass->batch;
	pass->failed = pass->end = n_batches;
	for (int m = 0; m < pass->n_models; m++)
		if (pass->models[m]->prefix)
			mch_prefix_begin(pass->models[m]->prefix, pass->models[m]->q, pass->models[m]->quant);
	if (pass->config->first == 0)
		mch_dataset_ahead(pass->config->data, n);
	bool is_unable = false;
#pragma omp parallel reduction(|| : is_unable)
	{
		struct worker w = {{NULL}, {NULL}};
		struct mch_err why = {""};
		mch_one_thread();
		int status = 1; /* not opened yet */
#pragma omp single
		{
			status = open_worker(&w, pass, &why);
			memcpy(pass->first, w.engine, sizeof(pass->first));
		}
		if (status == 1)
			status = open_worker(&w, pass, &why);
		if (status != 0) {
			is_unable = true;
			report(pass, -1, 0, -1, &why);
		}
		run_batches(pass, &w, n_batches);
		const uint64_t n_overflows = w.engine[0] ? mch_engine_overflows(w.engine[0]) : 0;
#pragma omp atomic
		pass->n_overflows += n_overflows;
		close_worker(&w);
	}
	if (!is_unable && (pass->failed == n_batches || pass->failed > pass->end))
		return 0;
	if (err)
		*err = pass->err;
	return -1;
}

static int batch_of(const struct mch_model *model, int n)
{
	const int batch = mch_engine_batch(model);
	return n < batch ? (n > 0 ? n : 1) : batch;
}

/* Predictions and ranks. */
struct graded {
	struct mch_answers *to;
	const int32_t *labels;
	int first; /* of the pass, in the data */
};

static int rank_of(const float *y, int n, int label)
{
	int rank = 0;
	if (label < 0 || label >= n)
		return n;
	for (int i = 0; i < n; i++)
		rank += y[i] > y[label] || (y[i] == y[label] && i < label);
	return isnan(y[label]) ? n : rank;
}

static void take_answers(void *ctx, int first, int n, float *const *y)
{
	const struct graded *g = ctx;
	const int n_outputs = g->to->n_outputs;
	for (int i = 0; i < n; i++) {
		const float *of_image = y[0] + (size_t)i * (size_t)n_outputs;
		const int best = mch_argmax_f32(of_image, n_outputs);
		g->to->prediction[first + i] = best;
		g->to->rank[first + i] = rank_of(of_image, n_outputs, g->labels[g->first + first + i]);
	}
}

static int count_wrong(const void *ctx, int first, int n)
{
	const struct graded *g = ctx;
	int n_wrong = 0;
	for (int i = first; i < first + n; i++)
		n_wrong += g->to->rank[i] > 0;
	return n_wrong;
}

/* Images up to the one at which the limit is passed: the same for any size of batches. */
static void sum_answers(struct mch_answers *answers, int limit)
{
	int n_wrong = 0, i = 0;
	for (; i < answers->n_images && n_wrong <= limit; i++) {
		answers->n_top1 += answers->rank[i] < 1;
		answers->n_top5 += answers->rank[i] < 5;
		n_wrong += answers->rank[i] > 0;
	}
	answers->n_images = i;
}

int mch_score_run(const struct mch_model *model, const struct mch_score_config *config, struct mch_answers *answers,
		  struct mch_err *err)
{
	const int edge = mch_engine_output(model);
	const size_t n_outputs = mch_shape_elems(model->net->edges[edge].shape), n = (size_t)config->n;
	struct graded graded = {answers, config->data->labels, config->first};
	struct pass pass = {.config = config, .models = {model}, .edge = {edge}, .n_models = 1,
			    .n_outputs = n_outputs,
			    .batch = batch_of(model, config->n), .take = take_answers, .ctx = &graded,
			    .limit = config->need > 0 ? config->n - config->need : config->n};
	*answers = (struct mch_answers){.n_images = config->n, .n_outputs = (int)n_outputs};
	answers->prediction = malloc((n + 1) * sizeof(*answers->prediction));
	answers->rank = malloc((n + 1) * sizeof(*answers->rank));
	pass.counted = malloc((n + 1) * sizeof(*pass.counted));
	int status = answers->prediction && answers->rank && pass.counted
			     ? 0 : mch_err_set(err, "score", "out of memory; use a machine with more");
	if (status == 0) {
		memset(pass.counted, -1, (n + 1) * sizeof(*pass.counted));
		pass.count = count_wrong;
		status = run_pass(&pass, err);
	}
	if (status == 0) {
		sum_answers(answers, pass.limit);
		answers->n_overflows = answers->n_images == config->n ? pass.n_overflows : 0;
	}
	free(pass.counted);
	if (status != 0)
		mch_answers_free(answers);
	return status;
}

void mch_answers_free(struct mch_answers *answers)
{
	free(answers->prediction);
	free(answers->rank);
	*answers = (struct mch_answers){0};
}

static int count_right(const struct mch_model *model, const struct mch_dataset *data, int n, int32_t *predictions,
		       struct mch_err *err)
{
	const struct mch_score_config config = {.data = data, .n = n};
	struct mch_answers answers;
	if (mch_score_run(model, &config, &answers, err) != 0)
		return -1;
	if (predictions)
		memcpy(predictions, answers.prediction, (size_t)n * sizeof(*predictions));
	const int n_right = answers.n_top1;
	mch_answers_free(&answers);
	return n_right;
}

int mch_float_score(const struct mch_net *net, const struct mch_dataset *data, int n, int32_t *predictions,
		    struct mch_err *err)
{
	return count_right(&(struct mch_model){.net = net}, data, n, predictions, err);
}

int mch_exact_score(const struct mch_qnet *q, const struct mch_dataset *data, int n, int32_t *predictions,
		    struct mch_err *err)
{
	return count_right(&(struct mch_model){.net = q->net, .q = q}, data, n, predictions, err);
}

/* Of one batch: added up in the order of the batches, so that no order of threads can change a sum. */
struct part {
	double max_error, max_reference, error2, reference2;
};

struct differences {
	struct part *parts; /* [n_batches] */
	int batch;
	size_t n_outputs;
	float *logits; /* [n][n_outputs] of the reference; NULL: it is the pass's second model */
};

static void take_differences(void *ctx, int first, int n, float *const *y)
{
	const struct differences *d = ctx;
	const float *reference = d->logits ? d->logits + (size_t)first * d->n_outputs : y[1];
	struct part part = {0};
	for (size_t i = 0; i < (size_t)n * d->n_outputs; i++) {
		const double want = (double)reference[i], error = fabs((double)y[0][i] - want);
		/* Once it is NAN it stays: no comparison with it is true. */
		part.max_error = error <= part.max_error ? part.max_error : isnan(part.max_error) ? NAN : error;
		part.max_reference = fmax(part.max_reference, fabs(want));
		part.error2 += error * error;
		part.reference2 += want * want;
	}
	d->parts[first / d->batch] = part;
}

static struct mch_difference sum_up(const struct part *parts, int n_batches, uint64_t n_values)
{
	struct part sum = {0};
	for (int i = 0; i < n_batches; i++) {
		sum.max_error = parts[i].max_error <= sum.max_error ? sum.max_error
				: isnan(sum.max_error)              ? NAN
								    : parts[i].max_error;
		sum.max_reference = fmax(sum.max_reference, parts[i].max_reference);
		sum.error2 += parts[i].error2;
		sum.reference2 += parts[i].reference2;
	}
	return (struct mch_difference){.n_values = n_values,
				       .max_error = sum.max_error,
				       .max_reference = sum.max_reference,
				       .rms_error = n_values ? sqrt(sum.error2 / (double)n_values) : 0,
				       .sqnr_db = sum.error2 == 0 ? INFINITY
								  : 10 * log10(sum.reference2 / sum.error2)};
}

/* The rest of a pass that names its models. */
static int find_difference(struct pass *pass, struct differences *d, struct mch_difference *difference,
			   struct mch_err *err)
{
	const int n = pass->config->n;
	pass->batch = d->batch = batch_of(pass->models[0], n);
	pass->n_outputs = d->n_outputs;
	pass->take = take_differences;
	pass->ctx = d;
	const int n_batches = (n + d->batch - 1) / d->batch;
	d->parts = calloc((size_t)n_batches + 1, sizeof(*d->parts));
	if (!d->parts)
		return mch_err_set(err, "score", "out of memory; use a machine with more");
	const int status = run_pass(pass, err);
	if (status == 0)
		*difference = sum_up(d->parts, n_batches, (uint64_t)n * d->n_outputs);
	free(d->parts);
	return status;
}

int mch_score_compare(const struct mch_model *model, const struct mch_model *reference,
		      const struct mch_score_config *config, struct mch_difference *difference, struct mch_err *err)
{
	MCH_REQUIRE(!reference->q, "a reference is a float network");
	const int edge = mch_engine_output(model);
	const int other = model->q ? mch_engine_before_softmax(reference->net) : reference->net->output;
	const struct mch_shape s = model->net->edges[edge].shape, t = reference->net->edges[other].shape;
	if (mch_shape_elems(s) != mch_shape_elems(t))
		return mch_err_set(
			err, reference->net->name ? reference->net->name : "reference",
			"its output %s is %dx%dx%d, that of the network is %dx%dx%d; give a reference of the same "
			"output",
			reference->net->edges[other].name, t.c, t.h, t.w, s.c, s.h, s.w);
	struct differences d = {.n_outputs = mch_shape_elems(s)};
	struct pass pass = {.config = config, .models = {model, reference}, .edge = {edge, other}, .n_models = 2};
	return find_difference(&pass, &d, difference, err);
}

static void take_logits(void *ctx, int first, int n, float *const *y)
{
	const struct differences *d = ctx;
	memcpy(d->logits + (size_t)first * d->n_outputs, y[0], (size_t)n * d->n_outputs * sizeof(float));
}

float *mch_score_logits(const struct mch_net *net, const struct mch_score_config *config, struct mch_err *err)
{
	const struct mch_model model = {.net = net};
	const int edge = mch_engine_before_softmax(net);
	const size_t n_outputs = mch_shape_elems(net->edges[edge].shape);
	float *logits = malloc(((size_t)config->n * n_outputs + 1) * sizeof(*logits));
	struct differences d = {.n_outputs = n_outputs, .logits = logits};
	struct pass pass = {.config = config, .models = {&model}, .edge = {edge}, .n_models = 1,
			    .n_outputs = n_outputs,
			    .batch = batch_of(&model, config->n), .take = take_logits, .ctx = &d};
	if (!logits) {
		mch_err_set(err, "score", "out of memory; use a machine with more");
		return NULL;
	}
	if (run_pass(&pass, err) == 0)
		return logits;
	free(logits);
	return NULL;
}

int mch_score_compare_logits(const struct mch_model *model, float *logits, const struct mch_score_config *config,
			     struct mch_difference *difference, struct mch_err *err)
{
	const int edge = mch_engine_output(model);
	struct differences d = {.n_outputs = mch_shape_elems(model->net->edges[edge].shape), .logits = logits};
	struct pass pass = {.config = config, .models = {model}, .edge = {edge}, .n_models = 1};
	return find_difference(&pass, &d, difference, err);
}
