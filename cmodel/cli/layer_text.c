/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What a layer is like, in a few words; see layer_text.h. */
#include "cli/layer_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io/real_text.h"

/* Appends; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) static void add(char buf[MCH_LAYER_TEXT], const char *text, ...)
{
	const size_t used = strlen(buf);
	va_list args;
	va_start(args, text);
	vsnprintf(buf + used, MCH_LAYER_TEXT - used, text, args);
	va_end(args);
}

/* As short as reads back the same, in the precision that it has. */
static void add_real(char buf[MCH_LAYER_TEXT], double value)
{
	char text[32];
	if (isinf(value))
		add(buf, "%sinfinity", value < 0 ? "-" : "");
	else
		add(buf, "%s", mch_real_text(value, text));
}

static void add_single(char buf[MCH_LAYER_TEXT], float value)
{
	char text[32];
	int digits = 1;
	/* The shortest decimal that reads back as the same float: 0.1, not the double that it is. */
	for (; digits < 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)value);
		double back = 0;
		if (!isfinite(value) || mch_real_parse(text, &back) != 0 || (float)back == value)
			break;
	}
	if (isfinite(value))
		add(buf, "%.*g", digits, (double)value);
	else
		add_real(buf, (double)value);
}

static void add_pair(char buf[MCH_LAYER_TEXT], const char *what, int h, int w, int ordinary)
{
	if (h != ordinary || w != ordinary)
		add(buf, h == w ? " %s %d" : " %s %dx%d", what, h, w);
}

static void window_text(char buf[MCH_LAYER_TEXT], const int kernel[2], const int stride[2], const int pad[4],
			const int dilation[2])
{
	add(buf, "%dx%d", kernel[0], kernel[1]);
	add_pair(buf, "stride", stride[0], stride[1], 1);
	const bool is_even = pad[0] == pad[1] && pad[0] == pad[2] && pad[0] == pad[3];
	if (pad[0] || !is_even)
		add(buf, is_even ? " pad %d" : " pad %d,%d,%d,%d", pad[0], pad[1], pad[2], pad[3]);
	add_pair(buf, "dilation", dilation[0], dilation[1], 1);
}

static void conv_text(char buf[MCH_LAYER_TEXT], const struct mch_layer *layer)
{
	const struct mch_conv *g = &layer->conv;
	window_text(buf, (const int[]){g->r, g->s}, (const int[]){g->stride_h, g->stride_w},
		    (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right},
		    (const int[]){g->dilation_h, g->dilation_w});
	if (g->groups > 1)
		add(buf, " groups %d", g->groups);
	if (layer->kind == MCH_DECONV)
		add_pair(buf, "more", layer->out_pad_h, layer->out_pad_w, 0);
}

static void pool_text(char buf[MCH_LAYER_TEXT], const struct mch_pool *g)
{
	window_text(buf, (const int[]){g->r, g->s}, (const int[]){g->stride_h, g->stride_w},
		    (const int[]){g->pad_top, g->pad_left, g->pad_bottom, g->pad_right},
		    (const int[]){g->dilation_h, g->dilation_w});
}

static void lrn_text(char buf[MCH_LAYER_TEXT], const struct mch_lrn *lrn)
{
	add(buf, lrn->is_within ? "%dx%d" : "size %d", lrn->size, lrn->size);
	add(buf, " alpha ");
	add_real(buf, lrn->alpha);
	add(buf, " beta ");
	add_real(buf, lrn->beta);
	if (!lrn->is_within && lrn->k != 1) {
		add(buf, " k ");
		add_real(buf, lrn->k);
	}
}

/* One axis of a gather. With a fill in front and behind, the rest is a range, or each row n times, or n rows apart.
 */
static void axis_text(char buf[MCH_LAYER_TEXT], int n_in, int n_out, const int *at)
{
	int first = 0, last = n_out - 1, repeats = 1, apart = 1;
	while (first < last && at[first] < 0)
		first++;
	while (last > first && at[last] < 0)
		last--;
	const int n = last - first + 1, begin = at[first];
	while (repeats < n && at[first + repeats] == begin)
		repeats++;
	while (apart < n && at[first + apart] < 0)
		apart++;
	const int step = repeats == 1 && apart == 1 && n > 1 ? at[first + 1] - begin : 1;
	bool is_regular = begin >= 0;
	for (int i = 0; is_regular && i < n; i++)
		is_regular = at[first + i] == (i % apart ? -1 : begin + i / apart / repeats * step);
	if (!is_regular) {
		add(buf, "picked");
		return;
	}
	if (repeats > 1)
		add(buf, " x%d", repeats);
	if (apart > 1)
		add(buf, " apart %d", apart);
	if (begin != 0 || at[last] != n_in - 1 || step != 1)
		add(buf, n == 1 ? " %d" : step == 1 ? " %d..%d" : " %d..%d step %d", begin, at[last], step);
	if (first != 0 || last != n_out - 1)
		add(buf, " pad %d,%d", first, n_out - 1 - last);
}

