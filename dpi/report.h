/* SPDX-License-Identifier: Apache-2.0 */
/* SPDX-FileCopyrightText: The Macchiato authors */
/* What the checks of the package report with; the functions themselves are those of macchiato_dpi.h. */
#ifndef MCH_DPI_REPORT_H
#define MCH_DPI_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* One output that differs, of a pin in a cycle, as a whole report; column -1: the pin has none; hint may be NULL. */
void mch_dpi_report_pin(const char *pin, int column, uint64_t cycle, int64_t want, int64_t got, int bits, bool is_signed,
			const char *hint);

#endif
