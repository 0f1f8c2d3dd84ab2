# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Merges what scripts/coverage collected. In this order: the list of holes, the modules' sources, the bins of the runs
# (module, count, name; sim/coverage.h), Verilator's counts of points (FILE.bins.dat). Prints the table, writes the page `html` and
# to `open` the benches whose bins were not all reached.
# A point is one in the source: those of all instances, builds and runs are added up. Kinds: "line" (blocks and branches),
# "toggle" (bits of signals, which have to change at least twice, there and back), "bin".

function fail(text) {
	print "macchiato: coverage: " text
	status = 1
}

function add(kind, module, name, line, count,    id) {
	id = kind SUBSEP module SUBSEP name
	if (!(id in points)) {
		points[id] = 0
		modules[module] = 1
		n = ++list_n[kind, module]
		list[kind, module, n] = name
		line_of[id] = line
	}
	points[id] += count
}

function covered(kind, id) {
	return points[id] >= (kind == "toggle" ? 2 : 1)
}

# "KIND MODULE NAME: REASON", where NAME is a bin, a part of the line of source, or signals, commas between them; of their bits one
# [7] or some [7:4], of all elements or, with [ELEMENT] in front, of one.
function read_hole(    at, kind, module, name, n, i, each) {
	at = index($0, ": ")
	kind = $1
	module = $2
	if (!at || kind !~ /^(line|toggle|bin)$/) {
		fail(FILENAME ":" FNR ": not KIND MODULE NAME: REASON; write it so, KIND line, toggle or bin")
		return
	}
	name = substr($0, 1, at - 1)
	sub(/^[^ ]+ +[^ ]+ +/, "", name)
	n = 1
	each[1] = name
	if (kind == "toggle")
		n = split(name, each, /, */)
	for (i = 1; i <= n; i++) {
		n_holes++
		hole_at[n_holes] = FILENAME ":" FNR
		hole_kind[n_holes] = kind
		hole_module[n_holes] = module
		hole_name[n_holes] = each[i]
		hole_reason[n_holes] = substr($0, at + 2)
	}
}

