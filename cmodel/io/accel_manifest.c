/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The manifest of an exported folder; see accel_manifest.h. */
#include "io/accel_manifest.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/file.h"

enum { MANIFEST_BYTES_MAX = 64 << 20, INDENT = 2 };
static const char kind[] = "macchiato accelerator";

void mch_accel_manifest_free(struct mch_accel_manifest *m)
{
	free(m->entries);
	memset(m, 0, sizeof(*m));
}

char *mch_accel_path(const char *dir, const char *name, struct mch_err *err)
{
	const size_t room = strlen(dir) + strlen(name) + 2;
	char *path = malloc(room);
	if (path)
		snprintf(path, room, "%s/%s", dir, name);
	else
		mch_err_set(err, dir, "out of memory; free some");
	return path;
}

const struct mch_accel_entry *mch_accel_manifest_find(const struct mch_accel_manifest *m, const char *name)
{
	for (int i = 0; i < m->n_entries; i++)
		if (strcmp(m->entries[i].name, name) == 0)
			return &m->entries[i];
	return NULL;
}

static struct mch_accel_entry *append(struct mch_accel_manifest *m)
{
	if (m->n_entries == m->room) {
		const int room = m->room ? 2 * m->room : 32;
		struct mch_accel_entry *entries = realloc(m->entries, (size_t)room * sizeof(*entries));
		if (!entries)
			return NULL;
		m->entries = entries;
		m->room = room;
	}
	struct mch_accel_entry *entry = &m->entries[m->n_entries++];
	memset(entry, 0, sizeof(*entry));
	return entry;
}

int mch_accel_manifest_add(struct mch_accel_manifest *m, const char *dir, const char *name, uint64_t n_words,
			   int bits, bool is_signed, struct mch_err *err)
{
	char *path = mch_accel_path(dir, name, err);
	if (!path)
		return -1;
	struct stat about;
	struct mch_accel_entry *entry = append(m);
	int status = 0;
	if (!entry)
		status = mch_err_set(err, path, "out of memory; free some");
	else if (stat(path, &about) != 0)
		status = mch_err_set(err, path, "cannot be read back (%s); check the folder", strerror(errno));
	else
		status = mch_hash_file(path, entry->sha256, err);
	if (status == 0) {
		snprintf(entry->name, sizeof(entry->name), "%s", name);
		entry->n_bytes = (uint64_t)about.st_size;
		entry->n_words = n_words;
		entry->bits = bits;
		entry->is_signed = is_signed;
	}
	free(path);
	return status;
}

/* SHA-256 of the content, whatever its white space. */
static int content_hash(const json_t *root, char hex[MCH_HASH_HEX])
{
	char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	if (!text)
		return -1;
	struct mch_hash hash;
	mch_hash_begin(&hash);
	mch_hash_text(&hash, text);
	mch_hash_end(&hash, hex);
	free(text);
	return 0;
}

bool mch_manifest_is_plain(const json_t *root, int indent, const char *text, size_t n_bytes)
{
	char *again = json_dumps(root, JSON_INDENT((size_t)indent) | JSON_ENSURE_ASCII);
	const size_t n = again ? strlen(again) : 0;
	const bool is_plain = again && n_bytes == n + 1 && memcmp(again, text, n) == 0 && text[n] == '\n';
	free(again);
	return is_plain;
}

static json_t *entry_json(const struct mch_accel_entry *e)
{
	if (e->bits == 0)
		return json_pack("{s:s, s:I, s:s}", "name", e->name, "bytes", (json_int_t)e->n_bytes, "sha256",
				 e->sha256);
	return json_pack("{s:s, s:I, s:s, s:I, s:i, s:b}", "name", e->name, "bytes", (json_int_t)e->n_bytes, "sha256",
			 e->sha256, "words", (json_int_t)e->n_words, "bits", e->bits, "signed", (int)e->is_signed);
}

/* NULL when memory is short. */
static json_t *manifest_json(const struct mch_accel_manifest *m)
{
	char array[32], hash[MCH_HASH_HEX];
	snprintf(array, sizeof(array), "%dx%d", m->rows, m->cols);
	json_t *files = json_array();
	for (int i = 0; files && i < m->n_entries; i++)
		if (json_array_append_new(files, entry_json(&m->entries[i])) != 0) {
			json_decref(files);
			files = NULL;
		}
	json_t *root = json_pack("{s:s, s:i, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:i, s:i, s:I}, s:o}",
				 "kind", kind, "version", MCH_ACCEL_VERSION, "config_hash", m->config_hash,
				 "net", "file", m->net, "sha256", m->net_hash,
				 "quant", "file", m->quant, "sha256", m->quant_hash,
				 "options", "array", array, "vectors", m->n_vectors, "images", m->n_images,
				 "seed", (json_int_t)m->seed, "files", files);
	if (root && (content_hash(root, hash) != 0 || json_object_set_new(root, "sha256", json_string(hash)) != 0)) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

int mch_accel_manifest_write(FILE *stream, const struct mch_accel_manifest *m, struct mch_err *err)
{
	json_t *root = manifest_json(m);
	if (!root)
		return mch_err_set(err, MCH_ACCEL_MANIFEST, "out of memory; free some");
	const int broken = json_dumpf(root, stream, JSON_INDENT(INDENT) | JSON_ENSURE_ASCII) != 0 ||
			   fputc('\n', stream) == EOF;
	json_decref(root);
	return broken ? mch_err_set(err, MCH_ACCEL_MANIFEST, "cannot be written; check free space") : 0;
}

static bool is_hash(const char *text)
{
	return strlen(text) == MCH_HASH_HEX - 1 && strspn(text, "0123456789abcdef") == MCH_HASH_HEX - 1;
}

/* A name out of a file becomes a path: it must not lead out of the folder. */
static bool is_plain_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < MCH_ACCEL_TEXT_MAX;
}

