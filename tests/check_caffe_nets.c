/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Published Caffe networks: what their README says of them comes out, tensor for tensor and in percent; and the largest
 * of them loads in the time and memory that is asked for. Their files lie beside the sources, in ../shared/data. */
#include "check_main.h"

#include <math.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "io/caffe_mean.h"
#include "io/caffe_write.h"
#include "io/data.h"
#include "io/net_read.h"
#include "net/float.h"
#include "net/layer.h"
#include "net/score.h"
#include "temp.h"

static struct temp temp;
static char data_dir[512];

static void setup(void)
{
	temp_open(&temp);
}

static void teardown(void)
{
	temp_close(&temp);
}

/* "DIR/name" in a buffer that lasts until the fourth call behind. */
static const char *in_data(const char *name)
{
	static char path[4][600];
	static int next;
	char *buf = path[next++ % 4];
	snprintf(buf, sizeof(path[0]), "%.400s/%.180s", data_dir, name);
	return buf;
}

static void load(const char *definition, const char *weights, struct mch_net *net)
{
	struct mch_err err = {""};
	ck_assert_msg(mch_net_read(in_data(definition), in_data(weights), net, NULL, &err) == 0, "%s", err.text);
}

static const struct {
	const char *definition, *weights, *data, *mean;
	double scale;
	int n_images, n_right;
} scored[] = {
	{"lenet/lenet.prototxt", "lenet/lenet_iter_10000.caffemodel", "mnist", NULL, 0.00390625, 10000, 9905},
	{"cifar10_quick/cifar10_quick.prototxt", "cifar10_quick/cifar10_quick_iter_5000.caffemodel",
	 "cifar10/test_batch.bin", "cifar10/mean_3x32x32_f32le.bin", 1, 10000, 7491},
	{"cifar10_full/cifar10_full.prototxt", "cifar10_full/cifar10_full_iter_70000.caffemodel",
	 "cifar10/test_batch.bin", "cifar10/mean_3x32x32_f32le.bin", 1, 10000, 8211},
};

START_TEST(scores)
{
	struct mch_net net;
	struct mch_dataset data;
	struct mch_err err = {""};
	load(scored[_i].definition, scored[_i].weights, &net);
	const struct mch_shape input = net.edges[net.input].shape;
	net.transform.scale = scored[_i].scale;
	if (scored[_i].mean)
		ck_assert_msg(mch_caffe_mean_read(in_data(scored[_i].mean), input, &net.transform, &err) == 0, "%s",
			      err.text);
	const struct mch_data_spec spec = {.path = in_data(scored[_i].data),
					   .split = "test",
					   .input = input,
					   .transform = &net.transform,
					   .n_wanted = scored[_i].n_images,
					   .budget_bytes = (size_t)1 << 30,
					   .n_threads = 1};
	ck_assert_msg(mch_data_open(&spec, &data, &err) == 0, "%s", err.text);
	const int n_right = mch_float_score(&net, &data, scored[_i].n_images, NULL, &err);
	/* Sums in another order may turn an image or two that are on the edge. */
	ck_assert_msg(abs(n_right - scored[_i].n_right) <= 2, "%d right, %d expected %s", n_right, scored[_i].n_right,
		      err.text);
	mch_dataset_free(&data);
	mch_net_free(&net);
}
END_TEST

/* The float32 values of a .npy file of n_elems. */
static float *read_npy(const char *path, size_t n_elems)
{
	unsigned char head[10];
	float *values = malloc(n_elems * sizeof(*values));
	FILE *stream = fopen(path, "rb");
	ck_assert_msg(stream && values, "%s", path);
	ck_assert_uint_eq(fread(head, 1, sizeof(head), stream), sizeof(head));
	ck_assert_int_eq(fseek(stream, 10 + head[8] + 256 * head[9], SEEK_SET), 0);
	ck_assert_msg(fread(values, sizeof(*values), n_elems, stream) == n_elems && fgetc(stream) == EOF, "%s", path);
	fclose(stream);
	return values;
}

/* |got - want| relative to the largest value of the tensor. */
static double difference(const float *want, const float *got, size_t n_elems)
{
	double worst = 0, largest = 0;
	for (size_t i = 0; i < n_elems; i++) {
		worst = fmax(worst, fabs((double)want[i] - (double)got[i]));
		largest = fmax(largest, fabs((double)want[i]));
	}
	return worst / largest;
}

