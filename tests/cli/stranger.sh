#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# What strangers do to each command: files that are missing, empty, cut, of another kind or of another network, places that
# cannot be written, a full disk, a closed stdout. Each ends soon, in exit 2, one message in the one form, and no new file.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
# shellcheck source=tests/cli/train-data.sh
. "${top_srcdir:?run me by make check}/tests/cli/train-data.sh"
work=$(mktemp -d "${TMPDIR:-/tmp}/stranger.XXXXXX")
mounted=
trap '[ -z "$mounted" ] || umount "$mounted"; rm -rf "$work"' EXIT
failed=0
n_runs=0
checkpoint= # what a run that fails late has to leave
out=$work/out.txt err=$work/err.txt

fail() {
	echo "FAIL: $*"
	failed=1
}

run() {
	n_runs=$((n_runs + 1))
	status=0
	timeout 10 "$macchiato" "$@" >"$out" 2>"$err" || status=$?
}

one_message() {
	if [ "$(wc -l <"$err")" != 1 ] || ! grep -q '^macchiato: ..*: ..*; ..*' "$err"; then
		fail "$*: no message in the one form: $(cat "$err")"
	fi
}

# bad ARGUMENT...: refused by exit 2 and one message; nothing on stdout, nothing new in this folder.
bad() {
	before=$(ls -AR)
	run "$@"
	[ "$status" = 2 ] || fail "$*: exit $status, not 2"
	one_message "$@"
	[ ! -s "$out" ] || fail "$*: wrote to stdout"
	[ -z "$checkpoint" ] || rm "$checkpoint" || fail "$*: left no $checkpoint"
	[ "$(ls -AR)" = "$before" ] || fail "$*: left something behind"
}

# sane ARGUMENT...: the file may be still good, or not: then it is refused as above. No signal, no timeout.
sane() {
	run "$@"
	case $status in
	0 | 1) ;;
	2) one_message "$@" ;;
	*) fail "$*: exit $status; $(cat "$err")" ;;
	esac
}

# noise N SEED: N bytes.
noise() {
	awk -v n="$1" -v x="$2" 'BEGIN { for (i = 0; i < n; i++) { x = (x * 1103 + 12345) % 65536; printf "%c", int(x / 256) } }'
}

# net FILE: each command that takes a network, given FILE.
net() {
	bad info "$1"
	bad train "$1" --data=data -o new.onnx
	bad eval "$1" --data=data
	bad ranges "$1" --data=data
	bad quantize "$1" --data=data -o new.json
	bad tune "$1" --quant=q.json --data=data -o new.onnx --quant-out=new.json
	bad export "$1" q.json -o new
}

# data FOLDER: each command that takes a data set, given FOLDER.
data() {
	bad train net.prototxt --data="$1" -o new.onnx
	bad eval good.onnx --data="$1"
	bad ranges good.onnx --data="$1"
	bad quantize good.onnx --data="$1" -o new.json
	bad tune good.onnx --quant=q.json --data="$1" -o new.onnx --quant-out=new.json
	bad export good.onnx q.json --data="$1" -o new
}

# output PLACE: each command that writes, told to write there.
output() {
	bad train net.prototxt --data=data --epochs=1 --limit=20 -q -o "$1"
	bad quantize good.onnx --data=data --images=10 --limit=10 --widths=8,8,8 -q -o "$1"
	bad tune good.onnx --quant=q.json --data=data --epochs=1 --images=20 -q -o "$1" --quant-out=new.json
	bad export good.onnx q.json -o "$1"
}

cd "$work"
mkdir here
cd here
make_net
mkdir other
"$top_builddir/tests/make_accel_net" other
"$macchiato" train net.prototxt --data=data --lr=0.0001 --epochs=2 -q -o good.onnx >"$out"
"$macchiato" quantize good.onnx --data=data --images=50 --widths=8,8,8 -q -o q.json
# Nothing below fails for another reason.
run eval good.onnx --data=data --quant=q.json
[ "$status" = 0 ] || fail "the good network: $(cat "$err")"

