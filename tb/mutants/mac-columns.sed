# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Every column takes the first activation of its row.
s/(j % X_COLS)/0/
