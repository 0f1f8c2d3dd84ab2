# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# BARRIER holds nothing back.
s/(!d_q\[`MCH_D_BARRIER\] || store_idle_i)/1'b1/
