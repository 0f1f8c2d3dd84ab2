#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato plan: its table and its JSON tell the same, counted by hand; widths of each layer's own; what it refuses.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
work=$(mktemp -d "${TMPDIR:-/tmp}/plan.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"
"$top_builddir/tests/make_quant_net" .

fail() {
	echo "FAIL: $*"
	failed=1
}

# refuse TEXT ARGUMENT...: exit 2, nothing on stdout, and TEXT is the whole message.
refuse() {
	want=$1
	shift
	status=0
	"$macchiato" plan "$@" >out.txt 2>err.txt || status=$?
	[ "$status" = 2 ] || fail "plan $*: exit $status, not 2"
	[ "$(cat err.txt)" = "$want" ] || fail "plan $*: $(cat err.txt)"
	[ ! -s out.txt ] || fail "plan $*: wrote to stdout"
}

"$macchiato" quantize small.onnx --data=. --widths=5,4,8 -o q.json --quiet
"$macchiato" plan small.onnx q.json --array=8x4 --bus-bits=16 >plan.txt
# conv: 4 x 6 x 6 outputs of 9 terms, in tiles of 8 x 4: 5 tiles of 9 cycles. Weights 36 x 5, in 64 x 8, out 144 x 8 bits: 115.25
# transfers, so memory sets the pace. fc1: 36 to 8, two channel tiles of 36 cycles; 288 x 4 + 2 x 36 x 8 + 64 bits: 112 transfers.
# fc2: 8 to 4, one tile of 9 cycles (rows + 1); 128 + 64 + 32 bits: 14.
cat >want.txt <<END
conv 8 5 1296 116 47.9 90.0 memory 180 1844
fc1 8 4 288 112 46.3 12.5 memory 1152 1792
fc2 8 4 32 14 5.8 11.1 memory 128 224
total 8 5 1616 242 100.0 20.9 memory 1460 3860
END
sed -n '/^Layer/,/^total/p' plan.txt | sed '1d; s/ %//g' | tr -s ' ' >got.txt
diff want.txt got.txt || fail "the table is another: $(cat plan.txt)"
# a wider bus: the array sets the pace
"$macchiato" plan small.onnx q.json --array=8x4 --bus-bits=1024 | grep -Eq '^conv .* 45  .* array ' || fail "a wide bus changes nothing"

"$macchiato" plan small.onnx q.json --array=8x4 --bus-bits=16 --json >plan.json
for line in '"macs": 1616,' '"cycles": 242,' '"traffic_bits": 3860,' '"traffic": 3860.0'; do
	grep -qF "$line" plan.json || fail "no $line in the JSON"
done

# The cost that a search tells is that of the plan of its result.
"$macchiato" quantize small.onnx --data=. --granularity=layer --error-margin=5 --cost=bitops --max-scores=20 -o l.json >l.txt
ops=$(sed -n 's/^cost  *\([0-9.e+]*\) bitops$/\1/p' l.txt)
[ -n "$ops" ] || fail "no cost in the report"
[ "$("$macchiato" plan small.onnx l.json | sed -n 's/^bit ops  *//p')" = "$ops" ] || fail "the plan has other bit operations than $ops"

# shellcheck disable=SC2016 # the quotes are the message's
refuse 'macchiato: Q.json: no quantization given; give the result of `macchiato quantize`' small.onnx
refuse 'macchiato: NET: no network given; give a .onnx or .prototxt file'
for array in 0x4 65x4 8 8x4x 8x; do
	refuse "macchiato: --array: \"$array\" is no array of 1 to 64 rows and columns; give it as 16x16" small.onnx q.json \
		--array=$array
done
refuse 'macchiato: --bus-bits: "0" is no whole number from 1 to 4096; give one' small.onnx q.json --bus-bits=0
refuse 'macchiato: more: a network and a quantization are expected; give no more' small.onnx q.json more
exit $failed
