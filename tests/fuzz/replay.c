/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Runs every kept input of every fuzz target, and seeded mutations of each: what a fuzzer found once stays found.
 *
 * usage: replay CORPUS-FOLDER [MUTATIONS] */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "base/rng.h"
#include "fuzz/fuzz.h"

enum { ROOM = 1 << 20 };

/* One to four places become another byte, or the end is cut off. */
static size_t mutate(struct mch_rng *rng, uint8_t *bytes, size_t n)
{
	for (uint32_t i = 1 + mch_rng_below(rng, 4); i > 0 && n > 0; i--) {
		const size_t at = mch_rng_below(rng, (uint32_t)n);
		if (mch_rng_below(rng, 16) == 0)
			n = at;
		else
			bytes[at] = (uint8_t)(bytes[at] ^ (1u << mch_rng_below(rng, 8)));
	}
	return n;
}

static void run_file(const struct fuzz_target *target, const char *path, long n_mutations, long *n_runs)
{
	static uint8_t kept[ROOM], bytes[ROOM];
	FILE *stream = fopen(path, "rb");
	MCH_REQUIRE(stream, path);
	const size_t n = fread(kept, 1, ROOM, stream);
	MCH_REQUIRE(n < ROOM, "an input of the corpus is small");
	fclose(stream);
	target->run(kept, n);
	struct mch_rng rng = mch_rng_seed(n);
	for (long i = 0; i < n_mutations; i++) {
		memcpy(bytes, kept, n);
		target->run(bytes, mutate(&rng, bytes, n));
	}
	*n_runs += 1 + n_mutations;
}

int main(int argc, char **argv)
{
	const long n_mutations = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	MCH_REQUIRE(argc > 1 && n_mutations >= 0, "usage: replay CORPUS-FOLDER [MUTATIONS]");
	for (const struct fuzz_target *t = fuzz_targets; t->name; t++) {
		char path[4096];
		long n_runs = 0;
		snprintf(path, sizeof(path), "%.3000s/%s", argv[1], t->name);
		DIR *dir = opendir(path);
		for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
			if (e->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%.3000s/%s/%.255s", argv[1], t->name, e->d_name);
			run_file(t, path, n_mutations, &n_runs);
		}
		if (dir)
			closedir(dir);
		printf("%-12s %ld runs\n", t->name, n_runs);
		if (n_runs == 0) {
			fprintf(stderr, "replay: %s/%s has no inputs; keep a small one there\n", argv[1], t->name);
			return 99;
		}
	}
	return 0;
}
