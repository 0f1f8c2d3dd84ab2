#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato plan: its table and its JSON tell the same, counted by hand; widths of each layer's own; what it refuses.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
"$top_builddir/tests/make_quant_net" .

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" plan "$@"
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
grep -Eq '^accelerator [0-9]+ LUT \(\+-[0-9.]+ %\), [0-9]+ FF \(\+-[0-9.]+ %\), [0-9]+ DSP, 12 BRAM of 36 Kbit$' plan.txt ||
	fail "no accelerator: $(tail -n 1 plan.txt)"
for line in '"accelerator": {' '"bram": 12.0,' '"macs": 1616,' '"cycles": 242,' '"traffic_bits": 3860,' '"traffic": 3860.0'; do
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
refuse 'macchiato: --program: options of the accelerator say nothing without it; give it too' small.onnx q.json --mem-bits=64

# --program: the cycle model. The layers' sums are the total, an export counts the same cycles, and --refine takes no more.
set -- small.onnx q.json --program --array=8x4 --mem-bits=64 --x-words=256 --w-words=512
"$macchiato" plan "$@" >plan.txt
cat >want.txt <<END
network     small
build       8x4 multipliers, x 8, w 5, out 8, acc 16 bits; memory 64 bits, buffers 256 and 512 words

END
sed -n '1,3p' plan.txt >got.txt
diff want.txt got.txt || fail "--program: the head is another"
sed -n '4p' plan.txt | tr -s ' ' >got.txt
echo 'Layer n tiles MACs cycles time used limit shape gather loads weights output pool start' | diff - got.txt ||
	fail "--program: the columns are others"
# conv: 144 outputs of 9 terms. Its 36 pixels are 4.5 tiles of 8, so 5 tiles of 9 beats: at least 45 cycles.
sed -n '/^conv /,/^fc2 /p' plan.txt | awk '
	$1 == "conv" && ($4 != 1296 || $5 < 45 || $8 > 90) { print "conv: " $0; bad = 1 }
	$1 == "pool" && ($4 != 0 || $8 != 0 || $10 != "pool") { print "pool: " $0; bad = 1 }
	{ n++; macs += $4 }
	END { exit bad || n != 4 || macs != 1616 }' || fail "--program: the table is another: $(cat plan.txt)"
total=$(sed -n 's/^total  *[0-9]*  *1616  *\([0-9]*\) .*/\1/p' plan.txt)
[ "$(sed -n '/^conv /,/^fc2 /p' plan.txt | awk '{ n += $5 } END { print n }')" = "$total" ] || fail "cycles do not sum up to $total"
"$macchiato" plan "$@" --json >plan.json
[ "$(grep -c "\"cycles\": $total," plan.json)" = 1 ] || fail "--json does not have $total cycles"
grep -q '"macs": 1616,' plan.json || fail "--json does not have the MACs"
"$macchiato" export "$@" -o prog >out.txt
grep -q "^cycles      $total for an image, " out.txt || fail "the export has other cycles: $(cat out.txt)"
refined=$("$macchiato" plan "$@" --refine | sed -n "s/^refined     $total cycles before, \([0-9]*\) after\$/\1/p")
[ "${refined:-999999}" -le "$total" ] || fail "--refine: \"$refined\" cycles, $total without"
exit $failed
