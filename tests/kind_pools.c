/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Pools of every form; see kind_nets.h. */
#include "kind_nets.h"

/* h, w, window, stride, pads (top, left, bottom, right), dilation, ceil mode, padding counts */
static const struct {
	int h, w, kernel, stride, pad[4], dilation, ceil_mode, count_pad;
} pools[] = {
	{8, 9, 2, 2, {0, 0, 0, 0}, 1, 0, 0}, {8, 9, 2, 2, {0, 0, 0, 0}, 1, 1, 0},
	{8, 9, 3, 2, {0, 0, 0, 0}, 1, 1, 1}, {8, 9, 3, 2, {1, 1, 1, 1}, 1, 0, 1},
	{8, 9, 3, 2, {1, 1, 1, 1}, 1, 1, 1}, {8, 9, 3, 2, {1, 1, 1, 1}, 1, 1, 0},
	{7, 6, 3, 3, {1, 0, 1, 2}, 1, 1, 1}, {7, 6, 2, 3, {1, 1, 1, 1}, 1, 1, 1},
	{7, 6, 2, 3, {1, 1, 1, 1}, 1, 1, 0}, {5, 9, 2, 5, {0, 0, 0, 0}, 1, 1, 1},
	{9, 9, 2, 2, {0, 1, 1, 0}, 2, 0, 0}, {9, 9, 3, 2, {1, 1, 1, 1}, 2, 1, 1},
	{9, 8, 3, 2, {1, 1, 0, 0}, 2, 1, 0}, {2, 3, 3, 2, {0, 0, 0, 0}, 1, 1, 1},
	{7, 7, 3, 1, {1, 1, 1, 1}, 1, 0, 1}, {6, 6, 2, 2, {1, 1, 1, 1}, 1, 1, 1},
	{5, 5, 2, 4, {1, 1, 1, 1}, 1, 1, 1},
};
_Static_assert(sizeof(pools) / sizeof(pools[0]) == KIND_POOLS, "one for each");

struct mch_pool kind_pool(int i)
{
	return (struct mch_pool){.n = 1,
				 .c = 2,
				 .h = pools[i].h,
				 .w = pools[i].w,
				 .r = pools[i].kernel,
				 .s = pools[i].kernel,
				 .stride_h = pools[i].stride,
				 .stride_w = pools[i].stride,
				 .pad_top = pools[i].pad[0],
				 .pad_left = pools[i].pad[1],
				 .pad_bottom = pools[i].pad[2],
				 .pad_right = pools[i].pad[3],
				 .dilation_h = pools[i].dilation,
				 .dilation_w = pools[i].dilation,
				 .ceil_mode = pools[i].ceil_mode != 0,
				 .count_include_pad = pools[i].count_pad != 0};
}