/* Caffe's own activations, written by Caffe. It names a blob, which an in-place ReLU has written last. */
START_TEST(squeezenet_is_as_in_caffe)
{
	static const char *const names[][2] = {
		{"conv1", "relu_conv1"}, {"pool1", "pool1"}, {"fire2_squeeze1x1", "fire2/relu_squeeze1x1"},
		{"fire2_concat", "fire2/concat"}, {"pool4", "pool4"}, {"pool8", "pool8"}, {"conv10", "relu_conv10"},
		{"pool10", "pool10"}, {"prob", "prob"},
	};
	struct mch_net net;
	struct mch_err err = {""};
	load("squeezenet_v1.0/deploy.prototxt", "squeezenet_v1.0/squeezenet_v1.0.caffemodel", &net);
	float *x = read_npy(in_data("squeezenet_v1.0/reference/data.npy"),
			    mch_shape_elems(net.edges[net.input].shape)), y[1000];
	struct mch_float *f = mch_float_new_tapped(&net, 1, MCH_FLOAT_ALL, &err);
	ck_assert_msg(f && mch_float_run(f, 1, x, y, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[128];
		const int edge = mch_net_find_edge(&net, names[i][1]);
		ck_assert_msg(edge >= 0, "no tensor %s", names[i][1]);
		const size_t n_elems = mch_shape_elems(net.edges[edge].shape);
		snprintf(name, sizeof(name), "squeezenet_v1.0/reference/%s.npy", names[i][0]);
		float *want = read_npy(in_data(name), n_elems), *got = malloc(n_elems * sizeof(*got));
		ck_assert_int_eq(mch_float_tap(f, edge, 1, got, &err), 0);
		const double d = difference(want, got, n_elems);
		ck_assert_msg(d <= 1e-5, "%s differs by %g of its largest value", names[i][0], d);
		free(want);
		free(got);
	}
	mch_float_free(f);
	free(x);
	mch_net_free(&net);
}
END_TEST

static int largest(const float *values, int n)
{
	int at = 0;
	for (int i = 1; i < n; i++)
		at = values[i] > values[at] ? i : at;
	return at;
}

/* No reference here: it sees in SqueezeNet's image what SqueezeNet saw. */
START_TEST(googlenet_runs)
{
	struct mch_net net;
	struct mch_err err = {""};
	float y[1000], *x = malloc(3 * 224 * 224 * sizeof(*x));
	load("googlenet/deploy.prototxt", "googlenet/bvlc_googlenet.caffemodel", &net);
	float *image = read_npy(in_data("squeezenet_v1.0/reference/data.npy"), 3 * 227 * 227);
	float *prob = read_npy(in_data("squeezenet_v1.0/reference/prob.npy"), 1000);
	ck_assert_ptr_nonnull(x);
	for (int row = 0; row < 3 * 224; row++)
		memcpy(x + row * 224, image + (row / 224 * 227 + row % 224 + 1) * 227 + 1, 224 * sizeof(*x));
	struct mch_float *f = mch_float_new(&net, 1, &err);
	ck_assert_msg(f && mch_float_run(f, 1, x, y, &err) == 0, "%s", err.text);
	ck_assert_int_eq(largest(y, 1000), largest(prob, 1000));
	mch_float_free(f);
	free(image);
	free(prob);
	free(x);
	mch_net_free(&net);
}
END_TEST

/* Seeded parameters of the published shapes. In a process of its own, whose memory is not counted below. */
static void write_caffenet(const char *path)
{
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		struct mch_net net;
		struct mch_err err = {""};
		struct mch_rng rng = mch_rng_seed(1);
		int status = mch_net_read(in_data("caffenet/deploy.prototxt"), NULL, &net, NULL, &err);
		for (int i = 0; status == 0 && i < net.n_layers; i++) {
			struct mch_layer *layer = &net.layers[i];
			if (!mch_layer_has_weights(layer))
				continue;
			status = mch_layer_alloc(layer, layer->n_bias > 0, &err);
			const double reach = sqrt(6.0 / (double)mch_conv_terms(&layer->conv));
			for (size_t k = 0; status == 0 && k < layer->n_weights; k++)
				layer->weights[k] = (float)((mch_rng_real(&rng) * 2 - 1) * reach);
			for (size_t k = 0; status == 0 && k < layer->n_bias; k++)
				layer->bias[k] = (float)(mch_rng_real(&rng) * 0.1);
		}
		_exit(status != 0 || mch_caffe_write_weights(&net, path, &err) != 0);
	}
	int status = 1;
	ck_assert(waitpid(child, &status, 0) == child && status == 0);
}

