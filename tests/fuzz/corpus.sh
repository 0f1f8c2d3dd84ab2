#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Every kept input of every parser, a few hundred mutations of each, and some flipped bits of a real model.
set -eu
"$top_builddir/tests/fuzz/replay" "$top_srcdir/tests/fuzz/corpus" 200
"$top_builddir/tests/fuzz/flip" "$top_srcdir/tests/nets/lenet.onnx" 100
