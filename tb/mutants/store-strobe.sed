# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A beat keeps the strobes of the one before.
s/wvalid_q ? {RATIO{1'b0}} : have_q/have_q/
