/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Memory of a tensor; see tensor.h. */
#include "tensor/tensor.h"

#include <stdio.h>
#include <stdlib.h>

int mch_tensor_init(struct mch_tensor *t, struct mch_shape shape, struct mch_format format, struct mch_err *err)
{
	const int dims[4] = {shape.n, shape.c, shape.h, shape.w};
	char where[64];
	size_t n_elems = 1;
	*t = (struct mch_tensor){0};
	snprintf(where, sizeof(where), "tensor %dx%dx%dx%d", shape.n, shape.c, shape.h, shape.w);
	/* The sizes may come from a file: none is multiplied before it is known to fit. */
	for (int i = 0; i < 4; i++) {
		if (dims[i] < 1)
			return mch_err_set(err, where, "a size is below 1; check the shapes of the network");
		if (n_elems > MCH_TENSOR_ELEMS_MAX / (size_t)dims[i])
			return mch_err_set(err, where, "more than %zu elements; use a smaller batch or image",
					   (size_t)MCH_TENSOR_ELEMS_MAX);
		n_elems *= (size_t)dims[i];
	}
	t->raw = calloc(n_elems, sizeof(*t->raw));
	if (!t->raw)
		return mch_err_set(err, where, "no memory for %zu bytes; use a smaller batch",
				   n_elems * sizeof(*t->raw));
	t->shape = shape;
	t->format = format;
	return 0;
}

void mch_tensor_free(struct mch_tensor *t)
{
	free(t->raw);
	*t = (struct mch_tensor){0};
}
