/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Depthwise convolutions as walks along rows: TAPS of a descriptor; see program_build.h. Spec: docs/accelerator.md "Depthwise". */
#include "arch/program_build.h"

/* Positions of the window's columns, those that dilation leaves out included, are dealt to as many phases as there are
 * columns of a stride; each phase is a walk that gives `taps` of them. */
struct walk {
	int span, phases, taps;
	int pitch; /* columns that are computed: the last taps - 1 of a row are nobody's */
};

static struct walk walk_of(const struct mch_conv *g)
{
	struct walk w = {.span = (g->s - 1) * g->dilation_w + 1};
	w.phases = w.span < g->stride_w ? w.span : g->stride_w;
	w.taps = (w.span + g->stride_w - 1) / g->stride_w;
	w.pitch = mch_conv_q(g) + w.taps - 1;
	return w;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* Cycles of a row of tiles, of one row of the window: as a walk, and on the diagonal. */
static bool is_shorter(const struct mch_accel_config *cfg, const struct mch_conv *g, const struct walk *w)
{
	const int word = cfg->cols / mch_accel_x_cols(cfg);
	const int64_t walk = (int64_t)w->phases * (larger(cfg->rows, word) + (w->taps - 1) * word);
	const int64_t diagonal = (int64_t)g->s * larger(cfg->rows, cfg->cols);
	return walk * w->pitch <= diagonal * mch_conv_q(g);
}

/* A sum reads both inputs at one place, and the network's output is read by the host: their rows have no gaps. */
static bool may_have_gaps(const struct mch_qnet *q, int edge)
{
	for (int i = 0; i < q->n_steps; i++)
		for (int j = 0; j < q->steps[i].n_in; j++)
			if (q->steps[i].ins[j] == edge && q->steps[i].form == MCH_FORM_ELTWISE)
				return false;
	return edge != q->output;
}

/* The noise of the stochastic mode goes on from pixel to pixel, so there may be none between rows. */
bool mch_program_is_depthwise(const struct mch_program *p, int index)
{
	const struct mch_step *step = &p->q->steps[index];
	if (mch_accel_x_cols(&p->cfg) == 1 || p->cfg.round == MCH_ROUND_STOCHASTIC || step->form != MCH_FORM_MAC ||
	    step->layer->kind == MCH_DENSE)
		return false;
	const struct mch_conv *g = &step->conv;
	const struct walk w = walk_of(g);
	return g->groups > 1 && g->groups == g->c && g->groups == g->k && w.taps <= 255 &&
	       (int64_t)w.pitch * g->stride_w < 65536 && is_shorter(&p->cfg, g, &w) && may_have_gaps(p->q, step->out);
}

int mch_program_pitch(const struct mch_program *p, int index)
{
	return walk_of(&p->q->steps[index].conv).pitch;
}

static void fill(const struct mch_program *p, const struct mch_step *step, int block, int n, struct mch_descriptor *d)
{
	const struct mch_program_tensor *x = &p->tensor[step->in], *y = &p->tensor[step->out];
	const struct mch_conv *g = &step->conv;
	const struct walk w = walk_of(g);
	*d = (struct mch_descriptor){.op = MCH_OP_CONV,
				     .relu = mch_program_relu(step),
				     .x0_signed = x->format.is_signed,
				     .y_signed = y->format.is_signed,
				     .y_bits = (uint32_t)y->format.bits,
				     .x0_addr = x->addr + (uint32_t)block * x->step,
				     .x_step = x->step,
				     .x0_blocks = (uint32_t)n,
				     .x0_last = (uint32_t)p->cfg.cols,
				     .in_w = (uint32_t)g->w,
				     .out_q = (uint32_t)w.pitch,
				     .kernel_r = (uint32_t)g->r,
				     .kernel_s = (uint32_t)w.phases,
				     .taps = (uint32_t)w.taps,
				     .y_blocks = (uint32_t)n,
				     .stride_w = (uint32_t)g->stride_w,
				     .dilation_w = 1,
				     .pad_left = (uint32_t)g->pad_left,
				     .pixels = (uint32_t)(y->h * w.pitch),
				     .q_end = (uint32_t)(w.pitch * g->stride_w),
				     .y_addr = y->addr + (uint32_t)block * y->step,
				     .y_step = y->step};
	mch_program_set_rows(d, x, g->h, g->r, g->stride_h, g->dilation_h, g->pad_top);
	d->reach += d->row_step; /* the walk of a row's last pixels goes on into the next row */
}

/* Beats of a y block from element `to` of the image on: X_COLS channels each, the weights of all others are 0. */
static void put_beats(struct mch_program *p, const struct mch_step *step, const int32_t *channel, uint64_t to)
{
	const struct mch_conv *g = &step->conv;
	const struct walk w = walk_of(g);
	const int cols = p->cfg.cols, x_cols = mch_accel_x_cols(&p->cfg);
	for (int i = 0; i < g->r * w.phases * w.taps * (cols / x_cols); i++) {
		const int run = i % (cols / x_cols), tap = i / (cols / x_cols) % w.taps;
		const int phase = i / (cols / x_cols) / w.taps % w.phases, r = i / (cols / x_cols) / w.taps / w.phases;
		const int at = phase + tap * g->stride_w;
		const bool is_position = at < w.span && at % g->dilation_w == 0;
		for (int j = 0; j < cols; j++, to++) {
			const size_t first = (size_t)channel[j] * mch_conv_terms(g); /* not looked at when there is none */
			const size_t place = (size_t)(r * g->s + at / g->dilation_w);
			const bool is_one = is_position && channel[j] >= 0 && j / x_cols == run;
			mch_program_put_weight(p, to, is_one ? mch_program_weight(step, first + place) : 0);
		}
	}
}

static int put(struct mch_program *p, const struct mch_step *step, int block, int n, struct mch_program_descriptor *item,
	       struct mch_err *err)
{
	const struct mch_param param = {.mac = step, .shift = step->shift, .seed = step->requant.seed};
	const uint64_t n_param = (uint64_t)mch_accel_param_words(&p->cfg);
	const uint64_t words = n_param + mch_descriptor_beats(&item->d, &p->cfg), cols = (uint64_t)p->cfg.cols;
	const uint64_t macs = (uint64_t)(step->conv.r * step->conv.s) * (uint64_t)(step->out_shape.h * step->out_shape.w);
	const int64_t address = mch_program_more(p, (uint64_t)n * words, err);
	if (address < 0)
		return -1;
	item->d.w_addr = (uint32_t)address;
	item->d.w_words = (uint32_t)((uint64_t)n * words);
	for (int i = 0; i < n; i++) {
		const uint64_t word = (uint64_t)address + (uint64_t)i * words;
		const int32_t *channel = p->tensor[step->out].channel + (block + i) * p->cfg.cols;
		mch_program_put_params(p, &param, channel, word);
		put_beats(p, step, channel, (word + n_param - p->image_addr) * cols);
		for (int j = 0; j < p->cfg.cols; j++)
			item->macs += channel[j] >= 0 ? macs : 0;
	}
	return 0;
}

int mch_program_emit_depthwise(struct mch_program *p, int index, struct mch_err *err)
{
	return mch_program_emit_own(p, index, &(struct mch_own_blocks){fill, put}, err);
}
