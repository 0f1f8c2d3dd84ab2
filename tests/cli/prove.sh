#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The short form of make prove holds; and what is wrong, what finds no end, and what was never there is told by the exit status.
set -eu
cd "${top_builddir:?run me by make check}"
prove=${top_srcdir:?run me by make check}/scripts/prove
"$prove" --level=1

dir=formal/check
rm -rf "$dir"
mkdir -p "$dir"
# WANTED STATUS, text of the line, line of a list, arguments...
run() {
	wanted=$1 text=$2 status=0
	echo "$3" >"$dir/list"
	shift 3
	"$prove" --list="$dir/list" "$@" >"$dir/out" 2>&1 || status=$?
	if [ "$status" != "$wanted" ] || ! grep -q "$text" "$dir/out"; then
		echo "exit status $wanted and \"$text\" wanted, $status found:"
		cat "$dir/out"
		exit 1
	fi
}
# The same fault where equality is claimed, with the other engine; none where one was promised.
run 1 '^refuted .*sat .*with sat' '1 sat equal 1 abc 60 IN_BITS=8 OUT_BITS=4 --fault=sat'
run 2 'proved was wanted' '1 sat equal 1 z3 60 IN_BITS=8 OUT_BITS=4 --fault=sat'
run 2 '^unknown' '1 lfsr refute 3 z3 60'
run 2 'sat_needs_IN_BITS' '1 sat equal 1 z3 60 IN_BITS=8 OUT_BITS=8'
run 99 'no proof of' '1 sat equal 1 z3 60' --only=requant
run 2 'no such option' '1 sat equal 1 z3 60' --no-such-option
rm -rf "$dir"
