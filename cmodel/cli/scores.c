/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The checkpoint of a search; see scores.h. */
#include "cli/scores.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"
#include "quant/knobs.h"
#include "quant/mixed.h"
#include "tensor/crc32.h"

enum {
	LIMIT_BYTES = 1 << 28,
	CRC_CHARS = 9, /* eight digits and a blank */
};

static int no_memory(struct mch_err *err)
{
	return mch_err_set(err, "scores", "out of memory; use a machine with more");
}

static int cannot_write(const struct mch_scores *s, struct mch_err *err)
{
	return mch_err_set(err, s->path, "cannot be written (%s); check the folder, its permissions and free space",
			   strerror(errno));
}

static int append(struct mch_scores *s, const int8_t *setting, const struct mch_right *right, struct mch_err *err)
{
	if (s->n == s->room) {
		const size_t room = s->room ? 2 * s->room : 64;
		struct mch_candidate *more = realloc(s->list, room * sizeof(*more));
		if (!more)
			return no_memory(err);
		s->list = more;
		s->room = room;
	}
	int8_t *copy = malloc((size_t)s->n_knobs + 1);
	if (!copy)
		return no_memory(err);
	memcpy(copy, setting, (size_t)s->n_knobs);
	s->list[s->n++] = (struct mch_candidate){copy, *right};
	return 0;
}

/* A line is on the disk before the search goes on; one that a kill tears is told by its checksum or its missing end.
 */
static int put_line(struct mch_scores *s, const json_t *value, struct mch_err *err)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
	if (!text)
		return no_memory(err);
	int status = 0;
	if (s->path) {
		errno = EIO;
		status = fprintf(s->stream, "%08" PRIx32 " %s\n", mch_crc32(0, text, strlen(text)), text) < 0 ||
			 fflush(s->stream) != 0;
		/* A pipe or the like cannot be synced, and needs not be. */
		if (status == 0 && fsync(fileno(s->stream)) != 0 && errno != EINVAL && errno != EROFS)
			status = 1;
	}
	free(text);
	return status == 0 ? 0 : cannot_write(s, err);
}

static bool is_width(json_int_t bits)
{
	return bits >= 1 && bits <= MCH_OPERAND_BITS_MAX;
}

static int take_noise(struct mch_scores *s, json_t *value)
{
	json_int_t knob, bits;
	double noise;
	if (json_unpack_ex(value, NULL, JSON_STRICT, "{s:I, s:I, s:F}", "knob", &knob, "bits", &bits, "noise",
			   &noise) != 0 ||
	    knob < 0 || knob >= s->n_knobs || !is_width(bits) || !(noise >= 0))
		return -1;
	double *known = &s->noise[knob * MCH_MIXED_WIDTHS + bits];
	if (!isnan(*known))
		return -1;
	*known = noise;
	s->n_noise++;
	return 0;
}

/* A setting is told once as a bound and once in full at most, in this order. */
static int take_score(struct mch_scores *s, json_t *value)
{
	const char *text;
	struct mch_right right, known;
	int bound = 0;
	if (json_unpack_ex(value, NULL, JSON_STRICT, "{s:s, s:i, s:i, s:b}", "widths", &text, "right",
			   &right.n_correct, "seen", &right.n_seen, "bound", &bound) != 0)
		return -1;
	right.is_bound = bound != 0;
	int8_t *setting = malloc((size_t)s->n_knobs + 1);
	int status = setting ? mch_knobs_parse(text, s->n_knobs, setting) : -1;
	if (right.n_correct < 0 || right.n_correct > s->n_images || right.n_seen < 1 || right.n_seen > s->n_images ||
	    (!right.is_bound && right.n_seen != s->n_images))
		status = -1;
	if (status == 0 && mch_scores_lookup(s, setting, &known) && !(known.is_bound && !right.is_bound))
		status = -1;
	if (status == 0)
		status = append(s, setting, &right, NULL);
	free(setting);
	return status;
}

/* The JSON of a line, or NULL when it is not what put_line writes. */
static json_t *line_value(const char *line)
{
	char digits[CRC_CHARS];
	uint32_t crc;
	if (strlen(line) < CRC_CHARS || line[CRC_CHARS - 1] != ' ')
		return NULL;
	memcpy(digits, line, CRC_CHARS - 1);
	digits[CRC_CHARS - 1] = '\0';
	line += CRC_CHARS;
	if (mch_crc32_parse(digits, &crc) != 0 || crc != mch_crc32(0, line, strlen(line)))
		return NULL;
	return json_loads(line, JSON_REJECT_DUPLICATES, NULL);
}

/* Lines of text into s: the length of those that are whole, or -1 when another than the last is strange, or the first
 * is not the key. */
static long read_lines(struct mch_scores *s, char *text, const json_t *key)
{
	char *line = text, *end;
	bool is_key = true;
	for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		json_t *value = line_value(line);
		const bool is_last = end[1] == '\0';
		int status = value ? 0 : -1;
		if (status == 0 && is_key)
			status = json_equal(value, key) ? 0 : -2;
		else if (status == 0)
			status = json_object_get(value, "knob") ? take_noise(s, value) : take_score(s, value);
		status = status == -1 && value ? -2 : status;
		json_decref(value);
		if (status == -1 && is_last && !is_key)
			break;
		if (status != 0)
			return -1;
		is_key = false;
	}
	return is_key && *line ? -1 : line - text;
}

