#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato quantize: granularities, costs, held-out images, the front and its CSV, curves, limits, and their errors.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
export OMP_NUM_THREADS=1 # such small scores take longer on several
"$top_builddir/tests/make_quant_net" .

# quantize FILE OPTION...
quantize() {
	out=$1
	shift
	"$macchiato" quantize small.onnx --data=. --error-margin=4 -o "$out.json" "$@" >"$out.txt" || fail "quantize $*: exit $?"
}

# refuse STATUS TEXT ARGUMENT...
refuse() {
	status=$1 want=$2
	shift 2
	expect "$status" "macchiato: $want" quantize small.onnx --data=. -o none.json "$@"
}

# number FILE: the cost that a report ends with.
cost() {
	sed -n 's/^cost  *\([0-9.e+]*\) .*/\1/p' "$1.txt"
}

for g in net part layer; do
	quantize $g --granularity=$g
	grep -q "\"granularity\": \"$g\"" $g.json || fail "$g is not told"
	for stage in '1 Ranges' '2 Activations' '3 ' '4 Combination' '5 Fine-tuning'; do
		grep -q "^$stage" $g.txt || fail "$g: stage $stage is not told"
	done
	# The result keeps the margin: 8 of 200.
	right=$(sed -n 's/.*"choosing": {"images": 200, "right": \([0-9]*\),.*/\1/p' $g.json)
	[ "$right" -ge 192 ] || fail "$g: $right right answers"
done
# Finer is never dearer, and layer is never dearer than net, from which it starts.
[ "$(cost layer)" -lt "$(cost net)" ] || fail "layer costs $(cost layer) bits, net $(cost net)"

# Widths of the result in Q.json: of the layers and tensors, and of the knobs.
knobs=$(sed -n 's/^    {"name": "[^"]*", "kind": "[a-z]*", "part": "[a-z_]*", "bits": \([0-9]*\).*/\1/p' layer.json | tr '\n' ' ')
layers=$(sed -n 's/.*"weights": "s\([0-9]*\)\..*/\1/p' layer.json | tr '\n' ' ')
case $knobs in
"$layers"*) ;;
*) fail "the knobs' widths are $knobs, the layers' $layers" ;;
esac
[ "$(echo "$knobs" | wc -w)" = 7 ] || fail "the knobs are $knobs"

# Every cost: no dearer than the net's own width, by that cost.
for c in bits bitops lut dsp cycles traffic; do
	quantize "n$c" --granularity=net --cost=$c
	quantize "l$c" --granularity=layer --cost=$c --max-scores=60 --rank-images=20 --array=4x4 --bus-bits=8
	quantize "n$c" --granularity=net --cost=$c --array=4x4 --bus-bits=8
	awk -v l="$(cost "l$c")" -v n="$(cost "n$c")" 'BEGIN { exit !(l != "" && l <= n) }' ||
		fail "$c: layer costs $(cost "l$c"), net $(cost "n$c")"
done

# What is cut short is a bound; with --curves nothing is. The decision is the same.
quantize curves --curves
! grep -q '"is_bound": true' curves.json || fail "--curves leaves bounds"
grep -q '"is_bound": true' part.json || fail "no score was cut short"
grep -q '<96.00' part.txt || fail "bounds are not told"
! grep -q '<[0-9]' curves.txt || fail "--curves tells bounds"
[ "$(tail -n 1 curves.txt)" = "$(tail -n 1 part.txt)" ] || fail "--curves decides otherwise"

# Held out: the numbers, the same split for the same seed, another for another.
quantize held --holdout=50 --seed=3
quantize again --holdout=25% --seed=3
cmp held.json again.json || fail "50 of 200 images are not 25 %"
quantize other --holdout=50 --seed=4
! cmp -s held.json other.json || fail "another seed draws the same images"
grep -q '^images      150 choose, 50 others report, drawn with seed 3$' held.txt || fail "$(grep ^images held.txt)"
grep -q '"held_out": true' held.json || fail "held_out is not true"
grep -q '"reporting": {"images": 50, .*"first": 150, "agreement": [0-9.]*, "sqnr_db": [0-9.]*}' held.json || fail "no reporting"
grep -q '"held_out": false' part.json || fail "held_out is not false"
grep -q '^images      200 choose and report' part.txt || fail "$(grep ^images part.txt)"
# The labels are float's own answers: agreement is accuracy.
acc=$(sed -n 's/^integers *\([0-9.]*\) % .*/\1/p' held.txt)
grep -q "^agreement   $acc % of the images" held.txt || fail "$(grep ^agreement held.txt), accuracy $acc"
# What --holdout reports is what eval finds with all images, less what it finds with those that chose.
[ "$("$macchiato" eval small.onnx --quant=held.json --data=. --shuffle --seed=3 --json | sed -n 's/^  "right": \([0-9]*\),*/\1/p')" = \
	$(($(sed -n 's/.*"choosing": {"images": 150, "right": \([0-9]*\),.*/\1/p' held.json) +
	$(sed -n 's/.*"reporting": {"images": 50, "right": \([0-9]*\),.*/\1/p' held.json))) ] || fail "eval counts otherwise"

# The CSV has every candidate, a front without gaps, and one result.
quantize front --granularity=layer --pareto=front.csv
[ "$(($(wc -l <front.csv) - 1))" = "$(grep -c '^    {"widths": "[1-9a-g]*", "right"' front.json)" ] || fail "the CSV has another length"
[ "$(awk -F, '$10 == 1' front.csv | wc -l)" = 1 ] || fail "the CSV has not one result"
awk -F, 'NR > 1 && $5 == 0 { cost[++n] = $2 + 0; right[n] = $3; front[n] = $9 }
	END { for (i = 1; i <= n; i++) { beaten = 0
		for (j = 1; j <= n; j++)
			if (cost[j] <= cost[i] && right[j] >= right[i] && (cost[j] < cost[i] || right[j] > right[i] || j < i)) beaten = 1
		if (front[i] == beaten) { print "row " i; exit 1 } } }' front.csv || fail "the front is another"
awk -F, 'NR > 1 && $5 == 1 && ($6 != "" || $9 == 1) { exit 1 }' front.csv || fail "a bound has an accuracy, or is on the front"

# Limits.
quantize few --granularity=layer --max-scores=5
grep -q 'then --max-scores ended it' few.txt || fail "the limit is not told"

refuse 2 '--granularity: "tensor" is none; give net, part or layer' --granularity=tensor
refuse 2 '--cost: "area" is none; give bits, bitops, lut, dsp, cycles or traffic' --cost=area
for n in 0 x 1.5 100% 0% 5%% -3 ''; do
	refuse 2 "--holdout: \"$n\" is neither a number of images nor a share of them; give 100, or 20%" --holdout="$n"
done
refuse 2 '--holdout: 200 of 200 images would leave none to choose with; give another number' --holdout=200
refuse 2 '--holdout: 0 of 200 images would leave none to report with; give another number' --holdout=0.1%
refuse 2 '--widths: widths are given, and a granularity to search them with; leave one of the two out' --widths=8,8,8 --granularity=net
refuse 2 'no/f.csv: cannot be written (No such file or directory); check the folder, its permissions and free space' --pareto=no/f.csv
exit $failed