static double cpu_seconds(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
	       1e-6 * (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Every layer of the fast engine on what that engine gave it, against the plain operator. */
static void compare_layers(const struct mch_net *net, struct mch_float *f)
{
	struct mch_err err = {""};
	float **value = calloc((size_t)net->n_edges, sizeof(*value));
	ck_assert_ptr_nonnull(value);
	for (int e = 0; e < net->n_edges; e++) {
		value[e] = malloc(mch_shape_elems(net->edges[e].shape) * sizeof(float));
		ck_assert(value[e] && mch_float_tap(f, e, 1, value[e], &err) == 0);
	}
	for (int i = 0; i < net->n_layers; i++) {
		const struct mch_layer *layer = &net->layers[i];
		const struct mch_shape in = net->edges[layer->in[0]].shape, out = net->edges[layer->out[0]].shape;
		const float *x = value[layer->in[0]];
		float *want = malloc(mch_shape_elems(out) * sizeof(*want));
		ck_assert(want && layer->n_in == 1);
		const struct mch_layer_run run = {layer, 1, &in, out, &x, want};
		mch_layer_table[layer->kind].run_f32(&run);
		const double d = difference(want, value[layer->out[0]], mch_shape_elems(out));
		ck_assert_msg(d <= 1e-5, "layer %s differs by %g of its largest value", layer->name, d);
		free(want);
	}
	for (int e = 0; e < net->n_edges; e++)
		free(value[e]);
	free(value);
}

START_TEST(caffenet_loads_fast)
{
	struct mch_net net;
	struct mch_err err = {""};
	struct rusage before, after;
	char weights[512];
	snprintf(weights, sizeof(weights), "%s", temp_path(&temp, "caffenet.caffemodel"));
	write_caffenet(weights);
	FILE *stream = fopen(weights, "rb");
	ck_assert(stream && fseek(stream, 0, SEEK_END) == 0);
	const double file_kib = (double)ftell(stream) / 1024;
	fclose(stream);
	ck_assert_double_gt(file_kib, 230000);
	getrusage(RUSAGE_SELF, &before);
	ck_assert_msg(mch_net_read(in_data("caffenet/deploy.prototxt"), weights, &net, NULL, &err) == 0, "%s", err.text);
	getrusage(RUSAGE_SELF, &after);
	const double load_s = cpu_seconds(&after) - cpu_seconds(&before);
	ck_assert_double_le(load_s, 60);
#ifndef __SANITIZE_ADDRESS__ /* it keeps a shadow of all memory, and takes its time */
	ck_assert_msg((double)after.ru_maxrss <= 1.5 * file_kib, "%ld KiB of memory for a file of %.0f KiB",
		      after.ru_maxrss, file_kib);
	ck_assert_double_le(load_s, 2);
#endif
	struct mch_float *f = mch_float_new_tapped(&net, 1, MCH_FLOAT_ALL, &err);
	struct mch_rng rng = mch_rng_seed(2);
	const size_t n_in = mch_shape_elems(net.edges[net.input].shape);
	float y[1000], *x = malloc(n_in * sizeof(*x));
	ck_assert_ptr_nonnull(x);
	for (size_t i = 0; i < n_in; i++)
		x[i] = (float)(mch_rng_real(&rng) * 255 - 117);
	ck_assert_msg(f && mch_float_run(f, 1, x, y, &err) == 0, "%s", err.text);
	compare_layers(&net, f);
	mch_float_free(f);
	free(x);
	mch_net_free(&net);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("caffe_nets");
	TCase *cases = tcase_create("caffe_nets");
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_loop_test(cases, scores, 0, sizeof(scored) / sizeof(scored[0]));
	tcase_add_test(cases, squeezenet_is_as_in_caffe);
	tcase_add_test(cases, googlenet_runs);
	tcase_add_test(cases, caffenet_loads_fast);
	suite_add_tcase(s, cases);
	return s;
}

int main(void)
{
	const char *top = getenv("top_srcdir"), *elsewhere = getenv("MACCHIATO_DATA");
	if (elsewhere)
		snprintf(data_dir, sizeof(data_dir), "%s", elsewhere);
	else
		snprintf(data_dir, sizeof(data_dir), "%s/../shared/data", top ? top : ".");
	if (access(in_data("caffenet/deploy.prototxt"), R_OK) != 0) {
		printf("SKIP: no published networks in %s; set MACCHIATO_DATA to the folder that has them\n", data_dir);
		return 77;
	}
	return check_main(suite);
}
