/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Where tensors lie: the layout of the input, blocks and slots, parts of concatenations, addresses; see
 * program_build.h. */
#include <stdlib.h>

#include "arch/program_build.h"
#include "base/require.h"

struct mch_conv mch_program_conv(const struct mch_qnet *q, const struct mch_step *step)
{
	struct mch_conv g = step->conv;
	const struct mch_shape in = q->net->edges[step->in].shape;
	if (step->layer->kind == MCH_DENSE) /* the kernel is the whole map */
		g.c = in.c, g.h = g.r = in.h, g.w = g.s = in.w;
	return g;
}

struct mch_conv mch_program_window(const struct mch_conv *conv, enum mch_input_layout layout)
{
	struct mch_conv g = *conv;
	if (layout == MCH_INPUT_PLAIN)
		return g;
	g.c = conv->s * conv->c, g.w = mch_conv_q(conv);
	g.s = g.stride_w = g.dilation_w = 1;
	g.pad_left = g.pad_right = 0;
	if (layout == MCH_INPUT_ROW)
		return g;
	g.c *= conv->r, g.h = mch_conv_p(conv);
	g.r = g.stride_h = g.dilation_h = 1;
	g.pad_top = g.pad_bottom = 0;
	return g;
}

/* Cycles of the first layer with the input laid out so: every word of the reduction takes the longer of its channels
 * and of ROWS fetches; or what loading the input takes. */
static uint64_t layout_cycles(const struct mch_program *p, const struct mch_conv *conv, enum mch_input_layout layout)
{
	const struct mch_conv g = mch_program_window(conv, layout);
	const uint64_t cols = (uint64_t)p->cfg.cols, rows = (uint64_t)p->cfg.rows, c = (uint64_t)g.c;
	const uint64_t blocks = (c + cols - 1) / cols, rest = c - (blocks - 1) * cols;
	const uint64_t tiles = ((uint64_t)mch_conv_p(conv) * (uint64_t)mch_conv_q(conv) + rows - 1) / rows;
	uint64_t tile = (blocks - 1) * (cols > rows ? cols : rows) + (rest > rows ? rest : rows);
	tile *= (uint64_t)g.r * (uint64_t)g.s;
	const uint64_t computing = tiles * (((uint64_t)g.k + cols - 1) / cols) * (tile > rows ? tile : rows + 1);
	const uint64_t loading = blocks * (uint64_t)g.h * (uint64_t)g.w;
	/* Words of a strip of one tile, wherever in a row it begins. One that does not fit is worse than any that
	 * does. */
	const uint64_t q = (uint64_t)mch_conv_q(conv), n_rows = (rows + q - 2) / q;
	const uint64_t high = n_rows * (uint64_t)g.stride_h + (uint64_t)((g.r - 1) * g.dilation_h + 1);
	const uint64_t words = blocks * (high < (uint64_t)g.h ? high : (uint64_t)g.h) * (uint64_t)g.w;
	return (computing > loading ? computing : loading) + (words > p->cfg.x_words ? UINT64_C(1) << 62 : 0);
}

static void choose_layout(struct mch_program *p)
{
	const struct mch_qnet *q = p->q;
	const struct mch_step *reader = NULL;
	int n_readers = q->output == q->input;
	uint64_t best = UINT64_MAX;
	p->layout = MCH_INPUT_PLAIN;
	for (int i = 0; i < q->n_steps; i++)
		for (int j = 0; j < q->steps[i].n_in; j++)
			if (q->steps[i].ins[j] == q->input) {
				reader = &q->steps[i];
				n_readers += mch_program_is_host(p, i) || reader->form != MCH_FORM_MAC ? 2 : 1;
			}
	if (n_readers != 1 || reader->conv.groups != 1)
		return;
	p->input_conv = mch_program_conv(q, reader);
	for (int layout = 0; layout < MCH_N_INPUT_LAYOUTS; layout++) {
		const uint64_t cycles = layout_cycles(p, &p->input_conv, (enum mch_input_layout)layout);
		if (p->options.layout ? p->options.layout == layout + 1 : cycles < best) {
			best = cycles;
			p->layout = (enum mch_input_layout)layout;
		}
	}
}

