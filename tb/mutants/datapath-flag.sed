# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The saturation flags of the columns leave in the wrong order: found by `make mutate`, since when the bench reads them.
s/\.sat_o(sat_o\[c\])/.sat_o(sat_o[COLS-1-c])/
