// Reads cases from the standard input, prints each with what the array makes of it. Knows no right answer.
module bench;
	localparam STDIN = 32'h8000_0000; // IEEE 1364-2005, 17.2
	reg clk = 0, start;
	reg [15:0] x_beat, w_beat;
	reg [63:0] x, w; // four beats
	reg [35:0] bias;
	wire [31:0] y;
	integer t;

	my_array dut (.clk(clk), .start(start), .x(x_beat), .w(w_beat), .bias(bias), .y(y));

	initial begin
		while ($fscanf(STDIN, "%h %h %h :\n", x, w, bias) == 3) begin
			for (t = 0; t < 4; t = t + 1) begin
				start = t == 0;
				x_beat = x[16*t +: 16];
				w_beat = w[16*t +: 16];
				#1 clk = 1;
				#1 clk = 0;
			end
			$display("%h %h %h : %h", x, w, bias, y);
		end
		$finish;
	end
endmodule
