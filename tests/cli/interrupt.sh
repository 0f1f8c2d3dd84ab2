#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# SIGINT, SIGTERM and SIGHUP at any moment of export, quantize and train: no partial file and no temporary one is left,
# what was there before is whole, and what has a checkpoint goes on from it to the same bytes.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
# shellcheck source=tests/cli/train-data.sh
. "${top_srcdir:?run me by make check}/tests/cli/train-data.sh"
if ! env --default-signal true 2>/dev/null; then
	echo "SKIP: env knows no --default-signal, and a shell's background jobs ignore SIGINT; install coreutils 8.31 or later"
	exit 77
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/interrupt.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"
mkdir accel quant train

fail() {
	echo "FAIL: $*"
	failed=1
}

# interrupt SIGNAL DELAY PATTERN ARGUMENT...: starts the command, waits until a file matches PATTERN, then DELAY seconds
# more, and sends SIGNAL. The exit status goes to $status, messages to ../err.txt.
interrupt() {
	signal=$1 delay=$2 pattern=$3
	shift 3
	env --default-signal "$macchiato" "$@" >../out.txt 2>../err.txt &
	pid=$!
	# shellcheck disable=SC2086 # a pattern
	until set -- $pattern && [ -e "$1" ]; do
		kill -0 $pid 2>../kill.txt || break
		sleep 0.002
	done
	sleep "$delay"
	kill "-$signal" $pid 2>../kill.txt || true
	status=0
	wait $pid || status=$?
}

died=0
# expect STATUS WHAT: by that signal, or done before it came.
expect() {
	case $status in
	0) ;;
	"$1") died=$((died + 1)) ;;
	*) fail "$2: exit $status, not $1; $(cat ../err.txt)" ;;
	esac
}

cd accel
"$top_builddir/tests/make_accel_net" .
"$macchiato" export fixture.onnx fixture.quant.json -o a --data=. >../out.txt
cp -R a ../old
"$macchiato" export fixture.onnx fixture.quant.json -o a --data=. --vectors=50000 >../out.txt
cp -R a ../new
for try in INT/0 TERM/0.01 HUP/0.02 INT/0.05 TERM/0.1 INT/0.15 HUP/0.2 TERM/0.25; do
	rm -rf a
	cp -R ../old a
	interrupt ${try%/*} ${try#*/} 'a.*' export fixture.onnx fixture.quant.json -o a --data=. --vectors=50000
	case ${try%/*} in
	INT) expect 130 "export, $try" ;;
	TERM) expect 143 "export, $try" ;;
	HUP) expect 129 "export, $try" ;;
	esac
	[ "$(echo a*)" = a ] || fail "export, $try: left $(echo a*)"
	if [ "$status" = 0 ]; then
		diff -r a ../new >../diff.txt || fail "export, $try: the new folder is not whole"
	else
		diff -r a ../old >../diff.txt || fail "export, $try: the old folder was touched"
	fi
done
[ $died -ge 2 ] || fail "export: only $died of 8 runs could be interrupted"

cd ../quant
"$top_builddir/tests/make_quant_net" .
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o q.json -q
died=0
for try in INT/0 TERM/0 HUP/0.005 INT/0.01 TERM/0.02 INT/0.04; do
	rm -f r.json*
	interrupt ${try%/*} ${try#*/} r.json.part quantize small.onnx --data=. --error-margin=4 -o r.json -q
	case ${try%/*} in
	INT) expect 130 "quantize, $try" ;;
	TERM) expect 143 "quantize, $try" ;;
	HUP) expect 129 "quantize, $try" ;;
	esac
	if [ "$status" != 0 ]; then
		# It may come when the result is written, and the scores are about to go, or have gone.
		case $(echo r.json*) in
		r.json.part) ;;
		'r.json r.json.part' | r.json) cmp r.json q.json ;;
		*) false ;;
		esac || fail "quantize, $try: left $(echo r.json*)"
		"$macchiato" quantize small.onnx --data=. --error-margin=4 -o r.json -q || fail "quantize, $try: no resuming"
	fi
	cmp q.json r.json || fail "quantize, $try: another result"
	[ "$(echo r.json*)" = r.json ] || fail "quantize, $try, resumed: left $(echo r.json*)"
done
[ $died -ge 2 ] || fail "quantize: only $died of 6 runs could be interrupted"

cd ../train
make_net
set -- train net.prototxt --data=data --lr=0.0001 --epochs=10 --batch=20 --shift=0 -q
"$macchiato" "$@" -o want.onnx >../out.txt
died=0
for try in INT/0 TERM/0.02 HUP/0.05 INT/0.1; do
	rm -f t.onnx*
	interrupt ${try%/*} ${try#*/} t.onnx.ckpt "$@" -o t.onnx
	expect 2 "train, $try"
	if [ "$status" != 0 ]; then
		[ "$(echo t.onnx*)" = t.onnx.ckpt ] || fail "train, $try: left $(echo t.onnx*)"
		[ "$(wc -l <../err.txt)" = 1 ] || fail "train, $try: $(cat ../err.txt)"
		"$macchiato" "$@" -o t.onnx --resume >../out.txt || fail "train, $try: no resuming"
	fi
	cmp want.onnx t.onnx || fail "train, $try: another result"
	[ "$(echo t.onnx*)" = t.onnx ] || fail "train, $try, resumed: left $(echo t.onnx*)"
done
[ $died -ge 1 ] || fail "train: none of 4 runs could be interrupted"
exit $failed
