/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The ONNX backend tests (Debian package libonnx-testdata): every case through our reader, the plain float run and
 * the fast one.
 *
 * usage: conformance [--floor=N] DATA-FOLDER [CASE...]
 *
 * A line for each case that fails, then what passed, what is unsupported and why. Exit 0; 1 when one fails or fewer
 * than N pass; 99 when none passes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance_case.h"

/* A reason, and how many cases it has. */
struct reason {
	char text[512], cases[2048];
	int n;
};

struct reasons {
	struct reason *list;
	int n;
};

static void add_reason(struct reasons *reasons, const char *text, const char *name)
{
	int i = 0;
	while (i < reasons->n && strcmp(reasons->list[i].text, text) != 0)
		i++;
	if (i == reasons->n) {
		reasons->list = realloc(reasons->list, (size_t)(i + 1) * sizeof(*reasons->list));
		if (!reasons->list)
			exit(99);
		reasons->list[i] = (struct reason){.n = 0};
		snprintf(reasons->list[i].text, sizeof(reasons->list[i].text), "%s", text);
		reasons->n++;
	}
	struct reason *r = &reasons->list[i];
	const size_t used = strlen(r->cases);
	r->n++;
	snprintf(r->cases + used, sizeof(r->cases) - used, " %s", name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct reason *)a)->text, ((const struct reason *)b)->text);
}

static int by_number(const void *a, const void *b)
{
	const int n = ((const struct reason *)b)->n - ((const struct reason *)a)->n;
	return n ? n : by_text(a, b);
}

struct totals {
	int n[FAIL + 1], n_one_image, n_runs, n_fast;
	struct reasons operators, forms;
};

/* Each operator of a case by itself. */
static void add_operators(struct reasons *reasons, const char *text, const char *name)
{
	char word[64];
	int used;
	while (sscanf(text, "%63s%n", word, &used) == 1) {
		add_reason(reasons, word, name);
		text += used;
	}
}

static void count(struct totals *totals, const char *suite, const char *name, const struct result *result)
{
	totals->n[result->verdict]++;
	totals->n_one_image += result->verdict == PASS && result->is_one_image;
	totals->n_runs += result->n_runs;
	totals->n_fast += result->n_fast;
	if (result->verdict == FAIL)
		printf("FAIL: %s/%s: %s\n", suite, name, result->text);
	else if (result->verdict == NO_OPERATOR)
		add_operators(&totals->operators, result->text, name);
	else if (result->verdict == NO_FORM)
		add_reason(&totals->forms, result->text, name);
}

static int is_case(const struct dirent *entry)
{
	return strncmp(entry->d_name, "test_", 5) == 0;
}

static int is_wanted(const char *name, int n, char **wanted)
{
	int found = n == 0;
	for (int i = 0; i < n; i++)
		found = found || strcmp(wanted[i], name) == 0;
	return found;
}

static void run_suite(const char *data, const char *suite, int n_wanted, char **wanted, struct totals *all)
{
	char folder[768];
	struct dirent **entries;
	struct totals totals = {.operators = all->operators, .forms = all->forms};
	snprintf(folder, sizeof(folder), "%s/%s", data, suite);
	const int n = scandir(folder, &entries, is_case, alphasort);
	for (int i = 0; i < n; i++) {
		char path[1024];
		struct result result;
		snprintf(path, sizeof(path), "%.700s/%.255s", folder, entries[i]->d_name);
		if (is_wanted(entries[i]->d_name, n_wanted, wanted)) {
			run_case(path, &result);
			count(&totals, suite, entries[i]->d_name, &result);
			if (n_wanted)
				printf("%s: %s\n", entries[i]->d_name, result.verdict == PASS ? "pass" : result.text);
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	printf("%-18s %5d pass  %5d unsupported operator  %5d unsupported form  %5d fail\n", suite, totals.n[PASS],
	       totals.n[NO_OPERATOR], totals.n[NO_FORM], totals.n[FAIL]);
	for (int v = PASS; v <= FAIL; v++)
		all->n[v] += totals.n[v];
	all->n_one_image += totals.n_one_image;
	all->n_runs += totals.n_runs;
	all->n_fast += totals.n_fast;
	all->operators = totals.operators;
	all->forms = totals.forms;
}

static void print_reasons(const char *title, struct reasons *reasons, int (*order)(const void *, const void *),
			  int with_cases)
{
	printf("\n%s\n", title);
	if (reasons->n)
		qsort(reasons->list, (size_t)reasons->n, sizeof(*reasons->list), order);
	for (int i = 0; i < reasons->n; i++) {
		printf("%5d  %s\n", reasons->list[i].n, reasons->list[i].text);
		if (with_cases)
			printf("      %s\n", reasons->list[i].cases);
	}
	free(reasons->list);
}

int main(int argc, char **argv)
{
	static const char *const suites[] = {"node", "pytorch-converted", "pytorch-operator", "simple"};
	struct totals all = {.n = {0}};
	int at = 1, floor_passes = 0;
	if (at < argc && sscanf(argv[at], "--floor=%d", &floor_passes) == 1)
		at++;
	if (at >= argc) {
		fprintf(stderr, "usage: conformance [--floor=N] DATA-FOLDER [CASE...]\n");
		return 99;
	}
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		run_suite(argv[at], suites[i], argc - at - 1, argv + at + 1, &all);
	printf("%-18s %5d pass  %5d unsupported operator  %5d unsupported form  %5d fail\n", "all", all.n[PASS],
	       all.n[NO_OPERATOR], all.n[NO_FORM], all.n[FAIL]);
	printf("%d of them pass as one image each, without a batch; %d outputs compared, %d of these from the fast "
	       "engine too\n",
	       all.n_one_image, all.n_runs, all.n_fast);
	print_reasons("Unsupported operators, and the cases that have them:", &all.operators, by_number, 0);
	print_reasons("Unsupported forms, and the cases that have them:", &all.forms, by_text, 1);
	if (all.n[PASS] == 0)
		return 99;
	if (all.n[PASS] < floor_passes)
		printf("\nFAIL: %d pass, %d did before\n", all.n[PASS], floor_passes);
	return all.n[FAIL] > 0 || all.n[PASS] < floor_passes;
}