static bool parse_entry(json_t *item, struct mch_accel_entry *e)
{
	const char *name, *sha256;
	json_int_t n_bytes, n_words = 0;
	int is_signed = 0;
	if (json_unpack(item, "{s:s, s:I, s:s, s?I, s?i, s?b}", "name", &name, "bytes", &n_bytes, "sha256", &sha256,
			"words", &n_words, "bits", &e->bits, "signed", &is_signed) != 0)
		return false;
	/* A word takes at least a digit and a line's end: so a count can be trusted with memory. */
	if (!is_plain_name(name) || !is_hash(sha256) || n_bytes < 0 || n_words < 0 || n_words > n_bytes / 2 ||
	    e->bits < 0 || e->bits > 64)
		return false;
	snprintf(e->name, sizeof(e->name), "%s", name);
	snprintf(e->sha256, sizeof(e->sha256), "%s", sha256);
	e->n_bytes = (uint64_t)n_bytes;
	e->n_words = (uint64_t)n_words;
	e->is_signed = is_signed;
	return true;
}

static int parse(const char *path, json_t *root, struct mch_accel_manifest *m, struct mch_err *err)
{
	const char *found_kind = "", *config_hash, *net, *net_hash, *quant, *quant_hash, *array, *own_hash;
	int version = 0;
	char hash[MCH_HASH_HEX];
	json_int_t seed;
	json_t *files, *item;
	size_t i;
	json_unpack(root, "{s:s, s:i}", "kind", &found_kind, "version", &version);
	if (strcmp(found_kind, kind) != 0)
		return mch_err_set(err, path, "is no manifest of an exported accelerator; give a folder that "
				   "`macchiato export` made");
	if (version != MCH_ACCEL_VERSION)
		return mch_err_set(err, path, "has version %d, this program reads version %d; export again", version,
				   MCH_ACCEL_VERSION);
	if (json_unpack(root, "{s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:i, s:i, s:I}, s:o, s:s}",
			"config_hash", &config_hash, "net", "file", &net, "sha256", &net_hash,
			"quant", "file", &quant, "sha256", &quant_hash,
			"options", "array", &array, "vectors", &m->n_vectors, "images", &m->n_images, "seed", &seed,
			"files", &files, "sha256", &own_hash) != 0 ||
	    !json_is_array(files) || !is_hash(config_hash) || !is_hash(net_hash) || !is_hash(quant_hash) ||
	    sscanf(array, "%dx%d", &m->rows, &m->cols) != 2)
		return mch_err_set(err, path, "lacks a field, or has one of another type; export again or restore "
				   "the file");
	json_array_foreach(files, i, item) {
		struct mch_accel_entry *entry = append(m);
		if (!entry)
			return mch_err_set(err, path, "out of memory; free some");
		if (!parse_entry(item, entry))
			return mch_err_set(err, path, "entry %zu of \"files\" is malformed; export again or restore "
					   "the file", i);
	}
	snprintf(m->config_hash, sizeof(m->config_hash), "%s", config_hash);
	snprintf(m->net_hash, sizeof(m->net_hash), "%s", net_hash);
	snprintf(m->quant_hash, sizeof(m->quant_hash), "%s", quant_hash);
	snprintf(m->net, sizeof(m->net), "%s", net);
	snprintf(m->quant, sizeof(m->quant), "%s", quant);
	m->seed = (uint64_t)seed;
	json_t *rest = json_copy(root);
	if (!rest || json_object_del(rest, "sha256") != 0 || content_hash(rest, hash) != 0 ||
	    strcmp(hash, own_hash) != 0) {
		json_decref(rest);
		return mch_err_set(err, path, "its content differs from its own SHA-256; export again or restore the "
				   "file");
	}
	json_decref(rest);
	return 0;
}

int mch_accel_manifest_read(const char *dir, struct mch_accel_manifest *m, struct mch_err *err)
{
	memset(m, 0, sizeof(*m));
	char *path = mch_accel_path(dir, MCH_ACCEL_MANIFEST, err), *text;
	size_t n_bytes;
	if (!path)
		return -1;
	if (mch_file_read(path, MANIFEST_BYTES_MAX, &text, &n_bytes, err) != 0) {
		free(path);
		return -1;
	}
	json_error_t why;
	json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &why);
	int status;
	if (root && (status = parse(path, root, m, err)) == 0 && !mch_manifest_is_plain(root, INDENT, text, n_bytes))
		status = mch_err_set(err, path, "its white space or spelling was changed; export again or restore the file");
	else if (!root)
		status = mch_err_set(err, path, "line %d: %s; export again or restore the file", why.line, why.text);
	json_decref(root);
	free(text);
	free(path);
	if (status != 0)
		mch_accel_manifest_free(m);
	return status;
}
