/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What becomes of a graph in integers: which layers are steps, what is fused and what is an alias, where the
 * integers end, what the host computes, what is refused; and formats for any graph. */
#include "net/qnet.h"

#include <math.h>
#include <string.h>

#include "check_main.h"
#include "io/accel_config.h"
#include "policy_of.h"
#include "quant/formats.h"
#include "random_graph.h"

static struct mch_net net;
static struct mch_quant quant;
static struct mch_qnet q;
static struct mch_rng rng;
static struct mch_err err;

static void begin(int c, int h, int w)
{
	mch_net_init(&net);
	rng = mch_rng_seed(7);
	net.name = strdup("net");
	net.input = mch_net_add_edge(&net, "data", (struct mch_shape){1, c, h, w}, &err);
}

static int add(struct mch_layer like, int in)
{
	return append_graph_layer(&net, &like, 1, &in, &rng);
}

static int add_two(struct mch_layer like, int a, int b)
{
	const int in[2] = {a, b};
	return append_graph_layer(&net, &like, 2, in, &rng);
}

static int add_conv(int k, int in)
{
	const struct mch_layer like = {.kind = MCH_CONV,
				       .conv = {.k = k,
						.r = 1,
						.s = 1,
						.stride_h = 1,
						.stride_w = 1,
						.dilation_h = 1,
						.dilation_w = 1,
						.groups = 1}};
	return add(like, in);
}

/* Every tensor in one format, all weights in another. */
static int build(struct mch_format format)
{
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	for (int e = 0; e < net.n_edges; e++)
		quant.edge[e] = format;
	for (int i = 0; i < net.n_layers; i++)
		quant.layer[i].weights = (struct mch_format){.bits = 8, .frac = 6, .is_signed = true};
	return mch_qnet_build(&q, &net, &quant, &err);
}

static void end(void)
{
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

static const struct mch_format s8_4 = {.bits = 8, .frac = 4, .is_signed = true};

/* conv - ReLU6 - conv: the clip is fused, its bound a code; a branch keeps it apart. */
START_TEST(clips_are_fused)
{
	for (int has_branch = 0; has_branch < 2; has_branch++) {
		begin(2, 3, 3);
		const int conv = add_conv(4, net.input);
		int edge = add((struct mch_layer){.kind = MCH_CLIP, .clip = {0, 6}}, conv);
		if (has_branch)
			edge = add_two((struct mch_layer){.kind = MCH_PROD}, edge, conv);
		add_conv(3, edge);
		ck_assert_msg(build(s8_4) == 0, "%s", err.text);
		ck_assert_int_eq(q.n_steps, has_branch ? 4 : 2);
		const struct mch_step *step = &q.steps[has_branch];
		ck_assert_int_eq(step->clip, !has_branch);
		ck_assert_int_eq(step->form, has_branch ? MCH_FORM_REQUANT : MCH_FORM_MAC);
		ck_assert(step->requant.is_clipped);
		ck_assert_int_eq(step->requant.clip_low, 0);
		ck_assert_int_eq(step->requant.clip_high, 96);
		end();
	}
}
END_TEST

/* A flatten is a step only where a reader depends on the shape. */
START_TEST(shapes_that_matter)
{
	begin(3, 2, 2);
	int flat = add((struct mch_layer){.kind = MCH_FLATTEN}, net.input);
	add((struct mch_layer){.kind = MCH_DENSE, .conv = {.k = 4}}, flat);
	ck_assert_int_eq(build(s8_4), 0);
	ck_assert_int_eq(q.n_steps, 1);
	ck_assert_int_eq(q.steps[0].in, net.input);
	end();
	begin(3, 2, 2);
	flat = add((struct mch_layer){.kind = MCH_FLATTEN}, net.input);
	add_conv(4, flat);
	ck_assert_int_eq(build(s8_4), 0);
	ck_assert_int_eq(q.n_steps, 2);
	ck_assert_int_eq(q.steps[0].form, MCH_FORM_MOVE);
	end();
}
END_TEST

/* Softmaxes and identities at the end are the host's, with no step; one that is read inside the net is a step. */
START_TEST(where_integers_end)
{
	begin(2, 1, 1);
	const int conv = add_conv(4, net.input);
	const int soft = add((struct mch_layer){.kind = MCH_SOFTMAX}, conv);
	add((struct mch_layer){.kind = MCH_FLATTEN}, soft);
	bool is_tail[3];
	ck_assert_int_eq(mch_net_integer_end(&net, is_tail), conv);
	ck_assert(!is_tail[0] && is_tail[1] && is_tail[2]);
	ck_assert(!mch_net_is_host_layer(&net, 1));
	ck_assert_int_eq(build(s8_4), 0);
	ck_assert_int_eq(q.n_steps, 1);
	ck_assert_int_eq(q.output, conv);
	end();
	begin(2, 1, 1);
	add_conv(4, add((struct mch_layer){.kind = MCH_SOFTMAX}, net.input));
	ck_assert(mch_net_is_host_layer(&net, 0));
	ck_assert_int_eq(build(s8_4), 0);
	ck_assert_int_eq(q.steps[0].form, MCH_FORM_HOST);
	end();
}
END_TEST

/* 1 / (1 + e^-x) of every code of s8.4, to s8.7: half even, saturated at 127. */
START_TEST(a_host_step)
{
	begin(1, 16, 16);
	add((struct mch_layer){.kind = MCH_SIGMOID}, net.input);
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	quant.edge[net.input] = s8_4;
	quant.edge[net.output] = (struct mch_format){.bits = 8, .frac = 7, .is_signed = true};
	ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, &err), 0);
	int32_t x[256], y[256];
	struct mch_events events = {0};
	uint64_t n_sat = 0;
	for (int i = 0; i < 256; i++)
		x[i] = i - 128;
	ck_assert_int_eq(mch_qnet_run(&q, 1, x, y, NULL, &events, &err), 0);
	for (int i = 0; i < 256; i++) {
		const double want = nearbyint(128 / (1 + exp(-x[i] / 16.0)));
		ck_assert_int_eq(y[i], want > 127 ? 127 : (int)want);
		n_sat += want > 127;
	}
	ck_assert_uint_eq(events.n_out, 256);
	ck_assert_uint_eq(events.n_sat_high, n_sat);
	ck_assert_uint_gt(n_sat, 0);
	end();
}
END_TEST