/* Slots as another tensor has them, from a block on; or one behind the other (like NULL). */
static void fill_slots(struct mch_program_tensor *t, int channel0, int block0, const struct mch_program_tensor *like,
		       int n, int cols)
{
	for (int k = 0; k < n; k++)
		t->slot[channel0 + k] = block0 * cols + (like ? like->slot[k] : k);
}

/* Slots of an edge from those of its step's inputs. */
static int fill_tensor(struct mch_program *p, int edge, const struct mch_step *step, bool is_host)
{
	struct mch_program_tensor *t = &p->tensor[edge];
	const int cols = p->cfg.cols;
	const struct mch_program_tensor *like = NULL;
	const bool is_depthwise = step && !is_host && mch_program_is_depthwise(p, (int)(step - p->q->steps));
	if (step && !is_host && step->form != MCH_FORM_CONCAT && (step->form != MCH_FORM_MAC || is_depthwise))
		like = &p->tensor[step->in];
	if (is_depthwise) {
		t->pitch = mch_program_pitch(p, (int)(step - p->q->steps));
		t->step = (uint32_t)(t->h * t->pitch);
	}
	t->slot = malloc((size_t)t->c * sizeof(*t->slot));
	t->blocks = like ? like->blocks : (t->c + cols - 1) / cols;
	if (!t->slot)
		return -1;
	if (step && !is_host && step->form == MCH_FORM_CONCAT) {
		t->blocks = 0;
		for (int j = 0, c = 0; j < step->n_in; c += step->in_shapes[j++].c) {
			const struct mch_program_tensor *x = &p->tensor[step->ins[j]];
			fill_slots(t, c, t->blocks, x, x->c, cols);
			t->blocks += x->blocks;
		}
	} else {
		fill_slots(t, 0, 0, like, t->c, cols);
	}
	t->channel = malloc((size_t)t->blocks * (size_t)cols * sizeof(*t->channel));
	if (!t->channel)
		return -1;
	for (int i = 0; i < t->blocks * cols; i++)
		t->channel[i] = -1;
	for (int k = 0; k < t->c; k++)
		t->channel[t->slot[k]] = k;
	return 0;
}

bool mch_program_in_place(const struct mch_program *p, const struct mch_step *step, int j)
{
	const struct mch_program_tensor *x = &p->tensor[step->ins[j]];
	int block = 0;
	for (int i = 0; i < j; i++)
		block += p->tensor[step->ins[i]].blocks;
	return x->parent == step->out && x->parent_block == block;
}

/* Which inputs of a concat can be made where it lies: of its format, not rounded, and of no other concat. */
static void adopt(struct mch_program *p, const struct mch_step *step)
{
	const struct mch_format y = step->out_format;
	for (int j = 0, block = 0; j < step->n_in; block += p->tensor[step->ins[j++]].blocks) {
		struct mch_program_tensor *x = &p->tensor[step->ins[j]];
		const struct mch_format f = step->in_formats[j];
		if (f.bits != y.bits || f.frac != y.frac || f.is_signed != y.is_signed || f.number != y.number ||
		    f.exp_bits != y.exp_bits || mch_program_relu(step) || x->parent >= 0 || x->edge == p->q->input || x->pitch != x->w)
			continue;
		x->parent = step->out;
		x->parent_block = block;
	}
}

static int root_of(const struct mch_program *p, int edge)
{
	while (p->tensor[edge].parent >= 0)
		edge = p->tensor[edge].parent;
	return edge;
}

static void use(struct mch_program *p, int edge, int step)
{
	struct mch_program_tensor *root = &p->tensor[root_of(p, edge)];
	root->first_use = step < root->first_use ? step : root->first_use;
	root->last_use = step > root->last_use ? step : root->last_use;
}

static uint64_t words_of(const struct mch_program_tensor *t)
{
	return (uint64_t)t->blocks * (uint64_t)t->h * (uint64_t)t->pitch;
}

static bool meet(const struct mch_program *p, const struct mch_program_tensor *a, const struct mch_program_tensor *b)
{
	return p->options.keep || (a->first_use <= b->last_use && b->first_use <= a->last_use);
}

