/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Constants of an accelerator, in the order in which the headers show them; see accel_config.h. */
#include "io/accel_config.h"

#include <stdio.h>
#include <string.h>

#include "arch/gemm.h"
#include "io/accel_vector.h"
#include "net/layer.h"

/* The columns of the layer table. */
enum field {
	NAME, KIND, SOURCE,
	C, H, W, K, R, S, STRIDE_H, STRIDE_W, PAD_TOP, PAD_LEFT, PAD_BOTTOM, PAD_RIGHT, DILATION_H, DILATION_W,
	GROUPS, P, Q, TERMS, CEIL_MODE, COUNT_PAD,
	X_BITS, X_FRAC, X_SIGNED, W_BITS, W_FRAC, ACC_BITS, ACC_FRAC, ACC_SAT, CERTIFICATE_BITS, BIAS_BITS,
	RELU, SHIFT_MIN, SHIFT_MAX, Y_BITS, Y_FRAC, Y_SIGNED,
	TILES, BEATS, CYCLES, MACS,
	WEIGHTS_DEPTH, WEIGHTS_FILE, BIAS_DEPTH, BIAS_FILE, SHIFT_DEPTH, SHIFT_FILE,
	N_FIELDS
};

static const struct mch_accel_field fields[N_FIELDS] = {
	[NAME] = {"NAME", MCH_ACCEL_TEXT, "as in the network"},
	[KIND] = {"KIND", MCH_ACCEL_INT, "one of MCH_KIND_*"},
	[SOURCE] = {"SOURCE", MCH_ACCEL_INT, "layer whose output is read, -1: the images"},
	[C] = {"C", MCH_ACCEL_INT, "input channels"},
	[H] = {"H", MCH_ACCEL_INT, "input rows"},
	[W] = {"W", MCH_ACCEL_INT, "input columns"},
	[K] = {"K", MCH_ACCEL_INT, "output channels"},
	[R] = {"R", MCH_ACCEL_INT, "kernel rows"},
	[S] = {"S", MCH_ACCEL_INT, "kernel columns"},
	[STRIDE_H] = {"STRIDE_H", MCH_ACCEL_INT, "rows a step"},
	[STRIDE_W] = {"STRIDE_W", MCH_ACCEL_INT, "columns a step"},
	[PAD_TOP] = {"PAD_TOP", MCH_ACCEL_INT, "rows of zeros above"},
	[PAD_LEFT] = {"PAD_LEFT", MCH_ACCEL_INT, "columns of zeros on the left"},
	[PAD_BOTTOM] = {"PAD_BOTTOM", MCH_ACCEL_INT, "rows of zeros below"},
	[PAD_RIGHT] = {"PAD_RIGHT", MCH_ACCEL_INT, "columns of zeros on the right"},
	[DILATION_H] = {"DILATION_H", MCH_ACCEL_INT, "rows between kernel rows"},
	[DILATION_W] = {"DILATION_W", MCH_ACCEL_INT, "columns between kernel columns"},
	[GROUPS] = {"GROUPS", MCH_ACCEL_INT, "of channels"},
	[P] = {"P", MCH_ACCEL_INT, "output rows"},
	[Q] = {"Q", MCH_ACCEL_INT, "output columns"},
	[TERMS] = {"TERMS", MCH_ACCEL_INT, "products in one output, 0: not on the array"},
	[CEIL_MODE] = {"CEIL_MODE", MCH_ACCEL_INT, "pool: output size rounds up"},
	[COUNT_PAD] = {"COUNT_PAD", MCH_ACCEL_INT, "mean pool: padding counts"},
	[X_BITS] = {"X_BITS", MCH_ACCEL_INT, "input codes"},
	[X_FRAC] = {"X_FRAC", MCH_ACCEL_INT, "value = code * 2^-frac"},
	[X_SIGNED] = {"X_SIGNED", MCH_ACCEL_INT, "1: two's complement"},
	[W_BITS] = {"W_BITS", MCH_ACCEL_INT, "weight codes, two's complement"},
	[W_FRAC] = {"W_FRAC", MCH_ACCEL_INT, "value = code * 2^-frac; channel k: shift[k] - SHIFT_MIN more"},
	[ACC_BITS] = {"ACC_BITS", MCH_ACCEL_INT, "accumulator"},
	[ACC_FRAC] = {"ACC_FRAC", MCH_ACCEL_INT, "also of the bias; channel k: shift[k] - SHIFT_MIN more"},
	[ACC_SAT] = {"ACC_SAT", MCH_ACCEL_INT, "0: wraps, 1: saturates"},
	[CERTIFICATE_BITS] = {"CERTIFICATE_BITS", MCH_ACCEL_INT, "no input can need more"},
	[BIAS_BITS] = {"BIAS_BITS", MCH_ACCEL_INT, "bias words, two's complement"},
	[RELU] = {"RELU", MCH_ACCEL_INT, "1: before the shift"},
	[SHIFT_MIN] = {"SHIFT_MIN", MCH_ACCEL_INT, "over output channels"},
	[SHIFT_MAX] = {"SHIFT_MAX", MCH_ACCEL_INT, "over output channels"},
	[Y_BITS] = {"Y_BITS", MCH_ACCEL_INT, "output codes"},
	[Y_FRAC] = {"Y_FRAC", MCH_ACCEL_INT, "value = code * 2^-frac"},
	[Y_SIGNED] = {"Y_SIGNED", MCH_ACCEL_INT, "1: two's complement"},
	[TILES] = {"TILES", MCH_ACCEL_WIDE, "of the array, one image"},
	[BEATS] = {"BEATS", MCH_ACCEL_WIDE, "tiles * terms"},
	[CYCLES] = {"CYCLES", MCH_ACCEL_WIDE, "tiles * max(terms, rows + 1): no stalls"},
	[MACS] = {"MACS", MCH_ACCEL_WIDE, "multiply-accumulates, one image"},
	[WEIGHTS_DEPTH] = {"WEIGHTS_DEPTH", MCH_ACCEL_INT, "words of W_BITS, order [k][term]"},
	[WEIGHTS_FILE] = {"WEIGHTS_FILE", MCH_ACCEL_TEXT, "memory image"},
	[BIAS_DEPTH] = {"BIAS_DEPTH", MCH_ACCEL_INT, "words of BIAS_BITS, order [k]"},
	[BIAS_FILE] = {"BIAS_FILE", MCH_ACCEL_TEXT, "memory image"},
	[SHIFT_DEPTH] = {"SHIFT_DEPTH", MCH_ACCEL_INT, "words of SHIFT_CODE_BITS, order [k]"},
	[SHIFT_FILE] = {"SHIFT_FILE", MCH_ACCEL_TEXT, "memory image"},
};

