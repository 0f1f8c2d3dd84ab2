/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Accumulators of a quantized network: certificates, and the inputs that reach them. */
#ifndef MCH_CLI_CERTIFICATES_H
#define MCH_CLI_CERTIFICATES_H

#include <jansson.h>

#include "net/qnet.h"

/* A line for each layer that has weights. */
void mch_certificates_print(const struct mch_qnet *q);

/* The same as an array; NULL when a name is no UTF-8. */
json_t *mch_certificates_json(const struct mch_qnet *q);

/* "LAYER:FILE": two images of the layer's input go to the .npy file, the first of which reaches the low bound and the
 * second the high one. 0, or -1 with err. */
int mch_certificates_write(const struct mch_qnet *q, const char *layer_and_file, struct mch_err *err);

#endif
