#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The Verilog header and the memory images of an export, as Verilator and Icarus read them.
set -eu
macchiato=${top_builddir:?run me by make check}/macchiato
for tool in verilator iverilog; do
	if ! command -v $tool >/dev/null; then
		echo "SKIP: $tool is missing; install $tool"
		exit 77
	fi
done
work=$(mktemp -d "${TMPDIR:-/tmp}/export.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
"$top_builddir/tests/make_accel_net" .
"$macchiato" export fixture.onnx fixture.quant.json -o accel --data=. --images=5 --array=4x3 >/dev/null

cat >lint.v <<'END'
`include "macchiato_config.vh"
`include "macchiato_config.vh"
`default_nettype none
module lint (
	input  wire clk_i,
	input  wire signed [`MCH_ACC_BITS-1:0] acc_i,
	output reg  signed [`MCH_ACC_BITS:0] sum_o,
	output wire same_o
);
	localparam [63:0] HASH = `MCH_CONFIG_HASH_0 ^ `MCH_CONFIG_HASH_3, BEATS = `MCH_CONV_1_BEATS;
	localparam signed [31:0] SOURCE = `MCH_CONV_1_SOURCE - 1;
	reg signed [`MCH_CONV_1_BIAS_BITS-1:0] bias [0:`MCH_CONV_1_BIAS_DEPTH-1];
	initial $readmemh(`MCH_CONV_1_BIAS_FILE, bias);
	always @(posedge clk_i)
		sum_o <= {acc_i[`MCH_ACC_BITS-1], acc_i} +
			 {{(`MCH_ACC_BITS+1-`MCH_CONV_1_BIAS_BITS){bias[0][`MCH_CONV_1_BIAS_BITS-1]}}, bias[0]};
	assign same_o = HASH == BEATS || SOURCE == 0;
endmodule
`default_nettype wire
END
verilator --lint-only -Wall -Iaccel lint.v
iverilog -g2005 -Wall -Iaccel -tnull lint.v 2>iverilog.txt
if [ -s iverilog.txt ]; then
	cat iverilog.txt
	exit 1
fi

# What Icarus reads: every weight of a layer, added up, against the same sum by another reader of the file.
cat >show.v <<'END'
`include "macchiato_config.vh"
module show;
	reg signed [`MCH_CONV_1_W_BITS-1:0] w [0:`MCH_CONV_1_WEIGHTS_DEPTH-1];
	reg signed [`MCH_CONV_1_2_BIAS_BITS-1:0] b [0:`MCH_CONV_1_2_BIAS_DEPTH-1];
	reg [`MCH_SHIFT_CODE_BITS-1:0] s [0:`MCH_CONV_1_SHIFT_DEPTH-1];
	reg [`MCH_INPUT_BITS-1:0] x [0:`MCH_N_IMAGES*`MCH_INPUT_C*`MCH_INPUT_H*`MCH_INPUT_W-1];
	integer i, sum;
	initial begin
		$readmemh(`MCH_CONV_1_WEIGHTS_FILE, w);
		$readmemh(`MCH_CONV_1_2_BIAS_FILE, b);
		$readmemh(`MCH_CONV_1_SHIFT_FILE, s);
		$readmemh("images.mem", x);
		sum = 0;
		for (i = 0; i < `MCH_CONV_1_WEIGHTS_DEPTH; i = i + 1) sum = sum + w[i];
		for (i = 0; i < `MCH_CONV_1_2_BIAS_DEPTH; i = i + 1) sum = sum + b[i];
		for (i = 0; i < `MCH_N_IMAGES*`MCH_INPUT_C*`MCH_INPUT_H*`MCH_INPUT_W; i = i + 1) sum = sum + x[i];
		$display("%0d %0d %s %h%h%h%h", sum, s[`MCH_CONV_1_SHIFT_DEPTH-1] - `MCH_SHIFT_CODE_ZERO,
			`MCH_CONV_1_NAME, `MCH_CONFIG_HASH_0, `MCH_CONFIG_HASH_1, `MCH_CONFIG_HASH_2,
			`MCH_CONFIG_HASH_3);
		if (`MCH_CONFIG_HASH != "HASH") $display("the string is another");
	end
endmodule
END
hash=$(sed -n 's/^#define MCH_CONFIG_HASH "\(.*\)"$/\1/p' accel/macchiato_config.h)
sed -i "s/\"HASH\"/\"$hash\"/" show.v
iverilog -g2005 -Wall -Iaccel -o show show.v
(cd accel && vvp -n ../show) >got.txt

# sum FILE BITS SIGNED: of the words of an image, read with the shell's own arithmetic.
sum() {
	total=0
	grep -v '^//' "$1" >words.txt
	while read -r word; do
		value=$((0x$word))
		[ "$3" = 0 ] || [ "$value" -lt $((1 << ($2 - 1))) ] || value=$((value - (1 << $2)))
		total=$((total + value))
	done <words.txt
	echo "$total"
}
constant() {
	sed -n "s/^#define MCH_$1 *\([0-9]*\) .*/\1/p" accel/macchiato_config.h
}
total=$(($(sum accel/conv_1.weights.mem "$(constant CONV_1_W_BITS)" 1) + \
	$(sum accel/conv_1_2.bias.mem "$(constant CONV_1_2_BIAS_BITS)" 1) + $(sum accel/images.mem 8 0)))
echo "$total $(constant CONV_1_SHIFT_MAX) conv/1 $hash" >want.txt
diff want.txt got.txt