/* Coefficients +-2^e are shifts; any other makes the sum a host step, as a third factor does a product. */
START_TEST(forms_of_joins)
{
	float power[3] = {1, -0.5F, 4}, other[3] = {1, 0.3F, 1}, zero[3] = {1, 0, 1};
	struct mch_layer layer = {.kind = MCH_SUM, .n_in = 3, .weights = power, .n_weights = 3};
	ck_assert_int_eq(mch_layer_form(&layer), MCH_FORM_ELTWISE);
	layer.weights = other;
	ck_assert_int_eq(mch_layer_form(&layer), MCH_FORM_HOST);
	layer.weights = zero;
	ck_assert_int_eq(mch_layer_form(&layer), MCH_FORM_HOST);
	layer = (struct mch_layer){.kind = MCH_PROD, .n_in = 3};
	ck_assert_int_eq(mch_layer_form(&layer), MCH_FORM_HOST);
	layer.n_in = 2;
	ck_assert_int_eq(mch_layer_form(&layer), MCH_FORM_ELTWISE);
}
END_TEST

static void expect_error(const char *want)
{
	ck_assert_int_eq(build(s8_4), -1);
	ck_assert_str_eq(err.text, want);
	end();
}

START_TEST(refusals)
{
	begin(2, 4, 4);
	struct mch_layer up = {.kind = MCH_DECONV, .conv = {.k = 2, .r = 2, .s = 2, .stride_h = 2, .stride_w = 2,
							    .dilation_h = 1, .dilation_w = 1, .groups = 1}};
	add(up, add(up, net.input));
	expect_error("net: 2 layers are without an integer form: layer0 (deconv), layer1 (deconv); replace them, or "
		     "cut the network "
		     "there");
	begin(2, 4, 4);
	const int other = mch_net_add_edge(&net, "more", (struct mch_shape){1, 2, 4, 4}, &err);
	add_two((struct mch_layer){.kind = MCH_SUM}, net.input, other);
	expect_error("net: has 2 inputs, the integer form one; cut the network into parts");
	begin(2, 4, 4);
	add((struct mch_layer){.kind = MCH_TRANSPOSE, .order = {0, 2, 1}}, net.input);
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	quant.edge[0] = s8_4;
	quant.edge[1] = (struct mch_format){.bits = 8, .frac = 5, .is_signed = true};
	ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, &err), -1);
	ck_assert_str_eq(err.text, "net: layer layer0: formats x s8.4, w -, y s8.5: codes pass this layer unchanged, "
				   "so its output has "
				   "the format of its input; correct the quantization");
	end();
	begin(2, 4, 4);
	add_two((struct mch_layer){.kind = MCH_CONCAT, .axis = 1}, net.input, add_conv(2, net.input));
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	quant.edge[0] = (struct mch_format){.bits = 8, .frac = -12, .is_signed = true};
	quant.edge[1] = quant.edge[2] = s8_4;
	quant.layer[0].weights = (struct mch_format){.bits = 8, .frac = 7, .is_signed = true};
	ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, &err), -1);
	ck_assert_str_eq(err.text, "net: layer layer1: formats x s8.-12, w -, y s8.4 ask for a shift of -16, outside "
				   "-15..48; choose a "
				   "fraction of y nearer to that of x");
	end();
}
END_TEST

