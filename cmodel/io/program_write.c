/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* A program as a folder, file by file; see program_write.h. */
#include "io/program_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "io/accel_folder.h"
#include "io/accel_header.h"
#include "io/accel_image.h"
#include "io/program_golden.h"
#include "io/program_json.h"
#include "net/dataset.h"

struct job {
	const struct mch_program_export *e;
	const char *dir; /* the temporary folder */
	struct mch_program p;
	struct mch_program_golden golden;
	struct mch_program_time *time;
	struct mch_accel_table table;
	struct mch_accel_manifest manifest;
	uint8_t *setup, *mem; /* [n_bytes]: as the driver sets it up, tensors 0; of an image */
	size_t n_bytes;
	struct mch_program_summary *summary;
};

/* What a file is made of: bytes, or a text. */
struct content {
	const uint8_t *bytes;
	size_t n_bytes;
	int (*write)(FILE *stream, const struct job *job);
};

static int write_c(FILE *stream, const struct job *job)
{
	mch_accel_header_c(stream, &job->table);
	return 0;
}

static int write_verilog(FILE *stream, const struct job *job)
{
	mch_accel_header_verilog(stream, &job->table);
	return 0;
}

static int write_json(FILE *stream, const struct job *job)
{
	json_t *root = mch_program_json(job->e, &job->p, job->time, &job->manifest);
	const int status = root ? json_dumpf(root, stream, JSON_INDENT(MCH_PROGRAM_JSON_INDENT) | JSON_ENSURE_ASCII) : -1;
	json_decref(root);
	return status == 0 && fputc('\n', stream) != EOF ? 0 : -1;
}

static int put(struct job *job, const char *name, const struct content *content, struct mch_err *err)
{
	struct mch_outfile out;
	char *path = mch_accel_path(job->dir, name, err);
	if (!path)
		return -1;
	int status = mch_outfile_open(&out, path, err);
	if (status == 0) {
		if (content->write)
			status = content->write(out.stream, job);
		else
			fwrite(content->bytes, 1, content->n_bytes, out.stream);
		/* A full disk, whoever saw it first, is told by commit: with the file and the reason. */
		if (status == 0 || ferror(out.stream))
			status = mch_outfile_commit(&out, err);
		else
			mch_err_set(err, path, "a name is no UTF-8, which JSON needs, or memory is short; rename it");
		mch_outfile_abandon(&out);
	}
	free(path);
	if (status != 0 || content->write == write_json)
		return status;
	return mch_accel_manifest_add(&job->manifest, job->dir, name, 0, 0, false, err);
}