int mch_accel_bits(const int64_t *values, size_t n)
{
	int bits = 2;
	for (size_t i = 0; i < n; i++)
		while (bits < 64 && (values[i] < -(INT64_C(1) << (bits - 1)) ||
				     values[i] >= INT64_C(1) << (bits - 1)))
			bits++;
	return bits;
}

/* Geometry of both kinds of step in the one form; terms are 0 off the array. */
static struct mch_conv geometry(const struct mch_step *step)
{
	if (mch_accel_on_array(step))
		return step->conv;
	const struct mch_pool *p = &step->pool;
	struct mch_conv g = {1, p->c, p->h, p->w, p->c, p->r, p->s, p->stride_h, p->stride_w, p->pad_top, p->pad_left,
			     p->pad_bottom, p->pad_right, p->dilation_h, p->dilation_w, p->c};
	if (step->layer->kind == MCH_RELU) /* it has no window */
		g.r = g.s = g.stride_h = g.stride_w = g.dilation_h = g.dilation_w = 1;
	return g;
}

static void fill_geometry(const struct mch_step *step, struct mch_accel_value *v)
{
	const struct mch_conv g = geometry(step);
	const bool is_pool = step->layer->kind == MCH_POOL_MAX || step->layer->kind == MCH_POOL_AVG;
	const int number[] = {g.c, g.h, g.w, g.k, g.r, g.s, g.stride_h, g.stride_w, g.pad_top, g.pad_left,
			      g.pad_bottom, g.pad_right, g.dilation_h, g.dilation_w, g.groups};
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		v[C + i] = mch_accel_value_int(number[i]);
	v[P] = mch_accel_value_int(is_pool ? mch_pool_p(&step->pool) : mch_conv_p(&g));
	v[Q] = mch_accel_value_int(is_pool ? mch_pool_q(&step->pool) : mch_conv_q(&g));
	v[TERMS] = mch_accel_value_int(mch_accel_on_array(step) ? (int64_t)mch_conv_terms(&g) : 0);
	v[CEIL_MODE] = mch_accel_value_int(is_pool && step->pool.ceil_mode);
	v[COUNT_PAD] = mch_accel_value_int(is_pool && step->pool.count_include_pad);
}

