#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The table of multipliers' logic is what Yosys makes of rtl/mch_mac.v today: a row of it.
set -eu
exec "${top_srcdir:?run me by make check}/scripts/measure-cost" --check 2 "$top_srcdir"
