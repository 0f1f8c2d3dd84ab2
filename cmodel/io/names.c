/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A hash table with open addresses; see names.h. */
#include "io/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static size_t hash(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ h >> 32);
}

/* The entry of that name, or the free one where it belongs: there always is one. */
static struct mch_names_entry *place(struct mch_names_entry *entries, size_t n_room, const char *name)
{
	size_t i = hash(name) & (n_room - 1);
	while (entries[i].name && strcmp(entries[i].name, name) != 0)
		i = (i + 1) & (n_room - 1);
	return &entries[i];
}

void mch_names_free(struct mch_names *names)
{
	for (size_t i = 0; i < names->n_room; i++)
		free(names->entries[i].name);
	free(names->entries);
	*names = (struct mch_names){NULL, 0, 0};
}

int *mch_names_find(const struct mch_names *names, const char *name)
{
	if (names->n_room == 0)
		return NULL;
	struct mch_names_entry *entry = place(names->entries, names->n_room, name);
	return entry->name ? &entry->value : NULL;
}

/* At most half full, so that searches stay short. */
static int grow(struct mch_names *names)
{
	const size_t n_room = names->n_room ? 2 * names->n_room : 64;
	struct mch_names_entry *entries = calloc(n_room, sizeof(*entries));
	if (!entries)
		return -1;
	for (size_t i = 0; i < names->n_room; i++)
		if (names->entries[i].name)
			*place(entries, n_room, names->entries[i].name) = names->entries[i];
	free(names->entries);
	names->entries = entries;
	names->n_room = n_room;
	return 0;
}

int mch_names_set(struct mch_names *names, const char *name, int value)
{
	if (2 * (names->n + 1) > names->n_room && grow(names) != 0)
		return -1;
	struct mch_names_entry *entry = place(names->entries, names->n_room, name);
	if (!entry->name) {
		entry->name = strdup(name);
		if (!entry->name)
			return -1;
		names->n++;
	}
	entry->value = value;
	return 0;
}