function read_data(    n, i, field, part, value, module) {
	n = split($0, field, "\001")
	for (i = 2; i <= n; i++) {
		part = index(field[i], "\002")
		value[substr(field[i], 1, part - 1)] = substr(field[i], part + 1)
	}
	module = value["f"]
	sub(/.*\//, "", module)
	sub(/\.v$/, "", module)
	if (value["page"] ~ /^v_toggle/)
		add("toggle", module, value["o"], value["l"], $NF)
	else
		add("line", module, value["l"] ":" value["n"] " " value["o"], value["l"], $NF)
}

function base_of(name) {
	sub(/\[.*/, "", name)
	return name
}

# Does hole h name this point?
function names(h, kind, module, name, id,    want, signal, element, bit, high, low) {
	want = hole_name[h]
	if (kind == "bin")
		return name == want
	if (kind == "line")
		return index(source[module, line_of[id]], want) > 0
	if (want == name || want == base_of(name))
		return 1
	signal = want
	sub(/\[[0-9]+:[0-9]+\]$/, "", signal)
	element = name
	sub(/\[[0-9]+\]$/, "", element)
	if (signal == want || (signal != element && signal != base_of(name)))
		return 0
	bit = name
	sub(/.*\[/, "", bit)
	high = want
	sub(/.*\[/, "", high)
	low = high
	sub(/^[0-9]+:/, "", low)
	return bit + 0 <= high + 0 && bit + 0 >= low + 0
}

# Every entry must name something, and nothing that was covered: of the points of a line of source it takes those that were not.
function explain(h,    kind, module, i, id, n, taken) {
	kind = hole_kind[h]
	module = hole_module[h]
	if (!(module in modules))
		return
	for (i = 1; i <= list_n[kind, module]; i++) {
		id = kind SUBSEP module SUBSEP list[kind, module, i]
		if (!names(h, kind, module, list[kind, module, i], id))
			continue
		n++
		if (covered(kind, id)) {
			if (kind != "line")
				fail(hole_at[h] ": " module " " list[kind, module, i] " was covered; take it out of the list")
		} else {
			reason[id] = hole_reason[h]
			taken++
		}
	}
	if (!n)
		fail(hole_at[h] ": " module " has no " kind " " hole_name[h] "; correct the list")
	else if (!taken && kind == "line")
		fail(hole_at[h] ": " module " " hole_name[h] " was covered; take it out of the list")
}

function count_module(module, kind,    i, id) {
	got[kind, module] = 0
	excused[kind, module] = 0
	for (i = 1; i <= list_n[kind, module]; i++) {
		id = kind SUBSEP module SUBSEP list[kind, module, i]
		if (covered(kind, id))
			got[kind, module]++
		else if (id in reason)
			excused[kind, module]++
	}
}

function percent(kind, module,    can) {
	can = list_n[kind, module] - excused[kind, module]
	return can ? 100 * got[kind, module] / can : 100
}

# "covered/all (explained) percent": percent of those that can be reached.
function figure(kind, module) {
	return sprintf("%d/%d (%d) %.1f", got[kind, module], list_n[kind, module], excused[kind, module], percent(kind, module))
}

function print_holes(module, kind,    i, id, name) {
	for (i = 1; i <= list_n[kind, module]; i++) {
		name = list[kind, module, i]
		id = kind SUBSEP module SUBSEP name
		if (!covered(kind, id) && !(id in reason))
			print "not covered: " kind " " module " " name (kind == "line" ? "  " source[module, line_of[id]] : "")
	}
}

function quoted(text) {
	gsub(/&/, "\\&amp;", text)
	gsub(/</, "\\&lt;", text)
	return text
}

function write_bins(module,    i, id, name) {
	if (!list_n["bin", module])
		return
	print "<details><summary>" list_n["bin", module] " bins</summary><table><tr><th>bin<th>count" >html
	for (i = 1; i <= list_n["bin", module]; i++) {
		name = list["bin", module, i]
		id = "bin" SUBSEP module SUBSEP name
		printf "<tr%s><td>%s<td class=n>%d<td>%s\n", points[id] ? "" : id in reason ? " class=why" : " class=bad", quoted(name),
			points[id], quoted(reason[id]) >html
	}
	print "</table></details>" >html
}

function write_toggles(module,    i, id, name, n) {
	for (i = 1; i <= list_n["toggle", module]; i++) {
		name = list["toggle", module, i]
		id = "toggle" SUBSEP module SUBSEP name
		if (covered("toggle", id))
			continue
		if (!n++)
			print "<details><summary>Bits that did not toggle</summary><table>" >html
		printf "<tr class=%s><td>%s<td class=n>%d<td>%s\n", id in reason ? "why" : "bad", quoted(name), points[id],
			quoted(reason[id]) >html
	}
	if (n)
		print "</table></details>" >html
}

# The source, with the counts of a line's points in front of it; red where one of them, or a bit of a signal, is a hole.
function write_source(module,    i, id, line, counts, class, kind) {
	for (kind = 1; kind <= 2; kind++)
		for (i = 1; i <= list_n[kind == 1 ? "line" : "toggle", module]; i++) {
			id = (kind == 1 ? "line" : "toggle") SUBSEP module SUBSEP list[kind == 1 ? "line" : "toggle", module, i]
			line = line_of[id]
			if (kind == 1)
				counts[line] = counts[line] " " points[id]
			if (!covered(kind == 1 ? "line" : "toggle", id))
				class[line] = id in reason && class[line] != "bad" ? "why" : "bad"
			else if (kind == 1 && !(line in class))
				class[line] = "good"
		}
	print "<details><summary>Source</summary><pre>" >html
	for (i = 1; i <= lines[module]; i++)
		printf "<span class='%s'>%24s %4d  %s</span>\n", class[i], counts[i], i, quoted(source[module, i]) >html
	print "</pre></details>" >html
}

function write_page(    m, module) {
	print "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Macchiato: coverage</title><style>" \
		"body{font:14px sans-serif;max-width:75em;margin:2em auto;padding:0 1em}table{border-collapse:collapse}" \
		"td,th{padding:.1em .7em;text-align:left;border-bottom:1px solid #ddd}.n{text-align:right}pre{font-size:12px}" \
		".bad{background:#fbb}.why{background:#ffd}.good{background:#efe}</style><h1>Coverage</h1>" \
		"<p>Covered / all (of these explained), and percent of those that can be reached. Red: not covered; yellow: explained." >html
	print "<table><tr><th>module<th>bins<th>lines and branches<th>toggles" >html
	for (m = 1; m <= n_modules; m++) {
		module = order[m]
		printf "<tr><td><a href='#%s'>%s</a><td>%s<td>%s<td>%s\n", module, module, figure("bin", module),
			figure("line", module), figure("toggle", module) >html
	}
	print "</table>" >html
	for (m = 1; m <= n_modules; m++) {
		print "<h2 id='" order[m] "'>" order[m] "</h2>" >html
		write_bins(order[m])
		write_toggles(order[m])
		write_source(order[m])
	}
	print "</html>" >html
	close(html)
}

FILENAME ~ /\.v$/ {
	module = FILENAME
	sub(/.*\//, "", module)
	sub(/\.v$/, "", module)
	source[module, FNR] = $0
	lines[module] = FNR
	if (!(module in place)) {
		place[module] = ++n_sources
		sources[n_sources] = module
	}
	next
}
FILENAME ~ /\.bins$/ {
	split($0, column, "\t")
	add("bin", column[1], column[3], 0, column[2])
	next
}
FILENAME ~ /\.dat$/ {
	if (/^C / && /\/rtl\/mch_[a-z_0-9]*\.v/)
		read_data()
	next
}
!/^#/ && NF { read_hole() }

END {
	for (i = 1; i <= n_sources; i++)
		if (sources[i] in modules)
			order[++n_modules] = sources[i]
	for (h = 1; h <= n_holes; h++)
		explain(h)
	printf "%-16s %22s %22s %24s\n", "module", "bins", "lines and branches", "toggles"
	for (m = 1; m <= n_modules; m++) {
		module = order[m]
		count_module(module, "bin")
		count_module(module, "line")
		count_module(module, "toggle")
		printf "%-16s %22s %22s %24s\n", module, figure("bin", module), figure("line", module), figure("toggle", module)
	}
	print "covered/all (explained) percent of the others"
	for (m = 1; m <= n_modules; m++) {
		module = order[m]
		print_holes(module, "bin")
		print_holes(module, "line")
		print_holes(module, "toggle")
		if (percent("bin", module) < 100) {
			print substr(module, 5) >open
			fail(module ": not all bins were reached; aim the stimulus at them, or say in sim/coverage-holes.txt why they cannot be")
		}
		if (percent("line", module) < 95 || percent("toggle", module) < 95)
			fail(module ": below 95 %; aim the stimulus at what is not covered, or say in sim/coverage-holes.txt why it cannot be")
	}
	write_page()
	exit status
}
