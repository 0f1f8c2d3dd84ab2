/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Data sets: the value and the code of a pixel, orders, and images that are read when they are wanted. */
#include "check_main.h"

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/rng.h"
#include "fast/codes.h"
#include "net/dataset.h"
#include "net/loader.h"

enum { N = 300, C = 2, H = 3, W = 5, ELEMS = C * H * W };

static float corner_value(struct mch_rng *rng)
{
	static const float corners[] = {0, -0.0f, NAN, INFINITY, -INFINITY, 0x1p-149f, -0x1p-149f, 0x1.fffffep127f};
	switch (mch_rng_below(rng, 4)) {
	case 0:
		return corners[mch_rng_below(rng, sizeof(corners) / sizeof(corners[0]))];
	case 1: /* ties and bounds of small formats */
		return ((float)mch_rng_below(rng, 1 << 18) - (1 << 17)) * 0.5f *
		       ldexpf(1, (int)mch_rng_below(rng, 9) - 4);
	default:
		return ldexpf((float)(2 * mch_rng_real(rng) - 1), (int)mch_rng_below(rng, 30) - 15);
	}
}

START_TEST(codes_are_those_of_the_format)
{
	enum { VALUES = 1000 };
	struct mch_rng rng = mch_rng_seed(1);
	float x[VALUES];
	int32_t y[VALUES];
	for (int bits = 1; bits <= MCH_OPERAND_BITS_MAX; bits++)
		for (int frac = -MCH_FRAC_LIMIT; frac <= MCH_FRAC_LIMIT; frac++) {
			const struct mch_format f = {bits, frac, (frac & 1) != 0};
			const float unit = ldexpf(1, abs(frac) < 20 ? -frac : 0);
			for (int i = 0; i < VALUES; i++)
				x[i] = corner_value(&rng) * unit;
			mch_codes_quantize(f, VALUES, x, y);
			for (int i = 0; i < VALUES; i++)
				ck_assert_int_eq(y[i], mch_format_raw(f, (double)x[i], MCH_ROUND_HALF_EVEN, NULL));
		}
}
END_TEST

/* Images whose pixels tell the image and the place. */
static uint8_t pixel_of(int image, int at)
{
	return (uint8_t)(image * 37 + at * 11);
}

static struct mch_dataset in_memory(void)
{
	struct mch_dataset data = {.n_images = N, .n_classes = 10, .shape = {1, C, H, W}, .name = strdup("test")};
	data.pixels = malloc(N * ELEMS);
	data.labels = malloc(N * sizeof(*data.labels));
	ck_assert(data.pixels && data.labels && data.name);
	for (int i = 0; i < N; i++) {
		data.labels[i] = i % 10;
		for (int at = 0; at < ELEMS; at++)
			data.pixels[i * ELEMS + at] = pixel_of(i, at);
	}
	return data;
}

START_TEST(transform_of_channels)
{
	struct mch_dataset data = in_memory();
	struct mch_transform t = mch_transform_plain();
	struct mch_err err = {""};
	float x[2 * ELEMS];
	ck_assert_int_eq(mch_dataset_f32(&data, 7, 2, x, &err), 0);
	for (int i = 0; i < 2 * ELEMS; i++)
		ck_assert(x[i] == pixel_of(7 + i / ELEMS, i % ELEMS));
	t.scale = 0.25;
	t.n_mean = C, t.mean[0] = 10, t.mean[1] = 20.5f;
	t.n_std = 1, t.std[0] = 3;
	data.transform = &t;
	ck_assert_int_eq(mch_dataset_f32(&data, 3, 1, x, &err), 0);
	for (int i = 0; i < ELEMS; i++)
		ck_assert(x[i] == (float)((pixel_of(3, i) - (i < H * W ? 10 : 20.5)) * (0.25 / 3)));
	const struct mch_format f = {8, 4, true};
	int32_t raw[ELEMS];
	ck_assert_int_eq(mch_dataset_raw(&data, 3, 1, f, raw, &err), 0);
	for (int i = 0; i < ELEMS; i++)
		ck_assert_int_eq(raw[i], mch_format_raw(f, (double)x[i], MCH_ROUND_HALF_EVEN, NULL));
	mch_dataset_free(&data);
}
END_TEST

START_TEST(transform_with_a_mean_image)
{
	enum { MH = H + 3, MW = W + 2 };
	struct mch_dataset data = in_memory();
	struct mch_transform t = mch_transform_plain();
	struct mch_err err = {""};
	float mean[C * MH * MW], x[ELEMS];
	for (int i = 0; i < C * MH * MW; i++)
		mean[i] = (float)i * 0.5f;
	t.mean_image = mean;
	t.mean_c = C, t.mean_h = MH, t.mean_w = MW;
	data.transform = &t;
	ck_assert_int_eq(mch_dataset_f32(&data, 9, 1, x, &err), 0);
	for (int c = 0; c < C; c++)
		for (int h = 0; h < H; h++)
			for (int w = 0; w < W; w++) {
				const int at = (c * H + h) * W + w;
				ck_assert(x[at] == pixel_of(9, at) - mean[(c * MH + h + 1) * MW + w + 1]);
			}
	mch_dataset_free(&data);
}
END_TEST

START_TEST(shuffle_permutes)
{
	struct mch_dataset data = in_memory();
	struct mch_err err = {""};
	float x[ELEMS];
	int n_moved = 0;
	bool seen[N] = {false};
	ck_assert_int_eq(mch_dataset_shuffle(&data, 1, &err), 0);
	for (int i = 0; i < N; i++) {
		const int from = data.order[i];
		ck_assert(!seen[from]);
		seen[from] = true;
		n_moved += from != i;
		ck_assert_int_eq(data.labels[i], from % 10);
		ck_assert_int_eq(mch_dataset_f32(&data, i, 1, x, &err), 0);
		ck_assert(x[4] == pixel_of(from, 4));
	}
	ck_assert_int_gt(n_moved, N / 2);
	mch_dataset_free(&data);
}
END_TEST

