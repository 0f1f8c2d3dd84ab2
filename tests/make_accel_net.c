/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Writes the network of accel_fixture.h as files that the command reads: fixture.onnx, fixture.quant.json and a data
 * set of 12 images, into the folder given. */
#include <stdio.h>
#include <stdlib.h>

#include "accel_fixture.h"
#include "base/rng.h"
#include "io/net_read.h"
#include "io/onnx_write.h"
#include "io/quant_json.h"

enum { N = 12 };

static int die(const char *text)
{
	fprintf(stderr, "make_accel_net: %s\n", text);
	return 99;
}

static int put_data(const char *dir)
{
	static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, N, 0, 0, 0, 6, 0, 0, 0, 6};
	static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, N};
	char path[512];
	struct mch_rng rng = mch_rng_seed(5);
	snprintf(path, sizeof(path), "%s/t10k-images-idx3-ubyte", dir);
	FILE *stream = fopen(path, "wb");
	if (!stream)
		return -1;
	fwrite(images, 1, sizeof(images), stream);
	for (int i = 0; i < N * FIXTURE_PIXELS; i++)
		fputc(mch_rng_below(&rng, 3) ? (int)mch_rng_below(&rng, 256) : 255, stream);
	fclose(stream);
	snprintf(path, sizeof(path), "%s/t10k-labels-idx1-ubyte", dir);
	stream = fopen(path, "wb");
	if (!stream)
		return -1;
	fwrite(labels, 1, sizeof(labels), stream);
	for (int i = 0; i < N; i++)
		fputc(i % FIXTURE_CLASSES, stream);
	return fclose(stream);
}

int main(int argc, char **argv)
{
	struct mch_err err;
	struct mch_net net, read;
	struct mch_quant quant;
	char onnx[512], json[512];
	if (argc != 2 || put_data(argv[1]) != 0)
		return die("give a folder that can be written");
	snprintf(onnx, sizeof(onnx), "%s/fixture.onnx", argv[1]);
	snprintf(json, sizeof(json), "%s/fixture.quant.json", argv[1]);
	fixture_net(&net);
	net.transform.scale = 1.0 / 256;
	/* The formats are those of the network as it is read: a format of files may add layers. */
	if (mch_onnx_write(onnx, &net, &err) != 0 || mch_net_read(onnx, NULL, &read, NULL, &err) != 0)
		return die(err.text);
	fixture_quant(&quant, &read, MCH_ROUND_HALF_EVEN, 0);
	if (mch_quant_json_write(json, &read, &quant, NULL, &err) != 0)
		return die(err.text);
	mch_quant_free(&quant);
	mch_net_free(&read);
	mch_net_free(&net);
	return 0;
}
