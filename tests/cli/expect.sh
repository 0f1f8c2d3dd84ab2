# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# shellcheck shell=sh
# Sourced by the tests of commands: $macchiato, a new folder to work in, and what holds of every refusal.
macchiato=${top_builddir:?run me by make check}/macchiato
work=$(mktemp -d "${TMPDIR:-/tmp}/macchiato.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/here"
cd "$work/here"
failed=0

fail() {
	echo "FAIL: $*"
	failed=1
}

# expect STATUS TEXT ARGUMENT...: macchiato ARGUMENT... ends with STATUS, TEXT is all that it says, nothing is on stdout and no file left
# behind.
expect() {
	want_status=$1 want=$2
	shift 2
	before=$(ls -A)
	status=0
	"$macchiato" "$@" >../out.txt 2>../err.txt || status=$?
	[ "$status" = "$want_status" ] || fail "macchiato $*: exit $status, not $want_status"
	[ "$(cat ../err.txt)" = "$want" ] || fail "macchiato $*: $(cat ../err.txt)"
	[ ! -s ../out.txt ] || fail "macchiato $*: wrote to stdout"
	[ "$(ls -A)" = "$before" ] || fail "macchiato $*: left something behind"
}
