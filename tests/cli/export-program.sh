#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato export --program: its report, its errors, equal bytes for equal arguments, headers that compilers take.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "macchiato: $want" export "$@"
}

"$top_builddir/tests/make_accel_net" .
set -- fixture.onnx fixture.quant.json --program --array=4x4 --mem-bits=64 --x-words=256 --w-words=512

"$macchiato" export "$@" -o prog --data=. --images=3 >report.txt
hash=$(sed -n 's/^#define MCH_CONFIG_HASH "\(.*\)"$/\1/p' prog/mch_config.h)
bytes=$(cat prog/*.bin prog/mch_config.* | wc -c)
right=$(sed -n 's/^right  *//p' report.txt)
cycles=$(sed -n 's/.*"cycles": \([0-9]*\)$/\1/p' prog/program.json | awk '{ n += $1 } END { print n }')
used=$(awk "BEGIN { printf \"%.1f\", (1296 + 192 + 72) / $cycles / 16 * 100 }")
cat >want.txt <<END
folder      prog: 10 files, $bytes bytes
config      $hash
build       4x4 multipliers, x 8, w 7, out 8, acc 16 bits; memory 64 bits, buffers 256 and 512 words
program     4 descriptors in 1 lists, 0 steps of the host, memory of 430 words
cycles      $cycles for an image, $used % of the array
images      3 of the test images; 621 elements of 5 tensors are those of the exact model
right       $right
END
diff want.txt report.txt || fail "the report is another"
for file in memory golden-0 golden-1 golden-2; do
	[ "$(wc -c <prog/$file.bin)" = 1720 ] || fail "$file.bin is no memory of 430 words of 4 bytes"
done
for name in ROWS:4 COLS:4 X_BITS:8 W_BITS:7 OUT_BITS:8 ACC_BITS:16 MEM_BITS:64 X_WORDS:256 W_WORDS:512 MULT:0; do
	grep -Eq "^.define MCH_${name%:*} +${name#*:} " prog/mch_config.vh || fail "$name is not in mch_config.vh"
done

# Equal arguments, equal bytes; over an earlier export of either kind; noise where there is no data.
"$macchiato" export fixture.onnx fixture.quant.json -o again >out.txt
LC_ALL=C.UTF-8 OMP_NUM_THREADS=2 "$macchiato" export "$@" -o again --data=. --images=3 >out.txt
diff -r prog again || fail "two exports of the same differ"
"$macchiato" export "$@" -o again --json >out.txt
grep -q '"descriptors": 4, "host": 0, "tensors": 5, "words": 430, "macs": 1560, ' out.txt || fail "--json: $(cat out.txt)"
grep -q '"random": true' again/program.json || fail "noise is not told"
cmp -s prog/memory.bin again/memory.bin || fail "another image, another memory"
"$macchiato" export "$@" -o again --seed=2 --images=2 >out.txt
cmp -s again/input-0.bin again/input-1.bin && fail "two images of noise are equal"
rm -r again out.txt

# --refine: the strips that the plan of it has. Steps of the host: lists and their layers take turns.
"$macchiato" export "$@" -o again --refine >out.txt
"$macchiato" plan "$@" --refine >plan.txt
cycles=$(sed -n 's/^refined .*, \([0-9]*\) after$/\1/p' plan.txt)
grep -q "^cycles      $cycles for an image" out.txt || fail "--refine: $cycles cycles planned, exported: $(cat out.txt)"
cat >host.prototxt <<'END'
name: "host"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 6 dim: 6 } } }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param { num_output: 6 kernel_size: 3 } }
layer { name: "n1" type: "LRN" bottom: "c1" top: "n1" lrn_param { local_size: 3 alpha: 0.001 beta: 0.75 } }
layer { name: "c2" type: "Convolution" bottom: "n1" top: "c2" convolution_param { num_output: 5 kernel_size: 3 } }
layer { name: "n2" type: "LRN" bottom: "c2" top: "n2" lrn_param { local_size: 3 alpha: 0.001 beta: 0.75 } }
layer { name: "fc" type: "InnerProduct" bottom: "n2" top: "fc" inner_product_param { num_output: 3 } }
END
for kind in images-idx3 labels-idx1; do cp t10k-$kind-ubyte train-$kind-ubyte; done
"$macchiato" convert host.prototxt --init=1 -o host.onnx >out.txt
"$macchiato" quantize host.onnx --data=. --widths=6,6,8 -o host.json --quiet >out.txt
"$macchiato" export host.onnx host.json -o again --program --array=4x4 >out.txt
grep -q '^program     3 descriptors in 3 lists, 2 steps of the host' out.txt || fail "lists and host: $(cat out.txt)"
[ "$(sed -n 's/^   "host": //p' again/program.json | tr -d ',\n')" = falsetruefalsetruefalse ] || fail "parts do not take turns"
# Powers of two take shifters, and an array of integers when it is asked for.
"$macchiato" quantize fixture.onnx --data=. --widths=4,4,8 --weight-numbers=pow2 -o shift.json --quiet >out.txt
"$macchiato" export fixture.onnx shift.json -o again --program --array=4x4 >out.txt
grep -q '^build       4x4 shifters, x 8, w 5, ' out.txt || fail "powers of two: $(cat out.txt)"
"$macchiato" export fixture.onnx shift.json -o again --program --array=4x4 --mult=integer >out.txt
grep -q '^build       4x4 multipliers, ' out.txt || fail "powers of two as integers: $(cat out.txt)"
# Minifloats take multipliers of theirs, when all weights and tensors are some; a mean is the host's.
"$macchiato" quantize fixture.onnx --data=. --widths=8,8,8 --numbers=fn:4 -o float.json --quiet >out.txt
"$macchiato" export fixture.onnx float.json -o again --program --array=4x4 --data=. --images=2 >out.txt
grep -q '^build       4x4 multipliers of minifloats, x 8, w 8, ' out.txt || fail "minifloats: $(cat out.txt)"
grep -q ' 0 steps of the host,' out.txt || fail "minifloats on the host: $(cat out.txt)"
for name in MULT:2 X_KIND:3 X_EXP:4 W_KIND:3 W_EXP:4; do
	grep -Eq "^.define MCH_${name%:*} +${name#*:} " again/mch_config.vh || fail "$name is not in mch_config.vh"
