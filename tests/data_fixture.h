/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the tests of data sets share: a folder, opening what lies in it, and the text of a refusal. */
#ifndef MCH_TESTS_DATA_FIXTURE_H
#define MCH_TESTS_DATA_FIXTURE_H

#include "check_main.h"

#include <ftw.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "io/data.h"
#include "temp.h"

static struct temp temp;
static struct mch_err err;
static struct mch_transform transform;
static struct mch_dataset data;

static inline int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
	(void)status, (void)kind, (void)at;
	return remove(path);
}

static inline void setup(void)
{
	temp_open(&temp);
	transform = mch_transform_plain();
	data = (struct mch_dataset){0};
}

static inline void teardown(void)
{
	mch_dataset_free(&data);
	ck_assert_int_eq(nftw(temp.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void make_folder(const char *name)
{
	ck_assert_int_eq(mkdir(temp_path(&temp, name), 0700), 0);
}

/* The set at dir/name, or dir for ""; as the split. */
static inline int open_as(const char *name, const char *split, struct mch_shape input)
{
	char path[512];
	const struct mch_data_spec spec = {.path = path, .split = split, .input = input, .transform = &transform,
					   .budget_bytes = 1 << 20, .n_threads = 2};
	snprintf(path, sizeof(path), "%.250s%s%.200s", temp.dir, name[0] ? "/" : "", name);
	mch_dataset_free(&data);
	return mch_data_open(&spec, &data, &err);
}

static inline void expect(const char *name, const char *split, struct mch_shape input, int n_images, int n_classes)
{
	ck_assert_msg(open_as(name, split, input) == 0, "%s", err.text);
	ck_assert_int_eq(data.n_images, n_images);
	ck_assert_int_eq(data.n_classes, n_classes);
	ck_assert(data.shape.c == input.c && data.shape.h == input.h && data.shape.w == input.w);
}

/* The message of what cannot be opened, behind the folder's name. */
static inline void refuse(const char *name, struct mch_shape input, const char *text)
{
	ck_assert_int_eq(open_as(name, "test", input), -1);
	ck_assert_msg(strncmp(err.text, temp.dir, strlen(temp.dir)) == 0, "%s", err.text);
	ck_assert_str_eq(err.text + strlen(temp.dir) + (text[0] != ':'), text);
	ck_assert(!data.pixels && !data.labels && !data.name && !data.loader);
}

/* The same of an image that cannot be read. */
static inline void refuse_image(int i, const char *text)
{
	float x[4096];
	ck_assert_int_eq(mch_dataset_f32(&data, i, 1, x, &err), -1);
	ck_assert_str_eq(err.text + strlen(temp.dir) + 1, text);
}

static inline float first_value(int i)
{
	float x[4096];
	ck_assert_msg(mch_dataset_f32(&data, i, 1, x, &err) == 0, "%s", err.text);
	return x[0];
}

#endif
