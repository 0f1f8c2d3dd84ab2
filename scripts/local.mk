# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
STRUCTURE_TESTS = \
	scripts/check-layers \
	scripts/check-map \
	scripts/check-mirror \
	scripts/check-rtl \
	scripts/check-synth
TESTS += $(STRUCTURE_TESTS) scripts/check-cocotb
EXTRA_DIST += \
	$(STRUCTURE_TESTS) \
	scripts/bench \
	scripts/bench-onnxruntime \
	scripts/build \
	scripts/check-cocotb \
	scripts/check-install \
	scripts/check-onnxruntime \
	scripts/coverage \
	scripts/coverage.awk \
	scripts/demo \
	scripts/expand.awk \
	scripts/fit-accelerator.awk \
	scripts/fuzz \
	scripts/install-deps \
	scripts/make-map \
	scripts/measure-accelerator \
	scripts/measure-cost \
	scripts/mutate \
	scripts/objcache \
	scripts/mutate-c \
	scripts/mutate-c.awk \
	scripts/place-and-route \
	scripts/prove \
	scripts/run-program \
	scripts/sim \
	scripts/sim-list.awk \
	scripts/sim-program \
	scripts/sim-report.awk \
	scripts/sim-run \
	scripts/sim.slurm \
	scripts/test \
	scripts/verilate

# The unit tests alone, as a build with sanitizers runs them.
check-unit: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(check_LIBRARIES)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(UNIT_TESTS)'

# RUNS and FLIPS say how long.
fuzz:
	BUILD=$(abs_top_builddir)/fuzz $(top_srcdir)/scripts/fuzz

# Whether the unit tests find faults of the model: make mutate-c, make mutate-c ONLY=op/conv.
mutate-c: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_LIBRARIES)
	@$(srcdir)/scripts/mutate-c --only='$(ONLY)'
bench: all tests/bench_exact$(EXEEXT)
	$(top_srcdir)/scripts/bench
.PHONY: bench check-unit fuzz mutate-c
LOCAL_CLEAN += fuzz mutate-c.tsv tests/mutate
