/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* SHA-256 of files, of networks, and of anything fed in parts. Host only: no RTL twin. */
#ifndef MCH_IO_HASH_H
#define MCH_IO_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sha2.h>

#include "base/err.h"
#include "net/net.h"

enum { MCH_HASH_HEX = 65 }; /* 64 lower-case digits and the NUL */

struct mch_hash {
	SHA2_CTX state;
};

void mch_hash_begin(struct mch_hash *hash);
void mch_hash_bytes(struct mch_hash *hash, const void *bytes, size_t n_bytes);
/* Eight bytes, least significant first: the same on every machine. */
void mch_hash_int(struct mch_hash *hash, int64_t value);
/* IEEE 754 bits, least significant byte first. */
void mch_hash_real(struct mch_hash *hash, double value);
void mch_hash_f32(struct mch_hash *hash, const float *values, size_t n);
/* The length, then the bytes: two texts in a row cannot be mistaken for another two. */
void mch_hash_text(struct mch_hash *hash, const char *text);
void mch_hash_end(struct mch_hash *hash, char hex[MCH_HASH_HEX]);

int mch_hash_file(const char *path, char hex[MCH_HASH_HEX], struct mch_err *err);

/* What the network computes: shapes of the inputs, how pictures become them, kinds, connections, geometry, parameters.
 * Names have no part in it, nor what matters to training alone: a network has one hash whatever file it came from. Needs
 * mch_net_infer before. hash_net.c. */
void mch_hash_net(const struct mch_net *net, char hex[MCH_HASH_HEX]);

#endif