/* The lowest address at which a whole tensor lies on none that lives with it and has an address. Those are
 * done[0..n-1]. */
static uint64_t first_fit(const struct mch_program *p, const struct mch_program_tensor *t, const int *done, int n)
{
	const uint64_t word_bits = 8U * mch_accel_word_bytes(&p->cfg), burst = 16U * (uint64_t)p->cfg.mem_bits;
	const uint64_t align = burst > word_bits ? burst / word_bits : 1;
	uint64_t at = 0;
	for (bool moved = true; moved;) {
		moved = false;
		for (int i = 0; i < n; i++) {
			const struct mch_program_tensor *other = &p->tensor[done[i]];
			const uint64_t end = other->addr + words_of(other);
			if (meet(p, t, other) && at < end && other->addr < at + words_of(t)) {
				at = (end + align - 1) / align * align;
				moved = true;
			}
		}
	}
	return at;
}

/* Addresses of wholes in the order of their edges, then of parts. */
static int allocate(struct mch_program *p, struct mch_err *err)
{
	int *done = malloc((size_t)p->n_tensors * sizeof(*done)), n = 0;
	uint64_t top = 0;
	if (!done)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	for (int e = 0; e < p->n_tensors; e++) {
		struct mch_program_tensor *t = &p->tensor[e];
		if (!t->is_used || t->parent >= 0)
			continue;
		const uint64_t at = first_fit(p, t, done, n), end = at + words_of(t);
		if (end >= UINT32_MAX) {
			free(done);
			return mch_err_set(err, "program", "tensors take more than 2^32 words; use smaller maps");
		}
		t->addr = (uint32_t)at;
		done[n++] = e;
		top = end > top ? end : top;
	}
	free(done);
	for (int e = 0; e < p->n_tensors; e++)
		for (int part = e; p->tensor[e].is_used && p->tensor[part].parent >= 0;
		     part = p->tensor[part].parent) {
			const struct mch_program_tensor *t = &p->tensor[part];
			const int root = root_of(p, e);
			if (part == e)
				p->tensor[e].addr = p->tensor[root].addr;
			p->tensor[e].addr += (uint32_t)t->parent_block * t->step;
		}
	p->image_addr = p->n_words = (uint32_t)top;
	return 0;
}

static void begin_tensor(struct mch_program *p, int edge, struct mch_format format, struct mch_shape shape)
{
	p->tensor[edge] = (struct mch_program_tensor){.edge = edge,
						      .format = format,
						      .c = shape.c,
						      .h = shape.h,
						      .w = shape.w,
						      .pitch = shape.w,
						      .step = (uint32_t)(shape.h * shape.w),
						      .is_used = true,
						      .parent = -1,
						      .first_use = INT32_MAX,
						      .last_use = -1};
}

int mch_program_place(struct mch_program *p, struct mch_err *err)
{
	const struct mch_qnet *q = p->q;
	struct mch_shape in = q->net->edges[q->input].shape;
	choose_layout(p);
	if (p->layout != MCH_INPUT_PLAIN) {
		const struct mch_conv g = mch_program_window(&p->input_conv, p->layout);
		in = (struct mch_shape){1, g.c, g.h, g.w};
	}
	begin_tensor(p, q->input, q->input_format, in);
	int status = fill_tensor(p, q->input, NULL, false);
	for (int i = 0; status == 0 && i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		const bool is_host = mch_program_is_host(p, i);
		begin_tensor(p, step->out, step->out_format, q->net->edges[step->out].shape);
		status = fill_tensor(p, step->out, step, is_host);
		if (status == 0 && step->form == MCH_FORM_CONCAT && !is_host)
			adopt(p, step);
	}
	if (status != 0)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	use(p, q->input, -1);
	use(p, q->output, q->n_steps);
	for (int i = 0; i < q->n_steps; i++) {
		use(p, q->steps[i].out, i);
		for (int j = 0; j < q->steps[i].n_in; j++)
			use(p, q->steps[i].ins[j], i);
	}
	return allocate(p, err);
}
