# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The weight at the RAM's output is read over while the array waits.
s/wire free     = .*/wire free     = 1'b1;/
