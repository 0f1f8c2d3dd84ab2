/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Steps that hardware leaves to the host: codes to real numbers, the layer's plain float form, and back to codes,
 * half even. Host only: no RTL twin. Spec: docs/datapath.md "host". */
#ifndef MCH_NET_HOST_H
#define MCH_NET_HOST_H

#include "net/qnet.h"

/* n images, as mch_step_compute. 0, or -1 with err when memory is short. */
int mch_host_run(const struct mch_step *step, const struct mch_step_data *data, struct mch_events *events,
		 struct mch_err *err);

/* One value to its code, and what that lost; events may be NULL. */
int32_t mch_host_code(struct mch_format format, float value, struct mch_events *events);

/* The layer is a function of one value and its channel: mch_layer_map. */
bool mch_host_is_map(const struct mch_layer *layer);

#endif
