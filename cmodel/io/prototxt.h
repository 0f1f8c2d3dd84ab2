/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* Protobuf text format, as a tree of named fields: no schema, so it reads any message. Host only: no RTL twin.
 * Source: the Text Format Language Specification of Protocol Buffers. */
#ifndef MCH_IO_PROTOTXT_H
#define MCH_IO_PROTOTXT_H

#include <stddef.h>

#include "base/err.h"

enum mch_prototxt_kind {
	MCH_PROTOTXT_MESSAGE, /* { ... } or < ... > */
	MCH_PROTOTXT_STRING,  /* "..." or '...', neighbours joined */
	MCH_PROTOTXT_SCALAR,  /* number, enum name, true, false, inf, nan */
};

/* A field; the elements of a list are fields of one name. The root is a message without a name. */
struct mch_prototxt {
	char *name;
	int line;
	enum mch_prototxt_kind kind;
	char *text;    /* of a scalar: as written, the sign joined; of a string: without quotes and escapes */
	size_t n_text; /* a string may hold NULs */
	struct mch_prototxt *first; /* fields of a message, in the order of the file */
	struct mch_prototxt *next;
};

enum { MCH_PROTOTXT_DEPTH_MAX = 64 };

/* Parses n_bytes of text; where names it in errors ("net.prototxt"). NULL with err ("net.prototxt:12: ..."). */
struct mch_prototxt *mch_prototxt_parse(const char *where, const char *text, size_t n_bytes, struct mch_err *err);
struct mch_prototxt *mch_prototxt_read(const char *path, struct mch_err *err);
void mch_prototxt_free(struct mch_prototxt *root);

/* First field of that name, or NULL; message may be NULL (then NULL). */
const struct mch_prototxt *mch_prototxt_find(const struct mch_prototxt *message, const char *name);
/* The next of the same name behind field, or NULL. */
const struct mch_prototxt *mch_prototxt_again(const struct mch_prototxt *field);

/* The value of a field of the wanted type. 0, or -1 with err ("net.prototxt:12: num_output is "x"; ..."). A string's
 * text stays owned by the tree. */
int mch_prototxt_int(const char *where, const struct mch_prototxt *field, int low, int high, int *value,
		     struct mch_err *err);
int mch_prototxt_real(const char *where, const struct mch_prototxt *field, double *value, struct mch_err *err);
int mch_prototxt_bool(const char *where, const struct mch_prototxt *field, int *value, struct mch_err *err);
int mch_prototxt_string(const char *where, const struct mch_prototxt *field, const char **value, struct mch_err *err);
int mch_prototxt_message(const char *where, const struct mch_prototxt *field, struct mch_err *err);

/* err: "WHERE:LINE: ..." for a field; returns -1. */
int mch_prototxt_err(struct mch_err *err, const char *where, const struct mch_prototxt *field, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

#endif