/* The parameters of mch_top and what a driver has to know, and the hash that ties headers to the memory. */
static int fill_table(struct job *job, struct mch_err *err)
{
	const struct mch_accel_config *c = &job->p.cfg;
	const struct mch_program_tensor *in = &job->p.tensor[job->e->q->input];
	const struct {
		const char *name;
		uint64_t value;
		const char *comment;
	} rows[] = {
		{"ROWS", (uint64_t)c->rows, "pixels of a tile"},
		{"COLS", (uint64_t)c->cols, "channels of a word"},
		{"X_BITS", (uint64_t)c->x_bits, "activations"},
		{"W_BITS", (uint64_t)c->w_bits, "weights"},
		{"OUT_BITS", (uint64_t)c->out_bits, "results"},
		{"ACC_BITS", (uint64_t)c->acc_bits, "accumulators"},
		{"ROUND", (uint64_t)c->round, "0 floor, 1 half up, 2 half away, 3 half even, 4 stochastic"},
		{"MULT", (uint64_t)c->mult, "0 integers, 1 powers of two, 2 minifloats"},
		{"X_KIND", (uint64_t)c->x_kind, "of minifloats: 1 all codes numbers, 2 ieee, 3 fn, 4 flushed"},
		{"X_EXP", (uint64_t)c->x_exp, "exponent bits of activations"},
		{"W_KIND", (uint64_t)c->w_kind, "the same of weights"},
		{"W_EXP", (uint64_t)c->w_exp, "exponent bits of weights"},
		{"PACK", c->pack, "two columns in one multiplier"},
		{"MEM_BITS", (uint64_t)c->mem_bits, "a beat of memory"},
		{"X_WORDS", c->x_words, "words of one half of the feature buffer"},
		{"W_WORDS", c->w_words, "words of the ring of weights"},
		{"ELEM_BITS", (uint64_t)mch_accel_elem_bits(c), "an element of a word"},
		{"WORD_BYTES", mch_accel_word_bytes(c), "bytes of a word"},
		{"MEMORY_WORDS", job->p.n_words, "words of memory in all"},
		{"LOAD_ADDR", job->p.image_addr, "first word of what the driver loads"},
		{"INPUT_ADDR", in->addr, "first word of the input"},
		{"INPUT_STEP", in->step, "words from a block of it to the next"},
		{"INPUT_BLOCKS", (uint64_t)in->blocks, "blocks of it"},
		{"N_IMAGES", (uint64_t)job->e->n_images, "images in the folder"},
	};
	char sha[MCH_HASH_HEX];
	struct mch_hash hash;
	mch_accel_table_init(&job->table, NULL, 0);
	job->table.file = "mch_config";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].value > INT32_MAX
			 ? mch_accel_table_wide(&job->table, rows[i].name, rows[i].value, rows[i].comment, err)
			 : mch_accel_table_int(&job->table, rows[i].name, (int64_t)rows[i].value, rows[i].comment,
					       err)) != 0)
			return -1;
	mch_hash_begin(&hash);
	mch_hash_bytes(&hash, job->setup, job->n_bytes);
	mch_hash_end(&hash, sha);
	if (mch_accel_table_text(&job->table, "MEMORY_SHA256", sha, "of " MCH_PROGRAM_MEMORY, err) != 0)
		return -1;
	mch_accel_image_stamp(&job->table, NULL, 0);
	return 0;
}

/* Names as the headers would have them. */
static void fill_manifest(struct job *job)
{
	struct mch_accel_manifest *m = &job->manifest;
	memcpy(m->config_hash, job->table.hash, sizeof(m->config_hash));
	snprintf(m->net, sizeof(m->net), "%s", mch_accel_value_text(job->e->net_file).text);
	snprintf(m->quant, sizeof(m->quant), "%s", mch_accel_value_text(job->e->quant_file).text);
	snprintf(m->net_hash, sizeof(m->net_hash), "%s", job->e->net_hash);
	snprintf(m->quant_hash, sizeof(m->quant_hash), "%s", job->e->quant_hash);
}

static int prepare(struct job *job, struct mch_err *err)
{
	const struct mch_program_export *e = job->e;
	const struct mch_program_options options = {.allow_host = true, .keep = true, .tiles = e->tiles};
	if (mch_program_build(&job->p, e->q, &e->cfg, &options, err) != 0)
		return -1;
	job->n_bytes = (size_t)job->p.n_words * mch_accel_word_bytes(&job->p.cfg);
	job->setup = calloc(1, job->n_bytes);
	job->mem = malloc(job->n_bytes);
	job->time = calloc((size_t)job->p.n_descriptors + 1, sizeof(*job->time));
	if (!job->setup || !job->mem || !job->time)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	mch_program_load(&job->p, job->setup);
	if (mch_program_time(&job->p, job->time, err) != 0 || fill_table(job, err) != 0)
		return -1;
	fill_manifest(job);
	return mch_program_golden_init(&job->golden, &job->p, err);
}

/* The input's blocks one behind the other, whatever lies between them in memory. */
static int put_input(struct job *job, int image, struct mch_err *err)
{
	const struct mch_program_tensor *t = &job->p.tensor[job->e->q->input];
	const size_t word_bytes = mch_accel_word_bytes(&job->p.cfg);
	const size_t block = (size_t)t->h * (size_t)t->w * word_bytes, n_bytes = (size_t)t->blocks * block;
	char name[MCH_ACCEL_TEXT_MAX];
	uint8_t *bytes = malloc(n_bytes);
	if (!bytes)
		return mch_err_set(err, "program", "out of memory; use a machine with more");
	for (int b = 0; b < t->blocks; b++)
		memcpy(bytes + (size_t)b * block, job->mem + (t->addr + (size_t)b * t->step) * word_bytes, block);
	mch_program_input_name(name, image);
	const int status = put(job, name, &(struct content){bytes, n_bytes, NULL}, err);
	free(bytes);
	return status;
}

