/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How program.json is made; see program_json.h. */
#include "io/program_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The step that writes an edge; -1: the input. */
static int step_of(const struct mch_program *p, int edge)
{
	for (int i = 0; i < p->q->n_steps; i++)
		if (p->q->steps[i].out == edge)
			return i;
	return -1;
}

const char *mch_program_maker(const struct mch_program *p, int edge)
{
	const int step = step_of(p, edge);
	return step < 0 ? "" : p->q->steps[step].layer->name;
}

const char *mch_program_layout_name(enum mch_input_layout layout)
{
	static const char *const names[] = {"plain", "row", "window"};
	return (size_t)layout < sizeof(names) / sizeof(names[0]) ? names[layout] : NULL;
}

void mch_program_input_name(char name[MCH_ACCEL_TEXT_MAX], int image)
{
	snprintf(name, MCH_ACCEL_TEXT_MAX, "input-%d.bin", image);
}

void mch_program_golden_name(char name[MCH_ACCEL_TEXT_MAX], int image)
{
	snprintf(name, MCH_ACCEL_TEXT_MAX, "golden-%d.bin", image);
}

int mch_program_json_hash(const json_t *root, char hex[MCH_HASH_HEX])
{
	json_t *rest = json_copy((json_t *)(uintptr_t)root);
	if (rest)
		json_object_del(rest, "sha256");
	char *text = rest ? json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) : NULL;
	json_decref(rest);
	if (!text)
		return -1;
	struct mch_hash hash;
	mch_hash_begin(&hash);
	mch_hash_text(&hash, text);
	mch_hash_end(&hash, hex);
	free(text);
	return 0;
}

/* Runs of slots that follow each other: first, number, first, number, ... */
static json_t *slots_json(const struct mch_program_tensor *t)
{
	json_t *slots = json_array();
	int bad = 0;
	for (int k = 0, n; slots && k < t->c; k += n) {
		for (n = 1; k + n < t->c && t->slot[k + n] == t->slot[k] + n;)
			n++;
		bad |= json_array_append_new(slots, json_integer(t->slot[k]));
		bad |= json_array_append_new(slots, json_integer(n));
	}
	if (bad) {
		json_decref(slots);
		return NULL;
	}
	return slots;
}

/* Columns that a depthwise layer leaves between rows count: reports say where in memory a word is. */
static json_t *tensor_json(const struct mch_program *p, int edge)
{
	const struct mch_program_tensor *t = &p->tensor[edge];
	return json_pack("{s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:i, s:i, s:o}", "layer", mch_program_maker(p, edge),
			 "addr", (json_int_t)t->addr, "step", (json_int_t)t->step, "blocks", t->blocks, "c", t->c, "h",
			 t->h, "w", t->pitch, "bits", t->format.bits, "frac", t->format.frac, "signed",
			 (int)t->format.is_signed, "number", (int)t->format.number, "exp_bits", t->format.exp_bits,
			 "slots", slots_json(t));
}

/* Tensors are those in use, in the order of edges. */
static int tensor_index(const struct mch_program *p, int edge)
{
	int n = 0;
	for (int e = 0; e < edge; e++)
		n += p->tensor[e].is_used;
	return n;
}

static json_t *part_json(const struct mch_program *p, const struct mch_program_part *part)
{
	const struct mch_step *step = &p->q->steps[part->step];
	if (!part->is_host)
		return json_pack("{s:b, s:I, s:i, s:i}", "host", 0, "list", (json_int_t)part->list, "first",
				 part->first, "descriptors", part->n);
	return json_pack("{s:b, s:s, s:i}", "host", 1, "layer", step->layer->name, "tensor",
			 tensor_index(p, step->out));
}

static json_t *descriptor_json(const struct mch_program *p, int i, const struct mch_program_time *time)
{
	static const char *const op[] = {"stop", "conv", "max", "mean"};
	const struct mch_program_descriptor *d = &p->descriptor[i];
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I}", "layer", p->q->steps[d->step].layer->name, "op",
			 op[d->d.op & 3], "tiles", (json_int_t)d->d.tiles, "macs", (json_int_t)d->macs, "beats",
			 (json_int_t)d->beats, "cycles", (json_int_t)time[i].cycles);
}