done
"$macchiato" plan fixture.onnx float.json --program --array=4x4 >plan.txt
grep -q '^build       4x4 multipliers of minifloats, ' plan.txt || fail "plan of minifloats: $(cat plan.txt)"
rm out.txt
refuse 'fixture: 4 host layers: conv/1 (no fixed point), pool1 (no fixed point), conv_1 (no fixed point), the "last" */ one (no fixed point); replace them, or let the host compute between lists' \
	fixture.onnx float.json -o x --program --mult=integer
"$macchiato" quantize fixture.onnx --data=. --widths=8,8,8 --numbers=ieee:5 -o wide.json --quiet
refuse 'accelerator: minifloats of 8 bits, 5 of them exponent, by such of 8 and 5: products of 68 bits, and sums have 48; choose fewer exponent bits' \
	fixture.onnx wide.json -o x --program
rm -r again wide.json host.* train-* shift.json plan.txt

# Published networks, where they are: with LRN of the host.
data=${MACCHIATO_DATA:-}
if [ -e "$data/cifar10_full/cifar10_full.prototxt" ]; then
	net="$data/cifar10_full/cifar10_full.prototxt --weights=$data/cifar10_full/cifar10_full_iter_70000.caffemodel
		--mean=$data/cifar10/mean_3x32x32_f32le.bin --data=$data/cifar10/test_batch.bin"
	# shellcheck disable=SC2086 # several words
	"$macchiato" quantize $net --train-data="$data/cifar10/train_20000.bin" --widths=8,8,8 --limit=200 -o c.json --quiet >out.txt
	# shellcheck disable=SC2086
	"$macchiato" export $net c.json -o again --program --images=2 >out.txt
	grep -q '^program     9 descriptors in 3 lists, 2 steps of the host' out.txt || fail "CIFAR-10 full: $(cat out.txt)"
	rm -r again c.json out.txt
fi

strict="-pedantic -Wall -Wextra -Werror"
if command -v "${CC:=cc}" >which.txt; then
	printf '#include "mch_config.h"\n#include "mch_config.h"\nint x[MCH_ROWS];\n' >use.c
	# shellcheck disable=SC2086 # options
	$CC -std=c99 $strict -Iprog -fsyntax-only use.c || fail "C99 refuses the header"
	rm use.c
fi
rm -f which.txt want.txt report.txt

refuse '--x-words: 300 is no power of two; give one from 2 to 32768' "$@" -o x --x-words=300
refuse '--mem-bits: "32" is no whole number from 64 to 512; give one' "$@" -o x --mem-bits=32
refuse '--mult: "float" is no multiplier; give integer, shift or minifloat' "$@" -o x --mult=float
refuse 'fixture: not all of its weights and tensors are minifloats, which these multipliers take; give --mult=integer, or quantize with --numbers' "$@" -o x --mult=minifloat
refuse '--program: options of the accelerator say nothing without it; give it too' fixture.onnx fixture.quant.json -o x \
	--mem-bits=64
refuse 'accelerator: 3 columns: a descriptor is a whole number of words; choose a power of two' "$@" -o x --array=4x3
exit $failed
