/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The order of a build: what is refused, where tensors lie, descriptors, lists; see program.h. */
#include "arch/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/program_build.h"

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "program", "out of memory; use a machine with more");
}

bool mch_program_is_host(const struct mch_program *p, int step)
{
	return mch_program_reason(&p->cfg, p->q, &p->q->steps[step]) != NULL;
}

/* All that the accelerator does not have are named at once. */
static int check_steps(const struct mch_program *p, struct mch_err *err)
{
	char names[480] = "";
	int n = 0;
	for (int i = 0; i < p->q->n_steps; i++) {
		const char *reason = mch_program_reason(&p->cfg, p->q, &p->q->steps[i]);
		const size_t used = strlen(names);
		if (!reason)
			continue;
		if (used < sizeof(names) - 120)
			snprintf(names + used, sizeof(names) - used, "%s%.48s (%s)", n ? ", " : "",
				 p->q->steps[i].layer->name, reason);
		else if (names[used - 1] != '.')
			snprintf(names + used, sizeof(names) - used, ", ...");
		n++;
	}
	if (n == 0 || p->options.allow_host)
		return 0;
	return mch_err_set(err, p->q->net->name ? p->q->net->name : "network",
			   "%d host layer%s: %s; replace %s, or let the host compute between lists", n,
			   n > 1 ? "s" : "", names, n > 1 ? "them" : "it");
}

int mch_program_check(const struct mch_qnet *q, const struct mch_accel_config *cfg, struct mch_err *err)
{
	const struct mch_program p = {.cfg = *cfg, .q = q};
	for (int i = 0; i < q->n_steps; i++)
		if (!mch_program_is_host(&p, i))
			return 0;
	return check_steps(&p, err);
}

int64_t mch_program_more(struct mch_program *p, uint64_t n, struct mch_err *err)
{
	const size_t word_bytes = mch_accel_word_bytes(&p->cfg);
	if (p->n_words + n >= UINT32_MAX)
		return mch_err_set(err, "program", "takes more than 2^32 words; use a smaller network");
	if (p->image_words + n > p->image_room) {
		const uint64_t room = (p->image_words + n) * 2;
		uint8_t *image = realloc(p->image, (size_t)room * word_bytes);
		if (!image)
			return no_memory(err);
		memset(image + p->image_room * word_bytes, 0, (size_t)(room - p->image_room) * word_bytes);
		p->image = image;
		p->image_room = room;
	}
	const int64_t address = p->n_words;
	p->image_words += n;
	p->n_words += (uint32_t)n;
	return address;
}

/* Words [x, x + x_n) and [y, y + y_n). */
static bool overlap(uint64_t x, uint64_t x_n, uint64_t y, uint64_t y_n)
{
	return x < y + y_n && y < x + x_n;
}

/* d reads what `before` writes. */
static bool reads_of(const struct mch_descriptor *d, const struct mch_descriptor *before)
{
	for (uint32_t i = 0; i < mch_descriptor_blocks(d); i++) {
		const bool is_x1 = i >= d->x0_blocks;
		const uint64_t from = is_x1 ? d->x1_addr : d->x0_addr, block = is_x1 ? i - d->x0_blocks : i;
		const uint64_t x = from + block * d->x_step;
		for (uint32_t j = 0; j < before->y_blocks; j++)
			if (overlap(x, d->map_words, before->y_addr + (uint64_t)j * before->y_step, before->pixels))
				return true;
	}
	return false;
}

/* It waits for what was written only where it reads something written since the last that waited. */
static bool needs_barrier(const struct mch_program *p, const struct mch_descriptor *d)
{
	const int first = p->part[p->n_parts - 1].first;
	for (int i = p->n_descriptors - 1; i >= first; i--) {
		if (reads_of(d, &p->descriptor[i].d))
			return true;
		if (p->descriptor[i].d.barrier)
			return false;
	}
	return false;
}