/* Ranges of a graph as they are for one random image, some tensors far smaller or larger than others. */
static void measure(struct mch_ranges *ranges, struct mch_range *edge, struct mch_range *layer, float **value)
{
	const size_t elems = mch_shape_elems(net.edges[net.input].shape);
	float *x = malloc(elems * sizeof(*x));
	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < elems; i++)
		x[i] = (float)(mch_rng_real(&rng) - 0.3);
	for (int e = 0; e < net.n_edges; e++)
		value[e] = calloc(mch_shape_elems(net.edges[e].shape), sizeof(**value));
	ck_assert_int_eq(mch_net_run_f32(&net, 1, x, value, &err), 0);
	for (int e = 0; e < net.n_edges; e++) {
		const float scale = mch_rng_below(&rng, 4) ? 1 : (float)ldexp(1, (int)mch_rng_below(&rng, 60) - 30);
		edge[e] = (struct mch_range){.sample = value[e], .n_sample = mch_shape_elems(net.edges[e].shape)};
		for (size_t i = 0; i < edge[e].n_sample; i++)
			value[e][i] *= scale;
		mch_range_add(&edge[e], value[e], edge[e].n_sample);
		mch_range_finish(&edge[e]);
	}
	for (int i = 0; i < net.n_layers; i++) {
		layer[i] = (struct mch_range){.sample = net.layers[i].weights, .n_sample = net.layers[i].n_weights};
		if (net.layers[i].weights)
			mch_range_add(&layer[i], net.layers[i].weights, net.layers[i].n_weights);
		mch_range_finish(&layer[i]);
	}
	*ranges = (struct mch_ranges){.n_edges = net.n_edges, .n_layers = net.n_layers, .n_images = 1, .edge = edge,
				      .layer = layer};
	free(x);
}

/* Whatever the ranges are, the formats that are chosen can be built, in every width. */
START_TEST(formats_always_build)
{
	enum { MAX = 64 };
	static struct mch_range edge[MAX], layer[MAX];
	for (uint64_t seed = 1; seed <= 300; seed++) {
		float *value[MAX];
		struct mch_ranges ranges;
		struct mch_formats f;
		struct mch_widths widths;
		rng = mch_rng_seed(seed);
		random_graph(&rng, &net);
		ck_assert_int_le(net.n_edges, MAX);
		measure(&ranges, edge, layer, value);
		ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, policy_of((enum mch_fraction)(seed % 2)), &err),
				 0);
		ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
		ck_assert_int_eq(mch_widths_init(&widths, &net, &err), 0);
		for (int i = 0; i < 6; i++) {
			const int width[MCH_N_PARTS] = {1 + (int)mch_rng_below(&rng, 16),
							1 + (int)mch_rng_below(&rng, 16),
							1 + (int)mch_rng_below(&rng, 16)};
			mch_formats_widths(&f, width, &widths);
			ck_assert_int_eq(mch_formats_apply(&f, &widths, &quant, NULL), 0);
			ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "seed %llu, widths %d %d %d: %s",
				      (unsigned long long)seed, width[0], width[1], width[2], err.text);
			mch_qnet_free(&q);
		}
		mch_widths_free(&widths);
		mch_formats_free(&f);
		for (int e = 0; e < net.n_edges; e++)
			free(value[e]);
		mch_quant_free(&quant);
		mch_net_free(&net);
	}
}
END_TEST

