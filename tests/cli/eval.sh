#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato eval: fast and plain operators agree; its table, its JSON, and what it refuses.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
# shellcheck source=tests/cli/train-data.sh
. "${top_srcdir:?run me by make check}/tests/cli/train-data.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/eval.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"
make_net

fail() {
	echo "FAIL: $*"
	failed=1
}

# refuse TEXT ARGUMENT...: exit 2, nothing on stdout, and TEXT is the whole message.
refuse() {
	want=$1
	shift
	status=0
	"$macchiato" eval "$@" >out.txt 2>err.txt || status=$?
	[ "$status" = 2 ] || fail "eval $*: exit $status, not 2"
	[ "$(cat err.txt)" = "$want" ] || fail "eval $*: $(cat err.txt)"
	[ ! -s out.txt ] || fail "eval $*: wrote to stdout"
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
