/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A convolution becomes descriptors and streams of weights; see program_build.h. */
#include <stdlib.h>
#include <string.h>

#include "arch/program_build.h"
#include "base/require.h"
#include "fxp/lfsr.h"

/* Blocks of an input that a y block reads, and how many channels of the last of them. */
struct need {
	int first, n, last;
};

/* Channels [*from, *to) of the input that output channel k reads. */
static void channels_of(const struct mch_job *job, int k, int *from, int *to)
{
	*from = k, *to = k + 1;
	if (job->conv) {
		const int c = job->layout == MCH_INPUT_PLAIN ? job->conv->c / job->conv->groups : job->window.c;
		*from = k / (job->conv->k / job->conv->groups) * c;
		*to = *from + c;
	}
}

static struct need need_of(const struct mch_job *job, const struct mch_program_tensor *x, int cols, int y_block)
{
	int low = INT32_MAX, high = -1;
	for (int j = 0; x && j < cols; j++) {
		const int k = job->y->channel[y_block * cols + j];
		int from, to;
		if (k < 0)
			continue;
		channels_of(job, k, &from, &to);
		low = x->slot[from] < low ? x->slot[from] : low;
		high = x->slot[to - 1] > high ? x->slot[to - 1] : high;
	}
	if (high < 0)
		return (struct need){0, 0, 0};
	return (struct need){low / cols, high / cols - low / cols + 1, high % cols + 1};
}

static bool is_same(struct need a, struct need b)
{
	return a.first == b.first && a.n == b.n && a.last == b.last;
}

/* What a column of the array computes: output channel k, -1 for none, of channels [from, to) of the input. */
struct column {
	int k, from, to;
	size_t weights; /* of k in the layer's, [to - from][r][s] */
};

static struct column column_of(const struct mch_job *job, int k)
{
	struct column column = {.k = k};
	if (k >= 0)
		channels_of(job, k, &column.from, &column.to);
	if (k >= 0 && job->conv)
		column.weights = (size_t)k * mch_conv_terms(job->conv);
	return column;
}

/* The weight of channel c of input i; c is -1 where there is none. */
static int64_t weight(const struct mch_job *job, int i, const struct column *column, int c, int r, int s)
{
	const struct mch_conv *g = job->conv;
	int channel = c - column->from;
	if (column->k < 0 || channel < 0 || c >= column->to)
		return 0;
	if (!g)
		return job->diagonal[i];
	if (job->layout != MCH_INPUT_PLAIN) { /* of one group */
		s = channel / g->c % g->s;
		r = job->layout == MCH_INPUT_WINDOW ? channel / g->c / g->s : r;
		channel %= g->c;
	}
	const size_t at = ((size_t)channel * (size_t)g->r + (size_t)r) * (size_t)g->s + (size_t)s;
	return mch_program_weight(job->mac, column->weights + at);
}

void mch_program_put_params(struct mch_program *p, const struct mch_param *param, const int32_t *channel,
			    uint64_t address)
{
	const struct mch_accel_config *cfg = &p->cfg;
	const int n_bias = mch_accel_bias_words(cfg), n_seed = mch_accel_seed_words(cfg);
	const int bytes = mch_accel_elem_bytes(cfg), cols = cfg->cols;
	uint8_t *to = mch_program_image(p, address);
	for (int j = 0; j < cols; j++) {
		const int k = channel[j];
		const uint64_t bias = k >= 0 && param->mac ? (uint64_t)mch_program_bias(param->mac, k) : 0;
		const int shift = k >= 0 ? param->shift[param->shift_is_one ? 0 : k] + param->shift_more : 0;
		uint16_t seed = mch_lfsr_seed(param->seed, k >= 0 ? param->noise0 + k : 0);
		for (uint32_t i = 0; n_seed && i < param->noise_steps; i++)
			seed = mch_lfsr_next(seed);
		for (int i = 0; i < n_bias; i++)
			mch_accel_put(to, (uint64_t)(i * cols + j), bytes,
				      (int64_t)(bias >> (8 * bytes * i) & 0xffff));
		mch_accel_put(to, (uint64_t)(n_bias * cols + j), bytes, shift - MCH_SHIFT_MIN);
		for (int i = 0; i < n_seed; i++)
			mch_accel_put(to, (uint64_t)((n_bias + 1 + i) * cols + j), bytes,
				      seed >> (8 * bytes * i) & 0xffff);
	}
}

void mch_program_put_weight(struct mch_program *p, uint64_t to, int64_t value)
{
	int32_t element;
	MCH_REQUIRE(mch_accel_weight_code(&p->cfg, value, &element), "weights were checked");
	mch_accel_put(p->image, to, mch_accel_elem_bytes(&p->cfg), element);
}

