#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato export: its report, its errors, equal bytes for equal arguments, and a C header that any compiler takes.
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
set -- fixture.onnx fixture.quant.json

# The report.
"$macchiato" export "$@" -o accel --data=. --images=5 --array=4x3 --vectors=40 >report.txt
hash=$(sed -n 's/^#define MCH_CONFIG_HASH "\(.*\)"$/\1/p' accel/macchiato_config.h)
bytes=$(cat accel/*.mem accel/*.vec accel/macchiato_config.* | wc -c)
right=$(sed -n 's/.*gets \([0-9]*\) right$/\1/p' report.txt)
cat >want.txt <<END
folder      accel: 18 files, $bytes bytes
config      $hash
array       4x3, 3 layers
vectors     120, from test images
images      5, of which the exact model gets $right right
END
diff want.txt report.txt || fail "the report is another"
[ ${#hash} = 64 ] || fail "no hash of 64 digits in macchiato_config.h"
rm report.txt want.txt
n=0
for file in accel/*; do
	n=$((n + 1))
	grep -q "$hash" "$file" || fail "$file does not carry the hash"
done
[ "$n" = 18 ] || fail "$n files, not 18"

# Equal arguments, equal bytes: elsewhere, in another locale, on more threads, over an earlier export.
mkdir other
cp ./*.onnx ./*.json t10k-* other
(cd other && export LC_ALL=C.UTF-8 OMP_NUM_THREADS=2 TZ=Asia/Tokyo &&
	"$macchiato" export "$@" -o b/ --seed=9 >out.txt &&
	"$macchiato" export "$@" -o b/ --data=. --images=5 --array=4x3 --vectors=40 >out.txt)
diff -r accel other/b || fail "two exports of the same differ"
rm -r other
"$macchiato" export "$@" -o seeds --data=. --images=5 --array=4x3 --vectors=40 --seed=2 >/dev/null
cmp -s accel/conv_1.dot.vec seeds/conv_1.dot.vec && fail "--seed changes nothing"
cmp -s accel/macchiato_config.h seeds/macchiato_config.h || fail "--seed changes the configuration"
"$macchiato" export "$@" -o seeds --json >out.txt
grep -q '"layers": 3, "vectors": 192, "images": 0' out.txt || fail "--json: $(cat out.txt)"
grep -q 'synthetic operands alone' seeds/conv_1.dot.vec || fail "vectors without data do not say so"
[ ! -e seeds/images.mem ] || fail "an earlier export left a file behind"
"$macchiato" export "$@" -o seeds --data=. --json >out.txt
grep -q '"images": 12,' out.txt || fail "a data set of 12 images: $(cat out.txt)"
rm -r seeds out.txt

# Errors.
refuse '--array: "16by16" is no size from 1x1 to 64x64; give rows x columns, as in 16x16' "$@" -o x --array=16by16
refuse '--array: "65x1" is no size from 1x1 to 64x64; give rows x columns, as in 16x16' "$@" -o x --array=65x1
refuse '--vectors: "0" is no whole number from 1 to 1000000; give one' "$@" -o x --vectors=0
refuse '.: has 12 test images, --images asks for 13; ask for fewer' "$@" -o x --data=. --images=13
refuse 'none/x: cannot be written (No such file or directory); check the folder, its permissions and free space' \
	"$@" -o none/x
refuse 'fixture.onnx: is a file, not a folder; choose another name for -o' "$@" -o fixture.onnx --force
mkdir mine
echo text >mine/notes
text='mine: holds files and no manifest.json, so it is no export; choose another name for -o, or replace all of it'
refuse "$text with --force" "$@" -o mine
[ "$(cat mine/notes)" = text ] || fail "a refused export touched mine/notes"
sed 's/"net_hash": "./"net_hash": "x/' fixture.quant.json >wrong.quant.json
status=0
"$macchiato" export fixture.onnx wrong.quant.json -o x 2>err.txt || status=$?
if [ "$status" != 2 ] || [ "$(wc -l <err.txt)" != 1 ]; then
	fail "a quantization of another network: exit $status, $(cat err.txt)"
fi
[ ! -e x ] || fail "a failed export left x behind"

# A disk that is full: here, a limit on the size of files.
for blocks in 0 8 200; do
	(trap '' XFSZ && ulimit -f $blocks &&
		exec "$macchiato" export "$@" -o accel --data=. --images=5 --vectors=5000 2>&1 >/dev/null) |
		cat >err.txt
	case $(cat err.txt) in
	"macchiato: accel/"*": cannot be written (File too large); check the folder, its permissions and free "*) ;;
	*) fail "limit of $blocks blocks: $(cat err.txt)" ;;
	esac
	grep -q "MCH_CONFIG_HASH \"$hash\"" accel/macchiato_config.h || fail "the old export was touched"
	[ "$(echo accel*)" = accel ] || fail "limit of $blocks blocks: left $(echo accel*)"
done
rm err.txt

# The C header: alone, twice, with and without its table, as C99 and as C++11, and beside the model's own headers.
cat >use.c <<'END'
#include "macchiato_config.h"
#include "macchiato_config.h"
#define MCH_CONFIG_LAYERS
#include "macchiato_config.h"
#include "macchiato_config.h"
#include <stdio.h>
int main(void)
{
	int i;
	for (i = 0; i < MCH_N_LAYERS; i++)
		printf("%s %d %d %llu %s\n", mch_config_layers[i].name, mch_config_layers[i].k,
		       mch_config_layers[i].source, mch_config_layers[i].cycles, mch_config_layers[i].weights_file);
	return MCH_CONV_1_2_GROUPS == mch_config_layers[2].groups && MCH_CONFIG_HASH_3 != 0 ? 0 : 1;
}
END
strict="-pedantic -Wall -Wextra -Werror"
# shellcheck disable=SC2086
{
	$CC -std=c99 $strict -fsyntax-only -x c accel/macchiato_config.h || fail "C99 refuses the header"
	$CC -std=c99 $strict -DMCH_CONFIG_LAYERS -Wno-unused -fsyntax-only -x c accel/macchiato_config.h ||
		fail "C99 refuses the header with its table"
	$CC -std=c99 $strict -Iaccel -o use use.c || fail "C99 refuses the header in use"
	sed 's/int i;/&/' use.c >use.cpp
	$CC -x c++ -std=c++11 $strict -Wno-long-long -Iaccel -fsyntax-only use.cpp || fail "C++ refuses the header"
	model=${top_srcdir:?}/cmodel
	(for header in "$model"/fxp/*.h "$model"/op/*.h "$model"/net/*.h "$model"/arch/*.h accel/*.h; do
		echo "#include \"$header\""
	done) >beside.c
	$CC -std=c11 $strict -I"$model" -fsyntax-only beside.c || fail "the header meets a name of the model"
}
./use >use.txt || fail "the C table differs from its constants"
cat >want.txt <<'END'
conv/1 4 -1 162 conv_1.weights.mem
pool1 4 0 0 
conv_1 6 1 16 conv_1_2.weights.mem
the _last_ _/ one 3 2 24 the_last_one.weights.mem
END
diff want.txt use.txt || fail "the C table is another"

# Images in other forms: the words of .mem, and a second export takes the place of the first.
"$macchiato" export "$@" -o forms --also=coe,mif,hex,bin >/dev/null
"$macchiato" export "$@" -o forms --also=hex,mif,coe,bin >/dev/null || fail "an export with other forms is not replaced"
for file in forms/*.mem; do
	grep -v '^//' "$file" >words.txt
	sed '1,/_vector=/d; s/[,;]$//' "${file%mem}coe" | cmp -s - words.txt || fail "${file%mem}coe has other words"
	sed '1,/BEGIN/d; /END/d; s/.* : //; s/;$//' "${file%mem}mif" | cmp -s - words.txt || fail "${file%mem}mif has other words"
	for form in hex bin; do
		[ -s "${file%mem}$form" ] || fail "no ${file%mem}$form"
	done
done
refuse '--also: "hex,foo" is no list of hex, coe, mif and bin; give those that your tools read' "$@" -o other --also=hex,foo
refuse '--also: a program has its memory in one form; leave it out' "$@" -o other --also=hex --program
exit $failed
