# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The lanes do not learn that the pooler has used a half.
s/\.skip_i(pooler_release != 2'b00)/.skip_i(1'b0)/
