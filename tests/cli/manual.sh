#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The man page has the commands and options that the program has, with their letters, values and defaults, and no others;
# it is rendered without a warning.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
page=${top_srcdir:?run me by make check}/docs/macchiato.1
work=$(mktemp -d "${TMPDIR:-/tmp}/manual.XXXXXX")
trap 'rm -rf "$work"' EXIT
failed=0
cd "$work"

fail() {
	echo "FAIL: $*"
	failed=1
}

# "-l, --limit=N" and "--flip": the heads of option paragraphs, from roff.
options_of_page() {
	sed -n 's/\\//g; s/^\.B\(R\|\) \(-.*\)/\2/p' | sed 's/fI//; s/fR//; s/ ", " /, /; s/ =/=/'
}

"$macchiato" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | LC_ALL=C sort >program.txt
sed -n 's/^\.SS macchiato //p' "$page" | LC_ALL=C sort >page.txt
diff program.txt page.txt || fail "the commands (<) and the sections of the man page (>) differ"
[ -s program.txt ] || fail "no commands"

sed '1,/^\.SH COMMANDS/d; /^\.SS/,$d' "$page" | options_of_page >common.txt
# What commands with --data share is told once.
sed -n '/^\.SH IMAGES$/,/^\.SH FILES$/p' "$page" >images.txt
# And what `gen` and `ver` share.
sed -n '/^\.SH OPERATORS$/,/^\.SH IMAGES$/p' "$page" >operators.txt
while read -r command; do
	"$macchiato" "$command" --help >help.txt
	sed -n "/^\.SS macchiato $command\$/,/^\.S[SH]/p" "$page" >section.txt
	if grep -q -e '--data=' help.txt; then
		cat images.txt >>section.txt
	fi
	if grep -q -e '--no-flags' help.txt; then
		cat operators.txt >>section.txt
	fi
	# Without the text: an option's is two spaces behind it, or on the next line.
	sed -n 's/^  *\(-.*\)/\1/p' help.txt | sed 's/   *.*//' | LC_ALL=C sort >program.txt
	# Only the head of a paragraph, the line behind .TP, is an option; others are mentioned in a text.
	sed -n '/^\.TP/{n;p;}' section.txt | options_of_page |
		cat - common.txt | LC_ALL=C sort >page.txt
	diff program.txt page.txt || fail "$command: the options (<) and those of the man page (>) differ"
	tr -s '\n ' '  ' <help.txt | grep -o '(default [^)]*)' | LC_ALL=C sort >program.txt || true
	sed 's/^\.[A-Z]* //; s/ \.ckpt/.ckpt/; s/\\//g' section.txt | tr '\n' ' ' |
		grep -o '(default [^)]*)' | LC_ALL=C sort >page.txt || true
	diff program.txt page.txt || fail "$command: the defaults (<) and those of the man page (>) differ"
done <<END
$("$macchiato" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
END

n=0
if command -v groff >which.txt; then
	n=$((n + 1))
	groff -man -ww -z "$page" >lint.txt 2>&1 || fail "groff: exit $?"
	[ ! -s lint.txt ] || fail "groff warns: $(cat lint.txt)"
fi
if command -v mandoc >which.txt; then
	n=$((n + 1))
	# No date: the page would change with it.
	mandoc -T lint -W warning "$page" >lint.txt 2>&1 || true
	grep -v 'missing date' lint.txt >left.txt || true
	[ ! -s left.txt ] || fail "mandoc warns: $(cat left.txt)"
fi
if [ $failed = 0 ] && [ $n = 0 ]; then
	echo "SKIP: the options agree, but the page was not rendered: no groff and no mandoc; apt-get install groff"
	exit 77
fi
exit $failed
