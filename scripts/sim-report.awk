# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The records of scripts/sim-run in one of five forms. Variables: form, outputs (the folder of what runs printed), and for the summary seconds
# ("BUILD RUN") and folder (of the reports). Input: the sim.tsv of the last time where rates are compared (it may be empty), then records.
#   line     for people; behind one that failed, what it printed
#   junit    JUnit XML. No times in it: same runs, same bytes
#   html     one page: what failed, with what it printed, then the rates of every run beside those of the last time
#   tsv      rates, for the next time
#   summary  sums of each bench, flaky runs, rates against the last time; the exit status is that of scripts/sim

function is_bad(status) { return status != "0" && status != "SKIPPED" }

# Text for XML and HTML: no markup in it, and no character that XML 1.0 forbids.
function escape(text) {
	gsub(/[\001-\010\013-\037\177]/, "?", text)
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	gsub(/>/, "\\&gt;", text)
	gsub(/"/, "\\&quot;", text)
	return text
}

# What run `number` printed.
function print_output(number, indent, is_markup,    file, text) {
	file = outputs "/" number ".out"
	while ((getline text < file) > 0)
		print indent (is_markup ? escape(text) : text)
	close(file)
}

function print_line() {
	printf "%-72s seed %-3s %9s cases %10s cycles %7s kHz %13s  %s\n", $10, $4, $5, $6, $7,
		$8 == "" ? "" : sprintf("%.0f M MAC/s", $8 / 1e6), $3
	if (is_bad($2))
		print_output($1, "    ", 0)
}

function print_junit(    i, bench, name) {
	print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	printf "<testsuite name=\"macchiato sim\" tests=\"%d\" failures=\"%d\" skipped=\"%d\">\n", n, n_failed, n_skipped
	for (i = 1; i <= n; i++) {
		$0 = record[i]
		bench = name = $10
		sub(/ .*/, "", bench)
		sub(/^[^ ]* ?/, "", name)
		printf "  <testcase classname=\"%s\" name=\"%s\"", escape(bench), escape(name)
		if (is_bad($2)) {
			printf ">\n    <failure message=\"%s\">", escape($3)
			print_output($1, "", 1)
			print "    </failure>\n  </testcase>"
		} else
			print $2 == "0" ? "/>" : "><skipped/></testcase>"
	}
	print "</testsuite>"
}

function print_html(    i) {
	print "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Macchiato regression</title>\n<style>"
	print ":root{color-scheme:light dark}body{font:14px/1.4 sans-serif;margin:2em}"
	print "table{border-collapse:collapse}td,th{padding:2px 10px;text-align:right;border-bottom:1px solid #8884}"
	print "td:first-child,th:first-child{text-align:left;font-family:monospace}.bad{color:#c22;font-weight:bold}"
	print "pre{overflow-x:auto;border-left:4px solid #c22;padding-left:1em}\n</style>\n<h1>Macchiato regression</h1>"
	printf "<p>%d runs, <span%s>%d failed</span>, %d skipped; %.0f cases compared in %.0f cycles</p>\n", n,
		n_failed ? " class=\"bad\"" : "", n_failed, n_skipped, sum_cases, sum_cycles
	for (i = 1; i <= n; i++) {
		$0 = record[i]
		if (!is_bad($2))
			continue
		printf "<h2>%s: <span class=\"bad\">%s</span></h2>\n<pre>", escape($10), escape($3)
		print_output($1, "", 1)
		print "</pre>"
	}
	print "<h2>All runs</h2>\n<table>\n<tr><th>run<th>result<th>cases<th>cycles<th>kHz<th>last time<th>M MAC/s"
	for (i = 1; i <= n; i++) {
		$0 = record[i]
		printf "<tr><td>%s<td%s>%s<td>%s<td>%s<td>%s<td>%s<td>%s\n", escape($10), is_bad($2) ? " class=\"bad\"" : "",
			escape($3), $5, $6, $7, last[$10], $8 == "" ? "" : sprintf("%.1f", $8 / 1e6)
	}
	print "</table>"
}

function print_tsv(    i) {
	print "run", "result", "seed", "cases", "cycles", "khz", "mac_per_s"
	for (i = 1; i <= n; i++) {
		$0 = record[i]
		print $10, $3, $4, $5, $6, $7, $8
	}
}

# Of one record, for the summary.
function add(    bench, outcome) {
	bench = $10
	sub(/ .*/, "", bench)
	if (!(bench in runs))
		order[++n_benches] = bench
	runs[bench]++
	cases[bench] += $5
	cycles[bench] += $6
	failed[bench] += is_bad($2)
	n_unbuilt += $2 == "UNBUILT"
	n_nothing += $2 == "99"
	outcome = $2 " " $4 " " $5 " " $6 " " $9
	if (($10 in first) && first[$10] != outcome && !($10 in flaky)) {
		flaky[$10] = 1
		print "FLAKY: " $10 ": its repeats differ in more than the rate; see sim.d"
		n_flaky++
	}
	first[$10] = outcome
	# What takes less than a twentieth of a second says nothing of rates.
	if (last[$10] > 0 && $7 > 0 && $6 / $7 > 50) {
		n_rates++
		sum_logs += log($7 / last[$10])
		if ($7 < 0.75 * last[$10] && n_slow++ < 10)
			slow = slow sprintf("slower: %s: %s kHz, last time %s\n", $10, $7, last[$10])
	}
}

function print_summary(    i, bench, s) {
	for (i = 1; i <= n; i++) {
		$0 = record[i]
		add()
	}
	printf "%-14s %6s %8s %14s %14s\n", "bench", "runs", "failed", "cases", "cycles"
	for (i = 1; i <= n_benches; i++) {
		bench = order[i]
		printf "%-14s %6d %8d %14.0f %14.0f\n", bench, runs[bench], failed[bench], cases[bench], cycles[bench]
	}
	print ""
	if (n_rates)
		printf "%srates: %.2f of the last time's (mean of %d runs)\n", slow, exp(sum_logs / n_rates), n_rates
	split(seconds, s, " ")
	printf "%d runs, %d failed%s%s; %d s to build, %d s to run; %ssim.html, sim.xml, sim.tsv\n", n, n_failed,
		n_skipped ? ", " n_skipped " skipped" : "", n_flaky ? ", " n_flaky " FLAKY" : "", s[1], s[2],
		folder == "." ? "" : folder "/"
	return n_unbuilt ? 2 : n_nothing ? 99 : n_failed || n_flaky ? 1 : n == n_skipped ? 77 : 0
}

BEGIN { FS = OFS = "\t" }

FILENAME ~ /last\.tsv$/ { last[$1] = $6; next }

form == "line" { print_line(); next }

{
	record[++n] = $0
	n_failed += is_bad($2)
	n_skipped += $2 == "SKIPPED"
	sum_cases += $5
	sum_cycles += $6
}

END {
	if (form == "junit")
		print_junit()
	else if (form == "html")
		print_html()
	else if (form == "tsv")
		print_tsv()
	else if (form == "summary")
		exit print_summary()
}
