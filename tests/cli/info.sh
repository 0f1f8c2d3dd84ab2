#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato info: its table, its JSON, and what it refuses.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
work=$(mktemp -d "${TMPDIR:-/tmp}/info.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# refuse TEXT ARGUMENT...: exit 2, nothing on stdout, and TEXT is the whole message.
refuse() {
	want=$1
	shift
	status=0
	"$macchiato" info "$@" >out.txt 2>err.txt || status=$?
	[ "$status" = 2 ] || fail "info $*: exit $status, not 2"
	[ "$(cat err.txt)" = "$want" ] || fail "info $*: $(cat err.txt)"
	[ ! -s out.txt ] || fail "info $*: wrote to stdout"
}

lenet=${top_srcdir:?run me by make check}/tests/nets/lenet.prototxt
cd "$work"
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
printf 'name: "x" input: "a" input_shape { dim: [1, 1, 8, 8] }\nlayer { name: "n" type: "LRN" bottom: "a" top: "b" }\n' \
	>lrn.prototxt
refuse 'macchiato: lrn.prototxt: not supported: LRN (n line 2); replace these, or cut the network before them' lrn.prototxt
: >empty.onnx
refuse 'macchiato: empty.onnx: holds no graph; is it an ONNX model?' empty.onnx
exit $failed
