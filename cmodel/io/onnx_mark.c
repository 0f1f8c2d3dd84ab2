/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Writing marks, and their checksum; see onnx_mark.h. */
#include "io/onnx_mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/onnx_mark_text.h"
#include "net/layer.h"
#include "tensor/crc32.h"

static const MchOnnx__TensorProto *find_tensor(const MchOnnx__GraphProto *graph, const char *name)
{
	for (size_t i = graph->n_initializer; name[0] && i-- > 0;) /* the writer's are the last ones */
		if (strcmp(graph->initializer[i]->name, name) == 0)
			return graph->initializer[i];
	return NULL;
}

static int add_message(const ProtobufCMessage *message, uint32_t *crc)
{
	uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);
	if (!bytes)
		return -1;
	*crc = mch_crc32(*crc, bytes, protobuf_c_message_pack(message, bytes));
	free(bytes);
	return 0;
}

static int add_tensor(const MchOnnx__TensorProto *tensor, struct mch_wire *wire, uint32_t *crc)
{
	MchOnnx__TensorProto head = *tensor;
	uint8_t bytes[4096];
	head.raw_data.len = 0;
	head.file_at = head.file_bytes = 0;
	if (add_message(&head.base, crc) != 0)
		return -1;
	if (tensor->file_bytes == 0) {
		*crc = mch_crc32(*crc, tensor->raw_data.data, tensor->raw_data.len);
		return 0;
	}
	if (mch_wire_seek_bytes(wire, tensor->file_at, tensor->file_bytes) != 0)
		return -1;
	for (uint64_t n = tensor->file_bytes, piece; n > 0; n -= piece) {
		piece = n < sizeof(bytes) ? n : sizeof(bytes);
		if (mch_wire_bytes(wire, bytes, piece) != 0)
			return -1;
		*crc = mch_crc32(*crc, bytes, (size_t)piece);
	}
	return 0;
}

static int group_crc(const MchOnnx__GraphProto *graph, struct mch_wire *wire, size_t first, size_t last,
		     uint32_t *crc)
{
	*crc = 0;
	for (size_t i = first; i <= last; i++) {
		MchOnnx__NodeProto node = *graph->node[i];
		node.doc_string = (char *)protobuf_c_empty_string;
		if (add_message(&node.base, crc) != 0)
			return -1;
		for (size_t j = 0; j < node.n_input; j++) {
			const MchOnnx__TensorProto *tensor = find_tensor(graph, node.input[j]);
			if (tensor && add_tensor(tensor, wire, crc) != 0)
				return -1;
		}
	}
	return 0;
}

static bool is_inner(const MchOnnx__GraphProto *graph, size_t first, size_t last, const char *name)
{
	for (size_t i = first; i <= last; i++)
		for (size_t j = 0; j < graph->node[i]->n_output; j++)
			if (strcmp(graph->node[i]->output[j], name) == 0)
				return true;
	return false;
}

int mch_onnx_mark_inputs(const MchOnnx__GraphProto *graph, size_t first, size_t last, size_t room,
			 const char **names)
{
	size_t n = 0;
	for (size_t i = first; i <= last; i++)
		for (size_t j = 0; j < graph->node[i]->n_input; j++) {
			const char *name = graph->node[i]->input[j];
			size_t k = 0;
			while (k < n && strcmp(names[k], name) != 0)
				k++;
			if (k < n || name[0] == '\0' || find_tensor(graph, name) ||
			    is_inner(graph, first, last, name))
				continue;
			if (n == room)
				return -1;
			names[n++] = name;
		}
	return (int)n;
}

bool mch_onnx_mark_find(const MchOnnx__GraphProto *graph, struct mch_wire *wire, size_t last,
			struct mch_onnx_mark *mark)
{
	const MchOnnx__NodeProto *node = graph->node[last];
	size_t n_nodes = 0;
	uint32_t want, crc;
	int used = 0;
	/* Numbers from a file: of at most six digits, so that none overflows. */
	if (sscanf(node->doc_string, "macchiato nodes=%6zu crc=%8" SCNx32 " %n", &n_nodes, &want, &used) != 2 ||
	    used == 0 || n_nodes == 0 || n_nodes > last + 1 || node->n_output != 1)
		return false;
	mark->first = last + 1 - n_nodes;
	mark->last = last;
	/* No group is within another: every node is looked at once, whatever a file says. */
	for (size_t i = mark->first; i < last; i++)
		if (strncmp(graph->node[i]->doc_string, "macchiato ", 10) == 0)
			return false;
	mark->text = node->doc_string + used;
	return mch_onnx_mark_kind(mark) == 0 && group_crc(graph, wire, mark->first, last, &crc) == 0 && crc == want;
}

static void put_mark(struct mch_emit *e, MchOnnx__NodeProto *node, size_t first, const char *text)
{
	const size_t last = e->graph.n_node - 1, room = strlen(text) + 64;
	char *doc = mch_emit_room(e, room);
	uint32_t crc;
	if (!doc || !node || group_crc(&e->graph, NULL, first, last, &crc) != 0) {
		e->failed = true;
		return;
	}
	snprintf(doc, room, "macchiato nodes=%zu crc=%08" PRIx32 " %s", last + 1 - first, crc, text);
	node->doc_string = doc;
}

void mch_onnx_mark_alias(struct mch_emit *e, MchOnnx__NodeProto *node)
{
	put_mark(e, node, e->graph.n_node - 1, "kind=alias");
}

void mch_onnx_mark_layer(struct mch_emit *e)
{
	const size_t n_in = (size_t)e->layer->n_in;
	const char **names = mch_emit_room(e, (n_in + 1) * sizeof(*names));
	if (e->failed || !names)
		return;
	const int n = mch_onnx_mark_inputs(&e->graph, e->first_node, e->graph.n_node - 1, n_in + 1, names);
	char *text = mch_onnx_mark_text(e, n, names);
	if (text)
		put_mark(e, e->graph.node[e->graph.n_node - 1], e->first_node, text);
	else
		e->failed = true;
	free(text);
}
