# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The noise moves in gaps, too.
s/en_i(en_i \& valid_i)/en_i(en_i)/
