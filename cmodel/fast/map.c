/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Tables of stored codes; see map.h. */
#include "fast/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "op/wide.h"

int mch_fast_map_init(struct mch_fast_map *map, struct mch_format x, struct mch_format y, int n_tables,
		      struct mch_err *err)
{
	*map = (struct mch_fast_map){.in_bytes = mch_codes_of(x).bytes,
				     .out_bytes = mch_codes_of(y).bytes,
				     .n_tables = (size_t)n_tables,
				     .size = (size_t)1 << x.bits};
	map->table = calloc(map->n_tables * map->size, sizeof(*map->table));
	return map->table ? 0 : mch_err_set(err, "table", "out of memory; use a machine with more");
}

void mch_fast_map_free(struct mch_fast_map *map)
{
	free(map->table);
	memset(map, 0, sizeof(*map));
}

int mch_fast_map_requant(struct mch_fast_map *map, struct mch_format x, struct mch_format y,
			 const struct mch_requant *requant, int shift, struct mch_err *err)
{
	MCH_REQUIRE(requant->round != MCH_ROUND_STOCHASTIC, "noise is no function of the code");
	if (mch_fast_map_init(map, x, y, 1, err) != 0)
		return -1;
	const bool is_fixed = x.number == MCH_FIXED && y.number == MCH_FIXED;
	map->is_same = map->in_bytes == map->out_bytes;
	for (size_t i = 0; i < map->size; i++) {
		const int32_t code = mch_fast_map_code(x, i);
		bool saturated;
		map->table[i] = (uint16_t)(mch_codes_of(y).zero +
					   (is_fixed ? mch_requant_value(requant, code, 0, shift, 0, &saturated)
						     : mch_wide_code(requant, mch_format_integer(x, code), shift, 0, NULL)));
		map->is_same = map->is_same && map->table[i] == i;
	}
	return 0;
}

/* One table. bytes are constants in every copy. */
static inline void look_up(const uint16_t *table, int in_bytes, int out_bytes, size_t n, const void *x, void *y)
{
	for (size_t i = 0; i < n; i++) {
		const uint16_t v = table[in_bytes == 1 ? ((const uint8_t *)x)[i] : ((const uint16_t *)x)[i]];
		if (out_bytes == 1)
			((uint8_t *)y)[i] = (uint8_t)v;
		else
			((uint16_t *)y)[i] = v;
	}
}

static void look_up_any(const struct mch_fast_map *map, size_t n, const void *x, void *y)
{
	if (map->in_bytes == 1 && map->out_bytes == 1)
		look_up(map->table, 1, 1, n, x, y);
	else if (map->in_bytes == 1)
		look_up(map->table, 1, 2, n, x, y);
	else if (map->out_bytes == 1)
		look_up(map->table, 2, 1, n, x, y);
	else
		look_up(map->table, 2, 2, n, x, y);
}

void mch_fast_map_run(const struct mch_fast_map *map, size_t n_elems, const void *x, void *y)
{
	if (map->is_same) {
		memcpy(y, x, n_elems * (size_t)map->in_bytes);
		return;
	}
	if (map->n_tables == 1) {
		look_up_any(map, n_elems, x, y);
		return;
	}
	for (size_t i = 0, c = 0; i < n_elems; i++, c = c + 1 < map->n_tables ? c + 1 : 0) {
		const size_t code = map->in_bytes == 1 ? ((const uint8_t *)x)[i] : ((const uint16_t *)x)[i];
		const uint16_t v = map->table[c * map->size + code];
		if (map->out_bytes == 1)
			((uint8_t *)y)[i] = (uint8_t)v;
		else
			((uint16_t *)y)[i] = v;
	}
}

void mch_fast_move(size_t n, const int32_t *from, int bytes, int32_t fill, const void *x, void *y)
{
	if (bytes == 1)
		for (size_t i = 0; i < n; i++)
			((uint8_t *)y)[i] = from[i] < 0 ? (uint8_t)fill : ((const uint8_t *)x)[from[i]];
	else
		for (size_t i = 0; i < n; i++)
			((uint16_t *)y)[i] = from[i] < 0 ? (uint16_t)fill : ((const uint16_t *)x)[from[i]];
}
