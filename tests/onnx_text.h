/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* ONNX models from a few lines of text, and networks as a line of text: what the tests of the reader are written
 * in.
 *
 *   opset 11; in x Nx4x6x6; in i 3 int64; f w 2x4x3x3 = ramp; f s - = 0.5; i to 2 = 0 -1;
 *   Conv x w _ -> c strides=[2,2] auto_pad=SAME_UPPER alpha=0.5; Split c -> a b axis=1; out a
 *
 * f and i are float and int64 initializers, "t uint8 w 2 = 1 2" is one of another type (dimensions, "-" for none;
 * "ramp" is 1, 2, 3, ...). "_" is an input left out, "@w" as an attribute's value a tensor. A number with a point
 * is a float. "DOMAIN:Op" is an operator of another domain. The bytes are written here, without our schema. */
#ifndef MCH_TESTS_ONNX_TEXT_H
#define MCH_TESTS_ONNX_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

/* The file's bytes, owned by the caller; the test ends when the text is wrong. */
uint8_t *onnx_text_model(const char *text, size_t *n);

/* "conv 2x3x3 k3x3 s2x2 p0,0,1,1 w=1,2, reshape 18x1x1": each layer, its output, and what it is made of. */
void onnx_text_of(const struct mch_net *net, char *text, size_t room);

#endif
