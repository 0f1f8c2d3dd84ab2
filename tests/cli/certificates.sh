#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato info --certificates and --witness, and narrower accumulators by --acc-bits: tables, files, and what they refuse.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
"$top_builddir/tests/make_quant_net" .

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" info "$@"
}

"$macchiato" quantize small.onnx --data=. --widths=5,4,8 -o q.json --quiet
"$macchiato" info small.onnx --quant=q.json --certificates >got.txt
[ "$(sed 1d got.txt | wc -l)" = 3 ] || fail "not a line for each layer with weights: $(cat got.txt)"
# The bounds are those of q.json.
sed -n 's/.*"name": "\([a-z0-9]*\)".*"certificate": {"low": \([-0-9]*\), "high": \([0-9]*\), "bits": \([0-9]*\)}.*/\1 \2 \3 \4/p' \
	q.json >want.txt
[ "$(wc -l <want.txt)" = 3 ] || fail "q.json has not three certificates"
sed 1d got.txt | tr -s ' ' | cut -d' ' -f1,5,7,9 >got2.txt
diff want.txt got2.txt || fail "the certificates are not those of q.json: $(cat got.txt)"
grep -q overflow got.txt && fail "an accumulator of the certificate's width overflows: $(cat got.txt)"
"$macchiato" info small.onnx --quant=q.json --certificates --json | tr -d ' \n' >got.json
[ "$(grep -o '"accumulator":{"bits":[0-9]*,"overflow":"wrap"}' got.json | wc -l)" = 3 ] || fail "the JSON is $(cat got.json)"

# A narrower accumulator is told.
sed '/"name": "conv"/s/"acc": {"bits": [0-9]*, "overflow": "wrap"}/"acc": {"bits": 6, "overflow": "saturate"}/' q.json >narrow.json
! cmp -s q.json narrow.json || fail "q.json has no accumulator where it was"
"$macchiato" info small.onnx --quant=narrow.json --certificates | grep -q '^conv .*  6 bits, can overflow: saturate$' ||
	fail "a narrow accumulator is not told"

"$macchiato" info small.onnx --quant=q.json --witness=conv:w.npy >got.txt
[ ! -s got.txt ] || fail "--witness alone prints: $(cat got.txt)"
[ "$(wc -c <w.npy)" = $((128 + 2 * 64 * 4)) ] || fail "the witness has $(wc -c <w.npy) bytes"
head -c 128 w.npy | tr -d '\000' | grep -aqF "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1, 8, 8), }" ||
	fail "the witness has another head"
# Nine operands of the first output are at an end of their format, all others 0.
[ "$(od -An -v -td4 -w4 -j128 w.npy | grep -vc '^ *0$')" -le 18 ] || fail "more operands than a 3x3 kernel has"
"$macchiato" info small.onnx --quant=q.json --witness=conv:- | cmp - w.npy || fail "the standard output is another"

# --acc-bits: overflows are counted, alike by the plain and the fast operators; a width that fits changes nothing.
for acc in 10 10:wrap 9:saturate; do
	"$macchiato" eval small.onnx --data=. --quant=q.json --acc-bits=$acc --plain | grep -E '^(accuracy|overflows)' >plain.txt
	"$macchiato" eval small.onnx --data=. --quant=q.json --acc-bits=$acc | grep -E '^(accuracy|overflows)' >fast.txt
	cmp plain.txt fast.txt || fail "--acc-bits=$acc: $(cat plain.txt fast.txt)"
	grep -q '^overflows   [1-9][0-9]* steps (.* an image), in 3 layers whose accumulator is narrower than its certificate$' fast.txt ||
		fail "--acc-bits=$acc counts nothing: $(cat fast.txt)"
done
"$macchiato" eval small.onnx --data=. --quant=q.json | grep -E '^(accuracy|overflows)' >want.txt
"$macchiato" eval small.onnx --data=. --quant=q.json --acc-bits=16 | grep -E '^(accuracy|overflows)' >got.txt
diff want.txt got.txt || fail "an accumulator that fits changes the score"
steps=$("$macchiato" eval small.onnx --data=. --quant=q.json --acc-bits=10 --json | tr -d ' \n' |
	sed 's/.*"overflows":{"layers":3,"steps":\([0-9]*\)}.*/\1/')
"$macchiato" eval small.onnx --data=. --quant=q.json --acc-bits=10 | grep -q "^overflows   $steps steps" || fail "the JSON has $steps steps"

# The search scores with it, and its result has it.
"$macchiato" quantize small.onnx --data=. --widths=5,4,8 --acc-bits=11:saturate -o acc.json >got.txt
[ "$(grep -c '"acc": {"bits": 11, "overflow": "saturate"}' acc.json)" = 3 ] || fail "acc.json has other accumulators"
grep -q '"overflows": {"layers": 3, "steps": [1-9][0-9]*}' acc.json || fail "acc.json has no overflows"
"$macchiato" eval small.onnx --data=. --quant=acc.json | grep '^overflows' >eval.txt
grep '^overflows' got.txt | cmp - eval.txt || fail "quantize and eval count otherwise: $(cat got.txt eval.txt)"
"$macchiato" export small.onnx acc.json -o accel >log.txt
[ "$(grep -Ec '^.define MCH_ACC_(BITS +11|SAT +1) ' accel/macchiato_config.vh)" = 2 ] ||
	fail "the exported array has another accumulator: $(grep MCH_ACC accel/macchiato_config.vh)"

for acc in 1 49 8:round x 8: ''; do
	status=0
	"$macchiato" eval small.onnx --data=. --quant=q.json --acc-bits=$acc >out.txt 2>err.txt || status=$?
	[ "$status $(cat err.txt)" = \
		"2 macchiato: --acc-bits: \"$acc\" is no accumulator of 2 to 48 bits; give it as 16, 16:wrap or 16:saturate" ] ||
		fail "--acc-bits=$acc: $(cat err.txt)"
done
status=0
"$macchiato" eval small.onnx --data=. --acc-bits=12 >out.txt 2>err.txt || status=$?
[ "$status $(cat err.txt)" = '2 macchiato: --acc-bits: the network is evaluated in float, which has no accumulators; give formats with --quant=Q.json' ] ||
	fail "--acc-bits in float: $(cat err.txt)"

refuse 'macchiato: small.onnx: is not quantized, so it has no accumulators; give its formats with --quant=Q.json' \
	small.onnx --certificates
refuse 'macchiato: --quant: gives formats, which --certificates or --witness want; give one of them' small.onnx --quant=q.json
refuse 'macchiato: --witness: "conv" is no layer and file; give conv1:witness.npy' small.onnx --quant=q.json --witness=conv
refuse 'macchiato: --witness: no layer "relu" has weights; see --certificates' small.onnx --quant=q.json --witness=relu:w.npy
refuse 'macchiato: none/w.npy: cannot be written (No such file or directory); check the folder, its permissions and free space' \
	small.onnx --quant=q.json --witness=conv:none/w.npy
exit $failed
