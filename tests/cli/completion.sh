#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The completion in bash offers all commands that --help lists, and all options of each; nothing else.
#
# usage: completion.sh [COMPLETION PROGRAM]
set -eu
completion=${1:-${top_srcdir:?run me by make check}/cmodel/cli/macchiato.bash}
program=${2:-${top_builddir:?run me by make check}/macchiato}
command -v bash >/dev/null || {
	echo "SKIP: no bash; install the Debian package bash"
	exit 77
}
failed=0

# offered WORD...: what is offered for the last word, one a line.
offered() {
	# shellcheck disable=SC2016 # for bash
	bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _macchiato; printf "%s\n" "${COMPREPLY[@]}"' \
		bash "$completion" "$program" "$@" | LC_ALL=C sort
}

# same NAME WANTED FOUND
same() {
	[ "$2" = "$3" ] || {
		echo "FAIL: $1: offered \"$(echo "$3" | tr '\n' ' ')\", wanted \"$(echo "$2" | tr '\n' ' ')\""
		failed=1
	}
}

commands=$("$program" --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
[ -n "$commands" ] || { echo 'FAIL: --help lists no commands'; exit 99; }
same 'the first word' "$(printf '%s\n' "$commands" help --help --version | LC_ALL=C sort)" "$(offered '')"
same 'the word behind help' "$(echo "$commands" | LC_ALL=C sort)" "$(offered help '')"
for command in $commands; do
	# --usage has them all, too.
	all=$("$program" "$command" --usage | grep -o '\[--[a-z0-9-]*=\{0,1\}' | tr -d '[' | LC_ALL=C sort)
	same "$command --" "$all" "$(offered "$command" --)"
	same "$command --he" --help "$(offered "$command" --he)"
	same "$command n" '' "$(offered "$command" n)"
	same "$command --output =" '' "$(offered "$command" --output =)"
	same "$command --output = n" '' "$(offered "$command" --output = n)"
done
exit $failed
