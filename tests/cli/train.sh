#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato train: the same file for any number of threads and after any interruption; what it refuses, and that it leaves
# nothing behind then.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"
# shellcheck source=tests/cli/train-data.sh
. "${top_srcdir:?run me by make check}/tests/cli/train-data.sh"
make_net

train() {
	"$macchiato" train net.prototxt --data=data --lr=0.0001 --epochs=20 --batch=20 --shift=0 "$@"
}

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "$want" train "$@"
}

OMP_NUM_THREADS=1 train -o one.onnx --quiet >one.txt 2>err.txt || fail "train: exit $?"
OMP_NUM_THREADS=2 train -o two.onnx >two.txt 2>epochs.txt || fail "train: exit $?"
cmp one.onnx two.onnx || fail "one and two threads: the files differ"
[ ! -s err.txt ] || fail "--quiet: $(cat err.txt)"
grep -Eqx 'one\.onnx: test accuracy [0-9]+\.[0-9]{2} % \([0-9]+ of 100 images\)' one.txt || fail "result: $(cat one.txt)"
# A net that has learnt nothing is right one time in four.
right=$(sed -n 's/.*(\([0-9]*\) of.*/\1/p' one.txt)
[ "$right" -ge 80 ] || fail "it has learnt too little: $right of 100"
[ "$(grep -Ecx 'epoch +[0-9]+/20  loss [0-9.]+  train accuracy +[0-9.]+ %  [0-9]+ s' epochs.txt)" = 20 ] ||
	fail "no line for each epoch"
[ ! -e one.onnx.ckpt ] || fail "the checkpoint of a finished run is still there"
train -o seed.onnx --quiet --seed=2 >seed.txt
! cmp -s one.onnx seed.onnx || fail "another seed, the same file"
train -o json.onnx --quiet --json >json.txt
grep -qF "\"test_right\": $right," json.txt || fail "JSON: $(cat json.txt)"

# interrupt SIGNAL FILE ARGUMENT...
interrupt() {
	signal=$1 interrupted=$2
	shift 2
	end_early "$signal" "$interrupted" train "$@" -o "$interrupted"
}

interrupt KILL killed.onnx net.prototxt --data=data --lr=0.0001 --epochs=20 --batch=20 --shift=0
[ "$status" = 137 ] || fail "kill -9: exit $status"
[ ! -e killed.onnx ] || fail "kill -9: the output is there"
train -o killed.onnx --resume --quiet >out.txt || fail "--resume: exit $?"
cmp one.onnx killed.onnx || fail "after kill -9 and --resume the file is another"
sed 's/killed/one/' out.txt | cmp - one.txt || fail "after kill -9 and --resume the result is another"
[ ! -e killed.onnx.ckpt ] || fail "the checkpoint of a resumed run is still there"

interrupt TERM ended.onnx net.prototxt --data=data --lr=0.0001 --epochs=20 --batch=20 --shift=0
[ "$status" = 2 ] || fail "SIGTERM: exit $status"
tail -n 1 ended.onnx.err | grep -Eqx 'macchiato: ended\.onnx: interrupted in epoch [0-9]+ of 20, the checkpoint is ended\.onnx\.ckpt; give the same command with --resume to go on' ||
	fail "SIGTERM: $(tail -n 1 ended.onnx.err)"
refuse 'macchiato: ended.onnx.ckpt: holds an unfinished run; give --resume to go on with it, or remove it to begin anew' \
	net.prototxt --data=data -o ended.onnx
refuse 'macchiato: ended.onnx.ckpt: is of a run with --batch=20, this one has --batch=21; give the same, or remove the checkpoint to begin anew' \
	net.prototxt --data=data --lr=0.0001 --epochs=20 --batch=21 --shift=0 -o ended.onnx --resume --quiet
cp ended.onnx.ckpt kept.ckpt
sed 's/num_output: 16/num_output: 17/' net.prototxt >other.prototxt
"$macchiato" train other.prototxt --data=data -o other.onnx --resume --checkpoint=kept.ckpt 2>err.txt && fail "another net: went on"
grep -Eqx 'macchiato: kept\.ckpt: is of a run with network=[0-9a-f]{16}, this one has network=[0-9a-f]{16}; give the same, or remove the checkpoint to begin anew' err.txt ||
	fail "another net: $(cat err.txt)"
