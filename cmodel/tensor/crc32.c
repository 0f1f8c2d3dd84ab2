/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* CRC-32, four bits a step; see crc32.h. */
#include "tensor/crc32.h"

#include <string.h>

/* table[i]: the remainder that the four bits i leave behind when they are shifted out. Sixteen entries can be
 * checked by eye, need no start-up code, and are fast enough beside the printing of the digits they cover. */
static const uint32_t table[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
	0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t mch_crc32(uint32_t crc, const void *bytes, size_t n_bytes)
{
	const unsigned char *p = bytes;
	crc = ~crc;
	for (size_t i = 0; i < n_bytes; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

int mch_crc32_parse(const char *text, uint32_t *crc)
{
	static const char digits[] = "0123456789abcdef";
	if (strlen(text) != 8)
		return -1;
	uint32_t value = 0;
	for (int i = 0; i < 8; i++) {
		const char *digit = strchr(digits, text[i]);
		if (!digit)
			return -1;
		value = value << 4 | (uint32_t)(digit - digits);
	}
	*crc = value;
	return 0;
}
