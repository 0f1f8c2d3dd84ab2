/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* The mismatch report of tensor/report.h, built up call by call: a simulator hands over one value at a time. */
#include "dpi/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "dpi/check.h"
#include "dpi/macchiato_dpi.h"
#include "tensor/report.h"

enum { FIELDS_MAX = 8, NAME_BYTES = 48, TEXT_BYTES = 256 };

/* The simulator owns its strings only for the time of a call, so all are copied. */
static struct {
	char where[TEXT_BYTES], module[TEXT_BYTES], scope[TEXT_BYTES], redo[TEXT_BYTES];
	uint64_t case_number, seed;
	char in_name[FIELDS_MAX][NAME_BYTES], out_name[FIELDS_MAX][NAME_BYTES];
	struct mch_field in[FIELDS_MAX], want[FIELDS_MAX], got[FIELDS_MAX];
	int n_in, n_out;
} report = {.where = "simulation", .module = "design"};

static void copy(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from ? from : "");
}

int mch_dpi_report_about(const char *where, const char *module_name, const char *scope, const char *redo, long long case_number,
			 long long seed)
{
	copy(report.where, TEXT_BYTES, where);
	copy(report.module, TEXT_BYTES, module_name);
	copy(report.scope, TEXT_BYTES, scope);
	copy(report.redo, TEXT_BYTES, redo);
	report.case_number = (uint64_t)case_number;
	report.seed = (uint64_t)seed;
	report.n_in = report.n_out = 0;
	return 0;
}

static int need_field(const char *where, int bits, int n)
{
	return mch_dpi_need(where, "bits", bits, 1, 64) != 0 ? -1 : mch_dpi_need(where, "number of fields", n + 1, 1, FIELDS_MAX);
}

int mch_dpi_report_in(const char *name, long long value, int bits, unsigned char is_signed)
{
	if (need_field("mch_report_in", bits, report.n_in) != 0)
		return -1;
	char *kept = report.in_name[report.n_in];
	copy(kept, NAME_BYTES, name);
	report.in[report.n_in++] = (struct mch_field){kept, value, {bits, 0, is_signed != 0}, false};
	return 0;
}

int mch_dpi_report_out(const char *name, long long want, long long got, int bits, unsigned char is_signed)
{
	if (need_field("mch_report_out", bits, report.n_out) != 0)
		return -1;
	char *kept = report.out_name[report.n_out];
	copy(kept, NAME_BYTES, name);
	report.want[report.n_out] = (struct mch_field){kept, want, {bits, 0, is_signed != 0}, false};
	report.got[report.n_out++] = (struct mch_field){kept, got, {bits, 0, is_signed != 0}, false};
	return 0;
}

int mch_dpi_report_print(const char *place, const char *hint)
{
	char at[2 * TEXT_BYTES + 2];
	if (mch_dpi_need("mch_report_print", "number of outputs", report.n_out, 1, FIELDS_MAX) != 0)
		return -1;
	snprintf(at, sizeof(at), "%s%s%s", place ? place : "", place && place[0] && report.scope[0] ? "  " : "", report.scope);
	const struct mch_mismatch m = {.where = report.where,
				       .module = report.module,
				       .case_number = report.case_number,
				       .seed = report.seed,
				       .in = report.in,
				       .want = report.want,
				       .got = report.got,
				       .n_in = report.n_in,
				       .n_out = report.n_out,
				       .at = at[0] ? at : NULL,
				       .hint = hint && hint[0] ? hint : NULL,
				       .redo = report.redo[0] ? report.redo : NULL};
	mch_mismatch_print(stdout, &m);
	fflush(stdout);
	report.n_in = report.n_out = 0;
	return 0;
}

void mch_dpi_report_pin(const char *pin, int column, uint64_t cycle, int64_t want, int64_t got, int bits, bool is_signed,
			const char *hint)
{
	char place[64];
	report.n_out = 0;
	if (column < 0)
		snprintf(place, sizeof(place), "%s  cycle %" PRIu64, pin, cycle);
	else
		snprintf(place, sizeof(place), "%s column %d  cycle %" PRIu64, pin, column, cycle);
	mch_dpi_report_out("value", want, got, bits, is_signed);
	mch_dpi_report_print(place, hint);
}
