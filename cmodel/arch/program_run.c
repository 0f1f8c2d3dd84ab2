/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Descriptors at work; see program_run.h. */
#include "arch/program_run.h"

#include <stdlib.h>
#include <string.h>

#include "fxp/lfsr.h"
#include "op/pool.h"
#include "op/requant.h"

enum { COLS_MAX = 64 };

/* One descriptor in progress. */
struct run {
	const struct mch_accel_config *cfg;
	const struct mch_descriptor *d;
	const struct mch_accel_memory *mem;
	struct mch_accel_counts *counts;
	struct mch_err *err;
	int cols, elem_bytes;
	uint64_t beats; /* of a tile */
	struct mch_strip strip;
	uint64_t strip_words; /* of a block */
	uint8_t *x;           /* the strip, [block][strip_words] words */
	int64_t *w;           /* weights of one y block, [beats][cols], integers */
	uint64_t w_used;      /* words of the stream taken in this strip */
	int64_t bias[COLS_MAX];
	int8_t shift[COLS_MAX];
	uint16_t noise[COLS_MAX];
	struct mch_requant requant;
};

static int fail(const struct run *run, int error, const char *what)
{
	mch_err_set(run->err, "descriptor", "%s; correct the program", what);
	return error;
}

/* Words at an address, all of them inside memory. */
static uint8_t *words_at(const struct run *run, uint64_t address, uint64_t n)
{
	if (address > run->mem->n_words || n > run->mem->n_words - address)
		return NULL;
	return run->mem->bytes + address * mch_accel_word_bytes(run->cfg);
}

static int load_strip(struct run *run)
{
	const struct mch_descriptor *d = run->d;
	const size_t bytes = (size_t)run->strip_words * mch_accel_word_bytes(run->cfg);
	for (uint32_t b = 0; b < mch_descriptor_blocks(d); b++) {
		const bool is_x1 = b >= d->x0_blocks;
		const uint64_t address = (is_x1 ? d->x1_addr + (uint64_t)(b - d->x0_blocks) * d->x_step
						: d->x0_addr + (uint64_t)b * d->x_step) +
					 (uint64_t)run->strip.start;
		const uint8_t *from = words_at(run, address, run->strip_words);
		if (!from)
			return fail(run, MCH_ERROR_READ, "reads activations outside memory");
		for (uint64_t i = 0; run->mem->unsettled && i < run->strip_words; i++)
			if (run->mem->unsettled[address + i])
				return fail(run, -1, "reads what is being written, without BARRIER");
		if (bytes)
			memcpy(run->x + (size_t)b * bytes, from, bytes);
	}
	if (run->counts)
		run->counts->x_words += run->strip_words * mch_descriptor_blocks(d);
	return 0;
}

/* Element j of the word `at` of the stream. */
static int32_t stream(const uint8_t *words, const struct run *run, uint64_t at, int j, bool is_signed)
{
	return mch_accel_get(words, at * (uint64_t)run->cols + (uint64_t)j, run->elem_bytes, is_signed);
}

/* Several words of one value each column, low element first. */
static uint64_t stream_wide(const uint8_t *words, const struct run *run, uint64_t at, int n, int j)
{
	uint64_t value = 0;
	for (int i = 0; i < n; i++)
		value |= (uint64_t)(uint32_t)stream(words, run, at + (uint64_t)i, j, false)
			 << (8 * run->elem_bytes * i);
	return value;
}

/* Parameters and weights of a y block, from where the stream is. */
static int take_stream(struct run *run)
{
	const struct mch_accel_config *cfg = run->cfg;
	const int n_bias = mch_accel_bias_words(cfg), n_seed = mch_accel_seed_words(cfg),
		  n_param = mch_accel_param_words(cfg);
	const uint64_t n = (uint64_t)n_param + run->beats;
	const uint8_t *words = words_at(run, run->d->w_addr + run->w_used, n);
	if (run->w_used + n > run->d->w_words)
		return fail(run, -1, "waits for weights that W_WORDS does not bring");
	if (run->d->tiles > 1 && n > cfg->w_words)
		return fail(run, -1, "the ring does not hold the weights of an output block, and TILES is not 1");
	if (!words)
		return fail(run, MCH_ERROR_READ, "reads weights outside memory");
	for (int j = 0; j < run->cols; j++) {
		run->bias[j] = mch_wrap((int64_t)stream_wide(words, run, 0, n_bias, j), cfg->acc_bits);
		run->shift[j] = (int8_t)(stream(words, run, (uint64_t)n_bias, j, false) % 64 + MCH_SHIFT_MIN);
		run->noise[j] = (uint16_t)stream_wide(words, run, (uint64_t)n_bias + 1, n_seed, j);
	}
	for (uint64_t i = 0; i < run->beats; i++)
		for (int j = 0; j < run->cols; j++)
			run->w[i * (uint64_t)run->cols + (uint64_t)j] =
			    mch_accel_weight(cfg, stream(words, run, (uint64_t)n_param + i, j, true));
	run->w_used += n;
	return 0;
}

