/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Dot products of bytes in registers; see vnni.h.
 *
 * A tile is P windows by B blocks of 16 channels: for each step B words of weights are loaded, and each window's four
 * bytes are broadcast once for all blocks. Accumulators (one for each degree), weights and broadcasts fill the 32
 * registers; 10 accumulators at least hide the latency of two products a cycle. */
#include "fast/vnni.h"

#include <string.h>

#include "base/require.h"
#include "fast/dnnl.h"

enum { BLOCK = MCH_CODES_BLOCK, BLOCK_BYTES = BLOCK * MCH_VNNI_BYTES, BLOCKS_MAX = 4, ACC_MAX = 24 };

/* Blocks of the next tile when `rest` are left. */
static int tile_blocks(int n_x, int n_w, int rest)
{
	const int most = n_x * n_w == 1 ? BLOCKS_MAX : 2;
	return rest == most + 1 && most > 2 ? most - 1 : rest < most ? rest : most;
}

static int count_blocks(int k)
{
	return (k + BLOCK - 1) / BLOCK;
}

size_t mch_vnni_weights_bytes(int n_w, int k, size_t n_steps)
{
	return (size_t)n_w * (size_t)count_blocks(k) * BLOCK_BYTES * n_steps;
}

/* In the order tile, step, plane, block, channel, byte. */
void mch_vnni_pack(int n_x, int n_w, int k, size_t n_steps, int j, const int8_t *plane, int8_t *w)
{
	const size_t row = n_steps * MCH_VNNI_BYTES;
	for (int first = 0, n; first < count_blocks(k); first += n) {
		n = tile_blocks(n_x, n_w, count_blocks(k) - first);
		for (size_t t = 0; t < n_steps; t++)
			for (int i = 0; i < n * BLOCK && first * BLOCK + i < k; i++)
				memcpy(w + (((size_t)t * (size_t)n_w + (size_t)j) * (size_t)n * BLOCK + (size_t)i) *
						   MCH_VNNI_BYTES,
				       plane + (size_t)(first * BLOCK + i) * row + t * MCH_VNNI_BYTES,
				       MCH_VNNI_BYTES);
		w += (size_t)n_w * (size_t)n * BLOCK_BYTES * n_steps;
	}
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))
#define VNNI_INLINE VNNI static inline __attribute__((always_inline))

bool mch_vnni_is_there(void)
{
	return mch_dnnl_has_exact_bytes();
}

/* Rows of a table of lanes for 16 channels of 32 bits, or 8 of 64. */
struct rows {
	__m512i shift, add, odd, sub;
};

VNNI_INLINE struct rows load_rows(const void *table, size_t row_bytes)
{
	const uint8_t *from = table;
	return (struct rows){_mm512_loadu_si512(from + MCH_LANE_SHIFT * row_bytes),
			     _mm512_loadu_si512(from + MCH_LANE_ADD * row_bytes),
			     _mm512_loadu_si512(from + MCH_LANE_ODD * row_bytes),
			     _mm512_loadu_si512(from + MCH_LANE_SUB * row_bytes)};
}

/* mch_lane_narrow of a vector that has init in it. */
VNNI_INLINE __m512i round_narrow(const struct mch_requant_lanes *l, const struct rows *r, __m512i v)
{
	__m512i more = _mm512_and_si512(_mm512_srlv_epi32(v, r->shift), r->odd);
	if (l->is_away)
		more = _mm512_maskz_sub_epi32(_mm512_cmplt_epu32_mask(v, _mm512_set1_epi32(1 << 30)),
					      _mm512_setzero_si512(), r->odd);
	v = _mm512_add_epi32(v, _mm512_add_epi32(r->add, more));
	const __m512i code = _mm512_sub_epi32(_mm512_srlv_epi32(v, r->shift), r->sub);
	return _mm512_min_epi32(_mm512_max_epi32(code, _mm512_set1_epi32(l->low)), _mm512_set1_epi32(l->high));
}

/* mch_lane_wide, the same. */
VNNI_INLINE __m256i round_wide(const struct mch_requant_lanes *l, const struct rows *r, __m512i v)
{
	__m512i more = _mm512_and_si512(_mm512_srlv_epi64(v, r->shift), r->odd);
	if (l->is_away)
		more = _mm512_maskz_sub_epi64(_mm512_cmplt_epu64_mask(v, _mm512_set1_epi64(INT64_C(1) << 61)),
					      _mm512_setzero_si512(), r->odd);
	v = _mm512_add_epi64(v, _mm512_add_epi64(r->add, more));
	const __m512i code = _mm512_sub_epi64(_mm512_srlv_epi64(v, r->shift), r->sub);
	return _mm512_cvtepi64_epi32(_mm512_min_epi64(_mm512_max_epi64(code, _mm512_set1_epi64(l->low)),
						      _mm512_set1_epi64(l->high)));
}

