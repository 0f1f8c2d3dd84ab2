/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato plan --program; see plan_program.h. */
#include "cli/plan_program.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/program_refine.h"
#include "arch/program_time.h"

/* Where cycles go that are no full beats. */
enum loss {
	LOSS_SHAPE,  /* beats of an array that the layer does not fill */
	LOSS_GATHER, /* lanes fetch words of few channels */
	LOSS_LOADS,  /* activations are not there yet */
	LOSS_WEIGHTS,
	LOSS_OUTPUT, /* the array or the store is not free */
	LOSS_POOL,   /* windows are gathered: no work of the array */
	LOSS_START,  /* between the descriptor before and the first word, and the way of the last result */
	N_LOSSES
};
static const char *const loss_names[] = {"shape", "gather", "loads", "weights", "output", "pool", "start"};

/* A step, or all. */
struct row {
	const char *name;
	int n_descriptors, tiles;
	uint64_t macs;
	struct mch_program_time time;
	double loss[N_LOSSES]; /* cycles */
};

struct plan {
	const struct mch_qnet *q;
	struct mch_program p;
	struct mch_program_time *time;
	struct row *row; /* [n_rows] */
	int n_rows;
	struct row total;
	int *tiles;
	uint64_t before, after; /* of --refine */
};

static double positive(double v)
{
	return v > 0 ? v : 0;
}

static void add_losses(const struct plan *plan, int i, double *loss)
{
	const struct mch_program_descriptor *item = &plan->p.descriptor[i];
	const struct mch_program_time *t = &plan->time[i];
	const struct mch_accel_config *c = &plan->p.cfg;
	double computing = 0;
	const uint64_t n = mch_descriptor_strips(&item->d);
	for (uint64_t s = 0; s < n; s++) {
		const struct mch_strip strip = mch_descriptor_strip(&item->d, s);
		computing += (double)mch_descriptor_cycles(&item->d, c, &strip);
	}
	const double slow = positive(computing - (double)t->beats), wait_x = (double)t->wait_x;
	const double waits = wait_x + (double)t->wait_w + (double)t->wait_out;
	const double rest = positive((double)t->cycles - (double)t->beats - waits);
	const bool is_pool = item->d.op != MCH_OP_CONV;
	const double pool = !is_pool ? 0 : computing < rest ? computing : rest;
	const double gather = is_pool ? 0 : slow < wait_x ? slow : wait_x;
	loss[LOSS_SHAPE] += (double)t->beats - (double)item->macs / (c->rows * c->cols);
	loss[LOSS_GATHER] += gather;
	loss[LOSS_LOADS] += wait_x - gather;
	loss[LOSS_WEIGHTS] += (double)t->wait_w;
	loss[LOSS_OUTPUT] += (double)t->wait_out;
	loss[LOSS_POOL] += pool;
	loss[LOSS_START] += rest - pool;
}

static void add_time(struct mch_program_time *sum, const struct mch_program_time *t)
{
	sum->cycles += t->cycles;
	sum->beats += t->beats;
	sum->wait_x += t->wait_x;
	sum->wait_w += t->wait_w;
	sum->wait_out += t->wait_out;
	sum->read_beats += t->read_beats;
	sum->write_beats += t->write_beats;
}

static void add_descriptor(const struct plan *plan, struct row *row, int i)
{
	const struct mch_program_descriptor *item = &plan->p.descriptor[i];
	row->n_descriptors++;
	row->tiles = (int)item->d.tiles;
	row->macs += item->macs;
	add_time(&row->time, &plan->time[i]);
	add_losses(plan, i, row->loss);
}

static void fill_rows(struct plan *plan)
{
	plan->total.name = "total";
	for (int i = 0; i < plan->p.n_descriptors; i++) {
		const int step = plan->p.descriptor[i].step;
		if (i == 0 || plan->p.descriptor[i - 1].step != step)
			plan->row[plan->n_rows++].name = plan->q->steps[step].layer->name;
		add_descriptor(plan, &plan->row[plan->n_rows - 1], i);
		add_descriptor(plan, &plan->total, i);
	}
}

static double used(const struct plan *plan, const struct row *row)
{
	const double lanes = (double)plan->p.cfg.rows * plan->p.cfg.cols;
	return row->time.cycles ? (double)row->macs / lanes / (double)row->time.cycles : 0;
}

/* The largest of the losses, where they are worth a word. */
static const char *limit(const struct plan *plan, const struct row *row)
{
	int most = 0;
	if (used(plan, row) >= 0.95)
		return "array";
	for (int i = 1; i < N_LOSSES; i++)
		most = row->loss[i] > row->loss[most] ? i : most;
	return loss_names[most];
}

static void print_row(const struct plan *plan, int width, const struct row *row, bool is_total)
{
	char tiles[16] = "";
	if (!is_total)
		snprintf(tiles, sizeof(tiles), "%d", row->tiles);
	printf("%-*s  %3d  %5s  %12" PRIu64 "  %10" PRIu64 "  %5.1f %%  %5.1f %%  %-7s", width, row->name,
	       row->n_descriptors, tiles, row->macs, row->time.cycles,
	       100 * (double)row->time.cycles / (double)(plan->total.time.cycles ? plan->total.time.cycles : 1),
	       100 * used(plan, row), limit(plan, row));
	for (int i = 0; i < N_LOSSES; i++)
		printf("  %7.1f", row->time.cycles ? 100 * row->loss[i] / (double)row->time.cycles : 0);
	printf("\n");
}