/* Where position (r, s) of a window lies. */
struct at {
	int64_t row, col; /* in words */
	bool inside;
};

static struct at window_at(const struct mch_descriptor *d, uint64_t pixel, uint32_t r, uint32_t s)
{
	struct at at = {.row = (int64_t)(pixel / d->out_q) * d->row_step + (int64_t)r * d->tap_step - d->pad_words,
			.col = (int64_t)(pixel % d->out_q) * d->stride_w + (int64_t)s * d->dilation_w - d->pad_left};
	at.inside = at.row >= 0 && at.row < d->map_words && at.col >= 0 && at.col < d->in_w;
	return at;
}

/* Its word of block b in the buffer; NULL when the strip does not have it. */
static const uint8_t *x_word(const struct run *run, uint32_t b, struct at at)
{
	const int64_t offset = at.row - run->strip.start + at.col;
	if (offset < 0 || (uint64_t)offset >= run->strip_words)
		return NULL;
	return run->x + (b * run->strip_words + (uint64_t)offset) * mch_accel_word_bytes(run->cfg);
}

static int write_pixel(struct run *run, uint32_t y_block, uint64_t pixel, const int32_t *y)
{
	const struct mch_format number = mch_accel_number(run->cfg, run->d->y_signed);
	const uint64_t address = run->d->y_addr + (uint64_t)y_block * run->d->y_step + pixel;
	uint8_t *to = words_at(run, address, 1);
	if (!to)
		return fail(run, MCH_ERROR_WRITE, "writes outside memory");
	for (int j = 0; j < run->cols; j++)
		mch_accel_put_code(to, (uint64_t)j, run->elem_bytes, number, y[j]);
	if (run->mem->unsettled)
		run->mem->unsettled[address] = 1;
	if (run->counts)
		run->counts->y_words++;
	return 0;
}

/* A row of sums through the requantizers. */
static int write_sums(struct run *run, uint32_t y_block, uint64_t pixel, const int64_t *sum)
{
	const struct mch_format number = mch_accel_number(run->cfg, run->d->y_signed);
	int32_t y[COLS_MAX];
	bool saturated;
	for (int j = 0; j < run->cols; j++) {
		const int64_t acc = mch_wrap(sum[j], run->cfg->acc_bits);
		if (mch_accel_is_minifloat(run->cfg))
			y[j] = (int32_t)mch_format_encode(number, mch_requant_sum(run->requant.relu, acc, run->bias[j]),
							  run->shift[j], run->requant.round, run->noise[j], &saturated);
		else
			y[j] = mch_requant_value(&run->requant, acc, run->bias[j], run->shift[j], run->noise[j], &saturated);
		run->noise[j] = mch_lfsr_next(run->noise[j]);
	}
	return write_pixel(run, y_block, pixel, y);
}

