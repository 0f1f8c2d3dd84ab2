/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The data of a case of the ONNX backend tests, and its parameters as constants of the model. */
#ifndef MCH_TESTS_CONFORMANCE_DATA_H
#define MCH_TESTS_CONFORMANCE_DATA_H

#include <stddef.h>

#include "io/onnx.pb-c.h"

enum { N_TENSORS_MAX = 32 };

/* The tensors of a data set, in the order of their files. */
struct set {
	int n_in, n_out;
	MchOnnx__TensorProto *in[N_TENSORS_MAX], *out[N_TENSORS_MAX];
};

/* p; the program ends when it is NULL. */
void *need(void *p);
/* All bytes of a file, owned by the caller; the program ends when it cannot be read. */
char *read_bytes(const char *path, size_t *n);

/* Tensors kind_0.pb, kind_1.pb, ... of data set i_set; their number. One that is no tensor (a sequence, an optional)
 * gives one of no type. */
int read_set_part(const char *folder, int i_set, const char *kind, MchOnnx__TensorProto **tensors);
void set_free(struct set *set);

/* Inputs that are data, in the graph's order: their number, names and tensors, which the caller frees. All others
 * become initializers of the graph. */
int bind_parameters(MchOnnx__GraphProto *graph, struct set *set, const char **names, MchOnnx__TensorProto **tensors);

#endif
