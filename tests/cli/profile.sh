#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato quantize --profile and --overflow: what they write, Ristretto's ladder, and what is refused.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
"$top_builddir/tests/make_quant_net" .

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" "$@"
}

# NAME ROUND WEIGHT_ROUND OVERFLOW: as the file has them, where the usual ones are left out.
while read -r name round weights overflow; do
	"$macchiato" quantize small.onnx --data=. --profile="$name" --widths=6,6,6 -o q.json --quiet || fail "$name: exit $?"
	for line in "\"round\": \"$round\"," "\"weight_round\": \"$weights\"," "\"overflow\": \"$overflow\","; do
		case $line in
		*'"half_even"'* | *saturate*) continue ;;
		esac
		grep -qF "$line" q.json || fail "$name: no $line in q.json"
	done
	grep -q '"overflow": "wrap",$' q.json && [ "$overflow" = saturate ] && fail "$name: outputs wrap"
	"$macchiato" eval small.onnx --data=. --quant=q.json --plain | grep '^accuracy' >plain.txt
	"$macchiato" eval small.onnx --data=. --quant=q.json | grep '^accuracy' | cmp plain.txt - || fail "$name: fast is not plain"
done <<END
ristretto half_away half_away saturate
ristretto-gpu half_even half_even saturate
cmsis-nn half_up half_even saturate
tflite half_up half_away saturate
onnxruntime half_even half_even saturate
nvdla half_away half_even saturate
hls floor floor wrap
END

# Single choices are changed behind a profile; the profile has the last word over what stands before it.
"$macchiato" quantize small.onnx --data=. --profile=hls --overflow=saturate --rounding=half_up --widths=6,6,6 -o q.json --quiet
grep -q '"round": "half_up"' q.json || fail "--rounding behind a profile"
grep -q '"overflow": "wrap",$' q.json && fail "--overflow behind a profile"
"$macchiato" quantize small.onnx --data=. --overflow=wrap --profile=nvdla --widths=6,6,6 -o q.json --quiet
grep -q '"overflow": "wrap",$' q.json && fail "--overflow before a profile"

# Outputs that wrap are exported as such.
"$macchiato" quantize small.onnx --data=. --overflow=wrap --widths=8,8,8 --fraction=mse -o wrap.json --quiet
"$macchiato" export small.onnx wrap.json -o accel >log.txt
grep -q '^.define MCH_OUT_WRAP  *1 ' accel/macchiato_config.vh || fail "the exported array does not wrap"

# Ristretto's ladder: 16, 8, 4, 2, 1 bits, each part until it fails; one combination.
status=0
"$macchiato" quantize small.onnx --data=. --profile=ristretto --error-margin=25 -o ladder.json >ladder.txt 2>err.txt || status=$?
grep -Eq '^ *(3|5|6|7|9|1[0-5])  ' ladder.txt && fail "widths beside the ladder: $(cat ladder.txt)"
grep -Eq '^ *8  ' ladder.txt || fail "no 8 bits on the ladder"
[ "$(grep -c '"why": ' ladder.json)" = 1 ] || fail "more than one combination was scored"
if grep -q 'misses the margin' ladder.txt; then
	[ "$status" = 1 ] || fail "a combination that misses the margin ends with $status"
	grep -q 'the parts keep the margin of 25 points each alone' err.txt || fail "the message is $(cat err.txt)"
else
	[ "$status" = 0 ] || fail "a combination within the margin ends with $status: $(cat err.txt)"
fi

refuse 'macchiato: --profile: "x" is no profile; give ristretto, ristretto-gpu, cmsis-nn, tflite, onnxruntime, nvdla or hls' \
	quantize small.onnx --data=. -o q.json --profile=x
refuse 'macchiato: --overflow: "x" is neither wrap nor saturate; give one of them' \
	quantize small.onnx --data=. -o q.json --overflow=x
refuse 'macchiato: --profile: ristretto searches part by part; leave --granularity out' \
	quantize small.onnx --data=. -o q.json --profile=ristretto --granularity=layer
sed 's/"overflow": "wrap",$/"overflow": "round",/' wrap.json >odd.json
refuse 'macchiato: odd.json: "overflow" is "round", neither wrap nor saturate; correct it, or run quantize again' \
	eval small.onnx --data=. --quant=odd.json
exit $failed
