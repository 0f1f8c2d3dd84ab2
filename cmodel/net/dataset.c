/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Labelled images; see dataset.h. */
#include "net/dataset.h"

#include <stdlib.h>
#include <string.h>

void mch_dataset_free(struct mch_dataset *data)
{
	free(data->pixels);
	free(data->labels);
	free(data->name);
	memset(data, 0, sizeof(*data));
}

void mch_dataset_f32(const struct mch_dataset *data, int first, int n, double scale, float *out)
{
	const size_t elems = mch_shape_elems(data->shape);
	const uint8_t *pixels = data->pixels + (size_t)first * elems;
	for (size_t i = 0; i < (size_t)n * elems; i++)
		out[i] = (float)(pixels[i] * scale);
}

void mch_dataset_raw(const struct mch_dataset *data, int first, int n, double scale, struct mch_format format,
		     int32_t *out)
{
	const size_t elems = mch_shape_elems(data->shape);
	const uint8_t *pixels = data->pixels + (size_t)first * elems;
	int32_t code[256];
	for (int v = 0; v < 256; v++)
		code[v] = (int32_t)mch_format_raw(format, v * scale, MCH_ROUND_HALF_EVEN, NULL);
	for (size_t i = 0; i < (size_t)n * elems; i++)
		out[i] = code[pixels[i]];
}

int mch_argmax_f32(const float *values, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}

int mch_argmax_raw(const int32_t *values, int n)
{
	int best = 0;
	for (int i = 1; i < n; i++)
		if (values[i] > values[best])
			best = i;
	return best;
}
