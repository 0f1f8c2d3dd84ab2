/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading ahead and keeping; see loader.h. The first images are kept for good, as many as the budget holds: when a
 * set is larger, to keep the last ones instead would lose each just before it is wanted again. The others go through
 * a ring of slots: a reading thread fills one, the consumer empties it. A consumer whose image nobody has begun reads
 * it itself, so no order of consumers can stop. */
#include "net/loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64, RING_PER_THREAD = 64, RING_BYTES = 1 << 28 };

enum state { EMPTY, BUSY /* somebody reads into it or copies from it */, READY };

/* One image's memory. Kept images have one each; those of the ring go round. */
struct slot {
	enum state state;
	int image;
	void *bytes;
};

struct mch_loader {
	struct mch_source source;
	const int32_t *order;
	size_t image_bytes;
	int n_images, n_kept, n_ring;
	struct slot *slots; /* [n_kept], then [n_ring] */
	bool *taken;        /* [n_images] by a consumer in this pass */
	int next, end;      /* of this pass: the image to read ahead now, and the number of all */
	int newest;         /* the last image that a consumer asked for, + 1 */
	int n_busy;
	bool is_stopped;
	pthread_mutex_t mutex;
	pthread_cond_t changed; /* any of the above */
	int n_threads, n_started;
	pthread_t threads[THREADS_MAX];
};

static int read_image(const struct mch_loader *l, int i, void *to, struct mch_err *err)
{
	return l->source.read(l->source.ctx, l->order ? l->order[i] : i, to, err);
}

static struct slot *slot_of(const struct mch_loader *l, int i)
{
	return i < l->n_kept ? &l->slots[i] : l->n_ring ? &l->slots[l->n_kept + (i - l->n_kept) % l->n_ring] : NULL;
}

/* Reads an image into its slot; called and left with the mutex held. */
static int fill(struct mch_loader *l, struct slot *slot, int i, struct mch_err *err)
{
	slot->state = BUSY;
	slot->image = i;
	l->n_busy++;
	pthread_mutex_unlock(&l->mutex);
	if (!slot->bytes)
		slot->bytes = malloc(l->image_bytes);
	const int status = slot->bytes ? read_image(l, i, slot->bytes, err)
				       : mch_err_set(err, "images", "out of memory; use a machine with more");
	pthread_mutex_lock(&l->mutex);
	slot->state = status == 0 ? READY : EMPTY;
	l->n_busy--;
	pthread_cond_broadcast(&l->changed);
	return status;
}

/* Whether the next image of the pass can be read ahead now; steps over those that need not. */
static bool has_work(struct mch_loader *l)
{
	for (; l->next < l->end; l->next++) {
		const struct slot *slot = slot_of(l, l->next);
		if (l->next >= l->newest + l->n_ring)
			return false;
		if (l->taken[l->next] || (l->next < l->n_kept && slot->state != EMPTY))
			continue;
		return slot->state == EMPTY;
	}
	return false;
}

static void *read_ahead(void *ctx)
{
	struct mch_loader *l = ctx;
	pthread_mutex_lock(&l->mutex);
	while (!l->is_stopped) {
		if (!has_work(l)) {
			pthread_cond_wait(&l->changed, &l->mutex);
			continue;
		}
		const int i = l->next++;
		struct mch_err ignored; /* the consumer meets it again, in its own order */
		fill(l, slot_of(l, i), i, &ignored);
	}
	pthread_mutex_unlock(&l->mutex);
	return NULL;
}

static int alloc(struct mch_loader *l, const struct mch_loader_config *config, struct mch_err *err)
{
	const size_t fit = config->budget_bytes / l->image_bytes;
	const size_t ring_fit = RING_BYTES / l->image_bytes;
	l->n_threads = config->n_threads < THREADS_MAX ? config->n_threads : THREADS_MAX;
	l->n_kept = fit < (size_t)l->n_images ? (int)fit : l->n_images;
	/* Room for what the consumers hold and for as much ahead of them; also the distance for kept images. */
	l->n_ring = RING_PER_THREAD * l->n_threads;
	if (ring_fit < (size_t)l->n_ring)
		l->n_ring = ring_fit > 2 ? (int)ring_fit : 2;
	l->slots = calloc((size_t)l->n_kept + (size_t)l->n_ring + 1, sizeof(*l->slots));
	l->taken = calloc((size_t)l->n_images + 1, sizeof(*l->taken));
	if (!l->slots || !l->taken)
		return mch_err_set(err, "images", "out of memory; use a machine with more");
	return 0;
}

