/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Groups of nodes that our writer has marked (onnx_mark.h), read as the one layer that each stands for. Host
 * only: no RTL twin. */
#ifndef MCH_IO_ONNX_GROUP_H
#define MCH_IO_ONNX_GROUP_H

#include "io/onnx_graph.h"

/* Fills in g->group_end. 0, or -1 with err. */
int mch_onnx_find_groups(struct mch_onnx_graph *g);

/* Node i belongs to a group: what operator it is does not matter. */
static inline bool mch_onnx_in_group(const struct mch_onnx_graph *g, size_t i)
{
	return g->group_end && g->group_end[i] > 0;
}

/* Node i of a group; at the last one of it the layer is appended. 0, or -1 with err. */
int mch_onnx_read_group(struct mch_onnx_graph *g, size_t i);

#endif
