/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A step of the network becomes convolutions and pools; see program_build.h. */
#include "arch/program_build.h"

/* A diagonal of 1x1, from tensors to a tensor of as many channels. */
static struct mch_job diagonal(const struct mch_program *p, int index, const struct mch_program_tensor *x,
			       const struct mch_program_tensor *y)
{
	const struct mch_step *step = &p->q->steps[index];
	const int unit = mch_program_unit(&p->cfg);
	return (struct mch_job){.step = index,
				.x = {x, NULL},
				.y = y,
				.window = {1, x->c, x->h, x->w, y->c, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1},
				.p = x->h,
				.q = x->w,
				.diagonal = {INT64_C(1) << unit, INT64_C(1) << unit},
				.shift = step->shift,
				.shift_is_one = true,
				.shift_more = unit,
				.seed = step->requant.seed,
				.relu = mch_program_relu(step)};
}

static int emit_mac(struct mch_program *p, int index, struct mch_err *err)
{
	const struct mch_step *step = &p->q->steps[index];
	if (mch_program_is_depthwise(p, index))
		return mch_program_emit_depthwise(p, index, err);
	const struct mch_conv conv = mch_program_conv(p->q, step);
	struct mch_job job = {.step = index,
			      .x = {&p->tensor[step->in], NULL},
			      .y = &p->tensor[step->out],
			      .p = mch_conv_p(&conv),
			      .q = mch_conv_q(&conv),
			      .conv = &conv,
			      .layout = step->in == p->q->input ? p->layout : MCH_INPUT_PLAIN,
			      .mac = step,
			      .shift = step->shift,
			      .seed = step->requant.seed,
			      .relu = mch_program_relu(step)};
	job.window = mch_program_window(&conv, job.layout);
	return mch_program_emit_job(p, &job, err);
}

static int emit_sum(struct mch_program *p, int index, struct mch_err *err)
{
	const struct mch_step *step = &p->q->steps[index];
	struct mch_job job = diagonal(p, index, &p->tensor[step->in], &p->tensor[step->out]);
	for (int i = 0; i < step->n_in; i++) {
		job.x[i] = &p->tensor[step->ins[i]];
		job.diagonal[i] *= mch_eltwise_term(&step->eltwise_in[i], 1);
	}
	return mch_program_emit_job(p, &job, err);
}

/* The inputs that were not made in place. */
static int emit_concat(struct mch_program *p, int index, struct mch_err *err)
{
	const struct mch_step *step = &p->q->steps[index];
	for (int j = 0, block = 0, c = 0; j < step->n_in;
	     block += p->tensor[step->ins[j]].blocks, c += step->in_shapes[j].c, j++) {
		const struct mch_program_tensor *x = &p->tensor[step->ins[j]];
		struct mch_program_tensor y = *x;
		if (mch_program_in_place(p, step, j))
			continue;
		y.format = step->out_format;
		y.step = p->tensor[step->out].step;
		y.pitch = p->tensor[step->out].pitch;
		y.addr = p->tensor[step->out].addr + (uint32_t)block * y.step;
		struct mch_job job = diagonal(p, index, x, &y);
		job.shift = &step->shift[j];
		job.noise0 = c;
		if (mch_program_emit_job(p, &job, err) != 0)
			return -1;
	}
	return 0;
}

void mch_program_set_rows(struct mch_descriptor *d, const struct mch_program_tensor *x, int h, int r, int stride_h, int dilation_h,
			  int pad_top)
{
	d->row_step = (uint32_t)(stride_h * x->pitch);
	d->tap_step = (uint32_t)(dilation_h * x->pitch);
	d->pad_words = (uint32_t)(pad_top * x->pitch);
	d->map_words = (uint32_t)(h * x->pitch);
	d->reach = (uint32_t)(((r - 1) * dilation_h + 1) * x->pitch);
}

static void fill_pool(const struct mch_program *p, const struct mch_step *step, int block, int n,
		      struct mch_descriptor *d)
{
	const struct mch_pool *g = &step->pool;
	const struct mch_program_tensor *x = &p->tensor[step->in], *y = &p->tensor[step->out];
	const int n_p = mch_pool_p(g), n_q = mch_pool_q(g);
	*d = (struct mch_descriptor){.op = step->form == MCH_FORM_POOL_MAX ? MCH_OP_MAX : MCH_OP_MEAN,
				     .x0_signed = x->format.is_signed,
				     .y_signed = y->format.is_signed,
				     .y_bits = (uint32_t)y->format.bits,
				     .x0_addr = x->addr + (uint32_t)block * x->step,
				     .x_step = x->step,
				     .x0_blocks = (uint32_t)n,
				     .x0_last = (uint32_t)p->cfg.cols,
				     .in_w = (uint32_t)g->w,
				     .out_q = (uint32_t)n_q,
				     .kernel_r = (uint32_t)g->r,
				     .kernel_s = (uint32_t)g->s,
				     .y_blocks = (uint32_t)n,
				     .stride_w = (uint32_t)g->stride_w,
				     .dilation_w = (uint32_t)g->dilation_w,
				     .pad_left = (uint32_t)g->pad_left,
				     .pixels = (uint32_t)(n_p * n_q),
				     .q_end = (uint32_t)(n_q * g->stride_w),
				     .y_addr = y->addr + (uint32_t)block * y->step,
				     .y_step = y->step};
	mch_program_set_rows(d, x, g->h, g->r, g->stride_h, g->dilation_h, g->pad_top);
	if (d->op != MCH_OP_MEAN)
		return;
	d->count_pad = g->count_include_pad;
	d->count_words = (uint32_t)((g->h + (g->count_include_pad ? g->pad_bottom : 0)) * x->pitch);
	d->count_w = (uint32_t)(g->w + (g->count_include_pad ? g->pad_right : 0));
}

