# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A strip may begin at the column behind the last one.
s/d\[`MCH_D_STRIP_Q\] >= d/d[`MCH_D_STRIP_Q] > d/
