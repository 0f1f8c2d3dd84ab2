#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The table of multipliers' logic is what Yosys makes of rtl/mch_mac.v today: a row of it. The accelerator's formulas are
# those of the committed runs, and the first of them is about what Yosys makes of rtl/mch_top.v.
set -eu
"${top_srcdir:?run me by make check}/scripts/measure-cost" --check 2 "$top_srcdir"
exec "$top_srcdir/scripts/measure-accelerator" --check --root="$top_srcdir"
