/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Names and what they stand for, found in constant time: networks of thousands of nodes. Host only: no RTL twin. */
#ifndef MCH_IO_NAMES_H
#define MCH_IO_NAMES_H

#include <stddef.h>

struct mch_names_entry {
	char *name; /* owned; NULL: free */
	int value;
};

/* Zeroed it is empty. */
struct mch_names {
	struct mch_names_entry *entries;
	size_t n, n_room; /* n_room is a power of two, and more than n */
};

void mch_names_free(struct mch_names *names);

/* What the name stands for, or NULL. The pointer holds until a name is set. */
int *mch_names_find(const struct mch_names *names, const char *name);

/* 0, or -1 when memory is short. */
int mch_names_set(struct mch_names *names, const char *name, int value);

#endif