static void fill_formats(const struct mch_step *step, struct mch_accel_value *v)
{
	const bool on_array = mch_accel_on_array(step);
	const size_t n_shifts = on_array ? (size_t)step->conv.k : 1;
	int low = step->shift[0], high = step->shift[0];
	for (size_t k = 0; k < n_shifts; k++) {
		low = step->shift[k] < low ? step->shift[k] : low;
		high = step->shift[k] > high ? step->shift[k] : high;
	}
	v[X_BITS] = mch_accel_value_int(step->in_format.bits);
	v[X_FRAC] = mch_accel_value_int(step->in_format.frac);
	v[X_SIGNED] = mch_accel_value_int(step->in_format.is_signed);
	v[W_BITS] = mch_accel_value_int(on_array ? mch_step_operand(step).bits : 0);
	v[W_FRAC] = mch_accel_value_int(on_array ? mch_step_operand(step).frac : 0);
	v[ACC_BITS] = mch_accel_value_int(on_array ? step->acc.bits : 0);
	v[ACC_FRAC] = mch_accel_value_int(on_array ? step->in_format.frac + mch_step_operand(step).frac : 0);
	v[ACC_SAT] = mch_accel_value_int(on_array ? (int)step->acc.overflow : 0);
	v[CERTIFICATE_BITS] = mch_accel_value_int(on_array ? mch_step_certificate(step).bits : 0);
	v[BIAS_BITS] = mch_accel_value_int(on_array ? mch_accel_bits(step->bias, n_shifts) : 0);
	v[RELU] = mch_accel_value_int(step->requant.relu);
	v[SHIFT_MIN] = mch_accel_value_int(low);
	v[SHIFT_MAX] = mch_accel_value_int(high);
	v[Y_BITS] = mch_accel_value_int(step->out_format.bits);
	v[Y_FRAC] = mch_accel_value_int(step->out_format.frac);
	v[Y_SIGNED] = mch_accel_value_int(step->out_format.is_signed);
}

static void fill_cost(const struct mch_step *step, const struct mch_accel_array *array, struct mch_accel_value *v)
{
	uint64_t tiles = 0, beats = 0, cycles = 0, macs = 0;
	if (mch_accel_on_array(step)) {
		const struct mch_gemm plan = mch_gemm_plan(&step->conv, array->rows, array->cols);
		tiles = plan.n_tiles;
		beats = plan.n_beats;
		cycles = plan.n_cycles;
		macs = (uint64_t)plan.n_pixels * (uint64_t)step->conv.k * mch_conv_terms(&step->conv);
	}
	v[TILES] = mch_accel_value_wide(tiles);
	v[BEATS] = mch_accel_value_wide(beats);
	v[CYCLES] = mch_accel_value_wide(cycles);
	v[MACS] = mch_accel_value_wide(macs);
}

static void fill_files(const struct mch_step *step, const char *stem, struct mch_accel_value *v)
{
	static const char *const ending[] = {"weights", "bias", "shift"};
	const bool on_array = mch_accel_on_array(step);
	const size_t k = on_array ? (size_t)step->conv.k : 0;
	const size_t depth[] = {on_array ? k * mch_conv_terms(&step->conv) : 0, k, k};
	for (int i = 0; i < 3; i++) {
		char file[MCH_ACCEL_TEXT_MAX] = "";
		if (on_array)
			snprintf(file, sizeof(file), "%.96s.%s.mem", stem, ending[i]);
		v[WEIGHTS_DEPTH + 2 * i] = mch_accel_value_int((int64_t)depth[i]);
		v[WEIGHTS_FILE + 2 * i] = mch_accel_value_text(file);
	}
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

/* Index of the step that writes an edge, -1 for the net's input. */
static int source(const struct mch_qnet *q, int edge)
{
	for (int i = 0; i < q->n_steps; i++)
		if (q->steps[i].out == edge)
			return i;
	return -1;
}

/* One array has one accumulator. A layer whose width is at least its certificate's computes the same in any wider
 * one; a layer that may overflow needs exactly its own width and its own way to overflow. */
static int choose_acc(const struct mch_qnet *q, struct mch_acc *acc, struct mch_err *err)
{
	*acc = (struct mch_acc){2, MCH_WRAP};
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		if (!mch_accel_on_array(step))
			continue;
		acc->bits = step->acc.bits > acc->bits ? step->acc.bits : acc->bits;
		if (step->acc.overflow == MCH_SATURATE)
			acc->overflow = MCH_SATURATE;
	}
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		if (!mch_accel_on_array(step) || mch_step_certificate(step).bits <= step->acc.bits)
			continue;
		if (step->acc.bits != acc->bits || step->acc.overflow != acc->overflow)
			return mch_err_set(err, step->layer->name,
					   "its accumulator of %d bits can overflow, and the array's has %d bits "
					   "(%s) for the other layers; give all layers one width and one overflow",
					   step->acc.bits, acc->bits, acc->overflow ? "saturating" : "wrapping");
	}
	return 0;
}

