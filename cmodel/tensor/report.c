/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The mismatch report; see report.h. */
#include "tensor/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fxp/encode.h"

/* The fewest digits that read back as the same double: -0.125, not -0.12500000000000000. */
static void real_text(char *buf, size_t room, double real)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, room, "%.*g", digits, real);
		if (strtod(buf, NULL) == real)
			return;
	}
}

/* "y=fe (-2 = -0.125 s8.4)", "shift=03 (3)", "sat=0". Returns the length. */
static int field_text(char *buf, size_t room, const struct mch_field *f)
{
	const uint64_t mask = UINT64_MAX >> (64 - f->format.bits);
	const uint64_t word = mch_number_is_minifloat(f->format.number) ? mch_minifloat_memory(f->format, f->value)
									 : (uint64_t)f->value & mask;
	const int digits = (f->format.bits + 3) / 4;
	int used = snprintf(buf, room, "%.48s=%0*" PRIx64, f->name, digits, word);
	if (f->format.bits > 1 || f->is_real)
		used += snprintf(buf + used, room - (size_t)used, " (%" PRId64, f->value);
	if (f->is_real) {
		char real[32], format[24];
		real_text(real, sizeof(real), mch_format_real(f->format, f->value));
		used += snprintf(buf + used, room - (size_t)used, " = %s %s", real,
				 mch_format_text(f->format, format));
	}
	if (f->format.bits > 1 || f->is_real)
		used += snprintf(buf + used, room - (size_t)used, ")");
	return used;
}

/* 48 of name, 13 digits, 20 of decimal, 24 of real, 15 of format and the signs between: 130. */
enum { FIELD_TEXT_BYTES = 160 };

static void print_in(FILE *stream, const struct mch_mismatch *m)
{
	char text[FIELD_TEXT_BYTES];
	if (m->n_in == 0)
		return;
	fputs("  in  ", stream);
	for (int i = 0; i < m->n_in; i++) {
		field_text(text, sizeof(text), &m->in[i]);
		fprintf(stream, "  %s", text);
	}
	fputc('\n', stream);
}

/* One line of outputs. Each column is as wide as the wider of the two lines, so that want stands above got; what
 * follows the last field is left to the caller. */
static void print_out(FILE *stream, const char *label, const struct mch_field *fields, const struct mch_field *others,
		      int n_out)
{
	char text[FIELD_TEXT_BYTES];
	fprintf(stream, "  %-4s  ", label);
	for (int i = 0; i < n_out; i++) {
		const int other = field_text(text, sizeof(text), &others[i]);
		const int width = field_text(text, sizeof(text), &fields[i]);
		const int pad = i + 1 == n_out ? 0 : (other > width ? other - width : 0) + 3;
		fprintf(stream, "%s%*s", text, pad, "");
	}
}

void mch_mismatch_print(FILE *stream, const struct mch_mismatch *m)
{
	fprintf(stream, "%s: MISMATCH %s, case %" PRIu64 ", seed %" PRIu64 "\n", m->where, m->module, m->case_number,
		m->seed);
	print_in(stream, m);
	print_out(stream, "want", m->want, m->got, m->n_out);
	fputc('\n', stream);
	print_out(stream, "got", m->got, m->want, m->n_out);
	for (int i = 0; i < m->n_out; i++) {
		if (m->got[i].value != m->want[i].value) {
			fprintf(stream, "        %+" PRId64 " lsb", m->got[i].value - m->want[i].value);
			break;
		}
	}
	fputc('\n', stream);
	if (m->at)
		fprintf(stream, "  at    %s\n", m->at);
	if (m->hint)
		fprintf(stream, "  hint  %s\n", m->hint);
	if (m->see && *m->see)
		fprintf(stream, "  see   %s\n", m->see);
	if (m->redo)
		fprintf(stream, "  redo  %s\n", m->redo);
}
