#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato info: its table, its JSON, and what it refuses.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" info "$@"
}

lenet=${top_srcdir:?run me by make check}/tests/nets/lenet.prototxt
cat >want.txt <<END
network     LeNet
input       data 1x28x28, pixel * 0.00390625
output      prob 10
weights     none: train the network first
hash        d7fcf02adc1da04103346ec495ee0ad42b3aff7d64c00d5287db461becd81edc

layer  kind          window                    output                  MACs    parameters
conv1  conv          5x5                       20x24x24              288000           520
pool1  max pool      2x2 stride 2              20x12x12                   0             0
conv2  conv          5x5                       50x8x8               1600000         25050
pool2  max pool      2x2 stride 2              50x4x4                     0             0
ip1    dense                                   500                   400000        400500
relu1  relu                                    500                        0             0
ip2    dense                                   10                      5000          5010
prob   softmax                                 10                         0             0
total                                                               2293000        431080
END
"$macchiato" info "$lenet" >got.txt || fail "info: exit $?"
diff want.txt got.txt || fail "the table is another"

"$macchiato" info --json "$lenet" >got.json || fail "info --json: exit $?"
for line in '"network": "LeNet",' '"input_scale": 0.00390625,' '"weights": false,' '"macs": 2293000,' \
	'"parameters": 431080,' '"kind": "max pool",' '"window": "2x2 stride 2",'; do
	grep -qF "$line" got.json || fail "no $line in the JSON"
done

refuse 'macchiato: none.onnx: cannot be read (No such file or directory); check the name and its permissions' none.onnx
refuse 'macchiato: net.txt: the name ends in no format that is known; give a .onnx or a .prototxt file' net.txt

