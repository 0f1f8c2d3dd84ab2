// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// What ends a module formal/given_STEM.v: its rules, one bit of `ok` each, are assumed by proofs, always, and checked in
// simulation, at `when_` and out of reset.
`ifdef YOSYS
`define GIVEN(when_, running_) always @* assume (&ok);
`else
`define GIVEN(when_, running_) always @(when_) \
	if ((running_) && !(&ok)) begin $display("%m: a rule is broken, a 0 of %b", ok); $fatal; end
`endif
