#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Bad usage of any command is one message in the one form and exit 2; --help, --usage and --version go to stdout.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "macchiato: $want" "$@"
}

# show ARGUMENT...: exit 0, and something on stdout alone, in 80 columns.
show() {
	status=0
	"$macchiato" "$@" >out.txt 2>err.txt || status=$?
	[ "$status" = 0 ] || fail "macchiato $*: exit $status, not 0"
	[ -s out.txt ] || fail "macchiato $*: nothing on stdout"
	[ ! -s err.txt ] || fail "macchiato $*: wrote to stderr"
	awk 'length($0) > 80 { exit 1 }' out.txt || fail "macchiato $*: a line of more than 80 columns"
}

# All commands alike.
for command in info train eval ranges quantize tune report convert export; do
	list="\`macchiato $command --help\` lists the options"
	refuse "--frobnicate: no such option; $list" $command --frobnicate
	refuse "--frobnicate: no such option; $list" $command --frobnicate=3 net.onnx
	refuse "--program-name: no such option; $list" $command --program-name=x
	refuse "-x: no such option; $list" $command -x
	refuse "-x: no such option; $list" $command -jxq
	refuse '--json: takes no value, but "yes" is given; leave it out' $command --json=yes
	refuse '--json: takes no value, but "" is given; leave it out' $command --js=
	refuse '--help: takes no value, but "me" is given; leave it out' $command --help=me
	[ $command = export ] || [ $command = report ] || refuse 'b.onnx: one network is expected; give one' $command a.onnx b.onnx
	[ $command = export ] || [ $command = report ] || refuse '-j: one network is expected; give one' $command a.onnx -- -j
	show $command --help
	grep -q "^Usage: macchiato $command \[OPTION...\] NET" out.txt || fail "$command --help: $(head -n 1 out.txt)"
	cp out.txt help.txt
	for same in -? --he; do
		show $command "$same"
		cmp -s out.txt help.txt || fail "$command $same is another help"
	done
	show help $command
	cmp -s out.txt help.txt || fail "help $command is another help"
	rm help.txt
	show $command --usage
	[ "$(head -n 1 out.txt | cut -c 1-20)" = "Usage: macchiato $(printf %.3s $command)" ] || fail "$command --usage: $(cat out.txt)"
	for same in --version --vers -V; do
		show $command "$same"
		grep -qx 'macchiato [0-9.]*' out.txt || fail "$command $same: $(cat out.txt)"
	done
done

# Values that are missing.
for command in train eval ranges quantize tune report export; do
	refuse '--data: its value is missing; give it, as in --data=PATH' $command --data
	refuse '--data: its value is missing; give it, as in --data=PATH' $command net.onnx --da
	refuse '-d: its value is missing; give it, as in -d PATH' $command -d
	refuse '-d: its value is missing; give it, as in -d PATH' $command -jd
done
refuse '--output: its value is missing; give it, as in --output=NET.onnx' train --output
refuse '--epochs: its value is missing; give it, as in --epochs=N' train --epochs
refuse '--quant: its value is missing; give it, as in --quant=Q.json' eval --quant
refuse '--bits: its value is missing; give it, as in --bits=BITS' ranges --bits
refuse '--widths: its value is missing; give it, as in --widths=C,F,A' quantize --widths
refuse '--tune-log: its value is missing; give it, as in --tune-log=FILE' report --tune-log
refuse '-o: its value is missing; give it, as in -o DIR' export -o
refuse '--array: its value is missing; give it, as in --array=RxC' export --array

# Beginnings of more than one option.
refuse '--s: could be --shift or --seed or --shuffle or --scale or --std; write more of it' train --s=1
refuse '--d: could be --decay or --data; write more of it' train --d=1

