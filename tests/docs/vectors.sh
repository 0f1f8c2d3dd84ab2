#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# docs/vectors.md: its files are sound, its readers compile, agree with them, and see a planted fault.
set -eu
page=${top_srcdir:?run me by make check}/docs/vectors.md
work=$(mktemp -d "${TMPDIR:-/tmp}/vectors.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $*"
	exit 1
}

# block LANGUAGE N: the Nth fenced block of that language.
block() {
	awk -v fence="\`\`\`$1" -v wanted="$2" '
		$0 == "```" { inside = 0 }
		inside { print }
		$0 == fence { inside = ++n == wanted }' "$page"
}

# expect TEXT STATUS COMMAND...: what the command prints and how it exits.
expect() {
	want=$1 want_status=$2
	shift 2
	status=0
	got=$("$@" 2>&1) || status=$?
	[ "$got" = "$want" ] || fail "$*: printed \"$got\", not \"$want\""
	[ "$status" = "$want_status" ] || fail "$*: exit $status, not $want_status"
}

cd "$work"
block vec 1 >example.vec
block mem 1 >example.mem
block c 1 >read_vec.c
block verilog 1 >read_vec.v
block verilog 2 >read_mem.v
block vhdl 1 >read_vec.vhd
for file in example.vec example.mem read_vec.c read_vec.v read_mem.v read_vec.vhd; do
	[ -s "$file" ] || fail "no $file on the page"
done

# The readers take the file, and see the fault that is planted in a copy: acc of case 2.
mkdir bad
sed 's/: 1c040/: 1c041/' example.vec >bad/example.vec
sed '$d' example.vec >cut.vec

${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -o read_vec read_vec.c
expect "3 cases, 0 mismatches" 0 sh -c './read_vec <example.vec'
expect "3 cases, 1 mismatches" 1 sh -c './read_vec <bad/example.vec'

mkdir cut empty
mv cut.vec cut/example.vec
: >empty/example.vec

# simulate COMMAND...: the simulation of read_vec, in folders with the right, a wrong, a cut and an empty file.
simulate() {
	expect "3 cases, 0 mismatches" 0 "$@"
	(cd bad && expect "3 cases, 1 mismatches" 0 "$@")
	(cd cut && expect "3 cases, 1 mismatches" 0 "$@")
	(cd empty && expect "0 cases, 1 mismatches" 0 "$@")
}

simulated=
if command -v iverilog >/dev/null; then
	for module in read_vec read_mem; do
		# Its warnings would be part of what it prints: there are none.
		expect "" 0 iverilog -g2005 -Wall -Wno-timescale -o "$module.vvp" "$module.v"
	done
	simulate vvp -n "$work/read_vec.vvp"
	expect "4 words, 0 mismatches" 0 vvp -n read_mem.vvp
	simulated=yes
fi
if command -v verilator >/dev/null; then
	verilator --binary read_vec.v >verilator.log 2>&1 || fail "verilator: $(cat verilator.log)"
	simulate sh -c "'$work/obj_dir/Vread_vec' | grep -v 'Verilog .finish'"
	simulated=yes
fi
if command -v ghdl >/dev/null; then
	ghdl -a --std=08 read_vec.vhd || fail "ghdl refuses the reader"
	ghdl -e --std=08 read_vec || fail "ghdl cannot elaborate the reader"
	simulate ghdl -r --std=08 --workdir="$work" read_vec
else
	echo "the reader in VHDL was not run: no ghdl; apt-get install ghdl"
fi
if [ -z "$simulated" ]; then
	echo "SKIP: the Verilog readers need a simulator; apt-get install iverilog"
	exit 77
fi
