#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The ONNX backend tests: none fails, no fewer pass than docs/onnx.md says, and its list of unsupported operators is true.
set -eu
data=/usr/share/libonnx-testdata/data
doc=${top_srcdir:?run me by make check}/docs/onnx.md
if [ ! -d $data/node ]; then
	echo "SKIP: no ONNX backend tests in $data; install libonnx-testdata"
	exit 77
fi
floor=$(sed -n 's/^| all | \([0-9]*\) |.*/\1/p' "$doc")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
"${top_builddir:?run me by make check}/tests/conformance" "--floor=${floor:?no number in docs/onnx.md}" $data >"$work/table" || status=$?
cat "$work/table"
[ $status -eq 0 ] || exit $status

sed -n '/^Unsupported operators/,/^$/s/^ *[0-9]*  \([A-Za-z0-9]*\)$/\1/p' "$work/table" | sort >"$work/found"
sed -n '/^<!-- unsupported operators/,/^<!-- end/p' "$doc" | grep -v '^<' | tr -s ' ,.' '\n' | grep . | sort >"$work/told"
if ! diff "$work/told" "$work/found" >"$work/differences"; then
	sed -n "s/^</FAIL: docs\/onnx.md lists an operator that is supported: /p; s/^>/FAIL: docs\/onnx.md does not list: /p" "$work/differences"
	exit 1
fi