# Too few and too many.
refuse 'NET: no network given; give a .onnx or .prototxt file' info
refuse 'NET: no network given; give a .onnx or .prototxt file' train
refuse '--data: no images given; give their folder or file' train net.prototxt
refuse '--output: no file given; give the file for the trained network' train net.prototxt -d.
refuse '--output: the standard output is taken by the result; give a file name' train net.prototxt -d. -o-
refuse 'NET: no network given; give a .onnx or .prototxt file' eval
refuse '--data: no images given; give their folder or file' eval net.onnx
refuse 'NET: no network given; give a .onnx or .prototxt file' ranges
refuse '--data: no images given; give the folder or file of the training images' ranges net.onnx
refuse 'NET: no network given; give a .onnx or .prototxt file' quantize
refuse '--data: no images given; give their folder or file' quantize net.onnx
refuse '--output: no file given; give the file for the result' quantize net.onnx --data=.
refuse '--json: the standard output is taken by --output=-; give a file name' quantize net.onnx -jd. -o -
refuse 'NET: no network given; give a .onnx or .prototxt file' tune
refuse '--quant: no formats given; give the file that quantize wrote' tune net.onnx
refuse '--data: no images given; give their folder or file' tune net.onnx -Q q.json
refuse '--output: no file given; give the file for the tuned network' tune net.onnx -Q q.json -d.
refuse '--quant-out: no file given; give the file for its formats' tune net.onnx -Q q.json -d. -o net2.onnx
refuse '--output: the standard output is taken by the result; give a file name' tune net.onnx -Q q.json -d. -o-
refuse '--log: the standard output is taken by the result; give a file name' tune a -Q b -d. -o c --quant-out=d --log=-
refuse '--optimizer: "sgd" is none; give momentum or adam' tune --optimizer=sgd
refuse '--weight-rounding: "floor" is none; give nearest or stochastic' tune --weight-rounding=floor
refuse 'NET: no network given; give a .onnx or .prototxt file' export
# shellcheck disable=SC2016
refuse 'Q.json: no quantization given; give the result of `macchiato quantize`' export net.onnx
refuse '--output: no folder given; name the one to write, as in -o accel' export net.onnx q.json
refuse '--images: there are none without --data; give the folder or file of the images' export net.onnx q.json -o x --images=3
refuse 'c: a network and a quantization are expected; give no more' export a b c
refuse 'NET: no network given; give a .onnx or .prototxt file' report
# shellcheck disable=SC2016
refuse 'Q.json: no quantization given; give the result of `macchiato quantize`' report net.onnx
refuse '--output: no file given; name the page, as in -o report.html, or give --json' report net.onnx q.json
refuse '--json: the standard output is taken by --output=-; give a file name' report net.onnx q.json -jo -
refuse '--images: there are none without --data or --train-data; give their folder or file' report a b -o c -n 3
refuse '--limit: there are no images to score without --data; give their folder or file' report a b -o c -l 3
refuse 'c: a network and a quantization are expected; give no more' report a b c

# Values that are none.
for value in '' x 0 -1 1.5 99999999999999999999 0x10 '3 '; do
	number="\"$value\" is no whole number from 1 to"
	refuse "--images: $number 1000000000; give one" ranges "--images=$value"
	refuse "--images: $number 1000000000; give one" quantize -n "$value"
	refuse "--images: $number 1000000; give one" export --images "$value"
	refuse "--bits: $number 16; give one" ranges "--bits=$value"
	refuse "--limit: $number 1000000000; give one" eval "--limit=$value"
	refuse "--limit: $number 1000000000; give one" train "--limit=$value"
	refuse "--limit: $number 1000000000; give one" quantize "--limit=$value"
	refuse "--images: $number 1000000000; give one" report "--images=$value"
	refuse "--limit: $number 1000000000; give one" report -l "$value"
	refuse "--epochs: $number 100000; give one" train "--epochs=$value"
	refuse "--batch: $number 65536; give one" train "--batch=$value"
	refuse "--vectors: $number 1000000; give one" export "--vectors=$value"
done
for value in '' x 17x17x 0x4 4x65 4 x4 4x 16,16; do
	refuse "--array: \"$value\" is no size from 1x1 to 64x64; give rows x columns, as in 16x16" export "--array=$value"
