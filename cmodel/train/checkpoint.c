/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Checkpoints; see checkpoint.h. */
#include "train/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/outfile.h"
#include "tensor/crc32.h"
#include "train/backprop.h"

static const char magic[] = "macchiato checkpoint 1\n";

enum { N_NUMBERS = 5, NUMBERS_BYTES = 8 * N_NUMBERS, CRC_BYTES = 4 };

static void put_le(uint8_t *to, uint64_t value, int n_bytes)
{
	for (int i = 0; i < n_bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *from, int n_bytes)
{
	uint64_t value = 0;
	for (int i = 0; i < n_bytes; i++)
		value |= (uint64_t)from[i] << (8 * i);
	return value;
}

static uint8_t *put_f32(uint8_t *to, const float *values, size_t n)
{
	for (size_t i = 0; i < n; i++, to += 4) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof(bits));
		put_le(to, bits, 4);
	}
	return to;
}

static const uint8_t *get_f32(const uint8_t *from, float *values, size_t n)
{
	for (size_t i = 0; i < n; i++, from += 4) {
		const uint32_t bits = (uint32_t)get_le(from, 4);
		memcpy(&values[i], &bits, sizeof(bits));
	}
	return from;
}

static uint8_t *put_f64(uint8_t *to, const double *values, size_t n)
{
	for (size_t i = 0; i < n; i++, to += 8) {
		uint64_t bits;
		memcpy(&bits, &values[i], sizeof(bits));
		put_le(to, bits, 8);
	}
	return to;
}

static const uint8_t *get_f64(const uint8_t *from, double *values, size_t n)
{
	for (size_t i = 0; i < n; i++, from += 8) {
		const uint64_t bits = get_le(from, 8);
		memcpy(&values[i], &bits, sizeof(bits));
	}
	return from;
}

static size_t head_bytes(const char *identity)
{
	return strlen(magic) + strlen(identity) + 1;
}

/* The values of a layer that are kept: what training may change, and what it gathers. */
enum { N_KEPT = 4 };

struct kept {
	float *values;
	size_t n_elems;
};

static int kept_of(struct mch_layer *layer, struct kept kept[N_KEPT])
{
	int n = 0;
	if (!mch_layer_has_weights(layer))
		return 0;
	kept[n++] = (struct kept){layer->weights, layer->n_weights};
	kept[n++] = (struct kept){layer->bias, layer->n_bias};
	if (layer->kind == MCH_BATCH_NORM) {
		kept[n++] = (struct kept){layer->mean, (size_t)layer->norm.channels};
		kept[n++] = (struct kept){layer->variance, (size_t)layer->norm.channels};
	}
	return n;
}

/* A run as the file has it. */
struct run {
	const char *identity;
	const struct mch_net *net;
	const struct mch_sgd_state *state;
	struct mch_checkpoint_more more;
};

static struct run run_of(const char *identity, const struct mch_net *net, const struct mch_sgd_state *state,
			 const struct mch_checkpoint_more *more)
{
	return (struct run){identity, net, state, more ? *more : (struct mch_checkpoint_more){0, 0, NULL, NULL}};
}

static size_t file_bytes(const struct run *run)
{
	size_t n = run->state->n_params * (run->state->square ? 2 : 1) + run->more.n_floats;
	for (int i = 0; i < run->net->n_layers; i++)
		n += mch_layer_params(&run->net->layers[i]);
	return head_bytes(run->identity) + NUMBERS_BYTES + 8 * run->more.n_reals + 4 * n + CRC_BYTES;
}

/* The file as one piece of memory. */
static uint8_t *compose(const struct run *run, size_t n_bytes)
{
	const struct mch_sgd_state *state = run->state;
	uint8_t *bytes = malloc(n_bytes);
	if (!bytes)
		return NULL;
	memcpy(bytes, magic, strlen(magic));
	memcpy(bytes + strlen(magic), run->identity, strlen(run->identity));
	uint8_t *at = bytes + head_bytes(run->identity);
	at[-1] = '\n';
	uint64_t loss_bits;
	memcpy(&loss_bits, &state->loss, sizeof(loss_bits));
	const uint64_t numbers[N_NUMBERS] = {(uint64_t)state->epoch, (uint64_t)state->n_done, loss_bits,
					     (uint64_t)state->n_right, state->n_params};
	for (int i = 0; i < N_NUMBERS; i++, at += 8)
		put_le(at, numbers[i], 8);
	for (int i = 0; i < run->net->n_layers; i++) {
		struct kept kept[N_KEPT];
		const int n = kept_of(&run->net->layers[i], kept);
		for (int j = 0; j < n; j++)
			at = put_f32(at, kept[j].values, kept[j].n_elems);
	}
	at = put_f32(at, state->velocity, state->n_params);
	if (state->square)
		at = put_f32(at, state->square, state->n_params);
	at = put_f64(at, run->more.reals, run->more.n_reals);
	at = put_f32(at, run->more.floats, run->more.n_floats);
	put_le(at, mch_crc32(0, bytes, n_bytes - CRC_BYTES), CRC_BYTES);
	return bytes;
}

