#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato quantize: its report, equal bytes for equal arguments, a search that was killed, a margin that cannot be met,
# and its errors.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"

# refuse STATUS TEXT ARGUMENT...
refuse() {
	status=$1 want=$2
	shift 2
	expect "$status" "macchiato$want" quantize "$@"
}

"$top_builddir/tests/make_quant_net" .

# The result and its report tell the same.
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o q.json >report.txt 2>notes.txt
[ ! -s notes.txt ] || fail "notes without a cause: $(cat notes.txt)"
[ ! -e q.json.part ] || fail "the checkpoint outlives the search"
widths=$(sed -n 's/^"widths": {"conv_weights": \([0-9]*\), "fc_weights": \([0-9]*\), "activations": \([0-9]*\)},$/\1 \2 \3/p' q.json)
exact=$(sed -n 's/^"accuracy": {"float": .*, "exact": \([0-9.e+]*\), .*/\1/p' q.json | awk '{printf "%.2f", $1}')
# shellcheck disable=SC2086 # three words
set -- $widths
[ $# = 3 ] || fail "no widths in q.json"
last=$(tail -n 1 report.txt)
case $last in
"result      $1-bit conv weights, $2-bit FC weights, $3-bit activations, $exact % ("*" points, margin 4)") ;;
*) fail "the report ends with: $last; the file says $widths, $exact" ;;
esac
[ "$(awk -v e="$exact" 'BEGIN {print (e >= 96 && e <= 100)}')" = 1 ] || fail "accuracy $exact is not within 4 points of float"
grep -q '^float       100.00 % (200 of 200 images)$' report.txt || fail "float is not right on its own answers"
# Fewer bits than everywhere 16, or there was no search; and one part less misses the margin or is never tried.
[ $(($1 + $2 + $3)) -lt 36 ] || fail "no width was reduced: $widths"
for part in 2 3 4; do
	[ "$(awk -v p=$part '/^ *[0-9]+ / && $p ~ /[*]/ {n++} END {print n + 0}' report.txt)" = 1 ] ||
		fail "column $part has not one chosen width"
done

# Equal arguments, equal bytes: elsewhere, in another locale, on another number of threads, as a stream, as JSON.
mkdir ../other
(cd ../other && LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 TZ=Asia/Tokyo "$macchiato" quantize ../here/small.onnx --data=../here \
	--error-margin=4 -o q.json --json >json.txt)
cmp q.json ../other/q.json || fail "one thread gives another result"
(cd ../other && OMP_NUM_THREADS=3 "$macchiato" quantize ../here/small.onnx --data=../here --error-margin=4 -o - >stream.json)
cmp q.json ../other/stream.json || fail "three threads give another result"
grep -q '"found": true' ../other/json.txt || fail "--json does not say that the margin is met"
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o quiet.json --quiet >quiet.txt 2>&1
[ ! -s quiet.txt ] || fail "--quiet is not quiet"
cmp q.json quiet.json || fail "--quiet changes the result"

# Ended in the middle of a checkpoint: the limit on file sizes does that at the same score each time.
status=0
(ulimit -f 2 && exec "$macchiato" quantize small.onnx --data=. --error-margin=4 -o killed.json) >out.txt 2>&1 || status=$?
[ "$status" = 2 ] || fail "the search was not ended: exit $status"
text='killed.json.part: cannot be written (File too large); check the folder, its permissions and free space'
[ "$(cat out.txt)" = "macchiato: $text" ] || fail "a full disk: $(cat out.txt)"
[ "$(echo killed*)" = killed.json.part ] || fail "a full disk left $(echo killed*)"
[ ! -e killed.json ] || fail "a killed search left a result"
n=$(($(wc -l <killed.json.part) - 1))
[ "$n" -ge 3 ] || fail "only $n scores in the checkpoint"
cp killed.json.part kept.part
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o killed.json >again.txt 2>notes.txt
cmp q.json killed.json || fail "the resumed search has another result"
cmp report.txt again.txt || fail "the resumed search has another report"
[ "$(cat notes.txt)" = "macchiato: killed.json.part: $n scores of an interrupted search are used" ] || fail "$(cat notes.txt)"
[ ! -e killed.json.part ] || fail "the checkpoint outlives the resumed search"

# line JSON: as a checkpoint has it, behind its CRC-32, which is what gzip ends with.
line() {
	printf '%s %s\n' "$(printf %s "$1" | gzip -c | tail -c 8 | od -An -tx1 -N4 | awk '{print $4 $3 $2 $1}')" "$1"
}

