/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What training changes; see params.h. */
#include "train/params.h"

/* Every reader of layer i is a scale layer, and there is one. */
static bool is_scaled(const struct mch_net *net, int i)
{
	const int edge = net->layers[i].out[0];
	bool any = false;
	if (edge == net->output)
		return false;
	for (int j = i + 1; j < net->n_layers; j++)
		for (int in = 0; in < net->layers[j].n_in; in++) {
			if (net->layers[j].in[in] != edge)
				continue;
			if (net->layers[j].kind != MCH_SCALE)
				return false;
			any = true;
		}
	return any;
}

int mch_params_of(const struct mch_net *net, int i, struct mch_params pieces[MCH_PARAMS_MAX])
{
	const struct mch_layer *layer = &net->layers[i];
	int n = 0;
	if (!mch_layer_has_weights(layer) || (layer->kind == MCH_BATCH_NORM && is_scaled(net, i)))
		return 0;
	const size_t n_weights = layer->weights ? layer->n_weights : mch_layer_want_weights(layer);
	pieces[n++] = (struct mch_params){layer->weights, n_weights, mch_layer_is_mac(layer)};
	if (layer->n_bias)
		pieces[n++] = (struct mch_params){layer->bias, layer->n_bias, false};
	return n;
}

size_t mch_params_of_layer(const struct mch_net *net, int i)
{
	struct mch_params pieces[MCH_PARAMS_MAX];
	size_t n = 0;
	for (int j = mch_params_of(net, i, pieces) - 1; j >= 0; j--)
		n += pieces[j].n_elems;
	return n;
}

size_t mch_params_of_net(const struct mch_net *net)
{
	size_t n = 0;
	for (int i = 0; i < net->n_layers; i++)
		n += mch_params_of_layer(net, i);
	return n;
}