static void forget(struct mch_scores *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i].setting);
	s->n = s->n_noise = 0;
	for (int i = 0; i < s->n_knobs * MCH_MIXED_WIDTHS; i++)
		s->noise[i] = NAN;
}

/* Takes over what an earlier run left, and cuts off a last line that is not whole; nothing when any other is strange.
 */
static enum mch_scores_found read_all(struct mch_scores *s, const json_t *key, long *kept)
{
	char *text;
	size_t n_bytes;
	*kept = 0;
	if (access(s->path, F_OK) != 0)
		return MCH_SCORES_NONE;
	if (mch_file_read(s->path, LIMIT_BYTES, &text, &n_bytes, NULL) != 0)
		return MCH_SCORES_FOREIGN;
	const bool is_begun = n_bytes > 0 && memchr(text, '\n', n_bytes) == NULL; /* killed in the key */
	const long n_whole = strlen(text) == n_bytes ? read_lines(s, text, key) : -1;
	free(text);
	if (n_whole > 0) {
		*kept = n_whole;
		return MCH_SCORES_RESUMED;
	}
	forget(s);
	return n_bytes == 0 || is_begun ? MCH_SCORES_NONE : MCH_SCORES_FOREIGN;
}

static int open_file(struct mch_scores *s, const json_t *key, enum mch_scores_found *found, struct mch_err *err)
{
	long kept;
	*found = read_all(s, key, &kept);
	s->stream = fopen(s->path, "ab");
	if (!s->stream || (ftruncate(fileno(s->stream), kept) != 0 && errno != EINVAL))
		return cannot_write(s, err);
	if (kept || put_line(s, key, err) == 0)
		return 0;
	unlink(s->path); /* a disk that is full: nothing of worth is in it */
	return -1;
}

int mch_scores_open(struct mch_scores *s, const char *output_path, const json_t *key, int n_knobs, int n_images,
		    enum mch_scores_found *found, struct mch_err *err)
{
	*s = (struct mch_scores){.n_knobs = n_knobs, .n_images = n_images};
	*found = MCH_SCORES_NONE;
	s->noise = malloc((size_t)(n_knobs * MCH_MIXED_WIDTHS + 1) * sizeof(*s->noise));
	if (!s->noise)
		return no_memory(err);
	forget(s);
	if (!output_path)
		return 0;
	const size_t room = strlen(output_path) + sizeof(".part");
	s->path = malloc(room);
	int status = -1;
	if (s->path) {
		snprintf(s->path, room, "%s.part", output_path);
		status = open_file(s, key, found, err);
	} else {
		no_memory(err);
	}
	if (status != 0)
		mch_scores_free(s);
	return status;
}

bool mch_scores_lookup(const struct mch_scores *s, const int8_t *setting, struct mch_right *right)
{
	bool is_found = false;
	for (size_t i = 0; i < s->n; i++) {
		if (memcmp(s->list[i].setting, setting, (size_t)s->n_knobs) != 0 ||
		    (is_found && s->list[i].right.is_bound))
			continue;
		*right = s->list[i].right;
		is_found = true;
	}
	return is_found;
}

int mch_scores_store(struct mch_scores *s, const int8_t *setting, const struct mch_right *right, struct mch_err *err)
{
	char *text = malloc((size_t)s->n_knobs + 1);
	if (!text)
		return no_memory(err);
	mch_knobs_text(setting, s->n_knobs, text);
	json_t *line = json_pack("{s:s, s:i, s:i, s:b}", "widths", text, "right", right->n_correct, "seen",
				 right->n_seen, "bound", (int)right->is_bound);
	free(text);
	const int status = !line ? no_memory(err) : append(s, setting, right, err) == 0 ? put_line(s, line, err) : -1;
	json_decref(line);
	return status;
}

bool mch_scores_lookup_noise(const struct mch_scores *s, int knob, int bits, double *noise)
{
	*noise = s->noise[knob * MCH_MIXED_WIDTHS + bits];
	return !isnan(*noise);
}

int mch_scores_store_noise(struct mch_scores *s, int knob, int bits, double noise, struct mch_err *err)
{
	json_t *line = json_pack("{s:i, s:i, s:f}", "knob", knob, "bits", bits, "noise", noise);
	const int status = line ? put_line(s, line, err) : no_memory(err);
	json_decref(line);
	s->noise[knob * MCH_MIXED_WIDTHS + bits] = noise;
	s->n_noise++;
	return status;
}

void mch_scores_remove(const struct mch_scores *s)
{
	if (s->path)
		unlink(s->path);
}

void mch_scores_free(struct mch_scores *s)
{
	if (s->stream)
		fclose(s->stream);
	forget(s);
	free(s->path);
	free(s->list);
	free(s->noise);
	*s = (struct mch_scores){0};
}