VNNI_INLINE void store_codes(int bytes, __mmask16 mask, __m512i code, uint8_t *y)
{
	if (bytes == 1) {
		const __m128i narrow = _mm512_cvtepi32_epi8(code);
		if (mask == 0xffff)
			_mm_storeu_si128((__m128i *)(void *)y, narrow);
		else
			_mm_mask_storeu_epi8(y, mask, narrow);
	} else {
		_mm256_mask_storeu_epi16(y, mask, _mm512_cvtepi32_epi16(code));
	}
}

/* Half of a block: the sum over degrees d of acc[d] * 256^d, by Horner's rule, and init. */
VNNI_INLINE __m512i join(const __m512i *acc, int apart, int n_degrees, int half, __m512i init)
{
	__m512i sum = _mm512_setzero_si512();
	for (int d = n_degrees - 1; d >= 0; d--) {
		const __m512i part = acc[d * apart];
		const __m256i lanes = half ? _mm512_extracti64x4_epi64(part, 1) : _mm512_castsi512_si256(part);
		sum = _mm512_add_epi64(_mm512_slli_epi64(sum, 8), _mm512_cvtepi32_epi64(lanes));
	}
	return _mm512_add_epi64(sum, init);
}

/* What is left of the channels from k on in a block. */
VNNI_INLINE __mmask16 block_mask(const struct mch_vnni *v, int k)
{
	return (__mmask16)(v->k - k >= BLOCK ? 0xffffu : (1u << (v->k - k)) - 1);
}

/* One block of the accumulators of n windows, n_blocks from each other. */
VNNI_INLINE void store_narrow(const struct mch_vnni *v, const __m512i *acc, int n_tile, int n_blocks, int k, size_t n,
			      uint8_t *y)
{
	const struct mch_requant_lanes *l = v->lanes;
	const struct rows rows = load_rows(l->narrow + v->k_first + k, l->k_room * sizeof(*l->narrow));
	const __mmask16 mask = block_mask(v, k);
#pragma GCC unroll 16
	for (int p = 0; p < n_tile; p++)
		if ((size_t)p < n)
			store_codes(v->out_bytes, mask, round_narrow(l, &rows, acc[p * n_blocks]),
				    y + (size_t)p * v->y_stride);
}

/* The same in 64 bits, of all blocks; acc[degree][window][block] is in memory. */
VNNI static void store_wide(const struct mch_vnni *v, const __m512i *acc, int n_tile, int n_blocks, int k, size_t n,
			    uint8_t *y)
{
	const struct mch_requant_lanes *l = v->lanes;
	const int n_degrees = v->n_x + v->n_w - 1, apart = n_tile * n_blocks;
	for (int b = 0; b < n_blocks; b++, k += BLOCK, y += BLOCK * v->out_bytes) {
		const int64_t *table = l->wide + v->k_first + k;
		const size_t row_bytes = l->k_room * sizeof(*table);
		const struct rows low = load_rows(table, row_bytes), high = load_rows(table + BLOCK / 2, row_bytes);
		const __m512i init_low = _mm512_loadu_si512(table), init_high = _mm512_loadu_si512(table + BLOCK / 2);
		const __mmask16 mask = block_mask(v, k);
		for (int p = 0; p < n_tile && (size_t)p < n; p++) {
			const __m512i *of = acc + p * n_blocks + b;
			const __m256i even = round_wide(l, &low, join(of, apart, n_degrees, 0, init_low));
			const __m256i odd = round_wide(l, &high, join(of, apart, n_degrees, 1, init_high));
			store_codes(v->out_bytes, mask, _mm512_inserti64x4(_mm512_castsi256_si512(even), odd, 1),
				    y + (size_t)p * v->y_stride);
		}
	}
}

VNNI_INLINE int32_t load_word(const uint8_t *x)
{
	int32_t word;
	memcpy(&word, x, sizeof(word));
	return word;
}

/* acc[degree][window][block]. */
VNNI_INLINE void add_products(const struct mch_vnni *v, int n_x, int n_w, int n_tile, int n_blocks,
			      const uint8_t *const *x, const int8_t *w, __m512i *acc)
{
	const size_t n_steps = v->n_steps;
	for (size_t t = 0; t < n_steps; t++, w += n_w * n_blocks * BLOCK_BYTES) {
		const ptrdiff_t low = v->offset[t], high = low + (ptrdiff_t)v->plane_bytes;
		__m512i weights[BLOCKS_MAX];
#pragma GCC unroll 4
		for (int i = 0; i < n_w * n_blocks; i++)
			weights[i] = _mm512_loadu_si512(w + i * BLOCK_BYTES);
#pragma GCC unroll 16
		for (int p = 0; p < n_tile; p++)
#pragma GCC unroll 2
			for (int i = 0; i < n_x; i++) {
				const __m512i word = _mm512_set1_epi32(load_word(x[p] + (i ? high : low)));
#pragma GCC unroll 4
				for (int b = 0; b < n_w * n_blocks; b++) {
					__m512i *sum = &acc[((i + b / n_blocks) * n_tile + p) * n_blocks +
							    b % n_blocks];
					*sum = _mm512_dpbusd_epi32(*sum, word, weights[b]);
				}
			}
	}
}

