#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# macchiato report: what the page tells, that it is one well-formed file, escaped, the same each time; its JSON; its errors.
set -eu
# shellcheck source=tests/cli/expect.sh
. "${top_srcdir:?run me by make check}/tests/cli/expect.sh"

# refuse TEXT ARGUMENT...
refuse() {
	want=$1
	shift
	expect 2 "macchiato: $want" report "$@" -o page.html
}

# Elements are closed in order: a stack of names. Attribute values hold no < or >.
balance() {
	tr '\n' ' ' <"$1" | sed 's/<style>[^<]*<\/style>/<style><\/style>/; s/<!DOCTYPE html>//' | tr '<' '\n' | awk '
		NR == 1 { next }
		/^[^>]*$/ { print "a tag without end: <" $0; bad = 1; next }
		{ tag = substr($0, 1, index($0, ">") - 1) }
		tag ~ /\/$/ { next }
		tag ~ /^\// {
			name = substr(tag, 2)
			if (n == 0 || stack[n] != name) { print "</" name "> ends <" stack[n] ">"; bad = 1; exit }
			n--
			next
		}
		{ split(tag, words, " "); stack[++n] = words[1]; count++ }
		END { if (n > 0) { print "<" stack[n] "> is not ended"; bad = 1 }; exit bad || count < 100 }'
}

# has PAGE TEXT...: the page has each text.
has() {
	page=$1
	shift
	for text in "$@"; do
		grep -qF -- "$text" "$page" || fail "$page has no \"$text\""
	done
}

"$top_builddir/tests/make_quant_net" .
"$macchiato" quantize small.onnx --data=. --error-margin=5 -o q.json --quiet
"$macchiato" quantize small.onnx --data=. --error-margin=5 --fraction=max -o q2.json --quiet
printf 'epoch,train_loss,test_accuracy\n# restarted\n1,0.5,90.5\n2,0.25,\n3,0.125,93\n' >tune.csv

# Alone, with images, with all there is.
"$macchiato" report small.onnx q.json -o alone.html >out.txt 2>err.txt || fail "exit $?: $(cat err.txt)"
if [ -s out.txt ] || [ -s err.txt ]; then
	fail "a page alone prints something: $(cat out.txt err.txt)"
