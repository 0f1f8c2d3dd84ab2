// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Macchiato authors
// What ends a module formal/given_STEM.v: its rules, one bit of `ok` each, are assumed by proofs and checked in simulation.
`ifdef YOSYS
`define GIVEN(when_) always @* assume (&ok);
`else
`define GIVEN(when_) always @(when_) if (!(&ok)) begin $display("%m: a rule is broken, bit 0 of %b", ok); $fatal; end
`endif
