/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What constants of an ONNX graph hold; see onnx_op.h. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_op.h"

int mch_onnx_charge(const struct mch_onnx_op *op, uint64_t n_bytes)
{
	const uint64_t limit_bytes = UINT64_C(1) << 30;
	op->g->extra_bytes += n_bytes;
	if (op->g->extra_bytes <= limit_bytes)
		return 0;
	return mch_onnx_err(&op->node,
			    "constants and indexes up to here take over %d MiB beside the file; simplify the model",
			    (int)(limit_bytes >> 20));
}

/* The first copy of a tensor is as large as the data that the file has for it. */
static int charge_copy(const struct mch_onnx_op *op, const struct mch_onnx_value *v, size_t elem_bytes)
{
	const int *at = mch_names_find(&op->g->value_names, v->name);
	if (!at || !v->tensor)
		return 0;
	const bool is_first = !op->g->is_decoded[*at];
	op->g->is_decoded[*at] = true;
	return is_first ? 0 : mch_onnx_charge(op, (uint64_t)mch_onnx_tensor_elems(v->tensor) * elem_bytes);
}

struct mch_onnx_constant *mch_onnx_constant_new(const struct mch_onnx_op *op, size_t n, bool is_float)
{
	if (mch_onnx_charge(op, (uint64_t)n * (is_float ? sizeof(float) : sizeof(int64_t))) != 0)
		return NULL;
	struct mch_onnx_constant *c = calloc(1, sizeof(*c));
	void *room = c ? calloc(n ? n : 1, is_float ? sizeof(*c->floats) : sizeof(*c->ints)) : NULL;
	if (!room) {
		free(c);
		mch_onnx_err(&op->node, "out of memory for a constant of %zu; use a machine with more", n);
		return NULL;
	}
	c->n = n;
	if (is_float)
		c->floats = room;
	else
		c->ints = room;
	c->next = op->g->constants;
	op->g->constants = c;
	return c;
}

int mch_onnx_emit_constant(const struct mch_onnx_op *op, const struct mch_onnx_constant *c, int rank,
			   const int64_t *dims)
{
	struct mch_onnx_value v = {.name = op->node.proto->output[0], .constant = c, .edge = -1, .rank = rank};
	v.type = c->floats ? MCH_ONNX_FLOAT : MCH_ONNX_INT64;
	if (rank > 0)
		memcpy(v.dims, dims, (size_t)rank * sizeof(*dims));
	return mch_onnx_add_value(op->g, &v);
}

static bool is_empty(const struct mch_onnx_value *v)
{
	for (int i = 0; i < v->rank; i++)
		if (v->dims[i] == 0)
			return true;
	return false;
}

static int require_constant(const struct mch_onnx_op *op, const struct mch_onnx_value *v)
{
	if (!mch_onnx_is_constant(v))
		return mch_onnx_err(&op->node, "its input \"%.64s\" is no constant; simplify the model", v->name);
	return 0;
}

int mch_onnx_f32(const struct mch_onnx_op *op, const struct mch_onnx_value *v, float **values, size_t *n)
{
	*values = NULL;
	if (require_constant(op, v) != 0 || charge_copy(op, v, sizeof(**values)) != 0)
		return -1;
	if (v->tensor && !is_empty(v))
		return mch_onnx_tensor_f32(&op->node, v->tensor, values, n);
	if (v->constant && !v->constant->floats)
		return mch_onnx_err(&op->node,
				    "its input \"%.64s\" holds integers, floats are expected; change the model",
				    v->name);
	*n = v->constant ? v->constant->n : 0;
	if (mch_onnx_charge(op, (uint64_t)*n * sizeof(**values)) != 0)
		return -1;
	*values = malloc((*n + 1) * sizeof(**values));
	if (!*values)
		return mch_onnx_err(&op->node, "out of memory for %zu weights; use a machine with more", *n);
	if (*n > 0)
		memcpy(*values, v->constant->floats, *n * sizeof(**values));
	return 0;
}

int mch_onnx_int64(const struct mch_onnx_op *op, const struct mch_onnx_value *v, int64_t **values, size_t *n)
{
	*values = NULL;
	if (require_constant(op, v) != 0 || charge_copy(op, v, sizeof(**values)) != 0)
		return -1;
	if (v->constant && !v->constant->ints)
		return mch_onnx_err(&op->node,
				    "its input \"%.64s\" holds floats, integers are expected; change the model",
				    v->name);
	*n = v->constant ? v->constant->n : is_empty(v) ? 0 : mch_onnx_tensor_elems(v->tensor);
	if (v->tensor && *n == 0 && !is_empty(v))
		return mch_onnx_err(&op->node,
				    "its input \"%.64s\" has a shape that is not usable; export the model again",
				    v->name);
	*values = malloc((*n + 1) * sizeof(**values));
	if (!*values)
		return mch_onnx_err(&op->node, "out of memory for %zu integers; use a machine with more", *n);
	if (v->constant) {
		memcpy(*values, v->constant->ints, *n * sizeof(**values));
	} else if (*n > 0 && mch_onnx_tensor_ints(&op->node, v->tensor, *n, *values) != 0) {
		free(*values);
		*values = NULL;
		return -1;
	}
	return 0;
}

int mch_onnx_scalar(const struct mch_onnx_op *op, const struct mch_onnx_value *v, float *value)
{
	float *values;
	size_t n;
	if (mch_onnx_f32(op, v, &values, &n) != 0)
		return -1;
	const bool is_one = n == 1;
	*value = is_one ? values[0] : 0;
	free(values);
	return is_one ? 0
		      : mch_onnx_err(&op->node,
				     "its input \"%.64s\" has %zu elements, 1 is expected; change the model", v->name,
				     n);
}

/* The input of a list. */
static int list_of_input(const struct mch_onnx_op *op, const struct mch_onnx_value *v, struct mch_onnx_list *list)
{
	const size_t room = sizeof(list->v) / sizeof(list->v[0]);
	int64_t *values;
	size_t n;
	/* Before it is decoded: a list of any size costs nothing. */
	if (v->rank > 1 || (v->rank == 1 && mch_onnx_is_constant(v) && v->dims[0] > (int64_t)room))
		return mch_onnx_err(&op->node, "its input \"%.64s\" is no short list; export the model again",
				    v->name);
	if (mch_onnx_int64(op, v, &values, &n) != 0)
		return -1;
	list->is_given = true;
	list->n = (int)n;
	memcpy(list->v, values, n * sizeof(*values));
	free(values);
	return 0;
}

int mch_onnx_list(const struct mch_onnx_op *op, const char *attribute, const struct mch_onnx_value *v,
		  struct mch_onnx_list *list)
{
	enum { TYPE_INTS = 7 };
	const MchOnnx__AttributeProto *a = mch_onnx_find(&op->node, attribute);
	const size_t room = sizeof(list->v) / sizeof(list->v[0]);
	memset(list, 0, sizeof(*list));
	if (!a)
		return v && v->name[0] ? list_of_input(op, v, list) : 0;
	if ((a->type != 0 && a->type != TYPE_INTS) || a->n_ints > room)
		return mch_onnx_err(&op->node,
				    "attribute %s is no list of at most %zu integers; export the model again",
				    attribute, room);
	list->is_given = true;
	list->n = (int)a->n_ints;
	if (a->n_ints > 0)
		memcpy(list->v, a->ints, a->n_ints * sizeof(a->ints[0]));
	return 0;
}