int mch_checkpoint_write(const char *path, const char *identity, const struct mch_net *net,
			 const struct mch_sgd_state *state, const struct mch_checkpoint_more *more, struct mch_err *err)
{
	struct mch_outfile out;
	const struct run run = run_of(identity, net, state, more);
	const size_t n_bytes = file_bytes(&run);
	uint8_t *bytes = compose(&run, n_bytes);
	if (!bytes)
		return mch_err_set(err, path, "out of memory for the checkpoint; use a machine with more");
	int status = mch_outfile_open(&out, path, err);
	if (status == 0) {
		fwrite(bytes, 1, n_bytes, out.stream); /* commit tells of a failure */
		status = mch_outfile_commit(&out, err);
	}
	free(bytes);
	return status;
}

/* The first line that differs, of two texts that do. */
static int refuse(const char *path, const char *have, const char *want, struct mch_err *err)
{
	for (;;) {
		const size_t n_have = strcspn(have, "\n"), n_want = strcspn(want, "\n");
		if (n_have != n_want || memcmp(have, want, n_have) != 0 || !have[n_have] || !want[n_want])
			return mch_err_set(err, path, "is of a run with %.*s, this one has %.*s; give the same, or remove the "
					   "checkpoint to begin anew", (int)(n_have < 200 ? n_have : 200), have,
					   (int)(n_want < 200 ? n_want : 200), want);
		have += n_have + 1;
		want += n_want + 1;
	}
}

static int damaged(const char *path, struct mch_err *err)
{
	return mch_err_set(err, path, "is no checkpoint, or is damaged; remove it to begin anew");
}

static int take(const uint8_t *at, struct mch_net *net, struct mch_sgd_state *state,
		const struct mch_checkpoint_more *more)
{
	uint64_t numbers[N_NUMBERS];
	for (int i = 0; i < N_NUMBERS; i++, at += 8)
		numbers[i] = get_le(at, 8);
	if (numbers[0] > INT32_MAX || numbers[1] > INT32_MAX || numbers[4] != state->n_params)
		return -1;
	state->epoch = (int)numbers[0];
	state->n_done = (int)numbers[1];
	memcpy(&state->loss, &numbers[2], sizeof(state->loss));
	state->n_right = (int64_t)numbers[3];
	for (int i = 0; i < net->n_layers; i++) {
		struct kept kept[N_KEPT];
		const int n = kept_of(&net->layers[i], kept);
		for (int j = 0; j < n; j++)
			at = get_f32(at, kept[j].values, kept[j].n_elems);
	}
	at = get_f32(at, state->velocity, state->n_params);
	if (state->square)
		at = get_f32(at, state->square, state->n_params);
	at = get_f64(at, more->reals, more->n_reals);
	get_f32(at, more->floats, more->n_floats);
	return 0;
}

/* At most limit + 1 bytes of the file, so that a longer one shows; a NUL behind. NULL with err. */
static uint8_t *slurp(const char *path, size_t limit, size_t *n_bytes, struct mch_err *err)
{
	FILE *stream = fopen(path, "rb");
	if (!stream) {
		mch_err_set(err, path, errno == ENOENT ? "is not there (%s); leave out --resume to begin anew"
						       : "cannot be read (%s); check its permissions", strerror(errno));
		return NULL;
	}
	uint8_t *bytes = malloc(limit + 2);
	if (!bytes) {
		mch_err_set(err, path, "out of memory for the checkpoint; use a machine with more");
	} else {
		*n_bytes = fread(bytes, 1, limit + 1, stream);
		bytes[*n_bytes] = 0;
	}
	fclose(stream);
	return bytes;
}

/* bytes may be written to: it is cut into texts. want: the length of a checkpoint of this run. */
static int parse(const char *path, const char *identity, uint8_t *bytes, size_t n, size_t want, struct mch_err *err)
{
	if (n < strlen(magic) || memcmp(bytes, magic, strlen(magic)) != 0)
		return damaged(path, err);
	char *head = (char *)bytes + strlen(magic), *end = strstr(head, "\n\n");
	if (!end)
		return damaged(path, err);
	/* The CRC comes first where it can: a flipped bit is no other option. One of another run may be longer than
	 * what was read, then its head is all that is known of it. */
	const bool is_whole = n == want && get_le(bytes + n - CRC_BYTES, CRC_BYTES) == mch_crc32(0, bytes, n - CRC_BYTES);
	end[1] = '\0';
	const bool is_same = strcmp(head, identity) == 0;
	if (!is_same && (is_whole || n != want))
		return refuse(path, head, identity, err);
	return is_whole ? 0 : damaged(path, err);
}

int mch_checkpoint_read(const char *path, const char *identity, struct mch_net *net, struct mch_sgd_state *state,
			const struct mch_checkpoint_more *more, struct mch_err *err)
{
	const struct run run = run_of(identity, net, state, more);
	const size_t want = file_bytes(&run);
	size_t n = 0;
	uint8_t *bytes = slurp(path, want, &n, err);
	if (!bytes)
		return -1;
	int status = parse(path, identity, bytes, n, want, err);
	if (status == 0 && take(bytes + head_bytes(identity), net, state, &run.more) != 0)
		status = damaged(path, err);
	free(bytes);
	return status;
}
