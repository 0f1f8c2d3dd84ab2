/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* macchiato export --program: a program of the accelerator as a folder. */
#include "cli/export_program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"

static void report(const struct mch_export_program *job, const struct mch_program_export *e,
		   const struct mch_program_summary *s)
{
	const struct mch_accel_config *c = &e->cfg;
	const uint64_t lanes = (uint64_t)c->rows * (uint64_t)c->cols;
	const double used = s->cycles ? (double)s->macs / (double)(s->cycles * lanes) : 0;
	if (job->json) {
		printf("{\"config_hash\": \"%s\", \"array\": \"%dx%d\", \"lists\": %d, \"descriptors\": %d, \"host\": %d, "
		       "\"tensors\": %d, \"words\": %" PRIu32 ", \"macs\": %" PRIu64 ", \"cycles\": %" PRIu64
		       ", \"images\": %d, \"compared\": %" PRIu64 ", \"right\": %d, \"files\": %d, \"bytes\": %" PRIu64
		       "}\n",
		       s->config_hash, c->rows, c->cols, s->n_lists, s->n_descriptors, s->n_host, s->n_tensors,
		       s->n_words, s->macs, s->cycles, e->n_images, s->n_elems, s->n_right, s->n_files, s->n_bytes);
		return;
	}
	printf("folder      %s: %d files, %" PRIu64 " bytes\n", job->out, s->n_files, s->n_bytes);
	printf("config      %s\n", s->config_hash);
	printf("build       %dx%d %s, x %d, w %d, out %d, acc %d bits; memory %d bits, buffers %" PRIu32 " and %" PRIu32
	       " words\n",
	       c->rows, c->cols, mch_build_mult_name(c), c->x_bits, c->w_bits,
	       c->out_bits, c->acc_bits, c->mem_bits, c->x_words, c->w_words);
	printf("program     %d descriptors in %d lists, %d steps of the host, memory of %" PRIu32 " words\n",
	       s->n_descriptors, s->n_lists, s->n_host, s->n_words);
	printf("cycles      %" PRIu64 " for an image, %.1f %% of the array\n", s->cycles, 100 * used);
	printf("images      %d of %s; %" PRIu64 " elements of %d tensors are those of the exact model\n", e->n_images,
	       e->is_random ? "noise: give --data for real ones" : "the test images", s->n_elems, s->n_tensors);
	if (s->n_right >= 0)
		printf("right       %d\n", s->n_right);
}

/* As many images of noise as e->n_images says; NULL when memory is short. */
static int32_t *noise(const struct mch_program_export *e, uint32_t seed)
{
	const struct mch_qnet *q = e->q;
	const size_t n = (size_t)e->n_images * mch_shape_elems(q->net->edges[q->input].shape);
	const int64_t low = mch_format_min(q->input_format), high = mch_format_max(q->input_format);
	struct mch_rng rng = mch_rng_seed(seed);
	int32_t *codes = malloc(n * sizeof(*codes));
	for (size_t i = 0; codes && i < n; i++)
		codes[i] = (int32_t)(low + (int64_t)mch_rng_below(&rng, (uint32_t)(high - low + 1)));
	return codes;
}

int mch_export_program(const struct mch_export_program *job, struct mch_program_export *e, struct mch_err *err)
{
	struct mch_program_summary summary;
	int32_t *made = NULL;
	int *tiles = NULL;
	uint64_t before, after;
	if (mch_build_config(&job->build, job->rows, job->cols, e->q, &e->cfg, err) != 0)
		return -1;
	if (!e->codes) {
		made = noise(e, job->seed);
		if (!made)
			return mch_err_set(err, "--images", "no memory for %d images; ask for fewer", e->n_images);
		e->codes = made;
		e->is_random = true;
	}
	int status = 0;
	if (job->build.refine)
		status = mch_build_refine(e->q, &e->cfg, true, &tiles, &before, &after, err);
	e->tiles = tiles;
	if (status == 0)
		status = mch_program_export(e, job->out, job->force, &summary, err);
	if (status == 0)
		report(job, e, &summary);
	free(made);
	free(tiles);
	return status;
}