fi
"$macchiato" report small.onnx q.json --data=. --compare=q2.json --tune-log=tune.csv -o all.html
"$macchiato" quantize small.onnx --data=. --widths=4,4,6 -o fixed.json --quiet
"$macchiato" report small.onnx fixed.json -o fixed.html
for page in alone all fixed; do
	balance $page.html || fail "$page.html is not well-formed"
	! grep -qi '<script\|<link\|<img\|@import\|url(\|[hf]t\{1,2\}ps\{0,1\}:' $page.html || fail "$page.html loads or runs something"
	[ "$(grep -c '<svg viewBox[^>]*role="img"' $page.html)" = "$(grep -c '<title id=' $page.html)" ] ||
		fail "$page.html: a picture has no title"
	! grep -qi 'nan\b\|[^a-z]inf[^a-z]\|(null)' $page.html || fail "$page.html: $(grep -i 'nan\b\|[^a-z]inf[^a-z]' $page.html)"
	[ "$(sed -n 's/.* id="\([^"]*\)".*/\1/p' $page.html | sort | uniq -d)" = "" ] || fail "$page.html: an id twice"
done
if command -v xmllint >/dev/null; then
	xmllint --noout --noent --huge all.html || fail "xmllint refuses the page"
fi

# What it tells.
widths=$(sed -n 's/^"widths": {"conv_weights": \(.*\), "fc_weights": \(.*\), "activations": \(.*\)},/\1 \2 \3/p' q.json)
# shellcheck disable=SC2086 # three words
set -- $widths
has all.html "small: quantization report" "$(sed -n 's/^"net_hash": "\(.*\)",/\1/p' q.json)" \
	"$1-bit conv weights, $2-bit FC weights, $3-bit tensors" "As many right answers as the file of formats tells: confirmed." \
	"200 of 200" "signal-to-noise ratio" "40 images of" "q2.json" "tune.csv" "train_loss" "fig-bits" \
	"fig-alone-a0" "fig-alone-z2" "fig-path" "fig-tune" "No images were held out"
has alone.html "Not scored again for this page" "were not measured: give --data=PATH or --train-data=PATH" \
	"No second search to compare with" "--tune-log=FILE"
has fixed.html "has no scores of parts alone"
! grep -q 'fig-alone' fixed.html || fail "curves without scores"
# A histogram and an octave picture for the input, each of three weights and five outputs; weights alone need no images.
[ "$(grep -c 'id="h[vo][a-z0-9]*-t"' all.html)" = 16 ] || fail "$(grep -c 'id="h[vo][a-z0-9]*-t"' all.html) histograms, not 16"
[ "$(grep -c 'id="h[vo][a-z0-9]*-t"' alone.html)" = 6 ] || fail "$(grep -c 'id="h[vo][a-z0-9]*-t"' alone.html) histograms, not 6"

# The same bytes: again, elsewhere, in another locale, on one thread.
mkdir -p other
cp small.onnx q.json q2.json tune.csv other/
cp ./*-ubyte other/
(cd other && LC_ALL=C.UTF-8 OMP_NUM_THREADS=1 "$macchiato" report ../small.onnx ./q.json --data=. --compare=../q2.json \
	--tune-log="$work/here/tune.csv" -qo again.html)
cmp all.html other/again.html || fail "another page from the same files"
"$macchiato" report small.onnx q.json -o - >stream.html
cmp alone.html stream.html || fail "the standard output has another page"

# JSON has the numbers of the page.
"$macchiato" report small.onnx q.json --data=. --json >facts.json
has facts.json '"format": "macchiato report 1"' '"is_as_told": true' '"images": 200' '"compare": null' '"tune": null' '"alone"'
[ "$(grep -c '"accumulator": {' facts.json)" = 3 ] || fail "$(grep -c '"accumulator": {' facts.json) accumulators, not 3"

# A name that is a tag: no page has it as one.
cat >evil.prototxt <<'END'
name: "<script>alert(1)</script>"
input: "data"
input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8
layer { name: "<script>" type: "InnerProduct" bottom: "data" top: "a\"&'<i>" inner_product_param { num_output: 4 } }
END
"$macchiato" convert evil.prototxt --init=1 -o evil.onnx >out.txt 2>&1 || fail "convert: $(cat out.txt)"
"$macchiato" quantize evil.onnx --data=. --widths=8,8,8 -o '<evil>&.json' --quiet
"$macchiato" report evil.onnx '<evil>&.json' --data=. -o evil.html
balance evil.html || fail "evil.html is not well-formed"
! grep -qi '<script\|<i>\|<evil>' evil.html || fail "a name is not escaped"
has evil.html '<h3>&lt;script&gt;</h3>' '&lt;script&gt;alert(1)&lt;/script&gt;: quantization report' '&lt;evil&gt;&amp;.json'

# A search of another program, or of a later one: what is not understood is left out, never an error.
{
	sed '/^"search": {/,$d' q.json
	cat <<'END'
"search": {"alone": [{"bits": 1e300, "activations": -1e300}, {"bits": "x"}, 3], "alone_widths": 7, "together": [{}, null, {"accuracy": 1e300}],
 "candidates": [{"cost": -1, "right": 1e300}, {}, {"cost": 1e300, "right": 1}, 5], "front": [-1, 99, "x", 0], "result": -7, "array": "16x16",
 "choosing": {"images": 3}, "reporting": [], "held_out": true, "knobs": [{}, 4, {"bits": 99}],
 "sensitivity": [{"knob": -1, "bits": 8, "sqnr_db": 1e300}, {}, {"knob": 1, "bits": 3, "sqnr_db": 5}],
 "steps": [{"candidate": -1}, {"candidate": 2, "taken": true}, {}]}
}
END
} >strange.json
"$macchiato" report small.onnx strange.json -o strange.html || fail "a strange search"
balance strange.html || fail "strange.html is not well-formed"

# Images held out report; the order of the search is taken up, so that all its answers are confirmed.
"$macchiato" quantize small.onnx --data=. --error-margin=5 --holdout=60 --seed=7 -o held.json --quiet
"$macchiato" report small.onnx held.json --data=. -o held.html
has held.html "60 images held out" "on the images that chose" "formats tells: confirmed." "The images are those of the search, by their SHA-256."
"$macchiato" report small.onnx held.json --data=. --shuffle --seed=8 --limit=100 -o other.html
has other.html "scored on another number of images" "The images are not those of the search."

# An accumulator narrower than its certificate is told.
sed 's/"acc": {"bits": [0-9]*/"acc": {"bits": 6/' q.json >narrow.json
if "$macchiato" report small.onnx narrow.json -o narrow.html 2>err.txt; then
	has narrow.html 'of 6: can wrap' 'class="over"'
else
	fail "narrow accumulators: $(cat err.txt)"
fi
! grep -q 'class="over"' all.html || fail "an accumulator that its certificate fits is red"

# What is refused.
printf '{"format": }\n' >bad.json
refuse "bad.json:1: is no JSON here (unexpected token near '}'); correct it, or run quantize again" small.onnx bad.json
"$macchiato" quantize evil.onnx --data=. --widths=8,8,8 -o evil.json --quiet
status=0
"$macchiato" report small.onnx evil.json -o page.html 2>err.txt || status=$?
[ ! -e page.html ] || fail "formats of another network: wrote a page"
[ $status = 2 ] || fail "formats of another network: exit $status"
grep -q '^macchiato: evil.json: belongs to another network (hash ' err.txt || fail "formats of another network: $(cat err.txt)"
refuse "fixed.json: tells of no search; give the result of \`macchiato quantize\` without --widths" \
	small.onnx q.json --compare=fixed.json
refuse "none.csv: cannot be read (No such file or directory); check the name and its permissions" \
	small.onnx q.json --tune-log=none.csv
printf 'epoch,loss\n1,x\n' >bad.csv
refuse "bad.csv:2: a field is no number; give the log of one run, titles first" small.onnx q.json --tune-log=bad.csv
printf 'epoch,loss\n1,2,3\n' >bad.csv
refuse "bad.csv:2: the line has not as many fields as there are titles; give the log of one run, titles first" \
	small.onnx q.json --tune-log=bad.csv
printf '\n' >bad.csv
refuse "bad.csv: has no line of numbers; give the log of one run" small.onnx q.json --tune-log=bad.csv
refuse "--images: 41 images are asked for, . train has 40; give a smaller number" small.onnx q.json --data=. --images=41
"$macchiato" report small.onnx q.json -o none/page.html 2>err.txt && fail "a folder that is not there"
grep -q '^macchiato: none/page.html: cannot be written (No such file or directory)' err.txt || fail "$(cat err.txt)"

exit $failed