static void gather_text(char buf[MCH_LAYER_TEXT], const struct mch_gather *g, struct mch_shape in)
{
	char c[MCH_LAYER_TEXT] = "", h[MCH_LAYER_TEXT] = "", w[MCH_LAYER_TEXT] = "";
	axis_text(c, in.c, g->n_c, g->at);
	axis_text(h, in.h, g->n_h, g->at + g->n_c);
	axis_text(w, in.w, g->n_w, g->at + g->n_c + g->n_h);
	const bool is_square = h[0] && strcmp(h, w) == 0;
	if (c[0])
		add(buf, "c%s", c);
	if (h[0])
		add(buf, "%s%s%s", buf[0] ? ", " : "", is_square ? "hw" : "h", h);
	if (w[0] && !is_square)
		add(buf, "%sw%s", buf[0] ? ", " : "", w);
	if (g->fill != 0) {
		add(buf, " of ");
		add_single(buf, g->fill);
	}
}

static void sum_text(char buf[MCH_LAYER_TEXT], const struct mch_layer *layer)
{
	bool is_plain = true;
	for (int i = 0; layer->weights && i < layer->n_in; i++)
		is_plain = is_plain && layer->weights[i] == 1;
	for (int i = 0; !is_plain && i < layer->n_in; i++) {
		add(buf, i ? "," : "times ");
		add_single(buf, layer->weights[i]);
	}
}

static void clip_text(char buf[MCH_LAYER_TEXT], const struct mch_layer *layer)
{
	add_single(buf, layer->clip.low);
	add(buf, " to ");
	add_single(buf, layer->clip.high);
}

static void order_text(char buf[MCH_LAYER_TEXT], const int order[3])
{
	for (int i = 0; i < 3; i++)
		add(buf, "%c", "chw"[order[i]]);
}

void mch_layer_text(const struct mch_net *net, const struct mch_layer *layer, char buf[MCH_LAYER_TEXT])
{
	static const char *const axes[] = {"", "over channels", "over rows", "over columns"};
	buf[0] = '\0';
	switch (layer->kind) {
	case MCH_CONV:
	case MCH_DECONV:
		conv_text(buf, layer);
		break;
	case MCH_POOL_MAX:
	case MCH_POOL_AVG:
		pool_text(buf, &layer->pool);
		break;
	case MCH_CLIP:
		clip_text(buf, layer);
		break;
	case MCH_LEAKY_RELU:
		add(buf, "slope ");
		add_single(buf, (float)layer->slope);
		break;
	case MCH_LRN:
		lrn_text(buf, &layer->lrn);
		break;
	case MCH_BATCH_NORM:
		add(buf, "epsilon ");
		add_single(buf, (float)layer->norm.epsilon);
		break;
	case MCH_SUM:
		sum_text(buf, layer);
		break;
	case MCH_CONCAT:
		add(buf, "%s", axes[layer->axis]);
		break;
	case MCH_SLICE:
	case MCH_PAD:
	case MCH_UPSAMPLE:
		gather_text(buf, &layer->gather, net->edges[layer->in[0]].shape);
		break;
	case MCH_TRANSPOSE:
		order_text(buf, layer->order);
		break;
	default:
		break;
	}
}

void mch_shape_text(struct mch_shape s, char buf[48])
{
	if (s.h == 1 && s.w == 1)
		snprintf(buf, 48, "%d", s.c);
	else
		snprintf(buf, 48, "%dx%dx%d", s.c, s.h, s.w);
}

static void add_list(char buf[MCH_LAYER_TEXT], int n, const float *values)
{
	for (int i = 0; i < n; i++) {
		add(buf, i ? "," : "");
		add_single(buf, values[i]);
	}
}

void mch_transform_text(const struct mch_transform *t, int n_channels, char buf[MCH_LAYER_TEXT])
{
	buf[0] = '\0';
	const bool has_picture = t->mean_image || t->mean_file;
	if (t->n_mean || has_picture) {
		add(buf, "(pixel - ");
		if (has_picture)
			add(buf, t->mean_image ? "a mean picture" : "the mean picture %.100s, which is missing",
			    t->mean_file);
		else
			add_list(buf, t->n_mean, t->mean);
		add(buf, ")");
	} else {
		add(buf, "pixel");
	}
	add(buf, " * ");
	add_real(buf, t->scale);
	if (t->n_std) {
		add(buf, " / ");
		add_list(buf, t->n_std, t->std);
	}
	if (t->is_bgr && n_channels > 1)
		add(buf, ", blue first");
	if (t->is_cropped)
		add(buf, ", the centre");
	if (t->resize == MCH_RESIZE_WARP)
		add(buf, ", warped to %dx%d", t->height, t->width);
	else if (t->resize == MCH_RESIZE_SHORT)
		add(buf, ", the shorter side %d", t->height);
}