# Networks.
: >empty
: >empty.onnx
: >empty.prototxt
mkdir folder.onnx folder.prototxt
noise 1000 1 >noise.onnx
noise 1000 2 >noise.prototxt
printf 'no newline, no brace {' >text.prototxt
cp q.json json.onnx
gzip -c good.onnx >gz.onnx
for file in none.onnx none.prototxt none/net.onnx empty empty.onnx empty.prototxt folder.onnx folder.prototxt noise.onnx \
	noise.prototxt text.prototxt json.onnx gz.onnx good.onnx/x.onnx '' . /dev/null; do
	net "$file"
done
size=$(wc -c <good.onnx)
for cut in 1 2 5 20 100 $((size / 4)) $((size / 2)) $((size * 3 / 4)) $((size - 100)) $((size - 20)) $((size - 1)); do
	head -c "$cut" good.onnx >cut.onnx
	bad info cut.onnx
	bad eval cut.onnx --data=data
done
head -c $((size / 2)) good.onnx >cut.onnx
net cut.onnx
for cut in 10 40 80 200 400 600; do
	head -c $cut net.prototxt >cut.prototxt
	bad train cut.prototxt --data=data -o new.onnx
done
for command in 'eval net.prototxt' 'ranges net.prototxt' 'quantize net.prototxt -o new.json'; do
	# shellcheck disable=SC2086 # several words
	bad $command --data=data
done
bad export net.prototxt q.json -o new

# Formats.
: >empty.json
mkdir folder.json
noise 500 3 >noise.json
echo '[1, 2]' >list.json
echo '{}' >object.json
cp other/fixture.quant.json other.json
for file in none.json empty.json folder.json noise.json list.json object.json other.json good.onnx ''; do
	bad eval good.onnx --data=data --quant="$file"
	bad tune good.onnx --quant="$file" --data=data -o new.onnx --quant-out=new.json
	bad export good.onnx "$file" -o new
done
size=$(wc -c <q.json)
for cut in 1 10 100 $((size / 2)) $((size - 100)) $((size - 2)); do
	head -c "$cut" q.json >cut.json
	bad eval good.onnx --data=data --quant=cut.json
	bad export good.onnx cut.json -o new
done

