/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Flips single bits of a real model's file and reads each result: it must be a network or a message, soon and in little
 * memory. Half of the flips are anywhere, half in the first and last 4 KiB, where the structure of most files is.
 *
 * usage: flip MODEL [N [SEED [DEFINITION.prototxt]]]      the last with a .caffemodel */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/require.h"
#include "base/rng.h"
#include "fuzz/fuzz.h"
#include "io/file.h"
#include "io/net_read.h"

enum {
	PER_CHILD = 50, /* as many as an exit code can count with ease */
	SECONDS = 60,   /* for one child */
	EDGE = 4096,
};

struct job {
	const char *model, *definition;
	char *bytes, *path;
	size_t n_bytes;
	int file;
};

static size_t place(struct mch_rng *rng, size_t n)
{
	const uint32_t kind = mch_rng_below(rng, 4);
	if (n <= 2 * EDGE || kind < 2)
		return mch_rng_below(rng, (uint32_t)n);
	return kind == 2 ? mch_rng_below(rng, EDGE) : n - 1 - mch_rng_below(rng, EDGE);
}

/* Flips first .. first + n - 1 of the run; exits with the number that were read as a network. */
static void child(struct job *job, uint64_t seed, long first, long n)
{
	long n_read = 0;
	alarm(SECONDS);
	for (long i = first; i < first + n; i++) {
		struct mch_rng rng = mch_rng_seed(seed + (uint64_t)i);
		const size_t at = place(&rng, job->n_bytes);
		const char was = job->bytes[at], is = (char)(was ^ (1 << mch_rng_below(&rng, 8)));
		struct mch_net net;
		struct mch_err err = {""};
		MCH_REQUIRE(pwrite(job->file, &is, 1, (off_t)at) == 1, "the copy can be written");
		const int status = mch_net_read(job->definition ? job->definition : job->path,
						job->definition ? job->path : NULL, &net, NULL, &err);
		fuzz_expect(status, &err);
		n_read += status == 0;
		if (status == 0)
			mch_net_free(&net);
		MCH_REQUIRE(pwrite(job->file, &was, 1, (off_t)at) == 1, "the copy can be written");
	}
	_exit((int)n_read);
}

static void open_copy(struct job *job)
{
	static char path[256];
	struct mch_err err;
	const char *dot = strrchr(job->model, '.');
	snprintf(path, sizeof(path), "/tmp/macchiato-flip-%ld%.32s", (long)getpid(), dot ? dot : "");
	MCH_REQUIRE(mch_file_read(job->model, SIZE_MAX / 2, &job->bytes, &job->n_bytes, &err) == 0, err.text);
	MCH_REQUIRE(job->n_bytes > 0, "the model has bytes");
	FILE *stream = fopen(path, "w+b");
	MCH_REQUIRE(stream && fwrite(job->bytes, 1, job->n_bytes, stream) == job->n_bytes && fflush(stream) == 0,
		    "a copy of the model can be made");
	job->path = path;
	job->file = fileno(stream);
}

int main(int argc, char **argv)
{
	struct job job = {.model = argc > 1 ? argv[1] : NULL, .definition = argc > 4 ? argv[4] : NULL};
	const long n = argc > 2 ? strtol(argv[2], NULL, 10) : 1000;
	const uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	long n_read = 0, largest_kib = 0;
	int n_bad = 0;
	MCH_REQUIRE(job.model && n > 0, "usage: flip MODEL [N [SEED [DEFINITION.prototxt]]]");
	open_copy(&job);
	for (long first = 0; first < n && !n_bad; first += PER_CHILD) {
		const long count = n - first < PER_CHILD ? n - first : PER_CHILD;
		struct rusage usage;
		int status;
		fflush(NULL);
		const pid_t pid = fork();
		MCH_REQUIRE(pid >= 0, "a process can be made");
		if (pid == 0)
			child(&job, seed, first, count);
		MCH_REQUIRE(waitpid(pid, &status, 0) == pid && getrusage(RUSAGE_CHILDREN, &usage) == 0, "a child ends");
		if (!WIFEXITED(status) || WEXITSTATUS(status) > PER_CHILD) {
			printf("flip: %s: flips %ld to %ld: %s %d; repeat with: flip %s %ld %llu\n", job.model, first,
			       first + count - 1, WIFEXITED(status) ? "exit" : "signal",
			       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), job.model, count,
			       (unsigned long long)(seed + (uint64_t)first));
			n_bad++;
		} else {
			n_read += WEXITSTATUS(status);
		}
		largest_kib = usage.ru_maxrss; /* of all children so far */
	}
	unlink(job.path);
	printf("flip: %s: %ld flips, %ld read as a network, %ld refused, largest process %ld MiB\n", job.model, n, n_read,
	       n - n_read, largest_kib / 1024);
	/* Ours, the sanitizer's shadow and some copies of the model; a lying size would need gigabytes. */
	if (largest_kib / 1024 > 512 + (long)(12 * job.n_bytes >> 20)) {
		printf("flip: %s: that is too much memory for a file of %zu bytes\n", job.model, job.n_bytes);
		n_bad++;
	}
	free(job.bytes);
	return n_bad != 0;
}
