/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Reading a program's folder; see program_read.h. A file may have been cut or edited: nothing in it is trusted. */
#include "io/program_read.h"

#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/program_json.h"

enum { JSON_BYTES_MAX = 256 << 20, SIDE_MAX = 65536, ITEMS_MAX = 1 << 20 };

static int malformed(const char *path, const char *what, int i, struct mch_err *err)
{
	return mch_err_set(err, path, "\"%s\" %d is malformed; export again or restore the file", what, i);
}

/* Room for the items of an array, zeros: NULL with a message when it is none, or too long. */
static void *room(const char *path, const json_t *array, const char *what, size_t size, int *n, struct mch_err *err)
{
	const size_t items = json_is_array(array) ? json_array_size(array) : 0;
	if (!json_is_array(array) || items > ITEMS_MAX) {
		mch_err_set(err, path, "\"%s\" is no list; export again or restore the file", what);
		return NULL;
	}
	void *made = calloc(items + 1, size);
	*n = made ? (int)items : 0;
	if (!made)
		mch_err_set(err, path, "out of memory; use a machine with more");
	return made;
}

static bool in_range(json_int_t v, json_int_t low, json_int_t high)
{
	return v >= low && v <= high;
}

static bool parse_build(json_t *root, struct mch_program_folder *f)
{
	struct mch_accel_config *c = &f->cfg;
	int round, mult, pack, elem_bits, word_bytes, x_kind = 0, w_kind = 0;
	json_int_t x_words, w_words, words, load_addr, load_words;
	if (json_unpack(root,
			"{s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:I, s:b, s:i, s:i, s?i, s?i, s?i, s?i}, "
			"s:{s:I, s:I, s:I}}", "build",
			"rows", &c->rows, "cols", &c->cols, "x_bits", &c->x_bits, "w_bits", &c->w_bits, "out_bits",
			&c->out_bits, "acc_bits", &c->acc_bits, "round", &round, "mult", &mult, "mem_bits",
			&c->mem_bits, "x_words", &x_words, "w_words", &w_words, "pack", &pack, "elem_bits",
			&elem_bits, "word_bytes", &word_bytes, "x_kind", &x_kind, "x_exp", &c->x_exp, "w_kind", &w_kind,
			"w_exp", &c->w_exp, "memory", "words", &words, "load_addr", &load_addr, "load_words",
			&load_words) != 0 ||
	    !in_range(round, 0, MCH_N_ROUNDS - 1) || !in_range(mult, 0, MCH_MULT_MINIFLOAT) ||
	    !in_range(x_kind, 0, MCH_N_NUMBERS - 1) || !in_range(w_kind, 0, MCH_N_NUMBERS - 1) ||
	    !in_range(x_words, 2, 32768) || !in_range(w_words, 2, 32768) || !in_range(words, 0, UINT32_MAX) ||
	    !in_range(load_addr, 0, words) || load_words != words - load_addr)
		return false;
	c->round = (enum mch_round)round;
	c->mult = (enum mch_mult)mult;
	c->x_kind = (enum mch_number)x_kind;
	c->w_kind = (enum mch_number)w_kind;
	c->pack = pack;
	c->x_words = (uint32_t)x_words;
	c->w_words = (uint32_t)w_words;
	if (mch_accel_check(c, NULL) != 0 || mch_accel_word_bytes(c) > MCH_DESCRIPTOR_BYTES)
		return false;
	f->n_words = (uint32_t)words;
	f->word_bytes = mch_accel_word_bytes(c);
	f->load_addr = (uint32_t)load_addr;
	f->load_words = (uint32_t)load_words;
	return elem_bits == mch_accel_elem_bits(c) && (uint32_t)word_bytes == f->word_bytes;
}

/* Runs of slots: first, number, ... */
static bool parse_slots(const json_t *slots, const struct mch_accel_config *cfg, struct mch_folder_tensor *t)
{
	const size_t n = json_is_array(slots) ? json_array_size(slots) : 1;
	const json_int_t most = (json_int_t)t->blocks * cfg->cols;
	int c = 0;
	for (size_t i = 0; i + 1 < n; i += 2) {
		const json_int_t first = json_integer_value(json_array_get(slots, i));
		const json_int_t run = json_integer_value(json_array_get(slots, i + 1));
		if (!in_range(run, 1, t->c - c) || !in_range(first, 0, most - run))
			return false;
		for (json_int_t j = 0; j < run; j++)
			t->slot[c++] = (int32_t)(first + j);
	}
	return n % 2 == 0 && c == t->c;
}