# A checkpoint is believed: it is what decides, not a score made anew. All scores 200 lead to one bit in each part. The
# knobs: weights of conv, fc1 and fc2, then four groups of tensors.
{
	head -n 1 kept.part
	for bits in g f e d c b a 9 8 7 6 5 4 3 2 1; do
		line "{\"bound\":false,\"right\":200,\"seen\":200,\"widths\":\"${bits}gggggg\"}"
		[ $bits = g ] || line "{\"bound\":false,\"right\":200,\"seen\":200,\"widths\":\"g$bits${bits}gggg\"}"
		[ $bits = g ] || line "{\"bound\":false,\"right\":200,\"seen\":200,\"widths\":\"ggg$bits$bits$bits$bits\"}"
	done
	line '{"bound":false,"right":200,"seen":200,"widths":"1111111"}'
} >fed.json.part
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o fed.json --quiet
grep -q '"conv_weights": 1, "fc_weights": 1, "activations": 1' fed.json || fail "scores of the checkpoint are not used"

# A last line that was torn, at any byte of it, is made anew; so is a file torn in its first.
size=$(wc -c <kept.part)
last=$(tail -n 1 kept.part | wc -c)
for cut in 1 2 9 $((last - 1)) $((size - 100)); do
	head -c $((size - cut)) kept.part >torn.json.part
	"$macchiato" quantize small.onnx --data=. --error-margin=4 -o torn.json >out.txt 2>notes.txt
	cmp q.json torn.json || fail "a checkpoint without its last $cut bytes: another result"
	! grep -q damaged notes.txt || fail "a checkpoint without its last $cut bytes: $(cat notes.txt)"
done
{
	cat kept.part
	line '{"bound":false,"right":200,"seen":200,"widths":"1212121"}' | sed 's/200/100/'
} >torn.json.part
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o torn.json >out.txt 2>notes.txt
cmp q.json torn.json || fail "a last line of another checksum is used"

# Another search's checkpoint, and a damaged one, are not.
note="is of another network, data or options, or damaged; the search starts anew"
for damage in 's/half_even/floor/' 's/"images":200/"images":199/' '3s/right/wrong/' '3s/200/201/' '3s/g/h/' '4s/}//' '4p'; do
	sed "$damage" kept.part >bad.json.part
	! cmp -s kept.part bad.json.part || fail "$damage does no damage"
	"$macchiato" quantize small.onnx --data=. --error-margin=4 -o bad.json >out.txt 2>notes.txt
	[ "$(cat notes.txt)" = "macchiato: bad.json.part: $note" ] || fail "$damage: $(cat notes.txt)"
	cmp q.json bad.json || fail "$damage: another result"
done
{
	head -n 1 kept.part
	line '{"bound":false,"right":201,"seen":200,"widths":"ggggggg"}'
	sed -n 2,3p kept.part
} >bad.json.part
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o bad.json >out.txt 2>notes.txt
[ "$(cat notes.txt)" = "macchiato: bad.json.part: $note" ] || fail "more right answers than images: $(cat notes.txt)"
"$macchiato" quantize small.onnx --data=. --error-margin=4 -o q4.json --quiet --granularity=net
! cmp -s q.json q4.json || fail "--granularity=net does nothing"
(ulimit -f 2 && exec "$macchiato" quantize small.onnx --data=. --error-margin=4 -o margin.json) >out.txt 2>&1 || true
"$macchiato" quantize small.onnx --data=. --error-margin=2 -o margin.json >out.txt 2>notes.txt
[ "$(cat notes.txt)" = "macchiato: margin.json.part: $note" ] || fail "another margin: $(cat notes.txt)"

# The margin cannot be met: exit 1, nothing written.
status=0
"$macchiato" quantize small.onnx --data=dark --error-margin=2 -o dark.json >out.txt 2>notes.txt || status=$?
[ "$status" = 1 ] || fail "a margin that cannot be met gives exit $status"
if [ -e dark.json ] || [ -e dark.json.part ]; then fail "a missed margin left a file"; fi
[ ! -s out.txt ] || fail "a missed margin prints a result"
need=$(sed -n 's/.*--error-margin=\([0-9.]*\) or more, .*/\1/p' notes.txt)
grep -Eq '^macchiato: small.onnx: 16 bits in every part reach [0-9.]+ %, float 100.00 %: more than the margin of 2 points is lost; give ' \
	notes.txt || fail "$(cat notes.txt)"