static void print_plan(const struct plan *plan)
{
	const struct mch_accel_config *c = &plan->p.cfg;
	int width = (int)strlen("Layer"), n_host = 0;
	for (int i = 0; i < plan->n_rows; i++)
		if ((int)strlen(plan->row[i].name) > width)
			width = (int)strlen(plan->row[i].name);
	printf("network     %s\n", plan->q->net->name);
	printf("build       %dx%d %s, x %d, w %d, out %d, acc %d bits; memory %d bits, buffers %" PRIu32 " and %" PRIu32
	       " words\n\n",
	       c->rows, c->cols, mch_build_mult_name(c), c->x_bits, c->w_bits,
	       c->out_bits, c->acc_bits, c->mem_bits, c->x_words, c->w_words);
	printf("%-*s  %3s  %5s  %12s  %10s  %7s  %7s  %-7s", width, "Layer", "n", "tiles", "MACs", "cycles", "time",
	       "used", "limit");
	for (int i = 0; i < N_LOSSES; i++)
		printf("  %7s", loss_names[i]);
	printf("\n");
	for (int i = 0; i < plan->n_rows; i++)
		print_row(plan, width, &plan->row[i], false);
	print_row(plan, width, &plan->total, true);
	for (int i = 0; i < plan->p.n_parts; i++)
		n_host += plan->p.part[i].is_host;
	printf("\nmemory      %" PRIu32 " words of %" PRIu32 " bytes; %" PRIu64 " beats read, %" PRIu64 " written\n",
	       plan->p.n_words, mch_accel_word_bytes(c), plan->total.time.read_beats, plan->total.time.write_beats);
	if (n_host)
		printf("host        %d steps, not counted\n", n_host);
	if (plan->tiles)
		printf("refined     %" PRIu64 " cycles before, %" PRIu64 " after\n", plan->before, plan->after);
}

static json_t *row_json(const struct plan *plan, const struct row *row)
{
	const struct mch_program_time *t = &row->time;
	json_t *lost = json_object();
	for (int i = 0; i < N_LOSSES; i++)
		json_object_set_new(lost, loss_names[i], json_real(row->loss[i]));
	return json_pack("{s:s, s:i, s:i, s:I, s:I, s:f, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "name", row->name,
			 "descriptors", row->n_descriptors, "tiles", row->tiles, "macs", (json_int_t)row->macs,
			 "cycles", (json_int_t)t->cycles, "utilisation", used(plan, row), "limit", limit(plan, row),
			 "beats", (json_int_t)t->beats, "wait_x", (json_int_t)t->wait_x, "wait_w",
			 (json_int_t)t->wait_w, "wait_out", (json_int_t)t->wait_out, "read_beats",
			 (json_int_t)t->read_beats, "write_beats", (json_int_t)t->write_beats, "lost", lost);
}

static int print_json(const struct plan *plan, struct mch_err *err)
{
	const struct mch_accel_config *c = &plan->p.cfg;
	json_t *layers = json_array();
	int bad = 0;
	for (int i = 0; i < plan->n_rows; i++)
		bad |= json_array_append_new(layers, row_json(plan, &plan->row[i]));
	json_t *build = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b}", "x_bits", c->x_bits,
				  "w_bits", c->w_bits, "out_bits", c->out_bits, "acc_bits", c->acc_bits, "round",
				  (int)c->round, "mult", (int)c->mult, "mem_bits", c->mem_bits, "x_words",
				  (int)c->x_words, "w_words", (int)c->w_words, "word_bytes",
				  (int)mch_accel_word_bytes(c), "pack", (int)c->pack);
	json_t *root = json_pack("{s:s, s:[i,i], s:o, s:I, s:o, s:o}", "network", plan->q->net->name, "array", c->rows,
				 c->cols, "build", build, "memory_words", (json_int_t)plan->p.n_words, "layers",
				 layers, "total", row_json(plan, &plan->total));
	if (root && plan->tiles)
		bad |= json_object_set_new(root, "cycles_unrefined", json_integer((json_int_t)plan->before));
	if (!root || bad) {
		json_decref(root);
		return mch_err_set(err, plan->q->net->name,
				   "a name is no UTF-8, which JSON needs; rename it, or leave --json out");
	}
	json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(root);
	return 0;
}

static int make(struct plan *plan, const struct mch_accel_config *cfg, struct mch_err *err)
{
	struct mch_program_options options = {.allow_host = true, .tiles = plan->tiles};
	if (mch_program_build(&plan->p, plan->q, cfg, &options, err) != 0)
		return -1;
	plan->time = calloc((size_t)plan->p.n_descriptors + 1, sizeof(*plan->time));
	plan->row = calloc((size_t)plan->p.n_descriptors + 1, sizeof(*plan->row));
	if (!plan->time || !plan->row)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	if (mch_program_time(&plan->p, plan->time, err) != 0)
		return -1;
	fill_rows(plan);
	return 0;
}

int mch_plan_program(const struct mch_build_options *build, int rows, int cols, const struct mch_qnet *q, bool json,
		     struct mch_err *err)
{
	struct plan plan = {.q = q};
	struct mch_accel_config cfg;
	int status = mch_build_config(build, rows, cols, q, &cfg, err);
	if (status == 0 && build->refine)
		status = mch_build_refine(q, &cfg, false, &plan.tiles, &plan.before, &plan.after, err);
	if (status == 0)
		status = make(&plan, &cfg, err);
	if (status == 0 && json)
		status = print_json(&plan, err);
	else if (status == 0)
		print_plan(&plan);
	mch_program_free(&plan.p);
	free(plan.time);
	free(plan.row);
	free(plan.tiles);
	return status;
}
