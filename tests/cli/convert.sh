#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato convert: the same network in another file, equal bytes for equal arguments, random parameters, and what it refuses.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
nets=${top_srcdir:?run me by make check}/tests/nets

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "macchiato: $want" convert "$@"
}

hash_of() {
	"$macchiato" info "$@" | sed -n 's/^hash *//p'
}

# The same network, the same hash; the same arguments, the same bytes.
"$macchiato" convert "$nets/lenet.onnx" -o a.onnx >out.txt || fail "convert: exit $?"
hash=$(hash_of "$nets/lenet.onnx")
[ "$(cat out.txt)" = "a.onnx: 8 layers, 431080 parameters, hash $(printf %.12s "$hash")" ] || fail "says $(cat out.txt)"
[ "$(hash_of a.onnx)" = "$hash" ] || fail "another network"
"$macchiato" convert --quiet a.onnx -o b.onnx >out.txt
[ ! -s out.txt ] || fail "--quiet says $(cat out.txt)"
cmp a.onnx b.onnx || fail "a second conversion has other bytes"
"$macchiato" convert a.onnx -o - | "$macchiato" convert - -o - >c.onnx || fail "through streams: exit $?"
cmp a.onnx c.onnx || fail "streams have other bytes"
"$macchiato" convert --json a.onnx -o c.onnx >out.txt || fail "--json: exit $?"
for line in '"output": "c.onnx",' '"network": "LeNet",' '"layers": 8,' '"parameters": 431080,' "\"hash\": \"$hash\""; do
	grep -qF "$line" out.txt || fail "no $line in the JSON"
done

# A definition without parameters gets some: always the same ones, others for another seed.
"$macchiato" convert -q "$nets/lenet.prototxt" --init=1 -o 1.onnx || fail "--init: exit $?"
"$macchiato" convert -q "$nets/lenet.prototxt" --init=1 -o again.onnx
"$macchiato" convert -q "$nets/lenet.prototxt" --init=2 -o 2.onnx
cmp 1.onnx again.onnx || fail "--init=1 gives other bytes each time"
cmp -s 1.onnx 2.onnx && fail "--init=2 gives the parameters of --init=1"

# For Caffe: the definition with its parameters beside it, or the parameters alone. The way back is the same network.
"$macchiato" convert -q 1.onnx -o d.prototxt || fail "to Caffe: exit $?"
"$macchiato" convert -q "$nets/lenet.prototxt" --init=1 -o e.caffemodel || fail "to a caffemodel: exit $?"
cmp d.caffemodel e.caffemodel || fail "two ways to one caffemodel give other bytes"
"$macchiato" convert -q d.prototxt --weights=d.caffemodel -o d.onnx || fail "from Caffe: exit $?"
cmp 1.onnx d.onnx || fail "through Caffe's files it is another network"

"$macchiato" convert -q a.onnx --init=1 -o c.onnx
cmp a.onnx c.onnx || fail "--init changes parameters that are there"

# Batch norm and scale become part of the convolution.
cat >norm.prototxt <<'END'
name: "norm" input: "data" input_shape { dim: [1, 2, 5, 5] }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "norm" type: "BatchNorm" bottom: "conv" top: "norm" }
layer { name: "scale" type: "Scale" bottom: "norm" top: "scale" scale_param { bias_term: true } }
END
[ "$("$macchiato" convert norm.prototxt --init=1 -o c.onnx | cut -d, -f 1)" = 'c.onnx: 3 layers' ] || fail "norm is another network"
[ "$("$macchiato" convert c.onnx --fold -o c.onnx | cut -d, -f 1)" = 'c.onnx: 1 layers' ] || fail "--fold leaves layers"

# Preprocessing that an option changes is in the result.
"$macchiato" convert -q a.onnx --scale=0.5 --mean=3 -o c.onnx
"$macchiato" info c.onnx | grep -q '^input .*(pixel - 3) \* 0.5$' || fail "the transform is $("$macchiato" info c.onnx | sed -n 's/^input *//p')"

