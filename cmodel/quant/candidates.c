/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* All that a search has scored; see candidates.h. */
#include "quant/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "search", "out of memory; use a machine with more");
}

/* Fowler, Noll and Vo's 64-bit hash, 1a. */
static size_t hash(const int8_t *setting, int n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (int i = 0; i < n; i++)
		h = (h ^ (uint8_t)setting[i]) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ (h >> 32));
}

/* Where it is, or where it would be put. At most half of the slots are taken. */
static size_t slot_of(const struct mch_candidates *c, const int8_t *setting)
{
	size_t i = hash(setting, c->n_knobs) & (c->n_slots - 1);
	while (c->slot[i] && memcmp(c->list[c->slot[i] - 1].setting, setting, (size_t)c->n_knobs) != 0)
		i = (i + 1) & (c->n_slots - 1);
	return i;
}

static int grow(struct mch_candidates *c, struct mch_err *err)
{
	if (c->n < c->room)
		return 0;
	const size_t room = c->room ? 2 * c->room : 64;
	struct mch_candidate *list = realloc(c->list, room * sizeof(*list));
	if (!list)
		return no_memory(err);
	c->list = list;
	size_t *slot = calloc(2 * room, sizeof(*slot));
	if (!slot)
		return no_memory(err);
	free(c->slot);
	c->slot = slot;
	c->n_slots = 2 * room;
	c->room = room;
	for (size_t i = 0; i < c->n; i++)
		c->slot[slot_of(c, c->list[i].setting)] = i + 1;
	return 0;
}

long mch_candidates_find(const struct mch_candidates *c, const int8_t *setting)
{
	return c->n_slots ? (long)c->slot[slot_of(c, setting)] - 1 : -1;
}

/* Is it enough to know this of a candidate? */
static bool tells(const struct mch_right *right, int need)
{
	return !right->is_bound || (need > 0 && right->n_correct < need);
}

static int find_right(struct mch_candidates *c, const int8_t *setting, int need, struct mch_right *right,
		      struct mch_err *err)
{
	if (c->lookup && c->lookup(c->ctx, setting, right) && tells(right, need)) {
		c->n_reused++;
	} else {
		if (c->score(c->ctx, setting, need, right, err) != 0 ||
		    (c->store && c->store(c->ctx, setting, right, err) != 0))
			return -1;
	}
	MCH_REQUIRE(right->n_correct >= 0 && right->n_correct <= c->n_images && tells(right, need),
		    "a score is a number of images, or a bound below what is needed");
	c->n_scored++;
	if (c->progress)
		c->progress(c->ctx);
	return 0;
}

long mch_candidates_score(struct mch_candidates *c, const int8_t *setting, int need, struct mch_err *err)
{
	struct mch_right right;
	const long known = mch_candidates_find(c, setting);
	if (known >= 0 && tells(&c->list[known].right, need))
		return known;
	if (grow(c, err) != 0 || find_right(c, setting, need, &right, err) != 0)
		return -1;
	if (known >= 0) {
		c->list[known].right = right;
		return known;
	}
	int8_t *copy = malloc((size_t)c->n_knobs + 1);
	if (!copy)
		return no_memory(err);
	memcpy(copy, setting, (size_t)c->n_knobs);
	const size_t slot = slot_of(c, setting);
	c->list[c->n++] = (struct mch_candidate){copy, right};
	c->slot[slot] = c->n;
	return (long)c->n - 1;
}

void mch_candidates_free(struct mch_candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].setting);
	free(c->list);
	free(c->slot);
	c->list = NULL;
	c->slot = NULL;
	c->n = c->room = c->n_slots = c->n_scored = c->n_reused = 0;
}