/* Two convs that a concat alone reads are made in its format; an input that a conv reads, too, keeps its own. */
START_TEST(concats_share_a_format)
{
	enum { MAX = 8 };
	static struct mch_range edge[MAX], layer[MAX];
	float *value[MAX];
	struct mch_ranges ranges;
	struct mch_formats f;
	struct mch_widths widths;
	begin(2, 3, 3);
	const int a = add_conv(2, net.input), b = add_conv(3, net.input), shared = add_conv(2, net.input);
	const int in[3] = {a, b, shared};
	const int concat = append_graph_layer(&net, &(struct mch_layer){.kind = MCH_CONCAT, .axis = 1}, 3, in, &rng);
	const int other = add_conv(2, shared);
	add_conv(2, concat);
	measure(&ranges, edge, layer, value);
	static const double top[MAX] = {1, 0.9, 3.5, 100, 3.5, 1, 1, 1};
	for (int e = 0; e < net.n_edges; e++)
		edge[e].min = -top[e], edge[e].max = top[e];
	edge[concat].min = -100, edge[concat].max = 100;
	ck_assert_int_eq(mch_formats_init(&f, &net, &ranges, policy_of(MCH_FRACTION_MAX), &err), 0);
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	ck_assert_int_eq(mch_widths_init(&widths, &net, &err), 0);
	mch_formats_widths(&f, (int[]){8, 8, 8}, &widths);
	ck_assert_int_eq(mch_formats_apply(&f, &widths, &quant, NULL), 0);
	mch_widths_free(&widths);
	ck_assert_int_eq(quant.edge[a].frac, quant.edge[concat].frac);
	ck_assert_int_eq(quant.edge[b].frac, quant.edge[concat].frac);
	ck_assert_int_eq(quant.edge[concat].frac, 0);
	ck_assert_int_eq(quant.edge[shared].frac,
			 mch_fraction_max((struct mch_format){.bits = 8, .is_signed = true}, edge[shared].min,
					  edge[shared].max));
	ck_assert_int_ne(quant.edge[other].bits, 0);
	mch_formats_free(&f);
	for (int e = 0; e < net.n_edges; e++)
		free(value[e]);
	mch_quant_free(&quant);
	mch_net_free(&net);
}
END_TEST

/* What the accelerator lacks is named, all of it, before anything is written. */
START_TEST(export_refuses)
{
	begin(2, 3, 3);
	const int conv = add_conv(2, net.input);
	const int clip = add((struct mch_layer){.kind = MCH_CLIP, .clip = {0, 6}}, conv);
	const int sum = add_two((struct mch_layer){.kind = MCH_MAX}, clip, net.input);
	add((struct mch_layer){.kind = MCH_TANH}, sum);
	ck_assert_msg(build(s8_4) == 0, "%s", err.text);
	const struct mch_accel_array array = {4, 4};
	struct mch_accel_table table;
	char stems[3][MCH_ACCEL_TEXT_MAX];
	ck_assert_int_eq(mch_accel_config(&q, &array, 0, &table, stems, &err), -1);
	ck_assert_str_eq(err.text,
			 "net: 3 layers are not in the accelerator yet: layer0 (clip behind it), layer2 (maximum), "
			 "layer3 (tanh); export a network of conv, dense, pool and ReLU layers, `macchiato eval "
			 "--quant` runs this one");
	mch_accel_table_free(&table);
	end();
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {clips_are_fused,	    shapes_that_matter,	   where_integers_end,
				      a_host_step,	    forms_of_joins, export_refuses,	   refusals,
				      formats_always_build, concats_share_a_format};
	return CHECK_SUITE("qnet", tests);
}

int main(void)
{
	return check_main(suite);
}
