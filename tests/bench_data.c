/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* How fast images become input: bench_data PATH CxHxW [WxH], the last a size to warp to. Built by its name; the
 * repository has no pictures that are worth measuring. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "base/require.h"
#include "io/data.h"

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double rate(const struct mch_data_spec *spec, int n_threads)
{
	struct mch_err err = {""};
	struct mch_dataset data;
	MCH_REQUIRE(mch_data_open(spec, &data, &err) == 0, err.text);
	const size_t elems = mch_shape_elems(data.shape);
	const double start_s = now_s();
#pragma omp parallel num_threads(n_threads)
	{
		float *x = malloc(elems * sizeof(*x));
		struct mch_err why = {""};
		MCH_REQUIRE(x, "there is memory");
#pragma omp for schedule(dynamic)
		for (int i = 0; i < data.n_images; i++)
			MCH_REQUIRE(mch_dataset_f32(&data, i, 1, x, &why) == 0, why.text);
		free(x);
	}
	const double images_per_s = data.n_images / (now_s() - start_s);
	mch_dataset_free(&data);
	return images_per_s;
}

int main(int argc, char **argv)
{
	struct mch_transform t = mch_transform_plain();
	struct mch_data_spec spec = {.split = "test", .transform = &t};
	t.n_mean = 1, t.mean[0] = 120;
	t.is_cropped = true;
	if (argc < 3 || sscanf(argv[2], "%dx%dx%d", &spec.input.c, &spec.input.h, &spec.input.w) != 3 ||
	    (argc > 3 && sscanf(argv[3], "%dx%d", &t.width, &t.height) != 2)) {
		fprintf(stderr, "bench_data: give PATH CxHxW [WxH]\n");
		return 2;
	}
	t.resize = argc > 3 ? MCH_RESIZE_WARP : MCH_RESIZE_NONE;
	spec.path = argv[1];
	spec.input.n = 1;
	for (int n_threads = 1; n_threads <= 2; n_threads++)
		printf("%s, %d thread%s: %.0f images/s\n", argv[1], n_threads, n_threads > 1 ? "s" : "",
		       rate(&spec, n_threads));
	return 0;
}
