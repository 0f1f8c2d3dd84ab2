#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The trained network that the kit ships: it is of the definition beside it, and as good as its README says.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
nets=${top_srcdir:?run me by make check}/tests/nets
data=/usr/share/datasets/fashion-mnist
if [ ! -e $data/t10k-images-idx3-ubyte.gz ]; then
	echo "SKIP: no Fashion-MNIST in $data; install dataset-fashion-mnist"
	exit 77
fi
failed=0

# Everything but the weights: the same layers, the same numbers.
layers() {
	"$macchiato" info "$1" | sed '/^network/d; /^weights/d; /^hash/d'
}
[ -n "$(layers "$nets/lenet.onnx")" ] || { echo 'FAIL: no layers'; failed=1; }
[ "$(layers "$nets/lenet.onnx")" = "$(layers "$nets/lenet.prototxt")" ] || { echo 'FAIL: other layers than the definition'; failed=1; }

# Float sums may differ in their last digits from machine to machine, so a few images may.
table=$("$macchiato" eval "$nets/lenet.onnx" --data=$data)
right=$(echo "$table" | sed -n 's/.*(\([0-9]*\) right).*/\1/p')
if [ "$right" -lt 9203 ] || [ "$right" -gt 9209 ]; then
	echo "FAIL: $right of 10000 are right, 9206 expected"
	failed=1
fi
exit $failed