static bool parse_tensor(json_t *item, const struct mch_program_folder *f, struct mch_folder_tensor *t)
{
	const char *layer;
	int is_signed, number = MCH_FIXED;
	json_int_t addr, step;
	struct mch_format *const y = &t->format;
	json_t *slots;
	if (json_unpack(item, "{s:s, s:I, s:I, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s?i, s?i, s:o}", "layer", &layer, "addr", &addr,
			"step", &step, "blocks", &t->blocks, "c", &t->c, "h", &t->h, "w", &t->w, "bits", &y->bits,
			"frac", &y->frac, "signed", &is_signed, "number", &number, "exp_bits", &y->exp_bits, "slots",
			&slots) != 0 ||
	    !in_range(t->c, 1, SIDE_MAX * 16) || !in_range(t->h, 1, SIDE_MAX) || !in_range(t->w, 1, SIDE_MAX) ||
	    !in_range(t->blocks, 1, SIDE_MAX * 16) || !in_range(number, 0, MCH_N_NUMBERS - 1) || !in_range(addr, 0, f->n_words) ||
	    !in_range(step, 0, f->n_words))
		return false;
	/* 2^20 * 2^32 + 2^32 + 2^32: no overflow */
	const json_int_t map = (json_int_t)t->h * t->w, end = addr + (t->blocks - 1) * step + map;
	if (end > f->n_words || (t->blocks > 1 && step < map))
		return false;
	t->addr = (uint32_t)addr;
	t->step = (uint32_t)step;
	y->is_signed = is_signed;
	y->number = (enum mch_number)number;
	if (!mch_format_is_operand(*y))
		return false;
	t->layer = strdup(layer);
	t->slot = calloc((size_t)t->c, sizeof(*t->slot));
	return t->layer && t->slot && parse_slots(slots, &f->cfg, t);
}

/* Lists come one behind the other, so the number of descriptors so far is what a list must begin with. */
static bool parse_part(json_t *item, const struct mch_program_folder *f, int *n_descriptors,
		       struct mch_folder_part *p)
{
	const char *layer = "";
	int is_host;
	json_int_t list = 0;
	p->tensor = -1;
	if (json_unpack(item, "{s:b, s?s, s?i, s?I, s?i, s?i}", "host", &is_host, "layer", &layer, "tensor", &p->tensor,
			"list", &list, "first", &p->first, "descriptors", &p->n) != 0)
		return false;
	p->is_host = is_host;
	p->layer = strdup(layer);
	if (p->is_host)
		return p->layer && p->n == 0 && in_range(p->tensor, 0, f->n_tensors - 1);
	const json_int_t words = ((json_int_t)p->n + 1) * mch_descriptor_words(&f->cfg);
	if (!p->layer || p->tensor != -1 || p->first != *n_descriptors ||
	    !in_range(p->n, 0, f->n_descriptors - *n_descriptors) ||
	    !in_range(list, f->load_addr, f->n_words) || words > f->n_words - list)
		return false;
	p->list = (uint32_t)list;
	*n_descriptors += p->n;
	return true;
}

static bool parse_descriptor(json_t *item, struct mch_folder_descriptor *d)
{
	const char *layer;
	json_int_t macs, beats, cycles;
	if (json_unpack(item, "{s:s, s:I, s:I, s:I}", "layer", &layer, "macs", &macs, "beats", &beats, "cycles",
			&cycles) != 0 ||
	    macs < 0 || beats < 0 || cycles < 0)
		return false;
	d->macs = (uint64_t)macs;
	d->beats = (uint64_t)beats;
	d->cycles = (uint64_t)cycles;
	d->layer = strdup(layer);
	return d->layer != NULL;
}

static bool parse_file(json_t *item, struct mch_folder_file *file)
{
	const char *name, *sha256;
	json_int_t n_bytes;
	if (json_unpack(item, "{s:s, s:I, s:s}", "name", &name, "bytes", &n_bytes, "sha256", &sha256) != 0 ||
	    n_bytes < 0 || strlen(sha256) != 64 || strchr(name, '/'))
		return false;
	file->n_bytes = (uint64_t)n_bytes;
	memcpy(file->sha256, sha256, sizeof(file->sha256));
	file->name = strdup(name);
	return file->name != NULL;
}

