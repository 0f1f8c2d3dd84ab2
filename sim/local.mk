# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Parts of benches for other people's RTL, as much as needs only the golden library. Installed so that "sim/NAME.h" is found in
# $(pkgdatadir).
simdir = $(pkgdatadir)/sim
dist_sim_DATA = \
	sim/axi_check.h \
	sim/axi_memory.h \
	sim/bench.h \
	sim/coverage.h \
	sim/dut.h \
	sim/mch_exported.v \
	sim/mutant.h \
	sim/pins.h \
	sim/registers.vlt \
	sim/sc_dut.h \
	sim/scoreboard.h \
	sim/stimulus.h \
	sim/tlm_access.h \
	sim/tlm_memory.h \
	sim/tlm_rtl.h \
	sim/waves.h
EXTRA_DIST += \
	sim/coverage-holes.txt \
	sim/coverage-runs.txt \
	sim/matrix.txt \
	sim/mutants.txt \
	sim/netlist.awk \
	sim/netlist.vlt \
	sim/mch_widths.v \
	sim/tlm_accelerator.h

# The regression: make sim, make sim LEVEL=1, make sim ONLY=requant, make sim SEED=7, make sim RESUME=0, REPEAT=20.
sim: all
	@$(srcdir)/scripts/sim --level='$(LEVEL)' --only='$(ONLY)' --seed='$(SEED)' --resume='$(RESUME)' --repeat='$(REPEAT)'
.PHONY: sim

# What of the RTL the benches reach: coverage.html.
coverage: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_LIBRARIES)
	@$(srcdir)/scripts/coverage --only='$(ONLY)'
.PHONY: coverage

# Whether the benches find faults: make mutate, make mutate ONLY=^store.
mutate: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_LIBRARIES)
	@$(srcdir)/scripts/mutate --only='$(ONLY)'
.PHONY: mutate
LOCAL_CLEAN += tb/coverage coverage.html tb/mutate mutate.tsv shard-*-of-* sim.d sim.lock sim.html sim.tsv sim.xml
