/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* CRC-32 of IEEE 802.3 (polynomial 0x04c11db7, reflected), as in gzip and PNG: the floors that a simulator links
 * need nothing but a C11 compiler, so not zlib's. Host only: no RTL twin. */
#ifndef MCH_TENSOR_CRC32_H
#define MCH_TENSOR_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of what `crc` covers followed by `n_bytes` more; begin with 0. "123456789" gives cbf43926. */
uint32_t mch_crc32(uint32_t crc, const void *bytes, size_t n_bytes);

/* The closing word of a file: exactly eight digits 0-9a-f and no more. 0 and *crc, or -1. */
int mch_crc32_parse(const char *text, uint32_t *crc);

#endif
