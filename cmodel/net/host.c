/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Host steps, plain; see host.h. */
#include "net/host.h"

#include <stdlib.h>

#include "net/layer.h"

bool mch_host_is_map(const struct mch_layer *layer)
{
	return mch_layer_table[layer->kind].run_f32 == mch_run_map;
}

int32_t mch_host_code(struct mch_format format, float value, struct mch_events *events)
{
	bool saturated;
	const double real = (double)value;
	const int64_t code = mch_format_raw(format, real, MCH_ROUND_HALF_EVEN, &saturated);
	if (events) {
		events->n_out++;
		events->n_inexact += !saturated && mch_format_real(format, code) != real;
		events->n_sat_low += saturated && real < 0;
		events->n_sat_high += saturated && real >= 0;
	}
	return (int32_t)code;
}

/* One image at a time: few buffers, and no layer looks beyond its image. in[i] has room for input i. */
static void run_image(const struct mch_step *step, const struct mch_step_data *data, int image, float *const *in,
		      float *out, struct mch_events *events)
{
	for (int i = 0; i < step->n_in; i++) {
		const size_t elems = mch_shape_elems(step->in_shapes[i]);
		const int32_t *codes = data->x[i] + (size_t)image * elems;
		for (size_t j = 0; j < elems; j++)
			in[i][j] = (float)mch_format_real(step->in_formats[i], codes[j]); /* 17 bits: exact */
	}
	const struct mch_layer_run run = {step->layer, 1, step->in_shapes, step->out_shape, (const float *const *)in,
					  out};
	mch_layer_table[step->layer->kind].run_f32(&run);
	const size_t elems = mch_shape_elems(step->out_shape);
	for (size_t j = 0; j < elems; j++)
		data->y[(size_t)image * elems + j] = mch_host_code(step->out_format, out[j], events);
}

int mch_host_run(const struct mch_step *step, const struct mch_step_data *data, struct mch_events *events,
		 struct mch_err *err)
{
	float **in = calloc((size_t)step->n_in + 1, sizeof(*in));
	float *out = malloc(mch_shape_elems(step->out_shape) * sizeof(*out));
	bool has_all = in && out;
	for (int i = 0; in && i < step->n_in; i++) {
		in[i] = malloc(mch_shape_elems(step->in_shapes[i]) * sizeof(**in));
		has_all = has_all && in[i];
	}
	for (int image = 0; has_all && image < data->n; image++)
		run_image(step, data, image, in, out, events);
	for (int i = 0; in && i < step->n_in; i++)
		free(in[i]);
	free(in);
	free(out);
	return has_all ? 0 : mch_err_set(err, step->layer->name, "out of memory; use a machine with more");
}
