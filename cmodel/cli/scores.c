/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The checkpoint of a search; see scores.h. */
#include "cli/scores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/outfile.h"
#include "io/file.h"

enum {
	LIMIT_BYTES = 1 << 20, /* 16^3 scores of 50 bytes and a key */
	N_SCORES_MAX = MCH_OPERAND_BITS_MAX * MCH_OPERAND_BITS_MAX * MCH_OPERAND_BITS_MAX,
};

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "scores", "out of memory; use a machine with more");
}

static int append(struct mch_scores *s, const int *width, int n_correct, struct mch_err *err)
{
	if (s->n == s->room) {
		const size_t room = s->room ? 2 * s->room : 64;
		struct mch_score *more = realloc(s->score, room * sizeof(*more));
		if (!more)
			return no_memory(err);
		s->score = more;
		s->room = room;
	}
	memcpy(s->score[s->n].width, width, sizeof(s->score[s->n].width));
	s->score[s->n++].n_correct = n_correct;
	return 0;
}

static int write_all(const struct mch_scores *s, struct mch_err *err)
{
	struct mch_outfile file;
	if (!s->path)
		return 0;
	if (mch_outfile_open(&file, s->path, err) != 0)
		return -1;
	fprintf(file.stream, "%s\n", s->key);
	for (size_t i = 0; i < s->n; i++) {
		const int *w = s->score[i].width;
		fprintf(file.stream, "{\"widths\": [%d, %d, %d], \"correct\": %d}\n", w[0], w[1], w[2],
			s->score[i].n_correct);
	}
	return mch_outfile_commit(&file, err);
}

/* One line behind the key. 0, or -1 when it is not what write_all writes. */
static int read_line(struct mch_scores *s, const char *line, int n_images)
{
	int width[MCH_N_PARTS], n_correct, known;
	json_t *value = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	int status = json_unpack(value, "{s:[i,i,i!], s:i!}", "widths", &width[0], &width[1], &width[2], "correct",
				 &n_correct);
	json_decref(value);
	for (int p = 0; status == 0 && p < MCH_N_PARTS; p++)
		if (width[p] < 1 || width[p] > MCH_OPERAND_BITS_MAX)
			status = -1;
	if (status != 0 || n_correct < 0 || n_correct > n_images || s->n >= N_SCORES_MAX ||
	    mch_scores_lookup(s, width, &known))
		return -1;
	return append(s, width, n_correct, NULL);
}

/* Takes over what an earlier run left; nothing at all when any line of it is strange. */
static enum mch_scores_found read_all(struct mch_scores *s, int n_images)
{
	char *text, *rest = NULL;
	size_t n_bytes;
	if (access(s->path, F_OK) != 0)
		return MCH_SCORES_NONE;
	if (mch_file_read(s->path, LIMIT_BYTES, &text, &n_bytes, NULL) != 0)
		return MCH_SCORES_FOREIGN;
	char *line = strtok_r(text, "\n", &rest);
	bool is_ours = line && strcmp(line, s->key) == 0;
	while (is_ours && (line = strtok_r(NULL, "\n", &rest)) != NULL)
		is_ours = read_line(s, line, n_images) == 0;
	free(text);
	if (!is_ours)
		s->n = 0;
	return is_ours ? MCH_SCORES_RESUMED : MCH_SCORES_FOREIGN;
}

int mch_scores_open(struct mch_scores *s, const char *output_path, const json_t *key, int n_images,
		    enum mch_scores_found *found, struct mch_err *err)
{
	*s = (struct mch_scores){0};
	*found = MCH_SCORES_NONE;
	s->key = json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS);
	if (!s->key)
		return no_memory(err);
	if (output_path) {
		const size_t room = strlen(output_path) + sizeof(".part");
		s->path = malloc(room);
		if (!s->path) {
			mch_scores_free(s);
			return no_memory(err);
		}
		snprintf(s->path, room, "%s.part", output_path);
		*found = read_all(s, n_images);
	}
	if (write_all(s, err) != 0) {
		mch_scores_free(s);
		return -1;
	}
	return 0;
}

bool mch_scores_lookup(const struct mch_scores *s, const int *width, int *n_correct)
{
	for (size_t i = 0; i < s->n; i++) {
		if (memcmp(s->score[i].width, width, sizeof(s->score[i].width)) == 0) {
			*n_correct = s->score[i].n_correct;
			return true;
		}
	}
	return false;
}

int mch_scores_store(struct mch_scores *s, const int *width, int n_correct, struct mch_err *err)
{
	return append(s, width, n_correct, err) == 0 ? write_all(s, err) : -1;
}

void mch_scores_remove(const struct mch_scores *s)
{
	if (s->path)
		unlink(s->path);
}

void mch_scores_free(struct mch_scores *s)
{
	free(s->path);
	free(s->key);
	free(s->score);
	*s = (struct mch_scores){0};
}
