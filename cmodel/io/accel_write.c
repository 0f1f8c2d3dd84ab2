/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The export, file by file; see accel_write.h. */
#include "io/accel_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "io/accel_folder.h"
#include "io/accel_golden.h"
#include "io/accel_header.h"
#include "io/accel_image.h"
#include "io/accel_manifest.h"
#include "net/dataset.h"

/* All that the files are made from. */
struct job {
	const struct mch_accel_export *e;
	const char *dir; /* the temporary folder */
	char (*stems)[MCH_ACCEL_TEXT_MAX];
	struct mch_accel_table table;
	struct mch_accel_golden golden;
	struct mch_accel_images test;
	struct mch_accel_image *images;
	int n_images; /* memory images */
	char redo[256];
	struct mch_accel_manifest manifest;
};

/* One file: how to write it, and what the manifest says of it. */
struct file {
	const char *name;
	int (*write)(FILE *stream, const struct job *job, const void *what, struct mch_err *err);
	const void *what;
	const struct mch_accel_image *image; /* NULL when it is none */
};

static int write_c(FILE *stream, const struct job *job, const void *what, struct mch_err *err)
{
	(void)what, (void)err;
	mch_accel_header_c(stream, &job->table);
	return 0;
}

static int write_verilog(FILE *stream, const struct job *job, const void *what, struct mch_err *err)
{
	(void)what, (void)err;
	mch_accel_header_verilog(stream, &job->table);
	return 0;
}

static int write_image(FILE *stream, const struct job *job, const void *what, struct mch_err *err)
{
	return mch_accel_image_write(stream, what, job->table.hash, err);
}

/* An image in another form. */
struct form {
	const struct mch_accel_image *image;
	enum mch_mem_form form;
};

static int write_form(FILE *stream, const struct job *job, const void *what, struct mch_err *err)
{
	const struct form *form = what;
	return mch_accel_image_form(stream, form->image, form->form, job->table.hash, err);
}

static int write_vector(FILE *stream, const struct job *job, const void *what, struct mch_err *err)
{
	const struct mch_step *step = what;
	const ptrdiff_t i = step - job->e->q->steps;
	const struct mch_accel_run run = {job->golden.n_images, job->golden.value[step->in], NULL, NULL};
	return mch_accel_vector_write(stream, step, &run, job->golden.cases[i], job->golden.n_cases, job->table.hash,
				      job->redo, err);
}

static int write_manifest(FILE *stream, const struct job *job, const void *what, struct mch_err *err)
{
	(void)what;
	return mch_accel_manifest_write(stream, &job->manifest, err);
}

static int put(struct job *job, struct file file, struct mch_err *err)
{
	struct mch_outfile out;
	char *path = mch_accel_path(job->dir, file.name, err);
	if (!path)
		return -1;
	int status = mch_outfile_open(&out, path, err);
	if (status == 0) {
		status = file.write(out.stream, job, file.what, err);
		/* A full disk, whoever saw it first, is told by commit: with the file and the reason. */
		if (status == 0 || ferror(out.stream))
			status = mch_outfile_commit(&out, err);
		mch_outfile_abandon(&out);
	}
	free(path);
	if (status != 0 || file.write == write_manifest)
		return status;
	return mch_accel_manifest_add(&job->manifest, job->dir, file.name, file.image ? file.image->n_words : 0,
				      file.image ? file.image->bits : 0, file.image && file.image->is_signed, err);
}

static int put_image(struct job *job, const struct mch_accel_image *image, struct mch_err *err)
{
	int status = put(job, (struct file){image->file, write_image, image, image}, err);
	for (int i = 0; i < MCH_MEM_N_FORMS && status == 0; i++) {
		const struct form form = {image, (enum mch_mem_form)i};
		char name[MCH_ACCEL_TEXT_MAX];
		if (!(job->e->forms >> i & 1))
			continue;
		mch_accel_image_form_name(image, form.form, name);
		status = put(job, (struct file){name, write_form, &form, image}, err);
	}
	return status;
}

static int put_all(struct job *job, struct mch_err *err)
{
	const struct mch_qnet *q = job->e->q;
	if (put(job, (struct file){"macchiato_config.h", write_c, NULL, NULL}, err) != 0 ||
	    put(job, (struct file){"macchiato_config.vh", write_verilog, NULL, NULL}, err) != 0)
		return -1;
	for (int i = 0; i < job->n_images; i++)
		if (put_image(job, &job->images[i], err) != 0)
			return -1;
	for (int i = 0; i < q->n_steps; i++) {
		char name[MCH_ACCEL_TEXT_MAX];
		if (!mch_accel_on_array(&q->steps[i]))
			continue;
		snprintf(name, sizeof(name), "%.96s.dot.vec", job->stems[i]);
		if (put(job, (struct file){name, write_vector, &q->steps[i], NULL}, err) != 0)
			return -1;
	}
	return put(job, (struct file){MCH_ACCEL_MANIFEST, write_manifest, NULL, NULL}, err);
}

