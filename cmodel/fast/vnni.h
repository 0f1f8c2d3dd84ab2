/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Exact dot products of bytes by AVX-512 VNNI, requantized to stored codes (codes.h) before they leave the registers.
 * Each window of x is read as `n_steps` words of four bytes at the same offsets from its beginning, so a kernel row
 * of neighbouring pixels needs no copy. Host only: no RTL twin. */
#ifndef MCH_FAST_VNNI_H
#define MCH_FAST_VNNI_H

#include "fast/requant_lane.h"

enum {
	MCH_VNNI_BYTES = 4,  /* of x to a step */
	MCH_VNNI_PLANES = 2, /* of x, of w, at most */
};

struct mch_vnni {
	int n_x, n_w;            /* planes; x's are plane_bytes apart */
	size_t plane_bytes;
	size_t n_steps, n_windows;
	const int32_t *offset;   /* [n_steps] bytes from a window's beginning */
	const uint32_t *at;      /* [n_windows]: beginnings of the windows */
	const int8_t *weights;   /* as mch_vnni_pack leaves them */
	const struct mch_requant_lanes *lanes; /* one of its tables is there; narrow only when n_x == n_w == 1 */
	int k_first, k;          /* channels of the lanes: k_first .. k_first + k - 1 */
	int out_bytes;
	size_t y_stride;         /* bytes from a window's codes to the next's */
};

/* The machine has it, and oneDNN has not been told to do without. */
bool mch_vnni_is_there(void);

size_t mch_vnni_weights_bytes(int n_w, int k, size_t n_steps);

/* plane is [k][n_steps * 4] of weight plane j; w has room for all planes and is zero at first. */
void mch_vnni_pack(int n_x, int n_w, int k, size_t n_steps, int j, const int8_t *plane, int8_t *w);

/* y[window] = the k codes. No sum of magnitudes of all products of one degree (i + j of planes X_i, W_j) may pass
 * 2^31 - 1. x is readable for 3 bytes behind the last window. */
void mch_vnni_run(const struct mch_vnni *v, const uint8_t *x, uint8_t *y);

#endif