printf x | dd of=kept.ckpt bs=1 seek=2000 conv=notrunc 2>dd.txt
refuse 'macchiato: kept.ckpt: is no checkpoint, or is damaged; remove it to begin anew' \
	net.prototxt --data=data --lr=0.0001 --epochs=20 --batch=20 --shift=0 -o ended.onnx --resume --checkpoint=kept.ckpt
train -o ended.onnx --resume --quiet >out.txt || fail "--resume: exit $?"
cmp one.onnx ended.onnx || fail "after SIGTERM and --resume the file is another"
refuse 'macchiato: new.onnx.ckpt: is not there (No such file or directory); leave out --resume to begin anew' \
	net.prototxt --data=data -o new.onnx --resume

# Batch norm's running values and dropout's masks, a sum of two branches, groups.
graph() {
	"$macchiato" train graph.prototxt --data=data --lr=0.05 --epochs=20 --batch=25 --quiet "$@"
}
OMP_NUM_THREADS=1 graph -o graph1.onnx >graph1.txt || fail "graph: exit $?"
OMP_NUM_THREADS=2 graph -o graph2.onnx >graph2.txt || fail "graph: exit $?"
cmp graph1.onnx graph2.onnx || fail "a graph on one and two threads: the files differ"
right=$(sed -n 's/.*(\([0-9]*\) of.*/\1/p' graph1.txt)
[ "$right" -ge 80 ] || fail "the graph has learnt too little: $right of 100"
interrupt KILL graph3.onnx graph.prototxt --data=data --lr=0.05 --epochs=20 --batch=25
graph -o graph3.onnx --resume >out.txt || fail "graph: --resume: exit $?"
cmp graph1.onnx graph3.onnx || fail "a graph after kill -9 and --resume: the file is another"

refuse 'macchiato: NET: no network given; give a .onnx or .prototxt file'
refuse 'macchiato: --data: no images given; give their folder or file' net.prototxt
refuse 'macchiato: --output: no file given; give the file for the trained network' net.prototxt --data=data
refuse 'macchiato: --output: the standard output is taken by the result; give a file name' net.prototxt --data=data -o -
refuse 'macchiato: b: one network is expected; give one' a b
refuse 'macchiato: --policy: "exp" is no policy; give cosine, step or fixed' --policy=exp
refuse 'macchiato: --epochs: "0" is no whole number from 1 to 100000; give one' --epochs=0
refuse 'macchiato: --batch: "many" is no whole number from 1 to 65536; give one' --batch=many
refuse 'macchiato: --lr: "-1" is no number from 1e-09 to 1000; give one' --lr=-1
refuse 'macchiato: --momentum: "1" is no number from 0 to 0.9999; give one' --momentum=1
refuse 'macchiato: --decay: "nan" is no number from 0 to 1; give one' --decay=nan
refuse 'macchiato: --limit: 401 images are asked for, data train has 400; give a smaller number' \
	net.prototxt --data=data -o new.onnx --limit=401
refuse 'macchiato: nowhere: cannot be read (No such file or directory); give a folder or a file of images' \
	net.prototxt --data=nowhere -o new.onnx
refuse 'macchiato: nowhere/new.onnx: cannot be written (No such file or directory); check the folder, its permissions and free space' \
	net.prototxt --data=data -o nowhere/new.onnx
refuse 'macchiato: nowhere/new.ckpt: cannot be written (No such file or directory); check the folder, its permissions and free space' \
	net.prototxt --data=data -o new.onnx --checkpoint=nowhere/new.ckpt
refuse 'macchiato: none.prototxt: cannot be read (No such file or directory); check the name and its permissions' \
	none.prototxt --data=data -o new.onnx
refuse 'macchiato: small: the loss is no finite number any more in epoch 1; give a smaller learning rate' \
	net.prototxt --data=data -o new.onnx --lr=1000 --quiet
exit $failed
