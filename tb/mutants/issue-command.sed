# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A command is overwritten that the store has not taken.
s/wire cmd_free = .*/wire cmd_free = 1'b1;/