/* The beats of input i for one y block, from element `to` of the image on; the element behind them. */
static uint64_t put_beats(struct mch_program *p, const struct mch_job *job, int i, struct need need, int y_block,
			  uint64_t to)
{
	const int cols = p->cfg.cols;
	struct column column[64];
	for (int j = 0; j < cols; j++)
		column[j] = column_of(job, job->y->channel[y_block * cols + j]);
	for (int b = 0; b < need.n; b++) {
		const int32_t *const c = job->x[i]->channel + (need.first + b) * cols;
		const int n_c = b + 1 == need.n ? need.last : cols;
		for (int r = 0; r < job->window.r; r++)
			for (int s = 0; s < job->window.s; s++)
				for (int e = 0; e < n_c; e++)
					for (int j = 0; j < cols; j++, to++)
						mch_program_put_weight(p, to, weight(job, i, &column[j], c[e], r, s));
	}
	return to;
}

static int put_weights(struct mch_program *p, const struct mch_job *job, const struct need need[2], int y_block,
		       int n, struct mch_descriptor *d, struct mch_err *err)
{
	const struct mch_param param = {job->mac,    job->shift, job->shift_is_one, job->shift_more,
					job->noise0, job->seed,  job->noise_steps};
	const uint64_t beats = mch_descriptor_beats(d, &p->cfg), n_param = (uint64_t)mch_accel_param_words(&p->cfg);
	const uint64_t cols = (uint64_t)p->cfg.cols;
	const int64_t address = mch_program_more(p, (uint64_t)n * (n_param + beats), err);
	if (address < 0)
		return -1;
	d->w_addr = (uint32_t)address;
	d->w_words = (uint32_t)((uint64_t)n * (n_param + beats));
	for (int i = 0; i < n; i++) {
		const uint64_t word = (uint64_t)address + (uint64_t)i * (n_param + beats);
		mch_program_put_params(p, &param, job->y->channel + (y_block + i) * p->cfg.cols, word);
		uint64_t to = (word - p->image_addr + n_param) * cols;
		for (int j = 0; j < 2 && job->x[j]; j++)
			to = put_beats(p, job, j, need[j], y_block + i, to);
	}
	return 0;
}

/* A stream that is the same as that of the descriptor before is not kept twice: diagonals are. */
static void share_weights(struct mch_program *p, struct mch_descriptor *d)
{
	if (p->n_descriptors == 0)
		return;
	const struct mch_descriptor *before = &p->descriptor[p->n_descriptors - 1].d;
	const size_t bytes = (size_t)d->w_words * mch_accel_word_bytes(&p->cfg);
	if (before->w_words != d->w_words || before->w_words == 0 ||
	    memcmp(mch_program_image(p, before->w_addr), mch_program_image(p, d->w_addr), bytes) != 0)
		return;
	memset(mch_program_image(p, d->w_addr), 0, bytes);
	p->image_words -= d->w_words;
	p->n_words -= d->w_words;
	d->w_addr = before->w_addr;
}

static void fill(const struct mch_job *job, const struct need need[2], int y_block, int n, struct mch_descriptor *d)
{
	const struct mch_conv *g = &job->window;
	const struct mch_program_tensor *x0 = job->x[0], *x1 = job->x[1], *y = job->y;
	*d = (struct mch_descriptor){.op = MCH_OP_CONV,
				     .relu = job->relu,
				     .x0_signed = x0->format.is_signed,
				     .y_signed = y->format.is_signed,
				     .y_bits = (uint32_t)y->format.bits,
				     .x0_addr = x0->addr + (uint32_t)need[0].first * x0->step,
				     .x_step = x0->step,
				     .x0_blocks = (uint32_t)need[0].n,
				     .x0_last = (uint32_t)need[0].last,
				     .in_w = (uint32_t)g->w,
				     .out_q = (uint32_t)job->q,
				     .kernel_r = (uint32_t)g->r,
				     .kernel_s = (uint32_t)g->s,
				     .y_blocks = (uint32_t)n,
				     .stride_w = (uint32_t)g->stride_w,
				     .dilation_w = (uint32_t)g->dilation_w,
				     .pad_left = (uint32_t)g->pad_left,
				     .pixels = (uint32_t)(job->p * job->q),
				     .q_end = (uint32_t)(job->q * g->stride_w),
				     .y_addr = y->addr + (uint32_t)y_block * y->step,
				     .y_step = y->step};
	mch_program_set_rows(d, x0, g->h, g->r, g->stride_h, g->dilation_h, g->pad_top);
	if (x1) {
		d->x1_signed = x1->format.is_signed;
		d->x1_addr = x1->addr + (uint32_t)need[1].first * x1->step;
		d->x1_blocks = (uint32_t)need[1].n;
		d->x1_last = (uint32_t)need[1].last;
	}
}