done
for value in '' 8 8,8 8,8,17 0,8,8 8,8,8,8 8.8.8; do
	refuse "--widths: \"$value\" is not three widths of 1 to 16 bits; give them as 8,8,8: conv weights, FC weights, activations" \
		quantize "--widths=$value"
done
refuse '--seed: "-1" is no whole number from 0 to 2147483647; give one' train --seed=-1
refuse '--seed: "4294967296" is no whole number from 0 to 4294967295; give one' quantize --seed=4294967296
refuse '--seed: "x" is no whole number from 0 to 4294967295; give one' export --seed=x
refuse '--shift: "1001" is no whole number from 0 to 1000; give one' train --shift=1001
refuse '--bits: "17" is no whole number from 1 to 16; give one' ranges --bits=17
refuse '--lr: "inf" is no number from 1e-09 to 1000; give one' train --lr=inf
refuse '--momentum: "" is no number from 0 to 0.9999; give one' train --momentum=
refuse '--decay: "nan" is no number from 0 to 1; give one' train --decay=nan
refuse '--error-margin: "1%" is no number from 0 to 100; give one' quantize -e 1%
refuse '--policy: "linear" is no policy; give cosine, step or fixed' train --policy=linear
refuse '--split: "val" is no split; give test or train' eval --split=val
refuse '--fraction: "min" is no rule; give max, mse, percentile, percentile:99.9, kl, il or il-1' ranges --fraction=min
refuse '--fraction: "min" is no rule; give max, mse, percentile, percentile:99.9, kl, il or il-1' quantize -f min
refuse '--rounding: "up" is no rounding mode; give floor, half_up, half_away, half_even or stochastic' quantize -r up

# Values of any length and with any character: still one line, advice and all.
long=$(printf '%04000d' 0)
short=$(printf '%.60s' "$long")
refuse "--epochs: \"$short\" is no whole number from 1 to 100000; give one" train "--epochs=$long"
refuse "--$short: no such option; \`macchiato info --help\` lists the options" info "--$long"
refuse "...$(printf '%.400s' "$long"): one network is expected; give one" info net.onnx "$long"
refuse '--split: "a?b?[31mc" is no split; give test or train' eval --split="$(printf 'a\nb\033[31mc')"

# The program itself.
for help in --help '-?' help; do
	show "$help"
	for command in info train eval ranges quantize report export; do
		grep -q "^  $command " out.txt || fail "$help does not tell of $command"
	done
done
for version in --version -V; do
	show $version
	grep -qx 'macchiato [0-9.]*' out.txt || fail "$version: $(cat out.txt)"
done
# shellcheck disable=SC2016
{
	refuse 'frobnicate: no such command; `macchiato --help` lists the commands' frobnicate net.onnx
	refuse 'frobnicate: no such command; `macchiato --help` lists the commands' help frobnicate
	refuse '"": no such command; `macchiato --help` lists the commands' ''
	refuse '--quiet: no such option; the command comes first, `macchiato --help` lists them' --quiet info net.onnx
}
status=0
"$macchiato" >out.txt 2>err.txt || status=$?
[ "$status" = 2 ] || fail "no command: exit $status, not 2"
[ "$(tail -n 1 err.txt)" = 'macchiato: COMMAND: none given; give one of these' ] || fail "no command: $(tail -n 1 err.txt)"
[ ! -s out.txt ] || fail "no command: wrote to stdout"

# Help that nobody can read is not a success.
for help in '--help' '--version' 'info --help' 'info --usage' 'info --version' 'help info'; do
	status=0
	# shellcheck disable=SC2086
	"$macchiato" $help >&- 2>err.txt || status=$?
	[ "$status" = 2 ] || fail "$help to a closed stdout: exit $status, not 2"
	[ "$(cat err.txt)" = 'macchiato: standard output: cannot be written; check free space and the reader' ] ||
		fail "$help to a closed stdout: $(cat err.txt)"
done
exit $failed