struct mch_loader *mch_loader_new(const struct mch_loader_config *config, const int32_t *order, int n_images,
				  size_t image_bytes, struct mch_err *err)
{
	struct mch_loader *l = calloc(1, sizeof(*l));
	if (!l) {
		config->source.free(config->source.ctx);
		mch_err_set(err, "images", "out of memory; use a machine with more");
		return NULL;
	}
	l->source = config->source;
	l->order = order;
	l->n_images = n_images;
	l->image_bytes = image_bytes;
	pthread_mutex_init(&l->mutex, NULL);
	pthread_cond_init(&l->changed, NULL);
	if (alloc(l, config, err) == 0)
		return l;
	mch_loader_free(l);
	return NULL;
}

void mch_loader_free(struct mch_loader *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->mutex);
	l->is_stopped = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
	for (int i = 0; i < l->n_started; i++)
		pthread_join(l->threads[i], NULL);
	for (int i = 0; l->slots && i < l->n_kept + l->n_ring; i++)
		free(l->slots[i].bytes);
	l->source.free(l->source.ctx);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->mutex);
	free(l->slots);
	free(l->taken);
	free(l);
}

bool mch_loader_is_f32(const struct mch_loader *l)
{
	return l->source.is_f32;
}

void mch_loader_ahead(struct mch_loader *l, int n)
{
	if (l->n_threads == 0)
		return;
	pthread_mutex_lock(&l->mutex);
	l->end = 0; /* what a pass that was given up had begun comes to its end first */
	while (l->n_busy > 0)
		pthread_cond_wait(&l->changed, &l->mutex);
	for (int i = l->n_kept; i < l->n_kept + l->n_ring; i++)
		l->slots[i].state = EMPTY;
	memset(l->taken, 0, (size_t)l->n_images * sizeof(*l->taken));
	l->next = l->newest = 0;
	l->end = n;
	while (l->n_started < l->n_threads &&
	       pthread_create(&l->threads[l->n_started], NULL, read_ahead, l) == 0)
		l->n_started++; /* with fewer threads, or none, consumers read more themselves */
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->mutex);
}

static const void *get_kept(struct mch_loader *l, int i, struct mch_err *err)
{
	struct slot *slot = &l->slots[i];
	while (slot->state == BUSY)
		pthread_cond_wait(&l->changed, &l->mutex);
	return slot->state == READY || fill(l, slot, i, err) == 0 ? slot->bytes : NULL;
}

/* Whether the ring had it. */
static bool take_from_ring(struct mch_loader *l, int i, void *room)
{
	struct slot *slot = slot_of(l, i);
	while (slot && slot->state == BUSY && slot->image == i)
		pthread_cond_wait(&l->changed, &l->mutex);
	if (!slot || slot->state != READY || slot->image != i)
		return false;
	slot->state = BUSY; /* nobody else fills it while it is copied */
	pthread_mutex_unlock(&l->mutex);
	memcpy(room, slot->bytes, l->image_bytes);
	pthread_mutex_lock(&l->mutex);
	slot->state = EMPTY;
	pthread_cond_broadcast(&l->changed);
	return true;
}

const void *mch_loader_get(struct mch_loader *l, int i, void *room, struct mch_err *err)
{
	pthread_mutex_lock(&l->mutex);
	l->taken[i] = true;
	if (i >= l->newest) {
		l->newest = i + 1;
		pthread_cond_broadcast(&l->changed);
	}
	const bool is_kept = i < l->n_kept;
	const void *found = is_kept ? get_kept(l, i, err) : take_from_ring(l, i, room) ? room : NULL;
	pthread_mutex_unlock(&l->mutex);
	if (found || is_kept)
		return found;
	return read_image(l, i, room, err) == 0 ? room : NULL;
}
