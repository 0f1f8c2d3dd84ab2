/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How programs of the accelerator are made, what is refused, and what their interpreter does not let pass. */
#include <stdlib.h>
#include <string.h>

#include "arch/program.h"
#include "arch/program_run.h"
#include "check_main.h"
#include "random_graph.h"

static struct mch_net net;
static struct mch_quant quant;
static struct mch_qnet q;
static struct mch_rng rng;
static struct mch_err err;

static const struct mch_format s8_4 = {.bits = 8, .frac = 4, .is_signed = true};
static const struct mch_accel_config small = {.rows = 4,
					      .cols = 4,
					      .x_bits = 8,
					      .w_bits = 8,
					      .out_bits = 8,
					      .acc_bits = 24,
					      .round = MCH_ROUND_HALF_EVEN,
					      .mem_bits = 32,
					      .x_words = 256,
					      .w_words = 64};

static void begin(int c, int h, int w)
{
	mch_net_init(&net);
	rng = mch_rng_seed(5);
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

static int add_conv(int k, int kernel, int in)
{
	const int pad = kernel / 2;
	return add((struct mch_layer){.kind = MCH_CONV,
				      .conv = {.k = k,
					       .r = kernel,
					       .s = kernel,
					       .stride_h = 1,
					       .stride_w = 1,
					       .pad_top = pad,
					       .pad_left = pad,
					       .pad_bottom = pad,
					       .pad_right = pad,
					       .dilation_h = 1,
					       .dilation_w = 1,
					       .groups = 1}},
		   in);
}

static void build_net(void)
{
	ck_assert_int_eq(mch_quant_init(&quant, &net, &err), 0);
	quant.round = MCH_ROUND_HALF_EVEN;
	for (int e = 0; e < net.n_edges; e++)
		quant.edge[e] = s8_4;
	for (int i = 0; i < net.n_layers; i++)
		quant.layer[i].weights = (struct mch_format){.bits = 8, .frac = 6, .is_signed = true};
}

static void end(void)
{
	mch_qnet_free(&q);
	mch_quant_free(&quant);
	mch_net_free(&net);
}

/* A fire module: both expansions run into each other, its concatenation is made in place, and what is dead makes
 * room. */
START_TEST(fire)
{
	struct mch_program p, kept;
	begin(3, 8, 8);
	const int squeeze = add_conv(4, 1, add_conv(8, 3, net.input));
	const int a = add_conv(6, 1, squeeze), b = add_conv(8, 3, squeeze);
	const int joined = add_two((struct mch_layer){.kind = MCH_CONCAT, .axis = 1}, a, b);
	add_conv(5, 1, joined);
	build_net();
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_msg(mch_program_build(&p, &q, &small, NULL, &err) == 0, "%s", err.text);
	static const bool barrier[] = {false, true, true, false, true};
	ck_assert_int_eq(p.n_descriptors, 5);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(p.descriptor[i].d.barrier, barrier[i]);
	ck_assert_uint_eq(p.tensor[a].addr, p.tensor[joined].addr);
	ck_assert_uint_eq(p.tensor[b].addr, p.tensor[joined].addr + 2 * 64);
	ck_assert_int_eq(p.tensor[joined].blocks, 4);
	ck_assert_int_eq(p.tensor[joined].slot[5], 5);
	ck_assert_int_eq(p.tensor[joined].slot[6], 8);
	ck_assert_uint_eq(p.descriptor[4].d.x0_blocks, 4);
	ck_assert_int_eq(mch_program_build(&kept, &q, &small, &(struct mch_program_options){.keep = true}, &err), 0);
	ck_assert_uint_lt(p.image_addr, kept.image_addr);
	mch_program_free(&p);
	mch_program_free(&kept);
	/* TILES as asked for, and no fewer words than a strip needs. */
	const int tiles[] = {2, 0, 0, 5, 0, 0, 0};
	const struct mch_program_options options = {.tiles = tiles};
	ck_assert_msg(mch_program_build(&p, &q, &small, &options, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(p.descriptor[0].d.tiles, 2);
	ck_assert_uint_eq(p.descriptor[3].d.tiles, 5);
	mch_program_free(&p);
	end();
}
END_TEST

static void expect_refusal(const struct mch_accel_config *cfg, const char *want)
{
	struct mch_program p;
	ck_assert_msg(mch_qnet_build(&q, &net, &quant, &err) == 0, "%s", err.text);
	ck_assert_int_eq(mch_program_build(&p, &q, cfg, NULL, &err), -1);
	ck_assert_str_eq(err.text, want);
	ck_assert_ptr_null(p.tensor);
	mch_qnet_free(&q);
}

START_TEST(refusals)
{
	begin(2, 4, 4);
	const int first = add_conv(4, 3, net.input);
	int edge = add((struct mch_layer){.kind = MCH_SIGMOID}, first);
	edge = add_two((struct mch_layer){.kind = MCH_PROD}, edge, first);
	edge = add((struct mch_layer){.kind = MCH_CLIP, .clip = {0, 6}}, add_conv(4, 1, edge));
	const int last = add_two((struct mch_layer){.kind = MCH_SUM}, edge, first);
	build_net();
	quant.edge[first].frac = -3;
	expect_refusal(
	    &small,
	    "net: 4 host layers: layer1 (sigmoid), layer2 (product), layer3 (clip), layer5 (fractions too far "
	    "apart for W_BITS); replace them, or let the host compute between lists");
	quant.edge[first].frac = 4;
	quant.edge[last].bits = 9;
	struct mch_accel_config cfg = small;
	cfg.acc_bits = 10;
	expect_refusal(
	    &cfg, "net: 5 host layers: layer0 (sums wider than ACC_BITS), layer1 (sigmoid), layer2 (product), layer3 "
		  "(clip), layer5 (output wider than OUT_BITS); replace them, or let the host compute between lists");
	end();
	begin(9, 4, 4);
	add_conv(4, 3, add_conv(9, 3, net.input));
	build_net();
	cfg = small;
	cfg.x_words = 32;
	expect_refusal(&cfg,
		       "layer0: no strip of it fits the buffer: 84 words for one tile, 32; build a larger buffer");
	cfg.cols = 12;
	expect_refusal(&cfg,
		       "accelerator: 12 columns: a descriptor is a whole number of words; choose a power of two");
	cfg.cols = 4, cfg.x_words = 48;
	expect_refusal(&cfg, "accelerator: buffers of 48 and 64 words; choose powers of two from 2 to 32768");
	end();
}
END_TEST

/* The interpreter tells what hardware would not do. */
START_TEST(faults)
{
	struct mch_program p;
	begin(4, 8, 8);
	add_conv(4, 3, add_conv(4, 3, net.input));
	build_net();
	ck_assert_int_eq(mch_qnet_build(&q, &net, &quant, &err), 0);
	ck_assert_int_eq(mch_program_build(&p, &q, &small, &(struct mch_program_options){.layout = 1}, &err), 0);
	const size_t bytes = (size_t)p.n_words * mch_accel_word_bytes(&small);
	struct mch_accel_memory mem = {calloc(bytes, 1), p.n_words, calloc(p.n_words, 1)};
	mch_program_load(&p, mem.bytes);
	ck_assert_int_eq(mch_program_run(&small, p.part[0].list, &mem, NULL, &err), 0);
	struct mch_descriptor d = p.descriptor[0].d;
	d.w_words++;
	ck_assert_int_eq(mch_descriptor_run(&small, &d, &mem, NULL, &err), MCH_ERROR_WEIGHTS);
	ck_assert_str_eq(err.text, "descriptor: leaves weights unread; correct the program");
	d = p.descriptor[0].d;
	d.tiles = 0;
	ck_assert_int_eq(mch_descriptor_run(&small, &d, &mem, NULL, &err), MCH_ERROR_DESCRIPTOR);
	d = p.descriptor[0].d;
	d.reach -= d.in_w;
	ck_assert_int_ne(mch_program_tiles(&d, &small, 2, false), -1);
	ck_assert_int_eq(mch_descriptor_run(&small, &d, &mem, NULL, &err), -1);
	ck_assert_str_eq(err.text, "descriptor: reads beyond its strip; correct the program");
	struct mch_accel_config cfg = small;
	cfg.x_words = 16;
	ck_assert_int_eq(mch_descriptor_run(&cfg, &p.descriptor[0].d, &mem, NULL, &err), MCH_ERROR_STRIP);
	ck_assert_int_eq(mch_descriptor_run(&small, &p.descriptor[0].d, &mem, NULL, &err), 0);
	d = p.descriptor[1].d;
	d.barrier = 0;
	ck_assert_int_eq(mch_descriptor_run(&small, &d, &mem, NULL, &err), -1);
	ck_assert_str_eq(err.text, "descriptor: reads what is being written, without BARRIER; correct the program");
	free(mem.bytes);
	free(mem.unsettled);
	mch_program_free(&p);
	end();
}
END_TEST

/* Every field goes into memory and comes back. */
START_TEST(packing)
{
	rng = mch_rng_seed(9);
	for (int i = 0; i < 1000; i++) {
		uint8_t bytes[MCH_DESCRIPTOR_BYTES], again[MCH_DESCRIPTOR_BYTES];
		static const uint32_t used[MCH_DESCRIPTOR_WORDS] = MCH_DESCRIPTOR_USED;
		struct mch_descriptor d;
		for (int j = 0; j < MCH_DESCRIPTOR_BYTES; j++)
			bytes[j] = (uint8_t)(mch_rng_next(&rng) & used[j / 4] >> (8 * (j % 4)) & 0xff);
		mch_descriptor_unpack(bytes, &d);
		mch_descriptor_pack(&d, again);
		ck_assert_mem_eq(bytes, again, sizeof(bytes));
	}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {fire, refusals, faults, packing};
	return CHECK_SUITE("program_rules", tests);
}

int main(void)
{
	return check_main(suite);
}
