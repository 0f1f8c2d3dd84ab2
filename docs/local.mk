# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
dist_man_MANS += docs/macchiato.1
EXTRA_DIST += \
	docs/accelerator.md \
	docs/architecture.md \
	docs/data.md \
	docs/datapath.md \
	docs/export.md \
	docs/onnx.md \
	docs/quantize.md \
	docs/registers.md \
	docs/results.md \
	docs/tutorial.md \
	docs/tutorial/bench.v \
	docs/tutorial/my_array.v \
	docs/tutorial/scoreboard.cpp \
	docs/vectors.md \
	docs/verification.md