/* All windows of n_blocks blocks from channel k on. Planes and sizes are constants in every copy. */
VNNI_INLINE void run_blocks(const struct mch_vnni *v, int n_x, int n_w, int n_tile, int n_blocks, int k,
			    const int8_t *w, const uint8_t *x_first, uint8_t *y)
{
	const bool is_narrow = n_x * n_w == 1 && v->lanes->narrow;
	const int n_degrees = n_x + n_w - 1;
	const size_t code_bytes = (size_t)v->out_bytes;
	for (size_t i = 0; i < v->n_windows; i += (size_t)n_tile) {
		const uint8_t *x[16];
		__m512i acc[ACC_MAX];
		const size_t n = v->n_windows - i;
#pragma GCC unroll 16
		for (int p = 0; p < n_tile; p++)
			x[p] = x_first + v->at[(size_t)p < n ? i + (size_t)p : i]; /* behind the last: any */
#pragma GCC unroll 24
		for (int a = 0; a < n_degrees * n_tile * n_blocks; a++)
			acc[a] = is_narrow ? _mm512_loadu_si512(v->lanes->narrow + v->k_first + k +
								a % n_blocks * BLOCK)
					   : _mm512_setzero_si512();
		add_products(v, n_x, n_w, n_tile, n_blocks, x, w, acc);
		uint8_t *to = y + i * v->y_stride + (size_t)k * code_bytes;
		if (!is_narrow) {
			__m512i kept[ACC_MAX]; /* a copy, so that acc itself stays in registers */
#pragma GCC unroll 24
			for (int a = 0; a < n_degrees * n_tile * n_blocks; a++)
				kept[a] = acc[a];
			store_wide(v, kept, n_tile, n_blocks, k, n, to);
			continue;
		}
#pragma GCC unroll 4
		for (int b = 0; b < n_blocks; b++)
			store_narrow(v, acc + b, n_tile, n_blocks, k + b * BLOCK, n,
				     to + (size_t)(b * BLOCK) * code_bytes);
	}
}

#define RUN(N_X, N_W, TILE, BLOCKS)                                                                   \
	VNNI static void run_##N_X##N_W##_##BLOCKS(const struct mch_vnni *v, int k, const int8_t *w,  \
						   const uint8_t *x, uint8_t *y)                      \
	{                                                                                             \
		run_blocks(v, N_X, N_W, TILE, BLOCKS, k, w, x, y);                                    \
	}
RUN(1, 1, 6, 4)
RUN(1, 1, 8, 3)
RUN(1, 1, 10, 2)
RUN(1, 1, 10, 1)
RUN(1, 2, 6, 2)
RUN(1, 2, 10, 1)
RUN(2, 1, 6, 2)
RUN(2, 1, 10, 1)
RUN(2, 2, 4, 2)
RUN(2, 2, 8, 1)

void mch_vnni_run(const struct mch_vnni *v, const uint8_t *x, uint8_t *y)
{
	typedef void run_fn(const struct mch_vnni *, int, const int8_t *, const uint8_t *, uint8_t *);
	static run_fn *const table[MCH_VNNI_PLANES][MCH_VNNI_PLANES][BLOCKS_MAX] = {
		{{run_11_1, run_11_2, run_11_3, run_11_4}, {run_12_1, run_12_2}},
		{{run_21_1, run_21_2}, {run_22_1, run_22_2}},
	};
	const int8_t *w = v->weights;
	for (int first = 0, n; first < count_blocks(v->k); first += n) {
		n = tile_blocks(v->n_x, v->n_w, count_blocks(v->k) - first);
		table[v->n_x - 1][v->n_w - 1][n - 1](v, first * BLOCK, w, x, y);
		w += (size_t)v->n_w * (size_t)n * BLOCK_BYTES * v->n_steps;
	}
}
#else
bool mch_vnni_is_there(void)
{
	return false;
}

void mch_vnni_run(const struct mch_vnni *v, const uint8_t *x, uint8_t *y)
{
	(void)v, (void)x, (void)y;
	MCH_REQUIRE(false, "mch_vnni_is_there was asked");
}
#endif