static int parse_lists(const char *path, json_t *root, struct mch_program_folder *f, struct mch_err *err)
{
	json_t *tensors = json_object_get(root, "tensors"), *parts = json_object_get(root, "parts");
	json_t *descriptors = json_object_get(root, "descriptors"), *files = json_object_get(root, "files");
	int n = 0;
	f->tensor = room(path, tensors, "tensors", sizeof(*f->tensor), &f->n_tensors, err);
	f->part = room(path, parts, "parts", sizeof(*f->part), &f->n_parts, err);
	f->descriptor = room(path, descriptors, "descriptors", sizeof(*f->descriptor), &f->n_descriptors, err);
	f->file = room(path, files, "files", sizeof(*f->file), &f->n_files, err);
	if (!f->tensor || !f->part || !f->descriptor || !f->file)
		return -1;
	for (int i = 0; i < f->n_tensors; i++)
		if (!parse_tensor(json_array_get(tensors, (size_t)i), f, &f->tensor[i]))
			return malformed(path, "tensors", i, err);
	for (int i = 0; i < f->n_parts; i++)
		if (!parse_part(json_array_get(parts, (size_t)i), f, &n, &f->part[i]))
			return malformed(path, "parts", i, err);
	if (n != f->n_descriptors)
		return malformed(path, "descriptors", n, err);
	for (int i = 0; i < f->n_descriptors; i++)
		if (!parse_descriptor(json_array_get(descriptors, (size_t)i), &f->descriptor[i]))
			return malformed(path, "descriptors", i, err);
	for (int i = 0; i < f->n_files; i++)
		if (!parse_file(json_array_get(files, (size_t)i), &f->file[i]))
			return malformed(path, "files", i, err);
	return 0;
}

static int parse_images(const char *path, json_t *root, struct mch_program_folder *f, struct mch_err *err)
{
	json_t *labels;
	int n;
	if (json_unpack(root, "{s:{s:i}, s:i, s:{s:i, s:o}}", "input", "tensor", &f->input, "output", &f->output,
			"images", "n", &f->n_images, "labels", &labels) != 0 ||
	    !in_range(f->input, 0, f->n_tensors - 1) || !in_range(f->output, 0, f->n_tensors - 1) ||
	    !json_is_array(labels) || (json_int_t)json_array_size(labels) != f->n_images)
		return malformed(path, "images", 0, err);
	f->label = room(path, labels, "labels", sizeof(*f->label), &n, err);
	for (int i = 0; f->label && i < n; i++)
		f->label[i] = (int)json_integer_value(json_array_get(labels, (size_t)i));
	return f->label ? 0 : -1;
}

static int parse(const char *path, json_t *root, struct mch_program_folder *f, struct mch_err *err)
{
	const char *kind = "", *config_hash, *own_hash;
	char hash[MCH_HASH_HEX];
	int version = 0;
	json_unpack(root, "{s:s, s:i}", "kind", &kind, "version", &version);
	if (strcmp(kind, MCH_PROGRAM_KIND) != 0)
		return mch_err_set(err, path, "is no program; give a folder that `macchiato export --program` made");
	if (version != MCH_PROGRAM_VERSION)
		return mch_err_set(err, path, "has version %d, this program reads version %d; export again", version,
				   MCH_PROGRAM_VERSION);
	if (json_unpack(root, "{s:s, s:s}", "config_hash", &config_hash, "sha256", &own_hash) != 0 ||
	    strlen(config_hash) != 64 || mch_program_json_hash(root, hash) != 0 || strcmp(hash, own_hash) != 0)
		return mch_err_set(err, path,
				   "its content differs from its own SHA-256; export again or restore the file");
	memcpy(f->config_hash, config_hash, sizeof(f->config_hash));
	if (!parse_build(root, f))
		return malformed(path, "build", 0, err);
	return parse_lists(path, root, f, err) != 0 ? -1 : parse_images(path, root, f, err);
}

static int read_json(struct mch_program_folder *f, struct mch_err *err)
{
	char *path = mch_accel_path(f->dir, MCH_PROGRAM_JSON, err), *text;
	size_t n_bytes;
	json_error_t why;
	if (!path)
		return -1;
	int status = mch_file_read(path, JSON_BYTES_MAX, &text, &n_bytes, err);
	if (status == 0) {
		json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &why);
		status = root ? parse(path, root, f, err)
			      : mch_err_set(err, path, "line %d: %s; export again or restore the file", why.line,
					    why.text);
		if (status == 0 && !mch_manifest_is_plain(root, MCH_PROGRAM_JSON_INDENT, text, n_bytes))
			status = mch_err_set(err, path,
					     "its white space or spelling was changed; export again or restore the file");
		json_decref(root);
		free(text);
	}
	free(path);
	return status;
}