int mch_program_append(struct mch_program *p, const struct mch_program_descriptor *item, bool is_whole,
		       struct mch_err *err)
{
	struct mch_program_descriptor made = *item;
	if (p->n_descriptors == p->descriptor_room) {
		const int room = p->descriptor_room * 2 + 16;
		struct mch_program_descriptor *list = realloc(p->descriptor, (size_t)room * sizeof(*list));
		if (!list)
			return no_memory(err);
		p->descriptor = list;
		p->descriptor_room = room;
	}
	made.d.barrier = needs_barrier(p, &made.d);
	const uint32_t tiles = p->options.tiles ? (uint32_t)p->options.tiles[made.step] : 0;
	if (mch_program_tiles(&made.d, &p->cfg, tiles, is_whole) != 0)
		return -2;
	uint8_t bytes[MCH_DESCRIPTOR_BYTES];
	const char *misfit = mch_descriptor_misfit(&made.d);
	if (misfit)
		return mch_err_set(err, p->q->steps[made.step].layer->name,
				   "does not fit the descriptor's %s; use smaller sizes", misfit);
	mch_descriptor_pack(&made.d, bytes);
	const int word = mch_descriptor_illegal(bytes, &p->cfg);
	if (word >= 0)
		return mch_err_set(err, p->q->steps[made.step].layer->name,
				   "is beyond the range of word %d of a descriptor; use smaller sizes", word);
	made.beats =
	    mch_descriptor_tiles(&made.d, &p->cfg) * made.d.y_blocks * mch_descriptor_beats(&made.d, &p->cfg);
	made.cycles = mch_program_cycles(&made.d, &p->cfg);
	p->descriptor[p->n_descriptors++] = made;
	p->part[p->n_parts - 1].n++;
	return 0;
}

int mch_program_no_fit(const struct mch_program *p, int step, const struct mch_descriptor *d, struct mch_err *err)
{
	struct mch_descriptor one = *d;
	one.strip_pixels = (uint32_t)p->cfg.rows;
	const struct mch_strip s = mch_descriptor_strip(&one, mch_descriptor_strips(&one) / 2);
	return mch_err_set(err, p->q->steps[step].layer->name,
			   "no strip of it fits the buffer: %lld words for one tile, %s%u; build a larger buffer",
			   (long long)(s.end - s.start) * mch_descriptor_blocks(d),
			   p->cfg.round == MCH_ROUND_STOCHASTIC ? "all of its tiles in one strip (stochastic), " : "",
			   p->cfg.x_words);
}

/* The part that step i belongs to: a list goes on until the host has a step. */
static void begin_part(struct mch_program *p, int i)
{
	const bool is_host = mch_program_is_host(p, i);
	if (!is_host && p->n_parts > 0 && !p->part[p->n_parts - 1].is_host)
		return;
	p->part[p->n_parts++] = (struct mch_program_part){.is_host = is_host, .step = i, .first = p->n_descriptors};
}

static int put_lists(struct mch_program *p, struct mch_err *err)
{
	const uint32_t words = mch_descriptor_words(&p->cfg);
	for (int i = 0; i < p->n_parts; i++) {
		struct mch_program_part *part = &p->part[i];
		if (part->is_host)
			continue;
		if (part->n > 65534) /* the sequencer takes the 65536th for a list without end */
			return mch_err_set(err, "program", "a list has %d descriptors, 65534 at most; use a wider array",
					   part->n);
		const int64_t address = mch_program_more(p, (uint64_t)(part->n + 1) * words, err);
		if (address < 0)
			return -1;
		part->list = (uint32_t)address;
		for (int j = 0; j < part->n; j++)
			mch_descriptor_pack(&p->descriptor[part->first + j].d,
					    mch_program_image(p, (uint64_t)address + (uint64_t)j * words));
	} /* OP_STOP is 0, as the rest of a new image */
	return 0;
}

static int build(struct mch_program *p, struct mch_err *err)
{
	const struct mch_qnet *q = p->q;
	if (mch_accel_check(&p->cfg, err) != 0 || check_steps(p, err) != 0)
		return -1;
	p->n_tensors = q->net->n_edges;
	p->tensor = calloc((size_t)p->n_tensors, sizeof(*p->tensor));
	p->part = calloc((size_t)q->n_steps, sizeof(*p->part));
	if (!p->tensor || !p->part)
		return no_memory(err);
	if (mch_program_place(p, err) != 0)
		return -1;
	for (int i = 0; i < q->n_steps; i++) {
		begin_part(p, i);
		if (!p->part[p->n_parts - 1].is_host && mch_program_step(p, i, err) != 0)
			return -1;
	}
	return put_lists(p, err);
}

int mch_program_build(struct mch_program *p, const struct mch_qnet *q, const struct mch_accel_config *cfg,
		      const struct mch_program_options *options, struct mch_err *err)
{
	*p = (struct mch_program){.cfg = *cfg, .q = q};
	if (options)
		p->options = *options;
	if (build(p, err) == 0)
		return 0;
	mch_program_free(p);
	return -1;
}

void mch_program_free(struct mch_program *p)
{
	for (int e = 0; p->tensor && e < p->n_tensors; e++) {
		free(p->tensor[e].slot);
		free(p->tensor[e].channel);
	}
	free(p->tensor);
	free(p->descriptor);
	free(p->part);
	free(p->image);
	*p = (struct mch_program){0};
}
