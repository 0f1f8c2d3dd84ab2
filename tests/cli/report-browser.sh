#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The page of macchiato report in a real browser, headless Chromium: it opens without a complaint, asks no network for anything, and
# its document has the elements and texts that the file has.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
	echo "SKIP: no Chromium to open the page with; apt-get install chromium"
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/browser.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"

fail() {
	echo "FAIL: $*"
	failed=1
}

# open_page PAGE OPTION...: the browser's answer in out.txt; all that pages and their loading say, in log.txt.
open_page() {
	url="file://$work/$1"
	shift
	"$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking \
		--disable-component-update --disable-default-apps --disable-extensions --disable-sync --no-first-run \
		--user-data-dir="$work/profile" --enable-logging=stderr --v=0 --host-resolver-rules='MAP * ~NOTFOUND' "$@" \
		"$url" >out.txt 2>log.txt || return 1
	grep -i 'CONSOLE' log.txt >console.txt || true
}

# count ELEMENT FILE: how many begin.
count() {
	grep -o "<$1[ >]" "$2" | wc -l
}

"$top_builddir/tests/make_quant_net" .
printf 'epoch,train_loss,test_accuracy\n1,0.5,90.5\n2,0.25,\n3,0.125,93\n' >tune.csv
"$macchiato" quantize small.onnx --data=. --error-margin=5 --curves -o q.json --quiet
"$macchiato" quantize small.onnx --data=. --error-margin=5 --granularity=layer -o q2.json --quiet
"$macchiato" report small.onnx q.json --data=. --compare=q.json --tune-log=tune.csv -o all.html
"$macchiato" report small.onnx q2.json --data=. -o mixed.html

# A page that says something on the console shows that the test would hear it.
echo '<!DOCTYPE html><title>t</title><script>console.error("heard " + 42)</script>' >loud.html
open_page loud.html --dump-dom || {
	echo "SKIP: $browser does not run here: $(tail -n 1 log.txt)"
	exit 77
}
grep -q 'heard 42' console.txt || fail "the browser's console is not heard: $(cat log.txt)"

for page in all mixed; do
	open_page $page.html --dump-dom || fail "$page.html: the browser ends with an error"
	mv out.txt $page.dom
	[ ! -s console.txt ] || fail "$page.html: the console says $(cat console.txt)"
	# What the browser understood is what was written: nothing dropped, nothing moved out of a table.
	for element in svg path circle rect line text title desc table tr td th details figure section article; do
		want=$(count $element $page.html)
		have=$(count $element $page.dom)
		[ "$want" = "$have" ] || fail "$page.html: $have of $want <$element> in the browser"
	done
	[ "$(count svg $page.dom)" -gt 20 ] || fail "$page.html: $(count svg $page.dom) pictures"
	[ "$(count script $page.dom)" = 0 ] || fail "$page.html: a script"
done
for text in 'small: quantization report' 'fig-bits-t' 'fig-alone-a0-t' 'fig-path-t' 'fig-front-t' 'fig-tune-t' 'fig-loss-t' '200 of 200'; do
	grep -qF "$text" all.dom || fail "all.html has no \"$text\" in the browser"
done
for text in 'fig-sensitivity-t' 'All parts at one width' 'Steps of mixed precision'; do
	grep -qF "$text" mixed.dom || fail "mixed.html has no \"$text\" in the browser"
done

# It can be drawn, in light, dark and on paper.
open_page all.html --hide-scrollbars --window-size=1240,3000 --screenshot=light.png || fail "no picture"
open_page all.html --hide-scrollbars --window-size=1240,3000 --force-dark-mode --blink-settings=preferredColorScheme=0 --screenshot=dark.png ||
	fail "no picture"
open_page all.html --print-to-pdf=page.pdf || fail "no print"
for file in light.png dark.png page.pdf; do
	if [ ! -e $file ] || [ "$(wc -c <$file)" -lt 20000 ]; then
		fail "$file is not there, or empty"
	fi
done

exit $failed