/* The array and the tables know convolutions, pools and lone ReLUs, one behind another. */
static bool is_known(const struct mch_step *step)
{
	return !step->requant.is_clipped && (step->form == MCH_FORM_MAC || step->form == MCH_FORM_POOL_MAX ||
					     step->form == MCH_FORM_POOL_AVG || step->form == MCH_FORM_REQUANT);
}

static int check_steps(const struct mch_qnet *q, struct mch_err *err)
{
	char names[320] = "";
	int n = 0;
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		const size_t used = strlen(names);
		if (is_known(step))
			continue;
		if (used < sizeof(names) - 80)
			snprintf(names + used, sizeof(names) - used, "%s%.48s (%s)", n ? ", " : "", step->layer->name,
				 step->clip ? "clip behind it" : mch_layer_table[step->layer->kind].name);
		else if (names[used - 1] != '.')
			snprintf(names + used, sizeof(names) - used, ", ...");
		n++;
	}
	if (n == 0)
		return 0;
	return mch_err_set(err, q->net->name ? q->net->name : "network",
			   "%d layer%s not in the accelerator yet: %s; export a network of conv, dense, pool and "
			   "ReLU layers, "
			   "`macchiato eval --quant` runs this one",
			   n, n > 1 ? "s are" : " is", names);
}

/* Codes of the array are fixed point. Weights of another kind may have integers that are such codes, as powers of two have. */
static int check_numbers(const struct mch_qnet *q, struct mch_err *err)
{
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		const struct mch_format *other = step->in_format.number != MCH_FIXED    ? &step->in_format
						 : step->out_format.number != MCH_FIXED ? &step->out_format
						 : step->is_wide                        ? &step->weight_format
											: NULL;
		char text[24];
		if (other)
			return mch_err_set(err, step->layer->name,
					   "has numbers of the format %s, which are not for an export of layers; give --program, or "
					   "export fixed point, with weights of powers of two if you like",
					   mch_format_text(*other, text));
	}
	return 0;
}

static int check_sizes(const struct mch_qnet *q, const struct mch_accel_array *array, struct mch_err *err)
{
	if (array->rows < 1 || array->rows > MCH_ACCEL_SIDE_MAX || array->cols < 1 ||
	    array->cols > MCH_ACCEL_SIDE_MAX)
		return mch_err_set(err, "array", "%dx%d: rows and columns are 1 to %d; choose such a size",
				   array->rows, array->cols, MCH_ACCEL_SIDE_MAX);
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		const int acc_frac = step->in_format.frac + mch_step_operand(step).frac;
		if (!mch_accel_on_array(step))
			continue;
		if (step->layer->n_weights > INT32_MAX)
			return mch_err_set(err, step->layer->name,
					   "has %zu weights, a memory image at most 2^31 - 1 words; split the layer",
					   step->layer->n_weights);
		const size_t terms = mch_conv_terms(&step->conv);
		const size_t most = mch_accel_terms_max(step->in_format.bits, mch_step_operand(step).bits);
		if (terms > most)
			return mch_err_set(err, step->layer->name,
					   "has %zu terms, vectors of these widths hold %zu; split the layer", terms,
					   most);
		if (acc_frac < -MCH_FRAC_LIMIT || acc_frac > MCH_FRAC_LIMIT)
			return mch_err_set(err, step->layer->name,
					   "x * w has %d fraction bits, -%d to %d can be had; scale its weights",
					   acc_frac, MCH_FRAC_LIMIT, MCH_FRAC_LIMIT);
	}
	return 0;
}

/* The widest operand of each kind that the array meets. */
struct widths {
	int x, w, y, bias;
};

static struct widths widest(const struct mch_qnet *q)
{
	struct widths bits = {1, 1, 1, 2};
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *s = &q->steps[i];
		if (!mch_accel_on_array(s))
			continue;
		bits.x = larger(bits.x, s->in_format.bits);
		bits.w = larger(bits.w, mch_step_operand(s).bits);
		bits.y = larger(bits.y, s->out_format.bits);
		bits.bias = larger(bits.bias, mch_accel_bits(s->bias, (size_t)s->conv.k));
	}
	return bits;
}

