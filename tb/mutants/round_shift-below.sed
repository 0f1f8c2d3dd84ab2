# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# The bits below the half are counted one short: one beside a tie becomes a tie.
s/6'd16 ? shift_i - 6'd16/6'd16 ? shift_i - 6'd17/