static json_t *build_json(const struct mch_accel_config *c)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:b, s:i, s:i}", "rows", c->rows,
			 "cols",
			 c->cols, "x_bits", c->x_bits, "w_bits", c->w_bits, "out_bits", c->out_bits, "acc_bits",
			 c->acc_bits, "round", (int)c->round, "mult", (int)c->mult, "x_kind",
			 (int)c->x_kind, "x_exp", c->x_exp, "w_kind", (int)c->w_kind, "w_exp", c->w_exp, "mem_bits", c->mem_bits, "x_words",
			 (json_int_t)c->x_words, "w_words", (json_int_t)c->w_words, "pack", (int)c->pack, "elem_bits",
			 mch_accel_elem_bits(c), "word_bytes", (int)mch_accel_word_bytes(c));
}

/* NULL: the channels lie as channels. */
static json_t *window_json(const struct mch_program *p)
{
	const struct mch_conv *g = &p->input_conv;
	if (p->layout == MCH_INPUT_PLAIN)
		return json_null();
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "c", g->c, "h", g->h,
			 "w", g->w, "r", g->r, "s", g->s, "stride_h", g->stride_h, "stride_w", g->stride_w,
			 "dilation_h", g->dilation_h, "dilation_w", g->dilation_w, "pad_top", g->pad_top, "pad_left",
			 g->pad_left, "pad_bottom", g->pad_bottom, "pad_right", g->pad_right);
}

/* Takes item; array becomes NULL when it cannot. */
static void append(json_t **array, json_t *item)
{
	if (*array && (!item || json_array_append_new(*array, item) != 0)) {
		json_decref(*array);
		*array = NULL;
	} else if (!*array) {
		json_decref(item);
	}
}

static json_t *files_json(const struct mch_accel_manifest *m)
{
	json_t *files = json_array();
	for (int i = 0; i < m->n_entries; i++)
		append(&files, json_pack("{s:s, s:I, s:s}", "name", m->entries[i].name, "bytes",
					 (json_int_t)m->entries[i].n_bytes, "sha256", m->entries[i].sha256));
	return files;
}

static json_t *images_json(const struct mch_program_export *e)
{
	json_t *images = json_array();
	for (int i = 0; i < e->n_images; i++)
		append(&images, json_integer(e->labels ? e->labels[i] : -1));
	return json_pack("{s:i, s:b, s:o}", "n", e->n_images, "random", (int)e->is_random, "labels", images);
}

json_t *mch_program_json(const struct mch_program_export *e, const struct mch_program *p,
			 const struct mch_program_time *time, const struct mch_accel_manifest *m)
{
	json_t *tensors = json_array(), *parts = json_array(), *descriptors = json_array();
	char hash[MCH_HASH_HEX];
	for (int edge = 0; edge < p->n_tensors; edge++)
		if (p->tensor[edge].is_used)
			append(&tensors, tensor_json(p, edge));
	for (int i = 0; i < p->n_parts; i++)
		append(&parts, part_json(p, &p->part[i]));
	for (int i = 0; i < p->n_descriptors; i++)
		append(&descriptors, descriptor_json(p, i, time));
	json_t *root = json_pack(
		"{s:s, s:i, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:o, s:{s:I, s:I, s:I}, s:{s:i, s:s, s:o}, s:i, s:o, s:o, "
		"s:o, s:o, s:o}",
		"kind", MCH_PROGRAM_KIND, "version", MCH_PROGRAM_VERSION, "config_hash", m->config_hash, "net", "file",
		m->net, "sha256", m->net_hash, "quant", "file", m->quant, "sha256", m->quant_hash, "build",
		build_json(&p->cfg), "memory", "words", (json_int_t)p->n_words, "load_addr",
		(json_int_t)p->image_addr, "load_words", (json_int_t)(p->n_words - p->image_addr), "input", "tensor",
		tensor_index(p, p->q->input), "layout", mch_program_layout_name(p->layout), "window", window_json(p),
		"output", tensor_index(p, p->q->output), "parts", parts, "tensors", tensors, "descriptors",
		descriptors, "images", images_json(e), "files", files_json(m));
	if (root && (mch_program_json_hash(root, hash) != 0 ||
		     json_object_set_new(root, "sha256", json_string(hash)) != 0)) {
		json_decref(root);
		root = NULL;
	}
	return root;
}
