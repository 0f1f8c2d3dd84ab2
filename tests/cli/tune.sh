#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato tune: few bits win back what they lost; eval reproduces the number; the same files for any number of threads and after
# kill -9; what it refuses, and that it leaves nothing behind then.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
# shellcheck source=tests/cli/train-data.sh
. "${top_srcdir:?run me by make check}/tests/cli/train-data.sh"
make_net

tune() {
	"$macchiato" tune net.onnx --quant=q.json --data=data --lr=0.005 --epochs=4 --batch=20 "$@"
}

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" tune "$@"
}

right() {
	sed -n "s/^$1  *[0-9.]* % (\([0-9]*\) of.*/\1/p" "$2"
}

# files A B: the two runs wrote the same.
same() {
	cmp "$1.onnx" "$2.onnx" && cmp "$1.json" "$2.json" && cmp "$1.csv" "$2.csv"
}

"$macchiato" train net.prototxt --data=data --mean=48 --scale=0.03125 --lr=0.02 --epochs=5 --batch=20 --shift=0 -o net.onnx --quiet >train.txt
"$macchiato" quantize net.onnx --data=data --widths=2,2,3 --per-channel -o q.json -q >quantize.txt

OMP_NUM_THREADS=1 tune -o one.onnx --quant-out=one.json --log=one.csv --quiet >one.txt 2>err.txt || fail "tune: exit $?: $(cat err.txt)"
[ ! -s err.txt ] || fail "--quiet: $(cat err.txt)"
OMP_NUM_THREADS=2 tune -o two.onnx --quant-out=two.json --log=two.csv >two.txt 2>epochs.txt || fail "tune: exit $?"
same one two || fail "one and two threads: the files differ"
[ "$(grep -Ecx 'epoch [0-9]/4  loss [0-9.]+  train accuracy +[0-9.]+ %  held out +[0-9.]+ %(  best)?' epochs.txt)" = 4 ] ||
	fail "no line for each epoch: $(cat epochs.txt)"
grep -Eqx 'as given: integers, held out +[0-9.]+ %' epochs.txt || fail "no line for the network as given: $(cat epochs.txt)"
before=$(right integers one.txt) after=$(right tuned one.txt)
if [ "$before" -gt 85 ] || [ "$after" -lt 95 ]; then
	fail "nothing to win, or nothing won: $(cat one.txt)"
fi
[ ! -e one.onnx.ckpt ] || fail "the checkpoint of a finished run is still there"
head -n 1 one.csv | grep -qx 'epoch,rate,train_loss,train_accuracy,held_out_accuracy' || fail "log: $(cat one.csv)"
[ "$(wc -l <one.csv)" = 6 ] || fail "log: $(cat one.csv)"

# The files stand for the number: the network has the hash of the formats, and the weights that were scored.
"$macchiato" eval one.onnx --quant=one.json --data=data >eval.txt || fail "eval: exit $?"
grep -q "($after right)" eval.txt || fail "eval tells another number than $after: $(cat eval.txt)"
grep -q "\"right\": $after, \"accuracy\"" one.json || fail "Q2.json: $(grep accuracy one.json)"
"$macchiato" eval one.onnx --quant=q.json --data=data >eval.txt 2>err.txt && fail "the formats of the network as given are taken for the tuned one"
"$macchiato" report one.onnx one.json --data=data --tune-log=one.csv -qo one.html || fail "report: exit $?"
grep -q 'fig-tune' one.html || fail "report shows no curve"
# What is rounded stays as it is.
"$macchiato" convert one.onnx -o again.onnx >convert.txt
"$macchiato" eval again.onnx --quant=one.json --data=data | grep -q "($after right)" || fail "converted, it is another"

tune -o json.onnx --quant-out=json.json --quiet --json --optimizer=adam --lr=0.002 --weight-rounding=stochastic --distill=0.5 \
	--flip --shift=1 --seed=3 --holdout=50 --images=300 --limit=80 --decay=0.01 --policy=step >json.txt || fail "--json: exit $?"
grep -q '"train_images": 250' json.txt && grep -q '"held_out_images": 50' json.txt && grep -q '"images": 80' json.txt ||
	fail "--json: $(cat json.txt)"
tune -o seed.onnx --quant-out=seed.json --quiet --seed=2 >seed.txt
! cmp -s one.onnx seed.onnx || fail "another seed, the same network"

# interrupt SIGNAL NAME ARGUMENT...
interrupt() {
	signal=$1 name=$2
	shift 2
	end_early "$signal" "$name.onnx" tune net.onnx --quant=q.json --data=data --lr=0.005 --epochs=4 --batch=20 "$@" \
		-o "$name.onnx" --quant-out="$name.json" --log="$name.csv"
}

