# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# To add a proof: write formal/prove_<property>.sv, whose head states what it assumes, and lines for it in formal/proofs.txt, one of
# them with a planted fault.
# What scripts/mutate assumes of a module's inputs: formal/given_<module>.v.
EXTRA_DIST += \
	formal/given.vh \
	formal/given_load_w.v \
	formal/given_sat.v \
	formal/proofs.txt \
	formal/prove_datapath.sv \
	formal/prove_encode.sv \
	formal/prove_lfsr.sv \
	formal/prove_load_w.sv \
	formal/prove_mac.sv \
	formal/prove_mac_array.sv \
	formal/prove_read.sv \
	formal/prove_requant.sv \
	formal/prove_round_shift.sv \
	formal/prove_sat.sv \
	formal/spec.vh

# The proofs: make prove, make prove LEVEL=1, make prove ONLY=requant.
prove: tb/config.sh
	@$(srcdir)/scripts/prove --level='$(LEVEL)' --only='$(ONLY)'
.PHONY: prove
LOCAL_CLEAN += formal/run
