/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats in tables; see format_text.h. */
#include "cli/format_text.h"

#include <stdio.h>
#include <string.h>

const char *mch_format_or_float(struct mch_format format, char *buf)
{
	return format.bits ? mch_format_text(format, buf) : "float";
}

const char *mch_weights_text(const struct mch_layer_quant *layer, char *buf)
{
	int most = layer->weights.frac;
	for (int k = 0; k < layer->n_channels; k++)
		most = layer->channel_frac[k] > most ? layer->channel_frac[k] : most;
	mch_format_text(layer->weights, buf);
	const size_t used = strlen(buf);
	if (layer->channel_frac)
		snprintf(buf + used, MCH_FORMAT_TEXT - used, "..%d", most);
	return buf;
}
