#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato eval: fast and plain operators agree; its table, its JSON, and what it refuses.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
# shellcheck source=tests/cli/train-data.sh
. "${top_srcdir:?run me by make check}/tests/cli/train-data.sh"
make_net

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" eval "$@"
}

# right ARGUMENT...: the number of right answers.
right() {
	"$macchiato" eval net.onnx --data=data --json "$@" >right.json
	sed -n 's/^ *"right": \([0-9]*\),$/\1/p' right.json
}

"$macchiato" train net.prototxt --data=data --lr=0.0001 --epochs=20 --batch=20 --shift=0 -o net.onnx --quiet >trained.txt
trained=$(sed -n 's/.*(\([0-9]*\) of.*/\1/p' trained.txt)
"$macchiato" eval net.onnx --data=data >table.txt || fail "eval: exit $?"
sed 's/^rate        [0-9][0-9]* images\/s$/rate/; s/accuracy    [0-9.]* % ([0-9]* right), 95 % interval [0-9.]* to [0-9.]* %/accuracy/' \
	table.txt >got.txt
cat >want.txt <<END
network     net.onnx
arithmetic  float, fast operators
images      data test, 100 of 100
accuracy
rate
END
diff want.txt got.txt || fail "the table is another"
grep -qF "($trained right)" table.txt || fail "train found $trained right, eval: $(grep right table.txt)"
[ "$(right)" = "$trained" ] || fail "JSON: $(right) right, $trained expected"
[ "$(right --plain)" = "$trained" ] || fail "--plain: $(right --plain) right, $trained expected"
[ "$(right --split=train --limit=80)" = "$(right --split=train --limit=80 --plain)" ] || fail "--plain: another result on train"
grep -qF '"images": 80,' right.json || fail "--limit: $(cat right.json)"

# On exact integers fast and plain operators are one arithmetic.
if "$macchiato" quantize net.onnx --data=data --error-margin=5 -o q.json --quiet 2>err.txt; then
	[ "$(right --quant=q.json)" = "$(right --quant=q.json --plain)" ] || fail "exact: fast and plain differ"
	grep -qF '"arithmetic": "exact",' right.json || fail "exact: $(cat right.json)"
else
	fail "quantize: $(cat err.txt)"
fi
sed 's/num_output: 16/num_output: 17/' net.prototxt >other.prototxt
"$macchiato" train other.prototxt --data=data --lr=0.0001 --epochs=1 -o other.onnx --quiet >trained.txt
status=0
"$macchiato" eval other.onnx --data=data --quant=q.json >out.txt 2>err.txt || status=$?
[ "$status" = 2 ] || fail "formats of another network: exit $status"
[ ! -s out.txt ] || fail "formats of another network: wrote to stdout"

