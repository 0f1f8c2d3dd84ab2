/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* SHA-256 of bytes and files; see hash.h. */
#include "io/hash.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void mch_hash_begin(struct mch_hash *hash)
{
	SHA256Init(&hash->state);
}

void mch_hash_bytes(struct mch_hash *hash, const void *bytes, size_t n_bytes)
{
	SHA256Update(&hash->state, bytes, n_bytes);
}

void mch_hash_int(struct mch_hash *hash, int64_t value)
{
	uint8_t bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
	mch_hash_bytes(hash, bytes, sizeof(bytes));
}

void mch_hash_real(struct mch_hash *hash, double value)
{
	int64_t bits;
	memcpy(&bits, &value, sizeof(bits));
	mch_hash_int(hash, bits);
}

void mch_hash_f32(struct mch_hash *hash, const float *values, size_t n)
{
	enum { CHUNK = 256 };
	uint8_t bytes[4 * CHUNK];
	for (size_t i = 0; i < n;) {
		size_t used = 0;
		for (; i < n && used < sizeof(bytes); i++) {
			uint32_t bits;
			memcpy(&bits, &values[i], sizeof(bits));
			for (int b = 0; b < 4; b++)
				bytes[used++] = (uint8_t)(bits >> (8 * b));
		}
		mch_hash_bytes(hash, bytes, used);
	}
}

void mch_hash_text(struct mch_hash *hash, const char *text)
{
	const size_t n_bytes = strlen(text);
	mch_hash_int(hash, (int64_t)n_bytes);
	mch_hash_bytes(hash, text, n_bytes);
}

void mch_hash_end(struct mch_hash *hash, char hex[MCH_HASH_HEX])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA256Final(digest, &hash->state);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int mch_hash_file(const char *path, char hex[MCH_HASH_HEX], struct mch_err *err)
{
	FILE *stream = fopen(path, "rb");
	if (!stream)
		return mch_err_set(err, path, "cannot be read (%s); check the name and its permissions",
				   strerror(errno));
	struct mch_hash hash;
	uint8_t bytes[1 << 14];
	size_t n;
	mch_hash_begin(&hash);
	while ((n = fread(bytes, 1, sizeof(bytes), stream)) > 0)
		mch_hash_bytes(&hash, bytes, n);
	const int broken = ferror(stream), reason = errno;
	fclose(stream);
	mch_hash_end(&hash, hex);
	if (broken)
		return mch_err_set(err, path, "cannot be read (%s); check the file and its disk", strerror(reason));
	return 0;
}