static int put_image(struct job *job, int image, struct mch_err *err)
{
	const struct mch_qnet *q = job->e->q;
	const int32_t *codes =
		job->e->codes + (size_t)image * mch_shape_elems(q->net->edges[q->input].shape);
	char name[MCH_ACCEL_TEXT_MAX];
	memcpy(job->mem, job->setup, job->n_bytes);
	mch_program_put_input(&job->p, codes, job->mem);
	if (put_input(job, image, err) != 0 ||
	    mch_program_golden_run(&job->golden, codes, job->mem, &job->summary->n_elems, err) != 0)
		return -1;
	if (job->e->labels) {
		const int n_classes = (int)mch_shape_elems(q->net->edges[q->output].shape);
		job->summary->n_right +=
			mch_argmax_raw(job->golden.output, n_classes) == job->e->labels[image];
	}
	mch_program_golden_name(name, image);
	return put(job, name, &(struct content){job->mem, job->n_bytes, NULL}, err);
}

static int put_all(struct job *job, struct mch_err *err)
{
	if (put(job, "mch_config.h", &(struct content){NULL, 0, write_c}, err) != 0 ||
	    put(job, "mch_config.vh", &(struct content){NULL, 0, write_verilog}, err) != 0 ||
	    put(job, MCH_PROGRAM_MEMORY, &(struct content){job->setup, job->n_bytes, NULL}, err) != 0)
		return -1;
	for (int i = 0; i < job->e->n_images; i++)
		if (put_image(job, i, err) != 0)
			return -1;
	return put(job, MCH_PROGRAM_JSON, &(struct content){NULL, 0, write_json}, err);
}

static void summarize(const struct job *job)
{
	struct mch_program_summary *s = job->summary;
	memcpy(s->config_hash, job->table.hash, sizeof(s->config_hash));
	s->n_files = job->manifest.n_entries + 1;
	for (int i = 0; i < job->manifest.n_entries; i++)
		s->n_bytes += job->manifest.entries[i].n_bytes;
	for (int i = 0; i < job->p.n_parts; i++)
		*(job->p.part[i].is_host ? &s->n_host : &s->n_lists) += 1;
	for (int e = 0; e < job->p.n_tensors; e++)
		s->n_tensors += job->p.tensor[e].is_used;
	s->n_descriptors = job->p.n_descriptors;
	for (int i = 0; i < job->p.n_descriptors; i++) {
		s->macs += job->p.descriptor[i].macs;
		s->cycles += job->time[i].cycles;
	}
	s->n_words = job->p.n_words;
	s->word_bytes = mch_accel_word_bytes(&job->p.cfg);
	if (!job->e->labels)
		s->n_right = -1;
}

static void end(struct job *job)
{
	mch_program_golden_free(&job->golden);
	mch_program_free(&job->p);
	mch_accel_manifest_free(&job->manifest);
	mch_accel_table_free(&job->table);
	free(job->time);
	free(job->setup);
	free(job->mem);
}

int mch_program_export(const struct mch_program_export *e, const char *dir, bool force,
		       struct mch_program_summary *summary, struct mch_err *err)
{
	struct job job = {.e = e, .summary = summary};
	struct mch_accel_folder folder;
	*summary = (struct mch_program_summary){0};
	if (mch_accel_folder_begin(&folder, dir, force, err) != 0)
		return -1;
	job.dir = folder.temporary;
	int status = prepare(&job, err);
	if (status == 0)
		status = put_all(&job, err);
	if (status != 0)
		mch_accel_folder_rename(err, job.dir, dir);
	else
		summarize(&job);
	if (status == 0)
		status = mch_accel_folder_commit(&folder, err);
	mch_accel_folder_abandon(&folder);
	end(&job);
	return status;
}
