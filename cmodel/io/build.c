/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the readers of foreign networks share; see build.h. */
#include "io/build.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mch_unsupported_add(struct mch_unsupported *list, const char *type, const char *where)
{
	struct mch_unsupported_item *items = realloc(list->items, ((size_t)list->n + 1) * sizeof(*items));
	list->items = items ? items : list->items;
	char *type_copy = items ? strdup(type) : NULL, *where_copy = items ? strdup(where) : NULL;
	if (!type_copy || !where_copy) {
		free(type_copy);
		free(where_copy);
		list->n_lost++;
		return;
	}
	list->items[list->n++] = (struct mch_unsupported_item){type_copy, where_copy};
}

void mch_unsupported_free(struct mch_unsupported *list)
{
	for (int i = 0; i < list->n; i++) {
		free(list->items[i].type);
		free(list->items[i].where);
	}
	free(list->items);
	*list = (struct mch_unsupported){0};
}

bool mch_unsupported_is_first(const struct mch_unsupported *list, int index)
{
	for (int i = 0; i < index; i++)
		if (strcmp(list->items[i].type, list->items[index].type) == 0)
			return false;
	return true;
}

/* "LRN (norm1, norm2 and 3 more)": as many of the names as fit `room`. Returns how many items there are of the type. */
static int type_text(const struct mch_unsupported *list, int first, char *buf, size_t room)
{
	const char *type = list->items[first].type;
	char names[160] = "", more[32] = "";
	int n = 0, n_named = 0;
	for (int i = first; i < list->n; i++) {
		const char *where = list->items[i].where;
		const size_t used = strlen(names);
		if (strcmp(list->items[i].type, type) != 0)
			continue;
		if (n_named == n && used + strlen(where) + 3 <= sizeof(names)) {
			snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", where);
			n_named++;
		}
		n++;
	}
	if (n > n_named)
		snprintf(more, sizeof(more), "%s%d more", n_named ? " and " : "", n - n_named);
	snprintf(buf, room, "%.100s (%s%s)", type, names, more);
	return n;
}

int mch_unsupported_report(const struct mch_unsupported *list, const char *path, struct mch_err *err)
{
	char text[540] = "", entry[320], rest[48] = "";
	int n_told = 0;
	bool is_full = false;
	if (list->n + list->n_lost == 0)
		return 0;
	for (int i = 0; i < list->n && !is_full; i++) {
		if (!mch_unsupported_is_first(list, i))
			continue;
		const int n = type_text(list, i, entry, sizeof(entry));
		const size_t used = strlen(text);
		is_full = used + strlen(entry) + 3 > sizeof(text);
		if (is_full)
			break;
		snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "", entry);
		n_told += n;
	}
	if (list->n + list->n_lost > n_told)
		snprintf(rest, sizeof(rest), " and %d more", list->n + list->n_lost - n_told);
	return mch_err_set(err, path, "not supported: %s%s; replace these, or cut the network before them", text,
			   rest);
}

/* Inference tells the network by its name; who reads a file wants the file's. */
static int infer(struct mch_net *net, const char *path, struct mch_err *err)
{
	struct mch_err why = {""};
	const char *name = net->name ? net->name : "network", *text = why.text;
	const size_t n = strlen(name);
	if (mch_net_infer(net, &why) == 0)
		return 0;
	if (strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0)
		text += n + 2;
	return mch_err_set(err, path, "%s", text);
}

int mch_build_shape(struct mch_net *net, int edge, const char *path, struct mch_shape *shape, struct mch_err *err)
{
	if (edge != net->input) {
		/* Only up to the layer that writes the edge: those behind it are not complete yet. */
		const int output = net->output, n_layers = net->n_layers;
		net->n_layers = net->edges[edge].producer + 1;
		const int status = infer(net, path, err);
		net->n_layers = n_layers;
		net->output = output; /* inference took that layer for the last */
		if (status != 0)
			return -1;
	}
	*shape = net->edges[edge].shape;
	return 0;
}