/* A source that counts, and that fails at one image. */
struct fake {
	pthread_mutex_t mutex;
	int n_read[N], bad;
	bool is_f32, is_freed;
};

static int fake_read(void *ctx, int i, void *to, struct mch_err *err)
{
	struct fake *fake = ctx;
	pthread_mutex_lock(&fake->mutex);
	fake->n_read[i]++;
	pthread_mutex_unlock(&fake->mutex);
	if (i == fake->bad)
		return mch_err_set(err, "image", "%d is damaged; get it again", i);
	for (int at = 0; at < ELEMS; at++)
		if (fake->is_f32)
			((float *)to)[at] = (float)pixel_of(i, at) + 0.5f;
		else
			((uint8_t *)to)[at] = pixel_of(i, at);
	return 0;
}

static void fake_free(void *ctx)
{
	((struct fake *)ctx)->is_freed = true;
}

static struct mch_dataset from_source(struct fake *fake, size_t budget_bytes, int n_threads, bool is_shuffled)
{
	struct mch_dataset data = in_memory();
	struct mch_err err = {""};
	free(data.pixels);
	data.pixels = NULL;
	pthread_mutex_init(&fake->mutex, NULL);
	if (is_shuffled)
		ck_assert_int_eq(mch_dataset_shuffle(&data, 5, &err), 0);
	const struct mch_loader_config config = {{fake, fake->is_f32, fake_read, fake_free}, budget_bytes, n_threads};
	ck_assert_int_eq(mch_dataset_load(&data, &config, &err), 0);
	return data;
}

/* What consumers on several threads get, in two passes; the first may be given up. */
static void consume(const struct mch_dataset *data, const struct fake *fake, int n_given_up)
{
	float x[ELEMS];
	struct mch_err err = {""};
	mch_dataset_ahead(data, N);
	for (int i = 0; i < n_given_up; i++)
		ck_assert_int_eq(mch_dataset_f32(data, i, 1, x, &err), 0);
	mch_dataset_ahead(data, N);
	int n_wrong = 0;
#pragma omp parallel for num_threads(3) schedule(dynamic) reduction(+ : n_wrong)
	for (int i = 0; i < N / 4; i++) {
		float y[4 * ELEMS];
		struct mch_err why;
		n_wrong += mch_dataset_f32(data, 4 * i, 4, y, &why) != 0;
		for (int j = 0; j < 4 * ELEMS; j++) {
			const int at = 4 * i + j / ELEMS, image = data->order ? data->order[at] : at;
			n_wrong += y[j] != (float)pixel_of(image, j % ELEMS) + (fake->is_f32 ? 0.5f : 0);
		}
	}
	ck_assert_int_eq(n_wrong, 0);
}

START_TEST(loader_gives_the_same_to_all)
{
	static const size_t budgets[] = {0, 50 * ELEMS, (N - 1) * ELEMS, 4 * N * ELEMS};
	for (int b = 0; b < 4; b++)
		for (int threads = 0; threads <= 3; threads++)
			for (int kind = 0; kind < 4; kind++) {
				struct fake fake = {.bad = -1, .is_f32 = kind & 1};
				struct mch_dataset data = from_source(&fake, budgets[b], threads, kind & 2);
				consume(&data, &fake, 10 * kind);
				if (b == 3) /* all fit: each is read once */
					for (int i = 0; i < N; i++)
						ck_assert_int_eq(fake.n_read[i], 1);
				mch_dataset_free(&data);
				ck_assert(fake.is_freed);
			}
}
END_TEST

/* Nobody takes anything: what is read ahead is bounded. */
START_TEST(window_is_bounded)
{
	struct fake fake = {.bad = -1};
	struct mch_dataset data = from_source(&fake, 4 * N * ELEMS, 2, false);
	float x[ELEMS];
	struct mch_err err = {""};
	mch_dataset_ahead(&data, N);
	ck_assert_int_eq(mch_dataset_f32(&data, 0, 1, x, &err), 0);
	mch_dataset_free(&data); /* joins the threads */
	for (int i = 2 * 64 + 1; i < N; i++)
		ck_assert_int_eq(fake.n_read[i], 0);
}
END_TEST

START_TEST(failure_reaches_its_consumer)
{
	for (int threads = 0; threads <= 2; threads++)
		for (int b = 0; b < 2; b++) {
			struct fake fake = {.bad = 20};
			struct mch_dataset data = from_source(&fake, b ? N * ELEMS : 0, threads, false);
			float x[ELEMS];
			struct mch_err err = {""};
			mch_dataset_ahead(&data, N);
			for (int i = 0; i < N; i++)
				ck_assert_int_eq(mch_dataset_f32(&data, i, 1, x, &err), i == 20 ? -1 : 0);
			ck_assert_str_eq(err.text, "image: 20 is damaged; get it again");
			mch_dataset_free(&data);
		}
}
END_TEST

static Suite *suite(void)
{
	const TTest *const tests[] = {codes_are_those_of_the_format, transform_of_channels,
					     transform_with_a_mean_image,   shuffle_permutes,
					     loader_gives_the_same_to_all,  window_is_bounded,
					     failure_reaches_its_consumer};
	return CHECK_SUITE("dataset", tests);
}

int main(void)
{
	return check_main(suite);
}
