/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the driver does: images and tensors to memory and back, steps of the host; see program.h. */
#include <stdlib.h>
#include <string.h>

#include "arch/program.h"
#include "base/require.h"

void mch_program_load(const struct mch_program *p, uint8_t *mem)
{
	const size_t word_bytes = mch_accel_word_bytes(&p->cfg);
	if (p->n_words > p->image_addr)
		memcpy(mem + p->image_addr * word_bytes, p->image, (p->n_words - p->image_addr) * word_bytes);
}

/* Element `slot` of the blocks at pixel i, in elements of memory. */
static uint64_t slot_element(const struct mch_program *p, const struct mch_program_tensor *t, int slot, int i)
{
	const uint64_t cols = (uint64_t)p->cfg.cols, at = (uint64_t)slot, pixel = (uint64_t)(i / t->w * t->pitch + i % t->w);
	return (t->addr + at / cols * t->step + pixel) * cols + at % cols;
}

static uint64_t element(const struct mch_program *p, const struct mch_program_tensor *t, int k, int i)
{
	return slot_element(p, t, t->slot[k], i);
}

/* Nobody looks at elements without a channel; as 0 they are no noise in a comparison of memories. */
static void put_unused(const struct mch_program *p, const struct mch_program_tensor *t, uint8_t *mem)
{
	for (int slot = 0; slot < t->blocks * p->cfg.cols; slot++)
		for (int i = 0; t->channel[slot] < 0 && i < t->h * t->w; i++)
			mch_accel_put(mem, slot_element(p, t, slot, i), mch_accel_elem_bytes(&p->cfg), 0);
}

void mch_program_put(const struct mch_program *p, int edge, const int32_t *codes, uint8_t *mem)
{
	const struct mch_program_tensor *t = &p->tensor[edge];
	const int bytes = mch_accel_elem_bytes(&p->cfg), n_pixels = t->h * t->w;
	put_unused(p, t, mem);
	for (int k = 0; k < t->c; k++)
		for (int i = 0; i < n_pixels; i++)
			mch_accel_put_code(mem, element(p, t, k, i), bytes, t->format, *codes++);
}

void mch_program_get(const struct mch_program *p, int edge, const uint8_t *mem, int32_t *codes)
{
	const struct mch_program_tensor *t = &p->tensor[edge];
	const int bytes = mch_accel_elem_bytes(&p->cfg);
	MCH_REQUIRE(edge != p->q->input || p->layout == MCH_INPUT_PLAIN, "windows are not read back");
	for (int k = 0; k < t->c; k++)
		for (int i = 0; i < t->h * t->w; i++)
			*codes++ = mch_accel_get_code(mem, element(p, t, k, i), bytes, t->format);
}

void mch_program_put_input(const struct mch_program *p, const int32_t *codes, uint8_t *mem)
{
	const struct mch_program_tensor *t = &p->tensor[p->q->input];
	const struct mch_conv *g = &p->input_conv;
	const int bytes = mch_accel_elem_bytes(&p->cfg);
	if (p->layout == MCH_INPUT_PLAIN) {
		mch_program_put(p, p->q->input, codes, mem);
		return;
	}
	struct mch_conv row = *g; /* rows as they are: a window of one row */
	row.r = row.stride_h = row.dilation_h = 1;
	row.pad_top = row.pad_bottom = 0;
	const struct mch_conv *walk = p->layout == MCH_INPUT_ROW ? &row : g;
	put_unused(p, t, mem);
	for (int k = 0; k < t->c; k++) {
		const int c = k % g->c, s = k / g->c % g->s, r = k / g->c / g->s;
		for (int i = 0; i < t->h * t->w; i++) {
			const ptrdiff_t from = mch_conv_x_at(walk, 0, c, r, s, i / t->w, i % t->w);
			mch_accel_put_code(mem, element(p, t, k, i), bytes, t->format, from < 0 ? 0 : codes[from]);
		}
	}
}

int mch_program_host_step(const struct mch_program *p, int index, uint8_t *mem, struct mch_err *err)
{
	const struct mch_step *step = &p->q->steps[index];
	const size_t n_out = mch_step_out_elems(p->q, step), n_in = step->n_in ? (size_t)step->n_in : 1;
	int32_t **x = calloc(n_in, sizeof(*x)), *y = malloc(n_out * sizeof(*y));
	size_t most = n_out;
	bool has_room = x && y;
	for (int j = 0; has_room && j < step->n_in; j++) {
		const size_t n = mch_shape_elems(p->q->net->edges[step->ins[j]].shape);
		x[j] = malloc(n * sizeof(**x));
		has_room = x[j] != NULL;
		most = n > most ? n : most;
		if (has_room)
			mch_program_get(p, step->ins[j], mem, x[j]);
	}
	int64_t *acc = malloc(most * sizeof(*acc));
	const struct mch_step_data data = {1, (const int32_t *const *)x, acc, y};
	int status = has_room && acc ? mch_step_compute(step, &data, NULL, err)
				     : mch_err_set(err, step->layer->name, "out of memory; use a machine with more");
	if (status == 0)
		mch_program_put(p, step->out, y, mem);
	for (int j = 0; x && j < step->n_in; j++)
		free(x[j]);
	free(x);
	free(y);
	free(acc);
	return status;
}
