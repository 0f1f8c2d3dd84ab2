/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The layers of an integer network that the host computes in float: named wherever its accuracy is told, so that
 * nobody looks for them in the RTL. */
#ifndef MCH_CLI_HOST_LAYERS_H
#define MCH_CLI_HOST_LAYERS_H

#include <jansson.h>

#include "net/net.h"

/* Names; empty when hardware can have all. NULL: a name is no UTF-8, or memory is short. */
json_t *mch_host_layers_json(const struct mch_net *net);

/* A line "host        norm1 (lrn), ..." on stdout; nothing when there are none. */
void mch_host_layers_print(const struct mch_net *net);

#endif
