# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Macchiato authors
# Parameters are loaded although their tile waits for the bank.
s/(done_q \&\& in_ready_i)/done_q/