int mch_build_edge_name(const struct mch_net *net, const char *want, char *buf, size_t room, struct mch_err *err)
{
	int n = snprintf(buf, room, "%s", want);
	for (int i = 2; n >= 0 && (size_t)n < room && mch_net_find_edge(net, buf) >= 0; i++)
		n = snprintf(buf, room, "%s_%d", want, i);
	if (n < 0 || (size_t)n >= room)
		return mch_err_set(err, net->name ? net->name : "network",
				   "the name \"%.32s...\" has over %zu letters; shorten it", want, room - 1);
	return 0;
}

static int find_output(struct mch_net *net, const char *path, struct mch_err *err)
{
	int n_unread = 0, unread[2] = {0, 0};
	char *is_read = calloc((size_t)net->n_edges, 1);
	if (!is_read)
		return mch_err_set(err, path, "out of memory; use a machine with more");
	for (int i = 0; i < net->n_layers; i++)
		for (int e = 0; e < net->layers[i].n_in; e++)
			is_read[net->layers[i].in[e]] = 1;
	for (int e = 0; e < net->n_edges; e++)
		if (!is_read[e])
			unread[n_unread++ > 0] = e;
	free(is_read);
	if (n_unread != 1)
		return mch_err_set(err, path,
				   "%d results are read by no layer (%s, %s%s), one output is expected; cut the "
				   "others off",
				   n_unread, net->edges[unread[0]].name, net->edges[unread[1]].name,
				   n_unread > 2 ? ", ..." : "");
	net->output = unread[0];
	return 0;
}

/* Marks what the output needs. Layers come in order of execution, so one pass backwards does. */
static void mark(const struct mch_net *net, bool *has_edge, int *now)
{
	has_edge[net->output] = has_edge[net->input] = true;
	for (int i = net->n_layers - 1; i >= 0; i--) {
		const struct mch_layer *layer = &net->layers[i];
		now[i] = has_edge[layer->out[0]] ? 0 : -1;
		for (int e = 0; now[i] == 0 && e < layer->n_in; e++)
			has_edge[layer->in[e]] = true;
	}
}

int mch_build_prune(struct mch_net *net, int *now, int **edges_now, const char *path, struct mch_err *err)
{
	bool *has_edge = calloc((size_t)net->n_edges, sizeof(*has_edge));
	int *edge_now = malloc((size_t)net->n_edges * sizeof(*edge_now)), n_layers = 0, n_edges = 0;
	if (!has_edge || !edge_now) {
		free(has_edge);
		free(edge_now);
		return mch_err_set(err, path, "out of memory; use a machine with more");
	}
	mark(net, has_edge, now);
	for (int e = 0; e < net->n_edges; e++) {
		edge_now[e] = has_edge[e] ? n_edges : -1;
		if (has_edge[e])
			net->edges[n_edges++] = net->edges[e];
		else
			free(net->edges[e].name);
	}
	for (int i = 0; i < net->n_layers; i++) {
		if (now[i] < 0) {
			mch_layer_free(&net->layers[i]);
			continue;
		}
		struct mch_layer *layer = &net->layers[n_layers];
		*layer = net->layers[i];
		now[i] = n_layers++;
		for (int e = 0; e < layer->n_in; e++)
			layer->in[e] = edge_now[layer->in[e]];
		layer->out[0] = edge_now[layer->out[0]];
		net->edges[layer->out[0]].producer = now[i];
	}
	net->n_layers = n_layers;
	net->n_edges = n_edges;
	net->input = edge_now[net->input];
	net->output = edge_now[net->output];
	free(has_edge);
	if (edges_now)
		*edges_now = edge_now;
	else
		free(edge_now);
	return 0;
}

int mch_build_finish(struct mch_net *net, const char *path, struct mch_err *err)
{
	if (net->n_layers == 0 || net->input < 0)
		return mch_err_set(err, path, "has no layers that compute; give a network definition");
	if (net->output < 0 && find_output(net, path, err) != 0)
		return -1;
	return infer(net, path, err);
}
