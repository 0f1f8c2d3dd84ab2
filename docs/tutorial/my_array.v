// A MAC array of 2 rows and 2 columns, written as one would the first time: each cell multiplies, accumulates, adds the
// bias of its column, rounds to 8 bits. It works at a first glance.
module my_array (
	input  wire        clk,
	input  wire        start, // the first beat of a sum
	input  wire [15:0] x,     // an activation for each row
	input  wire [15:0] w,     // a weight for each column
	input  wire [35:0] bias,  // one for each column
	output wire [31:0] y      // row 0, column 0 in the lowest byte; then row 0, column 1
);
	genvar i, j;
	generate
		for (i = 0; i < 2; i = i + 1) begin : row
			for (j = 0; j < 2; j = j + 1) begin : column
				wire signed [7:0]  xi = x[8*i +: 8], wj = w[8*j +: 8];
				wire signed [17:0] b = bias[18*j +: 18];
				reg  signed [17:0] acc;
				always @(posedge clk) acc <= (start ? 18'sd0 : acc) + xi * wj;

				wire signed [18:0] sum = acc + b;
				wire signed [18:0] rounded = (sum + 19'd64) >>> 7; // add a half, shift
				assign y[8*(2*i + j) +: 8] = rounded[7:0];
			end
		end
	endgenerate
endmodule