static int add_network(const struct mch_qnet *q, const struct mch_accel_array *array, int n_images,
		       struct mch_accel_table *t, struct mch_err *err)
{
	struct mch_acc acc;
	if (choose_acc(q, &acc, err) != 0)
		return -1;
	const struct widths bits = widest(q);
	const int last = source(q, q->output);
	const struct mch_format out_format = last < 0 ? q->input_format : q->steps[last].out_format;
	const struct mch_shape in = q->net->edges[q->input].shape, out = q->net->edges[q->output].shape;
	const struct mch_requant *r = &q->steps[0].requant; /* every step has the net's mode and seed */
	const struct {
		const char *name;
		int64_t value;
		const char *comment;
	} rows[] = {
		{"CONFIG_VERSION", MCH_ACCEL_VERSION, "of the exported folder"},
		{"ROWS", array->rows, "of the array: output pixels"},
		{"COLS", array->cols, "of the array: output channels"},
		{"X_BITS", bits.x, "widest activation code"},
		{"W_BITS", bits.w, "widest weight code"},
		{"ACC_BITS", acc.bits, "no layer needs more"},
		{"ACC_SAT", acc.overflow, "0: wraps, 1: saturates"},
		{"BIAS_BITS", bits.bias, "widest bias"},
		{"OUT_BITS", bits.y, "widest output code"},
		{"SHIFT_CODE_BITS", MCH_ACCEL_SHIFT_CODE_BITS, "a shift is stored as shift + SHIFT_CODE_ZERO"},
		{"SHIFT_CODE_ZERO", -MCH_SHIFT_MIN, "the code of shift 0"},
		{"ROUND", r->round, "0 floor 1 half_up 2 half_away 3 half_even 4 stochastic"},
		{"OUT_WRAP", r->wraps, "0: outputs saturate, 1: they wrap"},
		{"KIND_CONV", MCH_CONV, "values of MCH_*_KIND"},
		{"KIND_DENSE", MCH_DENSE, "conv of C channels of 1x1"},
		{"KIND_RELU", MCH_RELU, "alone; others have it fused"},
		{"KIND_POOL_MAX", MCH_POOL_MAX, "host"},
		{"KIND_POOL_AVG", MCH_POOL_AVG, "host"},
		{"INPUT_C", in.c, "channels of an image"},
		{"INPUT_H", in.h, "rows of an image"},
		{"INPUT_W", in.w, "columns of an image"},
		{"INPUT_BITS", q->input_format.bits, "codes of images.mem"},
		{"INPUT_FRAC", q->input_format.frac, "value = code * 2^-frac"},
		{"INPUT_SIGNED", q->input_format.is_signed, "1: two's complement"},
		{"N_CLASSES", out.c * out.h * out.w, "outputs"},
		{"OUTPUT_BITS", out_format.bits, "codes of logits.mem"},
		{"OUTPUT_FRAC", out_format.frac, "value = code * 2^-frac"},
		{"OUTPUT_SIGNED", out_format.is_signed, "1: two's complement"},
		{"OUTPUT_SOURCE", last, "layer that writes the outputs"},
		{"N_IMAGES", n_images, "in images.mem, labels.mem, logits.mem"},
		{"N_LAYERS", q->n_steps, "below, in order"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mch_accel_table_int(t, rows[i].name, rows[i].value, rows[i].comment, err) != 0)
			return -1;
	return mch_accel_table_wide(t, "SEED", r->seed, "of stochastic rounding", err);
}

int mch_accel_config(const struct mch_qnet *q, const struct mch_accel_array *array, int n_images,
		     struct mch_accel_table *table, char (*stems)[MCH_ACCEL_TEXT_MAX], struct mch_err *err)
{
	mch_accel_table_init(table, fields, N_FIELDS);
	if (check_steps(q, err) != 0 || check_numbers(q, err) != 0 || check_sizes(q, array, err) != 0 ||
	    add_network(q, array, n_images, table, err) != 0)
		return -1;
	for (int i = 0; i < q->n_steps; i++) {
		const struct mch_step *step = &q->steps[i];
		struct mch_accel_value values[N_FIELDS];
		mch_accel_table_stem(table, step->layer->name, stems[i]);
		values[NAME] = mch_accel_value_text(step->layer->name);
		values[KIND] = mch_accel_value_int(step->layer->kind);
		values[SOURCE] = mch_accel_value_int(source(q, step->in));
		fill_geometry(step, values);
		fill_formats(step, values);
		fill_cost(step, array, values);
		fill_files(step, stems[i], values);
		if (mch_accel_table_layer(table, stems[i], values, err) != 0)
			return -1;
	}
	return 0;
}