# All kinds of geometry, branches and a second input, in words.
cat >kinds.prototxt <<END
name: "kinds" input: "a" input_shape { dim: [1, 4, 8, 8] } input: "b" input_shape { dim: [1, 4, 8, 8] }
layer { name: "conv" type: "Convolution" bottom: "a" top: "conv"
	convolution_param { num_output: 4 kernel_size: 3 pad: 1 bias_term: false group: 2 dilation: 2 stride_h: 1 stride_w: 2 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }
layer { name: "scale" type: "Scale" bottom: "bn" top: "scale" scale_param { bias_term: true } }
layer { name: "drop" type: "Dropout" bottom: "scale" top: "drop" }
layer { name: "lrn" type: "LRN" bottom: "drop" top: "lrn" lrn_param { local_size: 3 alpha: 0.01 k: 2 } }
layer { name: "within" type: "LRN" bottom: "lrn" top: "within" lrn_param { norm_region: WITHIN_CHANNEL } }
layer { name: "up" type: "Deconvolution" bottom: "within" top: "up" convolution_param { num_output: 4 kernel_size: 2 stride: 2 } }
layer { name: "part" type: "Slice" bottom: "b" top: "part1" top: "part2" slice_param { slice_point: 1 } }
layer { name: "leaky" type: "ReLU" bottom: "part2" top: "leaky" relu_param { negative_slope: 0.1 } }
layer { name: "six" type: "ReLU6" bottom: "leaky" top: "six" }
layer { name: "joined" type: "Concat" bottom: "part1" bottom: "six" top: "joined" }
layer { name: "less" type: "Eltwise" bottom: "b" bottom: "joined" top: "less" eltwise_param { coeff: 1 coeff: -0.5 } }
layer { name: "more" type: "Eltwise" bottom: "less" bottom: "b" top: "more" eltwise_param { operation: MAX } }
layer { name: "flat1" type: "Flatten" bottom: "up" top: "flat1" }
layer { name: "flat2" type: "Flatten" bottom: "more" top: "flat2" }
layer { name: "out" type: "Concat" bottom: "flat1" bottom: "flat2" top: "out" }
END
cat >want.txt <<END
network     kinds
input       a 4x8x8, pixel * 1, blue first
input       b 4x8x8
output      out 544
weights     none: train the network first
hash

layer   kind          window                                    output                  MACs    parameters
conv    conv          3x3 stride 1x2 pad 1 dilation 2 groups 2  4x6x3                   1296            72
bn      batch norm    epsilon 1e-05                             4x6x3                      0            12
scale   scale                                                   4x6x3                      0             8
drop    dropout                                                 4x6x3                      0             0
lrn     lrn           size 3 alpha 0.01 beta 0.75 k 2           4x6x3                      0             0
within  lrn           5x5 alpha 1 beta 0.75                     4x6x3                      0             0
up      deconv        2x2 stride 2                              4x12x6                  1152            68
part    slice         c 0                                       1x8x8                      0             0  from b
part_2  slice         c 1..3                                    3x8x8                      0             0  from b
leaky   leaky relu    slope 0.1                                 3x8x8                      0             0
six     clip          0 to 6                                    3x8x8                      0             0
joined  concat        over channels                             4x8x8                      0             0  from part1, six
less    sum           times 1,-0.5                              4x8x8                      0             0  from b, joined
more    maximum                                                 4x8x8                      0             0  from less, b
flat1   flatten                                                 288                        0             0  from up
flat2   flatten                                                 256                        0             0  from more
out     concat        over channels                             544                        0             0  from flat1, flat2
total                                                                                   2448           160
END
"$macchiato" info kinds.prototxt >got.txt || fail "info kinds.prototxt: exit $?"
sed 's/^hash .*/hash/' got.txt >got2.txt
diff want.txt got2.txt || fail "the table of all kinds is another"
"$macchiato" info --lowered kinds.prototxt >got.txt || fail "info --lowered: exit $?"
sed '1,/^layer/d; $d' got.txt | sed 5q >got2.txt
cat >want.txt <<END
conv      conv          3x3 stride 1x2 pad 1 dilation 2 groups 2  4x6x3                   1296            76
lrn       lrn           size 3 alpha 0.01 beta 0.75 k 2           4x6x3                      0             0
within    lrn           5x5 alpha 1 beta 0.75                     4x6x3                      0             0
up/zeros  pad           hw apart 2                                4x11x5                     0             0
up        conv          2x2 pad 1                                 4x12x6                  4608            68
END
diff want.txt got2.txt || fail "the lowered table is another"
"$macchiato" info --json kinds.prototxt | tr -d ' \n' >got.json
for text in '"inputs":[{"name":"a","shape":[4,8,8]},{"name":"b","shape":[4,8,8]}]' '"window":"times1,-0.5","inputs":["b","joined"]'; do
	grep -qF "$text" got.json || fail "no $text in the JSON"
done

# What is not supported is listed to the last layer, however much it is; the error tells as much as fits.
{
	printf 'name: "x" input: "a" input_shape { dim: [1, 1, 8, 8] }\n'
	i=1
	while [ $i -le 40 ]; do
		printf 'layer { name: "n%d" type: "Strange%d" bottom: "a" top: "b%d" }\n' $i $((i % 20)) $i
		i=$((i + 1))
	done
} >strange.prototxt
status=0
"$macchiato" info strange.prototxt >out.txt 2>err.txt || status=$?
[ "$status" = 2 ] || fail "info strange.prototxt: exit $status, not 2"
[ "$(grep -c '^Strange[0-9]*: 2$' out.txt)" = 20 ] || fail "not every type is listed: $(cat out.txt)"
[ "$(grep -c '^  n[0-9]* line [0-9]*$' out.txt)" = 40 ] || fail "not every layer is listed"
[ "$(sed 3q out.txt | tr '\n' '|')" = 'Strange1: 2|  n1 line 2|  n21 line 22|' ] || fail "the list begins with $(sed 3q out.txt)"
grep -q '^macchiato: strange.prototxt: not supported: Strange1 (n1 line 2, n21 line 22), .* and [0-9]* more; replace these, or cut the network before them$' err.txt ||
	fail "the error is $(cat err.txt)"
"$macchiato" info --json strange.prototxt >got.json 2>err.txt || true
[ "$(grep -c '"n[0-9]* line [0-9]*"' got.json)" = 40 ] || fail "not every layer is in the JSON"
tr -d ' \n' <got.json | grep -qF '{"network":"strange.prototxt","unsupported":[{"type":"Strange1","names":["n1line2","n21line22"]}' ||
	fail "the JSON of what is not supported begins with $(sed 5q got.json)"
: >empty.onnx
refuse 'macchiato: empty.onnx: holds no graph; is it an ONNX model?' empty.onnx
exit $failed
