/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the readers of foreign networks share while they build a struct mch_net. Host only: no RTL twin. */
#ifndef MCH_IO_BUILD_H
#define MCH_IO_BUILD_H

#include <stdbool.h>

#include "net/net.h"

enum {
	MCH_BUILD_SIDE_MAX = 1 << 16,     /* kernel, stride, pad, dilation */
	MCH_BUILD_CHANNELS_MAX = 1 << 24, /* channels, and each side of the input */
};

/* Everything a file has that this program cannot do, so that one look tells all of it. Starts as all zeros. */
struct mch_unsupported {
	struct mch_unsupported_item {
		char *type, *where; /* "LRN", "norm1 line 40" */
	} *items;                   /* in the file's order, owned */
	int n, n_lost;              /* n_lost: more, for which there was no memory */
};

void mch_unsupported_add(struct mch_unsupported *list, const char *type, const char *where);
void mch_unsupported_free(struct mch_unsupported *list);
/* No item before this one has its type. */
bool mch_unsupported_is_first(const struct mch_unsupported *list, int index);
/* 0 when the list is empty, else -1 with err: "PATH: not supported: LRN (norm1 line 40, ...), ...", as much as one line holds. */
int mch_unsupported_report(const struct mch_unsupported *list, const char *path, struct mch_err *err);

/* Shape of an edge of a network under construction. 0, or -1 with err. */
int mch_build_shape(struct mch_net *net, int edge, const char *path, struct mch_shape *shape, struct mch_err *err);

/* A name that no edge has yet: want, or want_2, want_3, ... Into buf; -1 with err when it does not fit. */
int mch_build_edge_name(const struct mch_net *net, const char *want, char *buf, size_t room, struct mch_err *err);

/* Drops layers that do not lead to net->output, and the edges between them; the net's input stays. now[i] becomes the new
 * index of layer i, -1 for a dropped one; *edges_now, unless edges_now is NULL, the same of the edges, the caller's to free. 0,
 * or -1 with err. */
int mch_build_prune(struct mch_net *net, int *now, int **edges_now, const char *path, struct mch_err *err);

/* Completes a network: the output is the one edge that nobody reads, shapes are inferred. 0, or -1 with err that
 * begins with path. */
int mch_build_finish(struct mch_net *net, const char *path, struct mch_err *err);

#endif