# A quantized model becomes a float network and its formats; what no format has is told.
"$top_builddir/tests/make_onnx_kinds" --quantized q.onnx
"$macchiato" convert q.onnx -o c.onnx --quant-out=q.json --json >out.txt 2>err.txt || fail "quantized: exit $?"
note='tensor c: -12.8 to 12.7 in steps of 0.100000001 is no format, s8.3 covers it'
[ "$(cat err.txt)" = "macchiato: q.onnx: $note" ] || fail "notes $(cat err.txt)"
grep -qF '"inexact_formats": 1' out.txt || fail "counts $(cat out.txt)"
grep -qF '{"name": "c", "format": "s8.3"}' q.json || fail "no format of c in $(cat q.json)"
grep -qF '{"name": "c", "weights": "s8.1"' q.json || fail "no weights of c in $(cat q.json)"
[ "$(sed -n 's/^"net_hash": "\(.*\)",$/\1/p' q.json)" = "$(hash_of c.onnx)" ] || fail "the formats are those of another network"
"$macchiato" convert q.onnx -o c.onnx >out.txt 2>err.txt || fail "quantized, without formats: exit $?"
[ "$(cat err.txt)" = 'macchiato: q.onnx: its formats are left behind; keep them with --quant-out=Q.json' ] || fail "says $(cat err.txt)"
refuse 'q.onnx: is quantized, its parameters are there; leave --init out' q.onnx -o x.onnx --init=1
refuse 'q.onnx: is quantized, its formats are those of the layers as they are; leave --fold out' q.onnx -o x.onnx --fold

refuse 'NET: no network given; give a .onnx or .prototxt file'
refuse '--output: no file given; give the file for the result' a.onnx
refuse '--output: "x.txt" ends in no format that can be written; give a .onnx, .prototxt or .caffemodel file' a.onnx -o x.txt
refuse '--output: ".onnx" ends in no format that can be written; give a .onnx, .prototxt or .caffemodel file' a.onnx -o .onnx
refuse '--json: the standard output is taken by --output=-; give a file name' a.onnx -o - --json
refuse '--json: the standard output is taken by --quant-out=-; give a file name' a.onnx -o x.onnx --quant-out=- --json
refuse '--quant-out: the standard output is taken by --output=-; give a file name' a.onnx -o - --quant-out=-
refuse '--init: "-1" is no whole number from 0 to 2147483647; give one' a.onnx -o x.onnx --init=-1
refuse 'a.onnx: is not quantized, there are no formats to write; leave --quant-out out' a.onnx -o x.onnx --quant-out=q.json
refuse 'none.onnx: cannot be read (No such file or directory); check the name and its permissions' none.onnx -o x.onnx
refuse 'w.caffemodel: weights go with a .prototxt file, a .onnx file has its own; give one or the other' \
	a.onnx --weights=w.caffemodel -o x.onnx
refuse 'LeNet: layer conv1 has no weights; give a trained network (.onnx), or train this one first' \
	"$nets/lenet.prototxt" -o x.onnx
refuse 'none/x.onnx: cannot be written (No such file or directory); check the folder, its permissions and free space' \
	a.onnx -o none/x.onnx

# Formats as Ristretto has them: the file answers alike, and is written the same again.
mkdir ../quant
"$top_builddir/tests/make_quant_net" ../quant
macchiato=$(realpath "$macchiato")
cd ../quant
"$macchiato" quantize small.onnx --data=. --signed --widths=5,4,8 -o q.json -q
"$macchiato" convert small.onnx --quant=q.json -o r.prototxt -q || fail "--quant: exit $?"
[ "$(grep -c 'type: "ConvolutionRistretto"' r.prototxt) $(grep -c 'type: "FcRistretto"' r.prototxt)" = '1 2' ] ||
	fail "not Ristretto's layers: $(cat r.prototxt)"
"$macchiato" convert r.prototxt -w r.caffemodel --quant-out=back.json -o back.onnx -q
"$macchiato" convert back.onnx --quant=back.json -o again.prototxt -q || fail "again: exit $?"
cmp r.prototxt again.prototxt || fail "another definition"
grep '"format"' q.json >want.txt
grep '"format"' back.json | diff want.txt - || fail "other formats"
"$macchiato" quantize small.onnx --data=. --signed --widths=5,4,8 --rounding=half_away --weight-rounding=half_away -o a.json -q
"$macchiato" convert small.onnx --quant=a.json -o r.prototxt 2>err.txt >out.txt
[ "$(cat err.txt)" = 'macchiato: r.prototxt: Ristretto rounds half_away on a CPU alone; the file is read again as half_even' ] ||
	fail "half_away is told as $(cat err.txt)"
"$macchiato" quantize small.onnx --data=. --widths=5,4,8 -o u.json -q
mkdir ../quant/here
cd here
refuse 'u.prototxt: Ristretto cannot say layer conv: its input is u8.8, Ristretto'"'"'s are signed; quantize with --signed' \
	../small.onnx --quant=../u.json -o u.prototxt
# shellcheck disable=SC2016 # the quotes are the message's
refuse '--quant: "u.onnx" has no place for formats; give a .prototxt file, which Ristretto reads, or use `macchiato export`' \
	../small.onnx --quant=../u.json -o u.onnx
exit $failed
