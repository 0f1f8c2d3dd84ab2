# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The runs that a list of the regression stands for: NUMBER BUILD BENCH PARAMETER=VALUE... --option=VALUE... each, all combinations
# of the lists of values. Variables: level, seed (or empty), repeat, part, parts, benches (their folder); ONLY in the environment.
# Wants scripts/expand.awk, too. Numbers are those of the whole list; a part of it has the runs of every parts-th build.

function wrong(what, fix) {
	printf "macchiato: %s:%d: %s; %s\n", FILENAME, FNR, what, fix > "/dev/stderr"
	is_wrong = 1
}

function emit(line,    build, k) {
	if (line in seen || line !~ ENVIRON["ONLY"])
		return
	seen[line] = 1
	build = line
	sub(/ --.*/, "", build)
	if (!(build in index_of))
		index_of[build] = n_builds++
	for (k = 0; k < repeat; k++) {
		n_runs++
		if (index_of[build] % parts == part - 1) {
			print n_runs, index_of[build] + 1, line
			n_here++
		}
	}
}

/^#/ || !NF { next }

$1 !~ /^[1-9]$/ { wrong("\"" $1 "\" is no level", "begin a line with a number from 1 to 9, or with # as a comment"); next }

$2 !~ /^[a-z][a-z0-9_]*$/ || (getline text < (benches "/tb_" $2 ".cpp")) < 0 {
	wrong("there is no bench \"" $2 "\"", "name one of tb/tb_*.cpp")
	next
}

{
	is_option = 0
	for (i = 3; i <= NF; i++) {
		if ($i ~ /^--[a-z][a-z-]*(=[A-Za-z0-9_.,-]+)?$/)
			is_option = 1
		else if ($i !~ /^[A-Z][A-Z0-9_]*=[A-Za-z0-9_.,\/-]+$/)
			wrong("\"" $i "\" is neither PARAMETER=VALUE,... nor --option=VALUE,...", "mend the word")
		else if (is_option)
			wrong("the parameter \"" $i "\" stands behind an option", "put options last")
		if ($i ~ /[=,](,|$)/)
			wrong("\"" $i "\" has an empty value", "write values and commas in turn")
		if ($i ~ /^--seed=/ && seed != "")
			$i = "--seed=" seed
	}
	if (!is_wrong && $1 <= level)
		expand(3, $2)
}

END {
	if (is_wrong)
		exit 2
	if (!n_here)
		exit 99
}
