# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The code that OCP's E4M3 keeps for NaN is made.
s/OUT_KIND == FN ? ALL_SIGNED - 1 :/OUT_KIND == FN ? ALL_SIGNED :/
