#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# scripts/mutate-c: faults of a source are found by its test; those that a test does not look at survive; an explanation that is
# wrong, a list of nothing, and a test that fails by itself are no success.
set -eu
: "${top_srcdir:?run me by make check}" "${top_builddir:?}"
grep -q "^MCH_CHECK_LIBS='.*check" "$top_builddir/tb/config.sh" || {
	echo "SKIP: no Check; install the Debian package check"
	exit 77
}
dir=$(mktemp -d "${TMPDIR:-/tmp}/mutate-c.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir tb tests
for shared in config.h tb/config.sh cmodel tests/librandom.a tests/oracle; do
	ln -s "$top_builddir/$shared" "$shared"
done
: >same

# WANTED STATUS, TEXT WANTED, LINE of the list
run() {
	status=0
	echo "$3" >list
	"$top_srcdir/scripts/mutate-c" --list=list --same=same >out 2>&1 || status=$?
	if [ "$status" != "$1" ] || ! grep -q "$2" out; then
		echo "mutate-c: exit status $1 and \"$2\" wanted, $status found"
		cat out
		exit 1
	fi
}

run 99 'no line of list matches' '# nothing'
run 2 'fails without a fault: 1 fxp/mac.h none' '1 fxp/mac.h none'
run 0 '^all  *4  *4  *0  *0  *0  *0  *0$' '4 fxp/mac.h mac'
# The test of sat never makes noise.
run 1 '^fxp/lfsr.h	20	.*	survived$' '2 fxp/lfsr.h sat op/requant.c'
fault=$(sed -n 's/	survived$//p' mutate-c.tsv | cut -f 1,3)
printf '%s\n\tThe test never makes noise.\n' "$fault" >same
run 0 '^all  *2  *0  *0  *0  *0  *2  *0$' '2 fxp/lfsr.h sat op/requant.c'
run 1 'same:1: the fault was found by check_lfsr; remove the line' '2 fxp/lfsr.h lfsr op/requant.c'
echo 'fxp/lfsr.h	return 7;' >same
run 1 'same:1: names no fault of fxp/lfsr.h; remove or mend the line' '2 fxp/lfsr.h lfsr'
