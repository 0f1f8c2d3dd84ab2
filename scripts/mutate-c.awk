# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Faults of a C source, one line of it changed in each. Without `apply` their list: number, line, the line as it becomes;
# with it the whole source with fault number `apply`. Only bodies of functions are changed, as the project writes them: braces
# in the first column. What MCH_REQUIRE says is a duty of callers, which no test may break: it is left alone.

function swap(a, b) {
	other[a] = b
	other[b] = a
}

BEGIN {
	n = split("+ - - + * + / * % / << >> >> << < <= <= < > >= >= > == != != == && || || && & | | & ^ |" \
		  " += -= -= += |= &= &= |= ^= |= *= +=", word, " ")
	for (i = 1; i < n; i += 2)
		instead[word[i]] = word[i + 1]
	swap("true", "false"); swap("lo", "hi"); swap("low", "high"); swap("min", "max"); swap("begin", "end")
	swap("mch_format_min", "mch_format_max"); swap("INT32_MIN", "INT32_MAX"); swap("MCH_WRAP", "MCH_SATURATE")
	swap("n_p", "n_q"); swap("rows", "cols"); swap("pad_top", "pad_left"); swap("stride_h", "stride_w")
	swap("dilation_h", "dilation_w"); swap("acc", "bias"); swap("least", "most")
	n = split("h w r s c k p q", word, " ")
	for (i = 1; i < n; i += 2) {
		member[word[i]] = word[i + 1]
		member[word[i + 1]] = word[i]
	}
	name = "[A-Za-z_][A-Za-z0-9_]*"
	number = 0
}

# The line with blanks for strings, characters and comments, which it may begin or end within.
function code_of(line,    out, rest, at) {
	out = ""
	rest = line
	while (rest != "") {
		if (in_comment) {
			at = index(rest, "*/")
			in_comment = at == 0
			at = at ? at + 1 : length(rest)
			out = out sprintf("%" at "s", "")
		} else if (substr(rest, 1, 2) == "/*") {
			in_comment = 1
			at = 2
			out = out "  "
		} else if (match(rest, /^("([^"\\]|\\.)*"|'([^'\\]|\\.)*')/)) {
			at = RLENGTH
			out = out sprintf("%" at "s", "")
		} else {
			at = 1
			out = out substr(rest, 1, 1)
		}
		rest = substr(rest, at + 1)
	}
	return out
}

# Puts a fault into the line.
function fault(start, size, text,    as) {
	number++
	as = substr($0, 1, start - 1) text substr($0, start + size)
	if (apply == number)
		changed = as
	gsub(/^[ \t]+|[ \t]+$/, "", as)
	if (apply == "")
		print number "\t" NR "\t" as
}

function literal(at, digits) {
	if (digits ~ /^0x/) {
		match(substr($0, at), /^[0-9a-fA-FxuU]+/)
		fault(at, RLENGTH, "(" substr($0, at, RLENGTH) " ^ 1)")
		return
	}
	fault(at, length(digits), digits + 1)
	if (digits + 0 > 0)
		fault(at, length(digits), digits - 1)
}

function identifier(at, id, before) {
	if (id in other)
		fault(at, length(id), other[id])
	if (id in member && before ~ /(\.|->)$/)
		fault(at, length(id), member[id])
}

# `if (...)` that ends in its line.
function condition(code, at,    open, i, depth, c) {
	open = at + index(substr(code, at), "(") - 1
	for (i = open; i <= length(code); i++) {
		c = substr(code, i, 1)
		depth += (c == "(") - (c == ")")
		if (depth == 0)
			break
	}
	if (i <= length(code))
		fault(open, i - open + 1, "(!" substr($0, open, i - open + 1) ")")
}

function statement(code,    trimmed, from) {
	trimmed = code
	gsub(/^[ \t]+|[ \t]+$/, "", trimmed)
	from = index(code, trimmed)
	if (trimmed ~ ("^\\*?" name "((->|\\.)" name "|\\[[^]]*\\]|\\+\\+)* [-+*/|&^<>]*= .*;$") ||
	    trimmed ~ ("^\\*?" name "((->|\\.)" name ")*(\\+\\+|--);$") ||
	    trimmed ~ ("^" name "\\(.*\\);$") || trimmed == "break;" || trimmed == "continue;")
		fault(from, length(trimmed), "; /* not " trimmed " */")
	if (trimmed ~ /^return .*;$/ && trimmed !~ /^return ([0-9]+|NULL|true|false);$/)
		fault(from, length(trimmed), "return 0; /* not " substr(trimmed, 8) " */")
}

function put(code,    i, rest, before, c) {
	statement(code)
	for (i = 1; i <= length(code); i++) {
		rest = substr(code, i)
		before = substr(code, 1, i - 1)
		c = substr(rest, 1, 1)
		if (match(rest, "^" name)) {
			if (rest ~ /^if \(/)
				condition(code, i)
			match(rest, "^" name)
			c = substr(rest, 1, RLENGTH)
			identifier(i, c, before)
			i += length(c) - 1
		} else if (match(rest, /^(0x[0-9a-fA-F]+|[0-9]+)/)) {
			c = substr(rest, 1, RLENGTH)
			literal(i, c)
			match(rest, /^[0-9a-zA-Z_.]+/)
			i += RLENGTH - 1
		} else if (match(rest, /^ [-+*\/%<>=!&|^]+ /)) {
			c = substr(rest, 2, RLENGTH - 2)
			if (c in instead)
				fault(i + 1, length(c), instead[c])
			i += length(c)
		} else if (rest ~ /^ \? /) {
			fault(i, 3, " == 0 ? ")
		} else if (rest ~ /^![^=]/ || (rest ~ /^-[A-Za-z0-9_(]/ && before ~ /(^|[ \t(\[,])$/)) {
			fault(i, 1, "")
		}
	}
}

{
	changed = $0
	code = code_of($0)
	if ($0 ~ /^{/)
		in_function = 1
	if ($0 ~ /^}/)
		in_function = 0
	is_duty = is_duty || code ~ /MCH_REQUIRE\(/
	if (in_function && !is_duty && code !~ /^[ \t]*(#|static const)/)
		put(code)
	if (code ~ /;[ \t]*$/)
		is_duty = 0
	if (apply != "")
		print changed
}