static uint64_t macs_of(const struct mch_job *job, int cols, int y_block, int n)
{
	uint64_t channels = 0;
	for (int i = y_block * cols; job->conv && i < (y_block + n) * cols; i++) {
		int from, to;
		if (job->y->channel[i] < 0)
			continue;
		channels_of(job, job->y->channel[i], &from, &to);
		channels += (uint64_t)(to - from);
	}
	return channels * (uint64_t)job->window.r * (uint64_t)job->window.s * (uint64_t)job->p * (uint64_t)job->q;
}

/* TILES of a descriptor of the job, as they would be. */
static int try_tiles(const struct mch_program *p, const struct mch_job *job, struct mch_descriptor *d)
{
	const int tiles = p->options.tiles ? p->options.tiles[job->step] : 0;
	return mch_program_tiles(d, &p->cfg, (uint32_t)tiles, p->cfg.round == MCH_ROUND_STOCHASTIC);
}

/* One descriptor for each run of y blocks. is_trial: none is made. 0, -1 with err, or -2: one has no strip that fits.
 */
static int emit_blocks(struct mch_program *p, const struct mch_job *job, bool is_trial, struct mch_err *err)
{
	const int cols = p->cfg.cols;
	for (int block = 0, n; block < job->y->blocks; block += n) {
		const struct need need[2] = {need_of(job, job->x[0], cols, block),
					     need_of(job, job->x[1], cols, block)};
		for (n = 1;
		     block + n < job->y->blocks && is_same(need[0], need_of(job, job->x[0], cols, block + n)) &&
		     is_same(need[1], need_of(job, job->x[1], cols, block + n));
		     n++) {
		}
		struct mch_program_descriptor item = {.step = job->step, .macs = macs_of(job, cols, block, n)};
		fill(job, need, block, n, &item.d);
		struct mch_descriptor trial = item.d;
		if (try_tiles(p, job, &trial) != 0) {
			mch_program_no_fit(p, job->step, &item.d, err);
			return -2;
		}
		if (is_trial)
			continue;
		if (put_weights(p, job, need, block, n, &item.d, err) != 0)
			return -1;
		share_weights(p, &item.d);
		if (mch_program_append(p, &item, p->cfg.round == MCH_ROUND_STOCHASTIC, err) != 0)
			return -1;
	}
	return 0;
}

/* Output rows from `from` on, n of them, as a job of their own. */
static void take_band(const struct mch_job *job, int from, int n, struct mch_job *band,
		      struct mch_program_tensor tensor[3])
{
	const struct mch_conv *g = &job->window;
	const int top = from * g->stride_h - g->pad_top, first = top < 0 ? 0 : top < g->h ? top : g->h - 1;
	const int high = (n - 1) * g->stride_h + (g->r - 1) * g->dilation_h + 1, bottom = top + high;
	*band = *job;
	band->p = n;
	band->noise_steps = (uint32_t)(from * job->q);
	band->window.pad_top = top < g->h ? first - top : high; /* wholly below the map is as good as above */
	band->window.h = (bottom < g->h ? bottom : g->h) - first;
	if (band->window.h < 1)
		band->window.h = 1;
	for (int i = 0; i < 3; i++) {
		const struct mch_program_tensor *t = i < 2 ? job->x[i] : job->y;
		if (!t)
			continue;
		tensor[i] = *t;
		tensor[i].addr += (uint32_t)(i < 2 ? first * g->w : from * job->q);
	}
	band->x[0] = &tensor[0];
	band->x[1] = job->x[1] ? &tensor[1] : NULL;
	band->y = &tensor[2];
}

/* With the stochastic mode a descriptor has one strip, so that its noise goes on through all of its pixels: a map
 * that does not fit one is done in bands of rows, each with seeds of its own. */
int mch_program_emit_job(struct mch_program *p, const struct mch_job *job, struct mch_err *err)
{
	int status = 0, size = job->p;
	for (int from = 0; status == 0 && from < job->p; from += size) {
		struct mch_program_tensor tensor[3];
		struct mch_job band;
		size = size < job->p - from ? size : job->p - from;
		take_band(job, from, size, &band, tensor);
		while (p->cfg.round == MCH_ROUND_STOCHASTIC && size > 1 && emit_blocks(p, &band, true, err) == -2) {
			size = (size + 1) / 2;
			take_band(job, from, size, &band, tensor);
		}
		status = emit_blocks(p, size == job->p ? job : &band, false, err);
	}
	return status ? -1 : 0;
}