# Data.
mkdir empty.data labels.data cut.data noise.data none.data many.data long.data
cp data/*labels* labels.data
for place in cut noise many long; do
	cp data/* $place.data
done
for split in train t10k; do
	gzip -9 cut.data/$split-images-idx3-ubyte
	noise 3000 4 >noise.data/$split-images-idx3-ubyte
	printf '\000\000\010\001\177\377\377\377' >many.data/$split-labels-idx1-ubyte
	printf '\000\000\010\003\177\377\377\377\000\000\000\014\000\000\000\014' >many.data/$split-images-idx3-ubyte
	printf 'x' >>long.data/$split-images-idx3-ubyte
	printf '\000\000\010\003\000\000\000\000\000\000\000\014\000\000\000\014' >none.data/$split-images-idx3-ubyte
	printf '\000\000\010\001\000\000\000\000' >none.data/$split-labels-idx1-ubyte
done
for place in nowhere good.onnx empty.data labels.data noise.data none.data many.data long.data other ''; do
	data "$place"
done
for split in train t10k; do
	cp cut.data/$split-images-idx3-ubyte.gz $split.gz
done
size=$(wc -c <t10k.gz)
for cut in 0 1 10 100 $((size / 2)) $((size - 9)) $((size - 1)); do
	for split in train t10k; do
		head -c $cut $split.gz >cut.data/$split-images-idx3-ubyte.gz
	done
	data cut.data
done

# Places that cannot be written. /dev/full is a full disk that everybody has.
for place in good.onnx/new '' nowhere/new; do
	output "$place"
	bad tune good.onnx --quant=q.json --data=data --epochs=1 --images=20 -q -o new.onnx --quant-out="$place"
	bad tune good.onnx --quant=q.json --data=data --epochs=1 --images=20 -q -o new.onnx --quant-out=new.json --log="$place"
done
bad train net.prototxt --data=data -o folder.onnx
bad train net.prototxt --data=data -o new.onnx --checkpoint=folder.onnx
bad train net.prototxt --data=data -o new.onnx --checkpoint=good.onnx
bad train net.prototxt --data=data -o new.onnx --checkpoint=noise.onnx --resume
bad train net.prototxt --data=data -o new.onnx --checkpoint=empty.onnx --resume
bad train net.prototxt --data=data -o new.onnx --checkpoint=none.onnx --resume
bad quantize good.onnx --data=data -o folder.json
bad export good.onnx q.json -o good.onnx
if [ -c /dev/full ]; then
	checkpoint=new.ckpt
	bad train net.prototxt --data=data --epochs=1 --limit=20 -q -o /dev/full --checkpoint=$checkpoint
	for files in '-o /dev/full --quant-out=new.json' '-o new.onnx --quant-out=/dev/full'; do
		# shellcheck disable=SC2086 # several words
		bad tune good.onnx --quant=q.json --data=data --epochs=1 --images=20 -q $files --checkpoint=$checkpoint
	done
	checkpoint=
	for command in "info good.onnx" "info --json good.onnx" "eval good.onnx --data=data --quant=q.json" \
		"ranges good.onnx --data=data --images=10" "ranges good.onnx --data=data --images=10 --json" \
		"quantize good.onnx --data=data --images=10 --widths=8,8,8 -o -"; do
		for stream in full closed; do
			status=0
			if [ $stream = full ]; then
				# shellcheck disable=SC2086 # several words
				timeout 10 "$macchiato" $command >/dev/full 2>"$err" || status=$?
			else
				# shellcheck disable=SC2086
				timeout 10 "$macchiato" $command >&- 2>"$err" || status=$?
			fi
			[ $status = 2 ] || fail "$command, stdout $stream: exit $status, not 2"
			one_message "$command, stdout $stream"
			grep -q '^macchiato: standard output: cannot be written' "$err" || fail "$command: $(cat "$err")"
		done
	done
fi

# Lost reports are failures, but what was asked for is there, whole.
"$macchiato" quantize good.onnx --data=data --images=50 --widths=8,8,8 -o lost.json >&- 2>"$err" && fail "quantize: exit 0"
cmp q.json lost.json || fail "quantize with a closed stdout: another result"
"$macchiato" export good.onnx q.json -o accel >"$out"
"$macchiato" export good.onnx q.json -o lost >&- 2>"$err" && fail "export: exit 0"
diff -r accel lost || fail "export with a closed stdout: another folder"
rm -rf lost.json accel lost

# A disk that is full in earnest, where one may be mounted.
if mkdir full && mount -t tmpfs -o size=64k macchiato-test full 2>"$err"; then
	mounted=$work/here/full
	for room in 0 1 3 8; do
		rm -rf full/*
		dd if=/dev/zero of=full/filler bs=4096 count=$((16 - room)) 2>"$err"
		[ $room != 0 ] || output full/new
		bad export good.onnx q.json -o full/new
	done
	umount full
	mounted=
else
	echo "no tmpfs can be mounted here: a disk that fills up while it is written to was left out"
fi

# One byte is another: most are refused, some are another network; none is a crash.
# shellcheck disable=SC2046 # numbers
set -- $(noise 40 5 | od -An -v -tu1)
for file in good.onnx net.prototxt q.json; do
	size=$(wc -c <$file)
	i=0
	for byte in "$@"; do
		i=$((i + 1))
		cp $file flip.${file##*.}
		# Half of the bytes near the head, where the structure is.
		at=$((i % 2 ? i * 7919 % size : i * 31 % 400))
		printf '%b' "\\0$(printf %o "$byte")" | dd of=flip.${file##*.} bs=1 seek=$at conv=notrunc 2>"$err"
		case $file in
		*.json) sane export good.onnx flip.json --vectors=1 -o flip ;;
		*.onnx) sane eval flip.onnx --data=data --limit=10 ;;
		*) sane info flip.prototxt ;;
		esac
	done
done
echo "$n_runs runs"
exit $failed
