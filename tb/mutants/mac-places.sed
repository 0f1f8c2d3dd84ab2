# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# A product of minifloats is moved by the exponent of x alone.
s/ + {{(6-W_EXP){1'b0}}, w_places};/ + {{(6-W_EXP){1'b0}}, w_places \& {W_EXP{1'b0}}};/
