# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A block may begin in the half and end beyond it.
s/wire fits = .*/wire fits = !more[LOG+1];/