# What is told beyond the accuracy.
printf 'zero\nn00000001 one, of them\r\ntwo\n"three"\n' >names.txt
"$macchiato" eval net.onnx --data=data --per-class --confusion=table.csv --labels=names.txt >more.txt || fail "--confusion: exit $?"
n_class=$(awk 'in_table && $1 ~ /^[0-3]$/ && NF > 5 { n++; images += $2; right += $3 } /^ class/ { in_table = 1 } /^label/ { in_table = 0 }
	END { print n, images, right }' more.txt)
[ "$n_class" = "4 100 $trained" ] || fail "--per-class: $n_class, not 4 100 $trained"
grep -q '^ *1 .* one, of them$' more.txt || fail "--labels: $(cat more.txt)"
[ "$(head -n 1 table.csv)" = 'label,zero,"one, of them",two,"""three"""' ] || fail "--confusion: $(head -n 1 table.csv)"
sum=$(sed 's/"[^,]*, of them"/one/; 1d' table.csv | awk -F, '{ for (i = 2; i <= NF; i++) all += $i; right += $(NR + 1) } END { print NR, all, right }')
[ "$sum" = "4 100 $trained" ] || fail "--confusion: $sum, not 4 100 $trained"
"$macchiato" eval net.onnx --data=data --json --labels=names.txt >more.json
for text in '"top5_right": 100' '"confusion": [' '"name": "one, of them"' '"interval_95": ['; do
	grep -qF "$text" more.json || fail "--json: no $text in $(cat more.json)"
done

# Neither threads nor memory change a result, an order changes it by what is taken alone.
for more in --threads=1 --threads=3 --memory=0 '--shuffle --seed=9'; do
	# shellcheck disable=SC2086 # words are wanted
	[ "$(right $more)" = "$trained" ] || fail "$more: $(right $more) right, not $trained"
done
[ "$(right --shuffle --limit=50)" = "$(right --shuffle --limit=50 --seed=1 --threads=2)" ] || fail "--shuffle: not the same twice"

# The same images as files of other kinds.
mkdir cifar npy
tail -c +17 data/t10k-images-idx3-ubyte >pixels
tail -c +9 data/t10k-labels-idx1-ubyte >labels
head_of() { printf "\223NUMPY\001\000\\$(printf %o ${#1})\000%s" "$1"; }
{ head_of "{'descr': '|u1', 'fortran_order': False, 'shape': (100, 12, 12), }" && cat pixels; } >npy/x.npy
{ head_of "{'descr': '|u1', 'fortran_order': False, 'shape': (100,), }" && cat labels; } >npy/y.npy
"$macchiato" eval net.onnx --data=npy --json >right.json
grep -qF "\"right\": $trained," right.json || fail "NPY: $(cat right.json)"
"$macchiato" eval net.onnx --data=npy --json --mean=0 --scale=2 --std=2 >right.json
grep -qF "\"right\": $trained," right.json || fail "--scale and --std: $(cat right.json)"
head -c 3073 /dev/zero >cifar/test_batch.bin
"$macchiato" eval net.onnx --data=cifar --resize=12x12 --reference=net.onnx --json >right.json || fail "CIFAR: exit $?"
grep -qF '"images": 1,' right.json || fail "CIFAR: $(cat right.json)"

# Against another network; labels are not needed.
rm npy/y.npy
"$macchiato" eval net.onnx --data=npy --reference=net.onnx >same.txt || fail "--reference: exit $?"
sed -n 's/^\(max error\|RMS error\|SQNR\) *//p' same.txt | tr '\n' ' ' >got.txt
[ "$(cat got.txt)" = '0 0 inf dB ' ] || fail "--reference: $(cat same.txt)"
grep -q accuracy same.txt && fail "--reference: an accuracy without labels"
"$macchiato" eval net.onnx --data=data --quant=q.json --reference=net.onnx --json >other.json || fail "--quant --reference: exit $?"
"$macchiato" eval net.onnx --data=data --quant=q.json --reference=net.onnx --json --threads=1 >one.json
grep -A 8 '"difference"' other.json >other.txt
grep -A 8 '"difference"' one.json >one.txt
cmp -s other.txt one.txt || fail "--reference: differs with the threads"
sqnr=$(sed -n 's/.*"sqnr_db": \([0-9]*\).*/\1/p' other.json)
[ "${sqnr:-0}" -ge 5 ] || fail "--quant --reference: SQNR $sqnr dB"

refuse 'macchiato: npy: has no labels; give a list with "PATH LABEL" in each line, or a folder for each class' net.onnx --data=npy
refuse 'macchiato: --reference-weights: there is no network for them; give --reference=NET2.prototxt' \
	net.onnx --data=data --reference-weights=a
refuse 'macchiato: --confusion: the standard output is taken by the result; give a file name' net.onnx --data=data --confusion=-
printf 'a\nb\n' >names.txt
refuse 'macchiato: names.txt: names 2 classes, the network has 4 outputs; give a line for each' net.onnx --data=data --labels=names.txt
refuse 'macchiato: --resize: "12" is no size up to 16384; give width x height, as in 256x256, or short:256 for the shorter side, or none' --resize=12
refuse 'macchiato: --channels: "gbr" is no order of colours; give rgb or bgr' --channels=gbr
refuse 'macchiato: --std: "0" is no list of numbers above 0; give one, or one for each channel, as in 58.4,57.1,57.4' --std=0
refuse 'macchiato: --mean: 3 values are given, the network'\''s input has 1 channel; give one, or one for each' net.onnx --data=data --mean=1,2,3
refuse 'macchiato: none.bin: cannot be read (No such file or directory); check the name and its permissions' net.onnx --data=data --mean=none.bin
refuse 'macchiato: cifar test: labels go up to 9, the network has 4 outputs; give the data it was trained on' \
	net.onnx --data=cifar --resize=12x12
refuse 'macchiato: cifar: is 32x32 pixels, the network takes 12x12 (width x height); give --resize=12x12, --resize=short:N, or --crop for the centre' \
	net.onnx --data=cifar

refuse 'macchiato: NET: no network given; give a .onnx or .prototxt file' --data=data
refuse 'macchiato: --data: no images given; give their folder or file' net.onnx
refuse 'macchiato: --split: "valid" is no split; give test or train' --split=valid
refuse 'macchiato: --limit: "0" is no whole number from 1 to 1000000000; give one' --limit=0
refuse 'macchiato: --limit: 101 images are asked for, data test has 100; give a smaller number' net.onnx --data=data --limit=101
refuse 'macchiato: none.json: cannot be read (No such file or directory); check the name and its permissions' \
	net.onnx --data=data --quant=none.json
refuse 'macchiato: nowhere: cannot be read (No such file or directory); give a folder or a file of images' \
	net.onnx --data=nowhere
refuse 'macchiato: small: layer conv has no weights; give a trained network (.onnx), or train this one first' \
	net.prototxt --data=data
exit $failed
