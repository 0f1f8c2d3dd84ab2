# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Yosys keeps the names of registers, but takes arrays apart into elements, `\acc_q[1] `, and blocks into prefixes,
# `\g_saturate.over_q `. This puts both back beside them, so that a bench finds its registers in a netlist, too. Module `top`
# gets the instance `given`, if any, and for a proof begins with reset.
function end_module(   name, i) {
	if (module == top) {
		if (given != "")
			print "  " given
		if (clocked)
			print "`ifdef YOSYS\n  reg was_reset = 0;\n  always @(posedge clk_i) was_reset <= 1;\n" \
				"  always @* assume (was_reset | !rst_ni);\n`endif"
	}
	print "`ifndef YOSYS"
	for (name in high) {
		printf "  wire %s %s [0:%d];\n", range[name], name, high[name]
		for (i = 0; i <= high[name]; i++)
			printf "  assign %s[%d] = \\%s[%d] ;\n", name, i, name, i
	}
	for (name in block)
		printf "  generate if (1) begin : %s\n%s  end endgenerate\n", name, block[name]
	print "`endif"
	split("", high)
	split("", range)
	split("", block)
}

function register(name, bits,    part) {
	split(name, part, /[][.]/)
	if (name ~ /^[a-z0-9_]+_q\[[0-9]+\]$/) {
		range[part[1]] = bits
		if (!(part[1] in high) || part[2] + 0 > high[part[1]])
			high[part[1]] = part[2] + 0
	} else if (name ~ /^[a-z0-9_]+\.[a-z0-9_]+_q$/) {
		block[part[1]] = block[part[1]] "    wire " bits " " part[2] " = \\" name " ;\n"
	}
}

$1 == "module" {
	module = $2
	sub(/\(.*/, "", module)
	clocked = 0
}
$1 == "input" && $2 == "rst_ni;" { clocked = 1 }
$1 == "wire" || $1 == "reg" {
	at = index($0, "\\")
	if (at > 0) {
		name = substr($0, at + 1)
		sub(/ .*/, "", name)
		register(name, $2 ~ /^\[/ ? $2 : "")
	}
}
/^endmodule/ { end_module() }
{ print }