"$macchiato" quantize small.onnx --data=dark --error-margin="$need" -o dark.json --quiet || fail "the margin advised, $need, fails"

# Widths given instead of a search: scored and written; with a margin they must meet it.
"$macchiato" quantize small.onnx --data=. --widths=8,6,7 -o fixed.json >out.txt
grep -q '^"widths": {"conv_weights": 8, "fc_weights": 6, "activations": 7},$' fixed.json || fail "--widths are not taken"
grep -q '"error_margin": null' fixed.json || fail "--widths alone has a margin"
tail -n 1 out.txt | grep -Eq '^result      8-bit conv weights, 6-bit FC weights, 7-bit activations, [0-9.]+ % \([-+][0-9.]+ points\)$' ||
	fail "--widths: $(tail -n 1 out.txt)"
status=0
"$macchiato" quantize small.onnx --data=. --widths=1,1,1 --error-margin=1 -o missed.json >out.txt 2>notes.txt || status=$?
[ "$status" = 1 ] || fail "widths that miss the margin give exit $status"
[ ! -e missed.json ] || fail "widths that miss the margin are written"
grep -q '^macchiato: small.onnx: the widths given reach ' notes.txt || fail "$(cat notes.txt)"

# Bad input.
for widths in 8,8 8,8,8,8 0,8,8 8,17,8 8,8,x 8,8,8x ''; do
	refuse 2 ": --widths: \"$widths\" is not three widths of 1 to 16 bits; give them as 8,8,8: conv weights, FC weights, activations" \
		small.onnx --data=. -o a --widths="$widths"
done
refuse 2 ": --equalize: changes the network, and the formats belong to the changed one; name a file for it with --net-out=NET.onnx" \
	small.onnx --data=. -o a --equalize=weights
refuse 2 ": --bias-correction: changes the network, and the formats belong to the changed one; name a file for it with --net-out=NET.onnx" \
	small.onnx --data=. -o a --bias-correction
refuse 2 ": --batch-norm: \"melt\" is neither fold nor keep; give one of them" small.onnx --data=. -o a --batch-norm=melt
refuse 2 ": --equalize: \"most\" is no kind of it; give weights, tensors, or tensors:B with a balance B of 0 to 1" \
	small.onnx --data=. -o a --equalize=most
refuse 2 ": --net-out: nothing changes the network; give --fold-input, --equalize, --compensate or --bias-correction with it" small.onnx --data=. -o a --net-out=b.onnx
refuse 2 ": --calibration: \"kl:9\" is no rule; give max, mse, percentile, percentile:99.9, kl, il or il-1" small.onnx --data=. -o a --calibration=kl:9
refuse 2 ": --numbers: powers of two are for weights; give them with --weight-numbers" small.onnx --data=. -o a --numbers=pow2
for kind in posit pow2:4 fixed:2 ''; do
	refuse 2 ": --weight-numbers: \"$kind\" is no kind of number; give fixed, minifloat, ieee, fn or flush, the last four also as fn:4 or fn:range, or for weights pow2 or pow2-no-zero" \
		small.onnx --data=. -o a --weight-numbers="$kind"
done
refuse 2 ": --activation-numbers: \"6\" is no whole number from 1 to 5; give one" small.onnx --data=. -o a --activation-numbers=fn:6
refuse 2 ": --static: has one fraction for the whole network; leave --per-channel out" small.onnx --data=. -o a --static --per-channel
refuse 2 ": NET: no network given; give a .onnx or .prototxt file"
refuse 2 ": --data: no images given; give their folder or file" small.onnx -o a
refuse 2 ": --output: no file given; give the file for the result" small.onnx --data=.
refuse 2 ": --json: the standard output is taken by --output=-; give a file name" small.onnx --data=. -o - --json
refuse 2 ": --rounding: \"odd\" is no rounding mode; give floor, half_up, half_away, half_even or stochastic" \
	small.onnx --data=. -o a --rounding=odd
refuse 2 ": --fraction: \"mean\" is no rule; give max, mse, percentile, percentile:99.9, kl, il or il-1" small.onnx --data=. -o a --fraction=mean
refuse 2 ": --error-margin: \"-1\" is no number from 0 to 100; give one" small.onnx --data=. -o a --error-margin=-1
refuse 2 ": --images: 41 images are asked for, here train has 40; give a smaller number" small.onnx --data=../here -o a --images=41
refuse 2 ": --limit: 201 images are asked for, here test has 200; give a smaller number" small.onnx --data=../here -o a --limit=201
refuse 2 ": none.onnx: cannot be read (No such file or directory); check the name and its permissions" none.onnx --data=. -o a
refuse 2 ": no/a.json: cannot be written (No such file or directory); check the folder, its permissions and free space" \
	small.onnx --data=. -o no/a.json