/* Numbers before any file: the golden run, the constants, and the hash that all files are stamped with. */
static int prepare(struct job *job, struct mch_err *err)
{
	const struct mch_accel_export *e = job->e;
	const struct mch_qnet *q = e->q;
	job->stems = calloc((size_t)q->n_steps, sizeof(*job->stems));
	job->images = calloc(3 * (size_t)q->n_steps + 3, sizeof(*job->images));
	if (!job->stems || !job->images)
		return mch_err_set(err, q->net->name ? q->net->name : "network", "out of memory; free some");
	if (mch_accel_config(q, &e->array, e->n_images, &job->table, job->stems, err) != 0 ||
	    mch_accel_golden_run(q, e->n_images, e->codes, e->n_vectors, e->seed, &job->golden, err) != 0)
		return -1;
	job->test = (struct mch_accel_images){e->n_images, e->codes, e->labels, job->golden.value[q->output]};
	job->n_images = mch_accel_image_list(q, job->stems, &job->test, job->images);
	mch_accel_image_stamp(&job->table, job->images, job->n_images);

	struct mch_accel_manifest *m = &job->manifest;
	const struct mch_accel_value net = mch_accel_value_text(e->net_file);
	const struct mch_accel_value quant = mch_accel_value_text(e->quant_file);
	char data[32] = "";
	if (e->n_images > 0)
		snprintf(data, sizeof(data), " --data=DIR --images=%d", e->n_images);
	snprintf(job->redo, sizeof(job->redo),
		 "macchiato export %.64s %.64s -o DIR%s --array=%dx%d --vectors=%d --seed=%" PRIu32, net.text,
		 quant.text, data, e->array.rows, e->array.cols, e->n_vectors, e->seed);
	memcpy(m->config_hash, job->table.hash, sizeof(m->config_hash));
	snprintf(m->net, sizeof(m->net), "%s", net.text);
	snprintf(m->quant, sizeof(m->quant), "%s", quant.text);
	snprintf(m->net_hash, sizeof(m->net_hash), "%s", e->net_hash);
	snprintf(m->quant_hash, sizeof(m->quant_hash), "%s", e->quant_hash);
	m->rows = e->array.rows;
	m->cols = e->array.cols;
	m->n_vectors = e->n_vectors;
	m->n_images = e->n_images;
	m->seed = e->seed;
	return 0;
}

static void summarize(const struct job *job, struct mch_accel_summary *summary)
{
	const struct mch_accel_export *e = job->e;
	const size_t n_classes = mch_shape_elems(e->q->net->edges[e->q->output].shape);
	*summary = (struct mch_accel_summary){.n_files = job->manifest.n_entries + 1};
	memcpy(summary->config_hash, job->table.hash, sizeof(summary->config_hash));
	for (int i = 0; i < e->q->n_steps; i++)
		summary->n_layers += mch_accel_on_array(&e->q->steps[i]);
	summary->n_vectors = (uint64_t)summary->n_layers * (uint64_t)e->n_vectors;
	for (int i = 0; i < job->manifest.n_entries; i++)
		summary->n_bytes += job->manifest.entries[i].n_bytes;
	for (int i = 0; i < e->n_images; i++)
		summary->n_right += mch_argmax_raw(job->test.logits + (size_t)i * n_classes, (int)n_classes) ==
				    e->labels[i];
}

int mch_accel_export(const struct mch_accel_export *e, const char *dir, bool force, struct mch_accel_summary *summary,
		     struct mch_err *err)
{
	struct job job = {.e = e};
	struct mch_accel_folder folder;
	if (mch_accel_folder_begin(&folder, dir, force, err) != 0)
		return -1;
	job.dir = folder.temporary;
	int status = prepare(&job, err);
	if (status == 0)
		status = put_all(&job, err);
	if (status != 0)
		mch_accel_folder_rename(err, job.dir, dir);
	else
		summarize(&job, summary);
	if (status == 0)
		status = mch_accel_folder_commit(&folder, err);
	mch_accel_folder_abandon(&folder);
	mch_accel_manifest_free(&job.manifest);
	mch_accel_golden_free(&job.golden);
	mch_accel_table_free(&job.table);
	free(job.images);
	free(job.stems);
	return status;
}
