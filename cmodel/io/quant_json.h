/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Formats of a network as a text file, NET.quant.json: stable order, a line for each tensor and each layer, made to
 * be diffed and reviewed. Host only: no RTL twin.
 *
 *   "format"    "macchiato quant 1"
 *   "network", "net_hash"   whose formats these are (mch_hash_net)
 *   "round", "seed"         of every requantizer
 *   "weight_round"          of weights, when it is not half_even
 *   "overflow"              of outputs, when it is wrap, not saturate
 *   "widths"    bits of each part: conv_weights, fc_weights, activations; 0 when the network has no such part
 *   "accuracy"  float and exact (percent top-1), images, error_margin (percentage points); null when not measured
 *   "tensors"   name and format, "s8.4"; "float" for one that only the host computes
 *   "layers"    of each conv and dense: weights' format, acc (bits; 0: as the certificate), certificate; where the channels'
 *               weights have fractions of their own, channel_frac: a list of them, whose smallest is in the weights' format
 *   "search"    what the search, or the tuning, wrote down for its reader; not interpreted */
#ifndef MCH_IO_QUANT_JSON_H
#define MCH_IO_QUANT_JSON_H

#include <jansson.h>

#include "net/quant.h"

/* Writes path whole or not at all ("-": the standard output); the hash is that of net. search may be NULL. 0, or -1
 * with err. */
int mch_quant_json_write(const char *path, const struct mch_net *net, const struct mch_quant *quant,
			 const json_t *search, struct mch_err *err);

/* Reads the formats of net; quant is initialised here. Refuses unknown keys, formats out of range, missing or strange
 * names, and the file of another network. *search, when search is not NULL, is a new reference, or NULL when the file
 * has none. 0, or -1 with err; then quant is empty. */
int mch_quant_json_read(const char *path, const struct mch_net *net, struct mch_quant *quant, json_t **search,
			struct mch_err *err);

#endif