refuse 2 ": LeNet: layer conv1 has no weights; give a trained network (.onnx), or train this one first" \
	"${top_srcdir:?}/tests/nets/lenet.prototxt" --data=. -o a
mkdir wide
cp t10k-* train-* wide
printf '\0\0\010\003\0\0\0\001\0\0\0\001\0\0\0\002ab' >wide/train-images-idx3-ubyte
printf '\0\0\010\001\0\0\0\001\0' >wide/train-labels-idx1-ubyte
refuse 2 ": wide: is 2x1 pixels, the network takes 8x8 (width x height); give --resize=8x8, --resize=short:N, or --crop for the centre" small.onnx --data=wide -o a
cp train-* wide
printf "\0\0\010\001\0\0\0\310" >wide/t10k-labels-idx1-ubyte
head -c 200 /dev/zero | tr "\0" "\011" >>wide/t10k-labels-idx1-ubyte
refuse 2 ": wide test: labels go up to 9, the network has 4 outputs; give the data it was trained on" small.onnx --data=wide -o a

# Minifloats and powers of two: searched, scored again to the same, exported where they are fixed point to the array.
for kind in --numbers=minifloat --numbers=fn:4 "--activation-numbers=flush:range --weight-numbers=pow2" --weight-numbers=pow2 \
	"--weight-numbers=pow2-no-zero --per-channel"; do
	# shellcheck disable=SC2086 # one or two options
	"$macchiato" quantize small.onnx --data=. --limit=100 $kind --error-margin=40 -o kind.json --json >kind.txt || fail "$kind: exit $?"
	want=$(sed -n 's/^  "accuracy_exact": \([0-9.]*\).*/\1/p' kind.txt)
	"$macchiato" eval small.onnx --quant=kind.json --data=. --limit=100 >eval.txt || fail "$kind: $(cat eval.txt)"
	have=$(sed -n 's/^accuracy *\([0-9.]*\) %.*/\1/p' eval.txt)
	[ -n "$want" ] && [ "$(printf '%.2f' "$want")" = "$have" ] || fail "$kind: told $want %, found $have %"
	status=0
	"$macchiato" export small.onnx kind.json -o accel --force >export.txt 2>&1 || status=$?
	case $kind in
	--weight-numbers=*) [ "$status" = 0 ] || fail "$kind: not exported: $(cat export.txt)" ;;
	*) [ "$status" = 2 ] && grep -q 'has numbers of the format .*, which are not for an export of layers; give --program, or export fixed point' export.txt ||
		fail "$kind: export gives $status: $(cat export.txt)" ;;
	esac
done

# The formats belong to the network that was changed, which is as right in integers as was told; and each change tells its gain.
# check_changed OPTIONS KEYS...
check_changed() {
	options=$1
	shift
	# shellcheck disable=SC2086 # several words
	"$macchiato" quantize small.onnx --data=. --widths=4,4,4 --per-channel $options --net-out=changed.onnx -o changed.json \
		--json >changed.txt || fail "$options: exit $?"
	grep -q '"channel_frac": \[' changed.json || fail "$options: no fractions of channels"
	for key in "$@"; do
		grep -q "\"$key\": {" changed.json || fail "$options: no gain of $key"
	done
	! grep -q '"undone": true' changed.json || fail "$options: undone, with no margin to miss"
	want=$(sed -n 's/^  "accuracy_exact": \([0-9.]*\).*/\1/p' changed.txt)
	"$macchiato" eval changed.onnx --quant=changed.json --data=. >eval.txt || fail "the changed network: $(cat eval.txt)"
	have=$(sed -n 's/^accuracy *\([0-9.]*\) %.*/\1/p' eval.txt)
	[ -n "$want" ] && [ "$(printf '%.2f' "$want")" = "$have" ] || fail "$options: told $want %, found $have %"
}
check_changed "--calibration=percentile:99.9 --equalize=weights --bias-correction" equalization bias_correction
check_changed "--fold-input --equalize=tensors:0.75 --compensate" equalization compensation
! "$macchiato" eval small.onnx --quant=changed.json --data=. >eval.txt 2>&1 || fail "formats of another network were taken"

exit $failed