/* Tap t of pixel i is what tap 0 is of pixel i + t. */
static int depthwise_pixel(struct run *run, uint32_t y_block, uint64_t pixel)
{
	const struct mch_descriptor *d = run->d;
	const struct mch_format number = mch_accel_number(run->cfg, d->x0_signed);
	const int runs = run->cols / mch_accel_x_cols(run->cfg);
	uint64_t sum[COLS_MAX] = {0};
	const int64_t *w = run->w;
	for (uint32_t i = 0; i < d->kernel_r * d->kernel_s * d->taps; i++, w += runs * run->cols) {
		const uint32_t walk = i / d->taps, tap = i % d->taps;
		const struct at at = window_at(d, pixel + tap, walk / d->kernel_s, walk % d->kernel_s);
		if (!at.inside || pixel + tap >= d->pixels)
			continue;
		const uint8_t *word = x_word(run, y_block, at);
		if (!word)
			return fail(run, -1, "reads beyond its strip");
		for (int r = 0; r < runs; r++) /* of each beat every column takes part */
			for (int j = 0; j < run->cols; j++) {
				const int c = r * (run->cols / runs) + j % (run->cols / runs);
				const int32_t code = mch_accel_get_code(word, (uint64_t)c, run->elem_bytes, number);
				sum[j] += (uint64_t)(mch_format_integer(number, code) * w[r * run->cols + j]);
			}
	}
	return write_sums(run, y_block, pixel, (const int64_t *)sum);
}

/* What wraps at every step wraps at the end alone to the same; so does what wraps at 64 bits. */
static int conv_pixel(struct run *run, uint32_t y_block, uint64_t pixel)
{
	const struct mch_descriptor *d = run->d;
	uint64_t sum[COLS_MAX] = {0};
	const int64_t *w = run->w;
	if (d->taps)
		return depthwise_pixel(run, y_block, pixel);
	for (uint32_t b = 0; b < mch_descriptor_blocks(d); b++) {
		const uint32_t channels = mch_descriptor_channels(d, run->cfg, b);
		const struct mch_format number = mch_accel_number(run->cfg, b < d->x0_blocks ? d->x0_signed : d->x1_signed);
		for (uint32_t rs = 0; rs < d->kernel_r * d->kernel_s; rs++, w += channels * (uint32_t)run->cols) {
			const struct at at = window_at(d, pixel, rs / d->kernel_s, rs % d->kernel_s);
			if (!at.inside)
				continue;
			const uint8_t *word = x_word(run, b, at);
			if (!word)
				return fail(run, -1, "reads beyond its strip");
			for (uint32_t c = 0; c < channels; c++) {
				const int64_t x = mch_format_integer(number, mch_accel_get_code(word, c, run->elem_bytes, number));
				for (int j = 0; x && j < run->cols; j++)
					sum[j] += (uint64_t)(x * w[c * (uint32_t)run->cols + (uint32_t)j]);
			}
		}
	}
	return write_sums(run, y_block, pixel, (const int64_t *)sum);
}

static bool counts_at(const struct mch_descriptor *d, struct at at)
{
	return at.row < d->count_words && at.col < d->count_w && (d->count_pad || (at.row >= 0 && at.col >= 0));
}

static int pool_pixel(struct run *run, uint32_t y_block, uint64_t pixel)
{
	const struct mch_descriptor *d = run->d;
	const struct mch_format number = mch_accel_number(run->cfg, d->x0_signed);
	int64_t sum[COLS_MAX] = {0}, count = 0;
	int32_t best[COLS_MAX] = {0};
	bool any = false;
	for (uint32_t s = 0; s < d->kernel_s; s++)
		for (uint32_t r = 0; r < d->kernel_r; r++) {
			const struct at at = window_at(d, pixel, r, s);
			count += counts_at(d, at);
			if (!at.inside)
				continue;
			const uint8_t *word = x_word(run, y_block, at);
			if (!word)
				return fail(run, -1, "reads beyond its strip");
			for (int j = 0; j < run->cols; j++) {
				const int32_t x = mch_accel_get_code(word, (uint64_t)j, run->elem_bytes, number);
				best[j] = !any || x > best[j] ? x : best[j];
				sum[j] += x;
			}
			any = true;
		}
	if (d->op == MCH_OP_MAX)
		return write_pixel(run, y_block, pixel, best);
	if (count == 0)
		return fail(run, -1, "a mean of no positions");
	for (int j = 0; j < run->cols; j++)
		sum[j] *= mch_pool_recip(count);
	return write_sums(run, y_block, pixel, sum);
}