static int put_pool(struct mch_program *p, const struct mch_step *step, int block, int n, struct mch_program_descriptor *item,
		    struct mch_err *err)
{
	const int8_t shift = (int8_t)(16 + step->avg.shift); /* 1..32 */
	const struct mch_param param = {.shift = &shift, .shift_is_one = true, .seed = step->requant.seed};
	const uint32_t n_param = (uint32_t)mch_accel_param_words(&p->cfg);
	if (item->d.op != MCH_OP_MEAN)
		return 0;
	item->d.w_words = (uint32_t)n * n_param;
	const int64_t address = mch_program_more(p, item->d.w_words, err);
	if (address < 0)
		return -1;
	item->d.w_addr = (uint32_t)address;
	for (int i = 0; i < n; i++)
		mch_program_put_params(p, &param, p->tensor[step->out].channel + (block + i) * p->cfg.cols,
				       item->d.w_addr + (uint32_t)i * n_param);
	return 0;
}

int mch_program_emit_own(struct mch_program *p, int index, const struct mch_own_blocks *own, struct mch_err *err)
{
	const struct mch_step *step = &p->q->steps[index];
	const int blocks = p->tensor[step->out].blocks;
	const uint32_t tiles = p->options.tiles ? (uint32_t)p->options.tiles[index] : 0;
	int n = blocks;
	for (int block = 0; block < blocks;) {
		struct mch_program_descriptor item = {.step = index};
		n = n < blocks - block ? n : blocks - block;
		own->fill(p, step, block, n, &item.d);
		struct mch_descriptor fit = item.d;
		if (mch_program_tiles(&fit, &p->cfg, tiles, false) != 0) {
			if (n == 1)
				return mch_program_no_fit(p, index, &item.d, err);
			n = (n + 1) / 2;
			continue;
		}
		if (own->put(p, step, block, n, &item, err) != 0 || mch_program_append(p, &item, false, err) != 0)
			return -1;
		block += n;
	}
	return 0;
}

static int emit_pool(struct mch_program *p, int index, struct mch_err *err)
{
	return mch_program_emit_own(p, index, &(struct mch_own_blocks){fill_pool, put_pool}, err);
}

/* A mean of minifloats: a sum of the window, whose count is a power of two and so moves the point. */
static int emit_mean(struct mch_program *p, int index, struct mch_err *err)
{
	const struct mch_step *step = &p->q->steps[index];
	const struct mch_pool *g = &step->pool;
	struct mch_job job = diagonal(p, index, &p->tensor[step->in], &p->tensor[step->out]);
	job.window = (struct mch_conv){1, g->c, g->h, g->w, g->c, g->r, g->s, g->stride_h, g->stride_w, g->pad_top, g->pad_left,
				       g->pad_bottom, g->pad_right, g->dilation_h, g->dilation_w, 1};
	job.p = mch_pool_p(g);
	job.q = mch_pool_q(g);
	job.shift_more += mch_program_mean_log2(g);
	job.relu = false;
	return mch_program_emit_job(p, &job, err);
}

int mch_program_step(struct mch_program *p, int step, struct mch_err *err)
{
	switch (p->q->steps[step].form) {
	case MCH_FORM_MAC:
		return emit_mac(p, step, err);
	case MCH_FORM_POOL_AVG:
		return mch_accel_is_minifloat(&p->cfg) ? emit_mean(p, step, err) : emit_pool(p, step, err);
	case MCH_FORM_POOL_MAX:
		return emit_pool(p, step, err);
	case MCH_FORM_CONCAT:
		return emit_concat(p, step, err);
	default: /* a sum, or a lone ReLU: a sum of one, whose weight is 1 */
		if (p->q->steps[step].form == MCH_FORM_ELTWISE)
			return emit_sum(p, step, err);
		const struct mch_job job =
		    diagonal(p, step, &p->tensor[p->q->steps[step].in], &p->tensor[p->q->steps[step].out]);
		return mch_program_emit_job(p, &job, err);
	}
}