/* The whole of a file of n_bytes, verified; *bytes is owned by the caller. */
static int read_file(const struct mch_program_folder *f, const char *name, uint64_t n_bytes, char **bytes,
		     struct mch_err *err)
{
	const struct mch_folder_file *file = NULL;
	struct mch_hash hash;
	char hex[MCH_HASH_HEX];
	size_t n;
	*bytes = NULL;
	for (int i = 0; i < f->n_files; i++)
		if (strcmp(f->file[i].name, name) == 0)
			file = &f->file[i];
	if (!file || file->n_bytes != n_bytes)
		return mch_err_set(err, f->dir, "%s is not in " MCH_PROGRAM_JSON " with %llu bytes; export again", name,
				   (unsigned long long)n_bytes);
	char *path = mch_accel_path(f->dir, name, err);
	int status = path ? mch_file_read(path, (size_t)n_bytes, bytes, &n, err) : -1;
	if (status == 0) {
		mch_hash_begin(&hash);
		mch_hash_bytes(&hash, *bytes, n);
		mch_hash_end(&hash, hex);
		if (n != n_bytes || strcmp(hex, file->sha256) != 0)
			status = mch_err_set(err, path,
					     "differs from size and SHA-256 in " MCH_PROGRAM_JSON
					     "; export again or restore the file");
	}
	free(path);
	if (status != 0) {
		free(*bytes);
		*bytes = NULL;
	}
	return status;
}

int mch_program_folder_check(const struct mch_program_folder *f, struct mch_err *err)
{
	for (int i = 0; i < f->n_files; i++) {
		char *bytes;
		if (read_file(f, f->file[i].name, f->file[i].n_bytes, &bytes, err) != 0)
			return -1;
		free(bytes);
	}
	return 0;
}

static int read_memory(struct mch_program_folder *f, struct mch_err *err)
{
	const uint32_t words = mch_descriptor_words(&f->cfg);
	char *bytes;
	if (read_file(f, MCH_PROGRAM_MEMORY, (uint64_t)f->n_words * f->word_bytes, &bytes, err) != 0)
		return -1;
	f->memory = (uint8_t *)bytes;
	for (int i = 0; i < f->n_parts; i++)
		for (int j = 0; j < f->part[i].n; j++)
			mch_descriptor_unpack(f->memory + ((uint64_t)f->part[i].list + (uint64_t)j * words) *
							      f->word_bytes,
					      &f->descriptor[f->part[i].first + j].d);
	return 0;
}

int mch_program_folder_read(struct mch_program_folder *f, const char *dir, struct mch_err *err)
{
	*f = (struct mch_program_folder){.dir = strdup(dir)};
	int status = f->dir ? 0 : mch_err_set(err, dir, "out of memory; use a machine with more");
	if (status == 0)
		status = read_json(f, err);
	if (status == 0)
		status = read_memory(f, err);
	if (status != 0)
		mch_program_folder_free(f);
	return status;
}

void mch_program_folder_free(struct mch_program_folder *f)
{
	for (int i = 0; i < f->n_tensors; i++) {
		free(f->tensor[i].layer);
		free(f->tensor[i].slot);
	}
	for (int i = 0; i < f->n_parts; i++)
		free(f->part[i].layer);
	for (int i = 0; i < f->n_descriptors; i++)
		free(f->descriptor[i].layer);
	for (int i = 0; i < f->n_files; i++)
		free(f->file[i].name);
	free(f->tensor);
	free(f->part);
	free(f->descriptor);
	free(f->file);
	free(f->label);
	free(f->memory);
	free(f->dir);
	*f = (struct mch_program_folder){0};
}

static int check_image(const struct mch_program_folder *f, int i, struct mch_err *err)
{
	if (i >= 0 && i < f->n_images)
		return 0;
	return mch_err_set(err, f->dir, "has images 0 to %d, not %d; choose one of them, or export more",
			   f->n_images - 1, i);
}

int mch_program_folder_input(const struct mch_program_folder *f, int i, uint8_t *mem, struct mch_err *err)
{
	const struct mch_folder_tensor *t = &f->tensor[f->input];
	const uint64_t block = (uint64_t)t->h * (uint64_t)t->w * f->word_bytes;
	char name[MCH_ACCEL_TEXT_MAX], *bytes;
	mch_program_input_name(name, i);
	if (check_image(f, i, err) != 0 || read_file(f, name, (uint64_t)t->blocks * block, &bytes, err) != 0)
		return -1;
	for (int b = 0; b < t->blocks; b++)
		memcpy(mem + (t->addr + (uint64_t)b * t->step) * f->word_bytes, bytes + (uint64_t)b * block, block);
	free(bytes);
	return 0;
}

int mch_program_folder_golden(const struct mch_program_folder *f, int i, uint8_t *mem, struct mch_err *err)
{
	const uint64_t n_bytes = (uint64_t)f->n_words * f->word_bytes;
	char name[MCH_ACCEL_TEXT_MAX], *bytes;
	mch_program_golden_name(name, i);
	if (check_image(f, i, err) != 0 || read_file(f, name, n_bytes, &bytes, err) != 0)
		return -1;
	memcpy(mem, bytes, n_bytes);
	free(bytes);
	return 0;
}
