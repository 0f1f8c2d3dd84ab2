# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Reset leaves a value in flight.
s/{valid1_q, valid2_q, valid3_q} <= 3'b000/{valid2_q, valid3_q} <= 2'b00/
