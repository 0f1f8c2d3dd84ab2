#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Every test that docs/quantize.md names beside a fault of Ristretto is one that runs, and every test of a fault is named.
set -eu
top=${top_srcdir:?run me by make check}
names=$(sed -n "/^## Ristretto's faults/,\$s/^|.*| \([a-z0-9_]*\) |\$/\1/p" "$top/docs/quantize.md" | grep -v '^test$')
[ "$(echo "$names" | wc -l)" = 14 ] || { echo "FAIL: not 14 faults: $names"; exit 1; }
for name in $names; do
	# once as a test, once in a suite
	[ "$(cat "$top"/tests/check_ristretto_faults.c "$top"/tests/check_number_nets.c | grep -cw "$name")" -ge 2 ] ||
		{ echo "FAIL: $name is no test that runs"; exit 1; }
done
sed -n 's/^START_TEST(\([a-z0-9_]*\))/\1/p' "$top/tests/check_ristretto_faults.c" | while read -r name; do
	echo "$names" | grep -qx "$name" || { echo "FAIL: $name is not in docs/quantize.md"; exit 1; }
done
