/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The examples of docs/vectors.md, for the tests that hold the code to them. */
#ifndef MCH_TESTS_DOC_BLOCK_H
#define MCH_TESTS_DOC_BLOCK_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first fenced block of that language, as a stream to be read; NULL when the test runs outside of `make check`,
 * which says where the page is. */
static inline FILE *doc_block(const char *language)
{
	const char *top = getenv("top_srcdir");
	char path[1024], line[1024], fence[32];
	int inside = 0;
	if (!top)
		return NULL;
	snprintf(path, sizeof(path), "%s/docs/vectors.md", top);
	snprintf(fence, sizeof(fence), "```%s\n", language);
	FILE *page = fopen(path, "rb"), *block = tmpfile();
	ck_assert_msg(page && block, "%s cannot be read", path);
	while (fgets(line, sizeof(line), page) && !(inside && strcmp(line, "```\n") == 0)) {
		if (inside)
			fputs(line, block);
		inside |= strcmp(line, fence) == 0;
	}
	fclose(page);
	ck_assert_msg(inside, "%s has no block of %s", path, language);
	rewind(block);
	return block;
}

#endif
