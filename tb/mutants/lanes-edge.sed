# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The column right of the map is read, which is the first of the next row.
s/|| col >= /|| col > /