interrupt KILL killed
[ "$status" = 137 ] || fail "kill -9: exit $status"
[ ! -e killed.onnx ] || fail "kill -9: the output is there"
tune -o killed.onnx --quant-out=killed.json --log=killed.csv --resume --quiet >out.txt || fail "--resume: exit $?"
same one killed || fail "after kill -9 and --resume the files are others"
# At any moment, again and again.
for delay in 0.02 0.05 0.1 0.15 0.2; do
	resume=
	[ ! -e often.onnx.ckpt ] || resume=--resume
	"$macchiato" tune net.onnx --quant=q.json --data=data --lr=0.005 --epochs=4 --batch=20 -o often.onnx --quant-out=often.json \
		--log=often.csv -q $resume >often.txt 2>err.txt &
	pid=$!
	sleep $delay
	kill -9 $pid 2>kill.txt || true
	wait $pid 2>kill.txt || true
	[ ! -e often.json ] || break
done
resume=
[ ! -e often.onnx.ckpt ] || resume=--resume
[ -e often.json ] || tune -o often.onnx --quant-out=often.json --log=often.csv -q $resume >often.txt || fail "after kills: exit $?"
same one often || fail "after many kills the files are others"
interrupt TERM ended --optimizer=adam --weight-rounding=stochastic
[ "$status" = 2 ] || fail "SIGTERM: exit $status"
refuse 'macchiato: ended.onnx.ckpt: holds an unfinished run; give --resume to go on with it, or remove it to begin anew' \
	net.onnx --quant=q.json --data=data -o ended.onnx --quant-out=ended.json
refuse 'macchiato: ended.onnx.ckpt: is of a run with --optimizer=adam, this one has --optimizer=momentum; give the same, or remove the checkpoint to begin anew' \
	net.onnx --quant=q.json --data=data --lr=0.005 --epochs=4 --batch=20 -o ended.onnx --quant-out=ended.json --resume
tune -o ended.onnx --quant-out=ended.json --log=ended.csv --resume --quiet --optimizer=adam --weight-rounding=stochastic >out.txt ||
	fail "--resume: exit $?"
tune -o whole.onnx --quant-out=whole.json --log=whole.csv --quiet --optimizer=adam --weight-rounding=stochastic >out.txt
same whole ended || fail "adam, after SIGTERM and --resume: the files are others"

# A graph: batch norm is folded, a sum of two branches, groups.
"$macchiato" train graph.prototxt --data=data --lr=0.05 --epochs=6 --batch=25 -o graph.onnx --quiet >train.txt
"$macchiato" quantize graph.onnx --data=data --widths=3,3,4 -o graph.json -q >quantize.txt
"$macchiato" tune graph.onnx --quant=graph.json --data=data --lr=0.00001 --epochs=2 --batch=25 -o graph2.onnx --quant-out=graph2.json -q >graph.txt ||
	fail "graph: exit $?"
[ "$(right tuned graph.txt)" -ge 90 ] || fail "graph: $(cat graph.txt)"

"$macchiato" tune graph.onnx --quant=graph.json --data=data --lr=10 --epochs=1 --batch=25 -o wild.onnx --quant-out=wild.json >graph.txt 2>err.txt ||
	fail "too large a rate: exit $?"
tail -n 1 err.txt | grep -Eqx 'macchiato: wild\.onnx: no epoch reaches the network as given on the images held out, [0-9.]+ to [0-9.]+ %; unless they trained it, give a smaller --lr' ||
	fail "too large a rate: $(cat err.txt)"

refuse "macchiato: --quant: no formats given; give the file that quantize wrote" net.onnx
refuse "macchiato: none.json: cannot be read (No such file or directory); check the name and its permissions" net.onnx --quant=none.json --data=data -o a.onnx --quant-out=a.json
refuse "macchiato: --holdout: 400 of 400 images would leave none to train on; give another number" \
	net.onnx --quant=q.json --data=data -o a.onnx --quant-out=a.json --holdout=400
refuse "macchiato: --holdout: 0 of 400 images would leave none to choose with; give another number" \
	net.onnx --quant=q.json --data=data -o a.onnx --quant-out=a.json --holdout=0.1%
refuse "macchiato: --images: 500 images are asked for, data train has 400; give a smaller number" \
	net.onnx --quant=q.json --data=data -o a.onnx --quant-out=a.json --images=500
refuse "macchiato: data/t10k-images-idx3-ubyte: is one set of images, for test; give those for training with --train-data=PATH" \
	net.onnx --quant=q.json --data=data/t10k-images-idx3-ubyte -o a.onnx --quant-out=a.json
status=0
"$macchiato" tune graph.onnx --quant=q.json --data=data -o a.onnx --quant-out=a.json 2>err.txt || status=$?
if [ $status != 2 ] || [ "$(wc -l <err.txt)" != 1 ]; then
	fail "formats of another network: exit $status, $(cat err.txt)"
fi
exit $failed