static int run_strip(struct run *run)
{
	const struct mch_descriptor *d = run->d;
	int status = load_strip(run);
	run->w_used = 0;
	for (uint32_t y_block = 0; status == 0 && y_block < d->y_blocks; y_block++) {
		if (d->op != MCH_OP_MAX)
			status = take_stream(run);
		for (uint64_t i = 0; status == 0 && i < run->strip.n_pixels; i++)
			status = d->op == MCH_OP_CONV ? conv_pixel(run, y_block, run->strip.first + i)
						      : pool_pixel(run, y_block, run->strip.first + i);
	}
	if (status == 0 && run->w_used != d->w_words)
		return fail(run, MCH_ERROR_WEIGHTS, "leaves weights unread");
	if (status == 0 && run->counts) {
		const uint64_t tiles =
		    (run->strip.n_pixels + (uint32_t)run->cfg->rows - 1) / (uint32_t)run->cfg->rows;
		run->counts->strips++;
		run->counts->beats += tiles * d->y_blocks * run->beats;
		run->counts->w_words += run->w_used;
	}
	return status;
}

static int run_strips(struct run *run)
{
	const struct mch_descriptor *d = run->d;
	const size_t room = (size_t)run->cfg->x_words * mch_accel_word_bytes(run->cfg);
	int status = 0;
	run->x = malloc(room);
	run->w = malloc((size_t)(run->beats ? run->beats : 1) * (size_t)run->cols * sizeof(*run->w));
	if (!run->x || !run->w) {
		mch_err_set(run->err, "descriptor", "out of memory; use a machine with more");
		status = -1;
	}
	for (uint64_t i = 0; status == 0 && i < mch_descriptor_strips(d); i++) {
		run->strip = mch_descriptor_strip(d, i);
		if (run->strip.end < run->strip.start)
			status = fail(run, -1, "a strip starts behind the map");
		run->strip_words = (uint64_t)(run->strip.end - run->strip.start);
		if (status == 0 && run->strip_words * mch_descriptor_blocks(d) > run->cfg->x_words)
			status = fail(run, MCH_ERROR_STRIP, "a strip does not fit X_WORDS");
		if (status == 0)
			status = run_strip(run);
	}
	free(run->x);
	free(run->w);
	return status;
}

static int check_words(const struct mch_accel_config *cfg, const uint8_t *bytes, struct mch_err *err)
{
	const int word = mch_descriptor_illegal(bytes, cfg);
	return word < 0 ? 0 : mch_err_set(err, "descriptor", "word %d is illegal; correct the program", word);
}

int mch_descriptor_run(const struct mch_accel_config *cfg, const struct mch_descriptor *d,
		       const struct mch_accel_memory *mem, struct mch_accel_counts *counts, struct mch_err *err)
{
	struct run run = {.cfg = cfg, .d = d, .mem = mem, .counts = counts, .err = err, .cols = cfg->cols};
	uint8_t bytes[MCH_DESCRIPTOR_BYTES];
	mch_descriptor_pack(d, bytes);
	if (check_words(cfg, bytes, err) != 0)
		return MCH_ERROR_DESCRIPTOR;
	if (d->barrier && mem->unsettled)
		memset(mem->unsettled, 0, (size_t)mem->n_words);
	run.elem_bytes = mch_accel_elem_bytes(cfg);
	run.beats = mch_descriptor_beats(d, cfg);
	run.requant = (struct mch_requant){
	    .out_bits = (int)d->y_bits, .out_signed = d->y_signed, .relu = d->relu, .round = cfg->round};
	if (counts)
		counts->descriptors++;
	return run_strips(&run);
}

int mch_program_run(const struct mch_accel_config *cfg, uint32_t list, const struct mch_accel_memory *mem,
		    struct mch_accel_counts *counts, struct mch_err *err)
{
	const uint32_t words = mch_descriptor_words(cfg);
	for (uint64_t at = list; at + words <= mem->n_words; at += words) {
		const uint8_t *bytes = mem->bytes + at * mch_accel_word_bytes(cfg);
		struct mch_descriptor d;
		if (check_words(cfg, bytes, err) != 0) /* bits that no field has, too */
			return MCH_ERROR_DESCRIPTOR;
		mch_descriptor_unpack(bytes, &d);
		if (d.op == MCH_OP_STOP) {
			if (mem->unsettled) /* everything is idle then */
				memset(mem->unsettled, 0, (size_t)mem->n_words);
			return 0;
		}
		const int status = mch_descriptor_run(cfg, &d, mem, counts, err);
		if (status != 0)
			return status;
	}
	mch_err_set(err, "list", "has no OP_STOP; correct the program");
	return MCH_ERROR_READ;
}
