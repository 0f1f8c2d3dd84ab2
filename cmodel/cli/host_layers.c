/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Naming the host's layers; see host_layers.h. */
#include "cli/host_layers.h"

#include <stdio.h>

#include "net/layer.h"
#include "net/qnet.h"

json_t *mch_host_layers_json(const struct mch_net *net)
{
	json_t *list = json_array();
	for (int i = 0; list && i < net->n_layers; i++)
		if (mch_net_is_host_layer(net, i) &&
		    json_array_append_new(list, json_string(net->layers[i].name)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

void mch_host_layers_print(const struct mch_net *net)
{
	const char *before = "host        ";
	for (int i = 0; i < net->n_layers; i++) {
		if (!mch_net_is_host_layer(net, i))
			continue;
		printf("%s%s (%s)", before, net->layers[i].name, mch_layer_table[net->layers[i].kind].name);
		before = ", ";
	}
	if (before[0] == ',')
		printf(": in float, not in the RTL\n");
}
