#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato ranges: its tables, its JSON, its errors; and that quantize uses the formats it shows.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
work=$(mktemp -d "${TMPDIR:-/tmp}/ranges.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# refuse TEXT ARGUMENT...: exit 2, the message TEXT alone, nothing on stdout.
refuse() {
	want=$1
	shift
	status=0
	"$macchiato" ranges "$@" >out.txt 2>err.txt || status=$?
	[ "$status" = 2 ] || fail "ranges $*: exit $status, not 2"
	[ "$(head -n 1 err.txt)" = "macchiato$want" ] || fail "ranges $*: $(cat err.txt)"
	[ ! -s out.txt ] || fail "ranges $*: wrote to stdout"
}

cd "$work"
"$top_builddir/tests/make_quant_net" .
"$macchiato" ranges small.onnx --data=dark --fraction=max >dark.txt
"$macchiato" ranges small.onnx --data=. --fraction=max >table.txt

# Rows that no machine computes in another way: black images, and weights, which are n / 128 with |n| <= 100.
grep -Eq "^data +0 +0 +0 +0  100\.0  u8\.8 " dark.txt || fail "black images: $(cat dark.txt)"
grep -Eq "^conv +-0\.[0-9]+ +0\.[0-9]+ .* s8\.7 " table.txt || fail "weights of conv: $(cat table.txt)"
grep -Eq "^data +0 +0\.9[0-9]+ .* u8\.8 " table.txt || fail "pixels: $(cat table.txt)"
grep -Eq '^images      40 of .* train$' table.txt || fail "the number of images"
[ "$(grep -c '^relu .* 0 .* u8\.' table.txt)" = 1 ] || fail "what follows a ReLU is unsigned"
[ "$(grep -c '' table.txt)" = 16 ] || fail "$(wc -l <table.txt) lines, not 16"

# A folder's name and a locale change nothing else; JSON has the same formats.
LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 "$macchiato" ranges small.onnx --data=. --fraction=max >again.txt
cmp table.txt again.txt || fail "another locale or number of threads shows something else"
"$macchiato" ranges small.onnx --data=. --fraction=max --json >table.json
sed -n 's/.* \([su][0-9]*\.-\{0,1\}[0-9]*\)  .*/\1/p' table.txt >formats.txt
sed -n 's/.*"format": "\(.*\)",.*/\1/p' table.json | diff formats.txt - || fail "JSON and table show other formats"
[ "$(wc -l <formats.txt)" = 9 ] || fail "$(wc -l <formats.txt) formats, not 9"

# What is shown for a width is what quantize takes at that width: margin 100 ends at one bit everywhere.
"$macchiato" ranges small.onnx --data=. --bits=1 --json | sed -n 's/.*"format": "\(.*\)",.*/\1/p' >one.txt
"$macchiato" quantize small.onnx --data=. --error-margin=100 -o q.json --quiet
{
	sed -n 's/.*"format": "\(.*\)"}.*/\1/p' q.json
	sed -n 's/.*"weights": "\([^"]*\)".*/\1/p' q.json
} | awk 'NR <= 6 {t = t $0 "\n"; next} {w = w $0 "\n"} END {printf "%s%s", t, w}' >used.txt
sed 's/\..*//' used.txt | sort -u | tr '\n' ' ' | grep -Eq '^(s1 |u1 )+$' || fail "margin 100 leaves more than one bit"
[ "$(tail -n 3 used.txt)" = "$(tail -n 3 one.txt)" ] || fail "quantize takes other weight formats than ranges shows"

refuse ": NET: no network given; give a .onnx or .prototxt file"
refuse ": --data: no images given; give the folder or file of the training images" small.onnx
refuse ": --bits: \"17\" is no whole number from 1 to 16; give one" small.onnx --data=. --bits=17
refuse ": --bits: \"0\" is no whole number from 1 to 16; give one" small.onnx --data=. --bits=0
refuse ": --fraction: \"mean\" is no rule; give max, mse, percentile, percentile:99.9, kl, il or il-1" small.onnx --data=. --fraction=mean
refuse ": none.onnx: cannot be read (No such file or directory); check the name and its permissions" none.onnx --data=.
refuse ": LeNet: layer conv1 has no weights; give a trained network (.onnx), or train this one first" \
	"${top_srcdir:?}/tests/nets/lenet.prototxt" --data=dark

exit $failed
