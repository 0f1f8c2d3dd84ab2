/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* make_onnx_kinds FOLDER: writes a network for every kind of layer as ONNX, two input images and what the plain
 * float form makes of them (NAME.onnx, NAME.in, NAME.out: floats in the machine's order), for
 * scripts/check-onnxruntime. make_onnx_kinds NET WEIGHTS N IN OUT: runs N images of IN through a network; WEIGHTS
 * may be "-". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "io/net_read.h"
#include "io/onnx_write.h"
#include "kind_nets.h"
#include "onnx_text.h"

enum { N_IMAGES = 2 };

static void fail(const char *text)
{
	fprintf(stderr, "make_onnx_kinds: %s\n", text);
	exit(2);
}

static void write_floats(const char *path, const float *values, size_t n)
{
	FILE *to = fopen(path, "wb");
	if (!to || fwrite(values, sizeof(*values), n, to) != n || fclose(to) != 0)
		fail(path);
}

static float *floats(size_t n)
{
	float *values = malloc(n * sizeof(*values));
	if (!values)
		fail("out of memory");
	return values;
}

static float *run(const struct mch_net *net, int n, const float *input, size_t *n_out)
{
	struct mch_err err = {""};
	float **values = calloc((size_t)net->n_edges + 1, sizeof(*values));
	*n_out = (size_t)n * mch_shape_elems(net->edges[net->output].shape);
	float *output = floats(*n_out);
	if (!values)
		fail("out of memory");
	values[net->output] = output;
	if (mch_net_run_f32(net, n, input, values, &err) != 0)
		fail(err.text);
	free(values);
	return output;
}

static void make_kind(const char *folder, int i)
{
	struct mch_net net;
	struct mch_err err = {""};
	struct mch_rng rng = mch_rng_seed(3);
	char path[512];
	size_t n_out;
	kind_nets_make(i, &net);
	const size_t n_in = N_IMAGES * mch_shape_elems(net.edges[net.input].shape);
	float *input = floats(n_in);
	for (size_t j = 0; j < n_in; j++)
		input[j] = (float)(4 * mch_rng_real(&rng) - 2);
	snprintf(path, sizeof(path), "%s/%s.onnx", folder, kind_nets_name(i));
	if (mch_onnx_write(path, &net, &err) != 0)
		fail(err.text);
	float *output = run(&net, N_IMAGES, input, &n_out);
	snprintf(path, sizeof(path), "%s/%s.in", folder, kind_nets_name(i));
	write_floats(path, input, n_in);
	snprintf(path, sizeof(path), "%s/%s.out", folder, kind_nets_name(i));
	write_floats(path, output, n_out);
	free(input);
	free(output);
	mch_net_free(&net);
}

static void run_file(char **argv)
{
	struct mch_net net;
	struct mch_err err = {""};
	const int n = atoi(argv[3]);
	if (n < 1 || mch_net_read(argv[1], strcmp(argv[2], "-") ? argv[2] : NULL, &net, NULL, &err) != 0)
		fail(err.text);
	const size_t n_in = (size_t)n * mch_shape_elems(net.edges[net.input].shape);
	float *input = floats(n_in);
	FILE *from = fopen(argv[4], "rb");
	if (!from || fread(input, sizeof(*input), n_in, from) != n_in)
		fail(argv[4]);
	fclose(from);
	size_t n_out;
	float *output = run(&net, n, input, &n_out);
	write_floats(argv[5], output, n_out);
	free(input);
	free(output);
	mch_net_free(&net);
}

/* A quantized model: of its scales one is no power of two. */
static void write_quantized(const char *path)
{
	size_t n;
	uint8_t *bytes = onnx_text_model(
		"in x Nx1x2x2; f sx - = 0.0625; t int8 z - = 0; f sw - = 0.5; t int8 w 1x1x1x1 = 3; f sy - = 0.1;"
		"QuantizeLinear x sx z -> xq; DequantizeLinear xq sx z -> xd; DequantizeLinear w sw z -> wd;"
		"Conv xd wd -> c; QuantizeLinear c sy z -> cq; DequantizeLinear cq sy z -> y; out y",
		&n);
	FILE *to = fopen(path, "wb");
	if (!to || fwrite(bytes, 1, n, to) != n || fclose(to) != 0)
		fail(path);
	free(bytes);
}

int main(int argc, char **argv)
{
	if (argc == 6)
		run_file(argv);
	else if (argc == 3 && strcmp(argv[1], "--quantized") == 0)
		write_quantized(argv[2]);
	else if (argc == 2)
		for (int i = 0; i < kind_nets_count(); i++)
			make_kind(argv[1], i);
	else
		fail("give a folder, --quantized FILE, or NET WEIGHTS N IN OUT");
	return 0;
}
