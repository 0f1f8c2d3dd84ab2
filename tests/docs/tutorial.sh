#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# docs/tutorial.md: every command of its console blocks is run, in order, and prints what the page says. (Faults are planted in the
# array of the page itself: the reports that name them are part of what is compared.)
#
# usage: tutorial.sh [--rewrite]    to print the page with the answers as they are
set -eu
page=${top_srcdir:?run me by make check}/docs/tutorial.md
work=$(mktemp -d "${TMPDIR:-/tmp}/tutorial.XXXXXX")
trap 'rm -rf "$work"' EXIT
PATH=${top_builddir:?run me by make check}:$PATH
command -v iverilog >/dev/null || {
	echo "SKIP: the tutorial needs a simulator; apt-get install iverilog"
	exit 77
}
cp "$top_srcdir"/docs/tutorial/*.v "$work"
cd "$work"

# Blocks that need Verilator come out as they are where there is none.
command -v verilator >/dev/null && verilator=yes || verilator=
n=0 inside=
while IFS= read -r line; do
	case $line in
	'```console') inside=yes ;;
	'```console verilator') inside=$verilator ;;
	'```') inside= ;;
	'$ '*)
		printf '%s\n' "$line"
		if [ "$inside" ]; then
			n=$((n + 1))
			sh -c "${line#??}" 2>&1 </dev/null || :
		fi
		continue
		;;
	*) [ -z "$inside" ] || continue ;;
	esac
	printf '%s\n' "$line"
done <"$page" >printed.md

if [ "${1-}" = --rewrite ]; then
	cat printed.md
	exit
fi
[ "$n" -gt 9 ] || { echo "only $n commands on the page"; exit 99; }
diff "$page" printed.md || { echo "FAIL: the tutorial prints something else (>) than the page says (<)"; exit 1; }
